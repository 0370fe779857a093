// MTA's extensions of GTFS-realtime, read from the bytes that gtfs-realtime-bindings keeps as unknown. A
// field that occurs twice is merged, as protobuf says; Metro-North relies on it. Field numbers: mta-ext.proto
// as published by the MTA (NYCT 1001, MTA Railroad 1005, OneBusAway crowding 1006).
import { WIRE, WireReader, concat } from './wire.ts'

const NYCT = 1001
const MTA_RAILROAD = 1005
const OBA_CROWDING = 1006

/** A decoded message of gtfs-realtime-bindings 2, which keeps what it does not know. */
export interface WithUnknowns {
  readonly $unknowns?: readonly Uint8Array[]
}

/** Absent is undefined, never a default. */
export interface NyctTripDescriptor {
  trainId?: string
  isAssigned?: boolean
  /** NORTH 1, EAST 2, SOUTH 3, WEST 4. */
  direction?: number
}

export interface ObaCrowding {
  estimatedCount?: number
  estimatedCapacity?: number
}

export interface MtaRailroadCarriage {
  bicyclesAllowed?: number
  carriageClass?: string
  quietCarriage?: number
  toiletFacilities?: number
}

/** The payload of extension `number`, all its occurrences merged; undefined when there is none. */
export function extension(message: WithUnknowns, number: number): WireReader | undefined {
  const unknowns = message.$unknowns
  if (unknowns === undefined) return undefined
  const payloads: Uint8Array[] = []
  for (const unknown of unknowns) {
    const reader = new WireReader(unknown)
    while (reader.next()) {
      if (reader.number === number && reader.wireType === WIRE.bytes)
        payloads.push(reader.payload())
    }
  }
  return payloads.length === 0 ? undefined : new WireReader(concat(payloads))
}

/** The NYCT extension of a trip descriptor. Throws `DataError` when its bytes are no protobuf. */
export function nyctTripDescriptor(trip: WithUnknowns): NyctTripDescriptor | undefined {
  const reader = extension(trip, NYCT)
  if (reader === undefined) return undefined
  const descriptor: NyctTripDescriptor = {}
  while (reader.next()) {
    if (reader.number === 1 && reader.wireType === WIRE.bytes) descriptor.trainId = reader.text()
    if (reader.wireType !== WIRE.varint) continue
    if (reader.number === 2) descriptor.isAssigned = reader.integer() !== 0
    if (reader.number === 3) descriptor.direction = reader.integer()
  }
  return descriptor
}

/** The crowding extension of a bus's position. Throws `DataError` when its bytes are no protobuf. */
export function obaCrowding(vehicle: WithUnknowns): ObaCrowding {
  const crowding: ObaCrowding = {}
  const reader = extension(vehicle, OBA_CROWDING)
  while (reader?.next() === true) {
    if (reader.wireType !== WIRE.varint) continue
    if (reader.number === 1) crowding.estimatedCount = reader.integer()
    if (reader.number === 2) crowding.estimatedCapacity = reader.integer()
  }
  return crowding
}

/** The railroads' extension of a carriage. Throws `DataError` when its bytes are no protobuf. */
export function mtaRailroadCarriage(carriage: WithUnknowns): MtaRailroadCarriage {
  const details: MtaRailroadCarriage = {}
  const reader = extension(carriage, MTA_RAILROAD)
  while (reader?.next() === true) {
    if (reader.number === 2 && reader.wireType === WIRE.bytes) details.carriageClass = reader.text()
    if (reader.wireType !== WIRE.varint) continue
    if (reader.number === 1) details.bicyclesAllowed = reader.integer()
    if (reader.number === 3) details.quietCarriage = reader.integer()
    if (reader.number === 4) details.toiletFacilities = reader.integer()
  }
  return details
}

/** The tracks of a stop: of NYCT's extension and of the railroads'. Empty texts count as absent. */
export interface StopTracks {
  scheduledTrack?: string
  actualTrack?: string
  trainStatus?: string
}

/** Reads both extensions of a stop time update, each merged. Throws `DataError` when they are no protobuf. */
export function stopTracks(update: WithUnknowns): StopTracks {
  const tracks: StopTracks = {}
  if (update.$unknowns === undefined) return tracks
  const nyct = extension(update, NYCT)
  while (nyct?.next() === true) {
    if (nyct.wireType !== WIRE.bytes) continue
    if (nyct.number === 1) tracks.scheduledTrack = nyct.text()
    if (nyct.number === 2) tracks.actualTrack = nyct.text()
  }
  const railroad = extension(update, MTA_RAILROAD)
  while (railroad?.next() === true) {
    if (railroad.wireType !== WIRE.bytes || railroad.to === railroad.from) continue
    if (railroad.number === 1) tracks.actualTrack = railroad.text()
    if (railroad.number === 2) tracks.trainStatus = railroad.text()
  }
  return tracks
}
