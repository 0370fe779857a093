// The two byte arrays that transcoding runs between: an Avro value that is read and NDJSON that is written. One
// object with all positions, so that the compiled writers share one hidden class and no allocation is needed per value.
import { isUtf8 } from 'node:buffer'
import { DataError } from '../api/errors.ts'

const QUOTE = 0x22
const BACKSLASH = 0x5c
const HEX = Buffer.from('0123456789abcdef')
/** More than any number, date or timestamp needs. */
const SCALAR_BYTES_MAX = 48
const PLAIN_TEXT_MAX = 200
const BILLION = 1_000_000_000
const EXACT_MAX = 2 ** 53
const eightBytes = new Uint8Array(8)
const asDouble = new Float64Array(eightBytes.buffer)
const asFloat = new Float32Array(eightBytes.buffer)

/** Bytes that are written again and again, e.g. a column's name; kept as words, since four bytes cost as much to store as one. */
export class Constant {
  readonly words: Int32Array
  readonly length: number

  constructor(text: string) {
    const bytes = Buffer.from(text)
    const padded = Buffer.alloc(Math.ceil(bytes.length / 4) * 4)
    bytes.copy(padded)
    this.length = bytes.length
    this.words = Int32Array.from({ length: padded.length / 4 }, (_, i) => padded.readInt32LE(i * 4))
  }
}

export class Tape {
  // What is read.
  src: Uint8Array = eightBytes
  pos = 0
  end = 0
  // What is written.
  out: Buffer
  /** The same bytes as `out`. */
  view: DataView
  at = 0

  constructor(bytes: number) {
    this.out = Buffer.allocUnsafeSlow(bytes)
    this.view = viewOf(this.out)
  }

  /** Begins to read `bytes`. */
  read(bytes: Uint8Array): void {
    this.src = bytes
    this.pos = 0
    this.end = bytes.length
  }

  /** Makes room for `bytes` more. */
  reserve(bytes: number): void {
    if (this.at + bytes > this.out.length) this.#grow(bytes)
  }

