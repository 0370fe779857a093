import type { SinkRecord } from '../../connector/api/records.ts'

/** A record of the vehicle position topic, as the worker hands it to a rest extension. */
export function vehicleRecord(value: Readonly<Record<string, unknown>> | null): SinkRecord {
  const topic = 'mta.vehicle_position.v1'
  return {
    topic,
    kafkaPartition: 0,
    kafkaOffset: 0,
    keySchema: null,
    key: value?.['record_key'] ?? null,
    valueSchema: null,
    value,
    timestamp: 0,
    timestampType: 'CreateTime',
    headers: [],
    originalTopic: topic,
    originalKafkaPartition: 0,
    originalKafkaOffset: 0,
    encodedValue: undefined,
  }
}

/** The value of a bus's report; `extra` as the fields of the schema. */
export const busReport = (
  id: string,
  feedMs: number,
  extra: Readonly<Record<string, unknown>> = {},
): Record<string, unknown> => ({
  feed_id: 'mta-bus-vp',
  record_key: `mta-bus-vp|${id}`,
  event_type: 'CHANGED',
  feed_timestamp: new Date(feedMs),
  fetched_at: new Date(feedMs),
  vehicle_id: id,
  vehicle_label: null,
  route_id: 'M15',
  trip_id: `trip-${id}`,
  latitude: 40.72,
  longitude: -73.98,
  bearing: 90,
  stop_id: null,
  current_status: null,
  position_source: 'GPS',
  position_anchor: null,
  vehicle_timestamp: new Date(feedMs),
  ...extra,
})

/** A subway train on its way along a shape, from one distance (metres) and instant to another. */
export const trainReport = (
  id: string,
  feedMs: number,
  anchor: {
    readonly shapeId: string
    readonly meters: readonly [number, number]
    readonly ms: readonly [number, number]
  },
  extra: Readonly<Record<string, unknown>> = {},
): Record<string, unknown> => ({
  ...busReport(id, feedMs),
  feed_id: 'mta-subway-l',
  record_key: `mta-subway-l|${id}`,
  route_id: 'L',
  position_source: 'INTERPOLATED',
  position_anchor: {
    shape_id: anchor.shapeId,
    from_stop_id: 'L06N',
    to_stop_id: 'L05N',
    d0_m: anchor.meters[0],
    d1_m: anchor.meters[1],
    t0: new Date(anchor.ms[0]),
    t1: new Date(anchor.ms[1]),
  },
  ...extra,
})
