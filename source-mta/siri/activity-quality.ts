// The quality rules as they apply to a SIRI activity.
import { boxOf, isWithin } from '../box.ts'
import type { BoxRule } from '../config-keys.ts'
import type { Profile } from '../profiles.ts'
import type { QualityCode } from '../quality.ts'
import type { VehicleActivity } from './vehicle-activity.ts'

const FUTURE_TOLERANCE_MS = 60_000
const DAY_MS = 86_400_000
const TIMESTAMP_MIN_MS = Date.UTC(2010, 0)
const OVER_CAPACITY = 1.5

/** A rule that keeps an activity out, with what is wrong. */
export interface Rejection {
  readonly code: QualityCode
  readonly reason: string
}

/** Why an activity cannot be used, or undefined. `nowMs`: when it was received. */
export function activityRejection(activity: VehicleActivity, nowMs: number): Rejection | undefined {
  const missing = [
    ...(activity.vehicleRef === undefined ? ['VehicleRef'] : []),
    ...(activity.lineRef === undefined ? ['LineRef'] : []),
    ...(activity.hasRecordedAt ? [] : ['RecordedAtTime']),
  ]
  if (missing.length > 0) {
    return { code: 'REQ_MISSING', reason: `expected ${missing.join(', ')}, which it does not have` }
  }
  const { recordedAtMs } = activity
  if (recordedAtMs === undefined) {
    return { code: 'TS_RANGE', reason: 'RecordedAtTime is no ISO 8601 time with an offset' }
  }
  if (recordedAtMs < TIMESTAMP_MIN_MS || recordedAtMs > nowMs + DAY_MS) {
    const at = new Date(recordedAtMs).toISOString()
    return { code: 'TS_RANGE', reason: `RecordedAtTime ${at} is before 2010 or after tomorrow` }
  }
  return activity.hasLocation ? coordinateRejection(activity) : undefined
}

function coordinateRejection({ latitude, longitude }: VehicleActivity): Rejection | undefined {
  const isOnEarth =
    latitude !== undefined &&
    longitude !== undefined &&
    Math.abs(latitude) <= 90 &&
    Math.abs(longitude) <= 180
  if (!isOnEarth) {
    return { code: 'COORD_FORMAT', reason: `VehicleLocation ${latitude}, ${longitude} is no place` }
  }
  return latitude === 0 && longitude === 0
    ? { code: 'COORD_ZERO', reason: 'VehicleLocation is 0, 0' }
    : undefined
}

/** Which rules an activity breaks that do not make it useless. */
export function activityFlags(
  activity: VehicleActivity,
  profile: Profile,
  options: { readonly box: BoxRule; readonly nowMs: number; readonly responseAtMs: number },
): QualityCode[] {
  const { latitude, longitude, bearing, recordedAtMs, call } = activity
  const flags: QualityCode[] = []
  const box = boxOf(profile, options.box)
  if (
    box !== undefined &&
    latitude !== undefined &&
    longitude !== undefined &&
    !isWithin(box, { latitude, longitude })
  ) {
    flags.push('COORD_OUT_OF_BOX')
  }
  if (recordedAtMs !== undefined) {
    const staleAfterMs = (profile.staleAfterS ?? Infinity) * 1_000
    const isFuture =
      recordedAtMs > Math.max(options.nowMs, options.responseAtMs) + FUTURE_TOLERANCE_MS
    if (isFuture) flags.push('TS_FUTURE')
    else if (options.responseAtMs - recordedAtMs > staleAfterMs) flags.push('TS_STALE')
  }
  if (bearing !== undefined && !(bearing >= 0 && bearing < 360)) flags.push('BEARING_RANGE')
  const { passengerCount: count, passengerCapacity: capacity } = call
  if (count !== undefined && (count < 0 || count > OVER_CAPACITY * (capacity ?? Infinity))) {
    flags.push('PAX_OVER_CAPACITY')
  }
  return flags
}
