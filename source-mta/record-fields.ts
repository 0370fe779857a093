// Fields that several kinds of records have, and how protobuf's values become Avro's.
import type { Trip } from './decode.ts'
import type { BodyContext, Envelope } from './entity-kind.ts'
import { localIso } from './local-time.ts'
import { isDate } from './quality.ts'

export interface NyctFields {
  readonly trainId: string | null
  readonly isAssigned: boolean | null
  readonly direction: string | null
}

export const NO_NYCT: NyctFields = { trainId: null, isAssigned: null, direction: null }

const INT_MAX = 2 ** 31 - 1
/** The last second that a `Date` can hold. */
const SECONDS_MAX = 8.64e12

/** The fields that every record begins with. */
export function envelopeFields(body: BodyContext, event: Envelope): Record<string, unknown> {
  return {
    feed_id: body.feedId,
    agency_id: event.agencyId ?? null,
    entity_id: event.entityId,
    record_key: event.recordKey,
    event_type: event.eventType,
    feed_timestamp: date(body.feedTimestamp),
    fetched_at: new Date(body.fetchedAtMs),
    poll_id: `${body.feedId}@${body.fetchedAtMs}`,
    content_hash: event.contentHash,
    incrementality: body.incrementality ?? null,
    feed_version: body.feedVersion ?? null,
    quality_flags: event.flags,
    unknown_fields: event.unknownFields,
    ...localTimeFields(body),
  }
}

/** The body's time on the clock of its feed; null without a zone. */
export const localTimeFields = (body: BodyContext): Record<string, unknown> => ({
  time_zone: body.localTimeZone ?? null,
  local_time: localTime(body.feedTimestamp ?? body.fetchedAtMs / 1_000, body.localTimeZone),
})

/** Seconds since the Unix epoch as ISO 8601 with the offset there; null without time or zone. */
export function localTime(seconds: number | undefined, zone: string | undefined): string | null {
  if (seconds === undefined || zone === undefined || Math.abs(seconds) > SECONDS_MAX) return null
  return localIso(seconds * 1_000, zone)
}

/**
 * Adds the fields of a trip descriptor. Fields are added to one object, since spreading several into a new one takes
 * longer than decoding what is in them.
 */
export function addTripFields(value: Record<string, unknown>, trip: Trip, nyct: NyctFields): void {
  value['trip_id'] = trip.tripId ?? null
  value['route_id'] = trip.routeId ?? null
  value['direction_id'] = int(trip.directionId)
  value['start_time'] = trip.startTime ?? null
  value['start_date'] = trip.startDate ?? null
  value['service_date'] = serviceDate(trip.startDate)
  value['trip_schedule_relationship'] = trip.scheduleRelationship ?? null
  value['nyct_train_id'] = nyct.trainId
  value['nyct_is_assigned'] = nyct.isAssigned
  value['nyct_direction'] = nyct.direction
}

/** Six digits: a tenth of a metre, and what a float32 at these latitudes holds. */
export const degrees = (value: number): number => Math.round(value * 1e6) / 1e6

/** A float32 in six digits if it is the same float32, else as it is: 123.4, not 123.4000015258789. */
export function float(value: number | undefined): number | null {
  if (value === undefined || !Number.isFinite(value)) return null
  const short = degrees(value)
  return Math.fround(short) === value ? short : value
}

/** A number beyond Avro's int is nonsense in each of our fields; it is kept in unknown_fields only. */
export const int = (value: number | undefined): number | null =>
  value === undefined || value > INT_MAX || value < -INT_MAX - 1 ? null : value

/** Seconds since the Unix epoch as a time; null beyond what a `Date` holds. */
export const date = (seconds: number | undefined): Date | null =>
  seconds === undefined || !(Math.abs(seconds) <= SECONDS_MAX) ? null : new Date(seconds * 1_000)

const serviceDates = new Map<string, Date | null>()
const SERVICE_DATES_MAX = 64

/** `YYYYMMDD` as a date; null for what is none. The few days that a feed names are kept. */
export function serviceDate(startDate: string | undefined): Date | null {
  if (startDate === undefined) return null
  const known = serviceDates.get(startDate)
  if (known !== undefined) return known
  const day = parseServiceDate(startDate)
  if (serviceDates.size >= SERVICE_DATES_MAX) serviceDates.clear()
  serviceDates.set(startDate, day)
  return day
}

function parseServiceDate(startDate: string): Date | null {
  if (!isDate(startDate)) return null
  const [, year, month, day] = /^(\d{4})(\d{2})(\d{2})$/.exec(startDate) ?? []
  const iso = `${year}-${month}-${day}`
  const midnight = new Date(`${iso}T00:00:00Z`)
  // 20260231 is no day, though Date.parse takes some of these.
  return Number.isNaN(midnight.getTime()) || midnight.toISOString().slice(0, 10) !== iso
    ? null
    : midnight
}
