// The ordinary path: Connect values, with or without a schema, as the JSON that the transcoder makes of Avro bytes.
import { DataError } from '../api/errors.ts'
import {
  type DecimalValue,
  LOGICAL_DATE,
  LOGICAL_DECIMAL,
  LOGICAL_TIME,
  LOGICAL_TIMESTAMP,
  type Schema,
} from '../api/schema.ts'
import { type Column, type ColumnType, INT, LONG } from './column-type.ts'
import { plainEntries } from './plain-object.ts'
import { checkDistinct, columnName, type RecordShape } from './record-shape.ts'
import { decimalText } from './scalar-json.ts'

const DEPTH_MAX = 100
const PRECISION_MAX = 38
const LTZ: ColumnType = { kind: 'timestamp', zone: 'ltz' }
const PLAIN: Readonly<Record<string, ColumnType>> = {
  INT8: INT,
  INT16: INT,
  INT32: INT,
  INT64: LONG,
  FLOAT32: { kind: 'float' },
  FLOAT64: { kind: 'double' },
  BOOLEAN: { kind: 'boolean' },
  STRING: { kind: 'string' },
  BYTES: { kind: 'binary' },
}

/** The column type for values of `schema`. */
export function columnTypeOfSchema(schema: Schema): ColumnType {
  const logical = logicalType(schema)
  if (logical !== undefined) return logical
  if (schema.type === 'STRUCT') {
    return {
      kind: 'object',
      fields: (schema.fields ?? []).map((field) => ({
        name: field.name,
        type: columnTypeOfSchema(field.schema),
      })),
    }
  }
  const value = (): ColumnType =>
    schema.valueSchema === undefined ? { kind: 'string' } : columnTypeOfSchema(schema.valueSchema)
  if (schema.type === 'ARRAY') return { kind: 'array', element: value() }
  if (schema.type === 'MAP') return { kind: 'map', value: value() }
  return PLAIN[schema.type] ?? { kind: 'string' }
}

function logicalType({ name, parameters }: Schema): ColumnType | undefined {
  if (name === LOGICAL_TIMESTAMP) return LTZ
  if (name === LOGICAL_DATE) return { kind: 'date' }
  if (name === LOGICAL_TIME) return { kind: 'string' }
  if (name !== LOGICAL_DECIMAL) return undefined
  const precision = Number(parameters?.['connect.decimal.precision'] ?? PRECISION_MAX)
  const scale = Number(parameters?.['scale'] ?? 0)
  return precision > PRECISION_MAX ? { kind: 'string' } : { kind: 'number', precision, scale }
}

/** The JSON text of a Connect value. `type` is the column's, for the fields that its OBJECTs declare. @throws DataError */
export function jsonTextOf(schema: Schema | null, value: unknown, type?: ColumnType): string {
  return text(schema, value, type, 0)
}

function text(
  schema: Schema | null,
  value: unknown,
  type: ColumnType | undefined,
  depth: number,
): string {
  if (value === null || value === undefined) return 'null'
  if (depth > DEPTH_MAX) throw new DataError(`The value is nested more than ${DEPTH_MAX} deep`)
  if (typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'boolean' || typeof value === 'bigint') return String(value)
  if (typeof value === 'number') return numberText(schema, value)
  if (value instanceof Date) return `"${dateText(schema, value)}"`
  if (value instanceof Uint8Array) return `"${Buffer.from(value).toString('base64')}"`
  if (Array.isArray(value)) {
    const inner = schema?.valueSchema ?? null
    const element = type?.kind === 'array' ? type.element : undefined
    return `[${value.map((item) => text(inner, item, element, depth + 1)).join(',')}]`
  }
  if (typeof value !== 'object') throw new DataError(`A ${typeof value} is no value of a record`)
  if (isDecimal(schema, value)) return `"${decimalText(value.unscaled, value.scale)}"`
  return objectText(schema, value, type, depth)
}

