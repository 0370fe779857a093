// Casts between Connect's primitive types, with Java's rules for overflow and texts.
import { ConnectError, DataError } from '../api/errors.ts'
import {
  connectDate,
  isDecimalValue,
  javaClassOf,
  javaDecimal,
  javaFloat,
} from '../api/java-text.ts'
import {
  LOGICAL_DATE,
  LOGICAL_TIME,
  LOGICAL_TIMESTAMP,
  type Schema,
  type SchemaType,
} from '../api/schema.ts'

export type CastType =
  | 'INT8'
  | 'INT16'
  | 'INT32'
  | 'INT64'
  | 'FLOAT32'
  | 'FLOAT64'
  | 'BOOLEAN'
  | 'STRING'

export const CAST_OUTPUTS: readonly CastType[] = [
  'INT8',
  'INT16',
  'INT32',
  'INT64',
  'FLOAT32',
  'FLOAT64',
  'BOOLEAN',
  'STRING',
]
const INPUTS: readonly SchemaType[] = [...CAST_OUTPUTS, 'BYTES']
const BITS = { INT8: 8, INT16: 16, INT32: 32, INT64: 64 } as const
const DAY_MS = 86_400_000

/** The value as another type; null stays null. @throws DataError for what cannot be cast. */
export function cast(schema: Schema | null, value: unknown, target: CastType): unknown {
  if (value === null || value === undefined) return null
  const type = schema?.type ?? inferredType(value)
  if (type === undefined) {
    throw new DataError(
      `Cast transformation was passed a value of type class ${javaClassOf(value)} which is not supported by Connect's data API`,
    )
  }
  if (!INPUTS.includes(type)) {
    throw new DataError(
      `Cast transformation does not support casting from ${type}; supported types are [${INPUTS.join(', ')}]`,
    )
  }
  if (target === 'STRING') return castToString(type, value)
  const encoded = value instanceof Date ? encodedDate(schema, value) : value
  if (target === 'BOOLEAN') return castToBoolean(encoded)
  if (target === 'FLOAT32' || target === 'FLOAT64') {
    const double = castToDouble(encoded)
    return target === 'FLOAT32' ? Math.fround(double) : double
  }
  const integer = castToInteger(type, encoded, BITS[target])
  return target === 'INT64' ? integer : Number(integer)
}

/** What Java would hold a schemaless value as. Undefined: nothing of Connect's. */
export function inferredType(value: unknown): SchemaType | undefined {
  if (typeof value === 'string') return 'STRING'
  if (typeof value === 'boolean') return 'BOOLEAN'
  if (typeof value === 'bigint') return 'INT64'
  if (typeof value === 'number') return Number.isInteger(value) ? 'INT64' : 'FLOAT64'
  if (typeof value !== 'object') return undefined
  if (Array.isArray(value)) return 'ARRAY'
  if (value instanceof Uint8Array || isDecimalValue(value)) return 'BYTES'
  return value instanceof Date ? 'INT64' : 'MAP'
}

function encodedDate(schema: Schema | null, value: Date): bigint | Date {
  const ms = value.getTime()
  switch (schema?.name ?? '') {
    case LOGICAL_DATE:
      return BigInt(Math.floor(ms / DAY_MS))
    case LOGICAL_TIME:
    case LOGICAL_TIMESTAMP:
      return BigInt(ms)
    default:
      return value
  }
}

const unexpected = (value: unknown): DataError =>
  new DataError(`Unexpected type in Cast transformation: class ${javaClassOf(value)}`)

const outOfRange = (value: string): DataError =>
  new DataError(`Value (${value}) was out of range for requested data type`)

function castToBoolean(value: unknown): boolean {
  if (typeof value === 'boolean') return value
  if (typeof value === 'string') return value.toLowerCase() === 'true'
  return toLong(value) !== 0n
}

function castToDouble(value: unknown): number {
  if (typeof value === 'number') return value
  if (typeof value === 'bigint') return Number(value)
  if (typeof value === 'boolean') return value ? 1 : 0
  if (isDecimalValue(value)) return Number(javaDecimal(value))
  if (typeof value !== 'string') throw unexpected(value)
  return parseDouble(value)
}

/** `Double.parseDouble`. */
function parseDouble(text: string): number {
  const trimmed = text.trim()
  if (/^[+-]?(?:NaN|Infinity)$/.test(trimmed)) {
    return trimmed.endsWith('NaN') ? Number.NaN : Number(trimmed)
  }
  if (!/^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?[fFdD]?$/.test(trimmed)) throw outOfRange(text)
  return Number(trimmed.replace(/[fFdD]$/, ''))
}

function castToInteger(type: SchemaType, value: unknown, bits: 8 | 16 | 32 | 64): bigint {
  if (typeof value === 'boolean') return value ? 1n : 0n
  if (typeof value === 'string') return parseInteger(value, bits)
  const isFloat = type === 'FLOAT32' || type === 'FLOAT64'
  // Java narrows a float to int or long first, where it stops at the bounds, and cuts off bits then.
  if (isFloat && typeof value === 'number') {
    return BigInt.asIntN(bits, saturated(value, bits === 64 ? 64 : 32))
  }
  return BigInt.asIntN(bits, toLong(value))
}

function toLong(value: unknown): bigint {
  if (typeof value === 'bigint') return BigInt.asIntN(64, value)
  if (typeof value === 'number') return saturated(value, 64)
  if (isDecimalValue(value)) {
    const { unscaled, scale } = value
    const power = 10n ** BigInt(Math.abs(scale))
    return BigInt.asIntN(64, scale > 0 ? unscaled / power : unscaled * power)
  }
  throw unexpected(value)
}

function saturated(value: number, bits: 32 | 64): bigint {
  if (Number.isNaN(value)) return 0n
  const max = 2n ** BigInt(bits - 1) - 1n
  if (value >= Number(max)) return max
  return value <= -Number(max) ? -max - 1n : BigInt(Math.trunc(value))
}

function parseInteger(text: string, bits: number): bigint {
  if (!/^[+-]?\d{1,30}$/.test(text)) throw outOfRange(text)
  const value = BigInt(text.replace(/^\+/, ''))
  if (BigInt.asIntN(bits, value) !== value) throw outOfRange(text)
  return value
}

function castToString(type: SchemaType, value: unknown): string {
  if (value instanceof Date) return connectDate(value)
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  if (isDecimalValue(value)) return javaDecimal(value)
  if (typeof value === 'number') {
    return type === 'FLOAT32' || type === 'FLOAT64' ? javaFloat(value, type) : String(value)
  }
  if (['string', 'boolean', 'bigint'].includes(typeof value)) return String(value)
  throw new ConnectError(`Unexpected type in Cast transformation: ${typeof value}`)
}
