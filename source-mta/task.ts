import { setMaxListeners } from 'node:events'
import type { SourceRecord } from '../connector/api/records.ts'
import { SourceTask } from '../connector/api/source-task.ts'
import type { Props } from '../connector/api/task-context.ts'
import { type FeedSpec, type MtaSourceConfig, parseConfig } from './config.ts'
import { FeedHealth } from './feed-health.ts'
import { feedMetrics } from './feed-metrics.ts'
import { FeedPoller, type PollerDeps, sourcePartition } from './feed-poller.ts'
import type { FeedReader } from './feed-reader.ts'
import { newReader } from './readers.ts'
import { type HttpGet, httpGet } from './fetch-http.ts'
import { PROFILES } from './profiles.ts'
import { VERSION } from './version.ts'

/** Which of the connector's feeds a task polls, in its own configuration. */
export const TASK_FEEDS = 'task.feeds'
const FIRST_POLLS_WITHIN_MS = 1_000

/** Polls its feeds, each at its own pace and none held up by another. */
export class MtaSourceTask extends SourceTask {
  readonly #http: HttpGet
  readonly #stopped = new AbortController()
  #pollers: readonly FeedPoller[] = []
  #health: FeedHealth | undefined
  /** What was last reported, so that the same is not reported at every poll. */
  #reported = ''
  /** Where the next look for answers starts, so that a busy feed starves no other. */
  #turn = 0

  /** Tests pass their own network. */
  constructor(http: HttpGet = httpGet) {
    super()
    this.#http = http
    // Every request under way listens, one a feed; each stops listening when it ends.
    setMaxListeners(0, this.#stopped.signal)
  }

  override version(): string {
    return VERSION
  }

  override async start(props: Props): Promise<void> {
    const config = parseConfig(props)
    const mine = new Set((props[TASK_FEEDS] ?? '').split(',').filter((id) => id !== ''))
    const feeds = config.feeds.filter(({ id }) => mine.size === 0 || mine.has(id))
    const health = new FeedHealth(config.degradedAfterFailures)
    this.#health = health
    const { clock, random, log, metrics, offsetStorageReader } = this.context
    const deps = { http: this.#http, clock, random, log, health, metrics: feedMetrics(metrics) }
    const offsets = await offsetStorageReader.offsets(feeds.map(({ id }) => sourcePartition(id)))
    this.#pollers = feeds.map((feed, index) => {
      const reader = newReader(feed, config)
      const offset = offsets[index]
      if (offset !== undefined) reader.restore(offset)
      return this.#newPoller(feed, config, reader, deps)
    })
    log.info({ feeds: feeds.map(({ id }) => id) }, 'Started to poll feeds.')
  }

  #newPoller(
    feed: FeedSpec,
    config: MtaSourceConfig,
    reader: FeedReader,
    deps: PollerDeps,
  ): FeedPoller {
    const within = Math.min(FIRST_POLLS_WITHIN_MS, feed.pollIntervalMs) * config.jitter
    const { headerStaleAfterS } = PROFILES[feed.profile]
    const options = {
      feed,
      topics: config.topics,
      writesPolls: config.writesPolls,
      headerStaleAfterMs: headerStaleAfterS === undefined ? undefined : headerStaleAfterS * 1_000,
      jitter: config.jitter,
      startAtMs: deps.clock.now() + Math.round(deps.random() * within),
    }
    return new FeedPoller(options, reader, deps)
  }

  /** The records of the next feed that has answered; null once `signal` aborts. */
  override async poll(signal: AbortSignal): Promise<readonly SourceRecord[] | null> {
    const { clock } = this.context
    while (!signal.aborted && !this.#stopped.signal.aborted) {
      const now = clock.now()
      for (const poller of this.#pollers) poller.launch(now, this.#stopped.signal)
      const records = this.#collect()
      if (records !== undefined) return records
      await this.#nextEvent(now, signal)
    }
    return null
  }

  /** Also empty: the worker gets its turn after every body. */
  #collect(): readonly SourceRecord[] | undefined {
    for (let step = 0; step < this.#pollers.length; step++) {
      const index = (this.#turn + step) % this.#pollers.length
      const records = this.#pollers[index]?.collect()
      if (records === undefined) continue
      this.#turn = index + 1
      this.#report()
      return records
    }
    return undefined
  }

  /** Until a request is answered, another one is due, or somebody aborts. */
  async #nextEvent(now: number, signal: AbortSignal): Promise<void> {
    const dues = this.#pollers.flatMap(({ dueAtMs }) => dueAtMs ?? [])
    const landings = this.#pollers.flatMap(({ landing }) => landing ?? [])
    const over = new AbortController()
    const end = (): void => over.abort()
    signal.addEventListener('abort', end, { once: true })
    this.#stopped.signal.addEventListener('abort', end, { once: true })
    // Without any feed there is nothing but the abort to wait for.
    const waitMs = dues.length > 0 ? Math.max(0, Math.min(...dues) - now) : 60_000
    const sleep = this.context.clock.sleep(waitMs, over.signal).catch(() => undefined) // Aborted: over.
    try {
      await Promise.race([sleep, ...landings])
    } finally {
      over.abort()
      signal.removeEventListener('abort', end)
      this.#stopped.signal.removeEventListener('abort', end)
      await sleep
    }
  }

  #report(): void {
    const health = this.#health?.health()
    if (health === undefined) return
    const text = `${health.state} ${health.message}`
    if (text === this.#reported) return
    const wasDegraded = this.#reported.startsWith('DEGRADED')
    this.#reported = text
    this.context.reportHealth(health)
    if (health.state === 'OK' && wasDegraded) this.context.log.info({}, 'All feeds answer again.')
  }

  override stop(): void {
    this.#stopped.abort()
  }
}
