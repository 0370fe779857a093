// Recorded bodies and exactly what is made of them. A golden file is written anew by hand only, after each
// difference was looked at (see test/fixtures/feeds/README.md).
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { degrees } from '../../source-mta/record-fields.ts'
import { gtfs } from '../support/feed-bodies.ts'
import {
  FIXTURES,
  acceptBody,
  fixtureBody,
  fixturePath,
  golden,
  newFeedState,
  valuesOf,
  vehicleEvents,
} from '../support/feed-fixtures.ts'

const GOLDEN = ['oba_g', 'nonmta_nyc_ferry_vp_a', 'lirr_20260621T0155Z', 'mnr_20260621T0151Z']

test.each(FIXTURES.filter(([name]) => GOLDEN.includes(name)))(
  '%s as its golden file says',
  (name, profile) => {
    const values = valuesOf(acceptBody(newFeedState(profile), fixtureBody(name)))
    const expected: unknown = JSON.parse(readFileSync(fixturePath(`${name}.json`), 'utf8'))
    expect(golden(values)).toEqual(expected)
  },
)

describe('against a full decode by gtfs-realtime-bindings', () => {
  test.each(FIXTURES)('%s has every vehicle with what it says', (name, profile) => {
    const body = fixtureBody(name)
    const values = valuesOf(acceptBody(newFeedState(profile), body))
    const byEntity = new Map(values.map((value) => [value['entity_id'], value]))
    const vehicles = gtfs.FeedMessage.decode(body).entity.filter(({ vehicle }) => vehicle != null)
    // Metro-North's entity ids are not unique, and nobody's are a key.
    expect(values).toHaveLength(vehicles.length)
    const unique = vehicles.filter(({ id }) => vehicles.filter((v) => v.id === id).length === 1)
    for (const { id, vehicle } of unique) {
      const message = gtfs.VehiclePosition.toObject(
        gtfs.VehiclePosition.fromObject(vehicle ?? {}),
        { longs: Number, enums: String },
      )
      const value = byEntity.get(id)
      expect(value).toMatchObject({
        stop_id: message['stopId'] ?? null,
        current_status: message['currentStatus'] ?? null,
        current_stop_sequence: message['currentStopSequence'] ?? null,
        occupancy_status: message['occupancyStatus'] ?? null,
        vehicle_timestamp: new Date((message['timestamp'] as number) * 1_000),
        vehicle_id: message['vehicle']?.id ?? null,
        vehicle_label: message['vehicle']?.label ?? null,
        ...(message['position'] === undefined
          ? {}
          : {
              latitude: degrees(message['position'].latitude as number),
              longitude: degrees(message['position'].longitude as number),
              position_source: 'GPS',
            }),
      })
    }
  })
})

test('the second of two polls brings what changed and what is new', () => {
  const [before, after] = ['oba_gtfs-l-03222024-232658', 'oba_gtfs-l-03222024-233513'] as const
  const state = newFeedState('nyct')
  acceptBody(state, fixtureBody(before))
  const events = vehicleEvents(acceptBody(state, fixtureBody(after)))
  const [old, now] = [payloadsByTrip(before), payloadsByTrip(after)]
  const keysOf = (type: string) =>
    events.flatMap(({ eventType, trip }) => (eventType === type ? [trip.tripId ?? ''] : [])).sort()
  const trips = [...now.keys()].sort()
  expect(keysOf('SNAPSHOT')).toEqual(trips.filter((trip) => !old.has(trip)))
  expect(keysOf('CHANGED')).toEqual(
    trips.filter((trip) => old.has(trip) && old.get(trip) !== now.get(trip)),
  )
  expect(keysOf('CHANGED').length).toBeGreaterThan(0)
  expect(keysOf('SNAPSHOT').length).toBeGreaterThan(0)
})

/** The vehicles of a body, encoded again, by trip id. */
function payloadsByTrip(name: string): ReadonlyMap<string, string> {
  return new Map(
    gtfs.FeedMessage.decode(fixtureBody(name)).entity.flatMap(({ vehicle }) =>
      vehicle == null
        ? []
        : [
            [
              vehicle.trip?.tripId ?? '',
              Buffer.from(gtfs.VehiclePosition.encode(vehicle).finish()).toString('hex'),
            ],
          ],
    ),
  )
}
