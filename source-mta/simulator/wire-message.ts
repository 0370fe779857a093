// Takes a FeedMessage apart and puts it together again without decoding it: for faults and for the probe.
import { ENTITY, HEADER, MESSAGE } from './gtfs-realtime-fields.ts'
import { ProtobufWriter } from './protobuf-writer.ts'

export interface WireField {
  readonly number: number
  /** 0 varint, 1 eight bytes, 2 length-delimited, 5 four bytes. */
  readonly wireType: number
  /** Without tag and length. */
  readonly payload: Uint8Array
  /** Tag included, as it was. */
  readonly whole: Uint8Array
}

export interface WireMessage {
  readonly header: Uint8Array
  readonly entities: readonly Uint8Array[]
}

/** The fields of a message in their order. Throws RangeError where the bytes are no protobuf. */
export function wireFields(bytes: Uint8Array): readonly WireField[] {
  const out: WireField[] = []
  for (let at = 0; at < bytes.length; ) {
    const tag = readVarint(bytes, at)
    const wireType = tag.value % 8
    let start = tag.end
    let end: number
    if (wireType === 0) end = readVarint(bytes, start).end
    else if (wireType === 1) end = start + 8
    else if (wireType === 5) end = start + 4
    else if (wireType === 2) {
      const length = readVarint(bytes, start)
      start = length.end
      end = start + length.value
    } else throw new RangeError(`Wire type ${wireType} at byte ${at}.`)
    if (end > bytes.length) throw new RangeError(`Field at byte ${at} ends beyond the message.`)
    out.push({
      number: Math.floor(tag.value / 8),
      wireType,
      payload: bytes.subarray(start, end),
      whole: bytes.subarray(at, end),
    })
    at = end
  }
  return out
}

/** Splits a FeedMessage. Throws RangeError when it is none, or has no header. */
export function splitMessage(bytes: Uint8Array): WireMessage {
  const fields = wireFields(bytes)
  const header = fields.find((field) => field.number === MESSAGE.header && field.wireType === 2)
  if (header === undefined) throw new RangeError('The message has no header.')
  return {
    header: header.payload,
    entities: fields.filter((field) => field.number === MESSAGE.entity).map((f) => f.payload),
  }
}

export function joinMessage({ header, entities }: WireMessage): Uint8Array {
  const out = new ProtobufWriter().bytes(MESSAGE.header, header)
  for (const entity of entities) out.bytes(MESSAGE.entity, entity)
  return out.finish()
}

/** Unix seconds of the header's timestamp, 0 when it has none. */
export function headerTimestamp(header: Uint8Array): number {
  const field = wireFields(header).find(({ number }) => number === HEADER.timestamp)
  return field === undefined ? 0 : readVarint(field.payload, 0).value
}

export function withTimestamp(message: WireMessage, timestamp: number): WireMessage {
  const header = new ProtobufWriter()
  for (const field of wireFields(message.header)) {
    if (field.number === HEADER.timestamp) header.varint(HEADER.timestamp, timestamp)
    else header.append(field.whole)
  }
  return { ...message, header: header.finish() }
}

export function withEntityId(entity: Uint8Array, id: string): Uint8Array {
  const out = new ProtobufWriter().string(ENTITY.id, id)
  for (const field of wireFields(entity)) if (field.number !== ENTITY.id) out.append(field.whole)
  return out.finish()
}

/** A varint at `from`, exact below 2^53. Throws RangeError where there is none. */
export function readVarint(bytes: Uint8Array, from: number): { value: number; end: number } {
  let value = 0
  let unit = 1
  for (let i = 0; i < 10; i++) {
    const byte = bytes[from + i]
    if (byte === undefined) break
    value += (byte & 0x7f) * unit
    if (byte < 0x80) return { value, end: from + i + 1 }
    unit *= 128
  }
  throw new RangeError(`No number at byte ${from}.`)
}
