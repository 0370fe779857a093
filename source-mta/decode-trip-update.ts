// TripUpdate payloads, decoded by gtfs-realtime-bindings. Stops are given as the record has them at once: a busy
// feed has a hundred thousand.
import type { transit_realtime } from 'gtfs-realtime-bindings'
import {
  type Trip,
  type VehicleDescriptor,
  NO_TRIP,
  toTrip,
  toVehicleDescriptor,
} from './decode.ts'
import { stopTracks } from './extensions.ts'
import { type EnumNames, decoding, gtfs, name, own, seconds } from './protobuf-values.ts'
import { date, int } from './record-fields.ts'

const { TripUpdate, VehiclePosition } = gtfs
const { StopTimeUpdate } = TripUpdate
const STOP_RELATIONSHIPS: EnumNames = StopTimeUpdate.ScheduleRelationship
const OCCUPANCY_STATUSES: EnumNames = VehiclePosition.OccupancyStatus
const DROP_OFF_PICKUP_TYPES: EnumNames = StopTimeUpdate.StopTimeProperties.DropOffPickupType

/** One stop, with the names and types of the record's fields. */
export interface StopTimeValue {
  readonly ordinal: number
  readonly stop_sequence: number | null
  readonly stop_id: string | null
  readonly arrival_time: Date | null
  readonly arrival_delay_s: number | null
  readonly arrival_uncertainty_s: number | null
  readonly arrival_scheduled_time: Date | null
  readonly departure_time: Date | null
  readonly departure_delay_s: number | null
  readonly departure_uncertainty_s: number | null
  readonly departure_scheduled_time: Date | null
  readonly schedule_relationship: string | null
  readonly departure_occupancy_status: string | null
  readonly assigned_stop_id: string | null
  readonly stop_headsign: string | null
  readonly pickup_type: string | null
  readonly drop_off_type: string | null
  readonly scheduled_track: string | null
  readonly actual_track: string | null
  readonly train_status: string | null
}

/** What a duplicated or changed trip differs in. */
export interface TripProperties {
  readonly tripId: string | undefined
  readonly startDate: string | undefined
  readonly startTime: string | undefined
  readonly shapeId: string | undefined
  readonly tripHeadsign: string | undefined
  readonly tripShortName: string | undefined
}

export interface TripPrediction {
  readonly trip: Trip
  readonly vehicle: VehicleDescriptor
  /** Seconds since the Unix epoch. */
  readonly timestamp: number | undefined
  readonly delay: number | undefined
  readonly properties: TripProperties
  readonly stops: readonly StopTimeValue[]
}

/** Decodes a TripUpdate payload. Throws `DataError` when it is none. */
export const decodeTripUpdate = (payload: Uint8Array): TripPrediction =>
  decoding('TripUpdate', () => toPrediction(TripUpdate.decode(payload)))

function toPrediction(update: transit_realtime.TripUpdate): TripPrediction {
  const trip = own(update, 'trip')
  const properties = own(update, 'tripProperties') ?? {}
  return {
    trip: trip == null ? NO_TRIP : toTrip(trip),
    vehicle: toVehicleDescriptor(own(update, 'vehicle')),
    timestamp: seconds(own(update, 'timestamp')),
    delay: own(update, 'delay'),
    properties: {
      tripId: own(properties, 'tripId') ?? undefined,
      startDate: own(properties, 'startDate') ?? undefined,
      startTime: own(properties, 'startTime') ?? undefined,
      shapeId: own(properties, 'shapeId') ?? undefined,
      tripHeadsign: own(properties, 'tripHeadsign') ?? undefined,
      tripShortName: own(properties, 'tripShortName') ?? undefined,
    },
    stops: update.stopTimeUpdate.map(toStopTime),
  }
}

const NO_EVENT: transit_realtime.TripUpdate.IStopTimeEvent = {}
const NO_PROPERTIES: transit_realtime.TripUpdate.StopTimeUpdate.IStopTimeProperties = {}

function toStopTime(
  stop: transit_realtime.TripUpdate.IStopTimeUpdate,
  ordinal: number,
): StopTimeValue {
  const arrival = own(stop, 'arrival') ?? NO_EVENT
  const departure = own(stop, 'departure') ?? NO_EVENT
  const properties = own(stop, 'stopTimeProperties') ?? NO_PROPERTIES
  const tracks = stopTracks(stop)
  return {
    ordinal,
    stop_sequence: int(own(stop, 'stopSequence') ?? undefined),
    stop_id: own(stop, 'stopId') ?? null,
    arrival_time: date(seconds(own(arrival, 'time'))),
    arrival_delay_s: own(arrival, 'delay') ?? null,
    arrival_uncertainty_s: own(arrival, 'uncertainty') ?? null,
    arrival_scheduled_time: date(seconds(own(arrival, 'scheduledTime'))),
    departure_time: date(seconds(own(departure, 'time'))),
    departure_delay_s: own(departure, 'delay') ?? null,
    departure_uncertainty_s: own(departure, 'uncertainty') ?? null,
    departure_scheduled_time: date(seconds(own(departure, 'scheduledTime'))),
    schedule_relationship: name(STOP_RELATIONSHIPS, stop, 'scheduleRelationship') ?? null,
    departure_occupancy_status: name(OCCUPANCY_STATUSES, stop, 'departureOccupancyStatus') ?? null,
    assigned_stop_id: own(properties, 'assignedStopId') ?? null,
    stop_headsign: own(properties, 'stopHeadsign') ?? null,
    pickup_type: name(DROP_OFF_PICKUP_TYPES, properties, 'pickupType') ?? null,
    drop_off_type: name(DROP_OFF_PICKUP_TYPES, properties, 'dropOffType') ?? null,
    scheduled_track: tracks.scheduledTrack ?? null,
    actual_track: tracks.actualTrack ?? null,
    train_status: tracks.trainStatus ?? null,
  }
}
