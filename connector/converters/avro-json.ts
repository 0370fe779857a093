import { toTwosComplement } from './avro-decimal.ts'
import { isObject } from './avro-node.ts'

const DAY_MS = 86_400_000

/** A Connect default as the JSON of an Avro field's default; a Date in days or milliseconds. */
export function toJsonDefault(value: unknown, inDays = false): unknown {
  if (typeof value === 'bigint') return Number(value)
  if (value instanceof Date) return Math.floor(value.getTime() / (inDays ? DAY_MS : 1))
  if (value instanceof Uint8Array) return Buffer.from(value).toString('latin1')
  if (Array.isArray(value)) return value.map((item: unknown) => toJsonDefault(item))
  if (value instanceof Map) {
    const map = value as ReadonlyMap<unknown, unknown>
    return Object.fromEntries([...map].map(([k, v]) => [String(k), toJsonDefault(v)]))
  }
  if (!isObject(value)) return value
  const { unscaled, scale } = value
  if (typeof unscaled === 'bigint' && typeof scale === 'number') {
    return toTwosComplement(unscaled).toString('latin1')
  }
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, toJsonDefault(v)]))
}
