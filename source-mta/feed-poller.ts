// One feed of a task: asked when it is due, one request at a time, its bodies taken into its state.
import type { Clock, Random } from '../connector/api/clock.ts'
import type { PluginLogger } from '../connector/api/plugin-metrics.ts'
import type { SourceOffset, SourceRecord } from '../connector/api/records.ts'
import type { BodyResult } from './body-reading.ts'
import type { FeedSpec } from './config.ts'
import type { FeedHealth } from './feed-health.ts'
import type { FeedMetrics } from './feed-metrics.ts'
import type { FeedState } from './feed-state.ts'
import { type Fetched, type Validators, fetchFeed } from './fetch-feed.ts'
import type { HttpGet } from './fetch-http.ts'
import { isGood } from './outcome.ts'
import { PollSchedule } from './poll-schedule.ts'
import { KEY_SCHEMA, VEHICLE_POSITION_SCHEMA } from './record-schemas.ts'
import { vehicleValue } from './vehicle-record.ts'

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
  readonly topic: string
  readonly jitter: number
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
  readonly #state: FeedState
  readonly #schedule: PollSchedule
  #validators = NO_VALIDATORS
  #flight: Flight | undefined

  constructor(options: PollerOptions, state: FeedState, deps: PollerDeps) {
    this.#options = options
    this.#deps = deps
    this.#state = state
    const { feed, jitter, startAtMs } = options
    this.#schedule = new PollSchedule(
      {
        pollIntervalMs: feed.pollIntervalMs,
        backoffMaxMs: feed.backoffMaxMs,
        jitter,
        random: deps.random,
      },
      startAtMs,
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
    const before = this.#state.offset
    const result = this.#read(fetched)
    const outcome = result?.outcome ?? fetched.outcome
    const reason = result?.reason ?? fetched.reason
    this.#schedule.done(
      outcome,
      { startedAtMs, endedAtMs: fetched.fetchedAtMs },
      fetched.retryAfterMs,
    )
    this.#deps.metrics.polled(this.feedId, outcome, fetched)
    if (isGood(outcome)) this.#succeeded(result, fetched)
    else this.#failed({ outcome, reason })
    return result === undefined ? [] : this.#records(result, before)
  }

  #read(fetched: Fetched): BodyResult | undefined {
    if (fetched.body === undefined) return undefined
    return this.#state.accept({
      bytes: fetched.body,
      fetchedAtMs: fetched.fetchedAtMs,
      ...fetched.validators,
    })
  }

  #succeeded(result: BodyResult | undefined, fetched: Fetched): void {
    const { log, health, metrics } = this.#deps
    const feed = this.feedId
    health.succeeded(feed)
    // Only of a body that was read; 304 leaves them as they are.
    if (fetched.body !== undefined) this.#validators = fetched.validators
    if (result === undefined) return
    metrics.read(feed, result, this.#state.vehicles)
    const { entities, badEntities, events } = result
    log.debug({ feed, entities, badEntities, records: events.length }, 'Read a feed.')
  }

  #failed(failure: { readonly outcome: Fetched['outcome']; readonly reason: string }): void {
    const { log, health } = this.#deps
    const count = this.#schedule.failures
    health.failed(this.feedId, { ...failure, count })
    const fields = { feed: this.feedId, ...failure, failures: count }
    if (count === 1) log.warn(fields, 'A feed cannot be read; its last state is kept.')
    else log.debug(fields, 'A feed still cannot be read.')
  }

  /**
   * Only the last record carries the new offset: were it stored with an earlier one, a crash in between would
   * lose the rest of the body.
   */
  #records(result: BodyResult, before: SourceOffset): readonly SourceRecord[] {
    const { context, events } = result
    if (context === undefined) return []
    const partition = sourcePartition(this.feedId)
    const after = this.#state.offset
    return events.map((event, index) => ({
      topic: this.#options.topic,
      kafkaPartition: undefined,
      keySchema: KEY_SCHEMA,
      key: event.recordKey,
      valueSchema: VEHICLE_POSITION_SCHEMA,
      value: vehicleValue(context, event),
      // Not the feed's time: a replayed day would be past the topic's retention at once.
      timestamp: context.fetchedAtMs,
      headers: [],
      sourcePartition: partition,
      sourceOffset: index === events.length - 1 ? after : before,
    }))
  }
}
