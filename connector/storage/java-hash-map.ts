// Java's serialisation of a HashMap<byte[], byte[]>, which is what Kafka Connect's FileOffsetBackingStore
// keeps in its file (Java Object Serialization Specification, version 2). Keys and values are UTF-8 texts.
import { ConnectError } from '../api/errors.ts'

const HEADER = Buffer.from(
  `aced0005737200116a6176612e7574696c2e486173684d61700507dac1c31660d103000246000a6c6f6164466163746f724900097468726573686f6c647870`,
  'hex',
)
const LOAD_FACTOR = Buffer.from('3f400000', 'hex')
const CLASS_OF_ARRAYS = Buffer.from('757200025b42acf317f8060854e00200007870', 'hex')
const CLASS_AGAIN = Buffer.from('7571007e0002', 'hex')
const BLOCK_OF_EIGHT = Buffer.from('7708', 'hex')
const NULL = 0x70
const END = Buffer.from('78', 'hex')

/** The file's bytes for a map. */
export function encodeJavaHashMap(map: ReadonlyMap<string, string>): Buffer {
  const capacity = map.size === 0 ? 16 : 2 ** Math.max(4, Math.ceil(Math.log2(map.size / 0.75)))
  const parts = [HEADER, LOAD_FACTOR, int32(map.size === 0 ? 0 : capacity * 0.75), BLOCK_OF_EIGHT]
  parts.push(int32(capacity), int32(map.size))
  let first = true
  for (const text of [...map].flat()) {
    const bytes = Buffer.from(text)
    parts.push(first ? CLASS_OF_ARRAYS : CLASS_AGAIN, int32(bytes.length), bytes)
    first = false
  }
  parts.push(END)
  return Buffer.concat(parts)
}

/** The map in a file's bytes; null values are left out. @throws ConnectError for anything else. */
export function decodeJavaHashMap(bytes: Buffer): Map<string, string> {
  const reader = new Reader(bytes)
  reader.expect(HEADER, 'the serialised form of java.util.HashMap')
  reader.skip(8) // Load factor and threshold: hints of Java's.
  reader.expect(BLOCK_OF_EIGHT, 'the block with capacity and size')
  reader.skip(4)
  const size = reader.int32()
  const map = new Map<string, string>()
  for (let i = 0; i < size; i++) {
    const key = reader.byteArray()
    const value = reader.byteArray()
    if (key !== null && value !== null) map.set(key, value)
  }
  reader.expect(END, 'the end of the map')
  return map
}

class Reader {
  readonly #bytes: Buffer
  #at = 0
  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  expect(expected: Buffer, what: string): void {
    const actual = this.#bytes.subarray(this.#at, this.#at + expected.length)
    if (!actual.equals(expected)) {
      throw new ConnectError(
        `Expected ${what} at byte ${this.#at}, got ${actual.toString('hex') || 'the end'}.`,
      )
    }
    this.#at += expected.length
  }

  skip(count: number): void {
    this.#at += count
  }

  int32(): number {
    if (this.#at + 4 > this.#bytes.length) {
      throw new ConnectError(`Expected four bytes at byte ${this.#at}, got the end.`)
    }
    const value = this.#bytes.readInt32BE(this.#at)
    this.#at += 4
    return value
  }

  byteArray(): string | null {
    if (this.#bytes[this.#at] === NULL) {
      this.#at++
      return null
    }
    const isFirst = this.#bytes[this.#at + 1] === 0x72
    this.expect(isFirst ? CLASS_OF_ARRAYS : CLASS_AGAIN, 'a byte array')
    const length = this.int32()
    if (length < 0 || this.#at + length > this.#bytes.length) {
      throw new ConnectError(`Expected ${length} bytes at byte ${this.#at}, got the end.`)
    }
    const text = this.#bytes.toString('utf8', this.#at, this.#at + length)
    this.#at += length
    return text
  }
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}
