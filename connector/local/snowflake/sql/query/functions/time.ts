// Dates and times. What is a day long or longer goes by the wall clock of the session's time zone.
import { unsupported } from '../../../errors.ts'
import { sqlString } from '../../tokens.ts'
import { cast, offsetMinutes, tzLocal, tzOf, wallClock } from '../casts.ts'
import {
  DATE,
  fixed,
  isTimestamp,
  LTZ,
  NTZ,
  TEXT,
  TIME,
  TZ,
  type SqlType,
  type Typed,
  commonType,
} from '../sql-types.ts'
import { engineFormat } from './date-format.ts'
import { CALENDAR_PARTS, CLOCK_PARTS, datePart } from './date-parts.ts'
import {
  type CallInput,
  coerce,
  constantText,
  define,
  type FunctionDefinition,
  moment,
} from './definition.ts'

const INT = fixed()

const special = (
  min: number,
  max: number,
  build: (input: CallInput) => Typed,
): FunctionDefinition => ({ min, max, build })

const at = (input: CallInput, index: number): Typed => {
  const value = input.args[index]
  if (value === undefined) throw unsupported(`${input.name} of ${input.args.length} arguments`)
  return value
}

const INTERVALS: Readonly<Record<string, (n: string) => string>> = {
  year: (n) => `to_years(CAST(${n} AS INTEGER))`,
  quarter: (n) => `to_months(CAST(${n} * 3 AS INTEGER))`,
  month: (n) => `to_months(CAST(${n} AS INTEGER))`,
  week: (n) => `to_days(CAST(${n} * 7 AS INTEGER))`,
  day: (n) => `to_days(CAST(${n} AS INTEGER))`,
  hour: (n) => `to_hours(CAST(${n} AS BIGINT))`,
  minute: (n) => `to_minutes(CAST(${n} AS BIGINT))`,
  second: (n) => `to_seconds(CAST(${n} AS BIGINT))`,
  millisecond: (n) => `to_microseconds(CAST(${n} * 1000 AS BIGINT))`,
  microsecond: (n) => `to_microseconds(CAST(${n} AS BIGINT))`,
}

/** A moment some parts later, in the type that Snowflake gives it. */
export function addParts(value: Typed, part: string, count: string, zone: string): Typed {
  const interval = INTERVALS[part]?.(count)
  if (interval === undefined) throw unsupported(`adding the date part ${part}`)
  const { sql, type } = value
  const byCalendar = CALENDAR_PARTS.has(part)
  if (type.kind === 'date')
    return byCalendar
      ? { sql: `CAST(${sql} + ${interval} AS DATE)`, type: DATE }
      : { sql: `(CAST(${sql} AS TIMESTAMP) + ${interval})`, type: NTZ }
  if (type.kind === 'time' && byCalendar)
    throw unsupported(`adding the date part ${part} to a TIME`)
  if (type.kind === 'ltz' && byCalendar)
    return {
      sql: `((${wallClock(value, { zone })} + ${interval}) AT TIME ZONE ${sqlString(zone)})`,
      type,
    }
  if (type.kind === 'tz')
    return {
      sql: tzOf(
        `((${tzLocal(sql)} + ${interval} - to_minutes(${sql}.o)) AT TIME ZONE 'UTC')`,
        `${sql}.o`,
      ),
      type,
    }
  return { sql: `(${sql} + ${interval})`, type }
}

function dateAdd(input: CallInput): Typed {
  const part = datePart(constantText(input, 0))
  const count = coerce(at(input, 1), 'int', input.zone).sql
  return addParts(moment(at(input, 2), input.zone), part, `CAST(${count} AS HUGEINT)`, input.zone)
}

