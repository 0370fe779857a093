// Records to rows of one partition: finds each record's shape, compiles its writer once, and adds RECORD_METADATA.
import { DataError } from '../api/errors.ts'
import type { SinkRecord } from '../api/records.ts'
import { SCHEMALESS_SHAPE, schemaShape } from './connect-json.ts'
import type { MetadataWriter } from './metadata.ts'
import { avroShape, type RecordShape, type RowWriter, TOMBSTONE_SHAPE } from './record-shape.ts'
import type { TableAccess } from './table-access.ts'
import { Constant, type Tape } from './tape.ts'

const OPEN = new Constant('{')
const CLOSE = new Constant('}\n')
const shapes = new WeakMap<object, RecordShape>()

/** The record's shape, the same object for all records of one schema; `plain`: that of values without one. @throws DataError when no table can hold it. */
export function shapeOf(record: SinkRecord, plain: RecordShape = SCHEMALESS_SHAPE): RecordShape {
  const { encodedValue, valueSchema } = record
  if (encodedValue !== undefined) {
    const { writerSchema, schemaId } = encodedValue
    if (typeof writerSchema !== 'object' || writerSchema === null) {
      throw new DataError(
        `Expected an Avro record as the value's schema, got ${JSON.stringify(writerSchema)}`,
      )
    }
    return cached(writerSchema, () => avroShape(writerSchema, schemaId))
  }
  if (record.value === null || record.value === undefined) return TOMBSTONE_SHAPE
  // A text is one of JSON.
  if (valueSchema === null || typeof record.value === 'string') return plain
  return cached(valueSchema, () => schemaShape(valueSchema))
}

function cached(key: object, make: () => RecordShape): RecordShape {
  let shape = shapes.get(key)
  if (shape === undefined) {
    shape = make()
    shapes.set(key, shape)
  }
  return shape
}

/** Schema versions that one partition mixes; older writers are compiled again. */
const WRITERS_MAX = 16

/** Writes rows as NDJSON lines. */
export class RowEncoder {
  readonly #table: TableAccess
  readonly #metadata: MetadataWriter
  readonly #writers = new Map<RecordShape, RowWriter>()
  #version = -1

  constructor(table: TableAccess, metadata: MetadataWriter) {
    this.#table = table
    this.#metadata = metadata
  }

  /** Undefined when the table must be looked at or changed before rows of this shape can be written. @throws DataError */
  writerFor(shape: RecordShape): RowWriter | undefined {
    const table = this.#table.columnsFor(shape)
    if (table === undefined) return undefined
    if (table.version !== this.#version || this.#writers.size > WRITERS_MAX) this.#writers.clear()
    this.#version = table.version
    let writer = this.#writers.get(shape)
    if (writer === undefined) {
      writer = shape.compile(table.columns)
      this.#writers.set(shape, writer)
    }
    return writer
  }

  /** Writes one row. Leaves nothing of a row that fails. @throws DataError */
  write(record: SinkRecord, writer: RowWriter, nowMs: number, tape: Tape): void {
    const mark = tape.at
    try {
      tape.constant(OPEN)
      this.#metadata.write(record, nowMs, tape)
      writer(record, tape)
      tape.constant(CLOSE)
    } catch (cause) {
      tape.truncate(mark)
      if (cause instanceof DataError) throw cause
      throw new DataError('The record cannot be written as a row', { cause })
    }
  }
}
