// Avro bytes straight to JSON, by functions that are put together once per (writer schema, table columns): no object
// is made in between, strings are copied as bytes, and column names are constants.
import { DataError } from '../api/errors.ts'
import { type AvroNode, columnTypeOf, type Primitive } from './avro-schema.ts'
import type { ColumnType } from './column-type.ts'
import {
  bigIntOf,
  decimalText,
  type TimeUnit,
  uuidText,
  writeBase64,
  writeDate,
  writeDouble,
  writeFloat,
  writeLong,
  writeTime,
  writeTimestamp,
} from './scalar-json.ts'
import { Constant, type Tape } from './tape.ts'

/** Reads one value from the tape and writes its JSON. */
export type ValueWriter = (tape: Tape) => void

const NULL = new Constant('null')
const TRUE = new Constant('true')
const FALSE = new Constant('false')
const COMMA = 0x2c
const COLON = 0x3a
/** Items of a type that takes no bytes, whose number the value's length cannot bound. */
const EMPTY_ITEMS_MAX = 100_000

/** The writer for `node` into a column of `type`; undefined stands for the type that `node` asks for. */
export function compile(node: AvroNode, type: ColumnType | undefined): ValueWriter {
  if (node.kind === 'union') return compileUnion(node.branches, type ?? columnTypeOf(node))
  if (node.kind === 'record') return compileRecord(node, type)
  if (node.kind === 'array') {
    return compileArray(node.items, type?.kind === 'array' ? type.element : undefined)
  }
  if (node.kind === 'map') {
    return compileMap(node.values, type?.kind === 'map' ? type.value : undefined)
  }
  if (node.kind === 'enum') return compileEnum(node.symbols)
  if (node.logical === 'decimal') return compileDecimal(node)
  if (node.kind === 'fixed') return compileFixed(node)
  return node.logical === undefined ? PLAIN[node.kind] : (LOGICAL[node.logical] ?? PLAIN[node.kind])
}

const PLAIN: Readonly<Record<Primitive, ValueWriter>> = {
  null: (tape) => tape.constant(NULL),
  boolean: (tape) => tape.constant(tape.byte() === 0 ? FALSE : TRUE),
  int: (tape) => tape.integer(tape.small()),
  long: (tape) => writeLong(tape, tape.long()),
  float: (tape) => writeFloat(tape, tape.float()),
  double: (tape) => writeDouble(tape, tape.double()),
  string: (tape) => tape.jsonString(tape.small()),
  bytes: (tape) => writeBase64(tape, tape.bytes(tape.small())),
}

const timestamp =
  (unit: TimeUnit, isInstant: boolean): ValueWriter =>
  (tape) =>
    writeTimestamp(tape, tape.long(), unit, isInstant)

const time =
  (unit: TimeUnit): ValueWriter =>
  (tape) =>
    writeTime(tape, tape.small(), unit)

const LOGICAL: Readonly<Record<string, ValueWriter>> = {
  date: (tape) => writeDate(tape, tape.small()),
  'time-millis': time('millis'),
  'time-micros': time('micros'),
  'timestamp-millis': timestamp('millis', true),
  'timestamp-micros': timestamp('micros', true),
  'timestamp-nanos': timestamp('nanos', true),
  'local-timestamp-millis': timestamp('millis', false),
  'local-timestamp-micros': timestamp('micros', false),
  'local-timestamp-nanos': timestamp('nanos', false),
}

type Fixed = Extract<AvroNode, { kind: 'fixed' }>

function compileFixed({ size, logical }: Fixed): ValueWriter {
  if (logical === 'uuid' && size === 16) {
    return (tape) => tape.ascii(`"${uuidText(tape.bytes(size))}"`)
  }
  return (tape) => writeBase64(tape, tape.bytes(size))
}

function compileDecimal(node: Extract<AvroNode, { kind: Primitive | 'fixed' }>): ValueWriter {
  const { scale = 0 } = node
  const size = node.kind === 'fixed' ? node.size : undefined
  return (tape) => {
    const unscaled = bigIntOf(tape.bytes(size ?? tape.small()))
    tape.ascii(`"${decimalText(unscaled, scale)}"`)
  }
}

function compileEnum(symbols: readonly string[]): ValueWriter {
  const constants = symbols.map((symbol) => new Constant(JSON.stringify(symbol)))
  return (tape) => {
    const index = tape.small()
    const constant = constants[index]
    if (constant === undefined) {
      throw new DataError(`The Avro value holds symbol ${index} of an enum of ${symbols.length}`)
    }
    tape.constant(constant)
  }
}

