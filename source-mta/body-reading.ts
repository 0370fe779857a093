// The reading of one body against what is known of its feed.
import { hash } from 'node:crypto'
import type { BoxRule, EmitMode } from './config-keys.ts'
import { DataError } from '../connector/api/errors.ts'
import { AlertKind } from './alert-kind.ts'
import type { AlertEvent } from './alert-record.ts'
import { type Vehicle, incrementalityName } from './decode.ts'
import type { ServiceAlert } from './decode-alert.ts'
import type { TripPrediction } from './decode-trip-update.ts'
import type { EntityLife } from './entity-config.ts'
import {
  ENTITY_KINDS,
  type BodyContext,
  type BodyTally,
  type EntityKind,
  type KindReader,
  type Rejectable,
  type RejectedEntity,
  type VanishedEvent,
} from './entity-kind.ts'
import { EntityMemory } from './entity-memory.ts'
import { KindReading, type ReadingRules, type VanishRule } from './kind-reading.ts'
import type { Motion } from './motion.ts'
import type { PollOutcome } from './outcome.ts'
import type { Profile } from './profiles.ts'
import { type QualityCode, serviceDayMin } from './quality.ts'
import type { ScannedFeed } from './scan.ts'
import type { SubwayPositions } from './subway-positions.ts'
import { TripUpdateKind } from './trip-update-kind.ts'
import type { TripUpdateEvent } from './trip-update-record.ts'
import { VehicleKind } from './vehicle-kind.ts'
import type { VehicleEvent } from './vehicle-record.ts'

/** How a feed is read. */
export interface FeedStateOptions {
  readonly feedId: string
  readonly profile: Profile
  /** Which entities are emitted; all by default. */
  readonly kinds?: readonly EntityKind[]
  readonly entitiesMax: number
  readonly emitMode: EmitMode
  readonly heartbeatMs: number
  readonly box: BoxRule
  readonly retentionMs: number
  /** Which events are emitted; all by default. */
  readonly selects?: (event: EntityEvent) => boolean
  /** When entities are gone, and what is not believed; the connector's defaults by default. */
  readonly life?: EntityLife
  /** Undefined: positions are only what the feed says. */
  readonly positions: SubwayPositions | undefined
  /** Undefined: jumps are not looked for. */
  readonly motion?: Motion
  /** Write local times into the records; default: no. */
  readonly hasLocalTime?: boolean
}

export interface FetchedBody {
  readonly bytes: Uint8Array
  readonly fetchedAtMs: number
  readonly etag: string | null
  readonly lastModified: string | null
}

/** What is emitted of one entity. */
export type EntityEvent = VehicleEvent | TripUpdateEvent | AlertEvent | VanishedEvent

/** What a body brought. */
export interface BodyResult {
  readonly outcome: PollOutcome
  /** For people; empty when all is well. */
  readonly reason: string
  readonly context: BodyContext | undefined
  readonly events: readonly EntityEvent[]
  readonly rejected: readonly RejectedEntity[]
  /** Entities that could not be read. */
  readonly badEntities: number
  readonly entities: number
  /** Events that nobody has asked for. */
  readonly filtered: number
  /** Rules broken in this body by emitted, rejected or doubled entities. */
  readonly quality: ReadonlyMap<QualityCode, number>
}

/** What is remembered of a feed's entities. */
export interface FeedMemory {
  readonly vehicle: EntityMemory<Vehicle>
  readonly trip_update: EntityMemory<TripPrediction>
  readonly alert: EntityMemory<ServiceAlert>
  /** Hashes of the entities of the last body that could not be read. */
  readonly unreadable: Set<string>
}

export const newFeedMemory = (): FeedMemory => ({
  vehicle: new EntityMemory(),
  trip_update: new EntityMemory(),
  alert: new EntityMemory(),
  unreadable: new Set(),
})

/** A body that was cut into entities, with what its reading depends on. */
export interface BodyToRead {
  readonly feed: ScannedFeed
  readonly body: FetchedBody
  /** Take the state in, but emit nothing. */
  readonly isKnownBody: boolean
  readonly vanish: VanishRule | undefined
}

