import { unsupported } from '../../../errors.ts'

const PARTS: Readonly<Record<string, string>> = {
  year: 'YEAR Y YY YYY YYYY YR YEARS YRS',
  quarter: 'QUARTER Q QTR QTRS QUARTERS',
  month: 'MONTH MM MON MONS MONTHS',
  week: 'WEEK W WK WEEKOFYEAR WOY WY WEEKS',
  day: 'DAY D DD DAYS DAYOFMONTH',
  hour: 'HOUR H HH HR HOURS HRS',
  minute: 'MINUTE M MI MIN MINUTES MINS',
  second: 'SECOND S SEC SECONDS SECS',
  millisecond: 'MILLISECOND MS MSEC MILLISECONDS',
  microsecond: 'MICROSECOND US USEC MICROSECONDS',
  dayofweek: 'DAYOFWEEK WEEKDAY DOW DW',
  isodow: 'DAYOFWEEKISO WEEKDAY_ISO DOW_ISO DW_ISO',
  doy: 'DAYOFYEAR YEARDAY DOY DY',
  weekiso: 'WEEKISO WEEK_ISO WEEKOFYEARISO WEEKOFYEAR_ISO',
  yearofweek: 'YEAROFWEEK',
  yearofweekiso: 'YEAROFWEEKISO',
  epoch_second: 'EPOCH_SECOND EPOCH EPOCH_SECONDS',
  epoch_millisecond: 'EPOCH_MILLISECOND EPOCH_MILLISECONDS',
  epoch_microsecond: 'EPOCH_MICROSECOND EPOCH_MICROSECONDS',
  nanosecond: 'NANOSECOND NS NSEC NANOSEC NSECOND NANOSECONDS',
}

const BY_NAME: ReadonlyMap<string, string> = new Map(
  Object.entries(PARTS).flatMap(([part, names]) =>
    names.split(' ').map((name) => [name, part] as const),
  ),
)

/** The part that a name means, e.g. `mm` → `month`. @throws SqlError 000002 */
export function datePart(text: string): string {
  const part = BY_NAME.get(text.toUpperCase())
  if (part === undefined) throw unsupported(`date part ${text}`)
  return part
}

/** Parts that are at least a day long: they are added to a wall clock, shorter ones to an instant. */
export const CALENDAR_PARTS: ReadonlySet<string> = new Set([
  'year',
  'quarter',
  'month',
  'week',
  'day',
])
export const CLOCK_PARTS: ReadonlySet<string> = new Set([
  'hour',
  'minute',
  'second',
  'millisecond',
  'microsecond',
])
