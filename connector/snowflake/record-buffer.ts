// The records of one partition that are not sent yet: first as they came, then as rows.
import { DataError } from '../api/errors.ts'
import type { SinkRecord } from '../api/records.ts'
import { BatchBuilder, type RawBatch } from './batch.ts'
import type { RecordShape, RowWriter } from './record-shape.ts'
import { type RowEncoder, shapeOf } from './row-encoder.ts'

export interface BufferLimits {
  readonly rawBytesMax: number
  readonly rowsMax: number
  readonly lingerMs: number
  readonly ignoreTombstones: boolean
  /** Of values without a schema; default: whatever columns the table has. */
  readonly plainShape?: RecordShape | undefined
}

/** What a record that cannot be written leads to: it is passed over once the promise resolves; a rejection ends the task. */
export type BadRecordHandler = (record: SinkRecord, error: DataError) => Promise<void>

/** Records that came together become rows together, even when they are too many for one request; but no more than so many times too many. */
const OVERFLOW = 2

/** Which records come only because others are read again. */
export interface Replay {
  /** An error to report the record with, `done` when it must not become a row, else undefined. */
  verdict(offset: number): DataError | 'done' | undefined
  reported(offset: number): void
}

const NO_REPLAY: Replay = { verdict: () => undefined, reported: () => {} }

/** What a consumed record takes in memory beside its value: the message, its byte arrays, the record itself. */
const RECORD_OVERHEAD_BYTES = 1_000

export class RecordBuffer {
  readonly #limits: BufferLimits
  readonly #onBadRecord: BadRecordHandler
  readonly #replay: Replay
  readonly #inbox: SinkRecord[] = []
  /** Where the inbox begins; what is before was taken out. */
  #head = 0
  #inboxBytes = 0
  readonly #builder = new BatchBuilder()
  #reporting = false
  /** The last record that was taken out, whether it became a row or not. */
  #processed = -1
  #epoch = 0
  /** Set while the next record waits for its table. */
  #blockedBy: RecordShape | undefined
  /** A record that was found to be impossible to send; it is read again, also after `clear`. */
  #refused: { readonly offset: number; readonly error: DataError } | undefined
  failure: Error | undefined

  constructor(limits: BufferLimits, onBadRecord: BadRecordHandler, replay = NO_REPLAY) {
    this.#limits = limits
    this.#onBadRecord = onBadRecord
    this.#replay = replay
  }

  get bytes(): number {
    return this.#inboxBytes + this.#builder.bytes
  }
  /** Records and rows. */
  get size(): number {
    return this.#inbox.length - this.#head + this.#builder.rows
  }
  get rows(): number {
    return this.#builder.rows
  }
  get processed(): number {
    return this.#processed
  }
  /** Nothing is being reported. */
  get isSettled(): boolean {
    return !this.#reporting
  }
  get blockedBy(): RecordShape | undefined {
    return this.#blockedBy
  }

  push(record: SinkRecord): void {
    this.#inbox.push(record)
    this.#inboxBytes += sizeOf(record)
  }

  clear(): void {
    this.#epoch++
    this.#inbox.length = 0
    this.#head = 0
    this.#inboxBytes = 0
    this.#builder.clear()
    this.#blockedBy = undefined
    this.#reporting = false
    this.#processed = -1
  }

  /** The record at `offset` will be reported with `error` when it comes again. */
  refuse(offset: number, error: DataError): void {
    this.#refused = { offset, error }
  }

  /** The shape of the next record that becomes a row, past those that become none; undefined when there is none yet. */
  nextShape(): RecordShape | undefined {
    let shape: RecordShape | undefined
    while (shape === undefined && !this.#reporting && this.failure === undefined) {
      const record = this.#inbox[this.#head]
      if (record === undefined) break
      shape = this.#shapeOf(record)
      if (shape === undefined) this.#passed(record)
    }
    this.#compact()
    return shape
  }

  #shapeOf(record: SinkRecord): RecordShape | undefined {
    if (this.#isIgnored(record)) return undefined
    try {
      return shapeOf(record, this.#limits.plainShape)
    } catch (error) {
      this.#reject(record, error)
      return undefined
    }
  }

  /** Makes rows of records until a request is full, the table has to change, or a bad record is being reported. */
  fill(encoder: RowEncoder, nowMs: number): void {
    this.#blockedBy = undefined
    if (this.isFull) return // What comes now waits for the next request.
    while (!this.#reporting && !this.#isOver(OVERFLOW) && this.failure === undefined) {
      const record = this.#inbox[this.#head]
      if (record === undefined) break
      if (!this.#take(record, encoder, nowMs)) break
      this.#passed(record)
    }
    this.#compact()
  }

  #passed(record: SinkRecord): void {
    this.#processed = record.originalKafkaOffset
    this.#inboxBytes -= sizeOf(record)
    this.#head++
  }

  #isIgnored(record: SinkRecord): boolean {
    return this.#limits.ignoreTombstones && isTombstone(record)
  }