function objectText(
  schema: Schema | null,
  value: object,
  type: ColumnType | undefined,
  depth: number,
): string {
  const entries: readonly (readonly [unknown, unknown])[] =
    value instanceof Map ? [...value.entries()] : Object.entries(value)
  const fields = new Map(schema?.fields?.map((field) => [field.name, field.schema]))
  const parts = new Map<string, string>()
  // A struct is written with all fields of its schema, and of the column where it has more.
  for (const name of fields.keys()) parts.set(name, 'null')
  if (type?.kind === 'object') for (const { name } of type.fields) parts.set(name, 'null')
  for (const [key, item] of entries) {
    const name = String(key)
    const inner = fields.get(name) ?? schema?.valueSchema ?? null
    parts.set(name, text(inner, item, innerType(type, name), depth + 1))
  }
  return `{${[...parts].map(([name, json]) => `${JSON.stringify(name)}:${json}`).join(',')}}`
}

function innerType(type: ColumnType | undefined, name: string): ColumnType | undefined {
  if (type?.kind === 'map') return type.value
  return type?.kind === 'object'
    ? type.fields.find((field) => field.name === name)?.type
    : undefined
}

function numberText(schema: Schema | null, value: number): string {
  if (!Number.isFinite(value)) return `"${value}"`
  if (schema?.type === 'FLOAT32' && !Number.isInteger(value)) {
    for (let digits = 1; digits <= 9; digits++) {
      const short = Number(value.toPrecision(digits))
      if (Math.fround(short) === Math.fround(value)) return String(short)
    }
  }
  return String(value)
}

function dateText(schema: Schema | null, value: Date): string {
  if (Number.isNaN(value.getTime())) throw new DataError('The value holds an invalid date')
  const iso = value.toISOString()
  if (schema?.name === LOGICAL_DATE) return iso.slice(0, 10)
  return schema?.name === LOGICAL_TIME ? iso.slice(11, 23) : iso
}

const isDecimal = (schema: Schema | null, value: object): value is DecimalValue =>
  (schema === null || schema.name === LOGICAL_DECIMAL) &&
  typeof (value as Partial<DecimalValue>).unscaled === 'bigint' &&
  typeof (value as Partial<DecimalValue>).scale === 'number'

/** The shape of values with a Connect schema. @throws DataError for anything but a struct. */
export function schemaShape(schema: Schema): RecordShape {
  if (schema.type !== 'STRUCT') {
    throw new DataError(`Expected a struct as the record's value, got ${schema.type}`)
  }
  const name = schema.name ?? 'a record'
  const fields = schema.fields ?? []
  const columns: readonly Column[] = fields.map((field) => ({
    name: columnName(field.name),
    type: columnTypeOfSchema(field.schema),
  }))
  checkDistinct(columns, name)
  return {
    name,
    columns,
    compile: (table) => (record, tape) => {
      const value = record.value as Readonly<Record<string, unknown>>
      for (const [i, field] of fields.entries()) {
        const item = value[field.name] ?? field.schema.defaultValue ?? null
        if (item === null) continue
        const column = (columns[i] as Column).name
        const json = jsonTextOf(field.schema, item, table?.get(column))
        tape.text(`,${JSON.stringify(column)}:${json}`)
      }
    },
  }
}

/** The shape of JSON objects without a schema: they fit a table that exists and has the columns. */
export const SCHEMALESS_SHAPE: RecordShape = {
  name: 'a record without a schema',
  columns: [],
  compile: (table) => (record, tape) => {
    for (const [field, item] of plainEntries(record)) {
      const column = columnName(field)
      if (item === null || item === undefined) continue
      const type = table?.get(column)
      if (table !== undefined && type === undefined) {
        throw new DataError(`The table has no column ${column}, and without a schema none is added`)
      }
      tape.text(`,${JSON.stringify(column)}:${jsonTextOf(null, item, type)}`)
    }
  },
}
