// What is remembered of one feed, and what is new in a body compared with it. No network, no waiting.
import { hash } from 'node:crypto'
import { DataError } from '../connector/api/errors.ts'
import type { SourceOffset } from '../connector/api/records.ts'
import {
  type BodyResult,
  type FeedStateOptions,
  type FetchedBody,
  newFeedMemory,
  readBody,
} from './body-reading.ts'
import { DEFAULT_LIFE, type EntityLife } from './entity-config.ts'
import type { EntityMemory } from './entity-memory.ts'
import type { VanishRule } from './kind-reading.ts'
import { encodeState, restoreState } from './offset-state.ts'
import type { PollOutcome } from './outcome.ts'
import { type ScannedFeed, TooManyEntitiesError, scanFeed } from './scan.ts'
import { ShrinkGuard } from './shrink-guard.ts'
import { TruncatedError } from './wire.ts'

const REGRESSED_MAX = 3
/** `FeedHeader.Incrementality` */
const DIFFERENTIAL = 1

/** Remembers one feed's entities. Everything is bounded by what a body may hold and by the retention time. */
export class FeedState {
  readonly #options: FeedStateOptions
  readonly #memory = newFeedMemory()
  #headerTimestamp: number | undefined
  #bodyHash: string | undefined
  /** The hash of the last body of an earlier run, until the first body of this one. */
  #restoredHash: string | undefined
  #regressed = 0
  readonly #life: EntityLife
  readonly #guard: ShrinkGuard
  /** Whether the last poll brought a body that could be believed, or the same again. */
  #wasGood = false
  #stateText: string | null = null
  #pollSeq = 0
  #offset: SourceOffset

