// One feed of a task: asked when it is due, one request at a time, its bodies taken into its state.
import type { Clock, Random } from '../connector/api/clock.ts'
import type { PluginLogger } from '../connector/api/plugin-metrics.ts'
import type { Header, SourceOffset, SourceRecord } from '../connector/api/records.ts'
import type { FeedSpec } from './config.ts'
import { withoutSecret } from './feed-auth.ts'
import { FRESHNESS_CODES, FeedFreshness, type FreshnessCode } from './feed-freshness.ts'
import type { FeedHealth } from './feed-health.ts'
import type { FeedMetrics } from './feed-metrics.ts'
import {
  DEAD_LETTER_SCHEMA,
  type Poll,
  deadLetterHeaders,
  feedPollValue,
  pollId,
} from './feed-poll.ts'
import { type FeedReader, type FeedRecord, type Reading, noReading } from './feed-reader.ts'
import { type Fetched, type Validators, fetchFeed } from './fetch-feed.ts'
import type { HttpGet } from './fetch-http.ts'
import { isGood } from './outcome.ts'
import { PollSchedule } from './poll-schedule.ts'
import { FEED_POLL_SCHEMA, KEY_SCHEMA } from './record-schemas.ts'
import type { Topics } from './topics.ts'

const NO_VALIDATORS: Validators = { etag: null, lastModified: null }

export interface PollerDeps {
  readonly http: HttpGet
  readonly clock: Clock
  readonly random: Random
  readonly log: PluginLogger
  readonly metrics: FeedMetrics
  readonly health: FeedHealth
}

export interface PollerOptions {
  readonly feed: FeedSpec
  readonly topics: Topics
  /** Write a FeedPoll record of each poll. */
  readonly writesPolls: boolean
  readonly jitter: number
  /** A header older than this is old; undefined: its clock cannot be believed. */
  readonly headerStaleAfterMs: number | undefined
  /** When to ask first, milliseconds since the Unix epoch. */
  readonly startAtMs: number
}

/** A request that is under way, or its answer. */
interface Flight {
  readonly startedAtMs: number
  landed: Promise<void>
  fetched: Fetched | undefined
}

/** The worker's partition of a feed. */
export const sourcePartition = (feed: string): { readonly feed: string } => ({ feed })

export class FeedPoller {
  readonly #options: PollerOptions
  readonly #deps: PollerDeps
  readonly #reader: FeedReader
  readonly #schedule: PollSchedule
  readonly #freshness: FeedFreshness
  #validators = NO_VALIDATORS
  #polls = 0
  /** When a feed with a floor was asked last, also by an earlier run. */
  #askedAtMs: number | undefined
  #warned: ReadonlySet<FreshnessCode> = new Set()
  #flight: Flight | undefined

