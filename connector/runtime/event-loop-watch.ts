import type { Clock } from '../api/clock.ts'
import type { PluginLogger } from '../api/plugin-metrics.ts'

/** Somebody outside of this thread who can tell while it stands still. */
export interface OutsideWatch {
  /** The event loop has just turned. */
  beat(): void
  /** The callback that runs now; undefined: none. */
  running(callback: string | undefined): void
  close(): Promise<void>
}

/** The event loop stood still. */
export interface Blockage {
  /** What ran meanwhile; undefined when no callback of a plugin did from its beginning. */
  readonly callback: string | undefined
  readonly untilMs: number
  readonly tookMs: number
}

const BEAT_MS = 500
/** For so long a blockage that is over keeps the worker unhealthy: probes come every few seconds. */
const REMEMBERED_MS = 30_000

export interface EventLoopWatchOptions {
  readonly clock: Clock
  readonly log: PluginLogger
  /** A turn of the event loop that takes longer is a blockage. */
  readonly limitMs: number
  readonly outside: OutsideWatch | undefined
}

/**
 * Notices what a race against a limit cannot: a plugin that works without ever waiting, so that neither REST nor any
 * other connector gets its turn. One thread can say so only afterwards; meanwhile the `OutsideWatch` does.
 */
export class EventLoopWatch {
  readonly #options: EventLoopWatchOptions
  readonly #end = new AbortController()
  readonly #pending = new Map<symbol, string>()
  #callback: string | undefined
  #blockage: Blockage | undefined
  #beating: Promise<void> | undefined

  constructor(options: EventLoopWatchOptions) {
    this.#options = options
  }

  start(): void {
    this.#beating ??= this.#beat()
  }

  async stop(): Promise<void> {
    this.#end.abort()
    await this.#beating
    await this.#options.outside?.close()
  }

  /** Calls back under a name, e.g. `put of task mta-0`; what runs after a first wait of the callback is not under it. */
  run<T>(callback: string, work: () => T): T {
    const { clock, limitMs, outside } = this.#options
    const before = this.#callback
    const startedMs = clock.now()
    this.#callback = callback
    outside?.running(callback)
    try {
      return work()
    } finally {
      const tookMs = clock.now() - startedMs
      this.#callback = before
      outside?.running(before)
      if (tookMs >= limitMs) this.#note({ callback, untilMs: startedMs + tookMs, tookMs })
    }
  }

  /** Says that the callback has not answered yet, until the returned function is called. */
  await(callback: string): () => void {
    const key = Symbol(callback)
    this.#pending.set(key, callback)
    return () => {
      this.#pending.delete(key)
    }
  }

  /** Why the worker is not healthy, or undefined. */
  get reason(): string | undefined {
    const blockage = this.#blockage
    if (blockage === undefined) return undefined
    const agoMs = this.#options.clock.now() - blockage.untilMs
    if (agoMs > REMEMBERED_MS) return undefined
    return `The event loop stood still for ${blockage.tookMs} ms until ${Math.round(agoMs / 1_000)} s ago: ${this.#blame(blockage)}.`
  }

  #blame({ callback }: Blockage): string {
    if (callback !== undefined) return `${callback} did not let anything else run`
    const pending = [...new Set(this.#pending.values())].slice(0, PENDING_SHOWN)
    if (pending.length === 0) return 'no plugin’s callback was running'
    return `one of these that had not answered, or the worker itself: ${pending.join(', ')}`
  }

  async #beat(): Promise<void> {
    const { clock, limitMs, outside } = this.#options
    let lastMs = clock.now()
    while (!this.#end.signal.aborted) {
      outside?.beat()
      await clock.sleep(BEAT_MS, this.#end.signal).catch(() => {}) // Stopped: the loop ends.
      const nowMs = clock.now()
      const tookMs = nowMs - lastMs - BEAT_MS
      lastMs = nowMs
      // A callback that ran for so long has been noted by its name.
      const isNamed = (this.#blockage?.untilMs ?? 0) > nowMs - tookMs
      if (tookMs >= limitMs && !isNamed) {
        this.#note({ callback: undefined, untilMs: nowMs, tookMs })
      }
    }
  }

  #note(blockage: Blockage): void {
    this.#blockage = blockage
    this.#options.log.error(
      { callback: blockage.callback, tookMs: blockage.tookMs },
      `The event loop stood still: ${this.#blame(blockage)}.`,
    )
  }
}

const PENDING_SHOWN = 8
