// A decoded trip update as the values of records: schemas/trip_update.avsc, and schemas/trip_stop_time.avsc with a
// record for each stop.
import type { Trip } from './decode.ts'
import { NO_TRIP } from './decode.ts'
import type { StopTimeValue, TripPrediction } from './decode-trip-update.ts'
import type { BodyContext, Envelope, VanishedEvent } from './entity-kind.ts'
import {
  NO_NYCT,
  type NyctFields,
  date,
  envelopeFields,
  int,
  addTripFields,
} from './record-fields.ts'

/** What a trip update's records are made of. */
export interface TripUpdateEvent extends Envelope {
  readonly kind: 'trip_update'
  readonly prediction: TripPrediction
  readonly trip: Trip
  readonly nyct: NyctFields
}

/** A plain object for `TRIP_UPDATE_SCHEMA`. */
export function tripUpdateValue(
  body: BodyContext,
  event: TripUpdateEvent,
): Record<string, unknown> {
  const { vehicle, timestamp, delay, properties, stops } = event.prediction
  const next = nextStop(stops, body)
  const value = envelopeFields(body, event)
  addTripFields(value, event.trip, event.nyct)
  value['vehicle_id'] = vehicle.vehicleId ?? null
  value['vehicle_label'] = vehicle.vehicleLabel ?? null
  value['license_plate'] = vehicle.licensePlate ?? null
  value['wheelchair_accessible'] = vehicle.wheelchairAccessible ?? null
  value['trip_update_timestamp'] = date(timestamp)
  value['trip_delay_s'] = int(delay)
  value['properties_trip_id'] = properties.tripId ?? null
  value['properties_start_date'] = properties.startDate ?? null
  value['properties_start_time'] = properties.startTime ?? null
  value['properties_shape_id'] = properties.shapeId ?? null
  value['properties_trip_headsign'] = properties.tripHeadsign ?? null
  value['properties_trip_short_name'] = properties.tripShortName ?? null
  value['stop_time_updates'] = stops
  value['next_stop_id'] = next?.stop_id ?? null
  value['next_arrival_time'] =
    next === undefined ? null : (next.arrival_time ?? next.departure_time)
  value['stop_count'] = stops.length
  return value
}

/** Plain objects for `TRIP_STOP_TIME_SCHEMA`: one for each stop; a single one without a stop for a trip without any. */
export function tripStopTimeValues(
  body: BodyContext,
  event: TripUpdateEvent,
): readonly Record<string, unknown>[] {
  const { vehicle, timestamp, delay, stops } = event.prediction
  const envelope = envelopeFields(body, event)
  const common: Record<string, unknown> = {
    feed_id: envelope['feed_id'],
    agency_id: envelope['agency_id'],
    record_key: envelope['record_key'],
    event_type: envelope['event_type'],
    feed_timestamp: envelope['feed_timestamp'],
    fetched_at: envelope['fetched_at'],
    poll_id: envelope['poll_id'],
    content_hash: envelope['content_hash'],
    time_zone: envelope['time_zone'],
    local_time: envelope['local_time'],
  }
  addTripFields(common, event.trip, event.nyct)
  common['vehicle_id'] = vehicle.vehicleId ?? null
  common['trip_update_timestamp'] = date(timestamp)
  common['trip_delay_s'] = int(delay)
  common['stop_count'] = stops.length
  if (stops.length === 0) return [{ ...NO_STOP, ...common }]
  return stops.map((stop) => ({ ...stop, ...common }))
}

/** The event of a trip that is gone, as if it were one that says nothing but who it was. */
export function vanishedTripUpdate(event: VanishedEvent): TripUpdateEvent {
  const { trip, vehicleId } = event.identity
  return {
    ...event,
    kind: 'trip_update',
    prediction: { ...NO_PREDICTION, vehicle: { ...NO_PREDICTION.vehicle, vehicleId } },
    trip: { ...NO_TRIP, ...trip },
    nyct: NO_NYCT,
  }
}

/** The first stop that is neither skipped nor passed. */
function nextStop(
  stops: readonly StopTimeValue[],
  { feedTimestamp, fetchedAtMs }: BodyContext,
): StopTimeValue | undefined {
  const nowMs = feedTimestamp === undefined ? fetchedAtMs : feedTimestamp * 1_000
  return stops.find((stop) => {
    if (stop.schedule_relationship === 'SKIPPED') return false
    const leaves = stop.departure_time ?? stop.arrival_time
    return leaves === null || leaves.getTime() >= nowMs
  })
}

const NO_PREDICTION: TripPrediction = {
  trip: NO_TRIP,
  vehicle: {
    vehicleId: undefined,
    vehicleLabel: undefined,
    licensePlate: undefined,
    wheelchairAccessible: undefined,
  },
  timestamp: undefined,
  delay: undefined,
  properties: {
    tripId: undefined,
    startDate: undefined,
    startTime: undefined,
    shapeId: undefined,
    tripHeadsign: undefined,
    tripShortName: undefined,
  },
  stops: [],
}

const NO_STOP: Readonly<Record<keyof StopTimeValue, null>> = {
  ordinal: null,
  stop_sequence: null,
  stop_id: null,
  arrival_time: null,
  arrival_delay_s: null,
  arrival_uncertainty_s: null,
  arrival_scheduled_time: null,
  departure_time: null,
  departure_delay_s: null,
  departure_uncertainty_s: null,
  departure_scheduled_time: null,
  schedule_relationship: null,
  departure_occupancy_status: null,
  assigned_stop_id: null,
  stop_headsign: null,
  pickup_type: null,
  drop_off_type: null,
  scheduled_track: null,
  actual_track: null,
  train_status: null,
}
