// Values of decoded messages as records want them. Absent is undefined, never proto2's default; enums are their names.
import { createRequire } from 'node:module'
import type { transit_realtime } from 'gtfs-realtime-bindings'
import { DataError, toMessage } from '../connector/api/errors.ts'

// CommonJS without names that an ES import could see.
export const gtfs = (
  createRequire(import.meta.url)('gtfs-realtime-bindings') as {
    transit_realtime: typeof transit_realtime
  }
).transit_realtime

export type EnumNames = Readonly<Record<number, string>>

/** Runs a decoder; what it throws becomes a `DataError` that names the message. */
export function decoding<T>(message: string, decode: () => T): T {
  try {
    return decode()
  } catch (cause) {
    throw new DataError(`Not a ${message}: ${toMessage(cause)}`, { cause })
  }
}

/** A field that is really there: prototypes of the bindings hold proto2's defaults. */
export function own<T extends object, K extends keyof T>(message: T, key: K): T[K] | undefined {
  return Object.hasOwn(message, key) ? message[key] : undefined
}

/** An enum field by name; numbers that the bindings do not list are kept as such. */
export function name<T extends object>(
  names: EnumNames,
  message: T,
  key: keyof T,
): string | undefined {
  const value = own(message, key)
  return typeof value === 'number' ? enumName(names, value) : undefined
}

/** The name of an enum's number. */
export const enumName = (names: EnumNames, value: number): string =>
  names[value] ?? `UNKNOWN_${value}`

/** The bindings give an int64 as a `Long`, which is an object. */
export function seconds(value: unknown): number | undefined {
  if (typeof value === 'number') return value
  return typeof value === 'object' && value !== null && 'toNumber' in value
    ? (value as { toNumber(): number }).toNumber()
    : undefined
}
