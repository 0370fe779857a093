// Moves a recorded body to another time: every timestamp in it, and the dates and times inside its trips.
import {
  ALERT,
  ENTITY,
  HEADER,
  MERCURY_ALERT,
  MESSAGE,
  MODIFIED_TRIP,
  NYCT_HEADER,
  NYCT_TRIP,
  REPLACEMENT_PERIOD,
  SELECTOR,
  STOP_TIME_EVENT,
  STOP_TIME_UPDATE,
  TIME_RANGE,
  TRIP,
  TRIP_PROPERTIES,
  TRIP_UPDATE,
  VEHICLE,
} from './gtfs-realtime-fields.ts'
import { clockText, localDateTime, localIso, serviceDayOf } from './service-day.ts'
import { bytesOf, mapField, mapPath, textOf, tripOf, withFields } from './wire-edit.ts'
import { type FieldAt, joinMessage, nextField, readVarint, splitMessage } from './wire-message.ts'

const DAY_S = 86_400
/** Smaller numbers are no times: some feeds send 0 for none. */
const TIME_MIN = 1_000_000_000
/** NYCT counts hundredths of a minute. */
const HUNDREDTH_S = 0.6
/** Of a time from 1978 to 3058. */
const TIME_BYTES = 5

/** How far a body is moved. */
export interface Shift {
  /** For everything that names an instant; a multiple of 30 keeps NYCT's half minutes exact. */
  readonly seconds: number
  /** For service days that no time of day goes with. */
  readonly days: number
}

/** The shift by so many seconds of what was recorded at `time`: its day becomes the day that it is then. */
export function shiftOf(time: number, seconds: number): Shift {
  const noon = (at: number): number => serviceDayOf(at).start + DAY_S / 2
  return { seconds, days: Math.round((noon(time + seconds) - noon(time)) / DAY_S) }
}

/**
 * A GTFS-realtime body at another time. Trips that say when they begin (NYCT's ids, `start_time`) move by the
 * seconds, their service day with them; others by the days, and so do dates inside LIRR's trip and entity ids.
 * Throws RangeError when the bytes are no FeedMessage.
 */
export function retimeFeed(bytes: Uint8Array, shift: Shift): Uint8Array {
  const timed = bytes.slice()
  moveTimes(timed, { from: 0, end: timed.length }, MESSAGE_TIMES, shift.seconds)
  const { header, entities } = splitMessage(timed)
  return joinMessage({ header, entities: entities.map((entity) => retimeTrips(entity, shift)) })
}

/** Which fields of a message, or of the messages in it, are Unix seconds. */
interface Times {
  readonly [field: number]: true | Times
}

const RANGE_TIMES: Times = { [TIME_RANGE.start]: true, [TIME_RANGE.end]: true }
const EVENT_TIMES: Times = {
  [STOP_TIME_EVENT.time]: true,
  [STOP_TIME_EVENT.scheduledTime]: true,
}
const MESSAGE_TIMES: Times = {
  [MESSAGE.header]: {
    [HEADER.timestamp]: true,
    [HEADER.nyct]: {
      [NYCT_HEADER.replacementPeriod]: { [REPLACEMENT_PERIOD.period]: RANGE_TIMES },
    },
  },
  [MESSAGE.entity]: {
    [ENTITY.tripUpdate]: {
      [TRIP_UPDATE.stopTimeUpdate]: {
        [STOP_TIME_UPDATE.arrival]: EVENT_TIMES,
        [STOP_TIME_UPDATE.departure]: EVENT_TIMES,
      },
      [TRIP_UPDATE.timestamp]: true,
    },
    [ENTITY.vehicle]: { [VEHICLE.timestamp]: true },
    [ENTITY.alert]: {
      [ALERT.activePeriod]: RANGE_TIMES,
      [ALERT.mercury]: { [MERCURY_ALERT.createdAt]: true, [MERCURY_ALERT.updatedAt]: true },
    },
  },
}

