// What a record's value looks like to a table: which columns it needs, and how it is written once they are known.
import { DataError } from '../api/errors.ts'
import type { SinkRecord } from '../api/records.ts'
import { type AvroNode, type AvroRecord, columnTypeOf, parseAvroRecord } from './avro-schema.ts'
import { compile, nullBranch, readBranch, type ValueWriter } from './avro-transcoder.ts'
import type { Column, ColumnType } from './column-type.ts'
import { Constant, type Tape } from './tape.ts'

/** A table's columns by stored name; undefined where nobody has looked. */
export type TableColumns = ReadonlyMap<string, ColumnType> | undefined

/** Writes `,"COLUMN":value` for each column of a record that is not null. */
export type RowWriter = (record: SinkRecord, tape: Tape) => void

/** All records of one schema share a shape. */
export interface RecordShape {
  /** For messages, e.g. `VehiclePosition (schema 3)`. */
  readonly name: string
  readonly columns: readonly Column[]
  compile(table: TableColumns): RowWriter
}

/** Columns are matched without regard to case; upper case is what everybody can write without quotes. */
export const columnName = (field: string): string => field.toUpperCase()

/** @throws DataError when two names differ in case only. */
export function checkDistinct(columns: readonly Column[], shape: string): void {
  const seen = new Set<string>()
  for (const { name } of columns) {
    if (seen.has(name)) throw new DataError(`${shape} has two fields that become column ${name}`)
    seen.add(name)
  }
}

/** A record without a value: only RECORD_METADATA is written. */
export const TOMBSTONE_SHAPE: RecordShape = {
  name: 'a record without a value',
  columns: [],
  compile: () => () => {},
}

/** The shape of values that are Avro bytes. @throws DataError when no table can hold them. */
export function avroShape(writerSchema: unknown, schemaId: number): RecordShape {
  const record = parseAvroRecord(writerSchema)
  const name = `${record.name} (schema ${schemaId})`
  const columns: Column[] = []
  for (const field of record.fields) {
    const type = columnTypeOf(field.node)
    if (type !== undefined) columns.push({ name: columnName(field.name), type })
  }
  checkDistinct(columns, name)
  return { name, columns, compile: (table) => compileRow(record, table) }
}

function compileRow(record: AvroRecord, table: TableColumns): RowWriter {
  const writers = record.fields.map((field) =>
    compileColumn(columnName(field.name), field.node, table?.get(columnName(field.name))),
  )
  return ({ encodedValue }, tape) => {
    if (encodedValue === undefined) throw new DataError('The record has no Avro bytes')
    tape.read(encodedValue.bytes)
    for (let i = 0; i < writers.length; i++) (writers[i] as ValueWriter)(tape)
  }
}

/** An absent column is NULL, so null is not written: fewer bytes is most of the speed. */
function compileColumn(name: string, node: AvroNode, type: ColumnType | undefined): ValueWriter {
  const key = new Constant(`,${JSON.stringify(name)}:`)
  if (node.kind === 'null') return () => {}
  if (node.kind !== 'union') {
    const write = compile(node, type)
    return (tape) => {
      tape.constant(key)
      write(tape)
    }
  }
  const { branches } = node
  const nothing = nullBranch(branches)
  const target = type ?? columnTypeOf(node)
  const writers = branches.map((branch) => compile(branch, target))
  return (tape) => {
    const branch = readBranch(tape, writers.length)
    if (branch === nothing) return
    tape.constant(key)
    ;(writers[branch] as ValueWriter)(tape)
  }
}
