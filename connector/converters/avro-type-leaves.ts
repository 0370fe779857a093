// What Connect makes of Avro's types without parts.
import { isObject } from './avro-node.ts'
import { asBuffer, type Codec, misfit, type Tap } from './avro-custom-type.ts'
import { fromTwosComplement, rescale, toTwosComplement } from './avro-decimal.ts'
import { isLong, readLong, writeLong } from './avro-long.ts'
import type { DecimalValue } from '../api/schema.ts'

const DAY_MS = 86_400_000

export const STRING: Codec = {
  expects: 'a string',
  read: (tap) => tap.readString(),
  write: (tap, value) => {
    if (typeof value !== 'string') misfit('a string')
    // Half a surrogate pair has no UTF-8; what is written must be readable.
    tap.writeString(wellFormed(value))
  },
}

const LONE_SURROGATE = /\p{Surrogate}/u
const wellFormed = (text: string): string =>
  LONE_SURROGATE.test(text) ? text.replaceAll(/\p{Surrogate}/gu, '\ufffd') : text

function writeNumber(tap: Tap, value: unknown, expected: string): void {
  if (typeof value === 'bigint' && isLong(value)) writeLong(tap, value)
  else if (typeof value === 'number' && Number.isSafeInteger(value)) writeLong(tap, BigInt(value))
  else misfit(expected)
}

/** INT64, or what its logical type makes of it. */
export function longType(logical: string | undefined): Codec {
  switch (logical) {
    case 'timestamp-millis':
      return TIMESTAMP_MILLIS
    case 'timestamp-micros':
      return TIMESTAMP_MICROS
    case undefined:
    default:
      return LONG
  }
}

const LONG: Codec = {
  expects: 'a long: a bigint of 64 bits or a safe integer',
  read: readLong,
  write: (tap, value) => writeNumber(tap, value, 'a long'),
}

const TIMESTAMP_MILLIS: Codec = {
  expects: 'a Date or milliseconds since the epoch',
  read: (tap) => new Date(Number(readLong(tap))),
  write: (tap, value) =>
    writeNumber(tap, value instanceof Date ? value.getTime() : value, 'a timestamp'),
}

/** Connect's Timestamp has milliseconds, so this stays an INT64; a Date is taken all the same. */
const TIMESTAMP_MICROS: Codec = {
  expects: 'microseconds since the epoch, or a Date',
  read: readLong,
  write: (tap, value) => {
    const ms = value instanceof Date ? value.getTime() : undefined
    if (Number.isNaN(ms)) misfit('a timestamp')
    writeNumber(tap, ms === undefined ? value : BigInt(ms) * 1000n, 'a timestamp')
  },
}

const dateInt = (expects: string, unitMs: number): Codec => ({
  expects,
  read: (tap) => new Date(tap.readLong() * unitMs),
  write: (tap, value) => {
    const n = value instanceof Date ? Math.floor(value.getTime() / unitMs) : value
    if (typeof n !== 'number' || (n | 0) !== n) misfit(expects)
    tap.writeLong(n)
  },
})

/** By logical type. */
export const INT_TYPES: ReadonlyMap<string, Codec> = new Map([
  ['date', dateInt('a Date or days since the epoch', DAY_MS)],
  ['time-millis', dateInt('a Date or milliseconds of the day', 1)],
])

type Decimal = { readonly scale: number; readonly precision: number } | undefined

/** BYTES, or a decimal. */
export function bytesType(decimal: Decimal): Codec {
  if (decimal === undefined) {
    return {
      expects: 'bytes',
      read: (tap) => tap.readBytes(),
      write: (tap, value) =>
        value instanceof Uint8Array ? tap.writeBytes(asBuffer(value)) : misfit('bytes'),
    }
  }
  return {
    expects: `a decimal of ${decimal.precision} digits, ${decimal.scale} of them behind the point`,
    read: (tap) => fromBytes(tap.readBytes(), decimal.scale),
    write: (tap, value) => tap.writeBytes(toTwosComplement(unscaledOf(value, decimal))),
  }
}

/** BYTES of one length, or a decimal in them. */
export function fixedType(size: number, decimal: Decimal): Codec {
  return {
    expects: decimal === undefined ? `${size} bytes` : `a decimal that fits ${size} bytes`,
    read: (tap) => {
      const bytes = tap.readFixed(size)
      return decimal === undefined ? bytes : fromBytes(bytes, decimal.scale)
    },
    write: (tap, value) => {
      const bytes =
        decimal === undefined ? value : toTwosComplement(unscaledOf(value, decimal), size)
      if (!(bytes instanceof Uint8Array) || bytes.length !== size) misfit(`${size} bytes`)
      if (size > 0) tap.writeFixed(asBuffer(bytes), size)
    },
  }
}

const fromBytes = (bytes: Buffer | undefined, scale: number): DecimalValue => ({
  unscaled: fromTwosComplement(bytes ?? Buffer.alloc(0)),
  scale,
})

function unscaledOf(value: unknown, decimal: NonNullable<Decimal>): bigint {
  const { unscaled, scale } = isObject(value) ? value : {}
  if (typeof unscaled !== 'bigint' || typeof scale !== 'number') misfit('a decimal')
  const digits = rescale({ unscaled, scale }, decimal.scale)
  const magnitude = digits < 0n ? -digits : digits
  if (magnitude >= 10n ** BigInt(decimal.precision)) misfit(`${decimal.precision} digits`)
  return digits
}
