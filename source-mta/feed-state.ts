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
import type { PollOutcome } from './outcome.ts'
import { type ScannedFeed, TooManyEntitiesError, scanFeed } from './scan.ts'
import { TruncatedError } from './wire.ts'

const REGRESSED_MAX = 3

/** Remembers one feed's entities. Everything is bounded by what a body may hold and by the retention time. */
export class FeedState {
  readonly #options: FeedStateOptions
  readonly #memory = newFeedMemory()
  #headerTimestamp: number | undefined
  #bodyHash: string | undefined
  /** The hash of the last body of an earlier run, until the first body of this one. */
  #restoredHash: string | undefined
  #regressed = 0
  #pollSeq = 0
  #offset: SourceOffset

  constructor(options: FeedStateOptions) {
    this.#options = options
    this.#offset = {
      header_ts: null,
      body_hash: null,
      etag: null,
      last_modified: null,
      poll_seq: 0,
    }
  }

  /** Continues after an earlier run: a first body equal to its last one brings nothing. */
  restore(offset: SourceOffset): void {
    const { header_ts: header, body_hash: bodyHash, poll_seq: pollSeq } = offset
    if (typeof header === 'number') this.#headerTimestamp = header
    if (typeof bodyHash === 'string') this.#restoredHash = bodyHash
    if (typeof pollSeq === 'number') this.#pollSeq = pollSeq
    this.#offset = offset
  }

  /** How many vehicles are remembered. */
  get vehicles(): number {
    return this.#memory.vehicle.size
  }

  /** The source offset after the last accepted body: only for the last record of that body. */
  get offset(): SourceOffset {
    return this.#offset
  }

  /** Takes a body in. Never throws for what a server may send. */
  accept(body: FetchedBody): BodyResult {
    const bodyHash = hash('sha256', body.bytes, 'hex')
    if (bodyHash === this.#bodyHash) return nothing('UNCHANGED', 'the same body')
    let feed: ScannedFeed
    try {
      feed = scanFeed(body.bytes, this.#options.entitiesMax)
    } catch (error) {
      return unreadable(error)
    }
    if (this.#isRegressed(feed.header.timestamp)) {
      return nothing(
        'REGRESSED',
        `header ${feed.header.timestamp} is older than ${this.#headerTimestamp}`,
      )
    }
    const isKnownBody = bodyHash === this.#restoredHash
    this.#restoredHash = undefined
    this.#bodyHash = bodyHash
    this.#headerTimestamp = feed.header.timestamp
    this.#pollSeq++
    const vanish = undefined
    const result = readBody(this.#options, this.#memory, { feed, body, isKnownBody, vanish })
    this.#memory.vehicle.forget(body.fetchedAtMs - this.#options.retentionMs)
    this.#offset = {
      header_ts: feed.header.timestamp ?? null,
      body_hash: bodyHash,
      etag: body.etag,
      last_modified: body.lastModified,
      poll_seq: this.#pollSeq,
    }
    return isKnownBody ? { ...result, outcome: 'UNCHANGED' } : result
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
  quality: new Map(),
})
