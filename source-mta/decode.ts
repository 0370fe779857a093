// The second decoding stage: single payloads, by gtfs-realtime-bindings. Absent is undefined here, never
// proto2's default; enums are their names.
import type { transit_realtime } from 'gtfs-realtime-bindings'
import {
  type MtaRailroadCarriage,
  type NyctTripDescriptor,
  type ObaCrowding,
  mtaRailroadCarriage,
  nyctTripDescriptor,
  obaCrowding,
} from './extensions.ts'
import { type EnumNames, decoding, enumName, gtfs, name, own, seconds } from './protobuf-values.ts'

const { TripDescriptor, TripUpdate, VehiclePosition } = gtfs
const TRIP_RELATIONSHIPS: EnumNames = TripDescriptor.ScheduleRelationship
const STOP_RELATIONSHIPS: EnumNames = TripUpdate.StopTimeUpdate.ScheduleRelationship
const STOP_STATUSES: EnumNames = VehiclePosition.VehicleStopStatus
const CONGESTION_LEVELS: EnumNames = VehiclePosition.CongestionLevel
const OCCUPANCY_STATUSES: EnumNames = VehiclePosition.OccupancyStatus
const WHEELCHAIR: EnumNames = gtfs.VehicleDescriptor.WheelchairAccessible
const INCREMENTALITIES: EnumNames = gtfs.FeedHeader.Incrementality
const QUIET: EnumNames = {
  0: 'UNKNOWN_QUIET_CARRIAGE',
  1: 'QUIET_CARRIAGE',
  2: 'NOT_QUIET_CARRIAGE',
}
const TOILETS: EnumNames = {
  0: 'UNKNOWN_TOILET_FACILITIES',
  1: 'TOILET_ONBOARD',
  2: 'NO_TOILET_ONBOARD',
}

export interface Trip {
  readonly tripId: string | undefined
  readonly routeId: string | undefined
  readonly directionId: number | undefined
  readonly startTime: string | undefined
  readonly startDate: string | undefined
  readonly scheduleRelationship: string | undefined
  readonly nyct: NyctTripDescriptor | undefined
}

export interface Carriage {
  readonly id: string | undefined
  readonly label: string | undefined
  readonly occupancyStatus: string | undefined
  readonly occupancyPercentage: number | undefined
  readonly carriageSequence: number | undefined
  readonly bicyclesAllowed: number | undefined
  readonly carriageClass: string | undefined
  readonly quietCarriage: string | undefined
  readonly toiletFacilities: string | undefined
}

export interface GpsPosition {
  readonly latitude: number
  readonly longitude: number
  readonly bearing: number | undefined
  readonly odometer: number | undefined
  readonly speed: number | undefined
}

export interface VehicleDescriptor {
  readonly vehicleId: string | undefined
  readonly vehicleLabel: string | undefined
  readonly licensePlate: string | undefined
  readonly wheelchairAccessible: string | undefined
}

export interface Vehicle extends VehicleDescriptor {
  readonly trip: Trip
  readonly position: GpsPosition | undefined
  readonly currentStopSequence: number | undefined
  readonly stopId: string | undefined
  readonly currentStatus: string | undefined
  /** Seconds since the Unix epoch. */
  readonly timestamp: number | undefined
  readonly congestionLevel: string | undefined
  readonly occupancyStatus: string | undefined
  readonly occupancyPercentage: number | undefined
  readonly crowding: ObaCrowding
  readonly carriages: readonly Carriage[]
}

export const NO_TRIP: Trip = {
  tripId: undefined,
  routeId: undefined,
  directionId: undefined,
  startTime: undefined,
  startDate: undefined,
  scheduleRelationship: undefined,
  nyct: undefined,
}

/** Decodes a VehiclePosition payload. Throws `DataError` when it is none. */
export const decodeVehicle = (payload: Uint8Array): Vehicle =>
  decoding('VehiclePosition', () => toVehicle(VehiclePosition.decode(payload)))

/** Decodes a TripDescriptor payload. Throws `DataError` when it is none. */
export const decodeTrip = (payload: Uint8Array): Trip =>
  decoding('TripDescriptor', () => toTrip(TripDescriptor.decode(payload)))

/** One stop that a trip still has before it. Times are seconds since the Unix epoch. */
export interface StopTime {
  readonly stopId: string
  readonly arrival: number | undefined
  readonly departure: number | undefined
}

