// Walks over the bytes of one Avro value without making anything of them, so that a value that cannot be
// decoded is found where it is read, while nobody has paid for an object yet.
//
// It refuses everything that avsc refuses, and a few things that decoders pass over in silence: text that
// is not UTF-8, a boolean other than 0 and 1, an int or long beyond its range, a block whose byte size is
// wrong, days and milliseconds beyond what a Date holds.
import { isUtf8 } from 'node:buffer'
import { DataError } from '../api/errors.ts'
import { type AvroNode, type RecordNode, textAttribute } from './avro-node.ts'

/** Levels of records, arrays and maps in one value. Decoders recurse, so more would end in a stack overflow. */
const NESTING_MAX = 500
/** Items that take no byte at all (nulls, empty records) in one value: a few bytes could ask for billions. */
const EMPTY_ITEMS_MAX = 65_536
const DATE_MS_MAX = 8.64e15
const DATE_DAYS_MAX = DATE_MS_MAX / 86_400_000

interface Cursor {
  bytes: Uint8Array
  pos: number
  end: number
  depth: number
  emptyItems: number
}
const NOTHING = new Uint8Array(0)
type Walk = (cursor: Cursor) => void

class Malformed extends DataError {}

/** Checks that `bytes[start..]` is exactly one value. Throws a `DataError` saying what is wrong and where. */
export type AvroWalker = (bytes: Uint8Array, start: number) => void

/** Compiles the check for a writer's schema. */
export function compileWalker(node: AvroNode): AvroWalker {
  const walk = new Compiler().compile(node)
  const cursor: Cursor = { bytes: NOTHING, pos: 0, end: 0, depth: 0, emptyItems: 0 } // One for all values: a walk never waits.
  return (bytes, start) => {
    cursor.bytes = bytes
    cursor.pos = start
    cursor.end = bytes.length
    cursor.depth = 0
    cursor.emptyItems = 0
    walk(cursor)
    cursor.bytes = NOTHING
    if (cursor.pos !== cursor.end) {
      throw new Malformed(
        `The Avro value ends at byte ${cursor.pos - start}, but has ${cursor.end - start} bytes.`,
      )
    }
  }
}

class Compiler {
  readonly #records = new Map<RecordNode, Walk>()

  // oxlint-disable-next-line typescript/consistent-return -- the switch is exhaustive, and TypeScript checks it
  compile(node: AvroNode): Walk {
    switch (node.kind) {
      case 'null':
        return nothing
      case 'boolean':
        return boolean
      case 'int':
        return textAttribute(node.attributes, 'logicalType') === 'date' ? date : int
      case 'long':
        return textAttribute(node.attributes, 'logicalType') === 'timestamp-millis'
          ? timestampMillis
          : long
      case 'float':
        return skip(4)
      case 'double':
        return skip(8)
      case 'bytes':
        return lengthAndBytes
      case 'string':
        return string
      case 'fixed':
        return skip(node.size)
      case 'enum':
        return index(node.symbols.length, `symbol of ${node.fullName}`)
      case 'union':
        return this.#union(node.branches)
      case 'array':
        return blocks(this.compile(node.items))
      case 'map': {
        const value = this.compile(node.values)
        return blocks((cursor) => {
          string(cursor)
          value(cursor)
        })
      }
      case 'record':
        return this.#record(node)
    }
  }

  #union(branches: readonly AvroNode[]): Walk {
    const walks = branches.map((branch) => this.compile(branch))
    const message = `branch of a union of ${branches.length}`
    return (cursor) => {
      const at = cursor.pos
      const n = readInt(cursor)
      const walk = walks[n]
      if (walk === undefined) throw new Malformed(`Expected a ${message} at byte ${at}, got ${n}.`)
      walk(cursor)
    }
  }

  #record(node: RecordNode): Walk {
    const known = this.#records.get(node)
    if (known !== undefined) return known
    const walks: Walk[] = []
    const walk: Walk = (cursor) => {
      enter(cursor)
      for (let i = 0; i < walks.length; i++) (walks[i] as Walk)(cursor)
      cursor.depth--
    }
    this.#records.set(node, walk)
    for (const field of node.fields) walks.push(this.compile(field.type))
    return walk
  }
}

function enter(cursor: Cursor): void {
  if (++cursor.depth > NESTING_MAX) {
    throw new Malformed(`The Avro value nests deeper than ${NESTING_MAX} levels.`)
  }
}

function truncated(cursor: Cursor): never {
  throw new Malformed(`The Avro value ends in the middle of a field, at byte ${cursor.end}.`)
}

const nothing: Walk = () => undefined

