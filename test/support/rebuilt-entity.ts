// A record's value as the protobuf payload that it was made of: the inverse of the source connector, written from the
// documentation of the schemas alone.
import type { transit_realtime } from 'gtfs-realtime-bindings'
import type { EntityKind } from '../../source-mta/entity-kind.ts'
import { concat, delimited, varintField } from '../../source-mta/wire.ts'
import { gtfs } from './feed-bodies.ts'

type Value = Readonly<Record<string, unknown>>
type Names = Readonly<Record<string, unknown>>

const { TripUpdate, VehiclePosition, Alert, TripDescriptor } = gtfs
const { StopTimeUpdate } = TripUpdate

/** What the record's fields say, without its unknown_fields. */
export function knownPayload(kind: EntityKind, value: Value): Uint8Array {
  if (kind === 'vehicle') return vehiclePayload(value)
  return kind === 'trip_update' ? tripUpdatePayload(value) : alertPayload(value)
}

const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)
const number = (value: unknown): number | undefined =>
  typeof value === 'bigint' ? Number(value) : typeof value === 'number' ? value : undefined
const seconds = (value: unknown): number | undefined =>
  value instanceof Date ? value.getTime() / 1_000 : undefined

function enumNumber(names: Names, value: unknown): number | undefined {
  if (typeof value !== 'string') return undefined
  const unknown = /^UNKNOWN_(-?\d+)$/.exec(value)?.[1]
  return unknown === undefined ? (names[value] as number) : Number(unknown)
}

/** Without the fields that are undefined, which protobufjs would write. */
function defined<T extends object>(message: T): T | undefined {
  const entries = Object.entries(message).filter(([, value]) => value !== undefined)
  return entries.length === 0 ? undefined : (Object.fromEntries(entries) as T)
}

const bytesOf = (value: string): Uint8Array => Buffer.from(value)
const textField = (field: number, value: unknown): Uint8Array[] =>
  typeof value === 'string' ? [delimited(field, bytesOf(value))] : []
const numberField = (field: number, value: unknown): Uint8Array[] => {
  const it = typeof value === 'boolean' ? Number(value) : (seconds(value) ?? number(value))
  if (it === undefined) return []
  return [it < 0 ? negativeField(field, it) : varintField(field, it)]
}
/** A negative int32 takes ten bytes. */
function negativeField(field: number, value: number): Uint8Array {
  const bytes: number[] = []
  let rest = BigInt.asUintN(64, BigInt(value))
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80)
  const tag = varintField(field, 0).slice(0, -1)
  return concat([tag, Uint8Array.from([...bytes, Number(rest)])])
}

/** A message field, unless there is nothing in it. */
const messageField = (field: number, parts: readonly Uint8Array[]): Uint8Array[] =>
  parts.length === 0 ? [] : [delimited(field, concat(parts))]

const DIRECTIONS: Names = { NORTH: 1, EAST: 2, SOUTH: 3, WEST: 4 }

function tripParts(value: Value, prefix: string, names: Value): readonly Uint8Array[] {
  const isFilled = (value['quality_flags'] as readonly string[] | undefined)?.includes(
    'ROUTE_FILLED',
  )
  const trip = defined<transit_realtime.ITripDescriptor>({
    tripId: text(value['trip_id']),
    startTime: text(value[`${prefix}start_time`]),
    startDate: text(value[`${prefix}start_date`]),
    scheduleRelationship: enumNumber(
      TripDescriptor.ScheduleRelationship,
      value['trip_schedule_relationship'],
    ),
    routeId: isFilled === true ? undefined : text(value[`${prefix}route_id`]),
    directionId: number(value[`${prefix}direction_id`]),
  } as transit_realtime.ITripDescriptor)
  const isAssigned = value[text(names['assigned']) ?? '']
  const nyct = [
    ...textField(1, value[text(names['train']) ?? '']),
    ...numberField(2, isAssigned),
    ...numberField(3, enumNumber(DIRECTIONS, value[text(names['direction']) ?? ''])),
  ]
  return [
    ...(trip === undefined ? [] : [TripDescriptor.encode(trip).finish()]),
    ...messageField(1001, nyct),
  ]
}

const NYCT = {
  train: 'nyct_train_id',
  assigned: 'nyct_is_assigned',
  direction: 'nyct_direction',
}
const SELECTOR_NYCT = {
  train: 'trip_nyct_train_id',
  assigned: 'trip_nyct_is_assigned',
  direction: 'trip_nyct_direction',
}

const vehicleDescriptor = (value: Value): transit_realtime.IVehicleDescriptor | undefined =>
  defined({
    id: text(value['vehicle_id']),
    label: text(value['vehicle_label']),
    licensePlate: text(value['license_plate']),
    wheelchairAccessible: enumNumber(
      gtfs.VehicleDescriptor.WheelchairAccessible,
      value['wheelchair_accessible'],
    ),
  } as transit_realtime.IVehicleDescriptor)

