// The first of two decoding stages: a body is cut into its entities without decoding any of them, so that
// unchanged ones cost a hash only and a broken one costs nobody else anything.
import { DataError } from '../connector/api/errors.ts'
import { WIRE, WireReader, concat } from './wire.ts'

/** Field numbers of gtfs-realtime.proto. */
const FEED_MESSAGE = { header: 1, entity: 2 } as const
const FEED_HEADER = { version: 1, incrementality: 2, timestamp: 3, feedVersion: 4 } as const
const FEED_ENTITY = { id: 1, isDeleted: 2, tripUpdate: 3, vehicle: 4, alert: 5 } as const
const TRIP_UPDATE = { trip: 1, vehicle: 3, timestamp: 4 } as const
const TRIP = { tripId: 1, startTime: 2, startDate: 3, routeId: 5 } as const
const VEHICLE_POSITION = { trip: 1, timestamp: 5, vehicle: 8 } as const
const VEHICLE = { id: 1 } as const
const ALERT = { headerText: 10 } as const
const TRANSLATED_STRING = { translation: 1 } as const
const TRANSLATION = { text: 1 } as const

// A header outside these years is a producer's mistake and counts as absent.
const TIMESTAMP_MIN_S = Date.UTC(2010, 0) / 1000
const TIMESTAMP_MAX_S = Date.UTC(2100, 0) / 1000

/** A body with more entities than are allowed. */
export class TooManyEntitiesError extends DataError {}

export interface FeedHeader {
  /** Seconds since the Unix epoch; undefined when absent or absurd. */
  readonly timestamp: number | undefined
  readonly incrementality: number | undefined
  readonly feedVersion: string | undefined
}

export interface ScannedEntity {
  readonly id: string
  readonly isDeleted: boolean
  /** The whole FeedEntity. A view into the body. */
  readonly bytes: Uint8Array
  /** Payload bytes, without tag and length. Views into the body. */
  readonly tripUpdate: Uint8Array | undefined
  readonly vehicle: Uint8Array | undefined
  readonly alert: Uint8Array | undefined
}

export interface ScannedFeed {
  readonly header: FeedHeader
  readonly entities: readonly ScannedEntity[]
  /** Entities that are no protobuf inside, as received. Views into the body. */
  readonly unreadable: readonly Uint8Array[]
}

/**
 * Cuts a FeedMessage into entities. Throws `TruncatedError` for a body that ends inside a field, and
 * `DataError` for no protobuf at all, no or more than one header (two messages in a row decode as one),
 * and a `TooManyEntitiesError` beyond `entitiesMax` entities.
 */
export function scanFeed(body: Uint8Array, entitiesMax: number): ScannedFeed {
  // Texts: `<`, `{` and `[` read as the start or end of a group, of which no feed has any.
  const startsWithGroup = [WIRE.startGroup, WIRE.endGroup].some(
    (type) => (body[0] ?? 0) % 8 === type,
  )
  if (startsWithGroup) throw new DataError('Not protobuf: begins with a group')
  const reader = new WireReader(body)
  const entities: ScannedEntity[] = []
  let header: FeedHeader | undefined
  const unreadable: Uint8Array[] = []
  while (reader.next()) {
    if (reader.wireType !== WIRE.bytes) continue
    if (reader.number === FEED_MESSAGE.header) {
      if (header !== undefined) throw new DataError('Two feed messages in one body')
      header = scanHeader(reader.payload())
    } else if (reader.number === FEED_MESSAGE.entity) {
      if (entities.length + unreadable.length >= entitiesMax) {
        throw new TooManyEntitiesError(`More than ${entitiesMax} entities in one body`)
      }
      const bytes = reader.payload()
      const entity = scanEntity(bytes)
      if (entity === undefined) unreadable.push(bytes)
      else entities.push(entity)
    }
  }
  if (header === undefined) throw new DataError('A body without a feed header')
  return { header, entities, unreadable }
}

function scanHeader(bytes: Uint8Array): FeedHeader {
  const header: { timestamp?: number; incrementality?: number; feedVersion?: string } = {}
  let version: string | undefined
  try {
    const reader = new WireReader(bytes)
    while (reader.next()) {
      if (is(reader, FEED_HEADER.version, WIRE.bytes)) version = reader.text()
      else if (is(reader, FEED_HEADER.incrementality, WIRE.varint))
        header.incrementality = reader.integer()
      else if (is(reader, FEED_HEADER.timestamp, WIRE.varint)) header.timestamp = reader.integer()
      else if (is(reader, FEED_HEADER.feedVersion, WIRE.bytes)) header.feedVersion = reader.text()
    }
  } catch (cause) {
    throw new DataError('The feed header is not protobuf', { cause })
  }
  if (version === undefined) throw new DataError('The feed header has no gtfs_realtime_version')
  const { timestamp } = header
  const isSane =
    timestamp !== undefined && timestamp >= TIMESTAMP_MIN_S && timestamp <= TIMESTAMP_MAX_S
  return {
    timestamp: isSane ? timestamp : undefined,
    incrementality: header.incrementality,
    feedVersion: header.feedVersion,
  }
}