  /** False when the record must stay. */
  #take(record: SinkRecord, encoder: RowEncoder, nowMs: number): boolean {
    const verdict = this.#replay.verdict(record.originalKafkaOffset)
    if (verdict === 'done' || (verdict === undefined && this.#isIgnored(record))) return true
    try {
      if (verdict !== undefined) throw verdict
      if (record.originalKafkaOffset === this.#refused?.offset) throw this.#refused.error
      const shape = shapeOf(record, this.#limits.plainShape)
      const writer = encoder.writerFor(shape)
      if (writer === undefined) {
        this.#blockedBy = shape
        return false
      }
      this.#write(record, writer, encoder, nowMs)
    } catch (error) {
      return this.#reject(record, error)
    }
    return true
  }

  /** False when the error is not the record's. */
  #reject(record: SinkRecord, error: unknown): boolean {
    if (error instanceof DataError) this.#report(record, error)
    else this.failure = asError(error)
    return error instanceof DataError
  }

  #write(record: SinkRecord, writer: RowWriter, encoder: RowEncoder, nowMs: number): void {
    encoder.write(record, writer, nowMs, this.#builder.tape)
    this.#builder.rowEnded(record.originalKafkaOffset, nowMs, record.timestamp)
  }

  /** Nothing is sent until the report is durable, so that the position cannot pass a record that nobody knows of. */
  #report(record: SinkRecord, error: DataError): void {
    const epoch = this.#epoch
    this.#reporting = true
    const settle = async (): Promise<void> => {
      try {
        await this.#onBadRecord(record, error)
      } catch (failure) {
        if (epoch === this.#epoch) this.failure = asError(failure)
      }
      if (epoch !== this.#epoch) return
      if (this.failure === undefined) this.#replay.reported(record.originalKafkaOffset)
      this.#reporting = false
    }
    void settle()
  }

  /** Records wait here, or would: until rows are sent, a table is made, a report is durable. */
  get isStuck(): boolean {
    return this.isFull || this.#head < this.#inbox.length
  }
  /** There are enough rows for a request. */
  get isFull(): boolean {
    return this.#isOver(1)
  }

  #isOver(times: number): boolean {
    const { rawBytesMax, rowsMax } = this.#limits
    return this.#builder.bytes >= rawBytesMax * times || this.#builder.rows >= rowsMax * times
  }

  /**
   * Always the same array: one that is old when it is given up keeps the young records that were in it alive until the
   * next full collection, which made most of the worker's heap.
   */
  #compact(): void {
    if (this.#head < 1_024 && this.#head < this.#inbox.length) return
    if (this.#head === this.#inbox.length) this.#inbox.length = 0
    else this.#inbox.splice(0, this.#head)
    this.#head = 0
  }

  /** Rows to send now, if they are enough, old enough, or must go before something else can happen. */
  seal(nowMs: number, isUrgent: boolean): RawBatch | undefined {
    if (this.#builder.rows === 0 || this.#reporting || this.failure !== undefined) return undefined
    const isDue =
      isUrgent ||
      this.#blockedBy !== undefined ||
      this.isFull ||
      nowMs - this.#builder.oldestMs >= this.#limits.lingerMs
    return isDue ? this.#builder.seal() : undefined
  }

  /** The bytes of a sealed batch are not needed any more. */
  recycle(batch: RawBatch): void {
    this.#builder.recycle(batch)
  }
}

const isTombstone = (record: SinkRecord): boolean =>
  record.encodedValue === undefined && (record.value === null || record.value === undefined)

const asError = (thrown: unknown): Error =>
  thrown instanceof Error ? thrown : new Error(String(thrown))

function sizeOf(record: SinkRecord): number {
  const { encodedValue } = record
  if (encodedValue !== undefined) return encodedValue.bytes.length + RECORD_OVERHEAD_BYTES
  const { value } = record // Not before: asked of Avro bytes, it would be decoded.
  if (typeof value === 'string') return value.length + RECORD_OVERHEAD_BYTES
  // An object's size is not known without walking it; a kilobyte is what a row of some 30 columns takes.
  return RECORD_OVERHEAD_BYTES + (value === null ? 0 : 1_024)
}