const occupancy = (value: unknown): number | undefined =>
  enumNumber(VehiclePosition.OccupancyStatus, value)

function vehiclePayload(value: Value): Uint8Array {
  const isGps = value['position_source'] === 'GPS'
  const message = defined({
    position: isGps
      ? defined({
          latitude: number(value['latitude']),
          longitude: number(value['longitude']),
          bearing: number(value['bearing']),
          odometer: number(value['odometer_m']),
          speed: number(value['speed_mps']),
        })
      : undefined,
    currentStopSequence: number(value['current_stop_sequence']),
    currentStatus: enumNumber(VehiclePosition.VehicleStopStatus, value['current_status']),
    timestamp: seconds(value['vehicle_timestamp']),
    congestionLevel: enumNumber(VehiclePosition.CongestionLevel, value['congestion_level']),
    stopId: text(value['stop_id']),
    vehicle: vehicleDescriptor(value),
    occupancyStatus: occupancy(value['occupancy_status']),
    occupancyPercentage: number(value['occupancy_percentage']),
  }) as transit_realtime.IVehiclePosition | undefined
  const carriages = value['carriages'] as readonly Value[]
  // Metro-North's records show the trip update's trip; the vehicle's own is in unknown_fields.
  const trip = value['agency_id'] === 'MNR' ? [] : tripParts(value, '', NYCT)
  return concat([
    ...messageField(1, trip),
    VehiclePosition.encode(message ?? {}).finish(),
    ...carriages.map((carriage) => delimited(11, carriagePayload(carriage))),
    ...messageField(1006, [
      ...numberField(1, value['passenger_count']),
      ...numberField(2, value['passenger_capacity']),
    ]),
  ])
}

const QUIET: Names = { UNKNOWN_QUIET_CARRIAGE: 0, QUIET_CARRIAGE: 1, NOT_QUIET_CARRIAGE: 2 }
const TOILETS: Names = { UNKNOWN_TOILET_FACILITIES: 0, TOILET_ONBOARD: 1, NO_TOILET_ONBOARD: 2 }

function carriagePayload(value: Value): Uint8Array {
  const carriage = defined({
    id: text(value['id']),
    label: text(value['label']),
    occupancyStatus: occupancy(value['occupancy_status']),
    occupancyPercentage: number(value['occupancy_percentage']),
    carriageSequence: number(value['carriage_sequence']),
  }) as transit_realtime.VehiclePosition.ICarriageDetails | undefined
  return concat([
    VehiclePosition.CarriageDetails.encode(carriage ?? {}).finish(),
    ...messageField(1005, [
      ...numberField(1, value['bicycles_allowed']),
      ...textField(2, value['carriage_class']),
      ...numberField(3, enumNumber(QUIET, value['quiet_carriage'])),
      ...numberField(4, enumNumber(TOILETS, value['toilet_facilities'])),
    ]),
  ])
}

function tripUpdatePayload(value: Value): Uint8Array {
  const stops = value['stop_time_updates'] as readonly Value[]
  const properties = {
    tripId: text(value['properties_trip_id']),
    startDate: text(value['properties_start_date']),
    startTime: text(value['properties_start_time']),
    shapeId: text(value['properties_shape_id']),
    tripHeadsign: text(value['properties_trip_headsign']),
    tripShortName: text(value['properties_trip_short_name']),
  }
  // Encoded one by one: TripUpdate.encode wants a trip.
  const vehicle = vehicleDescriptor(value)
  const tripProperties = defined(properties) as
    | transit_realtime.TripUpdate.ITripProperties
    | undefined
  return concat([
    ...messageField(1, tripParts(value, '', NYCT)),
    ...stops.map((stop) => delimited(2, stopPayload(stop, value['nyct_is_assigned'] != null))),
    ...(vehicle === undefined
      ? []
      : [delimited(3, gtfs.VehicleDescriptor.encode(vehicle).finish())]),
    ...numberField(4, value['trip_update_timestamp']),
    ...numberField(5, value['trip_delay_s']),
    ...(tripProperties === undefined
      ? []
      : [delimited(6, TripUpdate.TripProperties.encode(tripProperties).finish())]),
  ])
}

