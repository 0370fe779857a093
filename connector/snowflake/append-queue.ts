// Requests with rows, in order, strictly one on its way. While it is unknown what became of a request, it is repeated
// with the same token, the same request id and the same bytes: Snowflake takes them once.
import type { Clock } from '../api/clock.ts'
import { type Batch, halve, type RawBatch } from './batch.ts'
import type { Compressor } from './compression.ts'
import type { PipeName, SnowpipeClient } from './client.ts'
import { SnowpipeError } from './errors.ts'
import { Pacer } from './pacer.ts'

interface Held {
  readonly batch: Batch
  readonly body: Promise<Uint8Array>
  /** Once it is known; the raw bytes are gone then. */
  compressed: Uint8Array | undefined
  id: string | undefined
  retries: number
}

export interface AppendQueueOptions {
  readonly name: string
  readonly pipe: PipeName
  readonly client: SnowpipeClient
  readonly clock: Clock
  readonly requestId: () => string
  /** Is told how long a request waited for the rate. */
  readonly metrics?: { paced(ms: number): void }
  readonly compressor: Compressor
  readonly settings: {
    readonly requestBytesMax: number
    readonly requestsPerSecond: number
    readonly bytesPerSecond: number
  }
}

/** One on its way and one that is being compressed meanwhile. */
const BATCHES_MAX = 2

export class AppendQueue {
  readonly #o: AppendQueueOptions
  readonly #requests: Pacer
  readonly #bytes: Pacer
  #held: Held[] = []
  /** Since when the next request waits for the rate. */
  #pacedSinceMs: number | undefined

  constructor(options: AppendQueueOptions) {
    this.#o = options
    this.#requests = new Pacer(options.settings.requestsPerSecond)
    this.#bytes = new Pacer(options.settings.bytesPerSecond)
  }

  get isFull(): boolean {
    return this.#held.length >= BATCHES_MAX
  }
  get rows(): number {
    return this.#held.reduce((sum, held) => sum + held.batch.ends.length, 0)
  }
  get bytes(): number {
    return this.#held.reduce((sum, held) => sum + bytesOf(held), 0)
  }

  /** `compressed`: the raw bytes are not needed any more. */
  push(rows: RawBatch, compressed: () => void): void {
    this.#held.push(this.#hold(rows, compressed))
  }

  #hold({ batch, raw }: RawBatch, compressed: () => void): Held {
    const body = this.#o.compressor.compress(raw)
    const held: Held = { batch, body, compressed: undefined, id: undefined, retries: 0 }
    const settle = async (): Promise<void> => {
      try {
        held.compressed = await body
      } catch {
        // Whoever sends it sees the failure; a queue that is cleared need not.
      }
      compressed()
    }
    void settle()
    return held
  }

  /** Whether there is something to send and the channel's rate allows it. */
  canSend(nowMs: number): boolean {
    if (this.#held.length === 0) return false
    const isFree = this.waitMs(nowMs) === 0
    if (!isFree) this.#pacedSinceMs ??= nowMs
    return isFree
  }

  /** How long the rate makes the next request wait. */
  waitMs(nowMs: number): number {
    const bytes = this.#held[0]?.batch.rawBytes ?? 0
    return Math.max(this.#requests.waitMs(nowMs, 1), this.#bytes.waitMs(nowMs, bytes))
  }

  /** Sends the first request, or sends it again. Resolves with the next continuation token. */
  async send(call: {
    readonly continuationToken: string
    readonly token: (offset: number) => string
    readonly signal: AbortSignal
  }): Promise<string> {
    const held = this.#held[0] as Held
    const { client, clock, name, pipe, settings, requestId, metrics } = this.#o
    const body = await held.body
    if (body.length > settings.requestBytesMax && held.batch.ends.length > 1) {
      throw new SnowpipeError(`${body.length} bytes are too many for one request`, {
        reaction: 'split',
        status: 413,
      })
    }
    held.id ??= requestId()
    const attempt = { id: held.id, retries: held.retries++ }
    if (this.#pacedSinceMs !== undefined) metrics?.paced(clock.now() - this.#pacedSinceMs)
    this.#pacedSinceMs = undefined
    this.#requests.spend(1, clock.now())
    this.#bytes.spend(held.batch.rawBytes, clock.now())
    return client.append(
      pipe,
      name,
      {
        continuationToken: call.continuationToken,
        startToken: call.token(held.batch.firstOffset),
        endToken: call.token(held.batch.lastOffset),
        body,
        encoding: this.#o.compressor.encoding,
        rawBytes: held.batch.rawBytes,
        oldestMs: held.batch.oldestMs,
      },
      { attempt, signal: call.signal },
    )
  }

  /** The first request was accepted. */
  sent(): Batch {
    const held = this.#held.shift()
    if (held === undefined) throw new Error('An answer without a request')
    return held.batch
  }

  /** What was sent and not answered: it may be stored already. */
  get inFlight(): Batch | undefined {
    const [held] = this.#held
    return held === undefined || held.retries === 0 ? undefined : held.batch
  }

  /** Whether `offset`, or anything, is in the request on its way. */
  covers(offset?: number): boolean {
    const batch = this.inFlight
    if (batch === undefined || offset === undefined) return batch !== undefined
    return offset >= batch.firstOffset && offset <= batch.lastOffset
  }

  /** Cuts the first request in two; false for a single row. It must not have been accepted. */
  split(): boolean {
    const [first, ...rest] = this.#held
    // One that was sent is compressed; a single row need not be looked at.
    if (first?.compressed === undefined || first.batch.ends.length === 1) return false
    const halves = halve({
      batch: first.batch,
      raw: this.#o.compressor.decompress(first.compressed),
    })
    if (halves === undefined) return false
    this.#held = [...halves.map((half) => this.#hold(half, () => undefined)), ...rest]
    return true
  }

  /** Of the first request. */
  get firstOffset(): number {
    return (this.#held[0] as Held).batch.firstOffset
  }

  clear(): void {
    this.#held = []
    this.#pacedSinceMs = undefined
  }
}

const bytesOf = ({ batch, compressed }: Held): number => compressed?.length ?? batch.rawBytes
