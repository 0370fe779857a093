// What a message holds beyond the record's fields, kept as protobuf so that nothing is lost.
import { isUtf8 } from 'node:buffer'
import { type FieldModel, LEAF, type Leaf, type MessageModel } from './message-models.ts'
import { WIRE, WireReader, concat, delimited, varintField } from './wire.ts'

/** Seconds that a `Date` can hold. */
const TIME_MAX_S = 8.64e12
const INT_MAX = 2 ** 31 - 1

/**
 * The fields of a payload that the record has no place for, as a message of only those, or null when there are none.
 * An element of a repeated message stays as an empty one where the others need it to keep their place; a
 * message that is there but empty stays too, since the record cannot tell it from none. Throws `DataError`
 * when the bytes are no protobuf.
 */
export function unmodelledFields(payload: Uint8Array, model: MessageModel): Uint8Array | null {
  if (isModelled(payload, 0, payload.length, model)) return null
  const { bytes, isEmpty } = rest(payload, model)
  return isEmpty ? null : bytes
}

function rest(payload: Uint8Array, model: MessageModel): { bytes: Uint8Array; isEmpty: boolean } {
  const parts: Uint8Array[] = []
  let isEmpty = true
  const reader = new WireReader(payload)
  while (reader.next()) {
    const field = model.field(reader.number)
    if (typeof field !== 'object' || reader.wireType !== WIRE.bytes) {
      if (isHeld(reader, field)) continue
      parts.push(reader.raw())
      isEmpty = false
      continue
    }
    const isLost = !field.isRepeated && reader.from === reader.to
    const inner = rest(reader.payload(), field.model)
    if (isLost || !inner.isEmpty || field.isRepeated) {
      parts.push(delimited(reader.number, inner.bytes))
    }
    isEmpty &&= inner.isEmpty && !isLost
  }
  return { bytes: concat(parts), isEmpty }
}

function isHeld(reader: WireReader, field: FieldModel | undefined): boolean {
  if (field === undefined || typeof field === 'object') return false
  const { bytes, from, to, wireType } = reader
  if (wireType === WIRE.varint) return holdsInteger(field, reader.integer())
  if (wireType === WIRE.bytes) return isTextLeaf(field) && isText(bytes, from, to)
  if (wireType === WIRE.fixed32) return field === LEAF.float && isFinite32(bytes, from)
  return wireType === WIRE.fixed64 && field === LEAF.double
}

function holdsInteger(field: Leaf, value: number): boolean {
  if (field === LEAF.int) return value <= INT_MAX && value >= -INT_MAX - 1
  if (field === LEAF.time) return Math.abs(value) <= TIME_MAX_S
  return field === LEAF.long && Number.isSafeInteger(value)
}

const isTextLeaf = (field: Leaf): boolean => field === LEAF.text || field === LEAF.texts

/** An exponent of all ones is an infinity or no number. */
const isFinite32 = (bytes: Uint8Array, at: number): boolean =>
  ((bytes[at + 3] ?? 0) & 0x7f) !== 0x7f || ((bytes[at + 2] ?? 0) & 0x80) === 0

function isText(bytes: Uint8Array, from: number, to: number): boolean {
  for (let at = from; at < to; at++) {
    if ((bytes[at] ?? 0) >= 0x80) return isUtf8(bytes.subarray(from, to))
  }
  return true
}

/** Where `isModelled` is: it is called for every changed entity, and makes no object. */
let position = 0

/** Whether the record holds all of a message; also false for whatever needs a closer look. */
function isModelled(bytes: Uint8Array, from: number, to: number, model: MessageModel): boolean {
  position = from
  while (position < to) {
    const tag = readSmall(bytes)
    const field = model.field(tag >>> 3)
    if (tag < 0 || field === undefined) return false
    const wireType = tag & 7
    if (wireType === WIRE.bytes) {
      if (!isModelledBytes(bytes, to, field)) return false
    } else if (wireType === WIRE.varint) {
      if (!isModelledInteger(bytes, field)) return false
    } else if (wireType === WIRE.fixed32) {
      if (field !== LEAF.float || !isFinite32(bytes, position)) return false
      position += 4
    } else if (wireType === WIRE.fixed64) {
      if (field !== LEAF.double) return false
      position += 8
    } else return false
  }
  return position === to
}

function isModelledBytes(bytes: Uint8Array, to: number, field: FieldModel): boolean {
  const length = readSmall(bytes)
  const end = position + length
  if (length < 0 || end > to) return false
  if (typeof field === 'object') {
    if (length === 0 && !field.isRepeated) return false
    return isModelled(bytes, position, end, field.model)
  }
  if (!isTextLeaf(field) || !isText(bytes, position, end)) return false
  position = end
  return true
}

/** Reads a varint of at most 28 bits; -1 for a longer one. */
function readSmall(bytes: Uint8Array): number {
  let value = 0
  for (let shift = 0; shift < 28; shift += 7) {
    const byte = bytes[position++] ?? 0
    value |= (byte & 0x7f) << shift
    if (byte < 0x80) return value
  }
  return -1
}

/** Moves behind a varint. Up to 28 bits every integer field can hold, up to 42 a time or a long. */
function isModelledInteger(bytes: Uint8Array, field: FieldModel): boolean {
  const start = position
  while ((bytes[position] ?? 0) >= 0x80) position++
  position++
  const length = position - start
  if (field === LEAF.int) return length <= 4 || isInt32(bytes, start, length)
  return length <= 6 && (field === LEAF.time || field === LEAF.long)
}

/** A varint of 31 bits, or a negative one, which takes ten bytes. */
function isInt32(bytes: Uint8Array, start: number, length: number): boolean {
  const fifth = bytes[start + 4] ?? 0
  if (length === 5) return fifth <= 0x07
  if (length !== 10 || fifth < 0xf8 || bytes[start + 9] !== 1) return false
  for (let at = start + 5; at < start + 9; at++) if (bytes[at] !== 0xff) return false
  return true
}

/** Where VehiclePosition and TripUpdate have their trip, and a trip NYCT's extension with its direction. */
const TRIP = 1
const NYCT_TRIP = 1001
const NYCT_DIRECTION = 3

/** Adds the direction that a trip states, where the record says what the trip id does. */
export function withStatedDirection(unmodelled: Uint8Array | null, direction: number): Uint8Array {
  const nyct = delimited(NYCT_TRIP, varintField(NYCT_DIRECTION, direction))
  return withField(unmodelled, TRIP, nyct)
}

/** Adds the trip of a vehicle whose record shows another one's. */
export const withOwnTrip = (unmodelled: Uint8Array | null, trip: Uint8Array): Uint8Array =>
  withField(unmodelled, TRIP, trip)

const withField = (
  unmodelled: Uint8Array | null,
  number: number,
  payload: Uint8Array,
): Uint8Array => concat([...(unmodelled === null ? [] : [unmodelled]), delimited(number, payload)])
