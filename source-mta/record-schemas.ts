import { readFileSync } from 'node:fs'
import type { Schema } from '../connector/api/schema.ts'
import { schemaFromAvro } from './avro-schema.ts'

const read = (name: string): Schema =>
  schemaFromAvro(
    JSON.parse(readFileSync(new URL(`../schemas/${name}.avsc`, import.meta.url), 'utf8')),
  )

export const VEHICLE_POSITION_SCHEMA = read('vehicle_position')
export const TRIP_UPDATE_SCHEMA = read('trip_update')
export const TRIP_STOP_TIME_SCHEMA = read('trip_stop_time')
export const ALERT_SCHEMA = read('alert')
export const FEED_POLL_SCHEMA = read('feed_poll')
export const BUS_VEHICLE_ACTIVITY_SCHEMA = read('bus_vehicle_activity')
export const EQUIPMENT_OUTAGE_SCHEMA = read('equipment_outage')
export const EQUIPMENT_SCHEMA = read('equipment')
/** Keys are readable text, so that every tool shows them and tombstones need no schema. */
export const KEY_SCHEMA: Schema = { type: 'STRING', optional: false }
