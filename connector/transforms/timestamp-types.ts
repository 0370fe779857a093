// The forms of a time that TimestampConverter turns into each other.
import { DataError } from '../api/errors.ts'
import { javaClassOf } from '../api/java-text.ts'
import { LOGICAL_DATE, LOGICAL_TIME, LOGICAL_TIMESTAMP, type Schema } from '../api/schema.ts'
import type { SimpleDateFormat } from './simple-date-format.ts'

export type TimestampType = 'string' | 'unix' | 'Date' | 'Time' | 'Timestamp'
export type UnixPrecision = 'nanoseconds' | 'microseconds' | 'milliseconds' | 'seconds'

export const TIMESTAMP_TYPES: readonly TimestampType[] = [
  'string',
  'unix',
  'Date',
  'Time',
  'Timestamp',
]
export const UNIX_PRECISIONS: readonly UnixPrecision[] = [
  'nanoseconds',
  'microseconds',
  'milliseconds',
  'seconds',
]

/** How times are written, and texts and Unix times read. */
export interface TimestampForm {
  readonly type: TimestampType
  readonly precision: UnixPrecision
  /** Undefined: no text is read. */
  readonly format: SimpleDateFormat | undefined
}

const DAY_MS = 86_400_000

/** What a schemaless value is taken for. @throws DataError for what can be no time. */
export function inferTimestampType(value: unknown): TimestampType {
  if (value instanceof Date) return 'Timestamp'
  if (typeof value === 'bigint' || (typeof value === 'number' && Number.isInteger(value))) {
    return 'unix'
  }
  if (typeof value === 'string') return 'string'
  throw new DataError(
    `TimestampConverter does not support class ${javaClassOf(value)} objects as timestamps`,
  )
}

/** Milliseconds since the Unix epoch. @throws DataError for a value that is not of the type. */
export function toMillis(
  value: unknown,
  type: TimestampType,
  { precision, format }: TimestampForm,
): number {
  if (type === 'string') {
    if (typeof value !== 'string') throw unexpected('string timestamp to be a String', value)
    if (format === undefined) {
      throw new DataError(`Could not parse timestamp: value (${value}) without a format`)
    }
    return format.parse(value).getTime()
  }
  if (type === 'unix') return unixToMillis(value, precision)
  if (!(value instanceof Date)) throw unexpected(`${type} to be a java.util.Date`, value)
  return value.getTime()
}

function unixToMillis(value: unknown, precision: UnixPrecision): number {
  if (typeof value !== 'bigint' && typeof value !== 'number') {
    throw unexpected('Unix timestamp to be a Long', value)
  }
  const unix = BigInt(value)
  return Number((unix * MILLIS_OF[precision]) / PARTS_OF[precision])
}

/** Milliseconds of a unit, and how many of a unit are a millisecond; Java's divisions round towards zero. */
const MILLIS_OF: Readonly<Record<UnixPrecision, bigint>> = {
  seconds: 1_000n,
  milliseconds: 1n,
  microseconds: 1n,
  nanoseconds: 1n,
}
const PARTS_OF: Readonly<Record<UnixPrecision, bigint>> = {
  seconds: 1n,
  milliseconds: 1n,
  microseconds: 1_000n,
  nanoseconds: 1_000_000n,
}

const unexpected = (what: string, value: unknown): DataError =>
  new DataError(`Expected ${what}, but found class ${javaClassOf(value)}`)

/** A time in its target form. Unix times are `bigint` where a schema says so, else a `number` where that is exact. */
export function toTimestamp(millis: number, form: TimestampForm, hasSchema: boolean): unknown {
  const { type, format, precision } = form
  if (type === 'string') return format?.format(new Date(millis))
  if (type === 'unix') {
    const unix = (BigInt(millis) * PARTS_OF[precision]) / MILLIS_OF[precision]
    const number = Number(unix)
    return hasSchema || !Number.isSafeInteger(number) ? unix : number
  }
  const midnight = Math.floor(millis / DAY_MS) * DAY_MS
  if (type === 'Date') return new Date(midnight)
  return new Date(type === 'Time' ? millis - midnight : millis)
}

const SCHEMAS: Readonly<Record<TimestampType, Omit<Schema, 'optional'>>> = {
  string: { type: 'STRING' },
  unix: { type: 'INT64' },
  Date: { type: 'INT32', name: LOGICAL_DATE, version: 1 },
  Time: { type: 'INT32', name: LOGICAL_TIME, version: 1 },
  Timestamp: { type: 'INT64', name: LOGICAL_TIMESTAMP, version: 1 },
}

/** The schema of a target form. */
export function timestampSchema(type: TimestampType, optional: boolean): Schema {
  return { ...SCHEMAS[type], optional }
}