/** Reads a body. Never throws for what a server may send. */
export function readBody(
  options: FeedStateOptions,
  memory: FeedMemory,
  { feed, body, isKnownBody, vanish }: BodyToRead,
): BodyResult {
  const { feedId, profile, emitMode, heartbeatMs, box, positions, motion } = options
  const tally = new Tally(feed.unreadable, feedId)
  const fetchedAt = body.fetchedAtMs / 1_000
  const feedTimestamp = feed.header.timestamp ?? fetchedAt
  const quality = {
    times: { fetchedAt, feedTimestamp },
    box,
    serviceDayMin: serviceDayMin(feedTimestamp, profile.timeZone),
  }
  const rules: ReadingRules = {
    feedId,
    emitMode,
    heartbeatMs,
    nowMs: body.fetchedAtMs,
    isKnownBody,
    agencyId: profile.agencyId,
    vanish,
    selects: options.selects as ReadingRules['selects'],
  }
  const kinds = options.kinds ?? ENTITY_KINDS
  const { entities } = feed
  const common = { feedId, profile, quality, entities, tally }
  const read = <D, E extends object>(
    reader: KindReader<D, E>,
    known: EntityMemory<D>,
  ): readonly (E | VanishedEvent)[] =>
    kinds.includes(reader.kind) ? new KindReading(reader, known, rules, tally).read(entities) : []
  const events: readonly EntityEvent[] = [
    ...read(new VehicleKind({ ...common, positions, motion }), memory.vehicle),
    ...read(new TripUpdateKind(common), memory.trip_update),
    ...read(new AlertKind(common), memory.alert),
  ]
  return {
    outcome: 'OK',
    reason: '',
    context: {
      feedId,
      feedTimestamp: feed.header.timestamp,
      fetchedAtMs: body.fetchedAtMs,
      incrementality: incrementalityName(feed.header.incrementality),
      feedVersion: feed.header.feedVersion,
      localTimeZone: options.hasLocalTime === true ? profile.timeZone : undefined,
    },
    events,
    rejected: isKnownBody ? [] : newlyRejected(tally, memory),
    badEntities: tally.badEntities,
    entities: entities.length,
    filtered: tally.filtered,
    quality: tally.quality,
  }
}

/** What cannot be read is told once, however long the feed repeats it. */
function newlyRejected(
  { rejected }: Tally,
  { unreadable: known }: FeedMemory,
): readonly RejectedEntity[] {
  const before = new Set(known)
  known.clear()
  return rejected.filter(({ code, kind, bytes }) => {
    if (code !== 'UNREADABLE') return true
    const id = `${kind} ${hash('sha256', bytes, 'hex')}`
    known.add(id)
    return !before.has(id)
  })
}

class Tally implements BodyTally {
  readonly quality = new Map<QualityCode, number>()
  readonly rejected: RejectedEntity[] = []
  badEntities = 0
  filtered = 0
  readonly #feedId: string

  constructor(unreadable: readonly Uint8Array[], feedId: string) {
    this.#feedId = feedId
    for (const bytes of unreadable) {
      this.badEntities++
      const nothingKnown = { kind: undefined, entityId: undefined, recordKey: undefined }
      this.rejected.push({ ...nothingKnown, code: 'UNREADABLE', bytes })
    }
  }

  count(code: QualityCode): void {
    this.quality.set(code, (this.quality.get(code) ?? 0) + 1)
  }

  bad(error: unknown): void {
    if (!(error instanceof DataError)) throw error
    this.badEntities++
  }

  unreadable(kind: EntityKind, error: unknown, candidate: Rejectable): void {
    this.bad(error)
    this.#keep(kind, 'UNREADABLE', candidate)
  }

  filter(): void {
    this.filtered++
  }

  reject(kind: EntityKind, code: QualityCode, candidate: Rejectable): void {
    this.count(code)
    this.#keep(kind, code, candidate)
  }

  #keep(kind: EntityKind, code: RejectedEntity['code'], { entity, key }: Rejectable): void {
    const recordKey = key === undefined ? undefined : `${this.#feedId}|${key}`
    this.rejected.push({ kind, code, entityId: entity.id, recordKey, bytes: entity.bytes })
  }
}
