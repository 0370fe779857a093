// One channel: what is persisted with the table, and what only lives while the process does.
import { ApiError } from '../errors.ts'
import type { RateLimit } from './byte-budget.ts'
import { decodeToken, encodeToken } from './continuation-token.ts'

/** The last row error of a channel. */
export interface LastError {
  readonly message: string
  /** End offset token of the request that held the row. */
  readonly offsetUpperBound: string | null
  readonly timestampMs: number
}

/** What a commit stores of a channel. Counters are cumulative over reopens and restarts. */
export interface ChannelRecord {
  readonly name: string
  readonly offsetToken: string | null
  readonly clientSequencer: number
  readonly createdMs: number
  readonly rowsInserted: number
  readonly rowsParsed: number
  readonly rowsErrors: number
  readonly lastError: LastError | null
}

/** The rows of one append, as they came. */
export interface PendingBatch {
  readonly startToken: string | null
  /** Null: the request named none, and the committed token stays as it is. */
  readonly endToken: string | null
  readonly bytes: Uint8Array
  readonly acceptedMs: number
}

export type ChannelStatusCode =
  | 'SUCCESS'
  | 'ERR_CHANNEL_MUST_BE_REOPENED'
  | 'ERR_CHANNEL_MUST_BE_REOPENED_DUE_TO_ROW_SEQ_GAP'
  | 'ERR_PIPE_IN_INVALID_STATE'

export type AppendVerdict = 'accept' | 'repeat' | 'stale' | 'future' | 'foreign'

/** A channel as one process knows it. Not open until its first `PUT` in this process. */
export class Channel {
  record: ChannelRecord
  /** Accepted and in no commit yet. */
  pending: PendingBatch[] = []
  /** In the commit that is under way. */
  committing: readonly PendingBatch[] = []
  statusCode: ChannelStatusCode = 'SUCCESS'
  /** Acknowledges appends and throws them away, as an invalid pipe does; for fault injection. */
  discards = false
  averageLatencyMs = 0
  rates: { readonly requests: RateLimit; readonly bytes: RateLimit } | undefined
  #nonce: string | undefined
  #rowSequencer = 0

  constructor(record: ChannelRecord) {
    this.record = record
  }

  get hasUncommittedRows(): boolean {
    return this.pending.length > 0 || this.committing.length > 0
  }

  /** Fences whoever wrote before: from now on only tokens with this nonce count. */
  open(nonce: string): void {
    this.#nonce = nonce
    this.#rowSequencer = 0
    this.pending = []
    this.statusCode = 'SUCCESS'
    this.discards = false
    this.record = { ...this.record, clientSequencer: this.record.clientSequencer + 1 }
  }

  /** What an invalid pipe does to its channels. */
  invalidatePipe(): void {
    this.statusCode = 'ERR_PIPE_IN_INVALID_STATE'
    this.discards = true
  }

  /** No token of this channel is good any more, until the next open, and its status says so. */
  close(): void {
    this.#nonce = undefined
    this.pending = []
    this.statusCode = 'ERR_CHANNEL_MUST_BE_REOPENED'
    this.discards = false
  }

  /**
   * What to do with an append that carries `token`. The token before the next one repeats the last append, as
   * after an answer that was lost. An older one repeats nothing that its client could still be unsure of, so
   * its rows may be others and must not be acknowledged unseen: it is stale.
   */
  judge(token: string): AppendVerdict {
    const decoded = decodeToken(token)
    if (decoded === undefined || decoded.channel !== this.record.name) return 'foreign'
    if (
      this.#nonce === undefined ||
      (this.statusCode !== 'SUCCESS' && !this.discards) ||
      decoded.nonce !== this.#nonce ||
      decoded.clientSequencer !== this.record.clientSequencer
    )
      return 'stale'
    if (decoded.rowSequencer === this.#rowSequencer) return 'accept'
    if (decoded.rowSequencer > this.#rowSequencer) return 'future'
    return decoded.rowSequencer === this.#rowSequencer - 1 ? 'repeat' : 'stale'
  }

  /** The token that the next append must carry. */
  nextToken(): string {
    return encodeToken({
      channel: this.record.name,
      clientSequencer: this.record.clientSequencer,
      rowSequencer: this.#rowSequencer,
      nonce: this.#nonce ?? '',
    })
  }

  /** Takes the rows of the append that `judge` said to accept. */
  accept(batch: PendingBatch): void {
    this.#rowSequencer++
    if (!this.discards) this.pending.push(batch)
  }
}

export const newRecord = (name: string, createdMs: number): ChannelRecord => ({
  name,
  offsetToken: null,
  clientSequencer: 0,
  createdMs,
  rowsInserted: 0,
  rowsParsed: 0,
  rowsErrors: 0,
  lastError: null,
})

/** 400: somebody else opened the channel since, or it was invalidated. */
export const staleToken = (): ApiError =>
  new ApiError(
    400,
    'STALE_CONTINUATION_TOKEN_SEQUENCER',
    'Channel sequencer in the continuation token is stale. Please reopen the channel',
  )

/** 409: the caller asked for it rather than for losing those rows. */
export const hasUncommitted = (name: string): ApiError =>
  new ApiError(
    409,
    'ERR_CHANNEL_HAS_UNCOMMITTED_DATA',
    `Channel ${name} has rows that are not committed yet.`,
  )

/** 404 of a channel that nobody opened, or that was dropped. */
export const noSuchChannel = (name: string): ApiError =>
  new ApiError(
    404,
    'ERR_CHANNEL_DOES_NOT_EXIST_OR_IS_NOT_AUTHORIZED',
    `Channel ${name} does not exist or is not authorized.`,
  )

type Stored = readonly [
  offsetToken: string | null,
  clientSequencer: number,
  createdMs: number,
  rowsInserted: number,
  rowsParsed: number,
  rowsErrors: number,
  lastError?: readonly [message: string, offsetUpperBound: string | null, timestampMs: number],
]

const MESSAGE_STORED_MAX = 300

/** The channel map as the table property holds it: `{"<channel>": [token, sequencer, …]}`, an array since 2,000 may be there. */
export function encodeRecords(records: Iterable<ChannelRecord>): string {
  const entries: [string, Stored][] = []
  for (const record of records) {
    const base = [
      record.offsetToken,
      record.clientSequencer,
      record.createdMs,
      record.rowsInserted,
      record.rowsParsed,
      record.rowsErrors,
    ] as const
    const error = record.lastError
    const message = error?.message.slice(0, MESSAGE_STORED_MAX)
    entries.push([
      record.name,
      error === null ? base : [...base, [message ?? '', error.offsetUpperBound, error.timestampMs]],
    ])
  }
  return JSON.stringify(Object.fromEntries(entries))
}

/** The inverse of `encodeRecords`. */
export function decodeRecords(text: string): readonly ChannelRecord[] {
  const map = JSON.parse(text) as Readonly<Record<string, Stored>>
  return Object.entries(map).map(([name, stored]) => {
    const [offsetToken, clientSequencer, createdMs, rowsInserted, rowsParsed, rowsErrors] = stored
    const error = stored[6]
    return {
      name,
      offsetToken,
      clientSequencer,
      createdMs,
      rowsInserted,
      rowsParsed,
      rowsErrors,
      lastError:
        error === undefined
          ? null
          : { message: error[0], offsetUpperBound: error[1], timestampMs: error[2] },
    }
  })
}
