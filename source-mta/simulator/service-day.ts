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

/** The service day whose calendar date it is in New York at `time` (Unix seconds). */
export function serviceDayOf(time: number): ServiceDay {
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
