// The rules that a vehicle's record is checked by. A flagged record is emitted with the codes; a rejected one
// is counted and dropped.
import { boxOf, isWithin } from './box.ts'
import type { BoxRule } from './config.ts'
import type { Vehicle } from './decode.ts'
import type { Profile } from './profiles.ts'

export type QualityCode =
  | 'REQ_MISSING'
  | 'COORD_FORMAT'
  | 'COORD_ZERO'
  | 'COORD_OUT_OF_BOX'
  | 'TS_FUTURE'
  | 'TS_STALE'
  | 'TS_RANGE'
  | 'DUP_IN_MESSAGE'
  | 'OUT_OF_ORDER'
  | 'BEARING_RANGE'
  | 'SPEED_IMPLAUSIBLE'
  | 'PAX_OVER_CAPACITY'
  | 'STALE_SERVICE_DAY'
  | 'DIRECTION_CONFLICT'
  | 'ROUTE_FILLED'
  | 'ROUTE_UNKNOWN'
  | 'STOP_UNKNOWN'
  | 'LATE'
  | 'STALLED'
  | 'TELEPORT'
  | 'STUCK'
  | 'DUPLICATE'
  | 'TRIP_MULTI_VEHICLE'
  | 'STU_ORDER'

const FUTURE_TOLERANCE_S = 60
const DAY_S = 86_400
const TIMESTAMP_MIN_S = Date.UTC(2010, 0) / 1_000
const SPEED_MAX_MPS = 60
const OVER_CAPACITY = 1.5

/** What a body's vehicles are measured by. Seconds since the Unix epoch. */
export interface Times {
  readonly fetchedAt: number
  /** The header's timestamp, else `fetchedAt`. */
  readonly feedTimestamp: number
}

/** Why a vehicle cannot be used at all, or undefined. */
export function rejection(vehicle: Vehicle, times: Times): QualityCode | undefined {
  const { position, timestamp } = vehicle
  if (position !== undefined) {
    const { latitude, longitude } = position
    // Written so that NaN fails.
    const isOnEarth = Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180
    if (!isOnEarth) return 'COORD_FORMAT'
    if (latitude === 0 && longitude === 0) return 'COORD_ZERO'
  }
  const now = Math.max(times.fetchedAt, times.feedTimestamp)
  const isOutOfRange =
    timestamp !== undefined && !(timestamp >= TIMESTAMP_MIN_S && timestamp <= now + DAY_S)
  return isOutOfRange ? 'TS_RANGE' : undefined
}

/** Which rules the vehicle breaks that do not make it useless. */
export function qualityFlags(
  vehicle: Vehicle,
  startDate: string | undefined,
  profile: Profile,
  options: { readonly times: Times; readonly box: BoxRule; readonly serviceDayMin: string },
): QualityCode[] {
  const { position } = vehicle
  const hasStop = vehicle.stopId !== undefined && vehicle.stopId !== ''
  const flags: QualityCode[] = []
  if (position === undefined && !hasStop) flags.push('REQ_MISSING')
  if (position !== undefined) {
    const box = boxOf(profile, options.box)
    if (box !== undefined && !isWithin(box, position)) flags.push('COORD_OUT_OF_BOX')
    if (position.bearing !== undefined && !(position.bearing >= 0 && position.bearing < 360)) {
      flags.push('BEARING_RANGE')
    }
    if (position.speed !== undefined && !(position.speed >= 0 && position.speed <= SPEED_MAX_MPS)) {
      flags.push('SPEED_IMPLAUSIBLE')
    }
  }
  // The time of a subway trip without a train is its scheduled departure: nobody has seen anything yet.
  const isScheduled = profile.isSubway && vehicle.trip.nyct?.isAssigned !== true
  if (!isScheduled) flags.push(...timeFlags(vehicle.timestamp, profile, options.times))
  const { estimatedCount: count, estimatedCapacity: capacity } = vehicle.crowding
  if (count !== undefined && (count < 0 || count > OVER_CAPACITY * (capacity ?? Infinity))) {
    flags.push('PAX_OVER_CAPACITY')
  }
  if (startDate !== undefined && isDate(startDate) && startDate < options.serviceDayMin) {
    flags.push('STALE_SERVICE_DAY')
  }
  return flags
}

function timeFlags(
  timestamp: number | undefined,
  { staleAfterS }: Profile,
  { fetchedAt, feedTimestamp }: Times,
): QualityCode[] {
  if (timestamp === undefined) return []
  // Against the header, so that a replayed body is judged as it was when it was new.
  if (timestamp > Math.max(fetchedAt, feedTimestamp) + FUTURE_TOLERANCE_S) return ['TS_FUTURE']
  const isStale = staleAfterS !== undefined && feedTimestamp - timestamp > staleAfterS
  return isStale ? ['TS_STALE'] : []
}

/** `YYYYMMDD`. */
export const isDate = (text: string): boolean => /^\d{8}$/.test(text)

const formats = new Map<string, Intl.DateTimeFormat>()

/** The oldest service day that a trip may still be of: yesterday there, as `YYYYMMDD`. */
export function serviceDayMin(atS: number, timeZone: string): string {
  let format = formats.get(timeZone)
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-CA', { timeZone, dateStyle: 'short' })
    formats.set(timeZone, format)
  }
  const today = format.format(new Date(atS * 1_000))
  return new Date(Date.parse(`${today}T00:00:00Z`) - DAY_S * 1_000)
    .toISOString()
    .slice(0, 10)
    .replaceAll('-', '')
}