  constructor(options: FeedStateOptions) {
    this.#options = options
    this.#life = options.life ?? DEFAULT_LIFE
    this.#guard = new ShrinkGuard(this.#life.shrinkRatio)
    this.#offset = {
      header_ts: null,
      body_hash: null,
      etag: null,
      last_modified: null,
      poll_seq: 0,
      state: null,
    }
  }

  /**
   * Continues after an earlier run: only what changed since then is emitted. An offset without a state (of 0.1.0, or
   * of a feed that is too large for one) does so only when the first body is equal to its last one.
   */
  restore(offset: SourceOffset): void {
    const { header_ts: header, body_hash: bodyHash, poll_seq: pollSeq, state } = offset
    if (typeof header === 'number') this.#headerTimestamp = header
    if (typeof bodyHash === 'string') this.#restoredHash = bodyHash
    if (typeof pollSeq === 'number') this.#pollSeq = pollSeq
    const restored = typeof state === 'string' ? restoreState(state, this.#memories()) : undefined
    if (restored !== undefined) this.#guard.restore(restored.entities)
    this.#stateText = restored !== undefined && typeof state === 'string' ? state : null
    this.#offset = offset
  }

  /** How many entities are remembered. */
  get remembered(): number {
    const { vehicle, trip_update: tripUpdate, alert } = this.#memory
    return vehicle.size + tripUpdate.size + alert.size
  }

  /** A poll brought no body: until the next one after it nothing is gone. */
  failed(): void {
    this.#wasGood = false
  }

  /** The source offset after the last accepted body: only for the last record of that body. */
  get offset(): SourceOffset {
    return this.#offset
  }

  /** Takes a body in. Never throws for what a server may send. */
  accept(body: FetchedBody): BodyResult {
    const result = this.#accept(body)
    this.#wasGood = result.outcome === 'OK' || result.outcome === 'UNCHANGED'
    return result
  }

  #accept(body: FetchedBody): BodyResult {
    const bodyHash = hash('sha256', body.bytes, 'hex')
    if (bodyHash === this.#bodyHash) return nothing('UNCHANGED', 'the same body')
    let feed: ScannedFeed
    try {
      feed = scanFeed(body.bytes, this.#options.entitiesMax)
    } catch (error) {
      return unreadable(error)
    }
    const { timestamp } = feed.header
    if (this.#isRegressed(timestamp)) {
      return nothing('REGRESSED', `header ${timestamp} is older than ${this.#headerTimestamp}`)
    }
    const { median } = this.#guard
    if (feed.header.incrementality !== DIFFERENTIAL && this.#guard.isShrunk(countOf(feed))) {
      return nothing('SHRUNK', `${countOf(feed)} entities, usually ${median}`)
    }
    return this.#read(feed, body, bodyHash)
  }

  #read(feed: ScannedFeed, body: FetchedBody, bodyHash: string): BodyResult {
    const isKnownBody = bodyHash === this.#restoredHash
    this.#restoredHash = undefined
    this.#bodyHash = bodyHash
    this.#headerTimestamp = feed.header.timestamp
    this.#pollSeq++
    const vanish = this.#vanishRule(feed, body, isKnownBody)
    const result = readBody(this.#options, this.#memory, { feed, body, isKnownBody, vanish })
    if (vanish === undefined) {
      const before = body.fetchedAtMs - this.#options.retentionMs
      for (const memory of Object.values(this.#memories())) memory.forget(before)
    }
    const feedTimeS = feed.header.timestamp ?? body.fetchedAtMs / 1_000
    this.#options.motion?.forget(feedTimeS - this.#options.retentionMs / 1_000)
    // Without a record no offset is stored, and a state that nobody stores needs not be written.
    if (result.events.length > 0) this.#stateText = this.#newState(body)
    this.#offset = {
      header_ts: feed.header.timestamp ?? null,
      body_hash: bodyHash,
      etag: body.etag,
      last_modified: body.lastModified,
      poll_seq: this.#pollSeq,
      state: this.#stateText,
    }
    return isKnownBody ? { ...result, outcome: 'UNCHANGED' } : result
  }

  #vanishRule(
    feed: ScannedFeed,
    { fetchedAtMs }: FetchedBody,
    isKnownBody: boolean,
  ): VanishRule | undefined {
    const { vanishPolls, vanishAfterMs } = this.#life
    // A DIFFERENTIAL body holds only what changed.
    if (vanishPolls === 0 || feed.header.incrementality === DIFFERENTIAL) return undefined
    // After a bad poll, and at the start, one more body has to say so.
    if (!this.#wasGood || isKnownBody) return { polls: Infinity, unseenSinceMs: undefined }
    const unseenSinceMs = vanishAfterMs === 0 ? undefined : fetchedAtMs - vanishAfterMs
    return { polls: vanishPolls, unseenSinceMs }
  }

  #newState({ fetchedAtMs: atMs }: FetchedBody): string | null {
    const entities = this.#guard.median ?? 0
    return encodeState({ atMs, entities }, this.#memories(), this.#life.stateCharsMax)
  }

  #memories(): Readonly<Record<string, EntityMemory<unknown>>> {
    const { vehicle, trip_update: tripUpdate, alert } = this.#memory
    return { vehicle, trip_update: tripUpdate, alert }
  }

  #isRegressed(timestamp: number | undefined): boolean {
    const last = this.#headerTimestamp
    const isOlder =
      this.#options.profile.clock === 'header' &&
      timestamp !== undefined &&
      last !== undefined &&
      timestamp < last
    this.#regressed = isOlder ? this.#regressed + 1 : 0
    if (this.#regressed < REGRESSED_MAX) return isOlder
    // Three in a row: the producer itself went back.
    this.#regressed = 0
    return false
  }
}

const countOf = (feed: ScannedFeed): number => feed.entities.length + feed.unreadable.length

function unreadable(error: unknown): BodyResult {
  if (error instanceof TruncatedError) return nothing('TRUNCATED', error.message)
  if (error instanceof TooManyEntitiesError) return nothing('TOO_LARGE', error.message)
  if (error instanceof DataError) return nothing('NOT_PROTOBUF', error.message)
  throw error
}

const nothing = (outcome: PollOutcome, reason: string): BodyResult => ({
  outcome,
  reason,
  context: undefined,
  events: [],
  rejected: [],
  badEntities: 0,
  entities: 0,
  filtered: 0,
  quality: new Map(),
})
