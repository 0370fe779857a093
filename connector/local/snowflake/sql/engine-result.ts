// The query engine's values as the driver protocol writes them.
import {
  DuckDBBlobValue,
  DuckDBDateValue,
  DuckDBStructValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
  DuckDBTimeValue,
} from '@duckdb/node-api'
import type { QueryResult } from '../../iceberg/types.ts'
import { NumberText, parseExact, stringifyExact } from '../rows/exact-json.ts'
import { plainValue } from './plain-value.ts'
import type { SqlType } from './query/sql-types.ts'
import { type Cell, column, type ResultColumn, type ResultSet } from './result.ts'

const WIRE_TYPES: Readonly<Record<SqlType['kind'], string>> = {
  fixed: 'fixed',
  real: 'real',
  text: 'text',
  boolean: 'boolean',
  date: 'date',
  time: 'time',
  ntz: 'timestamp_ntz',
  ltz: 'timestamp_ltz',
  tz: 'timestamp_tz',
  binary: 'binary',
  variant: 'variant',
  object: 'object',
  array: 'array',
  null: 'text',
  struct: 'object',
  list: 'array',
  map: 'object',
}

/** The rows of a compiled query, whose columns are known. */
export function encodeResult(
  result: QueryResult,
  columns: readonly { readonly name: string; readonly type: SqlType }[],
): ResultSet {
  return {
    columns: columns.map(columnOf),
    rows: result.rows.map((row) => row.map((value, index) => cellOf(value, columns[index]?.type))),
  }
}

function columnOf({ name, type }: { readonly name: string; readonly type: SqlType }): ResultColumn {
  const wire = WIRE_TYPES[type.kind]
  return type.kind === 'fixed'
    ? { ...column(name, wire, type.scale), precision: type.precision }
    : column(name, wire)
}

const TZ_BIAS_MINUTES = 1_440

function cellOf(value: unknown, type: SqlType | undefined): Cell {
  if (value === null || value === undefined) return null
  if (value instanceof DuckDBDateValue) return String(value.days)
  if (value instanceof DuckDBTimestampValue || value instanceof DuckDBTimestampTZValue)
    return seconds(value.micros)
  if (value instanceof DuckDBTimeValue) return seconds(value.micros)
  if (value instanceof DuckDBBlobValue)
    return Buffer.from(value.bytes).toString('hex').toUpperCase()
  if (type?.kind === 'tz' && value instanceof DuckDBStructValue) return zoned(value)
  if (type?.kind === 'variant' || type?.kind === 'object' || type?.kind === 'array')
    return typeof value === 'string' ? sorted(value) : JSON.stringify(plainValue(value))
  if (type?.kind === 'struct' || type?.kind === 'list' || type?.kind === 'map')
    return JSON.stringify(plainValue(value))
  if (typeof value === 'string') return value
  if (typeof value === 'number') return realText(value)
  if (typeof value === 'boolean') return value ? '1' : '0'
  // Decimals and UUIDs print themselves.
  return (value as { toString(): string }).toString()
}

function zoned({ entries }: DuckDBStructValue): Cell {
  const { t, o } = entries
  return t instanceof DuckDBTimestampTZValue
    ? `${seconds(t.micros)} ${Number(o) + TZ_BIAS_MINUTES}`
    : null
}

/** JSON with the keys of objects in order, as Snowflake shows it, and every number's digits kept. */
function sorted(text: string): string {
  return stringifyExact(ordered(parseExact(text)))
}

function ordered(value: unknown): unknown {
  if (value instanceof NumberText || typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(ordered)
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(entries.map(([key, item]) => [key, ordered(item)]))
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