const skip =
  (size: number): Walk =>
  (cursor) => {
    cursor.pos += size
    if (cursor.pos > cursor.end) truncated(cursor)
  }

function boolean(cursor: Cursor): void {
  if (cursor.pos >= cursor.end) truncated(cursor)
  const value = cursor.bytes[cursor.pos++]
  if (value !== 0 && value !== 1) {
    throw new Malformed(`Expected a boolean at byte ${cursor.pos - 1}, got ${value}.`)
  }
}

/** A zigzag number of at most 32 bits. */
function readInt(cursor: Cursor): number {
  const { bytes, end } = cursor
  let result = 0
  for (let shift = 0; shift < 35; shift += 7) {
    if (cursor.pos >= end) truncated(cursor)
    const byte = bytes[cursor.pos++] ?? 0
    if (shift === 28 && byte > 0x0f) break
    result |= (byte & 0x7f) << shift
    if (byte < 0x80) return (result >>> 1) ^ -(result & 1)
  }
  throw new Malformed(`The int that ends at byte ${cursor.pos} has more than 32 bits.`)
}

function int(cursor: Cursor): void {
  readInt(cursor)
}

function long(cursor: Cursor): void {
  const { bytes, end } = cursor
  for (let length = 1; length <= 10; length++) {
    if (cursor.pos >= end) truncated(cursor)
    const byte = bytes[cursor.pos++] ?? 0
    if (byte < 0x80) {
      if (length === 10 && byte > 1) break
      return
    }
  }
  throw new Malformed(`The long that ends at byte ${cursor.pos} has more than 64 bits.`)
}

/** A zigzag long as a double: exact up to 2^53, near enough for a limit beyond that. */
function readLong(cursor: Cursor): number {
  const start = cursor.pos
  long(cursor)
  let raw = 0
  for (let i = cursor.pos - 1; i >= start; i--) raw = raw * 128 + ((cursor.bytes[i] ?? 0) & 0x7f)
  return ((cursor.bytes[start] ?? 0) & 1) === 1 ? -(raw + 1) / 2 : raw / 2
}

function date(cursor: Cursor): void {
  const days = readInt(cursor)
  if (Math.abs(days) > DATE_DAYS_MAX) {
    throw new Malformed(`The date that ends at byte ${cursor.pos} is out of range: day ${days}.`)
  }
}

function timestampMillis(cursor: Cursor): void {
  const ms = readLong(cursor)
  if (Math.abs(ms) > DATE_MS_MAX) {
    throw new Malformed(`The timestamp that ends at byte ${cursor.pos} is out of range: ${ms} ms.`)
  }
}

function readLength(cursor: Cursor): number {
  const length = readLong(cursor)
  if (length < 0 || length > cursor.end - cursor.pos) {
    throw new Malformed(
      `A length of ${length} at byte ${cursor.pos}, where ${cursor.end - cursor.pos} bytes are left.`,
    )
  }
  return length
}

function lengthAndBytes(cursor: Cursor): void {
  const length = readLength(cursor)
  cursor.pos += length
}

function string(cursor: Cursor): void {
  const length = readLength(cursor)
  const start = cursor.pos
  cursor.pos += length
  for (let i = start; i < cursor.pos; i++) {
    if ((cursor.bytes[i] ?? 0) < 0x80) continue
    if (isUtf8(cursor.bytes.subarray(i, cursor.pos))) return
    throw new Malformed(`The text at byte ${start} is not UTF-8.`)
  }
}

const index =
  (length: number, what: string): Walk =>
  (cursor) => {
    const at = cursor.pos
    const n = readInt(cursor)
    if (n < 0 || n >= length) throw new Malformed(`Expected a ${what} at byte ${at}, got ${n}.`)
  }

const blocks =
  (item: Walk): Walk =>
  (cursor) => {
    enter(cursor)
    for (;;) {
      let count = readLong(cursor)
      if (count === 0) break
      let blockEnd = -1
      if (count < 0) {
        count = -count
        blockEnd = readLength(cursor)
        blockEnd += cursor.pos
      }
      // An item of at least one byte ends this loop with the value, whatever the count says.
      for (; count > 0; count--) {
        const before = cursor.pos
        item(cursor)
        if (cursor.pos === before && ++cursor.emptyItems > EMPTY_ITEMS_MAX) {
          throw new Malformed(`The Avro value has more than ${EMPTY_ITEMS_MAX} items of no bytes.`)
        }
      }
      if (blockEnd >= 0 && cursor.pos !== blockEnd) {
        throw new Malformed(`A block says that it ends at byte ${blockEnd}, not ${cursor.pos}.`)
      }
    }
    cursor.depth--
  }
