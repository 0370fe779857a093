import {
  type AvroSchema,
  type EnumSchema,
  type FixedSchema,
  type NamedSchema,
  type NamedSchemas,
  type PrimitiveType,
  type Properties,
  type RecordField,
  type RecordSchema,
  SchemaParseError,
  splitName,
} from './avro-schema.ts'
import { isValidDefault } from './avro-default.ts'
import {
  type Json,
  JsonNumber,
  type JsonObject,
  JsonSyntaxError,
  parseJson,
  printJson,
} from './json.ts'
import { printSchema } from './avro-printer.ts'

const PRIMITIVES: ReadonlyMap<string, PrimitiveType> = new Map(
  (['NULL', 'BOOLEAN', 'INT', 'LONG', 'FLOAT', 'DOUBLE', 'BYTES', 'STRING'] as const).map(
    (type) => [type.toLowerCase(), type] as const,
  ),
)
const NONE: Properties = new Map()
const DEPTH_MAX = 200
const SIZE_MAX = 2 ** 31 - 1

export interface ParseOptions {
  /** Types that the schema's references define. */
  readonly names?: NamedSchemas
  /** New schemas must have defaults that fit; old ones are taken as they are. Default true. */
  readonly validateDefaults?: boolean
}

/** Reads a schema. Throws a `SchemaParseError` with Avro's own words where Avro has some. */
export function parseSchema(text: string, options: ParseOptions = {}): AvroSchema {
  let json: Json
  try {
    json = parseJson(text)
  } catch (error) {
    if (error instanceof JsonSyntaxError)
      throw new SchemaParseError(error.message, { cause: error })
    throw error
  }
  const parser = new Parser(options.names ?? new Map(), options.validateDefaults ?? true)
  return parser.parse(json, { space: '', depth: 0 })
}

interface Scope {
  readonly space: string
  readonly depth: number
}

class Parser {
  readonly #names: NamedSchemas
  readonly #validateDefaults: boolean
  constructor(names: NamedSchemas, validateDefaults: boolean) {
    this.#names = names
    this.#validateDefaults = validateDefaults
  }

  parse(json: Json, outer: Scope): AvroSchema {
    const scope = { ...outer, depth: outer.depth + 1 }
    if (scope.depth > DEPTH_MAX) {
      throw new SchemaParseError(`The schema has more than ${DEPTH_MAX} levels`)
    }
    if (typeof json === 'string') return this.#reference(json, scope)
    if (Array.isArray(json)) return this.#union(json as readonly Json[], scope)
    if (json instanceof Map) return this.#object(json as JsonObject, scope)
    throw new SchemaParseError(`Schema not yet supported: ${printJson(json)}`)
  }

