// What a poller knows of a feed's format: bodies go in, records come out.
import type { SourceOffset } from '../connector/api/records.ts'
import type { Schema } from '../connector/api/schema.ts'
import type { PollOutcome } from './outcome.ts'
import type { QualityCode } from './quality.ts'

/** One answer's body, complete and decompressed. */
export interface FetchedBody {
  readonly bytes: Uint8Array
  readonly fetchedAtMs: number
  readonly etag: string | null
  readonly lastModified: string | null
}

/** A record before it has a source partition and an offset. A null schema and value: a tombstone. */
export interface FeedRecord {
  readonly topic: string
  readonly key: string
  readonly valueSchema: Schema | null
  readonly value: unknown
}

/** An entity that a rule rejects: it goes to the dead letters as it was received. */
export interface RejectedEntity {
  /** As its record's would have been; the feed's id when it has none. */
  readonly key: string
  readonly code: RejectionCode
  /** For people: what, expected and got. */
  readonly reason: string
  readonly entity: Uint8Array
}

/** A quality rule, or that the entity cannot be decoded at all. */
export type RejectionCode = QualityCode | 'UNREADABLE'

/** What a body brought. */
export interface Reading {
  readonly outcome: PollOutcome
  /** For people; empty when all is well. */
  readonly reason: string
  readonly records: readonly FeedRecord[]
  readonly rejected: readonly RejectedEntity[]
  /** Records that the selection left out. */
  readonly filtered: number
  readonly entities: number
  /** Entities that could not be read. */
  readonly badEntities: number
  /** Entities that were held against the quality rules: those that are new or changed, and the rejected. */
  readonly checked: number
  /** How many of them broke no rule. */
  readonly clean: number
  /** How often each rule was broken. */
  readonly quality: ReadonlyMap<QualityCode, number>
  /** The body's own time, seconds since the Unix epoch. */
  readonly feedTimestamp: number | undefined
  /** SHA-256, hex; undefined for a body that was not accepted. */
  readonly bodyHash: string | undefined
  /** Differs when any entity does, whatever the header says. */
  readonly contentHash: string
}

/** Remembers one feed. No network, no waiting. */
export interface FeedReader {
  /** Continues after an earlier run. */
  restore(offset: SourceOffset): void
  /** The source offset after the last accepted body: only for the last record of that body. */
  readonly offset: SourceOffset
  /** How many things are remembered. */
  readonly remembered: number
  /** A poll brought no body. */
  failed?(): void
  /** Takes a body in. Never throws for what a server may send. */
  accept(body: FetchedBody): Reading
}

/** A reading of a body that brought nothing. */
export const noReading = (outcome: PollOutcome, reason: string): Reading => ({
  outcome,
  reason,
  records: [],
  rejected: [],
  filtered: 0,
  entities: 0,
  badEntities: 0,
  checked: 0,
  clean: 0,
  quality: new Map(),
  feedTimestamp: undefined,
  bodyHash: undefined,
  contentHash: '',
})
