import type { Check } from './column-check.ts'
import { ROW_ERROR_CODES, RowError, shown } from './row-error.ts'

const DATE = /^(\d{4})-(\d\d)-(\d\d)$/
const TIME = /^(\d\d):(\d\d):(\d\d)(\.\d{1,9})?$/
const TIMESTAMP =
  /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(\.\d{1,9})?)?)?\s?(Z|[+-]\d\d(?::?\d\d)?)?$/
const MICROSECONDS = 7

const CODES: Readonly<Record<string, number>> = {
  Timestamp: ROW_ERROR_CODES.timestamp,
  Date: ROW_ERROR_CODES.date,
}

function notA(type: string, value: unknown, column: string): RowError {
  const code = CODES[type]
  return new RowError(
    `${type} ${shown(value)} is not recognized, column ${column}`,
    code === undefined ? {} : { code },
  )
}

function isDay(year: number, month: number, day: number): boolean {
  if (year < 1 || month < 1 || month > 12 || day < 1) return false
  if (day <= 28) return true
  return day <= new Date(Date.UTC(2_000 + (year % 400), month, 0)).getUTCDate()
}

/** Two digits as a number, or NaN. */
function two(text: string, at: number): number {
  const high = text.charCodeAt(at) - 48
  const low = text.charCodeAt(at + 1) - 48
  return high >= 0 && high <= 9 && low >= 0 && low <= 9 ? high * 10 + low : Number.NaN
}

/** True for `YYYY-MM-DDTHH:MM:SS[.f{1,6}][Z]`, the form that needs no change. By character, since rows are many. */
function isCanonical(text: string, zoned: boolean): boolean {
  const end = zoned ? text.length - 1 : text.length
  if (end < 19 || end > 26 || end === 20 || (zoned && text.charCodeAt(end) !== 90)) return false
  if (
    text.charCodeAt(4) !== 45 ||
    text.charCodeAt(7) !== 45 ||
    text.charCodeAt(10) !== 84 ||
    text.charCodeAt(13) !== 58 ||
    text.charCodeAt(16) !== 58
  )
    return false
  const isClock = two(text, 11) < 24 && two(text, 14) < 60 && two(text, 17) < 60
  if (!isClock || !isDay(two(text, 0) * 100 + two(text, 2), two(text, 5), two(text, 8)))
    return false
  if (end > 19 && text.charCodeAt(19) !== 46) return false
  for (let at = 20; at < end; at++) {
    const code = text.charCodeAt(at)
    if (code < 48 || code > 57) return false
  }
  return true
}

/**
 * A timestamp with (`timestamptz`, Snowflake's LTZ) or without zone (NTZ). A zoned column takes a text without
 * zone as UTC, the zone of streamed rows; a column without zone keeps the wall clock and drops the zone.
 * Integers are refused: Snowflake guesses their unit and shifts them by the account's zone.
 */
export function timestampCheck(zoned: boolean, column: string): Check {
  return (value) => {
    if (typeof value !== 'string') throw notA('Timestamp', value, column)
    return isCanonical(value, zoned) ? value : convert(value, zoned, column)
  }
}

function convert(text: string, zoned: boolean, column: string): string {
  const match = TIMESTAMP.exec(text)
  if (match === null) throw notA('Timestamp', text, column)
  const [, year = '', month = '', day = '', hour = '00', minute = '00', second = '00'] = match
  const fraction = (match[7] ?? '').slice(0, MICROSECONDS)
  const isClock = Number(hour) < 24 && Number(minute) < 60 && Number(second) < 60
  if (!isClock || !isDay(Number(year), Number(month), Number(day)))
    throw notA('Timestamp', text, column)
  const wall = `${year}-${month}-${day}T${hour}:${minute}:${second}`
  if (!zoned) return wall + fraction
  const offset = offsetMinutes(match[8] ?? 'Z')
  if (offset === 0) return `${wall}${fraction}Z`
  const shifted = new Date(Date.parse(`${wall}Z`) - offset * 60_000)
  const shiftedYear = shifted.getUTCFullYear()
  if (offset > 900 || offset < -900 || shiftedYear < 1 || shiftedYear > 9_999)
    throw notA('Timestamp', text, column)
  return `${shifted.toISOString().slice(0, 19)}${fraction}Z`
}

function offsetMinutes(zone: string): number {
  if (zone === 'Z') return 0
  const digits = zone.slice(1).replace(':', '').padEnd(4, '0')
  const minutes = Number(digits.slice(0, 2)) * 60 + Number(digits.slice(2))
  return zone.startsWith('-') ? -minutes : minutes
}

/** `YYYY-MM-DD`; a timestamp's text is cut to its date. Integers are refused. */
export function dateCheck(column: string): Check {
  return (value) => {
    if (typeof value !== 'string') throw notA('Date', value, column)
    const [, year, month, day] = DATE.exec(value) ?? []
    if (year === undefined) return convert(value, false, column).slice(0, 10)
    if (!isDay(Number(year), Number(month), Number(day))) throw notA('Date', value, column)
    return value
  }
}

/** `HH:MM:SS[.f]` without a zone; digits beyond microseconds are cut. */
export function timeCheck(column: string): Check {
  return (value) => {
    if (typeof value !== 'string') throw notA('Time', value, column)
    const [, hour, minute, second, fraction = ''] = TIME.exec(value) ?? []
    const isClock = Number(hour) < 24 && Number(minute) < 60 && Number(second) < 60
    if (hour === undefined || !isClock) throw notA('Time', value, column)
    return fraction.length <= MICROSECONDS
      ? value
      : `${hour}:${minute}:${second}${fraction.slice(0, MICROSECONDS)}`
  }
}
