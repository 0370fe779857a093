import { DataError } from '../api/errors.ts'
import type { SinkRecord } from '../api/records.ts'

/** The fields of a value without a schema: an object, or the text of one. @throws DataError for anything else. */
export function plainEntries({ value }: SinkRecord): readonly (readonly [string, unknown])[] {
  const given: unknown = typeof value === 'string' ? parsed(value) : value
  if (given instanceof Map) return [...given].map(([name, item]) => [String(name), item] as const)
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new DataError(
      `Expected a JSON object as the record's value, got ${Array.isArray(given) ? 'an array' : typeof given}`,
    )
  }
  return Object.entries(given)
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text, exact)
  } catch (cause) {
    if (cause instanceof DataError) throw cause
    throw new DataError("Expected a JSON object as the record's text", { cause })
  }
}

/** Digits that JavaScript's parser drops must not be stored as others. */
function exact(key: string, value: unknown): unknown {
  if (typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value)) {
    throw new DataError(`The text's number ${key} is beyond 2^53 and cannot be read exactly`)
  }
  return value
}
