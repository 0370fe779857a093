// What recorded bodies bring of trips and alerts.
import { readFileSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import type { EntityEvent, FeedStateOptions } from '../../source-mta/body-reading.ts'
import { entityRecords, entityTopics } from '../../source-mta/entity-records.ts'
import type { ProfileName } from '../../source-mta/profiles.ts'
import {
  type VehicleIdentity,
  peekTripUpdate,
  peekVehicle,
  scanFeed,
} from '../../source-mta/scan.ts'
import { acceptBody, fixtureBody, newFeedState } from '../support/feed-fixtures.ts'
import { FEEDS, describeWith } from '../support/needs.ts'

const ALL: Partial<FeedStateOptions> = { kinds: ['vehicle', 'trip_update', 'alert'] }
const TRIPS: Partial<FeedStateOptions> = { kinds: ['trip_update'] }

/** The values of a body's records by topic. */
function valuesByTopic(profile: ProfileName, body: Uint8Array, options = ALL) {
  const { context, events } = acceptBody(newFeedState(profile, options), body)
  const topics = entityTopics('', 'both', false)
  const values = new Map<string, Record<string, unknown>[]>()
  if (context === undefined) return values
  for (const event of events) {
    for (const { topic, value } of entityRecords(context, event, topics)) {
      values.set(topic, [...(values.get(topic) ?? []), value ?? {}])
    }
  }
  return values
}

const stopsOf = (values: readonly Record<string, unknown>[]): readonly Record<string, unknown>[] =>
  values.flatMap((value) => value['stop_time_updates'] as readonly Record<string, unknown>[])

const flagged = (events: readonly EntityEvent[], flag: string): number =>
  events.filter(({ flags }) => flags.includes(flag)).length

describe('recorded trip updates', () => {
  test("Metro-North's stops all have the status that is sent in one of two parts", () => {
    const body = fixtureBody('mnr_20260621T0151Z')
    const trips = valuesByTopic('mnr', body).get('trip_update.v1') ?? []
    expect(trips).toHaveLength(119)
    expect(new Set(trips.map((trip) => trip['record_key'])).size).toBe(119)
    const stops = stopsOf(trips)
    const statuses = stops.map((stop) => stop['train_status'])
    expect(statuses.filter((status) => status !== null)).toHaveLength(1_556)
    expect(stops).toHaveLength(1_556)
    expect(new Set(statuses)).toContain('On-Time')
    const stale = trips.filter((trip) =>
      (trip['quality_flags'] as readonly string[]).includes('STALE_SERVICE_DAY'),
    )
    expect(stale).toHaveLength(26)
  })

  test("LIRR's are nested and flat, with cancelled trips and tracks", () => {
    const values = valuesByTopic('lirr', fixtureBody('lirr_20260621T0155Z'))
    const nested = values.get('trip_update.v1') ?? []
    const flat = values.get('trip_stop_time.v1') ?? []
    expect(nested).toHaveLength(132)
    const stops = stopsOf(nested)
    expect(stops).toHaveLength(1_501)
    expect(flat.filter(({ ordinal }) => ordinal !== null)).toHaveLength(1_501)
    // A trip without stops is told of once.
    expect(flat.length - 1_501).toBe(nested.filter(({ stop_count: count }) => count === 0).length)
    const canceled = nested.filter((trip) => trip['trip_schedule_relationship'] === 'CANCELED')
    expect(canceled).toHaveLength(8)
    expect(new Set(stops.map((stop) => stop['actual_track']))).toContain('201')
    expect(stops.every((stop) => stop['train_status'] === null)).toBe(true)
  })

  test("the subway's have tracks, a next stop and NYCT's fields", () => {
    const trips = valuesByTopic('nyct', fixtureBody('nyct_1-7S_20260613T1949Z')).get(
      'trip_update.v1',
    )
    const [first] = trips ?? []
    expect(first).toMatchObject({
      trip_id: '087900_1..N04R',
      service_date: new Date('2026-06-13T00:00:00Z'),
      route_id: '1',
      nyct_is_assigned: expect.any(Boolean) as boolean,
      nyct_direction: 'NORTH',
    })
    expect(stopsOf(trips ?? []).every((stop) => stop['scheduled_track'] !== null)).toBe(true)
    const moving = (trips ?? []).filter((trip) => trip['nyct_is_assigned'] === true)
    expect(moving.length).toBeGreaterThan(0)
    // No next stop: all are passed.
    const ended = moving.filter((trip) => trip['next_stop_id'] === null)
    const isAhead = (trip: Record<string, unknown>): boolean =>
      stopsOf([trip]).some(
        (stop) =>
          Number(stop['departure_time'] ?? stop['arrival_time']) >= Number(trip['feed_timestamp']),
      )
    expect(ended.filter(isAhead)).toEqual([])
    expect(ended.length).toBeLessThan(moving.length / 5)
  })
})

describe('recorded trip updates of buses', () => {
  test('two buses of one trip are two records, each flagged', () => {
    const body = fixtureBody('underground_feed_buses_weekend_cut')
    const { events } = acceptBody(newFeedState('obanyc', TRIPS), body)
    expect(events).toHaveLength(36)
    expect(new Set(events.map(({ recordKey }) => recordKey)).size).toBe(36)
    const trips = events.flatMap((event) =>
      event.kind === 'trip_update' ? [event.trip.tripId] : [],
    )
    const isShared = (id: string | undefined): boolean =>
      trips.indexOf(id) !== trips.lastIndexOf(id)
    expect(trips.filter(isShared).length).toBeGreaterThanOrEqual(10)
    expect(flagged(events, 'TRIP_MULTI_VEHICLE')).toBe(trips.filter(isShared).length)
  })
})

describe('recorded alerts', () => {
  test("Metro-North's have texts in each language and Mercury's fields", () => {
    const values = valuesByTopic('camsys', fixtureBody('alerts_mnr_20260703')).get('alert.v1') ?? []
    expect(values).toHaveLength(9)
    for (const alert of values) {
      const languages = (alert['header_text'] as readonly { readonly language: string }[]).map(
        ({ language }) => language,
      )
      expect(languages).toEqual(['en', 'en-html'])
      expect(alert).toMatchObject({
        agency_id: 'MNR',
        record_key: `f|${String(alert['entity_id'])}`,
        mercury_alert_type: expect.any(String) as string,
        mercury_created_at: expect.any(Date) as Date,
      })
      expect(String(alert['header_en'])).not.toContain('<')
      const [informed] = alert['informed_entities'] as readonly Record<string, unknown>[]
      expect(informed?.['mercury_sort_order']).toMatch(/^MNR:/)
      expect(informed?.['mercury_priority']).toEqual(expect.any(Number))
    }
  })

  test("a subway feed's own alert is known by its text", () => {
    const values =
      valuesByTopic('nyct', fixtureBody('nyct_1-7S_20260613T1949Z')).get('alert.v1') ?? []
    expect(values).toHaveLength(1)
    expect(values[0]).toMatchObject({ record_key: 'f|Train delayed', header_en: 'Train delayed' })
    const informed = values.flatMap(
      (alert) => alert['informed_entities'] as readonly Record<string, unknown>[],
    )
    expect(informed[0]).toMatchObject({
      trip_id: expect.any(String) as string,
      trip_nyct_train_id: expect.any(String) as string,
      trip_nyct_direction: expect.stringMatching(/NORTH|SOUTH/) as string,
    })
  })
})

const read = (name: string): Uint8Array => readFileSync(path.join(FEEDS, name))

describeWith(['feeds'], 'recorded feeds of trips', () => {
  test('all buses bring 3,547 records with as many keys, 70 trips of them with two buses', () => {
    const { events } = acceptBody(
      newFeedState('obanyc', TRIPS),
      read('underground_feed_buses_weekend.pb'),
    )
    expect(events).toHaveLength(3_547)
    expect(new Set(events.map(({ recordKey }) => recordKey)).size).toBe(3_547)
    const shared = events.filter(({ flags }) => flags.includes('TRIP_MULTI_VEHICLE'))
    const trips = new Set(
      shared.flatMap((event) => (event.kind === 'trip_update' ? [event.trip.tripId] : [])),
    )
    expect(trips.size).toBe(70)
    expect(flagged(events, 'REQ_MISSING')).toBe(0)
  })

  test('42.1 % of trips and 38.7 % of vehicles of A, C and E change within a minute', () => {
    const state = newFeedState('nyct', { ...ALL, positions: undefined })
    const folder = path.join(FEEDS, 'seq_ace_20240208')
    const counts = { vehicle: 0, trip_update: 0, alert: 0 }
    const kept = { vehicle: 0, trip_update: 0, alert: 0 }
    let before = new Set<string>()
    const keys = new Set<string>()
    let records = 0
    for (const name of readdirSync(folder).sort()) {
      const result = acceptBody(state, readFileSync(path.join(folder, name)))
      expect(result.outcome).toBe('OK')
      const now = new Set(keysOf(readFileSync(path.join(folder, name))))
      for (const key of now) {
        if (before.has(key)) kept[key.startsWith('V') ? 'vehicle' : 'trip_update']++
      }
      for (const { kind, eventType, recordKey, contentHash } of result.events) {
        if (kind === 'vanished') continue
        if (eventType === 'CHANGED') counts[kind]++
        records++
        keys.add(`${kind} ${recordKey} ${contentHash} ${result.context?.feedTimestamp}`)
      }
      before = now
    }
    expect(keys.size).toBe(records)
    expect((100 * counts.trip_update) / kept.trip_update).toBeCloseTo(42.1, 0)
    expect((100 * counts.vehicle) / kept.vehicle).toBeCloseTo(38.7, 0)
  })
})

const key = (kind: string, { trip }: VehicleIdentity): string =>
  `${kind} ${trip.tripId}|${trip.startDate}`

/** Which vehicles and trips a body of the subway has. */
function keysOf(body: Uint8Array): readonly string[] {
  return scanFeed(body, 10_000).entities.flatMap(({ vehicle, tripUpdate }) => [
    ...(vehicle === undefined ? [] : [key('V', peekVehicle(vehicle))]),
    ...(tripUpdate === undefined ? [] : [key('T', peekTripUpdate(tripUpdate))]),
  ])
}
