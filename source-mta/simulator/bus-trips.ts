import { type BusFleet, busArrival, type BusOnLine, busTripId } from './bus-fleet.ts'
import { between, chance } from './chance.ts'
import {
  ENTITY,
  FULL_DATASET,
  HEADER,
  MESSAGE,
  STOP_TIME_EVENT,
  STOP_TIME_UPDATE,
  TRIP,
  TRIP_UPDATE,
  VEHICLE_DESCRIPTOR,
} from './gtfs-realtime-fields.ts'
import { ProtobufWriter } from './protobuf-writer.ts'
import { serviceDayOf } from './service-day.ts'

/** Trips per bus over the whole fleet: 7,559 of 4,096 buses, as Bus Time's feed has it at a weekday's peak. */
const AHEAD_SHARE = 3_463 / 4_096
/** One bus in so many shows a third trip, with its first stop only, and its neighbour none ahead. */
const THIRD_TRIP_EVERY = 640
/** Stops further away than this are not announced yet. */
const HORIZON_S = 2_600
/** Predictions err by so much of the time that is left, differently with each report. */
const ERROR_SHARE = 0.03
/** 4.6 MB of 4,096 buses. */
const BYTES_PER_BUS = 1_250
const DELAY_S: readonly [low: number, high: number] = [-300, 900]
const EXTREME_DELAY_S: readonly [low: number, high: number] = [-1_639, 4_383]

/**
 * The bus trip updates' body at `time`, Unix seconds: for each bus the trip that it drives and mostly the next
 * one of its block, arrivals and departures of the stops ahead. Its header's timestamp is the newest report's.
 */
export function encodeBusTrips(fleet: BusFleet, time: number, seed: number): Uint8Array {
  const buses = fleet.busesAt(time)
  const newest = buses.reduce((max, { reportedAt }) => Math.max(max, reportedAt), 0)
  const out = new ProtobufWriter(buses.length * BYTES_PER_BUS)
  out.message(MESSAGE.header, (header) => {
    header.string(HEADER.version, '1.0')
    header.varint(HEADER.incrementality, FULL_DATASET)
    header.varint(HEADER.timestamp, newest === 0 ? time : newest)
  })
  for (const bus of buses) {
    const delay = delayOf(bus, seed)
    let trip: BusOnLine | undefined = bus
    const count = 1 + tripsAhead(bus.ordinal)
    for (let i = 0; i < count && trip !== undefined; i++) {
      writeTrip(out, { bus, trip, delay, error: errorOf(bus, seed), stopsMax: i < 2 ? 999 : 1 })
      trip = fleet.nextTrip(trip)
    }
  }
  return out.finish()
}

/** 0, 1 or 2: the trips of a bus's block that are announced besides the one it drives. */
function tripsAhead(ordinal: number): number {
  const phase = ordinal % THIRD_TRIP_EVERY
  if (phase !== 1 && phase !== 2) return usuallyAhead(ordinal)
  const first = ordinal - phase + 1
  if (usuallyAhead(first) + usuallyAhead(first + 1) !== 2) return usuallyAhead(ordinal)
  return phase === 1 ? 2 : 0
}

const usuallyAhead = (ordinal: number): number =>
  Math.floor((ordinal + 1) * AHEAD_SHARE) - Math.floor(ordinal * AHEAD_SHARE)

/** A bus's delay in seconds stays for a round; a few are hours off, or started long before their time. */
function delayOf({ vehicleId, round }: BusOnLine, seed: number): number {
  const isExtreme = chance(seed, 'far off', vehicleId, round) < 0.01
  return Math.round(between(isExtreme ? EXTREME_DELAY_S : DELAY_S, seed, 'delay', vehicleId, round))
}

function errorOf({ vehicleId, reportedAt }: BusOnLine, seed: number): number {
  return between([-ERROR_SHARE, ERROR_SHARE], seed, 'eta', vehicleId, reportedAt)
}

interface AnnouncedTrip {
  readonly bus: BusOnLine
  readonly trip: BusOnLine
  readonly delay: number
  readonly error: number
  readonly stopsMax: number
}

function writeTrip(out: ProtobufWriter, announced: AnnouncedTrip): void {
  const { bus, trip, delay } = announced
  const tripId = busTripId(trip)
  out.message(MESSAGE.entity, (entity) => {
    entity.string(ENTITY.id, tripId)
    entity.message(ENTITY.tripUpdate, (update) => {
      update.message(TRIP_UPDATE.trip, (w) => {
        w.string(TRIP.id, tripId).string(TRIP.startDate, serviceDayOf(trip.leftAt).date)
        w.string(TRIP.route, trip.route.id).varint(TRIP.direction, trip.direction)
      })
      writeStops(update, announced)
      update.message(TRIP_UPDATE.vehicle, (w) => w.string(VEHICLE_DESCRIPTOR.id, bus.vehicleId))
      update.varint(TRIP_UPDATE.timestamp, bus.reportedAt).varint(TRIP_UPDATE.delay, delay)
    })
  })
}

function writeStops(update: ProtobufWriter, { bus, trip, error, stopsMax }: AnnouncedTrip): void {
  const stopIds = trip.route.stopIds[trip.direction] ?? []
  const now = bus.reportedAt
  let left = stopsMax
  for (const [stop, stopId] of stopIds.entries()) {
    const arrival = busArrival(trip, stop)
    const isLast = stop === stopIds.length - 1
    // A bus that rests at its last stop still lists it.
    if (arrival < now && !(isLast && trip === bus)) continue
    const time = Math.round(now + Math.max(arrival - now, 0) * (1 + error))
    if (left <= 0 || (time > now + HORIZON_S && left < stopsMax)) return
    left--
    update.message(TRIP_UPDATE.stopTimeUpdate, (w) => {
      w.varint(STOP_TIME_UPDATE.sequence, stop + 1)
      w.message(STOP_TIME_UPDATE.arrival, (event) => event.varint(STOP_TIME_EVENT.time, time))
      w.message(STOP_TIME_UPDATE.departure, (event) => event.varint(STOP_TIME_EVENT.time, time))
      w.string(STOP_TIME_UPDATE.stopId, stopId)
    })
  }
}
