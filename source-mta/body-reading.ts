// The reading of one body against what is known of its feed.
import { hash } from 'node:crypto'
import { DataError } from '../connector/api/errors.ts'
import type { BoxRule, EmitMode } from './config.ts'
import { type Trip, type Vehicle, decodeTrip, decodeVehicle, incrementalityName } from './decode.ts'
import { readNyct } from './nyct.ts'
import type { PollOutcome } from './outcome.ts'
import type { Profile } from './profiles.ts'
import { type QualityCode, type Times, qualityFlags, rejection, serviceDayMin } from './quality.ts'
import {
  type ScannedEntity,
  type ScannedFeed,
  peekTripUpdate,
  peekVehicle,
  tripOf,
} from './scan.ts'
import type { PlacedTrain, SubwayPositions, TrainInput } from './subway-positions.ts'
import { unmodelledFields } from './unmodelled.ts'
import {
  type BodyContext,
  type EventType,
  NO_NYCT,
  type VehicleEvent,
  gpsPosition,
} from './vehicle-record.ts'

/** How a feed is read. */
export interface FeedStateOptions {
  readonly feedId: string
  readonly profile: Profile
  readonly entitiesMax: number
  readonly emitMode: EmitMode
  readonly heartbeatMs: number
  readonly box: BoxRule
  readonly retentionMs: number
  /** Undefined: positions are only what the feed says. */
  readonly positions: SubwayPositions | undefined
}

export interface FetchedBody {
  readonly bytes: Uint8Array
  readonly fetchedAtMs: number
  readonly etag: string | null
  readonly lastModified: string | null
}

/** What a body brought. */
export interface BodyResult {
  readonly outcome: PollOutcome
  /** For people; empty when all is well. */
  readonly reason: string
  readonly context: BodyContext | undefined
  readonly events: readonly VehicleEvent[]
  /** Entities that could not be read. */
  readonly badEntities: number
  readonly entities: number
  /** Rules broken in this body by emitted, rejected or doubled vehicles. */
  readonly quality: ReadonlyMap<QualityCode, number>
}

/** What is remembered of one vehicle. */
export interface Known {
  contentHash: string
  timestamp: number | undefined
  seenAtMs: number
  emittedAtMs: number
  /** The decoded vehicle, while positions need it at every body. */
  vehicle: Vehicle | undefined
}

/** One vehicle of a body, before it is decoded. */
interface Candidate {
  readonly key: string
  readonly entity: ScannedEntity
  readonly payload: Uint8Array
  readonly timestamp: number | undefined
}

/** Used once. */
export class BodyReading {
  readonly #options: FeedStateOptions
  readonly #known: Map<string, Known>
  readonly #feed: ScannedFeed
  readonly #body: FetchedBody
  readonly #times: Times
  readonly #serviceDayMin: string
  readonly #quality = new Map<QualityCode, number>()
  #badEntities: number
  #routes: Map<string, string> | undefined

  constructor(
    options: FeedStateOptions,
    known: Map<string, Known>,
    feed: ScannedFeed,
    body: FetchedBody,
  ) {
    this.#options = options
    this.#known = known
    this.#feed = feed
    this.#body = body
    this.#badEntities = feed.badEntities
    const fetchedAt = body.fetchedAtMs / 1_000
    const feedTimestamp = feed.header.timestamp ?? fetchedAt
    this.#times = { fetchedAt, feedTimestamp }
    this.#serviceDayMin = serviceDayMin(feedTimestamp, options.profile.timeZone)
  }

