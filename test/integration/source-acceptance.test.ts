// What the source is accepted by, on the recorded feeds, with the figures. By item: 1 churn, 2 crash, 5 buses, 6 railroads,
// 8 speed, 9 positions. Of the others, 3 is fault-matrix.test.ts, 4 recorded.test.ts, 7 lossless.test.ts, 10 schema-evolution.test.ts.
import { readFileSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import type { EntityEvent } from '../../source-mta/body-reading.ts'
import { decodeTripUpdate } from '../../source-mta/decode-trip-update.ts'
import type { FeedState } from '../../source-mta/feed-state.ts'
import { distanceM } from '../../source-mta/polyline.ts'
import { scanFeed } from '../../source-mta/scan.ts'
import { joinMessage, splitMessage } from '../../source-mta/simulator/wire-message.ts'
import { acceptBody, newFeedState, vehicleEvents } from '../support/feed-fixtures.ts'
import { FEEDS, describeWith } from '../support/needs.ts'

const ALL = { kinds: ['vehicle', 'trip_update', 'alert'] } as const
const read = (name: string): Uint8Array => readFileSync(path.join(FEEDS, name))
const aceBodies = (): readonly Uint8Array[] =>
  readdirSync(path.join(FEEDS, 'seq_ace_20240208'))
    .sort()
    .map((name) => read(path.join('seq_ace_20240208', name)))

/** What is gone is known by its key alone. */
const idOf = (event: EntityEvent): string =>
  event.kind === 'vanished'
    ? `${event.of} ${event.recordKey} gone`
    : `${event.kind} ${event.recordKey} ${event.contentHash}`
const flagged = (events: readonly EntityEvent[], flag: string): number =>
  events.filter(({ flags }) => flags.includes(flag)).length
const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN
const p95 = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length * 0.95)] ?? Number.NaN
const say = (text: string): void => void process.stdout.write(`${text}\n`)

const decode = (body: Uint8Array): void => {
  for (const { tripUpdate } of scanFeed(body, 50_000).entities)
    if (tripUpdate !== undefined) decodeTripUpdate(tripUpdate)
}

const times = (body: Uint8Array, runs: number): readonly number[] =>
  Array.from({ length: runs }, () => {
    // CPU, not wall: other tests run on the same cores.
    const before = process.cpuUsage()
    decode(body)
    const { user, system } = process.cpuUsage(before)
    return (user + system) / 1_000
  }).slice(runs / 5)