/** Decodes the stops of a TripUpdate payload, in order, without those that are skipped or nameless. Throws `DataError`. */
export const decodeStopTimes = (payload: Uint8Array): readonly StopTime[] =>
  decoding('TripUpdate', () =>
    TripUpdate.decode(payload).stopTimeUpdate.flatMap((update) => {
      const relationship = name(STOP_RELATIONSHIPS, update, 'scheduleRelationship')
      const stopId = own(update, 'stopId')
      if (stopId == null || stopId === '' || relationship === 'SKIPPED') return []
      return [
        {
          stopId,
          arrival: seconds(own(update, 'arrival')?.time),
          departure: seconds(own(update, 'departure')?.time),
        },
      ]
    }),
  )

/** The name of a feed header's incrementality; undefined when the header does not say. */
export const incrementalityName = (value: number | undefined): string | undefined =>
  value === undefined ? undefined : enumName(INCREMENTALITIES, value)

function toVehicle(v: transit_realtime.VehiclePosition): Vehicle {
  const trip = own(v, 'trip')
  const position = own(v, 'position')
  return {
    trip: trip == null ? NO_TRIP : toTrip(trip),
    ...toVehicleDescriptor(own(v, 'vehicle')),
    position: position == null ? undefined : toPosition(position),
    currentStopSequence: own(v, 'currentStopSequence'),
    stopId: own(v, 'stopId'),
    currentStatus: name(STOP_STATUSES, v, 'currentStatus'),
    timestamp: seconds(own(v, 'timestamp')),
    congestionLevel: name(CONGESTION_LEVELS, v, 'congestionLevel'),
    occupancyStatus: name(OCCUPANCY_STATUSES, v, 'occupancyStatus'),
    occupancyPercentage: own(v, 'occupancyPercentage'),
    crowding: obaCrowding(v),
    carriages: v.multiCarriageDetails.map(toCarriage),
  }
}

/** A decoded vehicle descriptor; of none at all nothing is known. */
export function toVehicleDescriptor(
  descriptor: transit_realtime.IVehicleDescriptor | null | undefined,
): VehicleDescriptor {
  const vehicle = descriptor ?? {}
  return {
    vehicleId: own(vehicle, 'id') ?? undefined,
    vehicleLabel: own(vehicle, 'label') ?? undefined,
    licensePlate: own(vehicle, 'licensePlate') ?? undefined,
    wheelchairAccessible: name(WHEELCHAIR, vehicle, 'wheelchairAccessible'),
  }
}

/** A decoded trip descriptor. */
export function toTrip(trip: transit_realtime.ITripDescriptor): Trip {
  return {
    tripId: own(trip, 'tripId') ?? undefined,
    routeId: own(trip, 'routeId') ?? undefined,
    directionId: own(trip, 'directionId') ?? undefined,
    startTime: own(trip, 'startTime') ?? undefined,
    startDate: own(trip, 'startDate') ?? undefined,
    scheduleRelationship: name(TRIP_RELATIONSHIPS, trip, 'scheduleRelationship'),
    nyct: nyctTripDescriptor(trip),
  }
}

function toPosition(position: transit_realtime.IPosition): GpsPosition {
  return {
    latitude: position.latitude,
    longitude: position.longitude,
    bearing: own(position, 'bearing') ?? undefined,
    odometer: own(position, 'odometer') ?? undefined,
    speed: own(position, 'speed') ?? undefined,
  }
}

function toCarriage(carriage: transit_realtime.VehiclePosition.ICarriageDetails): Carriage {
  const details: MtaRailroadCarriage = mtaRailroadCarriage(carriage)
  return {
    id: own(carriage, 'id') ?? undefined,
    label: own(carriage, 'label') ?? undefined,
    occupancyStatus: name(OCCUPANCY_STATUSES, carriage, 'occupancyStatus'),
    occupancyPercentage: own(carriage, 'occupancyPercentage') ?? undefined,
    carriageSequence: own(carriage, 'carriageSequence') ?? undefined,
    bicyclesAllowed: details.bicyclesAllowed,
    carriageClass: details.carriageClass,
    quietCarriage: optionalName(QUIET, details.quietCarriage),
    toiletFacilities: optionalName(TOILETS, details.toiletFacilities),
  }
}

const optionalName = (names: EnumNames, value: number | undefined): string | undefined =>
  value === undefined ? undefined : enumName(names, value)
