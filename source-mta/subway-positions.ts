// Where subway trains are. The feeds hold no coordinates and, in the B division, say STOPPED_AT the last station
// until the next one is reached; so a train is placed between the last stop it was seen at and the next one, by
// the times of its trip update, along the track.
import { DataError } from '../connector/api/errors.ts'
import { type StopTime, type Vehicle, decodeStopTimes } from './decode.ts'
import type { QualityCode } from './quality.ts'
import type { Leg, SubwayGeometry } from './subway-geometry.ts'
import { degrees } from './record-fields.ts'
import type { Placed, PositionSource } from './vehicle-record.ts'

/** How long a train stands at a station when nobody says. */
const DWELL_S = 25
/** A train waits before the platform until it is reported there. */
const FRACTION_MAX = 0.95
const LATE_AFTER_S = 30
const STALLED_AFTER_S = 90
const LEG_MIN_S = 15
/** Bodies after which a train that is gone is forgotten. */
const FORGET_AFTER_UPDATES = 240

export interface TrainInput {
  readonly vehicle: Vehicle
  /** The payload of the trip's update in the same body. */
  readonly tripUpdate: Uint8Array | undefined
}

/** A train's place and what is odd about it. */
export interface PlacedTrain {
  /** Undefined: nobody knows where. */
  readonly placed: Placed | undefined
  readonly flags: readonly QualityCode[]
}

/** What is remembered of one train from body to body. */
interface Memory {
  seenAt: number
  tripUpdate: Uint8Array | undefined
  stopTimes: readonly StopTime[]
  /** The stop it was last reported at, and since when. */
  arrivedStop: string | undefined
  arrivedAtS: number
  /** The stop that was next before, and the one before that with its departure. */
  nextStop: string | undefined
  nextDepartureS: number | undefined
  leftStop: string | undefined
  leftAtS: number
  leg: string
  fraction: number
}

/** A stretch with the times at its ends, in seconds since the Unix epoch. */
interface Course {
  readonly from: string | undefined
  readonly to: StopTime | undefined
  readonly t0: number
  /** True while it stands at `from`. */
  readonly isStanding: boolean
}

/** Places the trains of one feed. Needs every body in order; everything is bounded by the trains of a body. */
export class SubwayPositions {
  readonly #geometry: SubwayGeometry
  readonly #memories = new Map<string, Memory>()
  #updates = 0

  constructor(geometry: SubwayGeometry) {
    this.#geometry = geometry
  }

  /** Takes a body's trains by key, as of its header's time; an unassigned trip is no train and has no place. */
  update(
    trains: ReadonlyMap<string, TrainInput>,
    headerS: number,
  ): ReadonlyMap<string, PlacedTrain> {
    this.#updates++
    const placed = new Map<string, PlacedTrain>()
    for (const [key, train] of trains) {
      if (train.vehicle.trip.nyct?.isAssigned !== true) continue
      const memory = this.#remember(key, train)
      const place = this.#place(train.vehicle, memory, headerS)
      if (place !== undefined) placed.set(key, place)
    }
    for (const [key, { seenAt }] of this.#memories) {
      if (this.#updates - seenAt > FORGET_AFTER_UPDATES) this.#memories.delete(key)
    }
    return placed
  }

  #remember(key: string, { tripUpdate }: TrainInput): Memory {
    const memory = this.#memories.get(key) ?? newMemory()
    this.#memories.set(key, memory)
    memory.seenAt = this.#updates
    const isSame =
      tripUpdate !== undefined &&
      memory.tripUpdate !== undefined &&
      Buffer.compare(tripUpdate, memory.tripUpdate) === 0
    if (!isSame) {
      // A copy: a view would keep the whole body.
      memory.tripUpdate = tripUpdate?.slice()
      memory.stopTimes = tripUpdate === undefined ? [] : stopTimesOf(tripUpdate)
    }
    return memory
  }

  #place(vehicle: Vehicle, memory: Memory, headerS: number): PlacedTrain | undefined {
    const seenS = vehicle.timestamp ?? headerS
    const course =
      vehicle.currentStatus === 'STOPPED_AT' && vehicle.stopId !== undefined
        ? this.#courseFromStop(vehicle.stopId, seenS, memory, headerS)
        : this.#courseToStop(vehicle, memory, headerS)
    const flags: QualityCode[] = headerS - seenS > STALLED_AFTER_S ? ['STALLED'] : []
    const { stopId } = vehicle
    if (stopId !== undefined && this.#geometry.stop(stopId) === undefined)
      flags.push('STOP_UNKNOWN')
    const leg = this.#leg(vehicle, course)
    if (leg !== undefined) return this.#onLeg(leg, course, { memory, headerS, flags })
    const placed = this.#offTrack(course)
    return placed === undefined && flags.length === 0 ? undefined : { placed, flags }
  }

