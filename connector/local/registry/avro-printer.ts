import {
  type AvroSchema,
  type NamedSchema,
  type Properties,
  type RecordField,
  splitName,
} from './avro-schema.ts'
import { printJson } from './json.ts'

interface Scope {
  readonly space: string
  readonly printed: Set<string>
  readonly sorted: boolean
}

/**
 * The text of Java's `Schema.toString`: what the registry keeps and compares. White space and the order of
 * attributes are lost, docs, defaults and other attributes are not. `normalize` also sorts the attributes
 * that Avro gives no meaning to. The types in `known` are defined elsewhere, and only named.
 */
export const printSchema = (
  schema: AvroSchema,
  options: { readonly normalize?: boolean; readonly known?: Iterable<string> } = {},
): string => {
  const printed = new Set(options.known)
  return print(schema, { space: '', printed, sorted: options.normalize ?? false })
}

// oxlint-disable-next-line typescript/consistent-return -- the switch is exhaustive, and TypeScript checks it
function print(schema: AvroSchema, scope: Scope): string {
  switch (schema.type) {
    case 'UNION':
      return `[${schema.branches.map((branch) => print(branch, scope)).join(',')}]`
    case 'ARRAY':
      return braces([
        '"type":"array"',
        `"items":${print(schema.items, scope)}`,
        ...properties(schema, scope),
      ])
    case 'MAP':
      return braces([
        '"type":"map"',
        `"values":${print(schema.values, scope)}`,
        ...properties(schema, scope),
      ])
    case 'RECORD':
    case 'ENUM':
    case 'FIXED':
      return named(schema, scope)
    case 'NULL':
    case 'BOOLEAN':
    case 'INT':
    case 'LONG':
    case 'FLOAT':
    case 'DOUBLE':
    case 'BYTES':
    case 'STRING': {
      const type = `"${schema.type.toLowerCase()}"`
      const extra = properties(schema, scope)
      return extra.length === 0 ? type : braces([`"type":${type}`, ...extra])
    }
  }
}

function named(schema: NamedSchema, scope: Scope): string {
  const { simple, space } = splitName(schema.fullName)
  if (scope.printed.has(schema.fullName)) {
    return JSON.stringify(space === scope.space ? simple : schema.fullName)
  }
  scope.printed.add(schema.fullName)
  const inner = { ...scope, space }
  const parts = [
    `"type":"${schema.type === 'RECORD' && schema.isError ? 'error' : schema.type.toLowerCase()}"`,
    `"name":${JSON.stringify(simple)}`,
  ]
  if (space !== scope.space) parts.push(`"namespace":${JSON.stringify(space)}`)
  if (schema.doc !== undefined) parts.push(`"doc":${JSON.stringify(schema.doc)}`)
  if (schema.type === 'RECORD') {
    parts.push(`"fields":[${schema.fields.map((each) => field(each, inner)).join(',')}]`)
  } else if (schema.type === 'ENUM') {
    parts.push(`"symbols":${JSON.stringify(schema.symbols)}`)
    if (schema.default !== undefined) parts.push(`"default":${JSON.stringify(schema.default)}`)
  } else {
    parts.push(`"size":${schema.size}`)
  }
  parts.push(...properties(schema, scope))
  if (schema.aliases.length > 0) {
    const aliases = schema.aliases.map((alias) => {
      const split = splitName(alias)
      return split.space === space ? split.simple : alias
    })
    parts.push(`"aliases":${JSON.stringify(aliases)}`)
  }
  return braces(parts)
}

function field(each: RecordField, scope: Scope): string {
  const parts = [`"name":${JSON.stringify(each.name)}`, `"type":${print(each.schema, scope)}`]
  if (each.doc !== undefined) parts.push(`"doc":${JSON.stringify(each.doc)}`)
  if (each.default !== undefined) parts.push(`"default":${printJson(each.default)}`)
  if (each.order !== 'ascending') parts.push(`"order":"${each.order}"`)
  if (each.aliases.length > 0) parts.push(`"aliases":${JSON.stringify(each.aliases)}`)
  return braces([...parts, ...properties(each, scope)])
}

function properties(of: { readonly properties: Properties }, scope: Scope): string[] {
  const pairs = [...of.properties]
  if (scope.sorted) pairs.sort(([a], [b]) => (a < b ? -1 : Number(a > b)))
  return pairs.map(([key, value]) => `${JSON.stringify(key)}:${printJson(value)}`)
}

const braces = (parts: readonly string[]): string => `{${parts.join(',')}}`
