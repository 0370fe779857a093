const TWO_POW_32 = 2 ** 32

/**
 * Writes protobuf's wire format (https://protobuf.dev/programming-guides/encoding/): just what the feeds
 * need, including fields that a generated encoder would refuse, such as one message field sent twice.
 */
export class ProtobufWriter {
  #bytes: Uint8Array
  #view: DataView
  #length = 0

  /** `sizeHint`: about how many bytes there will be; growing step by step costs time. */
  constructor(sizeHint = 256) {
    this.#bytes = new Uint8Array(sizeHint)
    this.#view = new DataView(this.#bytes.buffer)
  }

  /** A non-negative integer, or a negative one as ten bytes, as int32 and int64 want it. */
  varint(field: number, value: number | bigint): this {
    this.#raw((field << 3) >>> 0)
    if (typeof value === 'bigint' || value < 0) this.#big(BigInt.asUintN(64, BigInt(value)))
    else this.#raw(value)
    return this
  }

  bool(field: number, value: boolean): this {
    return this.varint(field, value ? 1 : 0)
  }

  float(field: number, value: number): this {
    this.#raw(((field << 3) | 5) >>> 0)
    this.#reserve(4)
    this.#view.setFloat32(this.#length, value, true)
    this.#length += 4
    return this
  }

  string(field: number, value: string): this {
    if (!isAscii(value)) return this.bytes(field, Buffer.from(value, 'utf8'))
    this.#raw(((field << 3) | 2) >>> 0)
    this.#raw(value.length)
    this.#reserve(value.length)
    for (let i = 0; i < value.length; i++) this.#bytes[this.#length++] = value.charCodeAt(i)
    return this
  }

  bytes(field: number, value: Uint8Array): this {
    this.#raw(((field << 3) | 2) >>> 0)
    this.#raw(value.length)
    return this.append(value)
  }

  /** A field that is a message of its own; `write` gets this writer and must only add fields. */
  message(field: number, write: (inner: ProtobufWriter) => void): this {
    this.#raw(((field << 3) | 2) >>> 0)
    this.#reserve(1)
    const at = this.#length++
    write(this)
    // Most messages are short: their length fits into the byte that was kept for it.
    const size = this.#length - at - 1
    const lengthBytes = size < 0x80 ? 1 : size < 0x4000 ? 2 : size < 0x20_0000 ? 3 : 5
    if (lengthBytes > 1) {
      this.#reserve(lengthBytes - 1)
      this.#bytes.copyWithin(at + lengthBytes, at + 1, this.#length)
      this.#length += lengthBytes - 1
    }
    for (let i = 0, rest = size; i < lengthBytes; i++, rest >>>= 7)
      this.#bytes[at + i] = i < lengthBytes - 1 ? (rest & 0x7f) | 0x80 : rest
    return this
  }

  /** Bytes as they are: fields that are encoded already. */
  append(value: Uint8Array): this {
    this.#reserve(value.length)
    this.#bytes.set(value, this.#length)
    this.#length += value.length
    return this
  }

  /** What was written so far; a copy. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length)
  }

  #raw(value: number): void {
    this.#reserve(10)
    let rest = value
    // Numbers above 2^32 must be divided, for shifts see 32 bits only.
    while (rest >= TWO_POW_32) {
      this.#bytes[this.#length++] = (rest % 128) | 0x80
      rest = Math.floor(rest / 128)
    }
    while (rest > 0x7f) {
      this.#bytes[this.#length++] = (rest & 0x7f) | 0x80
      rest >>>= 7
    }
    this.#bytes[this.#length++] = rest
  }

  #big(value: bigint): void {
    this.#reserve(10)
    let rest = value
    while (rest > 0x7fn) {
      this.#bytes[this.#length++] = Number(rest & 0x7fn) | 0x80
      rest >>= 7n
    }
    this.#bytes[this.#length++] = Number(rest)
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#bytes.length) return
    const bigger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + count))
    bigger.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = bigger
    this.#view = new DataView(bigger.buffer)
  }
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false
  return true
}
