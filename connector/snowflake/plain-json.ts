// JSON objects that come without a schema, with the Avro schema that the configuration names: the same columns as Avro
// bytes of that schema would have, and values read by it.
import { DataError } from '../api/errors.ts'
import type { SinkRecord } from '../api/records.ts'
import { type AvroField, type AvroNode, columnTypeOf, parseAvroRecord } from './avro-schema.ts'
import type { Column, ColumnType } from './column-type.ts'
import { jsonTextOf } from './connect-json.ts'
import { plainEntries } from './plain-object.ts'
import { checkDistinct, columnName, type RecordShape } from './record-shape.ts'

/** The shape of JSON objects that `schema`, an Avro record, describes. @throws DataError when no table can hold them. */
export function plainShape(schema: unknown): RecordShape {
  const { name, fields } = parseAvroRecord(schema)
  const columns: Column[] = []
  for (const { name: field, node } of fields) {
    const type = columnTypeOf(node)
    if (type !== undefined) columns.push({ name: columnName(field), type })
  }
  checkDistinct(columns, name)
  return {
    name: `${name} (snowflake.json.schema.file)`,
    columns,
    compile: (table) => (record, tape) => {
      for (const [field, value] of valuesOf(fields, record, name)) {
        const column = columnName(field.name)
        const type = table?.get(column) ?? columnTypeOf(field.node)
        const json = textOf(field.node, value, { type, path: field.name })
        if (json !== 'null') tape.text(`,${JSON.stringify(column)}:${json}`)
      }
    },
  }
}

/** Each field with its value or default. @throws DataError for fields that the schema does not have. */
function valuesOf(
  fields: readonly AvroField[],
  record: SinkRecord,
  name: string,
): readonly (readonly [AvroField, unknown])[] {
  const given = new Map(plainEntries(record))
  const values = fields.map((field) => {
    // A null that is written stays one.
    const value = given.has(field.name) ? given.get(field.name) : (field.defaultValue ?? null)
    given.delete(field.name)
    return [field, value] as const
  })
  const [unknown] = given.keys()
  if (unknown !== undefined) throw new DataError(`${name} has no field ${unknown}`)
  return values
}

interface Place {
  readonly type: ColumnType | undefined
  readonly path: string
}

function textOf(node: AvroNode, value: unknown, place: Place): string {
  if (node.kind === 'union') return unionText(node.branches, value, place)
  if (node.kind === 'null' && value === null) return 'null'
  const { path, type } = place
  if (node.kind === 'record' && isObject(value)) {
    const given = value
    const parts = new Map<string, string>()
    // A structured OBJECT wants every field that it declares.
    if (type?.kind === 'object') for (const field of type.fields) parts.set(field.name, 'null')
    for (const field of node.fields) {
      const item = field.name in given ? given[field.name] : (field.defaultValue ?? null)
      const inner = type?.kind === 'object' ? fieldType(type.fields, field.name) : undefined
      parts.set(
        field.name,
        textOf(field.node, item, { type: inner, path: `${path}.${field.name}` }),
      )
    }
    return `{${[...parts].map(([name, json]) => `${JSON.stringify(name)}:${json}`).join(',')}}`
  }
  if (node.kind === 'array' && Array.isArray(value)) {
    const inner = type?.kind === 'array' ? type.element : undefined
    const items = value.map((item, i) =>
      textOf(node.items, item, { type: inner, path: `${path}[${i}]` }),
    )
    return `[${items.join(',')}]`
  }
  if (node.kind === 'map' && isObject(value)) {
    const inner = type?.kind === 'map' ? type.value : undefined
    const items = Object.entries(value).map(
      ([key, item]) =>
        `${JSON.stringify(key)}:${textOf(node.values, item, { type: inner, path: `${path}.${key}` })}`,
    )
    return `{${items.join(',')}}`
  }
  const scalar = scalarOf(node, value)
  if (scalar === undefined) {
    const got =
      value === null
        ? 'null'
        : Array.isArray(value)
          ? 'an array'
          : `${typeof value} ${jsonTextOf(null, value)}`
    throw new DataError(
      `Field ${path}: expected ${logicalOf(node) ?? node.kind}, got ${got.slice(0, 100)}`,
    )
  }
  return scalar
}

