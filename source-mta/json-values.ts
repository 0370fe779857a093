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

/** Throws a `DataError` for what is no JSON text. */
export function parseJson(bytes: Uint8Array): unknown {
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