/** Two moments as what the wall clock shows, in one engine type. */
function wallClocks(a: Typed, b: Typed, zone: string): readonly [string, string] {
  const [left, right] = [moment(a, zone), moment(b, zone)]
  const type = commonType(left.type, right.type)
  const both = [cast(left, type, { zone }), cast(right, type, { zone })].map((value) =>
    value.type.kind === 'time' ? `(DATE '1970-01-01' + ${value.sql})` : wallClock(value, { zone }),
  )
  return [both[0] ?? '', both[1] ?? '']
}

export function difference(part: string, a: Typed, b: Typed, zone: string): Typed {
  if (!CALENDAR_PARTS.has(part) && !CLOCK_PARTS.has(part))
    throw unsupported(`DATEDIFF in the date part ${part}`)
  const [from, to] = wallClocks(a, b, zone)
  // The engine counts whole weeks, Snowflake how often one begins.
  if (part === 'week')
    return {
      sql: `(date_diff('day', date_trunc('week', ${from}), date_trunc('week', ${to})) // 7)`,
      type: INT,
    }
  return { sql: `date_diff(${sqlString(part)}, ${from}, ${to})`, type: INT }
}

function dateTrunc(input: CallInput): Typed {
  // Both orders are known: DATE_TRUNC('day', x) and TRUNC(x, 'day').
  const part = datePart(constantText(input, 0))
  if (!CALENDAR_PARTS.has(part) && !CLOCK_PARTS.has(part))
    throw unsupported(`DATE_TRUNC to the date part ${part}`)
  const value = moment(at(input, 1), input.zone)
  const { zone } = input
  const truncated = (sql: string): string => `date_trunc(${sqlString(part)}, ${sql})`
  const { kind } = value.type
  if (kind === 'date')
    return {
      sql: CALENDAR_PARTS.has(part) ? `CAST(${truncated(value.sql)} AS DATE)` : value.sql,
      type: DATE,
    }
  if (kind === 'time')
    return { sql: `CAST(${truncated(`(DATE '1970-01-01' + ${value.sql})`)} AS TIME)`, type: TIME }
  if (kind === 'ltz')
    return {
      sql: `(${truncated(wallClock(value, { zone }))} AT TIME ZONE ${sqlString(zone)})`,
      type: LTZ,
    }
  if (kind !== 'tz') return { sql: truncated(value.sql), type: NTZ }
  const instant = `((${truncated(tzLocal(value.sql))} - to_minutes(${value.sql}.o)) AT TIME ZONE 'UTC')`
  return { sql: tzOf(instant, `${value.sql}.o`), type: TZ }
}

const EXTRACTS: Readonly<Record<string, (local: string) => string>> = {
  week: (local) => `date_part('week', ${local})`,
  weekiso: (local) => `date_part('week', ${local})`,
  yearofweek: (local) => `date_part('isoyear', ${local})`,
  yearofweekiso: (local) => `date_part('isoyear', ${local})`,
  nanosecond: (local) => `date_part('microseconds', ${local}) % 1000000 * 1000`,
}

function extract(part: string, arg: Typed, zone: string): Typed {
  const value = moment(arg, zone)
  if (part.startsWith('epoch_')) {
    const instant =
      value.type.kind === 'time' ? value : cast(value, isZoned(value.type) ? LTZ : NTZ, { zone })
    const micros = `epoch_us(${instant.sql})`
    const divisor = { epoch_second: 1_000_000, epoch_millisecond: 1_000, epoch_microsecond: 1 }[
      part
    ]
    return { sql: `CAST(floor(${micros} / ${divisor}) AS BIGINT)`, type: INT }
  }
  const local =
    value.type.kind === 'time' ? `(DATE '1970-01-01' + ${value.sql})` : wallClock(value, { zone })
  if (part === 'millisecond' || part === 'microsecond')
    throw unsupported(`extracting the date part ${part}`)
  return { sql: EXTRACTS[part]?.(local) ?? `date_part(${sqlString(part)}, ${local})`, type: INT }
}

const isZoned = ({ kind }: SqlType): boolean => kind === 'ltz' || kind === 'tz'