const fieldType = (
  fields: readonly { readonly name: string; readonly type: ColumnType }[],
  name: string,
): ColumnType | undefined => fields.find((field) => field.name === name)?.type

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The first branch that takes the value: JSON does not say which one is meant. */
function unionText(branches: readonly AvroNode[], value: unknown, place: Place): string {
  let failure: unknown
  for (const branch of branches) {
    if ((branch.kind === 'null') !== (value === null)) continue
    try {
      return textOf(branch, value, place)
    } catch (error) {
      if (!(error instanceof DataError)) throw error
      failure ??= error
    }
  }
  throw failure instanceof DataError
    ? failure
    : new DataError(
        `Field ${place.path}: expected ${branches.map((b) => b.kind).join(' or ')}, got null`,
      )
}

const logicalOf = (node: AvroNode): string | undefined =>
  'logical' in node ? node.logical : undefined

const UNITS: Readonly<Record<string, number>> = { millis: 1, micros: 1_000, nanos: 1_000_000 }
const NOT_FINITE = new Set(['NaN', 'Infinity', '-Infinity'])

/** The JSON text of a value that is no container; undefined when it is not of the type. */
function scalarOf(node: AvroNode, value: unknown): string | undefined {
  const logical = logicalOf(node)
  if (logical !== undefined) return logicalText(logical, value)
  const { kind } = node
  if (kind === 'boolean') return typeof value === 'boolean' ? String(value) : undefined
  if (kind === 'int' || kind === 'long') return isInteger(value) ? String(value) : undefined
  if ((kind === 'float' || kind === 'double') && typeof value === 'number') {
    return jsonTextOf(null, value)
  }
  if (typeof value !== 'string') return undefined
  if (kind === 'float' || kind === 'double') return NOT_FINITE.has(value) ? `"${value}"` : undefined
  if (kind === 'enum' && !node.symbols.includes(value)) return undefined
  // Bytes are base64 in JSON, as a BINARY column wants them.
  const isText = kind === 'enum' || kind === 'string' || kind === 'bytes' || kind === 'fixed'
  return isText ? JSON.stringify(value) : undefined
}

/** Beyond 2^53 a number that was read from JSON has lost digits. */
const isInteger = (value: unknown): value is number | bigint =>
  typeof value === 'bigint' || Number.isSafeInteger(value)

/** Texts are passed on as they are; numbers are read as Avro counts them. */
function logicalText(logical: string, value: unknown): string | undefined {
  if (typeof value === 'string') return JSON.stringify(value)
  if (logical === 'decimal')
    return typeof value === 'number' || typeof value === 'bigint' ? `"${value}"` : undefined
  if (!isInteger(value)) return undefined
  const number = Number(value)
  if (logical === 'date') return isoText(number * 86_400_000, 0, 10)
  const unit = UNITS[logical.slice(logical.lastIndexOf('-') + 1)]
  if (unit === undefined) return undefined
  const ms = Math.floor(number / unit)
  const micros = Math.floor(((number - ms * unit) * 1_000) / unit)
  const fraction = micros === 0 ? '' : String(micros).padStart(3, '0')
  if (logical.startsWith('time-')) return isoText(ms, 11, 23, fraction)
  return isoText(ms, 0, 23, `${fraction}${logical.startsWith('local') ? '' : 'Z'}`)
}

function isoText(ms: number, from: number, to: number, end = ''): string | undefined {
  const date = new Date(ms)
  // Years beyond 9999 have no four digits, and no column takes them.
  if (Number.isNaN(date.getTime()) || date.getUTCFullYear() > 9_999 || date.getUTCFullYear() < 0)
    return undefined
  return `"${date.toISOString().slice(from, to)}${end}"`
}
