// The eight subway feeds: NYCT's way of filling GTFS-realtime, its extensions and omitted defaults included.
import { between } from './chance.ts'
import type { SimulatedFeed } from './feed-catalog.ts'
import {
  ALERT,
  ENTITY,
  HEADER,
  MESSAGE,
  NYCT_DIRECTION_SOUTH,
  NYCT_HEADER,
  NYCT_STOP,
  NYCT_TRIP,
  OCCUPANCY_NO_DATA,
  REPLACEMENT_PERIOD,
  SELECTOR,
  STATUS,
  STOP_TIME_EVENT,
  STOP_TIME_UPDATE,
  TIME_RANGE,
  TRANSLATED,
  TRANSLATION,
  TRIP,
  TRIP_UPDATE,
  VEHICLE,
} from './gtfs-realtime-fields.ts'
import type { Network } from './network.ts'
import { predict, type StopPrediction } from './predictions.ts'
import { ProtobufWriter } from './protobuf-writer.ts'
import { clockText } from './service-day.ts'
import {
  COMMUTER_DAY,
  DAYTIME_ONLY,
  RUSH_HOURS_ONLY,
  type ServicePlan,
  WEEKEND_DAY,
} from './timetable.ts'
import type { TrainRoster } from './train-roster.ts'
import type { Pace, TrainRun, TrainState } from './train-run.ts'

const AHEAD_S = 30 * 60
const ASSIGNED_AHEAD_S: readonly [number, number] = [60, 480]
const INCOMING_WITHIN_SHARE = 0.85
const REPORT_EVERY_S = 15
const ACTUAL_TRACK_WITHIN_S = 90

const ONLY_WEEKDAYS = new Set(['B', 'W', 'Z', '6X', '7X', 'FX'])

/** 8,497 of the static timetable's 20,621 trips run on a weekday; peaks of 532, 298 and 292 trains. */
export const SUBWAY_PLAN: ServicePlan = {
  share: (route, kind) => {
    if (ONLY_WEEKDAYS.has(route)) return kind === 'weekday' ? 1 : 0
    return { weekday: 0.412, saturday: 0.3, sunday: 0.288 }[kind]
  },
  profile: (route, kind) => {
    if (route.endsWith('X') || route === 'Z') return RUSH_HOURS_ONLY
    if (ONLY_WEEKDAYS.has(route)) return DAYTIME_ONLY
    return kind === 'weekday' ? COMMUTER_DAY : WEEKEND_DAY
  },
  roundingS: 30,
  headwayMinS: 60,
}

export const SUBWAY_PACE: Pace = { dwellS: 25, spread: [0.92, 1.12], speedMaxMps: 22 }

/** One train of a feed with all that its two entities say. */
interface Train {
  readonly run: TrainRun
  readonly state: TrainState
  readonly predictions: readonly StopPrediction[]
  readonly isAssigned: boolean
  readonly trip: Uint8Array
}

/** Where all of a subway feed's bodies come from. */
export class SubwayFeed {
  readonly #feed: SimulatedFeed
  readonly #roster: TrainRoster
  readonly #network: Network
  readonly #seed: number

  constructor(
    feed: SimulatedFeed,
    source: { roster: TrainRoster; network: Network; seed: number },
  ) {
    this.#feed = feed
    this.#roster = source.roster
    this.#network = source.network
    this.#seed = source.seed
  }

