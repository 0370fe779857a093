import { DataError } from '../../../api/errors.ts'

/** One row does not fit the table: it is counted and logged, and the offset token advances over it. */
export class RowError extends DataError {
  /** Snowflake's number for it, where it has one that is known. */
  readonly code: number | undefined

  constructor(message: string, options: ErrorOptions & { readonly code?: number } = {}) {
    super(message, options)
    this.code = options.code
  }
}

/** Snowflake's numbers of row errors. */
export const ROW_ERROR_CODES = {
  timestamp: 100_035,
  boolean: 100_037,
  numeric: 100_038,
  date: 100_040,
  json: 100_069,
  nullInRequired: 100_072,
  tooLong: 100_078,
} as const

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
