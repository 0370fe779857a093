// Long Island Rail Road and Metro-North: trains with GPS, each railroad in its own way of filling the feed.
import { between, chance } from './chance.ts'
import {
  ENTITY,
  FULL_DATASET,
  HEADER,
  MESSAGE,
  POSITION,
  RAILROAD_STOP,
  STATUS,
  STOP_TIME_EVENT,
  STOP_TIME_UPDATE,
  TRIP,
  TRIP_UPDATE,
  VEHICLE,
  VEHICLE_DESCRIPTOR,
} from './gtfs-realtime-fields.ts'
import type { Network } from './network.ts'
import { predict } from './predictions.ts'
import { ProtobufWriter } from './protobuf-writer.ts'
import { clockText } from './service-day.ts'
import { COMMUTER_DAY, type ServicePlan, WEEKEND_DAY } from './timetable.ts'
import { TrainRoster } from './train-roster.ts'
import type { TrainRun, TrainState } from './train-run.ts'

const LIRR_AHEAD_S = 2 * 3600
const MNR_AHEAD_S = 3 * 3600
/** A crew signs on, and its GPS shows up, so long before departure. */
const READY_AHEAD_S = 300
const GPS_EVERY_S = 15
/** Metro-North's header lags behind the clock and is copied onto every vehicle. */
const MNR_LAG_S = 120

type Railroad = 'lirr' | 'mnr'

/** The trains of a railroad; about 945 and 701 on a weekday, as in the static timetables. */
export function railRoster(network: Network, railroad: Railroad, seed: number): TrainRoster {
  const all = network.patterns.reduce((sum, pattern) => sum + pattern.trips, 0)
  const weekday = railroad === 'lirr' ? 945 : 701
  const plan: ServicePlan = {
    share: (_, kind) => ((kind === 'weekday' ? 1 : 0.64) * weekday) / all,
    profile: (_, kind) => (kind === 'weekday' ? COMMUTER_DAY : WEEKEND_DAY),
    roundingS: 60,
    headwayMinS: 180,
  }
  const pace = { dwellS: 40, spread: [0.98, 1.06] as const, speedMaxMps: 36 }
  return new TrainRoster({ network, plan, pace, seed })
}

/** Writes LIRR's feed: `<trip>_T` and `<trip>_V` entities; the vehicle carries no route. */
export class LirrFeed {
  readonly #roster: TrainRoster
  readonly #seed: number

  constructor(roster: TrainRoster, seed: number) {
    this.#roster = roster
    this.#seed = seed
  }