/** Which branch is null; -1 for none. */
export const nullBranch = (branches: readonly AvroNode[]): number =>
  branches.findIndex((branch) => branch.kind === 'null')

/** Reads a union's branch index. */
export function readBranch(tape: Tape, count: number): number {
  const index = tape.small()
  if (index < 0 || index >= count) {
    throw new DataError(`The Avro value holds branch ${index} of a union of ${count}`)
  }
  return index
}

function compileUnion(branches: readonly AvroNode[], type: ColumnType | undefined): ValueWriter {
  const writers = branches.map((branch) => compile(branch, type))
  return (tape) => {
    const write = writers[readBranch(tape, writers.length)] as ValueWriter
    write(tape)
  }
}

const key = (prefix: string, name: string): Constant =>
  new Constant(`${prefix}${JSON.stringify(name)}:`)

/**
 * A structured OBJECT takes exactly its declared fields: those that the writer does not know are written as null,
 * those that the table does not have cannot be written at all.
 */
function compileRecord(
  node: Extract<AvroNode, { kind: 'record' }>,
  type: ColumnType | undefined,
): ValueWriter {
  const declared = type?.kind === 'object' ? type.fields : undefined
  const known = new Set(node.fields.map((field) => field.name))
  const keys: Constant[] = []
  const writers: ValueWriter[] = []
  for (const field of node.fields) {
    const column = declared?.find((candidate) => candidate.name === field.name)
    if (declared !== undefined && column === undefined) {
      throw new DataError(`The table's OBJECT has no field ${field.name}, which ${node.name} has`)
    }
    keys.push(key(keys.length === 0 ? '{' : ',', field.name))
    writers.push(compile(field.node, column?.type))
  }
  let tail = keys.length === 0 ? '{' : ''
  for (const field of declared ?? []) {
    if (!known.has(field.name)) {
      tail += `${keys.length === 0 && tail === '{' ? '' : ','}${JSON.stringify(field.name)}:null`
    }
  }
  const end = new Constant(`${tail}}`)
  return (tape) => {
    for (let i = 0; i < writers.length; i++) {
      tape.constant(keys[i] as Constant)
      ;(writers[i] as ValueWriter)(tape)
    }
    tape.constant(end)
  }
}

/** The number of items in the next block; 0 ends the collection. A negative count is followed by the block's size. */
function blockCount(tape: Tape, itemBytesMin: number): number {
  let count = tape.small()
  if (count < 0) {
    count = -count
    tape.small()
  }
  if (itemBytesMin > 0) tape.need(count * itemBytesMin)
  else if (count > EMPTY_ITEMS_MAX) {
    throw new DataError(`The Avro value holds an array of ${count} empty items`)
  }
  return count
}

function compileArray(items: AvroNode, type: ColumnType | undefined): ValueWriter {
  const write = compile(items, type)
  const bytesMin = minBytes(items)
  return (tape) => {
    tape.reserve(1)
    tape.out[tape.at++] = 0x5b
    let isFirst = true
    for (let n = blockCount(tape, bytesMin); n > 0; n = blockCount(tape, bytesMin)) {
      for (let i = 0; i < n; i++) {
        if (!isFirst) comma(tape)
        isFirst = false
        write(tape)
      }
    }
    tape.reserve(1)
    tape.out[tape.at++] = 0x5d
  }
}

function compileMap(values: AvroNode, type: ColumnType | undefined): ValueWriter {
  const write = compile(values, type)
  return (tape) => {
    tape.reserve(1)
    tape.out[tape.at++] = 0x7b
    let isFirst = true
    for (let n = blockCount(tape, 1); n > 0; n = blockCount(tape, 1)) {
      for (let i = 0; i < n; i++) {
        if (!isFirst) comma(tape)
        isFirst = false
        tape.jsonString(tape.small())
        tape.reserve(1)
        tape.out[tape.at++] = COLON
        write(tape)
      }
    }
    tape.reserve(1)
    tape.out[tape.at++] = 0x7d
  }
}

function comma(tape: Tape): void {
  tape.reserve(1)
  tape.out[tape.at++] = COMMA
}

/** The fewest bytes that a value of `node` takes. */
function minBytes(node: AvroNode): number {
  if (node.kind === 'null') return 0
  if (node.kind === 'fixed') return node.size
  if (node.kind === 'record') return node.fields.reduce((sum, f) => sum + minBytes(f.node), 0)
  if (node.kind === 'float') return 4
  return node.kind === 'double' ? 8 : 1
}
