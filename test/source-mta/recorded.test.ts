// What recorded bodies of the real feeds bring.
import { readFileSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import type { FeedStateOptions } from '../../source-mta/body-reading.ts'
import { FeedState } from '../../source-mta/feed-state.ts'
import { distanceM } from '../../source-mta/polyline.ts'
import { PROFILES } from '../../source-mta/profiles.ts'
import { subwayGeometry } from '../../source-mta/subway-geometry.ts'
import { SubwayPositions } from '../../source-mta/subway-positions.ts'
import type { VehicleEvent } from '../../source-mta/vehicle-record.ts'
import { vehicleEvents } from '../support/feed-fixtures.ts'
import { FEEDS, describeWith } from '../support/needs.ts'

const state = (
  profile: keyof typeof PROFILES,
  options: Partial<FeedStateOptions> = {},
): FeedState =>
  new FeedState({
    feedId: 'f',
    profile: PROFILES[profile],
    kinds: ['vehicle'],
    entitiesMax: 50_000,
    emitMode: 'changed',
    heartbeatMs: 300_000,
    box: 'per-feed',
    retentionMs: 21_600_000,
    positions: undefined,
    ...options,
  })

const read = (name: string) => ({
  bytes: readFileSync(path.join(FEEDS, name)),
  fetchedAtMs: Date.UTC(2026, 10, 23),
  etag: null,
  lastModified: null,
})

const ACE = 'seq_ace_20240208'
const aceNames = (): string[] =>
  readdirSync(path.join(FEEDS, ACE))
    .sort()
    .map((name) => path.join(ACE, name))

const count = (events: readonly VehicleEvent[], flag: string): number =>
  events.filter(({ flags }) => flags.includes(flag)).length

describeWith(['feeds'], 'recorded feeds', () => {
  test('80 polls of A, C and E bring 5,034 records, and 153 of vehicles that are gone', () => {
    const feed = state('nyct')
    const results = aceNames().map((name) => feed.accept(read(name)))
    expect(results.map(({ outcome }) => outcome)).toEqual(Array(80).fill('OK'))
    const events = results.flatMap((result) => result.events)
    const gone = events.filter(({ kind }) => kind === 'vanished')
    expect([events.length - gone.length, gone.length]).toEqual([5_034, 153])
    expect(results.reduce((sum, { badEntities }) => sum + badEntities, 0)).toBe(0)
  })

  test('Metro-North brings 119 records with the trips of their trip updates', () => {
    const events = vehicleEvents(state('mnr').accept(read('mnr_20260621T0151Z.pb')))
    expect(events).toHaveLength(119)
    expect(new Set(events.map(({ recordKey }) => recordKey)).size).toBe(119)
    expect(count(events, 'STALE_SERVICE_DAY')).toBe(26)
    expect(events.filter(({ placed }) => placed?.source === 'GPS')).toHaveLength(49)
    const train = events.find(({ vehicle }) => vehicle.vehicleId === '1797')
    expect(train?.trip).toMatchObject({ routeId: '4' })
    expect(train?.trip.tripId).not.toBe('1797')
  })

  test('LIRR brings 69 records whose routes are filled in', () => {
    const events = vehicleEvents(state('lirr').accept(read('lirr_20260621T0155Z.pb')))
    expect(events).toHaveLength(69)
    expect(count(events, 'TS_STALE')).toBe(42)
    expect(count(events, 'ROUTE_FILLED')).toBe(69)
    expect(count(events, 'COORD_OUT_OF_BOX')).toBe(0)
  })

  test('the buses bring 1,500 records', () => {
    const name = 'DERIVED_mta_bus_vp_from_siri_20250807.pb'
    const events = vehicleEvents(state('obanyc').accept(read(name)))
    expect(events).toHaveLength(1_500)
    expect(new Set(events.map(({ agencyId }) => agencyId))).toEqual(new Set(['MTA NYCT', 'MTABC']))
    expect(events.filter((e) => e.vehicle.crowding.estimatedCapacity !== undefined).length).toBe(
      864,
    )
    const seedBox = vehicleEvents(state('obanyc', { box: 'seed' }).accept(read(name)))
    expect(count(seedBox, 'COORD_OUT_OF_BOX')).toBe(0)
  })

  test('left-out defaults of 2026 mean the same as the explicit ones of 2018', () => {
    const of2018 = vehicleEvents(state('nyct').accept(read('camsys_1_2018-05-09.pb')))
    const of2026 = vehicleEvents(state('nyct').accept(read('nyct_1-7S_20260613T1949Z.pb')))
    for (const events of [of2018, of2026]) {
      expect(new Set(events.map(({ nyct }) => nyct.direction))).toEqual(new Set(['NORTH', 'SOUTH']))
      expect(events.every(({ nyct }) => typeof nyct.isAssigned === 'boolean')).toBe(true)
      const contrary = events.filter(({ nyct, trip }) => {
        const letter = /\.\.?([NS])/.exec(trip.tripId ?? '')?.[1]
        return letter !== undefined && nyct.direction?.[0] !== letter
      })
      expect(contrary).toEqual([])
    }
    expect(count(of2026, 'DIRECTION_CONFLICT')).toBe(2)
  })

  test('another agency works by configuration alone', () => {
    const events = vehicleEvents(state('generic').accept(read('other_mbta_vp_20230522.pb')))
    expect(events).toHaveLength(373)
    expect(events.every(({ placed }) => placed?.source === 'GPS')).toBe(true)
  })

  test('trains of A, C and E move along their tracks without jumps', () => {
    const moves = movesOf(aceNames())
    const share = (n: number): number => n / moves.length
    expect(moves.length).toBeGreaterThan(5_400)
    expect(share(moves.filter(({ metres }) => metres < 1).length)).toBeLessThan(0.05)
    expect(share(moves.filter(({ metres, s }) => metres / s > 27).length)).toBeLessThan(0.01)
    const outside = moves.filter(
      ({ latitude: lat, longitude: lon }) =>
        lat < 40.45 || lat > 40.98 || lon < -74.3 || lon > -73.65,
    )
    expect(outside).toEqual([])
  })
})

/** Every train's moves from one body to the next. */
function movesOf(names: readonly string[]) {
  const feed = state('nyct', {
    emitMode: 'all',
    positions: new SubwayPositions(subwayGeometry()),
  })
  let before = new Map<string, { latitude: number; longitude: number }>()
  let beforeS = 0
  return names.flatMap((name) => {
    const result = feed.accept(read(name))
    const events = vehicleEvents(result)
    const { context } = result
    const atS = context?.feedTimestamp ?? 0
    const now = new Map(events.flatMap((e) => (e.placed ? [[e.recordKey, e.placed] as const] : [])))
    const moves = [...now].flatMap(([key, { latitude, longitude }]) => {
      const from = before.get(key)
      return from === undefined
        ? []
        : [
            {
              latitude,
              longitude,
              metres: distanceM(from, { latitude, longitude }),
              s: atS - beforeS,
            },
          ]
    })
    before = now
    beforeS = atS
    return moves
  })
}