const part = (name: string): FunctionDefinition =>
  special(1, 1, (input) => extract(name, at(input, 0), input.zone))

/** TO_DATE, TO_TIMESTAMP, …: a value, a text with its format, or a number with its scale. */
function converter(type: SqlType, tolerant: boolean): FunctionDefinition {
  return special(1, 2, (input) => {
    const value = at(input, 0)
    const { zone } = input
    if (input.args.length === 1) return cast(value, type, { zone, tolerant })
    if (value.type.kind !== 'text') return scaledNumber(input, value, type)
    const format = constantText(input, 1)
    if (format.toUpperCase() === 'AUTO') return cast(value, type, { zone, tolerant })
    const parse = tolerant ? 'try_strptime' : 'strptime'
    return cast(
      { sql: `${parse}(${value.sql}, ${sqlString(engineFormat(format))})`, type: NTZ },
      type,
      { zone },
    )
  })
}

function scaledNumber({ expressions, name, zone }: CallInput, value: Typed, type: SqlType): Typed {
  const scale = expressions[1]
  if (value.type.kind !== 'fixed' || scale?.kind !== 'number' || !/^[0369]$/.test(scale.text))
    throw unsupported(`${name} of ${value.type.kind} with this scale`)
  const micros =
    scale.text === '9' ? `${value.sql} // 1000` : `${value.sql} * ${10 ** (6 - Number(scale.text))}`
  const instant: Typed = {
    sql: `(make_timestamp(CAST(${micros} AS BIGINT)) AT TIME ZONE 'UTC')`,
    type: LTZ,
  }
  return type.kind === 'ntz'
    ? { sql: `make_timestamp(CAST(${micros} AS BIGINT))`, type: NTZ }
    : cast(instant, type, { zone })
}

/** TO_CHAR of dates and times; numbers have no formats here. */
export function toChar(input: CallInput): Typed {
  const value = at(input, 0)
  const { zone } = input
  if (input.args.length === 1) return cast(value, TEXT, { zone })
  const format = constantText(input, 1)
  if (value.type.kind === 'binary' && format.toUpperCase() === 'HEX')
    return cast(value, TEXT, { zone })
  if (!isTimestamp(value.type) && value.type.kind !== 'date' && value.type.kind !== 'time')
    throw unsupported(`${input.name} of a ${value.type.kind} with a format`)
  const local =
    value.type.kind === 'time' ? `(DATE '1970-01-01' + ${value.sql})` : wallClock(value, { zone })
  const zoned = /\s?(?:TZH:?TZM)$/i.exec(format)
  if (zoned === null)
    return { sql: `strftime(${local}, ${sqlString(engineFormat(format))})`, type: TEXT }
  const minutes =
    value.type.kind === 'tz'
      ? `${value.sql}.o`
      : value.type.kind === 'ltz'
        ? offsetMinutes(value.sql, zone)
        : '0'
  const lead = zoned[0].startsWith(' ') ? ' ' : ''
  const colon = zoned[0].includes(':') ? ':' : ''
  const offset = `printf('${lead}%s%02d${colon}%02d', CASE WHEN ${minutes} < 0 THEN '-' ELSE '+' END, abs(${minutes}) // 60, abs(${minutes}) % 60)`
  return {
    sql: `(strftime(${local}, ${sqlString(engineFormat(format.slice(0, zoned.index)))}) || ${offset})`,
    type: TEXT,
  }
}

function convertTimezone(input: CallInput): Typed {
  const zones = input.args.slice(0, -1).map((arg) => coerce(arg, 'text', input.zone).sql)
  const value = input.args.at(-1)
  const [first = '', second] = zones
  if (value === undefined) throw unsupported('CONVERT_TIMEZONE without arguments')
  if (second !== undefined) {
    const local = coerce(value, 'ntz', input.zone).sql
    return { sql: `((${local} AT TIME ZONE ${first}) AT TIME ZONE ${second})`, type: NTZ }
  }
  const instant = cast(moment(value, input.zone), LTZ, { zone: input.zone }).sql
  const minutes = `date_diff('minute', ${instant} AT TIME ZONE 'UTC', ${instant} AT TIME ZONE ${first})`
  return { sql: tzOf(instant, minutes), type: TZ }
}

