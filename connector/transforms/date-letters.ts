// The letters of SimpleDateFormat: how each is written, and how it is read.

const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
]
const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']
const DAY_MS = 86_400_000

const padded = (value: number, count: number): string => String(value).padStart(count, '0')
const named = (names: readonly string[], index: number, count: number): string => {
  const name = names[index] ?? ''
  return count >= 4 ? name : name.slice(0, 3)
}
const year = (value: number, count: number): string =>
  count === 2 ? padded(value % 100, 2) : padded(value, count)
/** Midnight of a day; unlike `Date.UTC`, also in the years 0 to 99. */
const midnight = (ofYear: number, ofMonth: number): number =>
  new Date(0).setUTCFullYear(ofYear, ofMonth, 1)
const dayOfYear = (date: Date): number =>
  Math.floor((date.getTime() - midnight(date.getUTCFullYear(), 0)) / DAY_MS) + 1
const month = (date: Date, count: number): string =>
  count >= 3 ? named(MONTHS, date.getUTCMonth(), count) : padded(date.getUTCMonth() + 1, count)

/** Weeks of the United States, as Java's English locale has them: from Sunday, the first is that of 1 January. */
function weekOf(date: Date): { readonly year: number; readonly week: number } {
  const thisYear = date.getUTCFullYear()
  const nextStart = weekStart(thisYear + 1)
  if (date.getTime() >= nextStart) return { year: thisYear + 1, week: 1 }
  const week = Math.floor((date.getTime() - weekStart(thisYear)) / (7 * DAY_MS)) + 1
  return { year: thisYear, week }
}
const weekStart = (ofYear: number): number => {
  const first = midnight(ofYear, 0)
  return first - new Date(first).getUTCDay() * DAY_MS
}
const weekOfMonth = (date: Date): number => {
  const first = new Date(midnight(date.getUTCFullYear(), date.getUTCMonth())).getUTCDay()
  return Math.floor((date.getUTCDate() - 1 + first) / 7) + 1
}

/** Writes a date for a letter that stands `count` times. */
export const FORMATTERS: Readonly<Record<string, (date: Date, count: number) => string>> = {
  G: (date) => (date.getUTCFullYear() > 0 ? 'AD' : 'BC'),
  y: (date, count) => year(date.getUTCFullYear(), count),
  Y: (date, count) => year(weekOf(date).year, count),
  M: month,
  L: month,
  w: (date, count) => padded(weekOf(date).week, count),
  W: (date, count) => padded(weekOfMonth(date), count),
  D: (date, count) => padded(dayOfYear(date), count),
  d: (date, count) => padded(date.getUTCDate(), count),
  F: (date, count) => padded(Math.floor((date.getUTCDate() - 1) / 7) + 1, count),
  E: (date, count) => named(DAYS, date.getUTCDay(), count),
  u: (date, count) => padded(date.getUTCDay() || 7, count),
  a: (date) => (date.getUTCHours() < 12 ? 'AM' : 'PM'),
  H: (date, count) => padded(date.getUTCHours(), count),
  k: (date, count) => padded(date.getUTCHours() || 24, count),
  K: (date, count) => padded(date.getUTCHours() % 12, count),
  h: (date, count) => padded(date.getUTCHours() % 12 || 12, count),
  m: (date, count) => padded(date.getUTCMinutes(), count),
  s: (date, count) => padded(date.getUTCSeconds(), count),
  S: (date, count) => padded(date.getUTCMilliseconds(), count),
  z: (_date, count) => (count >= 4 ? 'Coordinated Universal Time' : 'UTC'),
  Z: () => '+0000',
  X: () => 'Z',
}

/** Whether the letter stands for digits. */
export const isNumericLetter = (letter: string, count: number): boolean =>
  'yYwWDdFuHkKhmsS'.includes(letter) || ('ML'.includes(letter) && count < 3)

/** What was read so far. */
export interface DateParts {
  year?: number
  /** From 0. */
  month?: number
  day?: number
  dayOfYear?: number
  hour?: number
  hour12?: number
  isPm?: boolean
  minute?: number
  second?: number
  ms?: number
  offsetMinutes?: number
  isBc?: boolean
}

interface Reading {
  readonly text: string
  readonly count: number
  readonly isAbutting: boolean
  readonly nowMs: number
  readonly parts: DateParts
}

/** Reads one letter's text into the parts; its length, or undefined when it does not match. */
type Parser = (reading: Reading) => number | undefined

