// How vehicles are read: which trip they are on, and where they are.
import { type Trip, type Vehicle, decodeTrip, decodeVehicle } from './decode.ts'
import type { BodyTally, Candidate, Change, KindReader } from './entity-kind.ts'
import type { EntityMemory } from './entity-memory.ts'
import { MODELS } from './message-models.ts'
import type { Motion } from './motion.ts'
import { NORTH, readNyct } from './nyct.ts'
import type { Profile } from './profiles.ts'
import { type QualityCode, qualityFlags, rejection } from './quality.ts'
import { NO_NYCT } from './record-fields.ts'
import {
  type ScannedEntity,
  type TripIdentity,
  peekTripUpdate,
  peekVehicle,
  tripOf,
} from './scan.ts'
import { runOf, sharedRuns } from './shared-trips.ts'
import type { PlacedTrain, SubwayPositions, TrainInput } from './subway-positions.ts'
import { unmodelledFields, withOwnTrip, withStatedDirection } from './unmodelled.ts'
import { type VehicleEvent, type Placed, gpsPosition } from './vehicle-record.ts'

/** What a vehicle is read by, besides its own bytes. */
export interface VehicleKindOptions {
  readonly feedId: string
  readonly profile: Profile
  readonly quality: Parameters<typeof qualityFlags>[3]
  /** All entities of the body. */
  readonly entities: readonly ScannedEntity[]
  /** Undefined: positions are only what the feed says. */
  readonly positions: SubwayPositions | undefined
  /** Undefined: jumps are not looked for. */
  readonly motion: Motion | undefined
  readonly tally: BodyTally
}

/** Reads the vehicles of one body. */
export class VehicleKind implements KindReader<Vehicle, VehicleEvent> {
  readonly kind = 'vehicle'
  readonly keepsDecoded: boolean
  readonly #options: VehicleKindOptions
  #placed: ReadonlyMap<string, PlacedTrain> = new Map()
  #shared: ReadonlySet<string> = new Set()
  #routes: Map<string, string> | undefined

  constructor(options: VehicleKindOptions) {
    this.#options = options
    this.keepsDecoded = options.positions !== undefined
  }

  payloadOf(entity: ScannedEntity): Uint8Array | undefined {
    return entity.vehicle
  }

  identify(entity: ScannedEntity, payload: Uint8Array) {
    const vehicle = peekVehicle(payload)
    const tripUpdate =
      entity.tripUpdate === undefined ? undefined : peekTripUpdate(entity.tripUpdate).trip
    const { trip, vehicleId, timestamp } = vehicle
    const key = this.#options.profile.vehicleKey({ entityId: entity.id, vehicle, tripUpdate })
    return { key, timestamp, identity: { trip, vehicleId } }
  }

  decode(payload: Uint8Array): Vehicle {
    return decodeVehicle(payload)
  }

  /** Places the subway's trains, the unchanged ones too: they go on in the meantime. */
  prepare(candidates: ReadonlyMap<string, Candidate>, memory: EntityMemory<Vehicle>): void {
    const { positions, quality, entities, profile } = this.#options
    // Metro-North's vehicles name the train, which is another one every day.
    if (profile.tripSource === 'vehicle') this.#shared = sharedRuns(candidates.values())
    if (positions === undefined) return
    const trains = new Map<string, TrainInput>()
    for (const { key } of candidates.values()) {
      const vehicle = memory.get(key)?.decoded
      if (vehicle !== undefined) trains.set(key, { vehicle, tripUpdate: undefined })
    }
    for (const { tripUpdate } of entities) {
      const trip = tripUpdate === undefined ? undefined : this.#peekTrip(tripUpdate)
      if (trip?.tripId === undefined) continue
      const key = `${trip.tripId}|${trip.startDate ?? ''}`
      const train = trains.get(key)
      if (train !== undefined) trains.set(key, { ...train, tripUpdate })
    }
    this.#placed = positions.update(trains, quality.times.feedTimestamp)
  }