/** Times of this and the last decades take five bytes, before and after: they are changed where they are. */
function moveTimes(
  bytes: Uint8Array,
  { from, end }: { readonly from: number; readonly end: number },
  times: Times,
  seconds: number,
): void {
  const field: FieldAt = { number: 0, wireType: 0, from, start: from, end: from }
  while (field.end < end) {
    nextField(bytes, field)
    const kind = times[field.number]
    if (kind === undefined) continue
    if (kind !== true) {
      if (field.wireType === 2)
        moveTimes(bytes, { from: field.start, end: field.end }, kind, seconds)
    } else if (field.wireType === 0 && field.end - field.start === TIME_BYTES) {
      const { value } = readVarint(bytes, field.start)
      if (value >= TIME_MIN) putTime(bytes, field.start, value + seconds)
    }
  }
}

function putTime(bytes: Uint8Array, at: number, time: number): void {
  if (time < 2 ** 28 || time >= 2 ** 35) return
  for (let i = 0, rest = time; i < TIME_BYTES; i++, rest = Math.floor(rest / 128))
    bytes[at + i] = (rest % 128) | (i < TIME_BYTES - 1 ? 0x80 : 0)
}

function retimeTrips(entity: Uint8Array, shift: Shift): Uint8Array {
  const trip = (payload: Uint8Array): Uint8Array => retimeTrip(payload, shift)
  const updated = mapField(entity, ENTITY.tripUpdate, (update) =>
    mapField(mapField(update, TRIP_UPDATE.trip, trip), TRIP_UPDATE.properties, (payload) =>
      retimeStart(payload, TRIP_PROPERTIES, shift),
    ),
  )
  const placed = mapPath(updated, [ENTITY.vehicle, VEHICLE.trip], trip)
  const alerted = mapPath(placed, [ENTITY.alert, ALERT.informedEntity, SELECTOR.trip], trip)
  return retimeEntityId(alerted, entity)
}

/** Entity ids that are made of the trip's id go with it. */
function retimeEntityId(retimed: Uint8Array, original: Uint8Array): Uint8Array {
  const [before, after] = [original, retimed].map((entity) => {
    const trip = tripOf(entity)
    return trip === undefined ? undefined : textOf(trip, TRIP.id)
  })
  const id = textOf(original, ENTITY.id)
  if (!id || !before || after === undefined || before === after || !id.startsWith(before))
    return retimed
  return mapField(retimed, ENTITY.id, () => Buffer.from(after + id.slice(before.length), 'utf8'))
}

function retimeTrip(trip: Uint8Array, shift: Shift): Uint8Array {
  const id = textOf(trip, TRIP.id) ?? ''
  const date = textOf(trip, TRIP.startDate)
  const modified = mapField(trip, TRIP.modified, (payload) =>
    retimeStart(payload, MODIFIED_TRIP, shift),
  )
  const started = retimeStart(modified, TRIP, shift)
  const [, origin, path] = /^(\d{6})(_.*)$/.exec(id) ?? []
  const isNyct = bytesOf(trip, TRIP.nyct) !== undefined
  if (isNyct && date !== undefined && origin !== undefined && path !== undefined) {
    const originS = Number(origin) * HUNDREDTH_S
    const start = movedStart(date, originS, shift)
    const hundredths = String(Math.round(start.seconds / HUNDREDTH_S)).padStart(6, '0')
    const named = withText(
      withText(started, TRIP.id, hundredths + path),
      TRIP.startDate,
      start.date,
    )
    return mapPath(named, [TRIP.nyct, NYCT_TRIP.trainId], (payload) =>
      Buffer.from(
        movedTrainId(Buffer.from(payload).toString('utf8'), Math.round(start.seconds - originS)),
        'utf8',
      ),
    )
  }
  // `6006_2026-06-20`
  const named = id.replace(/\d{4}-\d\d-\d\d/, (day) =>
    dashed(daysLater(day.replaceAll('-', ''), shift.days)),
  )
  return named === id ? started : withText(started, TRIP.id, named)
}

/** Moves a start date, by the seconds when a start time goes with it. */
function retimeStart(
  payload: Uint8Array,
  fields: { readonly startDate: number; readonly startTime: number },
  shift: Shift,
): Uint8Array {
  const date = textOf(payload, fields.startDate)
  const time = textOf(payload, fields.startTime)
  const [h, m, s] = (time ?? '').split(':').map(Number)
  if (date === undefined || !/^\d{8}$/.test(date)) return payload
  if (time === undefined || h === undefined || m === undefined || s === undefined)
    return withText(payload, fields.startDate, daysLater(date, shift.days))
  const start = movedStart(date, h * 3600 + m * 60 + s, shift)
  const dated = withText(payload, fields.startDate, start.date)
  return withText(dated, fields.startTime, clockText(start.seconds))
}