  #reference(name: string, scope: Scope): AvroSchema {
    const primitive = PRIMITIVES.get(name)
    if (primitive !== undefined) return { type: primitive, properties: NONE }
    const found = this.#find(name, scope)
    if (found === undefined) throw new SchemaParseError(`Undefined name: "${name}"`)
    return found
  }

  #find(name: string, scope: Scope): NamedSchema | undefined {
    const { names } = { names: this.#names }
    if (name.includes('.') || scope.space === '') return names.get(name)
    return names.get(`${scope.space}.${name}`) ?? names.get(name)
  }

  #object(json: JsonObject, scope: Scope): AvroSchema {
    const type = json.get('type')
    if (typeof type !== 'string') throw new SchemaParseError(`No type: ${printJson(json)}`)
    const primitive = PRIMITIVES.get(type)
    if (primitive !== undefined) return { type: primitive, properties: rest(json, ['type']) }
    switch (type) {
      case 'record':
      case 'error':
        return this.#record(json, scope, type === 'error')
      case 'enum':
        return this.#enum(json, scope)
      case 'fixed':
        return this.#fixed(json, scope)
      case 'array': {
        const items = json.get('items')
        if (items === undefined)
          throw new SchemaParseError(`Array has no items type: ${printJson(json)}`)
        return {
          type: 'ARRAY',
          items: this.parse(items, scope),
          properties: rest(json, ['type', 'items']),
        }
      }
      case 'map': {
        const values = json.get('values')
        if (values === undefined)
          throw new SchemaParseError(`Map has no values type: ${printJson(json)}`)
        return {
          type: 'MAP',
          values: this.parse(values, scope),
          properties: rest(json, ['type', 'values']),
        }
      }
      default: {
        const found = this.#find(type, scope)
        if (found === undefined) throw new SchemaParseError(`Type not supported: ${type}`)
        return found
      }
    }
  }

  #union(json: readonly Json[], scope: Scope): AvroSchema {
    const branches = json.map((branch) => this.parse(branch, scope))
    const seen = new Set<string>()
    for (const branch of branches) {
      if (branch.type === 'UNION') throw new SchemaParseError('Nested union')
      const name = 'fullName' in branch ? branch.fullName : branch.type.toLowerCase()
      if (seen.has(name)) throw new SchemaParseError(`Duplicate in union:${name}`)
      seen.add(name)
    }
    return { type: 'UNION', branches }
  }

  #record(json: JsonObject, scope: Scope, isError: boolean): RecordSchema {
    const known = ['type', 'name', 'namespace', 'doc', 'fields', 'aliases']
    const schema: RecordSchema = {
      type: 'RECORD',
      isError,
      ...naming(json, scope, known),
      fields: [],
    }
    this.#define(schema)
    const list = json.get('fields')
    if (!Array.isArray(list)) throw new SchemaParseError(`Record has no fields: ${printJson(json)}`)
    const inner = { ...scope, space: splitName(schema.fullName).space }
    for (const field of list as readonly Json[]) {
      const parsed = this.#field(field, inner)
      if (schema.fields.some(({ name }) => name === parsed.name)) {
        throw new SchemaParseError(`Duplicate field ${parsed.name} in record ${schema.fullName}`)
      }
      schema.fields.push(parsed)
    }
    return schema
  }

  #field(json: Json, scope: Scope): RecordField {
    if (!(json instanceof Map)) throw new SchemaParseError(`No field name: ${printJson(json)}`)
    const object = json as JsonObject
    const name = object.get('name')
    if (typeof name !== 'string') throw new SchemaParseError(`No field name: ${printJson(json)}`)
    validateName(name)
    const type = object.get('type')
    if (type === undefined) throw new SchemaParseError(`No field type: ${printJson(json)}`)
    const schema = this.parse(type, scope)
    const fallback = object.get('default')
    if (fallback !== undefined && this.#validateDefaults && !isValidDefault(schema, fallback)) {
      throw new SchemaParseError(
        `Invalid default for field ${name}: ${printJson(fallback)} not a ${printSchema(schema)}`,
      )
    }
    return {
      name,
      schema,
      doc: textOf(object, 'doc'),
      default: fallback,
      order: orderOf(object),
      aliases: texts(object, 'aliases'),
      properties: rest(object, ['name', 'type', 'doc', 'default', 'order', 'aliases']),
    }
  }

  #enum(json: JsonObject, scope: Scope): EnumSchema {
    const list = json.get('symbols')
    if (!Array.isArray(list)) throw new SchemaParseError(`Enum has no symbols: ${printJson(json)}`)
    const symbols = texts(json, 'symbols')
    for (const symbol of symbols) validateName(symbol)
    const twice = symbols.find((symbol, i) => symbols.indexOf(symbol) !== i)
    if (twice !== undefined) throw new SchemaParseError(`Duplicate enum symbol: ${twice}`)
    const fallback = textOf(json, 'default')
    if (fallback !== undefined && !symbols.includes(fallback)) {
      throw new SchemaParseError(
        `The Enum Default: ${fallback} is not in the enum symbol set: [${symbols.join(', ')}]`,
      )
    }
    const known = ['type', 'name', 'namespace', 'doc', 'symbols', 'default', 'aliases']
    const schema: EnumSchema = {
      type: 'ENUM',
      ...naming(json, scope, known),
      symbols,
      default: fallback,
    }
    this.#define(schema)
    return schema
  }

  #fixed(json: JsonObject, scope: Scope): FixedSchema {
    const given = json.get('size')
    const size = given instanceof JsonNumber && given.isInteger ? Number(given.text) : -1
    if (size < 0 || size > SIZE_MAX) {
      throw new SchemaParseError(`Invalid or no size: ${printJson(json)}`)
    }
    const known = ['type', 'name', 'namespace', 'doc', 'size', 'aliases']
    const schema: FixedSchema = { type: 'FIXED', ...naming(json, scope, known), size }
    this.#define(schema)
    return schema
  }

  #define(schema: NamedSchema): void {
    if (this.#names.has(schema.fullName)) {
      throw new SchemaParseError(`Can't redefine: ${schema.fullName}`)
    }
    this.#names.set(schema.fullName, schema)
  }
}

function naming(
  json: JsonObject,
  scope: Scope,
  known: readonly string[],
): Pick<NamedSchema, 'fullName' | 'doc' | 'aliases' | 'properties'> {
  const name = textOf(json, 'name')
  if (name === undefined) throw new SchemaParseError('No name in schema')
  const given = textOf(json, 'namespace')
  const split = splitName(name)
  const space = name.includes('.') ? split.space : (given ?? scope.space)
  validateName(split.simple)
  if (space !== '') for (const part of space.split('.')) validateName(part)
  if (PRIMITIVES.has(split.simple) && space === '') {
    throw new SchemaParseError(`Schemas may not be named after primitives: ${name}`)
  }
  const qualify = (alias: string): string =>
    alias.includes('.') || space === '' ? alias : `${space}.${alias}`
  return {
    fullName: space === '' ? split.simple : `${space}.${split.simple}`,
    doc: textOf(json, 'doc'),
    aliases: texts(json, 'aliases').map(qualify),
    properties: rest(json, known),
  }
}

function validateName(name: string): void {
  if (name === '') throw new SchemaParseError('Empty name')
  if (!/^[\p{L}_]/u.test(name)) throw new SchemaParseError(`Illegal initial character: ${name}`)
  if (!/^[\p{L}\p{Nd}_]+$/u.test(name)) throw new SchemaParseError(`Illegal character in: ${name}`)
}

function orderOf(json: JsonObject): RecordField['order'] {
  const order = textOf(json, 'order')?.toLowerCase() ?? 'ascending'
  if (order === 'ascending' || order === 'descending' || order === 'ignore') return order
  throw new SchemaParseError(`No enum constant org.apache.avro.Schema.Field.Order.${order}`)
}

function textOf(json: JsonObject, key: string): string | undefined {
  const value = json.get(key)
  return typeof value === 'string' ? value : undefined
}

function texts(json: JsonObject, key: string): readonly string[] {
  const value = json.get(key)
  if (value === undefined) return []
  if (!Array.isArray(value)) throw new SchemaParseError(`${key} not an array: ${printJson(value)}`)
  return (value as readonly Json[]).map((item) => {
    if (typeof item === 'string') return item
    throw new SchemaParseError(`${key} holds something else than text: ${printJson(item)}`)
  })
}

const rest = (json: JsonObject, known: readonly string[]): Properties => {
  const others = [...json].filter(([key]) => !known.includes(key))
  return others.length === 0 ? NONE : new Map(others)
}
