// The rules that a trip update's record is checked by. A flagged record is emitted with the codes.
import type { StopTimeValue, TripPrediction } from './decode-trip-update.ts'
import type { Profile } from './profiles.ts'
import { type QualityCode, isDate } from './quality.ts'

const FUTURE_TOLERANCE_S = 60

/** What a body's trip updates are measured by. */
export interface TripUpdateRules {
  /** Seconds since the Unix epoch. */
  readonly times: { readonly fetchedAt: number; readonly feedTimestamp: number }
  /** The oldest service day that a trip may still be of, `YYYYMMDD`. */
  readonly serviceDayMin: string
}

/** Which rules the trip update breaks. */
export function tripUpdateFlags(
  { trip, timestamp, stops }: TripPrediction,
  { staleAfterS }: Profile,
  { times, serviceDayMin }: TripUpdateRules,
): readonly QualityCode[] {
  const { fetchedAt, feedTimestamp } = times
  const flags: QualityCode[] = []
  if (timestamp !== undefined) {
    const isFuture = timestamp > Math.max(fetchedAt, feedTimestamp) + FUTURE_TOLERANCE_S
    if (isFuture) flags.push('TS_FUTURE')
    else if (staleAfterS !== undefined && feedTimestamp - timestamp > staleAfterS)
      flags.push('TS_STALE')
  }
  const { startDate } = trip
  if (startDate !== undefined && isDate(startDate) && startDate < serviceDayMin) {
    flags.push('STALE_SERVICE_DAY')
  }
  if (trip.routeId === '') flags.push('ROUTE_UNKNOWN')
  if (!isOrdered(stops)) flags.push('STU_ORDER')
  return flags
}

/** Whether no stop is reached before the one before it, and none is left before it is reached. */
function isOrdered(stops: readonly StopTimeValue[]): boolean {
  let reached = -Infinity
  for (const { arrival_time: arrival, departure_time: departure } of stops) {
    const arrivalMs = arrival?.getTime()
    const departureMs = departure?.getTime()
    if (arrivalMs !== undefined) {
      if (arrivalMs < reached) return false
      reached = arrivalMs
    }
    if (departureMs !== undefined) {
      if (departureMs < (arrivalMs ?? reached)) return false
      if (arrivalMs === undefined) reached = departureMs
    }
  }
  return true
}