/** A departure after midnight of its service day stays one. */
function movedStart(
  date: string,
  secondOfDay: number,
  shift: Shift,
): { readonly date: string; readonly seconds: number } {
  const overflow = Math.floor(secondOfDay / DAY_S) * DAY_S
  const at = serviceDayOf(noonOf(date)).start + secondOfDay + shift.seconds
  const day = serviceDayOf(at - overflow)
  return { date: day.date, seconds: at - day.start }
}

/** `01 1439+ SFT/238`, `1A 0709+ 207/LEF`: the `+` is half a minute, in the A division in a place of its own. */
function movedTrainId(trainId: string, seconds: number): string {
  const [, train = '', time, mark = '', rest = ''] =
    /^(.{2} )(\d{4})(\+?)(.*)$/s.exec(trainId) ?? []
  if (time === undefined) return trainId
  const origin =
    Number(time.slice(0, 2)) * 3600 + Number(time.slice(2)) * 60 + (mark === '+' ? 30 : 0)
  const second = (((origin + seconds) % DAY_S) + DAY_S) % DAY_S
  const isHalf = second % 60 >= 30
  const text = clockText(second).slice(0, 5).replace(':', '')
  if (train.startsWith('1')) return `${train}${text}${isHalf ? '+' : ''}${rest}`
  return `${train}${text}${isHalf ? '+' : ' '}${mark === '+' ? rest : rest.slice(1)}`
}

/** JSON of SIRI, of Mercury's alerts or of elevators at another time; the text is otherwise as it was. */
export function retimeJson(text: string, shift: Shift): string {
  return text
    .replaceAll(
      /"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(?:Z|[-+]\d\d:\d\d))"/g,
      (_, time: string, fraction?: string) => {
        const iso = localIso(Date.parse(time) / 1000 + shift.seconds)
        return `"${fraction === undefined ? iso.replace(/\.\d+/, '') : iso}"`
      },
    )
    .replaceAll(
      /("DataFrameRef"\s*:\s*")(\d{4}-\d\d-\d\d)"/g,
      (_, name: string, date: string) =>
        `${name}${dashed(daysLater(date.replaceAll('-', ''), shift.days))}"`,
    )
    .replaceAll(
      /("(?:start|end|timestamp|created_at|updated_at)"\s*:\s*)(\d{9,11})\b/g,
      (_, name: string, time: string) => `${name}${Number(time) + shift.seconds}`,
    )
    .replaceAll(
      /"(\d\d)\/(\d\d)\/(\d{4}) (\d\d):(\d\d):(\d\d) ([AP]M)"/g,
      (whole) => `"${localDateTime(localSeconds(whole.slice(1, -1)) + shift.seconds)}"`,
    )
}

/** Unix seconds of `06/10/2026 08:25:00 AM` in New York. */
function localSeconds(text: string): number {
  const [month = '', day = '', year = '', hour = '', minute = '', second = ''] =
    text.match(/\d+/g) ?? []
  const hours = (Number(hour) % 12) + (text.endsWith('PM') ? 12 : 0)
  const { start } = serviceDayOf(noonOf(`${year}${month}${day}`))
  return start + hours * 3600 + Number(minute) * 60 + Number(second)
}

/** Puts a text in the place of the one that is there. */
const withText = (payload: Uint8Array, number: number, text: string): Uint8Array =>
  textOf(payload, number) === undefined
    ? withFields(payload, [], (w) => w.string(number, text))
    : mapField(payload, number, () => Buffer.from(text, 'utf8'))

function daysLater(date: string, days: number): string {
  const at = Date.UTC(Number(date.slice(0, 4)), Number(date.slice(4, 6)) - 1, Number(date.slice(6)))
  return new Date(at + days * DAY_S * 1000).toISOString().slice(0, 10).replaceAll('-', '')
}

const dashed = (date: string): string =>
  `${date.slice(0, 4)}-${date.slice(4, 6)}-${date.slice(6, 8)}`

/** An instant of that day in New York, whatever the season. */
const noonOf = (date: string): number =>
  Date.UTC(Number(date.slice(0, 4)), Number(date.slice(4, 6)) - 1, Number(date.slice(6)), 17) / 1000
