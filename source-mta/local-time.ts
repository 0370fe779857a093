// Days and times of the clock on the wall.
const DAY_MS = 86_400_000
const MINUTE_MS = 60_000

const formats = new Map<string, Intl.DateTimeFormat>()

/** `hourCycle` h23: midnight is 00. */
function formatOf(timeZone: string): Intl.DateTimeFormat {
  let format = formats.get(timeZone)
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
    })
    formats.set(timeZone, format)
  }
  return format
}

/** Whether Node knows the IANA zone. */
export function isTimeZone(timeZone: string): boolean {
  try {
    formatOf(timeZone)
    return true
  } catch {
    return false // RangeError: that is the answer.
  }
}

/** What the clock on the wall shows, as if it were UTC: milliseconds, cut to the second. */
export function wallClock(ms: number, timeZone: string): number {
  const parts = new Map<string, number>(
    formatOf(timeZone)
      .formatToParts(new Date(ms))
      .map(({ type, value }): [string, number] => [type, Number(value)]),
  )
  const part = (type: string): number => parts.get(type) ?? 0
  return Date.UTC(
    part('year'),
    part('month') - 1,
    part('day'),
    part('hour'),
    part('minute'),
    part('second'),
  )
}

/** The day there, as midnight UTC of that date: what Connect's Date wants. */
export function localDate(ms: number, timeZone: string): Date {
  const wall = wallClock(ms, timeZone)
  return new Date(wall - (((wall % DAY_MS) + DAY_MS) % DAY_MS))
}

const digits = (n: number): string => String(n).padStart(2, '0')

const QUARTER_MS = 900_000
const OFFSETS_MAX = 1_000
const offsets = new Map<string, number>()

/** Minutes; zones change theirs at quarters of an hour only, so that each is looked up once. */
function offsetMinutes(ms: number, timeZone: string): number {
  const quarter = Math.floor(ms / QUARTER_MS)
  const key = `${timeZone}|${quarter}`
  const known = offsets.get(key)
  if (known !== undefined) return known
  const start = quarter * QUARTER_MS
  const offset = Math.round((wallClock(start, timeZone) - start) / MINUTE_MS)
  if (offsets.size >= OFFSETS_MAX) offsets.clear()
  offsets.set(key, offset)
  return offset
}

/** ISO 8601 with the offset of that instant: `2024-02-08T07:59:15-05:00`. */
export function localIso(ms: number, timeZone: string): string {
  const second = Math.floor(ms / 1_000) * 1_000
  const offset = offsetMinutes(second, timeZone)
  const wall = second + offset * MINUTE_MS
  const size = Math.abs(offset)
  const sign = offset < 0 ? '-' : '+'
  const zone = `${sign}${digits(Math.floor(size / 60))}:${digits(size % 60)}`
  return `${new Date(wall).toISOString().slice(0, 19)}${zone}`
}

/**
 * The instant at which the clock there showed `wallMs` (as `wallClock` gives it). Of an hour that comes twice
 * the first; of one that never comes the instant as far after the gap.
 */
export function instantOf(wallMs: number, timeZone: string): number {
  const before = wallMs - (wallClock(wallMs - DAY_MS, timeZone) - (wallMs - DAY_MS))
  const after = wallMs - (wallClock(wallMs + DAY_MS, timeZone) - (wallMs + DAY_MS))
  const isBefore = wallClock(before, timeZone) === wallMs
  return isBefore || wallClock(after, timeZone) !== wallMs ? before : after
}
