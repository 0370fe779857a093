// The records of an event: which topics it goes to, under which key, with which schema.
import type { Schema } from '../connector/api/schema.ts'
import { alertValue, vanishedAlert } from './alert-record.ts'
import type { EntityEvent } from './body-reading.ts'
import type { BodyContext } from './entity-kind.ts'
import {
  ALERT_SCHEMA,
  TRIP_STOP_TIME_SCHEMA,
  TRIP_UPDATE_SCHEMA,
  VEHICLE_POSITION_SCHEMA,
} from './record-schemas.ts'
import {
  type TripUpdateEvent,
  tripStopTimeValues,
  tripUpdateValue,
  vanishedTripUpdate,
} from './trip-update-record.ts'
import { vanishedVehicleValue, vehicleValue } from './vehicle-record.ts'

/** A record per trip update with its stops in it, a record per stop, or both. */
export type TripUpdateMode = 'nested' | 'flat' | 'both'

/** Where entities' records go; undefined: nowhere. */
export interface EntityTopics {
  readonly vehiclePosition: string
  /** Compacted: the last record of each vehicle that is there, and tombstones. */
  readonly vehiclePositionLatest: string | undefined
  readonly tripUpdate: string | undefined
  readonly tripStopTime: string | undefined
  readonly alert: string
}

/** The topics of entities' records for `topic.prefix`. */
export const entityTopics = (
  prefix: string,
  mode: TripUpdateMode,
  hasLatest: boolean,
): EntityTopics => ({
  vehiclePosition: `${prefix}vehicle_position.v1`,
  vehiclePositionLatest: hasLatest ? `${prefix}vehicle_position.latest.v1` : undefined,
  tripUpdate: mode === 'flat' ? undefined : `${prefix}trip_update.v1`,
  tripStopTime: mode === 'nested' ? undefined : `${prefix}trip_stop_time.v1`,
  alert: `${prefix}alert.v1`,
})

/** A record without source partition and offset. A null value is a tombstone. */
export interface EntityRecord {
  readonly topic: string
  readonly key: string
  readonly valueSchema: Schema | null
  readonly value: Record<string, unknown> | null
}

/** The records of an event, in the order in which they are to be written. */
export function entityRecords(
  context: BodyContext,
  event: EntityEvent,
  topics: EntityTopics,
): readonly EntityRecord[] {
  const kind = event.kind === 'vanished' ? event.of : event.kind
  if (kind === 'vehicle') return vehicleRecords(context, event, topics)
  if (event.kind === 'vanished') {
    return kind === 'trip_update'
      ? tripUpdateRecords(context, vanishedTripUpdate(event), topics)
      : alertRecords(context, vanishedAlert(event), topics)
  }
  if (event.kind === 'trip_update') return tripUpdateRecords(context, event, topics)
  return event.kind === 'alert' ? alertRecords(context, event, topics) : []
}

function vehicleRecords(
  context: BodyContext,
  event: EntityEvent,
  topics: EntityTopics,
): readonly EntityRecord[] {
  const { recordKey: key } = event
  const valueSchema = VEHICLE_POSITION_SCHEMA
  const { vehiclePosition: log, vehiclePositionLatest: latest } = topics
  if (event.kind === 'vanished') {
    const gone = { topic: log, key, valueSchema, value: vanishedVehicleValue(context, event) }
    return latest === undefined
      ? [gone]
      : [gone, { topic: latest, key, valueSchema: null, value: null }]
  }
  if (event.kind !== 'vehicle') return []
  const value = vehicleValue(context, event)
  const record = { topic: log, key, valueSchema, value }
  // An older observation than the last one is no news of where the vehicle is.
  const isNews = latest !== undefined && !event.flags.includes('OUT_OF_ORDER')
  return isNews ? [record, { ...record, topic: latest }] : [record]
}

function tripUpdateRecords(
  context: BodyContext,
  event: TripUpdateEvent,
  { tripUpdate, tripStopTime }: EntityTopics,
): readonly EntityRecord[] {
  const { recordKey: key } = event
  const records: EntityRecord[] = []
  if (tripUpdate !== undefined) {
    const value = tripUpdateValue(context, event)
    records.push({ topic: tripUpdate, key, valueSchema: TRIP_UPDATE_SCHEMA, value })
  }
  if (tripStopTime !== undefined) {
    for (const value of tripStopTimeValues(context, event)) {
      records.push({ topic: tripStopTime, key, valueSchema: TRIP_STOP_TIME_SCHEMA, value })
    }
  }
  return records
}

const alertRecords = (
  context: BodyContext,
  event: Parameters<typeof alertValue>[1],
  { alert }: EntityTopics,
): readonly EntityRecord[] => [
  {
    topic: alert,
    key: event.recordKey,
    valueSchema: ALERT_SCHEMA,
    value: alertValue(context, event),
  },
]