describeWith(['feeds'], 'acceptance of the source', () => {
  test('item 1: 42.1 % of trips and 38.7 % of vehicles of A, C and E change from poll to poll, none twice', () => {
    const state = newFeedState('nyct', { ...ALL, positions: undefined })
    const emitted = { vehicle: 0, trip_update: 0 }
    const kept = { vehicle: 0, trip_update: 0 }
    const records: string[] = []
    let before = new Map<string, Set<string>>()
    for (const body of aceBodies()) {
      const { events, context } = acceptBody(state, body)
      // As a first sight of the same body brings them: all that are there.
      const there = new Map<string, Set<string>>()
      for (const { kind, recordKey } of acceptBody(
        newFeedState('nyct', { ...ALL, positions: undefined }),
        body,
      ).events)
        there.set(kind, (there.get(kind) ?? new Set()).add(recordKey))
      for (const kind of ['vehicle', 'trip_update'] as const) {
        const both = [...(there.get(kind) ?? [])].filter((key) => before.get(kind)?.has(key))
        kept[kind] += both.length
        emitted[kind] += events.filter(
          (event) => event.kind === kind && both.includes(event.recordKey),
        ).length
      }
      for (const event of events) records.push(`${idOf(event)} ${context?.feedTimestamp}`)
      before = there
    }
    const share = (kind: 'vehicle' | 'trip_update'): number => (100 * emitted[kind]) / kept[kind]
    say(
      `item 1: trips ${share('trip_update').toFixed(2)} %, vehicles ${share('vehicle').toFixed(2)} %, ${records.length} records, ${records.length - new Set(records).size} twice`,
    )
    // Of those that are in both polls; counted of all in the second they are 41.9 and 38.7.
    expect(Math.abs(share('trip_update') - 42.1)).toBeLessThanOrEqual(0.5)
    expect(Math.abs(share('vehicle') - 38.7)).toBeLessThanOrEqual(0.5)
    expect(new Set(records).size).toBe(records.length)
  })

  test('item 2: a crash at poll 40, before its offset is stored, loses nothing and repeats one poll at most', () => {
    const bodies = aceBodies()
    const run = (state: FeedState, from: number, to: number): readonly EntityEvent[] =>
      bodies.slice(from, to).flatMap((body) => acceptBody(state, body).events)
    const whole = run(newFeedState('nyct', ALL), 0, 80).map((event) => idOf(event))
    const first = newFeedState('nyct', ALL)
    const before = run(first, 0, 39)
    const { offset } = first
    const lost = run(first, 39, 40)
    const second = newFeedState('nyct', ALL)
    second.restore(offset)
    const both = [...before, ...lost, ...run(second, 39, 80)].map((event) => idOf(event))
    const seen = new Set(both)
    const missing = whole.filter((id) => !seen.has(id))
    const twice = both.length - seen.size - (whole.length - new Set(whole).size)
    say(`item 2: ${missing.length} missing, ${twice} of ${lost.length} of poll 40 twice`)
    expect(missing).toEqual([])
    expect(twice).toBeLessThanOrEqual(lost.length)
  })

  test('item 5: all buses bring 3,547 records with as many keys, 70 trips with two buses', () => {
    const { events } = acceptBody(
      newFeedState('obanyc', { kinds: ['trip_update'] }),
      read('underground_feed_buses_weekend.pb'),
    )
    const keys = new Set(events.map(({ recordKey }) => recordKey))
    const shared = events.filter(({ flags }) => flags.includes('TRIP_MULTI_VEHICLE'))
    const trips = new Set(
      shared.flatMap((event) => (event.kind === 'trip_update' ? [event.trip.tripId] : [])),
    )
    say(`item 5: ${events.length} records, ${keys.size} keys, ${trips.size} trips with two buses`)
    expect([events.length, keys.size, trips.size]).toEqual([3_547, 3_547, 70])
  })

  test('item 6: Metro-North and LIRR are read in full, with what is old and what is cancelled', () => {
    const body = read('mnr_20260621T0151Z.pb')
    const { entities } = scanFeed(body, 1_000)
    const mnr = acceptBody(newFeedState('mnr', ALL), body).events
    const of = (kind: string): readonly EntityEvent[] => mnr.filter((event) => event.kind === kind)
    const doubled = entities.length - new Set(entities.map(({ id }) => id)).size
    const lirr = acceptBody(newFeedState('lirr', ALL), read('lirr_20260621T0155Z.pb')).events
    const canceled = lirr.filter(
      (event) => event.kind === 'trip_update' && event.trip.scheduleRelationship === 'CANCELED',
    )
    const stale = flagged(
      lirr.filter(({ kind }) => kind === 'vehicle'),
      'TS_STALE',
    )
    const figures = [
      entities.length,
      of('trip_update').length,
      of('vehicle').length,
      doubled,
      flagged(of('trip_update'), 'STALE_SERVICE_DAY'),
      stale,
      canceled.length,
    ]
    say(`item 6: ${figures.join(', ')}`)
    expect(figures).toEqual([119, 119, 119, 18, 26, 42, 8])
  })

  test('item 8: every stop of Metro-North carries its status; what decoding costs is printed (to be below 10 and 60 ms)', () => {
    const whole = read('underground_feed_buses_weekend.pb')
    const { header, entities } = splitMessage(whole)
    const count = Math.floor((entities.length * 470_000) / whole.length)
    const slice = joinMessage({ header, entities: entities.slice(0, count) })
    const [small, large] = [times(slice, 50), times(whole, 50)]
    const mnr = acceptBody(
      newFeedState('mnr', { kinds: ['trip_update'] }),
      read('mnr_20260621T0151Z.pb'),
    ).events
    const stops = mnr.flatMap((event) =>
      event.kind === 'trip_update' ? event.prediction.stops : [],
    )
    const told = stops.filter(({ train_status: status }) => status !== null).length
    say(
      `item 8: ${slice.length} bytes ${median(small).toFixed(1)} ms, p95 ${p95(small).toFixed(1)}; ${whole.length} bytes ${median(large).toFixed(1)} ms, p95 ${p95(large).toFixed(1)}; ${told} of ${stops.length} stops with a status`,
    )
    expect([told, stops.length]).toEqual([1_556, 1_556])
  })

  test('item 9: at most 12 % of trains stand from poll to poll, at most 2 % fly, none leaves the city', () => {
    const state = newFeedState('nyct', { kinds: ['vehicle'], emitMode: 'all' })
    let before = new Map<
      string,
      { readonly latitude: number; readonly longitude: number; readonly atS: number }
    >()
    const moves: { readonly metres: number; readonly seconds: number }[] = []
    let outside = 0
    for (const body of aceBodies()) {
      const result = acceptBody(state, body)
      const atS = result.context?.feedTimestamp ?? 0
      const now: typeof before = new Map()
      for (const { recordKey, placed } of vehicleEvents(result)) {
        if (placed === undefined) continue
        const { latitude, longitude } = placed
        now.set(recordKey, { latitude, longitude, atS })
        if (latitude < 40.45 || latitude > 40.98 || longitude < -74.3 || longitude > -73.65)
          outside++
        const last = before.get(recordKey)
        if (last !== undefined)
          moves.push({ metres: distanceM(last, placed), seconds: atS - last.atS })
      }
      before = now
    }
    const share = (n: number): number => (100 * n) / moves.length
    const stood = share(moves.filter(({ metres }) => metres < 1).length)
    const flew = share(moves.filter(({ metres, seconds }) => metres / seconds > 27).length)
    say(
      `item 9: ${moves.length} moves, ${stood.toFixed(1)} % unmoved, ${flew.toFixed(1)} % faster than 27 m/s, ${outside} outside`,
    )
    expect(moves.length).toBeGreaterThan(5_000)
    expect(stood).toBeLessThanOrEqual(12)
    expect(flew).toBeLessThanOrEqual(2)
    expect(outside).toBe(0)
  })
})