function lastDay(input: CallInput): Typed {
  const unit = input.args.length > 1 ? datePart(constantText(input, 1)) : 'month'
  if (!['year', 'quarter', 'month', 'week'].includes(unit))
    throw unsupported(`LAST_DAY of the date part ${unit}`)
  const day = coerce(moment(at(input, 0), input.zone), 'date', input.zone).sql
  return {
    sql: `CAST(date_trunc(${sqlString(unit)}, ${day}) + ${INTERVALS[unit]?.('1') ?? ''} - to_days(1) AS DATE)`,
    type: DATE,
  }
}

const WEEKDAYS = ['su', 'mo', 'tu', 'we', 'th', 'fr', 'sa']

const otherDay = (direction: 1 | -1): FunctionDefinition =>
  special(2, 2, (input) => {
    const wanted = WEEKDAYS.indexOf(constantText(input, 1).slice(0, 2).toLowerCase())
    if (wanted === -1) throw unsupported(`the day of the week '${constantText(input, 1)}'`)
    const day = coerce(moment(at(input, 0), input.zone), 'date', input.zone).sql
    const distance =
      direction === 1
        ? `(${wanted} - dayofweek(${day}) + 6) % 7 + 1`
        : `(dayofweek(${day}) - ${wanted} + 6) % 7 + 1`
    return {
      sql: `CAST(${day} ${direction === 1 ? '+' : '-'} to_days(CAST(${distance} AS INTEGER)) AS DATE)`,
      type: DATE,
    }
  })

const adding = special(3, 3, dateAdd)
const differing = special(3, 3, (input) =>
  difference(datePart(constantText(input, 0)), at(input, 1), at(input, 2), input.zone),
)
const nowAs = (type: SqlType): FunctionDefinition =>
  special(0, 1, ({ nowMs, zone }) =>
    cast({ sql: `CAST('${new Date(nowMs).toISOString()}' AS TIMESTAMPTZ)`, type: LTZ }, type, {
      zone,
    }),
  )
const utcNow = special(0, 0, ({ nowMs }) => ({
  sql: `CAST('${new Date(nowMs).toISOString().slice(0, -1)}' AS TIMESTAMP)`,
  type: NTZ,
}))
const timeSlice = special(3, 4, (input) => {
  const value = moment(at(input, 0), input.zone)
  const unit = INTERVALS[datePart(constantText(input, 2))]
  if (value.type.kind !== 'ntz' || unit === undefined || input.args.length > 3)
    throw unsupported('TIME_SLICE of anything but a TIMESTAMP_NTZ, or with START or END')
  return {
    sql: `time_bucket(${unit(coerce(at(input, 1), 'int', input.zone).sql)}, ${value.sql}, TIMESTAMP '1970-01-01')`,
    type: NTZ,
  }
})

/** Parts outside their ranges, such as month 13 or minute -1, count on from the others. */
const dayOf = ([y, m, d]: readonly string[]): string =>
  `make_date(CAST(${y} AS BIGINT), 1, 1) + to_months(CAST(${m} - 1 AS INTEGER)) + to_days(CAST(${d} - 1 AS INTEGER))`
const sinceMidnight = ([h, m, s]: readonly string[]): string =>
  `to_hours(CAST(${h} AS BIGINT)) + to_minutes(CAST(${m} AS BIGINT)) + to_seconds(CAST(${s} AS BIGINT))`
const timestampFromParts = define(
  'int int int int int int',
  NTZ,
  (...parts) => `(${dayOf(parts)} + ${sinceMidnight(parts.slice(3))})`,
)

