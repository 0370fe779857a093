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

/** Where a field is in a message. */
export interface FieldAt {
  number: number
  wireType: number
  /** Of the tag. */
  from: number
  /** Of the value, behind tag and length. */
  start: number
  end: number
}

/** Moves on to the field that begins where this one ends. Throws RangeError where the bytes are no protobuf. */
export function nextField(bytes: Uint8Array, field: FieldAt): void {
  const at = field.end
  const tag = readVarint(bytes, at)
  field.from = at
  field.wireType = tag.value % 8
  field.number = Math.floor(tag.value / 8)
  field.start = tag.end
  if (field.wireType === 0) field.end = readVarint(bytes, tag.end).end
  else if (field.wireType === 1) field.end = tag.end + 8
  else if (field.wireType === 5) field.end = tag.end + 4
  else if (field.wireType === 2) {
    const length = readVarint(bytes, tag.end)
    field.start = length.end
    field.end = length.end + length.value
  } else throw new RangeError(`Wire type ${field.wireType} at byte ${at}.`)
  if (field.end > bytes.length) throw new RangeError(`Field at byte ${at} ends beyond the message.`)
}

/** The fields of a message in their order. Throws RangeError where the bytes are no protobuf. */
export function wireFields(bytes: Uint8Array): readonly WireField[] {
  const out: WireField[] = []
  const field: FieldAt = { number: 0, wireType: 0, from: 0, start: 0, end: 0 }
  while (field.end < bytes.length) {
    nextField(bytes, field)
    out.push({
      number: field.number,
      wireType: field.wireType,
      payload: bytes.subarray(field.start, field.end),
      whole: bytes.subarray(field.from, field.end),
    })
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
  const size = entities.reduce((sum, entity) => sum + entity.length + 6, header.length + 6)
  const out = new ProtobufWriter(size).bytes(MESSAGE.header, header)
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
