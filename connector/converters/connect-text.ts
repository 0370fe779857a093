import type { DecimalValue } from '../api/schema.ts'

/** A Connect value as a text: strings as they are, the rest as JSON (`bigint` and decimals in digits, bytes in base64, dates in ISO form). */
export function connectToText(value: unknown): string {
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') {
    return String(value)
  }
  return JSON.stringify(toPlain(value))
}

/** `unscaled · 10^-scale` in plain digits. */
export function decimalToText({ unscaled, scale }: DecimalValue): string {
  if (scale <= 0) return (unscaled * 10n ** BigInt(-scale)).toString()
  const sign = unscaled < 0n ? '-' : ''
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, '0')
  return `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`
}

/** Whether the value is a `DecimalValue`. */
export const isDecimal = (value: unknown): value is DecimalValue =>
  typeof value === 'object' &&
  value !== null &&
  typeof (value as DecimalValue).unscaled === 'bigint' &&
  typeof (value as DecimalValue).scale === 'number'

function toPlain(value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString()
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  if (value instanceof Date) return value.toISOString()
  if (value instanceof Map)
    return Object.fromEntries([...value].map(([k, v]) => [String(k), toPlain(v)]))
  if (Array.isArray(value)) return value.map(toPlain)
  if (isDecimal(value)) return decimalToText(value)
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, toPlain(v)]))
  }
  return value
}