function stopPayload(value: Value, isNyct: boolean): Uint8Array {
  const event = (prefix: string): transit_realtime.TripUpdate.IStopTimeEvent | undefined =>
    defined({
      delay: number(value[`${prefix}_delay_s`]),
      time: seconds(value[`${prefix}_time`]),
      uncertainty: number(value[`${prefix}_uncertainty_s`]),
      scheduledTime: seconds(value[`${prefix}_scheduled_time`]),
    } as transit_realtime.TripUpdate.IStopTimeEvent)
  const dropOff = StopTimeUpdate.StopTimeProperties.DropOffPickupType
  const stop = defined({
    stopSequence: number(value['stop_sequence']),
    stopId: text(value['stop_id']),
    arrival: event('arrival'),
    departure: event('departure'),
    scheduleRelationship: enumNumber(
      StopTimeUpdate.ScheduleRelationship,
      value['schedule_relationship'],
    ),
    departureOccupancyStatus: occupancy(value['departure_occupancy_status']),
    stopTimeProperties: defined({
      assignedStopId: text(value['assigned_stop_id']),
      stopHeadsign: text(value['stop_headsign']),
      pickupType: enumNumber(dropOff, value['pickup_type']),
      dropOffType: enumNumber(dropOff, value['drop_off_type']),
    }),
  }) as transit_realtime.TripUpdate.IStopTimeUpdate | undefined
  const { actual_track: actual, train_status: status } = value
  return concat([
    StopTimeUpdate.encode(stop ?? {}).finish(),
    ...(isNyct
      ? messageField(1001, [...textField(1, value['scheduled_track']), ...textField(2, actual)])
      : messageField(1005, [...textField(1, actual), ...textField(2, status)])),
  ])
}

function texts(field: number, value: unknown): Uint8Array[] {
  if (!Array.isArray(value)) return []
  const translations = (value as readonly Value[]).map((translation) =>
    delimited(
      1,
      concat([...textField(1, translation['text']), ...textField(2, translation['language'])]),
    ),
  )
  return [delimited(field, concat(translations))]
}

function selector(value: Value): Uint8Array {
  return concat([
    ...textField(1, value['agency_id']),
    ...textField(2, value['route_id']),
    ...numberField(3, value['route_type']),
    ...messageField(4, tripParts(value, 'trip_', SELECTOR_NYCT)),
    ...textField(5, value['stop_id']),
    ...numberField(6, value['direction_id']),
    ...messageField(1001, textField(1, value['mercury_sort_order'])),
  ])
}

const each = (value: unknown): readonly Value[] => value as readonly Value[]

function alertPayload(value: Value): Uint8Array {
  return concat([
    ...each(value['active_periods']).map((period) =>
      delimited(
        1,
        concat([...numberField(1, period['start_time']), ...numberField(2, period['end_time'])]),
      ),
    ),
    ...each(value['informed_entities']).map((one) => delimited(5, selector(one))),
    ...numberField(6, enumNumber(Alert.Cause, value['cause'])),
    ...numberField(7, enumNumber(Alert.Effect, value['effect'])),
    ...texts(8, value['url']),
    ...texts(10, value['header_text']),
    ...texts(11, value['description_text']),
    ...texts(12, value['tts_header_text']),
    ...texts(13, value['tts_description_text']),
    ...numberField(14, enumNumber(Alert.SeverityLevel, value['severity_level'])),
    ...images(value['image_json']),
    ...texts(17, value['cause_detail']),
    ...texts(18, value['effect_detail']),
    ...messageField(1001, mercury(value)),
  ])
}

function images(value: unknown): Uint8Array[] {
  if (typeof value !== 'string') return []
  const { localized_image: localized, alternative_text: alternative } = JSON.parse(value) as Value
  const image = localized === undefined ? [] : each(localized)
  return [
    ...(localized === undefined
      ? []
      : [
          delimited(
            15,
            concat(
              image.map((one) =>
                delimited(
                  1,
                  concat([
                    ...textField(1, one['url']),
                    ...textField(2, one['media_type']),
                    ...textField(3, one['language']),
                  ]),
                ),
              ),
            ),
          ),
        ]),
    ...texts(16, alternative),
  ]
}

function mercury(value: Value): Uint8Array[] {
  const names = (key: string, field: number): Uint8Array[] =>
    (value[key] as readonly string[]).map((one) => delimited(field, bytesOf(one)))
  return [
    ...numberField(1, value['mercury_created_at']),
    ...numberField(2, value['mercury_updated_at']),
    ...textField(3, value['mercury_alert_type']),
    ...each(value['mercury_station_alternatives']).map((one) => {
      const affected = one['affected_entity'] as Value | null
      return delimited(
        4,
        concat([
          ...(affected === null ? [] : [delimited(1, selector(affected))]),
          ...texts(2, one['notes']),
        ]),
      )
    }),
    ...names('mercury_service_plan_numbers', 5),
    ...names('mercury_general_order_numbers', 6),
    ...numberField(7, value['mercury_display_before_active_s']),
    ...texts(8, value['mercury_human_readable_active_period']),
    ...numberField(9, value['mercury_directionality']),
    ...each(value['mercury_affected_stations']).map((one) => delimited(10, selector(one))),
    ...texts(11, value['mercury_screens_summary']),
    ...numberField(12, value['mercury_no_affected_stations']),
    ...textField(13, value['mercury_clone_id']),
  ]
}