  /** It was last reported at a stop: it stands there, or has left for the next one. */
  #courseFromStop(stopId: string, seenS: number, memory: Memory, headerS: number): Course {
    const { stopTimes } = memory
    const index = stopTimes.findIndex((time) => time.stopId === stopId)
    const here = stopTimes[index]
    const to = index >= 0 ? stopTimes[index + 1] : stopTimes[0]
    if (memory.arrivedStop !== stopId) {
      memory.arrivedStop = stopId
      memory.arrivedAtS = Math.min(seenS, here?.arrival ?? seenS, headerS)
    }
    memory.nextStop = to?.stopId
    memory.nextDepartureS = to?.departure ?? to?.arrival
    if (here?.departure !== undefined && here.departure > headerS) {
      return { from: stopId, to, t0: here.departure, isStanding: true }
    }
    // A departure in the past is no departure: the feed moves it on while the train is near the station.
    const t0 = memory.arrivedAtS + DWELL_S
    const hasJustCome = headerS - seenS < DWELL_S && headerS - memory.arrivedAtS < DWELL_S
    return { from: stopId, to, t0, isStanding: hasJustCome || to === undefined }
  }

  /** It is on its way to a stop. */
  #courseToStop(vehicle: Vehicle, memory: Memory, headerS: number): Course {
    const to =
      memory.stopTimes.find(({ stopId }) => stopId === vehicle.stopId) ?? memory.stopTimes[0]
    if (memory.arrivedStop !== undefined) {
      memory.leftStop = memory.arrivedStop
      memory.leftAtS = headerS
      memory.arrivedStop = undefined
    } else if (memory.nextStop !== undefined && memory.nextStop !== to?.stopId) {
      memory.leftStop = memory.nextStop
      memory.leftAtS = Math.min(headerS, memory.nextDepartureS ?? headerS)
    }
    memory.nextStop = to?.stopId
    memory.nextDepartureS = to?.departure ?? to?.arrival
    if (to === undefined) {
      return { from: vehicle.stopId, to, t0: headerS, isStanding: vehicle.stopId !== undefined }
    }
    if (memory.leftStop !== undefined && memory.leftStop !== to.stopId) {
      return { from: memory.leftStop, to, t0: memory.leftAtS, isStanding: false }
    }
    // First sight in mid-way: it comes from where most trains come from.
    const from = this.#geometry.predecessor(to.stopId, vehicle.trip.routeId)
    const leg = from && this.#leg(vehicle, { from, to, t0: headerS, isStanding: false })
    const t0 = leg && to.arrival !== undefined ? to.arrival - leg.runS : headerS
    memory.leftStop = from
    memory.leftAtS = Math.min(t0, headerS)
    return { from, to, t0: memory.leftAtS, isStanding: false }
  }

  #leg(vehicle: Vehicle, { from, to }: Course): Leg | undefined {
    if (from === undefined || to === undefined) return undefined
    const { tripId, routeId } = vehicle.trip
    return this.#geometry.leg({ tripId: tripId ?? '', routeId, from, to: to.stopId })
  }

  #onLeg(
    leg: Leg,
    course: Course,
    at: { readonly memory: Memory; readonly headerS: number; readonly flags: QualityCode[] },
  ): PlacedTrain | undefined {
    const { memory, headerS, flags } = at
    const t1 = Math.max(course.to?.arrival ?? course.t0 + leg.runS, course.t0 + LEG_MIN_S)
    const key = `${leg.shapeId}|${leg.fromStopId}|${leg.toStopId}`
    if (memory.leg !== key) {
      memory.leg = key
      memory.fraction = 0
    }
    const elapsed = course.isStanding ? 0 : (headerS - course.t0) / (t1 - course.t0)
    const fraction = Math.max(memory.fraction, Math.min(Math.max(elapsed, 0), FRACTION_MAX))
    memory.fraction = fraction
    if (fraction >= FRACTION_MAX && headerS > t1 + LATE_AFTER_S) flags.push('LATE')
    const point = this.#geometry.at(leg.shapeId, leg.d0 + fraction * (leg.d1 - leg.d0))
    if (point === undefined) return undefined
    return {
      placed: {
        latitude: degrees(point.latitude),
        longitude: degrees(point.longitude),
        bearing: Math.round(point.bearing * 10) / 10,
        source: course.isStanding && fraction === 0 ? 'AT_STOP' : 'INTERPOLATED',
        anchor: {
          shape_id: leg.shapeId,
          from_stop_id: leg.fromStopId,
          to_stop_id: leg.toStopId,
          d0_m: leg.d0,
          d1_m: leg.d1,
          t0: new Date(course.t0 * 1_000),
          t1: new Date(t1 * 1_000),
        },
      },
      flags,
    }
  }

  /** For want of a track: at the stop where it stands, else at the next one, else at the last one. */
  #offTrack({ from, to, isStanding }: Course): Placed | undefined {
    const next = to === undefined || isStanding ? undefined : this.#geometry.stop(to.stopId)
    const last = from === undefined ? undefined : this.#geometry.stop(from)
    const source: PositionSource = next === undefined ? 'AT_STOP' : 'NEXT_STOP'
    const stop = next ?? last
    return stop && { ...stop, bearing: null, source, anchor: null }
  }
}

const newMemory = (): Memory => ({
  seenAt: 0,
  tripUpdate: undefined,
  stopTimes: [],
  arrivedStop: undefined,
  arrivedAtS: 0,
  nextStop: undefined,
  nextDepartureS: undefined,
  leftStop: undefined,
  leftAtS: 0,
  leg: '',
  fraction: 0,
})

/** None for an update that cannot be read; the train is drawn at its stop then. */
function stopTimesOf(tripUpdate: Uint8Array): readonly StopTime[] {
  try {
    return decodeStopTimes(tripUpdate)
  } catch (error) {
    if (error instanceof DataError) return []
    throw error
  }
}
