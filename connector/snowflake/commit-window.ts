// The account of rows between append and commit (pure): which requests are covered by the committed token, and whether
// Snowflake's counters have moved by as many rows.
import type { ChannelStatus } from './client.ts'

interface Sent {
  readonly firstOffset: number
  readonly lastOffset: number
  readonly rows: number
  readonly oldestMs: number
  readonly oldestRecordMs: number | undefined
}

/** What a new committed offset covers. */
export interface Committed {
  readonly rows: number
  readonly firstOffset: number
  readonly lastOffset: number
  readonly requests: readonly Sent[]
}

export type Discrepancy =
  /** Snowflake could not read that many rows, or they do not fit the table. */
  | { readonly kind: 'rejected'; readonly rows: number }
  /** Rows that were accepted are neither inserted nor rejected. */
  | { readonly kind: 'missing'; readonly rows: number }
  /** More rows than were sent: somebody else writes to the channel. */
  | { readonly kind: 'surplus'; readonly rows: number }

/** What an operator is told. `where`: the partition and the offsets that the rows are among. */
export function discrepancyText(
  { kind, rows }: Discrepancy,
  where: string,
  status: ChannelStatus,
): string {
  if (kind === 'missing') {
    return `${rows} rows of ${where} were accepted but neither inserted nor rejected`
  }
  if (kind === 'surplus') {
    return `The channel of ${where} has ${rows} rows more than were sent: another writer uses it`
  }
  const upTo = status.lastErrorTokenUpperBound
  const last = upTo === null ? '' : `, the last one at or before ${upTo}`
  return `Snowflake rejected ${rows} rows of ${where}${last}: ${status.lastErrorMessage ?? 'no reason given'}`
}

/** Counters may be behind the token for a moment; a shortfall counts once this many answers in a row show it. */
const SHORTFALLS_MAX = 5

/** The account goes on over the channel's lives: what is rejected while nobody looks is seen at the next opening. */
export class CommitWindow {
  #sent: Sent[] = []
  #rowsSent = 0
  #rowsCommitted = 0
  #insertedAtStart = 0
  #errorsAtStart = 0
  #insertedSeen = 0
  #errorsSeen = 0
  #errorsReported = 0
  #missingReported = 0
  #shortfalls = 0

  constructor(status: ChannelStatus) {
    this.#start(status)
  }

  #start(status: ChannelStatus): void {
    this.#sent = []
    this.#rowsSent = 0
    this.#rowsCommitted = 0
    this.#insertedAtStart = status.rowsInserted
    this.#errorsAtStart = status.rowsError
    this.#errorsReported = 0
    this.#missingReported = 0
    this.#shortfalls = 0
    this.#see(status)
  }

  #see(status: ChannelStatus): void {
    this.#insertedSeen = status.rowsInserted
    this.#errorsSeen = status.rowsError
  }

  /**
   * The channel was opened again at `offset`, and was seen at `wasAt` before; undefined: nowhere in this topic. What was
   * sent beyond is gone and will be sent again. False when the account begins anew.
   */
  reopened(status: ChannelStatus, offset: number | undefined, wasAt: number | undefined): boolean {
    const hasLess = status.rowsInserted < this.#insertedSeen || status.rowsError < this.#errorsSeen
    // A channel that was dropped, or whose server lost its counters.
    if (hasLess) {
      this.#start(status)
      return false
    }
    if (offset === wasAt || this.#sent.some(({ lastOffset }) => lastOffset === offset)) {
      if (offset !== undefined) this.committed(offset)
      this.#sent = []
      this.#rowsSent = this.#rowsCommitted
      return true
    }
    // Somebody else has moved it: only what was rejected since is still of interest.
    const rowsError = this.#errorsSeen
    const rowsInserted = status.rowsInserted + status.rowsError - rowsError
    this.#start({ ...status, rowsInserted, rowsError })
    return true
  }

  get uncommittedRows(): number {
    return this.#rowsSent - this.#rowsCommitted
  }

  /** By the last answer each committed row was inserted or rejected. */
  get isBalanced(): boolean {
    const inserted = this.#insertedSeen - this.#insertedAtStart
    const errors = this.#errorsSeen - this.#errorsAtStart
    return inserted + errors + this.#missingReported === this.#rowsCommitted
  }

  accepted(sent: Sent): void {
    this.#sent.push(sent)
    this.#rowsSent += sent.rows
  }

  /** Undefined when nothing new is covered. */
  committed(offset: number): Committed | undefined {
    const requests: Sent[] = []
    for (let next = this.#sent[0]; next !== undefined; next = this.#sent[0]) {
      if (next.lastOffset > offset) break
      requests.push(next)
      this.#sent.shift()
    }
    const [first] = requests
    const last = requests.at(-1)
    if (first === undefined || last === undefined) return undefined
    const rows = requests.reduce((sum, request) => sum + request.rows, 0)
    this.#rowsCommitted += rows
    return { rows, firstOffset: first.firstOffset, lastOffset: last.lastOffset, requests }
  }

  /**
   * Compares counters with rows, after `committed`. Each discrepancy is told once. `isInFlight`: a request is out whose
   * rows may be counted before it is known to be accepted.
   */
  reconcile(status: ChannelStatus, isInFlight: boolean): Discrepancy | undefined {
    this.#see(status)
    const errors = status.rowsError - this.#errorsAtStart
    if (errors > this.#errorsReported) {
      const rows = errors - this.#errorsReported
      this.#errorsReported = errors
      return { kind: 'rejected', rows }
    }
    const seen = status.rowsInserted - this.#insertedAtStart + errors + this.#missingReported
    const missing = this.#rowsCommitted - seen
    this.#shortfalls = missing > 0 ? this.#shortfalls + 1 : 0
    if (this.#shortfalls >= SHORTFALLS_MAX) {
      this.#shortfalls = 0
      this.#missingReported += missing
      return { kind: 'missing', rows: missing }
    }
    const surplus = seen - this.#rowsSent
    if (surplus <= 0 || isInFlight) return undefined
    this.#missingReported -= surplus
    return { kind: 'surplus', rows: surplus }
  }
}
