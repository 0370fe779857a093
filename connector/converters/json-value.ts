// Connect values as JsonConverter writes them.
import { DataError } from '../api/errors.ts'
import {
  type DecimalValue,
  LOGICAL_DATE,
  LOGICAL_DECIMAL,
  LOGICAL_TIME,
  LOGICAL_TIMESTAMP,
  type Schema,
} from '../api/schema.ts'
import { javaClassOf, shortestFloat } from '../api/java-text.ts'
import { decimalToText, isDecimal } from './connect-text.ts'
import { RawNumber } from './json-text.ts'

export type DecimalFormat = 'BASE64' | 'NUMERIC'

export interface JsonOptions {
  readonly decimals: DecimalFormat
  readonly replaceNullWithDefault: boolean
}

const DAY_MS = 86_400_000

/** A value as JSON. @throws DataError when it does not fit its schema. */
export function valueToJson(schema: Schema | null, value: unknown, options: JsonOptions): unknown {
  if (value === null || value === undefined) {
    if (schema === null) return null
    if (schema.defaultValue !== undefined && options.replaceNullWithDefault) {
      return valueToJson(schema, schema.defaultValue, options)
    }
    if (schema.optional) return null
    throw new DataError(
      'Conversion error: null value for field that is required and has no default value',
    )
  }
  if (schema === null) return schemalessToJson(value)
  const logical = logicalToJson(schema, value, options)
  if (logical !== undefined) return logical
  switch (schema.type) {
    case 'STRUCT':
      return structToJson(schema, value, options)
    case 'ARRAY':
      return [...(value as Iterable<unknown>)].map((item) =>
        valueToJson(schema.valueSchema ?? null, item, options),
      )
    case 'MAP':
      return mapToJson(schema, value, options)
    case 'BYTES':
      return Buffer.from(value as Uint8Array).toString('base64')
    case 'FLOAT32':
    case 'FLOAT64':
      return floatToJson(schema.type, value as number)
    case 'INT8':
    case 'INT16':
    case 'INT32':
    case 'INT64':
    case 'BOOLEAN':
    case 'STRING':
      break
  }
  return value
}

// JSON has no NaN and no infinities; Java writes them as texts.
const floatToJson = (type: 'FLOAT32' | 'FLOAT64', value: number): unknown => {
  if (!Number.isFinite(value)) return String(value)
  return type === 'FLOAT32' ? shortestFloat(value) : value
}

/** The value of a JSON form. Without a schema integers are `bigint` beyond 2^53, else `number`. @throws DataError. */
export function valueFromJson(
  schema: Schema | null,
  json: unknown,
  replaceNullWithDefault = true,
): unknown {
  if (schema === null) return json
  if (json === null || json === undefined) {
    if (schema.defaultValue !== undefined && replaceNullWithDefault) return schema.defaultValue
    if (schema.optional) return null
    throw new DataError(`Invalid null value for required ${schema.type} field`)
  }
  switch (schema.name ?? '') {
    case LOGICAL_DECIMAL:
      return decimalFromJson(schema, json)
    case LOGICAL_DATE:
      return new Date(Number(json) * DAY_MS)
    case LOGICAL_TIME:
    case LOGICAL_TIMESTAMP:
      return new Date(Number(json))
    default:
      return plainFromJson(schema, json, replaceNullWithDefault)
  }
}

function plainFromJson(schema: Schema, json: unknown, replaceNullWithDefault: boolean): unknown {
  const item = schema.valueSchema ?? null
  switch (schema.type) {
    case 'INT64':
      return BigInt(json as number | bigint)
    case 'FLOAT32':
      return Math.fround(Number(json))
    case 'FLOAT64':
      return Number(json)
    case 'BYTES':
      return Buffer.from(String(json), 'base64')
    case 'ARRAY':
      if (!Array.isArray(json)) throw new DataError(`Expected an array, got ${typeof json}`)
      return json.map((value: unknown) => valueFromJson(item, value, replaceNullWithDefault))
    case 'MAP':
      return mapFromJson(schema, json, replaceNullWithDefault)
    case 'STRUCT':
      return Object.fromEntries(
        (schema.fields ?? []).map((field) => [
          field.name,
          valueFromJson(
            field.schema,
            (json as Record<string, unknown>)[field.name],
            replaceNullWithDefault,
          ),
        ]),
      )
    case 'BOOLEAN':
      return expectType(json, 'boolean', schema)
    case 'STRING':
      return expectType(json, 'string', schema)
    case 'INT8':
    case 'INT16':
    case 'INT32':
      break
  }
  return expectType(json, 'number', schema)
}