  /** The feed's body at `time`, whole Unix seconds, which is also its header's timestamp. */
  encode(time: number): Uint8Array {
    const out = new ProtobufWriter()
    out.message(MESSAGE.header, (header) => this.#header(header, time))
    const trains = this.#trains(time)
    const counters = new Map<string, number>()
    const nextId = (route: string): string => {
      const series = this.#isADivision ? '' : route.slice(0, 1)
      const count = (counters.get(series) ?? 0) + 1
      counters.set(series, count)
      return `${String(count).padStart(6, '0')}${series}`
    }
    for (const train of trains) {
      const { route } = train.run.departure.pattern
      out.message(MESSAGE.entity, (entity) => {
        entity.string(ENTITY.id, nextId(route))
        entity.message(ENTITY.tripUpdate, (w) => this.#tripUpdate(w, train, time))
      })
      if (!train.isAssigned && this.#isADivision) continue
      out.message(MESSAGE.entity, (entity) => {
        entity.string(ENTITY.id, nextId(route))
        entity.message(ENTITY.vehicle, (w) => this.#vehicle(w, train, time))
      })
    }
    const delayed = trains.filter((train) => train.state.heldSince !== undefined)
    if (this.#isADivision && delayed.length > 0) {
      out.message(MESSAGE.entity, (entity) => {
        entity.string(ENTITY.id, nextId(''))
        entity.message(ENTITY.alert, (w) => trainDelayed(w, delayed))
      })
    }
    return out.finish()
  }

  get #isADivision(): boolean {
    return this.#feed.kind === 'subway-a'
  }

  #trains(time: number): Train[] {
    const { routes } = this.#feed
    return this.#roster
      .runsAt(time, AHEAD_S)
      .filter((run) => routes.includes(run.departure.pattern.route))
      .sort(
        (a, b) => routes.indexOf(routeOf(a)) - routes.indexOf(routeOf(b)) || starts(a) - starts(b),
      )
      .map((run) => {
        const state = run.at(time)
        const ahead = between(ASSIGNED_AHEAD_S, this.#seed, 'assigned', this.#tripId(run))
        const isAssigned = time >= starts(run) - ahead
        const predictions = predict(run, state, time, {
          nextAtLeastS: this.#isADivision ? 15 : 60,
          listsStandingStop: this.#isADivision,
        })
        return { run, state, predictions, isAssigned, trip: this.#trip(run, isAssigned) }
      })
  }

  #header(header: ProtobufWriter, time: number): void {
    header.string(HEADER.version, '1.0').varint(HEADER.timestamp, time)
    header.message(HEADER.nyct, (nyct) => {
      nyct.string(NYCT_HEADER.version, '1.0')
      for (const route of this.#feed.routes) {
        nyct.message(NYCT_HEADER.replacementPeriod, (period) => {
          period.string(REPLACEMENT_PERIOD.route, route)
          period.message(REPLACEMENT_PERIOD.period, (range) => range.varint(TIME_RANGE.end, time))
        })
      }
    })
  }

  /** `087900_1..N04R`: hundredths of a minute after midnight; the B division leaves the path out. */
  #tripId(run: TrainRun): string {
    const { pattern, at } = run.departure
    const origin = String(Math.round(at / 0.6)).padStart(6, '0')
    if (this.#isADivision) return `${origin}_${pattern.id}`
    const dots = pattern.route.length === 1 ? '..' : '.'
    return `${origin}_${pattern.route}${dots}${isSouth(run) ? 'S' : 'N'}`
  }

  #trip(run: TrainRun, isAssigned: boolean): Uint8Array {
    const { pattern, day, at } = run.departure
    const trip = new ProtobufWriter().string(TRIP.id, this.#tripId(run))
    if (!this.#isADivision) trip.string(TRIP.startTime, clockText(at))
    trip.string(TRIP.startDate, day.date).string(TRIP.route, pattern.route)
    trip.message(TRIP.nyct, (nyct) => {
      nyct.string(NYCT_TRIP.trainId, this.#trainId(run))
      // Defaults stay unsaid: false, and north.
      if (isAssigned) nyct.bool(NYCT_TRIP.isAssigned, true)
      if (isSouth(run)) nyct.varint(NYCT_TRIP.direction, NYCT_DIRECTION_SOUTH)
    })
    return trip.finish()
  }

  /** `01 1439  SFT/238`: line, time (`+` is half a minute), first and last stop. */
  #trainId(run: TrainRun): string {
    const { pattern, at } = run.departure
    const [h = '', m = '', s = ''] = clockText(at).split(':')
    const [first, last] = [pattern.stops[0], pattern.stops.at(-1)].map((id) => this.#code(id))
    if (!this.#isADivision) return `1${pattern.route} ${h}${m}${s} ${first}/${last}`
    return `0${pattern.route.slice(0, 1)} ${h}${m}${s === '30' ? '+' : ' '} ${first}/${last}`
  }

  #code(stopId: string | undefined): string {
    const name = this.#network.stopNames.get(stopId ?? '') ?? ''
    return name
      .replaceAll(/[^A-Za-z0-9]/g, '')
      .slice(0, 3)
      .toUpperCase()
  }

  #tripUpdate(out: ProtobufWriter, train: Train, time: number): void {
    out.bytes(TRIP_UPDATE.trip, train.trip)
    for (const prediction of train.predictions) {
      out.message(TRIP_UPDATE.stopTimeUpdate, (w) => this.#stopTime(w, train, prediction, time))
    }
  }

  #stopTime(out: ProtobufWriter, train: Train, prediction: StopPrediction, time: number): void {
    const { pattern } = train.run.departure
    const { stop, arrival, departure } = prediction
    if (stop > 0 || !this.#isADivision)
      out.message(STOP_TIME_UPDATE.arrival, (w) => w.varint(STOP_TIME_EVENT.time, arrival))
    if (stop < pattern.stops.length - 1)
      out.message(STOP_TIME_UPDATE.departure, (w) => w.varint(STOP_TIME_EVENT.time, departure))
    out.string(STOP_TIME_UPDATE.stopId, pattern.stops[stop] ?? '')
    if (!this.#isADivision) out.varint(STOP_TIME_UPDATE.departureOccupancy, OCCUPANCY_NO_DATA)
    const number = isSouth(train.run) ? '1' : '4'
    const track = this.#isADivision ? number : `${pattern.route.slice(0, 1)}${number}`
    out.message(STOP_TIME_UPDATE.nyct, (w) => {
      w.string(NYCT_STOP.scheduledTrack, track)
      if (train.isAssigned && arrival - time < ACTUAL_TRACK_WITHIN_S)
        w.string(NYCT_STOP.actualTrack, track)
    })
  }

  #vehicle(out: ProtobufWriter, train: Train, time: number): void {
    out.bytes(VEHICLE.trip, train.trip)
    const report = this.#isADivision ? movementReport(train, time) : stationReport(train)
    // The B division gives trips without a train a position too, but neither sequence nor status.
    if (train.isAssigned) {
      out.varint(VEHICLE.stopSequence, report.stop + 1)
      if (report.status !== STATUS.inTransitTo) out.varint(VEHICLE.status, report.status)
    }
    out.varint(VEHICLE.timestamp, report.at)
    out.string(VEHICLE.stopId, train.run.departure.pattern.stops[report.stop] ?? '')
  }
}

interface Report {
  /** Index of the stop that the report names. */
  readonly stop: number
  readonly status: number
  /** Unix seconds of the movement that it reports. */
  readonly at: number
}

/** Track circuits: where the train stands or heads for, at its last movement. */
function movementReport({ run, state }: Train, time: number): Report {
  if (state.phase === 'waiting')
    return { stop: 0, status: STATUS.stoppedAt, at: Math.min(time, run.arrivals[0] ?? time) }
  if (state.phase !== 'moving')
    return { stop: state.stop, status: STATUS.stoppedAt, at: run.arrivals[state.stop] ?? time }
  const left = run.departures[state.stop] ?? time
  const isIncoming = state.legShare >= INCOMING_WITHIN_SHARE
  const until = state.heldSince ?? time
  const moved = left + Math.floor((until - left) / REPORT_EVERY_S) * REPORT_EVERY_S
  return {
    stop: state.stop + 1,
    status: isIncoming ? STATUS.incomingAt : STATUS.inTransitTo,
    at: moved,
  }
}

/** Platform beacons: the last station it called at, however long ago. */
function stationReport({ run, state, isAssigned }: Train): Report {
  const at = isAssigned ? run.arrivals[state.stop] : run.departures[0]
  return { stop: state.stop, status: STATUS.stoppedAt, at: at ?? 0 }
}

function trainDelayed(out: ProtobufWriter, delayed: readonly Train[]): void {
  for (const { trip } of delayed)
    out.message(ALERT.informedEntity, (w) => w.bytes(SELECTOR.trip, trip))
  out.message(ALERT.headerText, (text) =>
    text.message(TRANSLATED.translation, (w) => w.string(TRANSLATION.text, 'Train delayed')),
  )
}

const routeOf = (run: TrainRun): string => run.departure.pattern.route
const starts = (run: TrainRun): number => run.departures[0] ?? 0
const isSouth = (run: TrainRun): boolean => run.departure.pattern.direction === 1
