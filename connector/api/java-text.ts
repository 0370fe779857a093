// Numbers and dates as Java's toString writes them, which is what Kafka Connect's users see in their data.
import type { DecimalValue } from './schema.ts'

/** Whether the value is a `DecimalValue`. */
export const isDecimalValue = (value: unknown): value is DecimalValue =>
  typeof value === 'object' &&
  value !== null &&
  typeof (value as DecimalValue).unscaled === 'bigint' &&
  typeof (value as DecimalValue).scale === 'number'

/** `Double.toString`, or `Float.toString` for a `FLOAT32`: `5.0`, `1.0E10`, `NaN`. */
export function javaFloat(value: number, type: 'FLOAT32' | 'FLOAT64'): string {
  if (!Number.isFinite(value)) return String(value)
  if (value === 0) return Object.is(value, -0) ? '-0.0' : '0.0'
  const exact = type === 'FLOAT32' ? shortestFloat(value) : value
  const size = Math.abs(exact)
  if (size >= 1e-3 && size < 1e7) {
    const text = String(exact)
    return text.includes('.') ? text : `${text}.0`
  }
  const [mantissa = '', exponent = ''] = exact.toExponential().split('e')
  return `${mantissa.includes('.') ? mantissa : `${mantissa}.0`}E${Number(exponent)}`
}

/** The number with the fewest digits that is the same `float`: 0.1, not 0.10000000149011612. */
export function shortestFloat(value: number): number {
  const float = Math.fround(value)
  for (let digits = 1; digits < 10; digits++) {
    const candidate = Number(float.toPrecision(digits))
    if (Math.fround(candidate) === float) return candidate
  }
  return float
}

/** `BigDecimal.toString`: plain digits, or an exponent for very small and for negative scales. */
export function javaDecimal({ unscaled, scale }: DecimalValue): string {
  const sign = unscaled < 0n ? '-' : ''
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString()
  const exponent = digits.length - 1 - scale
  if (scale === 0) return sign + digits
  if (scale > 0 && exponent >= -6) {
    const padded = digits.padStart(scale + 1, '0')
    return `${sign}${padded.slice(0, -scale)}.${padded.slice(-scale)}`
  }
  const fraction = digits.length > 1 ? `.${digits.slice(1)}` : ''
  const power = exponent === 0 ? '' : `E${exponent > 0 ? '+' : ''}${exponent}`
  return `${sign}${digits.charAt(0)}${fraction}${power}`
}

const DAY_MS = 86_400_000

/** A date as Kafka Connect writes it into texts: a time before 1970-01-02, a day at midnight, else both; UTC. */
export function connectDate(date: Date): string {
  const iso = date.toISOString()
  if (date.getTime() < DAY_MS) return iso.slice(iso.indexOf('T') + 1)
  return date.getTime() % DAY_MS === 0 ? iso.slice(0, iso.indexOf('T')) : iso
}

/** The Java class of a value, for messages that users look up. */
export function javaClassOf(value: unknown): string {
  if (value === null || value === undefined) return 'null'
  if (typeof value === 'string') return 'java.lang.String'
  if (typeof value === 'boolean') return 'java.lang.Boolean'
  if (typeof value === 'bigint') return 'java.lang.Long'
  if (typeof value === 'number') {
    return Number.isInteger(value) ? 'java.lang.Long' : 'java.lang.Double'
  }
  return javaClassOfObject(value)
}

function javaClassOfObject(value: unknown): string {
  if (Array.isArray(value)) return 'java.util.ArrayList'
  if (value instanceof Uint8Array) return '[B'
  if (value instanceof Date) return 'java.util.Date'
  return isDecimalValue(value) ? 'java.math.BigDecimal' : 'java.util.HashMap'
}
