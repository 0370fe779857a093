// Rows on their way into one request: NDJSON bytes with each row's end and offset, so that a request that turns out
// to be too large can be cut between two rows.
import { Tape } from './tape.ts'

/** A sealed run of rows; what it consists of never changes again, whatever happens to the request. */
export interface Batch {
  readonly rawBytes: number
  /** Where each row ends in the raw bytes. */
  readonly ends: readonly number[]
  readonly offsets: readonly number[]
  readonly firstOffset: number
  readonly lastOffset: number
  /** When the oldest row was taken in, in milliseconds. */
  readonly oldestMs: number
  /** The oldest of the records' own times; undefined where none has one. */
  readonly oldestRecordMs?: number | undefined
}

/** A batch with its bytes, which are kept only until they are compressed. */
export interface RawBatch {
  readonly batch: Batch
  readonly raw: Uint8Array
}

const FIRST_BYTES = 64 * 1024
/** A byte array that is so many times larger than a batch is not kept for the next one. */
const SPARE_FACTOR = 4

/** Collects rows until `seal`. */
export class BatchBuilder {
  readonly tape = new Tape(FIRST_BYTES)
  #spare: Buffer | undefined
  #ends: number[] = []
  #offsets: number[] = []
  #oldestMs = 0
  #oldestRecordMs: number | undefined

  get rows(): number {
    return this.#ends.length
  }
  get bytes(): number {
    return this.tape.at
  }
  get oldestMs(): number {
    return this.#oldestMs
  }

  /** The tape holds one more whole row, of the record at `offset`, made at `recordMs` by its own account. */
  rowEnded(offset: number, nowMs: number, recordMs?: number): void {
    if (this.#ends.length === 0) this.#oldestMs = nowMs
    if (recordMs !== undefined && recordMs < (this.#oldestRecordMs ?? Infinity)) {
      this.#oldestRecordMs = recordMs
    }
    this.#ends.push(this.tape.at)
    this.#offsets.push(offset)
  }

  /** Hands out the rows and begins anew. At least one row must be there. */
  seal(): RawBatch {
    const spare = this.#spare
    const wanted = Math.max(FIRST_BYTES, this.tape.at) * SPARE_FACTOR
    this.#spare = undefined
    const raw = this.tape.take(
      FIRST_BYTES,
      spare !== undefined && spare.length <= wanted ? spare : undefined,
    )
    const batch: Batch = {
      rawBytes: raw.length,
      ends: this.#ends,
      offsets: this.#offsets,
      firstOffset: this.#offsets[0] as number,
      lastOffset: this.#offsets.at(-1) as number,
      oldestMs: this.#oldestMs,
      oldestRecordMs: this.#oldestRecordMs,
    }
    this.clear()
    return { batch, raw }
  }

  /** Nobody needs these bytes of `seal` any more: others may be written there. */
  recycle({ raw }: RawBatch): void {
    this.#spare = Buffer.from(raw.buffer)
  }

  clear(): void {
    this.tape.truncate(0)
    this.#ends = []
    this.#offsets = []
    this.#oldestRecordMs = undefined
  }
}

/** Cuts a batch in two near its middle; undefined for a single row. */
export function halve({ batch, raw }: RawBatch): readonly [RawBatch, RawBatch] | undefined {
  const middle = Math.ceil(batch.ends.length / 2)
  if (middle === batch.ends.length) return undefined
  const cut = batch.ends[middle - 1] as number
  return [
    { batch: slice(batch, 0, middle), raw: raw.subarray(0, cut) },
    { batch: slice(batch, middle, batch.ends.length), raw: raw.subarray(cut) },
  ]
}

function slice(batch: Batch, from: number, to: number): Batch {
  const start = from === 0 ? 0 : (batch.ends[from - 1] as number)
  const ends = batch.ends.slice(from, to).map((end) => end - start)
  return {
    rawBytes: ends.at(-1) as number,
    ends,
    offsets: batch.offsets.slice(from, to),
    firstOffset: batch.offsets[from] as number,
    lastOffset: batch.offsets[to - 1] as number,
    oldestMs: batch.oldestMs,
    oldestRecordMs: batch.oldestRecordMs,
  }
}