  /** `isKnownBody`: take the state in, but emit nothing. */
  read(isKnownBody: boolean): BodyResult {
    const { feedId } = this.#options
    const candidates = this.#candidates()
    const changed: { readonly candidate: Candidate; readonly event: Changed }[] = []
    for (const candidate of candidates.values()) {
      const event = this.#compare(candidate, isKnownBody)
      if (event !== undefined) changed.push({ candidate, event })
    }
    const placed = this.#place(candidates)
    const events = changed.flatMap(({ candidate, event }) =>
      this.#event(candidate, event, placed.get(candidate.key)),
    )
    return {
      outcome: 'OK',
      reason: '',
      context: {
        feedId,
        feedTimestamp: this.#feed.header.timestamp,
        fetchedAtMs: this.#body.fetchedAtMs,
        incrementality: incrementalityName(this.#feed.header.incrementality),
        feedVersion: this.#feed.header.feedVersion,
      },
      events: isKnownBody ? [] : events,
      badEntities: this.#badEntities,
      entities: this.#feed.entities.length,
      quality: this.#quality,
    }
  }

  /** The vehicles of the body by key; of several with one key the newest, the first on a tie. */
  #candidates(): ReadonlyMap<string, Candidate> {
    const candidates = new Map<string, Candidate>()
    for (const entity of this.#feed.entities) {
      if (entity.vehicle === undefined || entity.isDeleted) continue
      const candidate = this.#candidate(entity, entity.vehicle)
      if (candidate === undefined) continue
      const rival = candidates.get(candidate.key)
      if (rival !== undefined) this.#count('DUP_IN_MESSAGE')
      if (rival === undefined || isNewer(candidate.timestamp, rival.timestamp)) {
        candidates.set(candidate.key, candidate)
      }
    }
    return candidates
  }

