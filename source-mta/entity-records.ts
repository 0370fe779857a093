// The records of an event: which topics it goes to, under which key, with which schema.
import type { Schema } from '../connector/api/schema.ts'
import type { EntityEvent } from './body-reading.ts'
import type { BodyContext } from './entity-kind.ts'
import { VEHICLE_POSITION_SCHEMA } from './record-schemas.ts'
import { vanishedVehicleValue, vehicleValue } from './vehicle-record.ts'

/** The topics of entities' records. */
export interface EntityTopics {
  readonly vehiclePosition: string
}

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
  const key = event.recordKey
  const value =
    event.kind === 'vehicle' ? vehicleValue(context, event) : vanishedVehicleValue(context, event)
  return [{ topic: topics.vehiclePosition, key, valueSchema: VEHICLE_POSITION_SCHEMA, value }]
}
