// Rows on their way into one request: NDJSON bytes with each row's end and offset, so that a request that turns out
// to be too large can be cut between two rows.
import { Tape } from './tape.ts'

/** A sealed run of rows; its bytes never change again, whatever happens to the request. */
export interface Batch {
  readonly raw: Uint8Array
  /** Where each row ends in `raw`. */
  readonly ends: readonly number[]
  readonly offsets: readonly number[]
  readonly firstOffset: number
  readonly lastOffset: number
  /** When the oldest row was taken in, in milliseconds. */
  readonly oldestMs: number
}

const FIRST_BYTES = 64 * 1024

/** Collects rows until `seal`. */
export class BatchBuilder {
  readonly tape = new Tape(FIRST_BYTES)
  #ends: number[] = []
  #offsets: number[] = []
  #oldestMs = 0

  get rows(): number {
    return this.#ends.length
  }
  get bytes(): number {
    return this.tape.at
  }
  get oldestMs(): number {
    return this.#oldestMs
  }

  /** The tape holds one more whole row, of the record at `offset`. */
  rowEnded(offset: number, nowMs: number): void {
    if (this.#ends.length === 0) this.#oldestMs = nowMs
    this.#ends.push(this.tape.at)
    this.#offsets.push(offset)
  }

  /** Hands out the rows and begins anew. At least one row must be there. */
  seal(): Batch {
    const batch: Batch = {
      // A copy of what is used: the tape keeps its size for the next rows.
      raw: Uint8Array.prototype.slice.call(this.tape.out, 0, this.tape.at),
      ends: this.#ends,
      offsets: this.#offsets,
      firstOffset: this.#offsets[0] as number,
      lastOffset: this.#offsets.at(-1) as number,
      oldestMs: this.#oldestMs,
    }
    this.clear()
    return batch
  }

  clear(): void {
    this.tape.truncate(0)
    this.#ends = []
    this.#offsets = []
  }
}

/** Cuts a batch in two near its middle; undefined for a single row. */
export function halve(batch: Batch): readonly [Batch, Batch] | undefined {
  const middle = Math.ceil(batch.ends.length / 2)
  if (middle === batch.ends.length) return undefined
  return [slice(batch, 0, middle), slice(batch, middle, batch.ends.length)]
}

function slice(batch: Batch, from: number, to: number): Batch {
  const start = from === 0 ? 0 : (batch.ends[from - 1] as number)
  return {
    raw: batch.raw.subarray(start, batch.ends[to - 1]),
    ends: batch.ends.slice(from, to).map((end) => end - start),
    offsets: batch.offsets.slice(from, to),
    firstOffset: batch.offsets[from] as number,
    lastOffset: batch.offsets[to - 1] as number,
    oldestMs: batch.oldestMs,
  }
}