  constructor(options: PollerOptions, reader: FeedReader, deps: PollerDeps) {
    this.#options = options
    this.#deps = deps
    this.#reader = reader
    this.#freshness = new FeedFreshness(options.headerStaleAfterMs)
    const { feed, jitter, startAtMs } = options
    this.#askedAtMs = askedAt(reader.offset)
    const earliestMs = this.#askedAtMs === undefined ? 0 : this.#askedAtMs + feed.pollFloorMs
    this.#schedule = new PollSchedule(
      {
        pollIntervalMs: feed.pollIntervalMs,
        backoffMaxMs: feed.backoffMaxMs,
        floorMs: feed.pollFloorMs,
        jitter,
        random: deps.random,
      },
      Math.max(startAtMs, earliestMs),
    )
  }

  get feedId(): string {
    return this.#options.feed.id
  }

  /** Resolves once the request under way is answered; undefined when there is none. Never rejects. */
  get landing(): Promise<void> | undefined {
    return this.#flight?.landed
  }

  /** When the next request is to be made; undefined while one is under way. */
  get dueAtMs(): number | undefined {
    return this.#flight === undefined ? this.#schedule.dueAtMs : undefined
  }

  /** Makes the request, if it is due. It goes on until it is answered, timed out, or `signal` aborts. */
  launch(nowMs: number, signal: AbortSignal): void {
    if (this.#flight !== undefined || this.#schedule.dueAtMs > nowMs) return
    const flight: Flight = { startedAtMs: nowMs, landed: Promise.resolve(), fetched: undefined }
    flight.landed = this.#ask(flight, signal)
    this.#flight = flight
  }

  async #ask(flight: Flight, signal: AbortSignal): Promise<void> {
    flight.fetched = await fetchFeed(this.#options.feed, this.#validators, this.#deps, signal)
  }

  /** The new records, if a request was answered meanwhile; undefined otherwise. */
  collect(): readonly SourceRecord[] | undefined {
    const fetched = this.#flight?.fetched
    if (this.#flight === undefined || fetched === undefined) return undefined
    const { startedAtMs } = this.#flight
    this.#flight = undefined
    this.#polls++
    const before = this.#offset()
    if (this.#options.feed.pollFloorMs > 0) this.#askedAtMs = startedAtMs
    const reading = this.#read(fetched)
    const { outcome, reason } = reading
    this.#schedule.done(
      outcome,
      { startedAtMs, endedAtMs: fetched.fetchedAtMs },
      fetched.retryAfterMs,
    )
    this.#deps.metrics.polled(this.feedId, outcome, fetched)
    if (isGood(outcome)) this.#succeeded(reading, fetched)
    else this.#failed({ outcome, reason })
    const freshness = this.#freshness.at(fetched.fetchedAtMs)
    this.#warn(freshness.codes)
    this.#deps.metrics.aged(this.feedId, freshness)
    return this.#records(
      {
        feedId: this.feedId,
        seq: this.#polls,
        startedAtMs,
        fetched,
        reading,
        freshness,
        remembered: this.#reader.remembered,
        failures: this.#schedule.failures,
      },
      before,
    )
  }

  #offset(): SourceOffset {
    const { offset } = this.#reader
    return this.#askedAtMs === undefined ? offset : { ...offset, asked_at_ms: this.#askedAtMs }
  }

  #read(fetched: Fetched): Reading {
    if (fetched.body === undefined) {
      if (!isGood(fetched.outcome)) this.#reader.failed?.()
      return noReading(fetched.outcome, fetched.reason)
    }
    const reading = this.#reader.accept({
      bytes: fetched.body,
      fetchedAtMs: fetched.fetchedAtMs,
      ...fetched.validators,
    })
    return { ...reading, reason: withoutSecret(reading.reason, this.#options.feed.auth) }
  }

  #succeeded(reading: Reading, fetched: Fetched): void {
    const { log, health, metrics } = this.#deps
    const feed = this.feedId
    health.succeeded(feed)
    // Only of a body that was read; 304 leaves them as they are.
    if (fetched.body === undefined) return
    this.#validators = fetched.validators
    metrics.read(feed, reading, this.#reader.remembered)
    const { entities, badEntities, records, bodyHash, feedTimestamp } = reading
    if (bodyHash !== undefined) {
      const feedTimestampMs = feedTimestamp === undefined ? null : feedTimestamp * 1_000
      this.#freshness.accepted(feedTimestampMs, reading.contentHash, fetched.fetchedAtMs)
    }
    log.debug({ feed, entities, badEntities, records: records.length }, 'Read a feed.')
  }

  #failed(failure: { readonly outcome: Fetched['outcome']; readonly reason: string }): void {
    const { log, health } = this.#deps
    const count = this.#schedule.failures
    health.failed(this.feedId, { ...failure, count })
    const fields = { feed: this.feedId, ...failure, failures: count }
    if (count === 1) log.warn(fields, 'A feed cannot be read; its last state is kept.')
    else log.debug(fields, 'A feed still cannot be read.')
  }

  /** Once when a feed becomes old, and once when it is not any more. */
  #warn(codes: readonly FreshnessCode[]): void {
    const { log } = this.#deps
    const feed = this.feedId
    for (const code of FRESHNESS_CODES) {
      const isNow = codes.includes(code)
      if (isNow && !this.#warned.has(code)) log.warn({ feed, code }, 'A feed has grown old.')
      if (!isNow && this.#warned.has(code)) log.info({ feed, code }, 'A feed is fresh again.')
    }
    this.#warned = new Set(codes)
  }

  /**
   * Only the last record carries the new offset: were it stored with an earlier one, a crash in between would
   * lose the rest of the body.
   */
  #records(poll: Poll, before: SourceOffset): readonly SourceRecord[] {
    const { topics, writesPolls } = this.#options
    const { reading, fetched } = poll
    const id = pollId(this.feedId, fetched.fetchedAtMs)
    const drafts: readonly Draft[] = [
      ...reading.records,
      ...reading.rejected.map((rejected) => ({
        topic: topics.deadLetters,
        key: rejected.key,
        valueSchema: DEAD_LETTER_SCHEMA,
        value: rejected.entity,
        headers: deadLetterHeaders(rejected, this.feedId, id),
      })),
      ...(writesPolls
        ? [
            {
              topic: topics.feedPoll,
              key: this.feedId,
              valueSchema: FEED_POLL_SCHEMA,
              value: feedPollValue(poll),
            },
          ]
        : []),
    ]
    const partition = sourcePartition(this.feedId)
    const after = this.#offset()
    return drafts.map((draft, index) => ({
      topic: draft.topic,
      kafkaPartition: undefined,
      keySchema: KEY_SCHEMA,
      key: draft.key,
      valueSchema: draft.valueSchema,
      value: draft.value,
      // Not the feed's time: a replayed day would be past the topic's retention at once.
      timestamp: fetched.fetchedAtMs,
      headers: draft.headers ?? [],
      sourcePartition: partition,
      sourceOffset: index === drafts.length - 1 ? after : before,
    }))
  }
}

function askedAt({ asked_at_ms: at }: SourceOffset): number | undefined {
  return typeof at === 'number' ? at : undefined
}

interface Draft extends FeedRecord {
  readonly headers?: readonly Header[]
}
