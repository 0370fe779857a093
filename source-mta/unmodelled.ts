// What a VehiclePosition holds beyond the record's fields, kept as protobuf so that nothing is lost.
import { WIRE, WireReader, concat, delimited } from './wire.ts'

/** Field number → true when the record has it, or the fields inside that it has. */
interface Model {
  readonly [field: number]: true | Model
}

const all = (...numbers: readonly number[]): Model =>
  Object.fromEntries(numbers.map((number) => [number, true as const]))

const NYCT_TRIP = all(1, 2, 3)
const TRIP: Model = { ...all(1, 2, 3, 4, 5, 6), 1001: NYCT_TRIP }
const CARRIAGE: Model = { ...all(1, 2, 3, 4, 5), 1005: all(1, 2, 3, 4) }
const VEHICLE_POSITION: Model = {
  ...all(3, 4, 5, 6, 7, 9, 10),
  1: TRIP,
  2: all(1, 2, 3, 4, 5),
  8: all(1, 2, 3, 4),
  11: CARRIAGE,
  1006: all(1, 2),
}
const CARRIAGES = 11

/**
 * The fields of a VehiclePosition payload that the record has no column for, as a VehiclePosition message
 * of only those (a carriage without any stays as an empty one, so that the others keep their place);
 * null when there are none. Throws `DataError` when the bytes are no protobuf.
 */
export function unmodelledFields(payload: Uint8Array): Uint8Array | null {
  const { bytes, isEmpty } = rest(payload, VEHICLE_POSITION)
  return isEmpty ? null : bytes
}

function rest(payload: Uint8Array, model: Model): { bytes: Uint8Array; isEmpty: boolean } {
  const parts: Uint8Array[] = []
  let isEmpty = true
  const reader = new WireReader(payload)
  while (reader.next()) {
    const known = model[reader.number]
    if (known === true) continue
    if (known === undefined || reader.wireType !== WIRE.bytes) {
      parts.push(reader.raw())
      isEmpty = false
      continue
    }
    const inner = rest(reader.payload(), known)
    if (!inner.isEmpty || (model === VEHICLE_POSITION && reader.number === CARRIAGES)) {
      parts.push(delimited(reader.number, inner.bytes))
    }
    isEmpty &&= inner.isEmpty
  }
  return { bytes: concat(parts), isEmpty }
}
