// The query engine's values as the driver protocol writes them.
import {
  DuckDBBlobValue,
  DuckDBDateValue,
  DuckDBDecimalValue,
  DuckDBListValue,
  DuckDBMapValue,
  DuckDBStructValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
  DuckDBTimeValue,
} from '@duckdb/node-api'
import type { QueryResult } from '../../iceberg/types.ts'
import { type Cell, column, type ResultColumn, type ResultSet } from './result.ts'

const INTEGERS = new Set([
  'TINYINT',
  'SMALLINT',
  'INTEGER',
  'BIGINT',
  'HUGEINT',
  'UTINYINT',
  'USMALLINT',
  'UINTEGER',
  'UBIGINT',
  'UHUGEINT',
])

/** A result with each column named by `nameOf`. */
export function encodeResult(result: QueryResult, nameOf: (name: string) => string): ResultSet {
  return {
    columns: result.columns.map(({ name, type }) => columnOf(nameOf(name), type)),
    rows: result.rows.map((row) => row.map(cellOf)),
  }
}

function columnOf(name: string, type: string): ResultColumn {
  const decimal = /^DECIMAL\((\d+),(\d+)\)$/.exec(type)
  if (decimal !== null)
    return { ...column(name, 'fixed', Number(decimal[2])), precision: Number(decimal[1]) }
  if (INTEGERS.has(type)) return column(name, 'fixed')
  if (type.endsWith(']')) return column(name, 'array')
  if (type.startsWith('STRUCT(') || type.startsWith('MAP(')) return column(name, 'object')
  return column(name, SIMPLE[type] ?? 'text')
}

const SIMPLE: Readonly<Record<string, string>> = {
  BOOLEAN: 'boolean',
  FLOAT: 'real',
  DOUBLE: 'real',
  DATE: 'date',
  TIME: 'time',
  TIMESTAMP: 'timestamp_ntz',
  'TIMESTAMP WITH TIME ZONE': 'timestamp_ltz',
  BLOB: 'binary',
  JSON: 'variant',
}

function cellOf(value: unknown): Cell {
  if (value === null || value === undefined) return null
  if (value instanceof DuckDBDateValue) return String(value.days)
  if (value instanceof DuckDBTimestampValue || value instanceof DuckDBTimestampTZValue)
    return seconds(value.micros)
  if (value instanceof DuckDBTimeValue) return seconds(value.micros)
  if (value instanceof DuckDBBlobValue)
    return Buffer.from(value.bytes).toString('hex').toUpperCase()
  if (isNested(value)) return JSON.stringify(plain(value))
  return scalarText(value)
}

const isNested = (value: unknown): boolean =>
  value instanceof DuckDBListValue ||
  value instanceof DuckDBStructValue ||
  value instanceof DuckDBMapValue

function scalarText(value: unknown): string {
  if (typeof value === 'string') return value
  if (typeof value === 'number') return realText(value)
  if (typeof value === 'boolean') return value ? '1' : '0'
  // Decimals, times inside objects, UUIDs: the engine's values print themselves.
  return String(value)
}

const realText = (value: number): string => {
  if (Number.isNaN(value)) return 'NaN'
  if (value === Number.POSITIVE_INFINITY) return 'inf'
  return value === Number.NEGATIVE_INFINITY ? '-inf' : String(value)
}

/** Microseconds as `seconds.fraction` with nine digits, negative before 1970. */
function seconds(micros: bigint): string {
  const sign = micros < 0n ? '-' : ''
  const size = micros < 0n ? -micros : micros
  return `${sign}${size / 1_000_000n}.${String(size % 1_000_000n).padStart(6, '0')}000`
}

/** Objects and arrays as Snowflake prints them in JSON: times as text, binary in hex. */
function plain(value: unknown): unknown {
  if (value instanceof DuckDBListValue) return value.items.map(plain)
  if (value instanceof DuckDBStructValue)
    return Object.fromEntries(
      Object.entries(value.entries).map(([key, item]) => [key, plain(item)]),
    )
  if (value instanceof DuckDBMapValue)
    return Object.fromEntries(
      value.entries.map(({ key, value: item }) => [scalarText(key), plain(item)]),
    )
  if (value instanceof DuckDBBlobValue)
    return Buffer.from(value.bytes).toString('hex').toUpperCase()
  if (typeof value === 'bigint')
    return Number.isSafeInteger(Number(value)) ? Number(value) : String(value)
  if (value instanceof DuckDBDecimalValue) return value.toString()
  if (typeof value === 'object' && value !== null) return scalarText(value)
  return value
}
