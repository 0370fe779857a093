// Changes single fields of an encoded message and leaves all other bytes as they are.
import { ENTITY, TRIP, TRIP_UPDATE, VEHICLE } from './gtfs-realtime-fields.ts'
import { ProtobufWriter } from './protobuf-writer.ts'
import { type FieldAt, nextField, readVarint, wireFields } from './wire-message.ts'

/**
 * One pass over a message: `write` writes something, or nothing, in the place of each wanted field; all others
 * are copied. Returns the very same array when there was none.
 */
function rewrite(
  bytes: Uint8Array,
  isWanted: (number: number, wireType: number) => boolean,
  write: (field: FieldAt, out: ProtobufWriter) => void,
): Uint8Array {
  const field: FieldAt = { number: 0, wireType: 0, from: 0, start: 0, end: 0 }
  let out: ProtobufWriter | undefined
  let copied = 0
  while (field.end < bytes.length) {
    nextField(bytes, field)
    if (!isWanted(field.number, field.wireType)) continue
    out ??= new ProtobufWriter()
    out.append(bytes.subarray(copied, field.from))
    write(field, out)
    copied = field.end
  }
  return out === undefined ? bytes : out.append(bytes.subarray(copied)).finish()
}

/** Replaces each occurrence of a length-delimited field, or of several; undefined drops it. */
export function mapField(
  bytes: Uint8Array,
  number: number | readonly number[],
  change: (payload: Uint8Array, index: number) => Uint8Array | undefined,
): Uint8Array {
  const isWanted = matcher(number)
  let index = 0
  return rewrite(
    bytes,
    (one, wireType) => wireType === 2 && isWanted(one),
    (field, out) => {
      const changed = change(bytes.subarray(field.start, field.end), index)
      index++
      if (changed !== undefined) out.bytes(field.number, changed)
    },
  )
}

function matcher(number: number | readonly number[]): (one: number) => boolean {
  return typeof number === 'number' ? (one) => one === number : (one) => number.includes(one)
}

/** As `mapField`, for a field of a field of a field. */
export function mapPath(
  bytes: Uint8Array,
  path: readonly number[],
  change: (payload: Uint8Array) => Uint8Array | undefined,
): Uint8Array {
  const [number, ...rest] = path
  if (number === undefined) return bytes
  return mapField(bytes, number, (payload) =>
    rest.length === 0 ? change(payload) : mapPath(payload, rest, change),
  )
}

/** Drops some fields and writes others behind the rest, which protobuf reads as it does any order. */
export function withFields(
  bytes: Uint8Array,
  drop: readonly number[],
  write: (out: ProtobufWriter) => void = () => {},
): Uint8Array {
  const kept = rewrite(bytes, matcher(drop), () => {})
  const out = new ProtobufWriter().append(kept)
  write(out)
  return out.finish()
}

/** Changes each occurrence of a number field, or of several; negative numbers keep their meaning. */
export function mapNumber(
  bytes: Uint8Array,
  number: number | readonly number[],
  change: (value: number) => number,
): Uint8Array {
  const isWanted = matcher(number)
  return rewrite(
    bytes,
    (one, wireType) => wireType === 0 && isWanted(one),
    (field, out) => {
      out.varint(field.number, change(signed(bytes.subarray(field.start, field.end))))
    },
  )
}

/** The last occurrence of a length-delimited field, as protobuf reads it for strings. */
export function bytesOf(bytes: Uint8Array, number: number): Uint8Array | undefined {
  return wireFields(bytes).findLast((field) => field.number === number && field.wireType === 2)
    ?.payload
}

export function textOf(bytes: Uint8Array, number: number): string | undefined {
  const payload = bytesOf(bytes, number)
  return payload === undefined ? undefined : Buffer.from(payload).toString('utf8')
}

export function numberOf(bytes: Uint8Array, number: number): number | undefined {
  const field = wireFields(bytes).findLast((one) => one.number === number && one.wireType === 0)
  return field === undefined ? undefined : signed(field.payload)
}

/** Negative numbers are sent as ten bytes. */
function signed(payload: Uint8Array): number {
  if (payload.length < 10) return readVarint(payload, 0).value
  let value = 0n
  for (const [i, byte] of payload.entries()) value |= BigInt(byte & 0x7f) << BigInt(7 * i)
  return Number(BigInt.asIntN(64, value))
}

/** Changes the trip descriptors of an entity's trip update and vehicle. */
export function mapTrips(
  entity: Uint8Array,
  change: (trip: Uint8Array) => Uint8Array | undefined,
): Uint8Array {
  const updated = mapPath(entity, [ENTITY.tripUpdate, TRIP_UPDATE.trip], change)
  return mapPath(updated, [ENTITY.vehicle, VEHICLE.trip], change)
}

/** The trip descriptor of an entity: its trip update's, else its vehicle's. */
export function tripOf(entity: Uint8Array): Uint8Array | undefined {
  const update = bytesOf(entity, ENTITY.tripUpdate)
  if (update !== undefined) return bytesOf(update, TRIP_UPDATE.trip)
  const vehicle = bytesOf(entity, ENTITY.vehicle)
  return vehicle === undefined ? undefined : bytesOf(vehicle, VEHICLE.trip)
}

/** What tells an entity from others whatever its id is: its trip's id, or else the entity's. */
export function nameOf(entity: Uint8Array): string {
  const trip = tripOf(entity)
  return (trip && textOf(trip, TRIP.id)) ?? textOf(entity, ENTITY.id) ?? ''
}
