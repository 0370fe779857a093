// A decoded vehicle as the value of a record: the fields of schemas/vehicle_position.avsc, in its order.
import { type Carriage, NO_TRIP, type Trip, type Vehicle } from './decode.ts'
import type { BodyContext, Envelope, VanishedEvent } from './entity-kind.ts'
import {
  NO_NYCT,
  type NyctFields,
  date,
  envelopeFields,
  float,
  int,
  localTime,
  addTripFields,
} from './record-fields.ts'

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

/** What one record is made of. */
export interface VehicleEvent extends Envelope {
  readonly kind: 'vehicle'
  readonly vehicle: Vehicle
  /** The descriptor to show: the vehicle's own, or that of the trip update in its entity. */
  readonly trip: Trip
  readonly nyct: NyctFields
  readonly placed: Placed | undefined
}

/** A plain object for `VEHICLE_POSITION_SCHEMA`. */
export function vehicleValue(body: BodyContext, event: VehicleEvent): Record<string, unknown> {
  const { vehicle, trip, placed } = event
  const value = envelopeFields(body, event)
  addTripFields(value, trip, event.nyct)
  value['vehicle_local_time'] = localTime(vehicle.timestamp, body.localTimeZone)
  value['vehicle_id'] = vehicle.vehicleId ?? null
  value['vehicle_label'] = vehicle.vehicleLabel ?? null
  value['license_plate'] = vehicle.licensePlate ?? null
  value['wheelchair_accessible'] = vehicle.wheelchairAccessible ?? null
  value['latitude'] = placed?.latitude ?? null
  value['longitude'] = placed?.longitude ?? null
  value['bearing'] = placed?.bearing ?? null
  value['odometer_m'] = vehicle.position?.odometer ?? null
  value['speed_mps'] = float(vehicle.position?.speed)
  value['position_source'] = placed?.source ?? null
  value['position_anchor'] = placed?.anchor ?? null
  value['current_stop_sequence'] = int(vehicle.currentStopSequence)
  value['stop_id'] = vehicle.stopId ?? null
  value['current_status'] = vehicle.currentStatus ?? null
  value['vehicle_timestamp'] = date(vehicle.timestamp)
  value['congestion_level'] = vehicle.congestionLevel ?? null
  value['occupancy_status'] = vehicle.occupancyStatus ?? null
  value['occupancy_percentage'] = int(vehicle.occupancyPercentage)
  value['passenger_count'] = int(vehicle.crowding.estimatedCount)
  value['passenger_capacity'] = int(vehicle.crowding.estimatedCapacity)
  value['carriages'] = vehicle.carriages.map(carriageValue)
  return value
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
    latitude: float(position.latitude) ?? 0,
    longitude: float(position.longitude) ?? 0,
    bearing: float(position.bearing),
    source: 'GPS',
    anchor: null,
  }
}

const NO_VEHICLE: Vehicle = {
  trip: NO_TRIP,
  vehicleId: undefined,
  vehicleLabel: undefined,
  licensePlate: undefined,
  wheelchairAccessible: undefined,
  position: undefined,
  currentStopSequence: undefined,
  stopId: undefined,
  currentStatus: undefined,
  timestamp: undefined,
  congestionLevel: undefined,
  occupancyStatus: undefined,
  occupancyPercentage: undefined,
  crowding: {},
  carriages: [],
}

/** The record of a vehicle that is gone: its key, and which trip and vehicle it was. */
export function vanishedVehicleValue(
  body: BodyContext,
  event: VanishedEvent,
): Record<string, unknown> {
  const { trip, vehicleId } = event.identity
  return vehicleValue(body, {
    ...event,
    kind: 'vehicle',
    vehicle: { ...NO_VEHICLE, vehicleId },
    trip: { ...NO_TRIP, ...trip },
    nyct: NO_NYCT,
    placed: undefined,
  })
}
