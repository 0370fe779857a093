// How trip updates are read.
import { type TripPrediction, decodeTripUpdate } from './decode-trip-update.ts'
import type { BodyTally, Candidate, Change, KindReader } from './entity-kind.ts'
import { MODELS } from './message-models.ts'
import { NORTH, readNyct } from './nyct.ts'
import type { Profile } from './profiles.ts'
import type { QualityCode } from './quality.ts'
import { NO_NYCT } from './record-fields.ts'
import { type ScannedEntity, type TripIdentity, peekTripUpdate } from './scan.ts'
import type { TripUpdateEvent } from './trip-update-record.ts'
import { type TripUpdateRules, tripUpdateFlags } from './trip-update-quality.ts'
import { unmodelledFields, withStatedDirection } from './unmodelled.ts'

export interface TripUpdateKindOptions {
  readonly feedId: string
  readonly profile: Profile
  readonly quality: TripUpdateRules
  readonly tally: BodyTally
}

/** Reads the trip updates of one body. */
export class TripUpdateKind implements KindReader<TripPrediction, TripUpdateEvent> {
  readonly kind = 'trip_update'
  readonly keepsDecoded = false
  readonly #options: TripUpdateKindOptions
  /** Trips that more than one entity is about. */
  #shared: ReadonlySet<string> = new Set()

  constructor(options: TripUpdateKindOptions) {
    this.#options = options
  }

  payloadOf(entity: ScannedEntity): Uint8Array | undefined {
    return entity.tripUpdate
  }

  identify(_entity: ScannedEntity, payload: Uint8Array) {
    const tripUpdate = peekTripUpdate(payload)
    const { trip, vehicleId, timestamp } = tripUpdate
    return {
      key: this.#options.profile.tripUpdateKey(tripUpdate),
      timestamp,
      identity: { trip, vehicleId },
    }
  }

  decode(payload: Uint8Array): TripPrediction {
    return decodeTripUpdate(payload)
  }

  prepare(candidates: ReadonlyMap<string, Candidate>): void {
    const seen = new Set<string>()
    const shared = new Set<string>()
    for (const { identity } of candidates.values()) {
      const trip = tripOf(identity.trip)
      if (seen.has(trip)) shared.add(trip)
      seen.add(trip)
    }
    this.#shared = shared
  }

  event(
    { key, entity, payload, identity }: Candidate,
    change: Change<TripPrediction>,
  ): TripUpdateEvent | QualityCode {
    const { feedId, profile, quality, tally } = this.#options
    const { decoded: prediction } = change
    const { trip } = prediction
    const nyct = profile.isSubway ? readNyct(trip) : undefined
    const { tripUpdate: model } = profile.isSubway ? MODELS.nyct : MODELS.plain
    const unmodelled = unmodelledFields(payload, model)
    const hasDirectionConflict = nyct?.hasDirectionConflict === true
    const flags: QualityCode[] = [
      ...tripUpdateFlags(prediction, profile, quality),
      ...change.flags,
      ...(this.#shared.has(tripOf(identity.trip)) ? (['TRIP_MULTI_VEHICLE'] as const) : []),
      ...(hasDirectionConflict ? (['DIRECTION_CONFLICT'] as const) : []),
    ]
    for (const flag of flags) tally.count(flag)
    return {
      kind: 'trip_update',
      entityId: entity.id,
      recordKey: `${feedId}|${key}`,
      eventType: change.eventType,
      contentHash: change.contentHash,
      agencyId: profile.agencyId(prediction.vehicle.vehicleId),
      flags,
      unknownFields: hasDirectionConflict
        ? withStatedDirection(unmodelled, trip.nyct?.direction ?? NORTH)
        : unmodelled,
      prediction,
      trip,
      nyct: nyct?.fields ?? NO_NYCT,
    }
  }
}

const tripOf = ({ tripId, startDate, startTime }: TripIdentity): string =>
  `${tripId}|${startDate}|${startTime}`
