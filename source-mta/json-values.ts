// Reads what may be anything: parsed JSON of somebody else's making.
import { DataError } from '../connector/api/errors.ts'

export type JsonObject = Readonly<Record<string, unknown>>

/** The object, or an empty one. */
export const objectOf = (value: unknown): JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {}

/** The array; a single value as an array of it; nothing as an empty one. */
export function listOf(value: unknown): readonly unknown[] {
  if (value === undefined || value === null) return []
  return Array.isArray(value) ? value : [value]
}

/** A text, the first of several, or a number or boolean as text; undefined for what is empty or none. */
export function textOf(value: unknown): string | undefined {
  const first: unknown = Array.isArray(value) ? value[0] : value
  if (typeof first === 'string') return first.trim() === '' ? undefined : first.trim()
  return typeof first === 'number' || typeof first === 'boolean' ? String(first) : undefined
}

/** A finite number, also one written as text. */
export function numberOf(value: unknown): number | undefined {
  const text = textOf(value)
  if (text === undefined || !/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) return undefined
  const number = Number(text)
  return Number.isFinite(number) ? number : undefined
}

const INT_MAX = 2 ** 31 - 1

/** A whole number of 32 bits. */
export function intOf(value: unknown): number | undefined {
  const number = numberOf(value)
  return number !== undefined && Number.isInteger(number) && Math.abs(number) <= INT_MAX
    ? number
    : undefined
}

/** true, false, Y, N, T, F, yes, no, 1 and 0, whatever the case. */
export function booleanOf(value: unknown): boolean | undefined {
  const text = textOf(value)?.toLowerCase()
  if (text === undefined) return undefined
  if (['true', 'y', 't', 'yes', '1'].includes(text)) return true
  return ['false', 'n', 'f', 'no', '0'].includes(text) ? false : undefined
}

const ISO = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:?\d{2})$/

/** Milliseconds since the Unix epoch of an ISO 8601 time with its offset. */
export function timeOf(value: unknown): number | undefined {
  const text = textOf(value)
  if (text === undefined || !ISO.test(text)) return undefined
  const ms = Date.parse(text)
  return Number.isNaN(ms) ? undefined : ms
}

const NESTING_MAX = 64
const CHAR = { quote: 0x22, backslash: 0x5c, open: [0x5b, 0x7b], close: [0x5d, 0x7d] } as const

/** Whether objects and lists lie within each other deeper than any feed's: writing such a value again would fail. */
function isTooDeep(bytes: Uint8Array): boolean {
  let depth = 0
  let isText = false
  for (let i = 0; i < bytes.length; i++) {
    const char = bytes[i]
    if (isText) {
      if (char === CHAR.backslash) i++
      else if (char === CHAR.quote) isText = false
    } else if (char === CHAR.quote) isText = true
    else if (char === CHAR.open[0] || char === CHAR.open[1]) depth++
    else if (char === CHAR.close[0] || char === CHAR.close[1]) depth--
    if (depth > NESTING_MAX) return true
  }
  return false
}

/** Throws a `DataError` for what is no JSON text, and for one that is nested deeper than 64 levels. */
export function parseJson(bytes: Uint8Array): unknown {
  if (isTooDeep(bytes)) throw new DataError(`The body is nested deeper than ${NESTING_MAX} levels`)
  try {
    return JSON.parse(
      Buffer.from(bytes)
        .toString('utf8')
        .replace(/^\uFEFF/, ''),
    ) as unknown
  } catch (cause) {
    // The parser's message quotes the text, which is of no use here.
    throw new DataError('The body is no JSON', { cause })
  }
}