const number =
  (store: (parts: DateParts, value: number) => void): Parser =>
  ({ text, count, isAbutting, parts }) => {
    const blanks = /^[ \t]*/.exec(text)?.[0].length ?? 0
    const pattern = isAbutting ? new RegExp(`^\\d{1,${count}}`) : /^-?\d{1,15}/
    const digits = pattern.exec(text.slice(blanks))?.[0]
    if (digits === undefined) return undefined
    store(parts, Number(digits))
    return blanks + digits.length
  }

const name =
  (names: readonly string[], store: (parts: DateParts, index: number) => void): Parser =>
  ({ text, parts }) => {
    const lower = text.toLowerCase()
    for (const length of [undefined, 3]) {
      const index = names.findIndex((item) => lower.startsWith(item.slice(0, length).toLowerCase()))
      if (index < 0) continue
      store(parts, index)
      return names[index]?.slice(0, length).length
    }
    return undefined
  }

const monthNumber = number((parts, value) => {
  parts.month = value - 1
})
const monthName = name(MONTHS, (parts, index) => {
  parts.month = index
})
const monthParser: Parser = (reading) =>
  reading.count >= 3 ? monthName(reading) : monthNumber(reading)

const yearParser: Parser = (reading) => {
  const length = number((parts, value) => {
    parts.year = value
  })(reading)
  const { parts, text, count, nowMs } = reading
  const isTwoDigits = length !== undefined && /^\d{2}$/.test(text.slice(0, length).trim())
  if (count <= 2 && isTwoDigits && parts.year !== undefined) {
    const earliest = new Date(nowMs).getUTCFullYear() - 80
    const century = earliest - (earliest % 100)
    parts.year += parts.year + century < earliest ? century + 100 : century
  }
  return length
}

const zoneParser: Parser = ({ text, parts }) => {
  const match = /^(?:Z|UTC|(?:GMT)?([+-])(\d{1,2}):?(\d{2})?|GMT)/.exec(text)
  if (match === null) return undefined
  const minutes = Number(match[2] ?? 0) * 60 + Number(match[3] ?? 0)
  parts.offsetMinutes = match[1] === '-' ? -minutes : minutes
  return match[0].length
}

/** How letters are read. Weeks are not: Java's own result depends on what else is there. */
export const PARSERS: Readonly<Record<string, Parser>> = {
  G: name(['BC', 'AD'], (parts, index) => {
    parts.isBc = index === 0
  }),
  y: yearParser,
  M: monthParser,
  L: monthParser,
  d: number((parts, value) => {
    parts.day = value
  }),
  D: number((parts, value) => {
    parts.dayOfYear = value
  }),
  E: name(DAYS, () => {}),
  u: number(() => {}),
  a: name(['AM', 'PM'], (parts, index) => {
    parts.isPm = index === 1
  }),
  H: number((parts, value) => {
    parts.hour = value
  }),
  k: number((parts, value) => {
    parts.hour = value === 24 ? 0 : value
  }),
  K: number((parts, value) => {
    parts.hour12 = value
  }),
  h: number((parts, value) => {
    parts.hour12 = value === 12 ? 0 : value
  }),
  m: number((parts, value) => {
    parts.minute = value
  }),
  s: number((parts, value) => {
    parts.second = value
  }),
  S: number((parts, value) => {
    parts.ms = value
  }),
  z: zoneParser,
  Z: zoneParser,
  X: zoneParser,
}

/** The date of the parts; what is missing is that of 1970-01-01T00:00:00Z. */
export function isoDateOf(parts: DateParts): Date {
  const { year: given = 1970, hour12, isPm = false } = parts
  const fullYear = parts.isBc === true ? 1 - given : given
  const hour = parts.hour ?? (hour12 ?? 0) + (isPm && hour12 !== undefined ? 12 : 0)
  const isByDayOfYear = parts.dayOfYear !== undefined && parts.day === undefined
  const day = isByDayOfYear ? (parts.dayOfYear ?? 1) : (parts.day ?? 1)
  const date = new Date(0)
  date.setUTCFullYear(fullYear, isByDayOfYear ? 0 : (parts.month ?? 0), day)
  date.setUTCHours(hour, parts.minute ?? 0, parts.second ?? 0, parts.ms ?? 0)
  return new Date(date.getTime() - (parts.offsetMinutes ?? 0) * 60_000)
}
