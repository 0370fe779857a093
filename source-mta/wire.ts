// Protobuf's wire format, as far as a feed needs it before any message is decoded: cutting a body into
// entities and reading single fields of a payload. Positions are byte offsets into one array; nothing is copied.
import { DataError } from '../connector/api/errors.ts'

/** The bytes end inside a field. */
export class TruncatedError extends DataError {}

const GROUP_DEPTH_MAX = 32
const VARINT_BYTES_MAX = 10
const FIELD_NUMBER_MAX = 2 ** 29 - 1
const decoder = new TextDecoder()

export const WIRE = {
  varint: 0,
  fixed64: 1,
  bytes: 2,
  startGroup: 3,
  endGroup: 4,
  fixed32: 5,
} as const

/**
 * Walks the fields of one message: `next()` moves to a field, whose `number`, `wireType` and value
 * extent (`from`..`to`) then hold. Throws `TruncatedError` when the bytes end inside a field, `DataError`
 * for what is no protobuf. Groups are skipped, at most 32 deep.
 */
export class WireReader {
  readonly bytes: Uint8Array
  number = 0
  wireType: number = WIRE.varint
  /** Where the field's tag starts. */
  tagAt = 0
  /** The value's bytes: without the length of a length-delimited field. */
  from = 0
  to = 0
  #position: number
  readonly #end: number

  constructor(bytes: Uint8Array, from = 0, end = bytes.length) {
    this.bytes = bytes
    this.#position = from
    this.#end = end
  }

  next(): boolean {
    if (this.#position >= this.#end) return false
    this.tagAt = this.#position
    this.#readTag()
    this.#readExtent()
    return true
  }

  /** The value as an integer; of a varint beyond 2^53 the nearest number. Negative int32s come as such. */
  integer(): number {
    let value = 0
    let factor = 1
    if (this.to - this.from > 7) return this.#bigInteger()
    for (let at = this.from; at < this.to; at++) {
      value += ((this.bytes[at] ?? 0) & 0x7f) * factor
      factor *= 128
    }
    return value
  }

  /** The value as text; wrong UTF-8 becomes U+FFFD. */
  text(): string {
    return decoder.decode(this.bytes.subarray(this.from, this.to))
  }

  /** A view of the value's bytes. */
  payload(): Uint8Array {
    return this.bytes.subarray(this.from, this.to)
  }

  /** Tag and value as they are in the message. */
  raw(): Uint8Array {
    return this.bytes.subarray(this.tagAt, this.#position)
  }

  #bigInteger(): number {
    let value = 0n
    let shift = 0n
    for (let at = this.from; at < this.to; at++) {
      value |= BigInt((this.bytes[at] ?? 0) & 0x7f) << shift
      shift += 7n
    }
    return Number(BigInt.asIntN(64, value))
  }

  #readTag(): void {
    const tag = this.#varint()
    this.number = Math.floor(tag / 8)
    this.wireType = tag % 8
    if (this.number < 1 || this.number > FIELD_NUMBER_MAX) {
      throw new DataError(`Not protobuf: field number ${this.number} at byte ${this.tagAt}`)
    }
  }

  #readExtent(): void {
    switch (this.wireType) {
      case WIRE.varint:
        this.from = this.#position
        this.#varint()
        break
      case WIRE.fixed64:
        this.from = this.#advance(8)
        break
      case WIRE.fixed32:
        this.from = this.#advance(4)
        break
      case WIRE.bytes: {
        const length = this.#varint()
        this.from = this.#advance(length)
        break
      }
      case WIRE.startGroup:
        this.from = this.#position
        this.#skipGroup(this.number)
        break
      default:
        throw new DataError(`Not protobuf: wire type ${this.wireType} at byte ${this.tagAt}`)
    }
    this.to = this.#position
  }

  #skipGroup(number: number): void {
    const open = [number]
    while (open.length > 0) {
      if (open.length > GROUP_DEPTH_MAX) {
        throw new DataError(
          `Groups are nested deeper than ${GROUP_DEPTH_MAX} at byte ${this.tagAt}`,
        )
      }
      const tag = this.#varint()
      const inner = Math.floor(tag / 8)
      if (tag % 8 === WIRE.startGroup) open.push(inner)
      else if (tag % 8 === WIRE.endGroup) {
        if (open.pop() !== inner) throw new DataError(`Not protobuf: group ${inner} ends unopened`)
      } else this.#skipScalar(tag % 8)
    }
  }

  #skipScalar(wireType: number): void {
    if (wireType === WIRE.varint) this.#varint()
    else if (wireType === WIRE.fixed64) this.#advance(8)
    else if (wireType === WIRE.fixed32) this.#advance(4)
    else if (wireType === WIRE.bytes) this.#advance(this.#varint())
    else throw new DataError(`Not protobuf: wire type ${wireType} at byte ${this.tagAt}`)
  }

  #advance(length: number): number {
    const from = this.#position
    if (length > this.#end - from) {
      throw new TruncatedError(
        `A field at byte ${this.tagAt} wants ${length} bytes, has ${this.#end - from}`,
      )
    }
    this.#position = from + length
    return from
  }

  #varint(): number {
    let value = 0
    let factor = 1
    for (let count = 0; count < VARINT_BYTES_MAX; count++) {
      if (this.#position >= this.#end) {
        throw new TruncatedError(`The bytes end inside a number at byte ${this.#position}`)
      }
      const byte = this.bytes[this.#position++] ?? 0
      value += (byte & 0x7f) * factor
      if (byte < 0x80) return value
      factor *= 128
    }
    throw new DataError(`Not protobuf: a number longer than ${VARINT_BYTES_MAX} bytes`)
  }
}

/** Joins parts; of one part that part itself, uncopied. */
export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const [first] = parts
  if (first !== undefined && parts.length === 1) return first
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    joined.set(part, at)
    at += part.length
  }
  return joined
}

/** A length-delimited field: tag, length, `payload`. */
export const delimited = (number: number, payload: Uint8Array): Uint8Array =>
  concat([varint(number * 8 + WIRE.bytes), varint(payload.length), payload])

/** A varint field: tag, `value`, which is at least 0. */
export const varintField = (number: number, value: number): Uint8Array =>
  concat([varint(number * 8 + WIRE.varint), varint(value)])

function varint(value: number): Uint8Array {
  const bytes: number[] = []
  let rest = value
  while (rest >= 0x80) {
    bytes.push((rest % 128) + 128)
    rest = Math.floor(rest / 128)
  }
  bytes.push(rest)
  return Uint8Array.from(bytes)
}