  event(candidate: Candidate, change: Change<Vehicle>): VehicleEvent | QualityCode {
    const { key, entity, payload, identity } = candidate
    const { profile, quality, feedId, tally } = this.#options
    const { decoded: vehicle } = change
    const rejected = rejection(vehicle, quality.times)
    if (rejected !== undefined) return rejected
    const { trip, flags: tripFlags } = this.#trip(vehicle, entity)
    const nyct = profile.isSubway ? readNyct(trip) : undefined
    const train = this.#placed.get(key)
    const placed = gpsPosition(vehicle) ?? train?.placed
    const flags = [
      ...qualityFlags(vehicle, trip.startDate, profile, quality),
      ...change.flags,
      ...tripFlags,
      ...(nyct?.hasDirectionConflict === true ? (['DIRECTION_CONFLICT'] as const) : []),
      ...(train?.flags ?? []),
      ...(this.#shared.has(runOf(identity.trip) ?? '') ? (['TRIP_MULTI_VEHICLE'] as const) : []),
      ...this.#motionFlags(key, vehicle, placed),
    ]
    for (const flag of flags) tally.count(flag)
    return {
      kind: 'vehicle',
      entityId: entity.id,
      recordKey: `${feedId}|${key}`,
      eventType: change.eventType,
      contentHash: change.contentHash,
      agencyId: profile.agencyId(vehicle.vehicleId),
      flags,
      unknownFields: this.#unknownFields(payload, vehicle, nyct?.hasDirectionConflict === true),
      vehicle,
      trip,
      nyct: nyct?.fields ?? NO_NYCT,
      placed,
    }
  }

  #motionFlags(key: string, vehicle: Vehicle, placed: Placed | undefined): readonly QualityCode[] {
    const { motion, quality } = this.#options
    if (motion === undefined || placed === undefined) return []
    const { feedTimestamp } = quality.times
    const isGps = placed.source === 'GPS'
    return motion.check(key, {
      latitude: placed.latitude,
      longitude: placed.longitude,
      // A train that is placed by stop times is where it is as of the body.
      at: isGps ? (vehicle.timestamp ?? feedTimestamp) : feedTimestamp,
      // Without a status nothing is said: it may be in layover.
      isStanding: !isGps || !isMoving(vehicle.currentStatus),
    })
  }

  #trip(vehicle: Vehicle, entity: ScannedEntity): { trip: Trip; flags: readonly QualityCode[] } {
    const { profile } = this.#options
    if (profile.tripSource === 'trip-update' && entity.tripUpdate !== undefined) {
      const descriptor = tripOf(entity.tripUpdate)
      const trip = descriptor && this.#decodeTrip(descriptor)
      return { trip: trip === undefined ? vehicle.trip : mergeTrips(trip, vehicle.trip), flags: [] }
    }
    const { trip } = vehicle
    if (trip.routeId === '') return { trip, flags: ['ROUTE_UNKNOWN'] }
    if (!profile.fillsRoute || trip.routeId !== undefined) return { trip, flags: [] }
    const routeId = this.#routeOf(trip.tripId)
    if (routeId === undefined) return { trip, flags: ['ROUTE_UNKNOWN'] }
    return { trip: { ...trip, routeId }, flags: ['ROUTE_FILLED'] }
  }

  /** The route that a trip update of this body names for a trip. */
  #routeOf(tripId: string | undefined): string | undefined {
    if (this.#routes === undefined) {
      this.#routes = new Map()
      for (const { tripUpdate } of this.#options.entities) {
        const trip = tripUpdate === undefined ? undefined : this.#peekTrip(tripUpdate)
        if (trip?.tripId !== undefined && trip.routeId !== undefined && trip.routeId !== '') {
          this.#routes.set(trip.tripId, trip.routeId)
        }
      }
    }
    return tripId === undefined ? undefined : this.#routes.get(tripId)
  }

  #unknownFields(payload: Uint8Array, vehicle: Vehicle, hasConflict: boolean): Uint8Array | null {
    const { profile } = this.#options
    const model = profile.isSubway ? MODELS.nyct : MODELS.plain
    const unmodelled = unmodelledFields(payload, model.vehicle)
    if (hasConflict) return withStatedDirection(unmodelled, vehicle.trip.nyct?.direction ?? NORTH)
    // The record's trip is the trip update's: the vehicle's own is kept beside it.
    const own = profile.tripSource === 'trip-update' ? tripOf(payload) : undefined
    return own === undefined ? unmodelled : withOwnTrip(unmodelled, own)
  }

  #decodeTrip(payload: Uint8Array): Trip | undefined {
    try {
      return decodeTrip(payload)
    } catch (error) {
      this.#options.tally.bad(error)
      return undefined
    }
  }

  #peekTrip(tripUpdate: Uint8Array): TripIdentity | undefined {
    try {
      return peekTripUpdate(tripUpdate).trip
    } catch (error) {
      this.#options.tally.bad(error)
      return undefined
    }
  }
}

const isMoving = (status: string | undefined): boolean =>
  status === 'IN_TRANSIT_TO' || status === 'INCOMING_AT'

/** The first one's fields, filled up with the second one's. */
function mergeTrips(first: Trip, second: Trip): Trip {
  return {
    tripId: first.tripId ?? second.tripId,
    routeId: first.routeId ?? second.routeId,
    directionId: first.directionId ?? second.directionId,
    startTime: first.startTime ?? second.startTime,
    startDate: first.startDate ?? second.startDate,
    scheduleRelationship: first.scheduleRelationship ?? second.scheduleRelationship,
    nyct: first.nyct ?? second.nyct,
  }
}
