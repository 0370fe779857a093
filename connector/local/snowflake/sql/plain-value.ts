import {
  DuckDBBlobValue,
  DuckDBDecimalValue,
  DuckDBListValue,
  DuckDBMapValue,
  DuckDBStructValue,
} from '@duckdb/node-api'

/** Objects and arrays as Snowflake prints them in JSON: times as text, binary in hex. */
export function plainValue(value: unknown): unknown {
  if (value instanceof DuckDBListValue) return value.items.map(plainValue)
  if (value instanceof DuckDBStructValue)
    return Object.fromEntries(
      Object.entries(value.entries).map(([key, item]) => [key, plainValue(item)]),
    )
  if (value instanceof DuckDBMapValue)
    return Object.fromEntries(
      value.entries.map(({ key, value: item }) => [String(key), plainValue(item)]),
    )
  if (value instanceof DuckDBBlobValue)
    return Buffer.from(value.bytes).toString('hex').toUpperCase()
  if (typeof value === 'bigint')
    return Number.isSafeInteger(Number(value)) ? Number(value) : String(value)
  if (value instanceof DuckDBDecimalValue)
    return value.scale === 0 && Number.isSafeInteger(Number(value.value))
      ? Number(value.value)
      : value.toString()
  // Dates, times and UUIDs print themselves.
  if (typeof value === 'object' && value !== null)
    return (value as { toString(): string }).toString()
  return value
}
