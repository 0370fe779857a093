import { DataError } from '../../../api/errors.ts'

/** One row does not fit the table: it is counted and logged, and the offset token advances over it. */
export class RowError extends DataError {}

/** Thrown by a check that needs the digits of a number: the row is then read again by `parseExact`. */
export class NeedsExactNumbers extends Error {}

/** One instance, because making an error per row would cost more than reading the row twice. */
export const NEEDS_EXACT_NUMBERS = new NeedsExactNumbers('The row has a number beyond a double.')

const SHOWN_MAX = 100

/** A value as an error message may show it: short, and on one line. */
export function shown(value: unknown): string {
  const text = typeof value === 'string' ? `'${value}'` : (JSON.stringify(value) ?? String(value))
  return text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}…` : text
}