/** Undefined for what is no entity: the others are read all the same. */
function scanEntity(bytes: Uint8Array): ScannedEntity | undefined {
  let id: string | undefined
  let isDeleted = false
  const tripUpdates: Uint8Array[] = []
  const vehicles: Uint8Array[] = []
  const alerts: Uint8Array[] = []
  try {
    const reader = new WireReader(bytes)
    while (reader.next()) {
      if (is(reader, FEED_ENTITY.id, WIRE.bytes)) id = reader.text()
      else if (is(reader, FEED_ENTITY.isDeleted, WIRE.varint)) isDeleted = reader.integer() !== 0
      else if (is(reader, FEED_ENTITY.tripUpdate, WIRE.bytes)) tripUpdates.push(reader.payload())
      else if (is(reader, FEED_ENTITY.vehicle, WIRE.bytes)) vehicles.push(reader.payload())
      else if (is(reader, FEED_ENTITY.alert, WIRE.bytes)) alerts.push(reader.payload())
    }
  } catch (error) {
    if (error instanceof DataError) return undefined // Kept by the caller.
    throw error
  }
  if (id === undefined) return undefined
  return {
    id,
    isDeleted,
    bytes,
    tripUpdate: merged(tripUpdates),
    vehicle: merged(vehicles),
    alert: merged(alerts),
  }
}

/** Protobuf merges a message field that occurs twice; joined payloads decode to the same. */
const merged = (payloads: readonly Uint8Array[]): Uint8Array | undefined =>
  payloads.length === 0 ? undefined : concat(payloads)

const is = (reader: WireReader, number: number, wireType: number): boolean =>
  reader.number === number && reader.wireType === wireType

/** What names a trip. */
export interface TripIdentity {
  tripId?: string
  startTime?: string
  startDate?: string
  routeId?: string
}

/** What names a vehicle, and when it was seen. */
export interface VehicleIdentity {
  readonly trip: TripIdentity
  readonly vehicleId: string | undefined
  /** Seconds since the Unix epoch. */
  readonly timestamp: number | undefined
}

/** Reads key fields of a VehiclePosition payload without decoding it. Throws `DataError`. */
export function peekVehicle(payload: Uint8Array): VehicleIdentity {
  const trip: TripIdentity = {}
  let vehicleId: string | undefined
  let timestamp: number | undefined
  const reader = new WireReader(payload)
  while (reader.next()) {
    if (is(reader, VEHICLE_POSITION.trip, WIRE.bytes)) peekTrip(reader, trip)
    else if (is(reader, VEHICLE_POSITION.timestamp, WIRE.varint)) timestamp = reader.integer()
    else if (is(reader, VEHICLE_POSITION.vehicle, WIRE.bytes)) {
      vehicleId = peekId(reader) ?? vehicleId
    }
  }
  return { trip, vehicleId, timestamp }
}

/** Reads key fields of a TripUpdate payload without decoding it. Throws `DataError`. */
export function peekTripUpdate(payload: Uint8Array): VehicleIdentity {
  const trip: TripIdentity = {}
  let vehicleId: string | undefined
  let timestamp: number | undefined
  const reader = new WireReader(payload)
  while (reader.next()) {
    if (is(reader, TRIP_UPDATE.trip, WIRE.bytes)) peekTrip(reader, trip)
    else if (is(reader, TRIP_UPDATE.timestamp, WIRE.varint)) timestamp = reader.integer()
    else if (is(reader, TRIP_UPDATE.vehicle, WIRE.bytes)) vehicleId = peekId(reader) ?? vehicleId
  }
  return { trip, vehicleId, timestamp }
}

/** The id of the vehicle descriptor that a reader stands at. */
function peekId(message: WireReader): string | undefined {
  let id: string | undefined
  const reader = new WireReader(message.bytes, message.from, message.to)
  while (reader.next()) if (is(reader, VEHICLE.id, WIRE.bytes)) id = reader.text()
  return id
}

/** The first text of an Alert's header, without decoding it. Throws `DataError`. */
export function peekAlertHeader(payload: Uint8Array): string | undefined {
  const alert = new WireReader(payload)
  while (alert.next()) {
    if (!is(alert, ALERT.headerText, WIRE.bytes)) continue
    const header = new WireReader(alert.bytes, alert.from, alert.to)
    while (header.next()) {
      if (!is(header, TRANSLATED_STRING.translation, WIRE.bytes)) continue
      const translation = new WireReader(header.bytes, header.from, header.to)
      while (translation.next()) {
        if (is(translation, TRANSLATION.text, WIRE.bytes)) return translation.text()
      }
    }
  }
  return undefined
}

function peekTrip(message: WireReader, trip: TripIdentity): void {
  const reader = new WireReader(message.bytes, message.from, message.to)
  while (reader.next()) {
    if (reader.wireType !== WIRE.bytes) continue
    if (reader.number === TRIP.tripId) trip.tripId = reader.text()
    else if (reader.number === TRIP.startTime) trip.startTime = reader.text()
    else if (reader.number === TRIP.startDate) trip.startDate = reader.text()
    else if (reader.number === TRIP.routeId) trip.routeId = reader.text()
  }
}

/** The payload bytes of the trip descriptor in a TripUpdate or VehiclePosition; undefined when it has none. Throws `DataError`. */
export function tripOf(payload: Uint8Array): Uint8Array | undefined {
  const parts: Uint8Array[] = []
  const reader = new WireReader(payload)
  while (reader.next()) if (is(reader, TRIP_UPDATE.trip, WIRE.bytes)) parts.push(reader.payload())
  return merged(parts)
}
