// A decoded vehicle as the value of a record: the fields of schemas/vehicle_position.avsc, in its order.
import type { Carriage, Trip, Vehicle } from './decode.ts'
import { isDate } from './quality.ts'

/** Why a record was emitted. */
export type EventType = 'SNAPSHOT' | 'CHANGED' | 'HEARTBEAT'
export type PositionSource = 'GPS' | 'AT_STOP' | 'INTERPOLATED' | 'NEXT_STOP'

/** Field `position_anchor`. */
export interface PositionAnchor {
  readonly shape_id: string
  readonly from_stop_id: string
  readonly to_stop_id: string
  readonly d0_m: number
  readonly d1_m: number
  readonly t0: Date
  readonly t1: Date
}

/** Where a vehicle is, and how that is known. */
export interface Placed {
  readonly latitude: number
  readonly longitude: number
  readonly bearing: number | null
  readonly source: PositionSource
  readonly anchor: PositionAnchor | null
}

/** What all records of one body share. */
export interface BodyContext {
  readonly feedId: string
  /** Seconds since the Unix epoch; undefined when the header has none. */
  readonly feedTimestamp: number | undefined
  readonly fetchedAtMs: number
  readonly incrementality: string | undefined
  readonly feedVersion: string | undefined
}

/** What one record is made of. */
export interface VehicleEvent {
  readonly entityId: string
  /** `feed_id|vehicle key`. */
  readonly recordKey: string
  readonly eventType: EventType
  readonly contentHash: string
  readonly agencyId: string | undefined
  readonly flags: readonly string[]
  readonly unknownFields: Uint8Array | null
  readonly vehicle: Vehicle
  /** The descriptor to show: the vehicle's own, or that of the trip update in its entity. */
  readonly trip: Trip
  readonly nyct: NyctFields
  readonly placed: Placed | undefined
}

export interface NyctFields {
  readonly trainId: string | null
  readonly isAssigned: boolean | null
  readonly direction: string | null
}

export const NO_NYCT: NyctFields = { trainId: null, isAssigned: null, direction: null }

const INT_MAX = 2 ** 31 - 1

/** A plain object for `VEHICLE_POSITION_SCHEMA`. */
export function vehicleValue(body: BodyContext, event: VehicleEvent): Record<string, unknown> {
  const { vehicle, trip, placed } = event
  return {
    feed_id: body.feedId,
    agency_id: event.agencyId ?? null,
    entity_id: event.entityId,
    record_key: event.recordKey,
    event_type: event.eventType,
    feed_timestamp: date(body.feedTimestamp),
    fetched_at: new Date(body.fetchedAtMs),
    poll_id: `${body.feedId}@${body.fetchedAtMs}`,
    content_hash: event.contentHash,
    incrementality: body.incrementality ?? null,
    feed_version: body.feedVersion ?? null,
    quality_flags: event.flags,
    unknown_fields: event.unknownFields,
    ...tripFields(trip, event.nyct),
    vehicle_id: vehicle.vehicleId ?? null,
    vehicle_label: vehicle.vehicleLabel ?? null,
    license_plate: vehicle.licensePlate ?? null,
    wheelchair_accessible: vehicle.wheelchairAccessible ?? null,
    latitude: placed?.latitude ?? null,
    longitude: placed?.longitude ?? null,
    bearing: placed?.bearing ?? null,
    odometer_m: vehicle.position?.odometer ?? null,
    speed_mps: float(vehicle.position?.speed),
    position_source: placed?.source ?? null,
    position_anchor: placed?.anchor ?? null,
    current_stop_sequence: int(vehicle.currentStopSequence),
    stop_id: vehicle.stopId ?? null,
    current_status: vehicle.currentStatus ?? null,
    vehicle_timestamp: date(vehicle.timestamp),
    congestion_level: vehicle.congestionLevel ?? null,
    occupancy_status: vehicle.occupancyStatus ?? null,
    occupancy_percentage: int(vehicle.occupancyPercentage),
    passenger_count: int(vehicle.crowding.estimatedCount),
    passenger_capacity: int(vehicle.crowding.estimatedCapacity),
    carriages: vehicle.carriages.map(carriageValue),
  }
}

function tripFields(trip: Trip, nyct: NyctFields): Record<string, unknown> {
  return {
    trip_id: trip.tripId ?? null,
    route_id: trip.routeId ?? null,
    direction_id: int(trip.directionId),
    start_time: trip.startTime ?? null,
    start_date: trip.startDate ?? null,
    service_date: serviceDate(trip.startDate),
    trip_schedule_relationship: trip.scheduleRelationship ?? null,
    nyct_train_id: nyct.trainId,
    nyct_is_assigned: nyct.isAssigned,
    nyct_direction: nyct.direction,
  }
}

function carriageValue(carriage: Carriage): Record<string, unknown> {
  return {
    id: carriage.id ?? null,
    label: carriage.label ?? null,
    occupancy_status: carriage.occupancyStatus ?? null,
    occupancy_percentage: int(carriage.occupancyPercentage),
    carriage_sequence: int(carriage.carriageSequence),
    bicycles_allowed: int(carriage.bicyclesAllowed),
    carriage_class: carriage.carriageClass ?? null,
    quiet_carriage: carriage.quietCarriage ?? null,
    toilet_facilities: carriage.toiletFacilities ?? null,
  }
}

/** The vehicle's own position, as received. */
export function gpsPosition(vehicle: Vehicle): Placed | undefined {
  const { position } = vehicle
  if (position === undefined) return undefined
  return {
    latitude: degrees(position.latitude),
    longitude: degrees(position.longitude),
    bearing: float(position.bearing),
    source: 'GPS',
    anchor: null,
  }
}

/** Six digits: a tenth of a metre, and what a float32 at these latitudes holds. */
export const degrees = (value: number): number => Math.round(value * 1e6) / 1e6

/** A float32 in six digits if it is the same float32, else as it is: 123.4, not 123.4000015258789. */
function float(value: number | undefined): number | null {
  if (value === undefined || !Number.isFinite(value)) return null
  const short = degrees(value)
  return Math.fround(short) === value ? short : value
}

/** A uint32 beyond Avro's int is nonsense in each of our fields. */
const int = (value: number | undefined): number | null =>
  value === undefined || Math.abs(value) > INT_MAX ? null : value

const date = (seconds: number | undefined): Date | null =>
  seconds === undefined ? null : new Date(seconds * 1_000)

function serviceDate(startDate: string | undefined): Date | null {
  if (startDate === undefined || !isDate(startDate)) return null
  const [, year, month, day] = /^(\d{4})(\d{2})(\d{2})$/.exec(startDate) ?? []
  const iso = `${year}-${month}-${day}`
  const midnight = new Date(`${iso}T00:00:00Z`)
  // 20260231 is no day, though Date.parse takes some of these.
  return Number.isNaN(midnight.getTime()) || midnight.toISOString().slice(0, 10) !== iso
    ? null
    : midnight
}
