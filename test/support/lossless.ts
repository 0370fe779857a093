// An entity, its record, Avro bytes, the record again, and the entity again: what differs.
import { hash } from 'node:crypto'
import { AvroConverter } from '../../connector/converters/avro.ts'
import type { EntityKind } from '../../source-mta/entity-kind.ts'
import { type EntityRecord, entityRecords, entityTopics } from '../../source-mta/entity-records.ts'
import { MODELS } from '../../source-mta/message-models.ts'
import { PROFILES, type ProfileName } from '../../source-mta/profiles.ts'
import { scanFeed } from '../../source-mta/scan.ts'
import { type Canonical, canonical, merged } from './canonical-message.ts'
import { FakeClock } from './fake-clock.ts'
import { acceptBody, newFeedState } from './feed-fixtures.ts'
import { knownPayload } from './rebuilt-entity.ts'
import type { TestRegistry } from './registry.ts'

const TOPICS = entityTopics('mta.', 'nested', false)
const KINDS: Readonly<Record<string, EntityKind>> = {
  'mta.vehicle_position.v1': 'vehicle',
  'mta.trip_update.v1': 'trip_update',
  'mta.alert.v1': 'alert',
}
const PAYLOADS = { vehicle: 'vehicle', trip_update: 'tripUpdate', alert: 'alert' } as const

/** Reads bodies of one feed one after the other; how many entities were compared, and the first ten that are not as they were. */
export async function losses(
  converter: AvroConverter,
  profile: ProfileName,
  bodies: readonly Uint8Array[],
): Promise<{ readonly compared: number; readonly differ: readonly unknown[] }> {
  const state = newFeedState(profile, { kinds: ['vehicle', 'trip_update', 'alert'] })
  let compared = 0
  const differ: unknown[] = []
  for (const body of bodies) {
    const { context, events } = acceptBody(state, body)
    const payloads = payloadsOf(body)
    for (const event of events) {
      if (event.kind === 'vanished' || context === undefined) continue
      for (const record of entityRecords(context, event, TOPICS)) {
        const payload = payloads.get(event.contentHash) ?? new Uint8Array()
        // oxlint-disable-next-line no-await-in-loop
        const [again, original] = await roundTrip(converter, record, payload, profile)
        if (JSON.stringify(again) !== JSON.stringify(original)) differ.push({ again, original })
        compared++
      }
    }
  }
  return { compared, differ: differ.slice(0, 10) }
}

/** The canonical forms of what came back and of what went in. Fields are in order of their numbers in both. */
async function roundTrip(
  converter: AvroConverter,
  { topic, valueSchema, value }: EntityRecord,
  payload: Uint8Array,
  profile: ProfileName,
): Promise<readonly [Canonical, Canonical]> {
  const kind = KINDS[topic] ?? 'vehicle'
  const bytes = await converter.fromConnectData(topic, [], valueSchema, value)
  const { value: read } = await converter.toConnectData(topic, [], bytes)
  const record = read as Readonly<Record<string, unknown>>
  const model = (PROFILES[profile].isSubway ? MODELS.nyct : MODELS.plain)[PAYLOADS[kind]]
  const unknown = record['unknown_fields']
  const known = canonical(knownPayload(kind, record), model)
  const again =
    unknown instanceof Uint8Array ? merged(known, canonical(unknown, model, true)) : known
  return [again, canonical(payload, model)]
}

/** Payloads by their hash. */
function payloadsOf(body: Uint8Array): ReadonlyMap<string, Uint8Array> {
  const payloads = new Map<string, Uint8Array>()
  for (const { vehicle, tripUpdate, alert } of scanFeed(body, 50_000).entities) {
    for (const payload of [vehicle, tripUpdate, alert]) {
      if (payload !== undefined) payloads.set(hash('sha256', payload, 'hex'), payload)
    }
  }
  return payloads
}

/** A converter as a worker would have it, at a registry. */
export function newAvroConverter({ log, url }: TestRegistry): AvroConverter {
  // A connection that was idle for too long is made anew, at once.
  const clock = new FakeClock({ auto: true })
  const converter = new AvroConverter({ clock, random: () => 0.5, log })
  converter.configure({ 'schema.registry.url': url }, false)
  return converter
}
