// What one opened channel has appended and committed, and what a status answer means for it (pure but for the time it is told).
import type { ChannelStatus } from './client.ts'
import { type Committed, CommitWindow, type Discrepancy } from './commit-window.ts'
import { parseToken } from './offset-token.ts'
import type { Batch } from './batch.ts'

export type Observation =
  /** The channel cannot be gone on with. */
  | { readonly kind: 'invalid'; readonly reason: string }
  | {
      readonly kind: 'valid'
      readonly covered: Committed | undefined
      readonly hasProgressed: boolean
      readonly discrepancy: Discrepancy | undefined
    }

export class CommitTracker {
  readonly #topicId: string | undefined
  readonly #tokenAtOpen: string | null
  readonly #committedAtOpen: number | undefined
  readonly #window: CommitWindow
  /** The offset after which the account of rows begins. */
  readonly #accountedAfter: number | undefined
  /** Everything before is inserted or known to be rejected; and so it is now, after the last answer. */
  #suspectFrom: number
  #nextSuspect: number
  #committed: number | undefined
  #appended: number
  #progressMs: number

  constructor(options: {
    readonly opened: ChannelStatus
    readonly topicId: string | undefined
    readonly committed: number | undefined
    readonly nowMs: number
    /** Of the channel's life before this one. */
    readonly previous: CommitTracker | undefined
  }) {
    const { opened, committed, previous } = options
    this.#topicId = options.topicId
    this.#tokenAtOpen = opened.committedToken
    this.#committedAtOpen = committed
    this.#window = previous === undefined ? new CommitWindow(opened) : previous.#window
    this.#accountedAfter = committed
    if (previous !== undefined && this.#window.reopened(opened, committed, previous.#committed)) {
      this.#accountedAfter = previous.#accountedAfter
    }
    this.#suspectFrom = this.accountedFrom
    if (previous !== undefined && this.#accountedAfter === previous.#accountedAfter) {
      this.#suspectFrom = previous.#nextSuspect
    }
    this.#nextSuspect = this.#suspectFrom
    this.#committed = committed
    this.#appended = options.committed ?? -1
    this.#progressMs = options.nowMs
  }

  get committed(): number | undefined {
    return this.#committed
  }
  /** The last offset that was accepted; -1: none. */
  get appended(): number {
    return this.#appended
  }
  /** The first offset that the counters are about. */
  get accountedFrom(): number {
    return (this.#accountedAfter ?? -1) + 1
  }
  /** Where rows may begin that the last answer showed to be rejected. */
  get suspectFrom(): number {
    return this.#suspectFrom
  }
  get uncommittedRows(): number {
    return this.#window.uncommittedRows
  }
  /** The offsets that counters are about, for messages. */
  get bounds(): string {
    return `between offsets ${this.accountedFrom} and ${this.#committed ?? this.#appended}`
  }

  /** Milliseconds since the last commit, or since there was something to commit. */
  stalledMs(nowMs: number): number {
    return this.uncommittedRows === 0 ? 0 : nowMs - this.#progressMs
  }

  accepted(batch: Batch, nowMs: number): void {
    if (this.uncommittedRows === 0) this.#progressMs = nowMs
    this.#appended = batch.lastOffset
    this.#sent(batch)
  }

  /** The life ends. `inFlight`: it will never be known whether that was accepted, unless the next life begins behind it. */
  end(inFlight: Batch | undefined): void {
    if (inFlight !== undefined) this.#sent(inFlight)
  }

  #sent(batch: Batch): void {
    this.#window.accepted({
      firstOffset: batch.firstOffset,
      lastOffset: batch.lastOffset,
      rows: batch.ends.length,
      oldestMs: batch.oldestMs,
      oldestRecordMs: batch.oldestRecordMs,
    })
  }

  /** `isInFlight(offset)`: whether it is in a request whose answer is not here yet; undefined asks for any request. */
  observe(
    status: ChannelStatus | undefined,
    nowMs: number,
    isInFlight: (offset?: number) => boolean,
  ): Observation {
    if (status === undefined) return invalid('is not known to Snowflake any more')
    if (status.code !== 'SUCCESS') return invalid(`has status ${status.code}`)
    let covered: Committed | undefined
    let hasProgressed = false
    if (status.committedToken === this.#tokenAtOpen) {
      // Exactly where this life began: as little to be trusted as any other way back.
      if (this.#committed !== this.#committedAtOpen) {
        return invalid(`went back from offset ${this.#committed} to ${status.committedToken}`)
      }
    } else {
      const stored = parseToken(status.committedToken)
      const offset = stored?.topicId === this.#topicId ? stored?.offset : undefined
      // A commit may be seen before the answer to its request: that answer is waited for.
      if (offset !== undefined && offset > this.#appended && isInFlight(offset)) {
        return { kind: 'valid', covered, hasProgressed, discrepancy: undefined }
      }
      if (offset === undefined || offset > this.#appended) {
        return invalid(`was moved to ${status.committedToken} by another writer`)
      }
      if (offset < (this.#committed ?? -1)) {
        return invalid(`went back from offset ${this.#committed} to ${offset}`)
      }
      hasProgressed = offset !== this.#committed
      if (hasProgressed) this.#progressMs = nowMs
      this.#committed = offset
      covered = this.#window.committed(offset)
    }
    const discrepancy = this.#window.reconcile(status, isInFlight())
    this.#suspectFrom = this.#nextSuspect
    if (this.#window.isBalanced) this.#nextSuspect = (this.#committed ?? -1) + 1
    return { kind: 'valid', covered, hasProgressed, discrepancy }
  }
}

const invalid = (reason: string): Observation => ({ kind: 'invalid', reason })