  #grow(bytes: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.max(this.out.length * 2, this.at + bytes))
    this.out.copy(larger, 0, 0, this.at)
    this.out = larger
    this.view = viewOf(larger)
  }

  /** Checks that `length` more bytes are there. A corrupt length must neither be read past nor allocated for. */
  need(length: number): void {
    if (length < 0 || length > this.end - this.pos) {
      throw new DataError(
        `The Avro value ends early: ${length} bytes wanted at ${this.pos} of ${this.end}`,
      )
    }
  }

  byte(): number {
    this.need(1)
    return this.src[this.pos++] as number
  }

  /** A zig-zag varint that must be within ±2^53: lengths, counts, ints, branch indexes. */
  small(): number {
    const value = this.#varint()
    if (typeof value === 'bigint') {
      throw new DataError(`The Avro value holds ${value} where a length or an int must be`)
    }
    return value
  }

  /** A long: a number where it is exact, else a bigint. */
  long(): number | bigint {
    return this.#varint()
  }

  #varint(): number | bigint {
    const { src } = this
    let byte = this.byte()
    let low = byte & 0x7f
    let shift = 7
    while (byte >= 0x80 && shift < 28) {
      byte = this.byte()
      low |= (byte & 0x7f) << shift
      shift += 7
    }
    if (byte < 0x80) return (low >>> 1) ^ -(low & 1)
    let high = 0
    let factor = 1
    // 28 bits are read; 3 more bytes stay within 2^49, which a number holds exactly.
    for (let n = 0; n < 3; n++) {
      byte = this.byte()
      high += (byte & 0x7f) * factor
      if (byte < 0x80) {
        const value = high * 268_435_456 + low
        return value % 2 === 0 ? value / 2 : -(value + 1) / 2
      }
      factor *= 128
    }
    return this.#bigVarint(BigInt(high) * 268_435_456n + BigInt(low), src)
  }

  #bigVarint(start: bigint, src: Uint8Array): number | bigint {
    let value = start
    for (let shift = 49n; shift < 70n; shift += 7n) {
      this.need(1)
      const byte = src[this.pos++] as number
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) {
        const signed = BigInt.asIntN(64, (value >> 1n) ^ -(value & 1n))
        const n = Number(signed)
        return Number.isSafeInteger(n) ? n : signed
      }
    }
    throw new DataError('The Avro value holds a number of more than 64 bits')
  }

  double(): number {
    this.need(8)
    for (let i = 0; i < 8; i++) eightBytes[i] = this.src[this.pos + i] as number
    this.pos += 8
    return asDouble[0] as number
  }

  float(): number {
    this.need(4)
    for (let i = 0; i < 4; i++) eightBytes[i] = this.src[this.pos + i] as number
    this.pos += 4
    return asFloat[0] as number
  }

  /** `length` bytes of the value, not copied. */
  bytes(length: number): Uint8Array {
    this.need(length)
    this.pos += length
    return this.src.subarray(this.pos - length, this.pos)
  }

  /** Writes it; up to three bytes behind it are overwritten by what comes next. */
  constant({ words, length }: Constant): void {
    this.reserve(length + 4)
    const { view, at } = this
    for (let i = 0; i < words.length; i++) view.setInt32(at + i * 4, words[i] as number, true)
    this.at = at + length
  }

  /** Writes UTF-8 text as it is. */
  text(text: string): void {
    this.reserve(text.length * 3)
    this.at += this.out.write(text, this.at)
  }

  /** Hands out what was written and goes on in `next`, or in a new array of `bytes`. */
  take(bytes: number, next?: Buffer): Buffer {
    const written = this.out.subarray(0, this.at)
    this.out = next ?? Buffer.allocUnsafeSlow(bytes)
    this.view = viewOf(this.out)
    this.at = 0
    return written
  }

  /** Writes ASCII text without quotes. */
  ascii(text: string): void {
    this.reserve(text.length)
    for (let i = 0; i < text.length; i++) this.out[this.at + i] = text.charCodeAt(i)
    this.at += text.length
  }

  /** Writes a JSON string of `length` UTF-8 bytes of the value. */
  jsonString(length: number): void {
    this.need(length)
    this.#quote(this.src, this.pos, length)
    this.pos += length
  }

  /** Writes a text as a JSON string. */
  jsonText(text: string): void {
    if (this.#plainText(text)) return
    const bytes = Buffer.from(text)
    this.#quote(bytes, 0, bytes.length)
  }

  /** Short plain ASCII, as most keys are, needs no bytes of its own in between. */
  #plainText(text: string): boolean {
    const { length } = text
    if (length > PLAIN_TEXT_MAX) return false
    this.reserve(length + 2)
    const { out } = this
    let at = this.at
    out[at++] = QUOTE
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i)
      if (code < 0x20 || code >= 0x80 || code === QUOTE || code === BACKSLASH) return false
      out[at++] = code
    }
    out[at++] = QUOTE
    this.at = at
    return true
  }

  #quote(src: Uint8Array, from: number, length: number): void {
    this.reserve(length * 6 + 2)
    const { out } = this
    const start = this.at
    let at = start
    let ored = 0
    out[at++] = QUOTE
    for (let i = from; i < from + length; i++) {
      const byte = src[i] as number
      ored |= byte
      if (byte >= 0x20 && byte !== QUOTE && byte !== BACKSLASH) out[at++] = byte
      else at = escape(out, at, byte)
    }
    out[at++] = QUOTE
    this.at = at
    if (ored >= 0x80 && !isUtf8(src.subarray(from, from + length))) {
      // Avro libraries put U+FFFD in place of what is not UTF-8; NDJSON must be UTF-8 throughout.
      this.at = start
      this.#quoteReplaced(src.subarray(from, from + length))
    }
  }

  #quoteReplaced(bytes: Uint8Array): void {
    this.jsonText(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8'))
  }

  /** Writes a number that is an integer, digit by digit where it is exact. */
  integer(value: number): void {
    this.reserve(SCALAR_BYTES_MAX)
    let magnitude = value
    if (value < 0) {
      this.out[this.at++] = 0x2d
      magnitude = -value
    }
    if (magnitude < BILLION) this.#digits(magnitude)
    else if (magnitude < EXACT_MAX) {
      const high = Math.floor(magnitude / BILLION)
      this.#digits(high)
      this.padded(magnitude - high * BILLION, 9)
    } else this.ascii(String(magnitude))
  }

  #digits(value: number): void {
    let digits = 1
    for (let limit = 10; value >= limit; limit *= 10) digits++
    this.padded(value, digits)
  }

  /** Writes `value`, less than 2^31, in `width` digits with leading zeros. */
  padded(value: number, width: number): void {
    const { out, at } = this
    let rest = value | 0
    for (let i = at + width - 1; i >= at; i--) {
      const next = (rest / 10) | 0
      out[i] = 0x30 + (rest - next * 10)
      rest = next
    }
    this.at = at + width
  }

  /** Drops what was written since `mark`, e.g. half a row. */
  truncate(mark: number): void {
    this.at = mark
  }
}

const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.length)

const SHORT_ESCAPES: Readonly<Record<number, number>> = {
  [QUOTE]: QUOTE,
  [BACKSLASH]: BACKSLASH,
  8: 0x62,
  9: 0x74,
  10: 0x6e,
  12: 0x66,
  13: 0x72,
}

function escape(out: Buffer, at: number, byte: number): number {
  const short = SHORT_ESCAPES[byte]
  out[at] = BACKSLASH
  if (short !== undefined) {
    out[at + 1] = short
    return at + 2
  }
  out[at + 1] = 0x75
  out[at + 2] = 0x30
  out[at + 3] = 0x30
  out[at + 4] = HEX[byte >> 4] as number
  out[at + 5] = HEX[byte & 15] as number
  return at + 6
}
