const DAY_S = 86_400
const ZONE = 'America/New_York'
const LOCAL = new Intl.DateTimeFormat('en-US', {
  timeZone: ZONE,
  year: 'numeric',
  month: '2-digit',
  day: '2-digit',
  hour: '2-digit',
  weekday: 'short',
  hourCycle: 'h23',
})

export type DayKind = 'weekday' | 'saturday' | 'sunday'

/** One day of service in New York, as GTFS counts it: its times start at noon minus twelve hours. */
export interface ServiceDay {
  /** `YYYYMMDD`, as in `start_date`. */
  readonly date: string
  /** Unix seconds of time 00:00:00 of this day. */
  readonly start: number
  readonly kind: DayKind
}

/** Yesterday's, today's and tomorrow's service day of an instant in Unix seconds: trips of all three may show. */
export function serviceDaysAround(time: number): readonly ServiceDay[] {
  return [time - DAY_S, time, time + DAY_S].map(serviceDayOf)
}

const HOURS_KEPT = 500
const byHour = new Map<number, ServiceDay>()

/** The service day whose calendar date it is in New York at `time` (Unix seconds). */
export function serviceDayOf(time: number): ServiceDay {
  // New York's days begin at a full hour of UTC, and asking Intl for each bus takes longer than all the rest.
  const hour = Math.floor(time / 3600)
  const known = byHour.get(hour)
  if (known !== undefined) return known
  if (byHour.size >= HOURS_KEPT) byHour.clear()
  const day = dayAt(time)
  byHour.set(hour, day)
  return day
}

function dayAt(time: number): ServiceDay {
  const { year, month, day } = local(time)
  // Noon in New York is 16:00 or 17:00 UTC; asking what 17:00 is there tells which.
  const guess = Date.UTC(year, month - 1, day, 17) / 1000
  const { hour, weekday } = local(guess)
  return {
    date: `${year}${pad2(month)}${pad2(day)}`,
    start: guess - hour * 3600,
    kind: weekday === 'Sat' ? 'saturday' : weekday === 'Sun' ? 'sunday' : 'weekday',
  }
}

/** `HH:MM:SS` of a time in seconds after the service day's start; hours may pass 24, as GTFS has it. */
export function clockText(secondOfDay: number): string {
  const s = Math.floor(secondOfDay)
  return `${pad2(Math.floor(s / 3600))}:${pad2(Math.floor(s / 60) % 60)}:${pad2(s % 60)}`
}

/** `06/10/2026 08:25:00 AM` in New York, as the feed of elevators has it. */
export function localDateTime(time: number): string {
  const [date = '', clock = ''] = localIso(time).split('T')
  const [year, month, day] = date.split('-')
  const hour = Number(clock.slice(0, 2))
  const half = hour < 12 ? 'AM' : 'PM'
  return `${month}/${day}/${year} ${pad2(hour % 12 === 0 ? 12 : hour % 12)}${clock.slice(2, 8)} ${half}`
}

/** `2026-06-10T08:25:00.000-04:00` in New York, as SIRI has it. */
export function localIso(time: number): string {
  const offsetH = offsetHours(time)
  const shown = new Date((time + offsetH * 3600) * 1000).toISOString().slice(0, -1)
  return `${shown}${offsetH < 0 ? '-' : '+'}${pad2(Math.abs(offsetH))}:00`
}

const offsetByHour = new Map<number, number>()

/** New York's distance from UTC; it changes at full hours only. */
function offsetHours(time: number): number {
  const hourOfUtc = Math.floor(time / 3600)
  const known = offsetByHour.get(hourOfUtc)
  if (known !== undefined) return known
  const { year, month, day, hour } = local(time)
  const offset = Date.UTC(year, month - 1, day, hour) / 3_600_000 - hourOfUtc
  if (offsetByHour.size >= HOURS_KEPT) offsetByHour.clear()
  offsetByHour.set(hourOfUtc, offset)
  return offset
}

function local(time: number): Record<'year' | 'month' | 'day' | 'hour', number> & {
  weekday: string
} {
  const parts = new Map(
    LOCAL.formatToParts(new Date(time * 1000)).map((part) => [part.type, part.value]),
  )
  const number = (type: Intl.DateTimeFormatPartTypes): number => Number(parts.get(type))
  return {
    year: number('year'),
    month: number('month'),
    day: number('day'),
    hour: number('hour'),
    weekday: parts.get('weekday') ?? '',
  }
}

function pad2(value: number): string {
  return String(value).padStart(2, '0')
}
