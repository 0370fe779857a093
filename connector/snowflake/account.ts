// What is committed of one channel over all its lives, and what is amiss with it: status answers in, verdicts out.
import type { Clock } from '../api/clock.ts'
import { ConnectError } from '../api/errors.ts'
import type { PluginLogger } from '../api/plugin-metrics.ts'
import type { TopicPartition } from '../api/topic-partition.ts'
import type { Batch } from './batch.ts'
import type { ChannelStatus } from './client.ts'
import { CommitTracker } from './commit-tracker.ts'
import { type Discrepancy, discrepancyText } from './commit-window.ts'
import type { SinkMetrics } from './metrics.ts'
import type { Rejections } from './rejections.ts'

export interface AccountOptions {
  readonly tp: TopicPartition
  readonly name: string
  readonly where: string
  readonly tolerance: 'none' | 'all'
  readonly stallMs: number
  readonly clock: Clock
  readonly log: PluginLogger
  readonly metrics: SinkMetrics
  readonly rejections: Rejections
}

/** What a status answer leads to. */
export type Verdict =
  | { readonly kind: 'fine'; readonly hasProgressed: boolean }
  /** Nothing was committed for too long. */
  | { readonly kind: 'stalled'; readonly reason: string }
  | { readonly kind: 'invalid'; readonly reason: string }
  | { readonly kind: 'failed'; readonly error: ConnectError }

export class Account {
  readonly #o: AccountOptions
  #tracker: CommitTracker | undefined
  /** Of the life before. */
  #previous: CommitTracker | undefined
  #notice: string | undefined
  #stalled: string | undefined

  constructor(options: AccountOptions) {
    this.#o = options
  }

  /** What an operator should know; undefined: nothing. */
  get problem(): string | undefined {
    return this.#stalled ?? this.#notice
  }
  /** The last offset that is committed; undefined: none, or not known. */
  get committed(): number | undefined {
    return this.#tracker?.committed
  }
  /** The last offset that was accepted; -1: none. */
  get appended(): number {
    return this.#tracker?.appended ?? -1
  }
  get uncommittedRows(): number {
    return this.#tracker?.uncommittedRows ?? 0
  }

  /** A life begins behind `committed`. */
  begin(opened: ChannelStatus, topicId: string | undefined, committed: number | undefined): void {
    const nowMs = this.#o.clock.now()
    const previous = this.#previous
    // What stood still was committed while nobody looked; nothing may be left to be committed now.
    if ((committed ?? -1) > (previous?.committed ?? -1)) this.#stalled = undefined
    this.#tracker = new CommitTracker({ opened, topicId, committed, nowMs, previous })
  }

  accepted(batch: Batch): void {
    this.#tracker?.accepted(batch, this.#o.clock.now())
  }

  /** The life ends. `inFlight`: sent, and not known whether accepted. */
  end(inFlight: Batch | undefined): void {
    this.#tracker?.end(inFlight)
    this.#previous = this.#tracker ?? this.#previous
    this.#tracker = undefined
  }

  /** `covers`: whether an offset, or anything, is in the request on its way. */
  observe(
    status: ChannelStatus | undefined,
    covers: (offset?: number) => boolean,
  ): Verdict | undefined {
    const tracker = this.#tracker
    if (tracker === undefined) return undefined
    const { clock, metrics, stallMs, tp, where } = this.#o
    const now = clock.now()
    const seen = tracker.observe(status, now, covers)
    if (seen.kind === 'invalid') return seen
    if (seen.hasProgressed) this.#stalled = undefined
    if (seen.covered !== undefined) metrics.committed(tp, seen.covered, now)
    if (seen.discrepancy !== undefined && status !== undefined) {
      const error = this.#discrepancy(seen.discrepancy, tracker, status)
      if (error !== undefined) return { kind: 'failed', error }
    }
    if (tracker.stalledMs(now) < stallMs) {
      return { kind: 'fine', hasProgressed: seen.hasProgressed }
    }
    this.#stalled = `Nothing of ${where} was committed for ${stallMs} ms.`
    return { kind: 'stalled', reason: 'commits nothing' }
  }

  /** An error when rows are lost and that is not tolerated; rejected ones are looked for first. */
  #discrepancy(
    found: Discrepancy,
    tracker: CommitTracker,
    status: ChannelStatus,
  ): ConnectError | undefined {
    const { log, metrics, tolerance, name, where, rejections } = this.#o
    const message = discrepancyText(found, `${where} ${tracker.bounds}`, status)
    metrics.discrepancy(found.kind, found.rows)
    if (tolerance === 'none' && found.kind === 'missing') return new ConnectError(message)
    if (found.kind === 'rejected') rejections.noted(found.rows, tracker.suspectFrom, message)
    this.#notice = message
    log.warn({ channel: name }, `${message}.`)
    return undefined
  }
}
