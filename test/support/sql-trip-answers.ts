// What the views and queries over TRIP_UPDATE have to answer, worked out row by row.
import { type Answers, groups, median } from './sql-vehicle-answers.ts'

export interface Stop {
  readonly ordinal: number
  readonly stop: string
  readonly arrivalMs: number | null
  readonly delayS: number | null
  readonly scheduledMs: number | null
  readonly isSkipped: boolean
}

/** One trip update. */
export interface Trip {
  readonly key: string
  readonly id: string
  readonly route: string
  readonly event: string
  readonly fetchedMs: number
  readonly stops: readonly Stop[]
  readonly row: Readonly<Record<string, unknown>>
}

type StopOfTrip = Stop & { readonly trip: Trip }

const allStops = (trips: readonly Trip[]): readonly StopOfTrip[] =>
  trips.flatMap((trip) => trip.stops.map((stop) => ({ ...stop, trip })))

/** The last prediction of each trip and stop. */
const lastOf = (stops: readonly StopOfTrip[]): readonly StopOfTrip[] =>
  groups(stops, ({ trip, stop }) => `${trip.key} ${stop}`).map((same) =>
    same.reduce((a, b) => (b.trip.fetchedMs > a.trip.fetchedMs ? b : a)),
  )

export const stopTimes = (trips: readonly Trip[]): Answers =>
  allStops(trips).map(({ trip, ordinal, stop, arrivalMs, delayS, isSkipped }) => ({
    RECORD_KEY: trip.key,
    FETCHED_AT: trip.fetchedMs,
    TRIP_ID: trip.id,
    ROUTE_ID: trip.route,
    ORDINAL: ordinal,
    STOP_ID: stop,
    ARRIVAL_TIME: arrivalMs,
    ARRIVAL_DELAY_S: delayS,
    SCHEDULE_RELATIONSHIP: isSkipped ? 'SKIPPED' : null,
  }))

const HOUR = new Intl.DateTimeFormat('en-CA', {
  timeZone: 'America/New_York',
  dateStyle: 'short',
  timeStyle: 'short',
  hourCycle: 'h23',
})

/** The wall clock's hour in New York, as if it were UTC. */
const hourOf = (ms: number): number =>
  Date.parse(`${HOUR.format(ms).replace(', ', 'T').slice(0, 13)}:00:00Z`)

export function delays(trips: readonly Trip[]): Answers {
  const known = lastOf(allStops(trips)).flatMap(({ trip, arrivalMs, scheduledMs, delayS }) => {
    const taken =
      arrivalMs !== null && scheduledMs !== null ? (arrivalMs - scheduledMs) / 1_000 : null
    const delay = delayS ?? taken
    return delay === null
      ? []
      : [{ route: trip.route, hour: hourOf(arrivalMs ?? trip.fetchedMs), delay }]
  })
  return groups(known, ({ route, hour }) => `${route} ${hour}`).map((same) => {
    const values = same.map(({ delay }) => delay)
    return {
      ROUTE_ID: same[0]?.route,
      SERVICE_HOUR: same[0]?.hour,
      STOPS: values.length,
      DELAY_MEAN_S: values.reduce((a, b) => a + b, 0) / values.length,
      DELAY_MEDIAN_S: median(values),
      DELAY_MAX_S: Math.max(...values),
      SHARE_LATE: values.filter((delay) => delay > 300).length / values.length,
    }
  })
}

export function headways(trips: readonly Trip[]): Answers {
  const arrivals = lastOf(
    allStops(trips).filter(({ arrivalMs, isSkipped }) => arrivalMs !== null && !isSkipped),
  )
  return groups(arrivals, ({ trip, stop }) => `${trip.route} ${stop}`)
    .toSorted((a, b) =>
      `${a[0]?.trip.route} ${a[0]?.stop}` < `${b[0]?.trip.route} ${b[0]?.stop}` ? -1 : 1,
    )
    .flatMap((same) => {
      const times = same.map(({ arrivalMs }) => arrivalMs ?? 0).toSorted((a, b) => a - b)
      const minutes = times.slice(1).map((time, at) => (time - (times[at] ?? 0)) / 60_000)
      if (minutes.length === 0) return []
      return [
        {
          ROUTE_ID: same[0]?.trip.route,
          STOP_ID: same[0]?.stop,
          HEADWAYS: minutes.length,
          MEAN_MIN: minutes.reduce((a, b) => a + b, 0) / minutes.length,
          MIN_MIN: Math.min(...minutes),
          MAX_MIN: Math.max(...minutes),
        },
      ]
    })
}