export const TIMES: Readonly<Record<string, FunctionDefinition>> = {
  ADD_MONTHS: special(2, 2, (input) => {
    const value = moment(at(input, 0), input.zone)
    const n = coerce(at(input, 1), 'int', input.zone).sql
    const moved = addParts(value, 'month', n, input.zone)
    // The last day of a month stays the last day.
    const day = coerce(value, 'date', input.zone).sql
    if (value.type.kind !== 'date') throw unsupported('ADD_MONTHS of anything but a DATE')
    return {
      sql: `CASE WHEN ${day} = last_day(${day}) THEN last_day(${moved.sql}) ELSE ${moved.sql} END`,
      type: DATE,
    }
  }),
  CONVERT_TIMEZONE: special(2, 3, convertTimezone),
  CURRENT_DATE: nowAs(DATE),
  CURRENT_TIME: nowAs(TIME),
  CURRENT_TIMESTAMP: nowAs(LTZ),
  DATE: converter(DATE, false),
  DATEADD: adding,
  DATEDIFF: differing,
  DATE_FROM_PARTS: define('int int int', DATE, (...parts) => `CAST(${dayOf(parts)} AS DATE)`),
  DATE_PART: special(2, 2, (input) =>
    extract(datePart(constantText(input, 0)), at(input, 1), input.zone),
  ),
  DATE_TRUNC: special(2, 2, dateTrunc),
  DAY: part('day'),
  DAYNAME: define('date', TEXT, (d) => `strftime(${d}, '%a')`),
  DAYOFMONTH: part('day'),
  DAYOFWEEK: part('dayofweek'),
  DAYOFWEEKISO: part('isodow'),
  DAYOFYEAR: part('doy'),
  EXTRACT: special(2, 2, (input) =>
    extract(datePart(constantText(input, 0)), at(input, 1), input.zone),
  ),
  GETDATE: nowAs(LTZ),
  HOUR: part('hour'),
  LAST_DAY: special(1, 2, lastDay),
  LOCALTIMESTAMP: nowAs(LTZ),
  MINUTE: part('minute'),
  MONTH: part('month'),
  MONTHNAME: define('date', TEXT, (d) => `strftime(${d}, '%b')`),
  NEXT_DAY: otherDay(1),
  PREVIOUS_DAY: otherDay(-1),
  QUARTER: part('quarter'),
  SECOND: part('second'),
  SYSDATE: utcNow,
  SYSTIMESTAMP: nowAs(LTZ),
  TIMEADD: adding,
  TIMEDIFF: differing,
  TIMESTAMPADD: adding,
  TIMESTAMPDIFF: differing,
  TIMESTAMP_FROM_PARTS: timestampFromParts,
  TIMESTAMP_NTZ_FROM_PARTS: timestampFromParts,
  TIME_FROM_PARTS: define(
    'int int int',
    TIME,
    (...parts) => `(TIME '00:00:00' + ${sinceMidnight(parts)})`,
  ),
  TIME_SLICE: timeSlice,
  TO_DATE: converter(DATE, false),
  TO_TIME: converter(TIME, false),
  TO_TIMESTAMP: converter(NTZ, false),
  TO_TIMESTAMP_LTZ: converter(LTZ, false),
  TO_TIMESTAMP_NTZ: converter(NTZ, false),
  TO_TIMESTAMP_TZ: converter(TZ, false),
  TRY_TO_DATE: converter(DATE, true),
  TRY_TO_TIME: converter(TIME, true),
  TRY_TO_TIMESTAMP: converter(NTZ, true),
  TRY_TO_TIMESTAMP_LTZ: converter(LTZ, true),
  TRY_TO_TIMESTAMP_NTZ: converter(NTZ, true),
  WEEK: part('week'),
  WEEKISO: part('weekiso'),
  WEEKOFYEAR: part('week'),
  YEAR: part('year'),
  YEAROFWEEK: part('yearofweek'),
}