function expectType(json: unknown, type: 'number' | 'boolean' | 'string', schema: Schema): unknown {
  if (typeof json === type) return json
  throw new DataError(`Expected ${schema.type}, got a JSON ${typeof json}`)
}

function logicalToJson(schema: Schema, value: unknown, options: JsonOptions): unknown {
  switch (schema.name ?? '') {
    case LOGICAL_DECIMAL: {
      const decimal = value as DecimalValue
      if (options.decimals === 'NUMERIC') return new RawNumber(decimalToText(decimal))
      return twosComplement(decimal.unscaled).toString('base64')
    }
    case LOGICAL_DATE:
      return Math.floor(timeOf(schema, value) / DAY_MS)
    case LOGICAL_TIME:
    case LOGICAL_TIMESTAMP:
      return timeOf(schema, value)
    default:
      return undefined
  }
}

function timeOf({ name = '' }: Schema, value: unknown): number {
  if (value instanceof Date) return value.getTime()
  const type = name.slice(name.lastIndexOf('.') + 1)
  throw new DataError(`Invalid type for ${type}, expected Date but was class ${javaClassOf(value)}`)
}

function structToJson(schema: Schema, value: unknown, options: JsonOptions): unknown {
  const struct = value as Readonly<Record<string, unknown>>
  return Object.fromEntries(
    (schema.fields ?? []).map((field) => [
      field.name,
      valueToJson(field.schema, struct[field.name] ?? null, options),
    ]),
  )
}

function mapToJson(schema: Schema, value: unknown, options: JsonOptions): unknown {
  const entries: [unknown, unknown][] =
    value instanceof Map ? [...(value as Map<unknown, unknown>)] : Object.entries(value as object)
  const item = schema.valueSchema ?? null
  if (schema.keySchema === undefined || schema.keySchema.type === 'STRING') {
    return Object.fromEntries(
      entries.map(([key, entry]) => [String(key), valueToJson(item, entry, options)]),
    )
  }
  const { keySchema } = schema
  return entries.map(([key, entry]) => [
    valueToJson(keySchema, key, options),
    valueToJson(item, entry, options),
  ])
}

function mapFromJson(
  schema: Schema,
  json: unknown,
  replaceNullWithDefault: boolean,
): Map<unknown, unknown> {
  const item = schema.valueSchema ?? null
  const key = schema.keySchema ?? null
  const entries = Array.isArray(json)
    ? (json as [unknown, unknown][])
    : Object.entries(json as object)
  return new Map(
    entries.map(([k, v]: [unknown, unknown]) => [
      Array.isArray(json) ? valueFromJson(key, k) : k,
      valueFromJson(item, v, replaceNullWithDefault),
    ]),
  )
}

function schemalessToJson(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  if (value instanceof Date) return value.getTime()
  if (value instanceof Map) {
    return Object.fromEntries(
      [...(value as Map<unknown, unknown>)].map(([k, v]) => [String(k), schemalessToJson(v)]),
    )
  }
  if (Array.isArray(value)) return value.map(schemalessToJson)
  if (isDecimal(value)) return new RawNumber(decimalToText(value))
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, schemalessToJson(v)]))
  }
  return value
}

function decimalFromJson(schema: Schema, json: unknown): DecimalValue {
  const scale = Number(schema.parameters?.['scale'] ?? 0)
  if (typeof json === 'number' || typeof json === 'bigint') {
    const [whole = '0', fraction = ''] = String(json).split('.')
    return { unscaled: BigInt(whole + fraction.padEnd(scale, '0').slice(0, scale)), scale }
  }
  const bytes = Buffer.from(String(json), 'base64')
  const unsigned = bytes.length === 0 ? 0n : BigInt(`0x${bytes.toString('hex')}`)
  return { unscaled: BigInt.asIntN(bytes.length * 8, unsigned), scale }
}

/** Big-endian two's complement in as few bytes as hold it, as Java's BigInteger.toByteArray. */
function twosComplement(value: bigint): Buffer {
  let length = 1
  while (BigInt.asIntN(length * 8, value) !== value) length++
  const hex = BigInt.asUintN(length * 8, value)
    .toString(16)
    .padStart(length * 2, '0')
  return Buffer.from(hex, 'hex')
}
