import type { Clock, Random } from '../../../api/clock.ts'
import { toMessage } from '../../../api/errors.ts'
import type { PluginLogger } from '../../../api/plugin-metrics.ts'
import { tableName } from '../identifiers.ts'
import type { TableIngest } from './table-ingest.ts'

/** When the rows that wait are committed. */
export interface CommitTiming {
  /** Between two commits of a table at least. */
  readonly intervalMs: number
  /** How long rows wait for company, drawn anew for each commit. */
  readonly delayMs: (random: Random) => number
}

/** `fast`: within a second. `realistic`: 5 to 9 seconds, as measured on Snowflake (p50 6.6 s, floor 5 s). */
export const PROFILES: Readonly<Record<'fast' | 'realistic', CommitTiming>> = {
  fast: { intervalMs: 1_000, delayMs: () => 200 },
  realistic: { intervalMs: 1_000, delayMs: (random) => 5_000 + random() * 4_000 },
}

const COMPACT_EVERY = 16
const MAINTAIN_EVERY = 64
const BACK_OFF_MAX_MS = 10_000

/** Commits one table's rows for as long as any wait; a table without rows costs nothing. */
export class CommitLoop {
  readonly #ingest: TableIngest
  readonly #options: {
    readonly clock: Clock
    readonly random: Random
    readonly log: PluginLogger
    readonly timing: CommitTiming
  }
  readonly #stop = new AbortController()
  #running: Promise<void> | undefined
  #lastMs = Number.NEGATIVE_INFINITY
  #commits = 0
  #maintenance: Promise<void> | undefined
  #compactionDue = false
  #maintenanceDue = false

  constructor(
    ingest: TableIngest,
    options: { clock: Clock; random: Random; log: PluginLogger; timing: CommitTiming },
  ) {
    this.#ingest = ingest
    this.#options = options
    ingest.onPending = () => this.#start()
    if (ingest.oldestPendingMs() !== undefined) this.#start()
  }

  #start(): void {
    if (this.#running !== undefined || this.#stop.signal.aborted) return
    this.#running = this.#run().finally(() => {
      this.#running = undefined
      // Rows that came between the loop's last look and its end.
      if (this.#ingest.oldestPendingMs() !== undefined) this.#start()
    })
  }

  async #run(): Promise<void> {
    let failures = 0
    let oldest = this.#ingest.oldestPendingMs()
    while (oldest !== undefined && !this.#stop.signal.aborted) {
      try {
        await this.#waitUntilDue(oldest, failures)
        this.#lastMs = this.#options.clock.now()
        await this.#ingest.flush()
        failures = 0
        this.#ingest.trouble = undefined
        this.#commits++
        this.#maintain()
      } catch (error) {
        if (this.#stop.signal.aborted) return
        failures++
        if (this.#ingest.oldestPendingMs() !== undefined) this.#ingest.trouble = error
        this.#options.log.error(
          {
            table: tableName(this.#ingest.table.identifier),
            failures,
            error: toMessage(error),
          },
          'A commit failed; rows that are not in the table wait for the next try.',
        )
      }
      oldest = this.#ingest.oldestPendingMs()
    }
    this.#ingest.trouble = undefined // Somebody else has committed or thrown away what waited.
  }

  #waitUntilDue(oldestMs: number, failures: number): Promise<void> {
    const { clock, random, timing } = this.#options
    const backOff = failures === 0 ? 0 : Math.min(BACK_OFF_MAX_MS, 500 * 2 ** Math.min(failures, 6))
    const due = Math.max(
      oldestMs + timing.delayMs(random),
      this.#lastMs + Math.max(timing.intervalMs, backOff),
    )
    return clock.sleep(Math.max(0, due - clock.now()), this.#stop.signal)
  }

  /** Beside the commits that follow, one at a time; what comes due meanwhile is done after a later commit. */
  #maintain(): void {
    this.#compactionDue ||= this.#commits % COMPACT_EVERY === 0
    this.#maintenanceDue ||= this.#commits % MAINTAIN_EVERY === 0
    if (this.#maintenance !== undefined || !(this.#compactionDue || this.#maintenanceDue)) return
    this.#maintenance = this.#maintainNow()
      .catch((error: unknown) => {
        const { identifier } = this.#ingest.table
        this.#options.log.warn(
          { table: tableName(identifier), error: toMessage(error) },
          'The maintenance of a table failed; it is tried again after later commits.',
        )
      })
      .finally(() => {
        this.#maintenance = undefined
      })
  }

  async #maintainNow(): Promise<void> {
    const [compacts, maintains] = [this.#compactionDue, this.#maintenanceDue]
    this.#compactionDue = false
    this.#maintenanceDue = false
    if (compacts) await this.#ingest.table.compact()
    if (maintains) await this.#ingest.table.maintain()
  }

  /** Commits what waits and ends. */
  async close(): Promise<void> {
    this.#stop.abort()
    await this.#running
    try {
      await this.#ingest.flush()
    } finally {
      await this.#maintenance
    }
  }

  /** Ends without a commit, for a table that is dropped. */
  abandon(): void {
    this.#stop.abort()
  }
}