  /** The body at `time`, whole Unix seconds, which is also its header's timestamp. */
  encode(time: number): Uint8Array {
    const out = new ProtobufWriter()
    out.message(MESSAGE.header, (header) => {
      header.string(HEADER.version, '2.0').varint(HEADER.incrementality, FULL_DATASET)
      header.varint(HEADER.timestamp, time)
    })
    const runs = this.#roster.runsAt(time, LIRR_AHEAD_S)
    for (const run of runs) {
      out.message(MESSAGE.entity, (entity) => {
        entity.string(ENTITY.id, `${lirrTripId(run)}_T`)
        entity.message(ENTITY.tripUpdate, (w) => this.#tripUpdate(w, run, time))
      })
    }
    for (const run of runs.filter((one) => time >= leavesAt(one) - READY_AHEAD_S)) {
      out.message(MESSAGE.entity, (entity) => {
        entity.string(ENTITY.id, `${lirrTripId(run)}_V`)
        entity.message(ENTITY.vehicle, (w) => this.#vehicle(w, run, time))
      })
    }
    return out.finish()
  }

  #tripUpdate(out: ProtobufWriter, run: TrainRun, time: number): void {
    const { pattern, day } = run.departure
    const state = run.at(time)
    out.message(TRIP_UPDATE.trip, (trip) => {
      trip.string(TRIP.id, lirrTripId(run)).string(TRIP.startDate, day.date)
      trip.varint(TRIP.scheduleRelationship, 0).string(TRIP.route, pattern.route)
      trip.varint(TRIP.direction, pattern.direction)
    })
    const track = String(1 + Math.floor(chance(this.#seed, 'track', lirrTripId(run)) * 8))
    for (const { stop, arrival, departure } of predict(run, state, time, RULES)) {
      out.message(STOP_TIME_UPDATE_FIELD, (w) => {
        w.varint(STOP_TIME_UPDATE.sequence, stop + 1)
        const delay = Math.round(departure - scheduledAt(run, stop))
        const event = (e: ProtobufWriter, at: number): void => {
          e.varint(STOP_TIME_EVENT.delay, delay).varint(STOP_TIME_EVENT.time, at)
        }
        if (stop > 0) w.message(STOP_TIME_UPDATE.arrival, (e) => event(e, arrival))
        if (stop < pattern.stops.length - 1)
          w.message(STOP_TIME_UPDATE.departure, (e) => event(e, departure))
        w.string(STOP_TIME_UPDATE.stopId, pattern.stops[stop] ?? '')
        w.varint(STOP_TIME_UPDATE.scheduleRelationship, 0)
        w.message(STOP_TIME_UPDATE.railroad, (r) => {
          // The status is always there and always empty; the track is known near the train.
          const isNear = arrival - time < 1200
          r.string(RAILROAD_STOP.track, isNear ? track : '').string(RAILROAD_STOP.trainStatus, '')
        })
      })
    }
    if (time >= leavesAt(run) - READY_AHEAD_S) {
      out.message(TRIP_UPDATE.vehicle, (w) => lirrVehicle(w, run, this.#seed))
    }
    out.varint(TRIP_UPDATE.timestamp, time)
  }

  #vehicle(out: ProtobufWriter, run: TrainRun, time: number): void {
    const { pattern, day } = run.departure
    const seenAt = lastFix(run, time, this.#seed)
    const state = run.at(seenAt)
    out.message(VEHICLE.trip, (trip) => {
      trip.string(TRIP.id, lirrTripId(run)).string(TRIP.startDate, day.date)
    })
    writePosition(out, run, state)
    out.varint(VEHICLE.status, state.phase === 'moving' ? STATUS.inTransitTo : STATUS.stoppedAt)
    out.varint(VEHICLE.timestamp, seenAt)
    out.string(VEHICLE.stopId, pattern.stops[nextStop(state)] ?? '')
    out.message(VEHICLE.descriptor, (w) => lirrVehicle(w, run, this.#seed))
  }
}

/** Writes Metro-North's feed: one entity with both parts, and extension 1005 twice for each stop. */
export class MetroNorthFeed {
  readonly #roster: TrainRoster
  readonly #seed: number

  constructor(roster: TrainRoster, seed: number) {
    this.#roster = roster
    this.#seed = seed
  }

  /** The body made at `time`, whole Unix seconds; its header says two minutes earlier. */
  encode(time: number): Uint8Array {
    const stamp = time - MNR_LAG_S
    const out = new ProtobufWriter()
    out.message(MESSAGE.header, (header) => {
      header.string(HEADER.version, '1').varint(HEADER.timestamp, stamp)
    })
    for (const run of this.#roster.runsAt(time, MNR_AHEAD_S)) {
      const train = trainNumber(run)
      out.message(MESSAGE.entity, (entity) => {
        entity.string(ENTITY.id, train)
        entity.message(ENTITY.tripUpdate, (w) => this.#tripUpdate(w, run, time))
        entity.message(ENTITY.vehicle, (w) => {
          const state = run.at(lastFix(run, time, this.#seed))
          w.message(VEHICLE.trip, (trip) => trip.string(TRIP.id, train))
          if (time >= leavesAt(run) - READY_AHEAD_S) writePosition(w, run, state)
          w.varint(VEHICLE.status, state.phase === 'moving' ? STATUS.inTransitTo : STATUS.stoppedAt)
          w.varint(VEHICLE.timestamp, stamp)
          w.string(VEHICLE.stopId, run.departure.pattern.stops[nextStop(state)] ?? '')
          w.message(VEHICLE.descriptor, (v) =>
            v.string(VEHICLE_DESCRIPTOR.id, train).string(VEHICLE_DESCRIPTOR.label, train),
          )
        })
      })
    }
    return out.finish()
  }

  #tripUpdate(out: ProtobufWriter, run: TrainRun, time: number): void {
    const { pattern, day, at } = run.departure
    const state = run.at(time)
    out.message(TRIP_UPDATE.trip, (trip) => {
      trip.string(TRIP.id, mnrTripId(run)).string(TRIP.startTime, clockText(at))
      trip.string(TRIP.startDate, day.date).string(TRIP.route, pattern.route)
    })
    const track = String(1 + Math.floor(chance(this.#seed, 'track', mnrTripId(run)) * 4))
    for (const { stop, arrival, departure } of predict(run, state, time, RULES)) {
      out.message(STOP_TIME_UPDATE_FIELD, (w) => {
        w.message(STOP_TIME_UPDATE.arrival, (e) => e.varint(STOP_TIME_EVENT.time, arrival))
        w.message(STOP_TIME_UPDATE.departure, (e) => e.varint(STOP_TIME_EVENT.time, departure))
        w.string(STOP_TIME_UPDATE.stopId, pattern.stops[stop] ?? '')
        const isNear = arrival - time < 1200
        const status = departure - scheduledAt(run, stop) > 360 ? 'Late' : 'On-Time'
        const writeTrack = (r: ProtobufWriter): ProtobufWriter =>
          isNear ? r.string(RAILROAD_STOP.track, track) : r
        w.message(STOP_TIME_UPDATE.railroad, (r) =>
          writeTrack(r).string(RAILROAD_STOP.trainStatus, state.stop === stop ? 'Arrived' : status),
        )
        w.message(STOP_TIME_UPDATE.railroad, writeTrack)
      })
    }
  }
}

const STOP_TIME_UPDATE_FIELD = TRIP_UPDATE.stopTimeUpdate
const RULES = { nextAtLeastS: 0, listsStandingStop: true } as const

function writePosition(out: ProtobufWriter, run: TrainRun, state: TrainState): void {
  const place = run.departure.pattern.track.at(state.distanceM)
  out.message(VEHICLE.position, (w) => {
    w.float(POSITION.latitude, place.latitude).float(POSITION.longitude, place.longitude)
  })
}

function lirrVehicle(out: ProtobufWriter, run: TrainRun, seed: number): void {
  const car = String(500 + Math.floor(between([0, 400], seed, 'car', lirrTripId(run))))
  out.string(VEHICLE_DESCRIPTOR.id, `${car}_${trainNumber(run)}`)
  out.string(VEHICLE_DESCRIPTOR.label, car)
}

/** Each train's GPS reports in its own second of every quarter of a minute. */
function lastFix(run: TrainRun, time: number, seed: number): number {
  const phase = Math.floor(chance(seed, 'fix', mnrTripId(run)) * GPS_EVERY_S)
  return Math.floor((time - phase) / GPS_EVERY_S) * GPS_EVERY_S + phase
}

/** Four digits that a route, a direction and a departure share with no other on the same day. */
function trainNumber(run: TrainRun): string {
  const { pattern, ordinal } = run.departure
  const route = Number(pattern.route)
  return `${route}${String(ordinal * 2 + pattern.direction).padStart(3, '0')}`
}

function lirrTripId(run: TrainRun): string {
  const { date } = run.departure.day
  return `${trainNumber(run)}_${date.slice(0, 4)}-${date.slice(4, 6)}-${date.slice(6)}`
}

const mnrTripId = (run: TrainRun): string => `31${trainNumber(run).padStart(5, '0')}`
const leavesAt = (run: TrainRun): number => run.departures[0] ?? 0
const nextStop = (state: TrainState): number =>
  state.phase === 'moving' ? state.stop + 1 : state.stop

/** When the timetable, read without any lateness, has the train leave a stop. */
function scheduledAt(run: TrainRun, stop: number): number {
  const { day, at, pattern } = run.departure
  return day.start + at + pattern.runs.slice(1, stop + 1).reduce((sum, s) => sum + s, 0)
}
