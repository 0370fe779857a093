// How single values are written as JSON so that Snowflake reads exactly the same value back: dates and times as ISO
// texts, decimals as texts, numbers as their shortest form.
import { DataError } from '../api/errors.ts'
import type { Tape } from './tape.ts'

const DAY_MS = 86_400_000
/** 0001-01-01 and 9999-12-31, in days since 1970-01-01: what Iceberg's engines agree on. */
const DAYS_MIN = -719_162
const DAYS_MAX = 2_932_896
const Z = 0x5a
const QUOTE = 0x22

export type TimeUnit = 'millis' | 'micros' | 'nanos'
const PER_DAY: Readonly<Record<TimeUnit, number>> = {
  millis: DAY_MS,
  micros: DAY_MS * 1_000,
  nanos: DAY_MS * 1_000_000,
}
const DIGITS: Readonly<Record<TimeUnit, number>> = { millis: 3, micros: 6, nanos: 9 }

let cachedDay = Number.NaN
const cachedDate = new Uint8Array(10)

/** Records come in the order of time, so most dates are the date before. */
function datePart(tape: Tape, days: number): void {
  if (days !== cachedDay) {
    if (days < DAYS_MIN || days > DAYS_MAX) {
      throw new DataError(`The date ${days} days from 1970-01-01 is not within the years 1 to 9999`)
    }
    const text = new Date(days * DAY_MS).toISOString()
    for (let i = 0; i < 10; i++) cachedDate[i] = text.charCodeAt(i)
    cachedDay = days
  }
  const { out, at } = tape
  for (let i = 0; i < 10; i++) out[at + i] = cachedDate[i] as number
  tape.at = at + 10
}

/** `"2023-11-14"` */
export function writeDate(tape: Tape, days: number): void {
  tape.reserve(12)
  tape.out[tape.at++] = QUOTE
  datePart(tape, days)
  tape.out[tape.at++] = QUOTE
}

/** `"2023-11-14T22:13:20.123Z"`, or without the Z for a timestamp that is in no time zone. */
export function writeTimestamp(
  tape: Tape,
  value: number | bigint,
  unit: TimeUnit,
  isInstant: boolean,
): void {
  const perDay = PER_DAY[unit]
  let days: number
  let rest: number
  if (typeof value === 'number') {
    days = Math.floor(value / perDay)
    rest = value - days * perDay
  } else {
    const per = BigInt(perDay)
    const remainder = ((value % per) + per) % per
    days = Number((value - remainder) / per)
    rest = Number(remainder)
  }
  tape.reserve(40)
  tape.out[tape.at++] = QUOTE
  datePart(tape, days)
  tape.out[tape.at++] = 0x54 // T
  timePart(tape, rest, unit)
  if (isInstant) tape.out[tape.at++] = Z
  tape.out[tape.at++] = QUOTE
}

/** `"22:13:20.123456"` */
export function writeTime(tape: Tape, value: number, unit: TimeUnit): void {
  if (value < 0 || value >= PER_DAY[unit]) {
    throw new DataError(`The time ${value} ${unit} is not within a day`)
  }
  tape.reserve(24)
  tape.out[tape.at++] = QUOTE
  timePart(tape, value, unit)
  tape.out[tape.at++] = QUOTE
}

function timePart(tape: Tape, value: number, unit: TimeUnit): void {
  const perSecond = PER_DAY[unit] / 86_400
  const seconds = Math.floor(value / perSecond)
  const minutes = Math.trunc(seconds / 60)
  const hours = Math.trunc(minutes / 60)
  tape.padded(hours, 2)
  tape.out[tape.at++] = 0x3a
  tape.padded(minutes - hours * 60, 2)
  tape.out[tape.at++] = 0x3a
  tape.padded(seconds - minutes * 60, 2)
  tape.out[tape.at++] = 0x2e
  tape.padded(value - seconds * perSecond, DIGITS[unit])
}

/** A double in its shortest form; NaN and the infinities as texts, which JSON has no numbers for. */
export function writeDouble(tape: Tape, value: number): void {
  if (Number.isInteger(value) && Math.abs(value) <= 2_147_483_647 && !Object.is(value, -0)) {
    tape.integer(value)
    return
  }
  if (!Number.isFinite(value)) {
    tape.ascii(`"${value}"`)
    return
  }
  if (!writeDecimals(tape, value)) tape.ascii(Object.is(value, -0) ? '-0.0' : String(value))
}

/**
 * Coordinates have few decimals: when n / 10^7 is exactly the value, its digits are n's, at a fifth of the price
 * of the general algorithm.
 */
function writeDecimals(tape: Tape, value: number): boolean {
  const magnitude = Math.abs(value)
  if (magnitude >= 100_000_000 || magnitude < 0.000_001) return false
  const scaled = Math.round(magnitude * 10_000_000)
  if (scaled / 10_000_000 !== magnitude) return false
  const whole = Math.trunc(scaled / 10_000_000)
  let fraction = scaled - whole * 10_000_000
  let width = 7
  while (width > 1 && fraction % 10 === 0) {
    fraction /= 10
    width--
  }
  tape.reserve(24)
  if (value < 0) tape.out[tape.at++] = 0x2d
  tape.integer(whole)
  tape.out[tape.at++] = 0x2e
  tape.padded(fraction, width)
  return true
}

/** A 32-bit float in the shortest form that is that float again; widened to 64 bits it would have 17 digits. */
export function writeFloat(tape: Tape, value: number): void {
  if (!Number.isFinite(value) || Number.isInteger(value)) {
    writeDouble(tape, value)
    return
  }
  const magnitude = Math.abs(value)
  if (magnitude < 16_777_216 && magnitude >= 1e-4) {
    // 24 bits times 10^8 are exact, and so is the division rounded: the same decimals as below, ten times faster.
    for (let scale = 10; scale <= 1e8; scale *= 10) {
      const short = Math.round(magnitude * scale) / scale
      if (Math.fround(short) !== magnitude) continue
      writeDouble(tape, value < 0 ? -short : short)
      return
    }
  }
  for (let digits = 1; digits <= 9; digits++) {
    const short = Number(value.toPrecision(digits))
    if (Math.fround(short) === value) {
      writeDouble(tape, short)
      return
    }
  }
  writeDouble(tape, value)
}

/** A long in its exact digits. */
export function writeLong(tape: Tape, value: number | bigint): void {
  if (typeof value === 'number') tape.integer(value)
  else tape.ascii(String(value))
}

/** `"base64"` */
export function writeBase64(tape: Tape, bytes: Uint8Array): void {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64')
  tape.ascii(`"${text}"`)
}

/** `unscaled · 10^-scale` in full digits, e.g. `-0.05`. */
export function decimalText(unscaled: bigint, scale: number): string {
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, '0')
  const sign = unscaled < 0n ? '-' : ''
  if (scale === 0) return sign + digits
  return `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`
}

/** A two's-complement, big-endian integer, as Avro and Connect keep decimals. */
export function bigIntOf(bytes: Uint8Array): bigint {
  if (bytes.length === 0) return 0n
  const hex = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex')
  return BigInt.asIntN(bytes.length * 8, BigInt(`0x${hex}`))
}

/** 16 bytes as `00000000-0000-0000-0000-000000000000`. */
export function uuidText(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex')
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(12, 16),
    hex.slice(16, 20),
    hex.slice(20),
  ].join('-')
}
