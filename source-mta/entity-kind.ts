// What the kinds of entities of a feed have in common: how one is read, and what is emitted of it.
import type { EntityMemory } from './entity-memory.ts'
import type { QualityCode } from './quality.ts'
import type { ScannedEntity, TripIdentity } from './scan.ts'

/** The entities of GTFS-realtime that become records. */
export type EntityKind = 'vehicle' | 'trip_update' | 'alert'
export const ENTITY_KINDS: readonly EntityKind[] = ['vehicle', 'trip_update', 'alert']

/** Why a record was emitted. */
export type EventType = 'SNAPSHOT' | 'CHANGED' | 'HEARTBEAT' | 'VANISHED'

/** What all records of one body share. */
export interface BodyContext {
  readonly feedId: string
  /** Seconds since the Unix epoch; undefined when the header has none. */
  readonly feedTimestamp: number | undefined
  readonly fetchedAtMs: number
  readonly incrementality: string | undefined
  readonly feedVersion: string | undefined
  /** IANA zone for local times in the records; undefined: they have none. */
  readonly localTimeZone: string | undefined
}

/** The fields that records of every kind begin with, as far as they differ within a body. */
export interface Envelope {
  readonly entityId: string
  /** `feed_id|key of the entity`. */
  readonly recordKey: string
  readonly eventType: EventType
  readonly contentHash: string
  readonly agencyId: string | undefined
  readonly flags: readonly string[]
  readonly unknownFields: Uint8Array | null
}

/** Which trip and vehicle an entity is about, as far as it says. */
export interface EntityIdentity {
  readonly trip: TripIdentity
  readonly vehicleId: string | undefined
}

/** An entity that is gone. */
export interface VanishedEvent extends Envelope {
  readonly kind: 'vanished'
  readonly of: EntityKind
  /** As last seen; empty of one that was last seen by an earlier run. */
  readonly identity: EntityIdentity
}

/** One entity of a body, before it is decoded. */
export interface Candidate {
  readonly key: string
  readonly entity: ScannedEntity
  readonly payload: Uint8Array
  /** When it was observed, seconds since the Unix epoch. */
  readonly timestamp: number | undefined
  readonly identity: EntityIdentity
}

/** A candidate that is to be emitted. */
export interface Change<Decoded> {
  readonly eventType: EventType
  readonly contentHash: string
  readonly decoded: Decoded
  readonly flags: readonly QualityCode[]
}

/** An entity that a rule keeps out, or that cannot be decoded. */
export interface RejectedEntity {
  /** Undefined: not even that could be read. */
  readonly kind: EntityKind | undefined
  readonly code: QualityCode | 'UNREADABLE'
  /** Undefined: it could not be read. */
  readonly entityId: string | undefined
  /** Undefined when the entity has no key. */
  readonly recordKey: string | undefined
  /** The whole FeedEntity as received. */
  readonly bytes: Uint8Array
}

/** Counts what is odd in one body. */
export interface BodyTally {
  count(code: QualityCode): void
  /** Counts a part of an entity that cannot be read; throws what is no `DataError`. */
  bad(error: unknown): void
  /** Counts an entity that cannot be read, and keeps it as received; throws what is no `DataError`. */
  unreadable(kind: EntityKind, error: unknown, candidate: Rejectable): void
  /** Counts an event that nobody has asked for. */
  filter(): void
  reject(kind: EntityKind, code: QualityCode, candidate: Rejectable): void
}

/** What is known of an entity that is kept out. */
export type Rejectable = Pick<Candidate, 'entity'> & { readonly key?: string }

/** How the entities of one kind are read. Made for one body. */
export interface KindReader<Decoded, Event extends object> {
  readonly kind: EntityKind
  /** Whether what was decoded of unchanged entities is needed at every body. */
  readonly keepsDecoded: boolean
  payloadOf(entity: ScannedEntity): Uint8Array | undefined
  /** Reads key and time without decoding. Throws `DataError`. A key of undefined: it has none. */
  identify(
    entity: ScannedEntity,
    payload: Uint8Array,
  ): {
    readonly key: string | undefined
    readonly timestamp: number | undefined
    readonly identity: EntityIdentity
  }
  /** Throws `DataError`. */
  decode(payload: Uint8Array): Decoded
  /** Called once, when it is known which entities there are. */
  prepare(candidates: ReadonlyMap<string, Candidate>, memory: EntityMemory<Decoded>): void
  /** The event, or why there is none. Throws `DataError`. */
  event(candidate: Candidate, change: Change<Decoded>): Event | QualityCode
}

export const NOBODY: EntityIdentity = { trip: {}, vehicleId: undefined }