  #candidate(entity: ScannedEntity, payload: Uint8Array): Candidate | undefined {
    try {
      const vehicle = peekVehicle(payload)
      const tripUpdate =
        entity.tripUpdate === undefined ? undefined : peekTripUpdate(entity.tripUpdate)
      const key = this.#options.profile.vehicleKey({ entityId: entity.id, vehicle, tripUpdate })
      if (key === undefined) {
        this.#count('REQ_MISSING')
        return undefined
      }
      return { key, entity, payload, timestamp: vehicle.timestamp }
    } catch (error) {
      this.#bad(error)
      return undefined
    }
  }

  /** What there is to emit of a vehicle; notes that it was seen. */
  #compare(candidate: Candidate, isKnownBody: boolean): Changed | undefined {
    const { emitMode, heartbeatMs, positions } = this.#options
    const { key, payload, timestamp } = candidate
    const nowMs = this.#body.fetchedAtMs
    const contentHash = hash('sha256', payload, 'hex')
    const known = this.#known.get(key)
    if (known?.contentHash === contentHash) {
      known.seenAtMs = nowMs
      const isDue =
        emitMode === 'all' ||
        (emitMode === 'changed+heartbeat' && nowMs - known.emittedAtMs >= heartbeatMs)
      if (!isDue || isKnownBody) return undefined
      known.emittedAtMs = nowMs
      const vehicle = known.vehicle ?? this.#decode(payload)
      return vehicle && { eventType: 'HEARTBEAT', contentHash, vehicle, flags: [] }
    }
    const vehicle = this.#decode(payload)
    if (vehicle === undefined) return undefined
    const isOld =
      timestamp !== undefined && known?.timestamp !== undefined && timestamp < known.timestamp
    this.#known.set(key, {
      contentHash,
      timestamp: isOld ? known.timestamp : timestamp,
      seenAtMs: nowMs,
      emittedAtMs: nowMs,
      vehicle: positions === undefined ? undefined : vehicle,
    })
    const eventType = known === undefined ? 'SNAPSHOT' : 'CHANGED'
    return { eventType, contentHash, vehicle, flags: isOld ? ['OUT_OF_ORDER'] : [] }
  }

  #event(
    { key, entity, payload }: Candidate,
    changed: Changed,
    placed: PlacedTrain | undefined,
  ): readonly VehicleEvent[] {
    const { profile, box, feedId } = this.#options
    const { vehicle } = changed
    const rejected = rejection(vehicle, this.#times)
    if (rejected !== undefined) {
      this.#count(rejected)
      return []
    }
    const { trip, flags: tripFlags } = this.#trip(vehicle, entity)
    const nyct = profile.isSubway ? readNyct(trip) : undefined
    const flags = [
      ...qualityFlags(vehicle, trip.startDate, profile, {
        times: this.#times,
        box,
        serviceDayMin: this.#serviceDayMin,
      }),
      ...changed.flags,
      ...tripFlags,
      ...(nyct?.hasDirectionConflict === true ? (['DIRECTION_CONFLICT'] as const) : []),
      ...(placed?.flags ?? []),
    ]
    for (const flag of flags) this.#count(flag)
    return [
      {
        entityId: entity.id,
        recordKey: `${feedId}|${key}`,
        eventType: changed.eventType,
        contentHash: changed.contentHash,
        agencyId: profile.agencyId(vehicle.vehicleId),
        flags,
        unknownFields: this.#unmodelled(payload),
        vehicle,
        trip,
        nyct: nyct?.fields ?? NO_NYCT,
        placed: gpsPosition(vehicle) ?? placed?.placed,
      },
    ]
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
      for (const { tripUpdate } of this.#feed.entities) {
        const trip = tripUpdate === undefined ? undefined : this.#peekTrip(tripUpdate)
        if (trip?.tripId !== undefined && trip.routeId !== undefined && trip.routeId !== '') {
          this.#routes.set(trip.tripId, trip.routeId)
        }
      }
    }
    return tripId === undefined ? undefined : this.#routes.get(tripId)
  }

  #place(candidates: ReadonlyMap<string, Candidate>): ReadonlyMap<string, PlacedTrain> {
    const { positions } = this.#options
    if (positions === undefined) return new Map()
    const trains = new Map<string, TrainInput>()
    for (const { key } of candidates.values()) {
      const vehicle = this.#known.get(key)?.vehicle
      if (vehicle !== undefined) trains.set(key, { vehicle, tripUpdate: undefined })
    }
    for (const { tripUpdate } of this.#feed.entities) {
      const trip = tripUpdate === undefined ? undefined : this.#peekTrip(tripUpdate)
      if (trip?.tripId === undefined) continue
      const key = `${trip.tripId}|${trip.startDate ?? ''}`
      const train = trains.get(key)
      if (train !== undefined) trains.set(key, { ...train, tripUpdate })
    }
    return positions.update(trains, this.#times.feedTimestamp)
  }

  #decode(payload: Uint8Array): Vehicle | undefined {
    try {
      return decodeVehicle(payload)
    } catch (error) {
      this.#bad(error)
      return undefined
    }
  }

  #unmodelled(payload: Uint8Array): Uint8Array | null {
    try {
      return unmodelledFields(payload)
    } catch (error) {
      this.#bad(error)
      return null
    }
  }

  #decodeTrip(payload: Uint8Array): Trip | undefined {
    try {
      return decodeTrip(payload)
    } catch (error) {
      this.#bad(error)
      return undefined
    }
  }

  #peekTrip(tripUpdate: Uint8Array): ReturnType<typeof peekTripUpdate> | undefined {
    try {
      return peekTripUpdate(tripUpdate)
    } catch (error) {
      this.#bad(error)
      return undefined
    }
  }

  #bad(error: unknown): void {
    if (!(error instanceof DataError)) throw error
    this.#badEntities++
  }

  #count(code: QualityCode): void {
    this.#quality.set(code, (this.#quality.get(code) ?? 0) + 1)
  }
}

interface Changed {
  readonly eventType: EventType
  readonly contentHash: string
  readonly vehicle: Vehicle
  readonly flags: readonly QualityCode[]
}

const isNewer = (a: number | undefined, b: number | undefined): boolean =>
  (a ?? -Infinity) > (b ?? -Infinity)

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
