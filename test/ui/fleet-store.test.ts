import { describe, expect, test } from 'vitest'
import type { Vehicle } from '../../ui/live/messages.ts'
import { FleetStore } from '../../ui/src/map/fleet-store.ts'
import { METERS_PER_WORLD, project } from '../../ui/src/map/projection.ts'
import { pointAt, shapeOf } from '../../ui/src/map/shapes.ts'
import { anchor, bus, train } from '../support/vehicles.ts'

const changed = (...vehicles: Vehicle[]) => ({ full: false, vehicles, gone: [] })
const all = (...vehicles: Vehicle[]) => ({ full: true, vehicles, gone: [] })
/** About 340 m to the east. */
const EAST = -73.976
const at = (store: FleetStore, key: string, nowMs: number): { x: number; y: number } => {
  const { x = Number.NaN, y = Number.NaN } = store.placeOf(key, nowMs) ?? {}
  return { x, y }
}
const meters = (a: { x: number; y: number }, b: { x: number; y: number }): number =>
  Math.hypot(a.x - b.x, a.y - b.y) * METERS_PER_WORLD

/** As a part of the length of a track of 0.02 degrees. */
const apart = (a: { x: number; y: number }, b: { x: number; y: number }): number =>
  Math.hypot(a.x - b.x, a.y - b.y) / (0.02 / 360)

describe('FleetStore', () => {
  test('keeps what was reported, drops who is gone, and after a full report who is not in it', () => {
    const store = new FleetStore()
    store.apply(changed(bus('1'), bus('2'), bus('3')), 0)
    store.apply({ full: false, vehicles: [], gone: ['mta-bus-vp|2'] }, 1)
    expect(store.size).toBe(2)
    store.apply(all(bus('3'), bus('4')), 2)
    expect(Array.from(store.vehicles(), ({ vehicleId }) => vehicleId)).toEqual(['3', '4'])
  })

  test('glides a bus to its new place in the time that its reports take, then it stands', () => {
    const store = new FleetStore()
    store.apply(changed(bus('1', { feedMs: 0 })), 0)
    store.apply(changed(bus('1', { feedMs: 20_000, longitude: EAST })), 20_000)
    const from = project(-73.98, 40.72)
    const to = project(EAST, 40.72)
    const way = meters(from, to)
    expect(way).toBeGreaterThan(300)
    expect(meters(from, at(store, 'mta-bus-vp|1', 20_000))).toBeCloseTo(0)
    const early = meters(from, at(store, 'mta-bus-vp|1', 25_000))
    const late = meters(from, at(store, 'mta-bus-vp|1', 30_000))
    expect(early).toBeGreaterThan(way * 0.15)
    expect(late - early).toBeCloseTo(early, 0)
    expect(meters(to, at(store, 'mta-bus-vp|1', 60_000))).toBeCloseTo(0)
  })

  test('turns a bus without a bearing to where it drives', () => {
    const store = new FleetStore()
    store.apply(changed(bus('1')), 0)
    expect(store.placeOf('mta-bus-vp|1', 0)?.heading).toBeNaN()
    store.apply(changed(bus('1', { feedMs: 20_000, longitude: EAST })), 20_000)
    expect(store.placeOf('mta-bus-vp|1', 25_000)?.heading).toBeCloseTo(Math.PI / 2, 3)
  })

  test('begins a glide where the vehicle is, though nobody drew it meanwhile', () => {
    const store = new FleetStore()
    store.apply(changed(bus('1')), 0)
    store.apply(changed(bus('1', { feedMs: 20_000, longitude: EAST })), 20_000)
    store.apply(changed(bus('1', { feedMs: 60_000 })), 60_000)
    expect(meters(project(EAST, 40.72), at(store, 'mta-bus-vp|1', 60_000))).toBeCloseTo(0)
  })

  test('moves nothing between reports for who wants no motion', () => {
    const store = new FleetStore()
    store.isStill = true
    store.apply(changed(bus('1')), 0)
    store.apply(changed(bus('1', { feedMs: 20_000, longitude: EAST })), 20_000)
    expect(at(store, 'mta-bus-vp|1', 20_000)).toEqual(project(EAST, 40.72))
  })

  test('draws a vehicle pale once it is silent for 90 seconds of its feed, which others keep alive', () => {
    const store = new FleetStore()
    store.apply(changed(bus('1'), bus('2')), 0)
    store.apply(changed(bus('2', { feedMs: 80_000, reportedMs: 80_000 })), 80_000)
    expect(store.placeOf('mta-bus-vp|1', 85_000)?.opacity).toBe(1)
    expect(store.placeOf('mta-bus-vp|1', 95_000)?.opacity).toBeLessThan(1)
    expect(store.placeOf('mta-bus-vp|2', 95_000)?.opacity).toBe(1)
    expect(store.ageSeconds(bus('1'), 95_000)).toBeCloseTo(95)
  })

  test('counts vehicles and silence by feed', () => {
    const store = new FleetStore()
    store.apply(changed(bus('1'), bus('2'), train('1')), 1_000)
    store.apply(changed(bus('2', { feedMs: 1 })), 3_000)
    expect(store.feeds(4_000)).toEqual([
      { feedId: 'mta-bus-vp', vehicles: 2, silentMs: 1_000, rate: 1 },
      { feedId: 'mta-subway-l', vehicles: 1, silentMs: 3_000, rate: 1 },
    ])
  })
})

describe('FleetStore with tracks', () => {
  // From (0, 0) a hundredth of a degree to the east, then one to the north.
  const shape = shapeOf('???o}@o}@?')
  const length = shape.meters.at(-1) ?? 0
  const key = 'mta-subway-l|1'

  function storeWith(toMs: number): FleetStore {
    const store = new FleetStore()
    store.setShapes(new Map([['shape', shape]]))
    const on = anchor({ toMeters: length, toMs })
    store.apply(changed(train('1', { latitude: 0, longitude: 0, anchor: on })), 0)
    return store
  }

  test('drives a train around the corner of its track, by the times between its stations', () => {
    const store = storeWith(14_000)
    // Half-way it is at the corner; on a straight line between the ends it would be 35 % of the way off.
    const places = [
      [3_500, 0.25, 0.06],
      [7_000, 0.5, 0.001],
      [10_500, 0.75, 0.06],
    ] as const
    for (const [nowMs, part, limit] of places) {
      const place = at(store, key, nowMs)
      expect(apart(place, pointAt(shape, length * part))).toBeLessThan(limit)
    }
  })

  test('lets it wait before the station that it has not been reported at', () => {
    const store = storeWith(10_000)
    const end = pointAt(shape, length)
    expect(apart(at(store, key, 14_000), end)).toBeCloseTo(0.05, 3)
  })

  test('never takes a train for stale that is still on its way', () => {
    const store = storeWith(150_000)
    expect(store.placeOf(key, 140_000)?.opacity).toBe(1)
    expect(store.placeOf(key, 260_000)?.opacity).toBeLessThan(1)
  })

  test('brings a train that is reported elsewhere there without a jump', () => {
    const store = storeWith(14_000)
    const before = at(store, key, 5_000)
    const on = anchor({ fromMeters: length / 2, toMeters: length, fromMs: 5_000, toMs: 20_000 })
    const next = train('1', { latitude: 0, longitude: 0.01, anchor: on, feedMs: 5_000 })
    store.apply(changed(next), 5_000)
    expect(apart(before, at(store, key, 5_000))).toBeCloseTo(0)
    expect(apart(before, at(store, key, 5_500))).toBeLessThan(0.1)
    expect(apart(pointAt(shape, length / 2), at(store, key, 11_000))).toBeLessThan(0.3)
  })

  test('moves all trains as fast as the feed is simulated', () => {
    const store = storeWith(3_000_000)
    for (let n = 1; n <= 20; n++) {
      store.apply(changed(train('2', { feedMs: n * 45_000 })), n * 1_500)
    }
    // 30 s of ours are 900 s of the feed's, of 3,000 on the way.
    expect(apart(at(store, key, 30_000), pointAt(shape, length * 0.3))).toBeLessThan(0.06)
  })

  test('falls back to a straight line where it has no track', () => {
    const store = new FleetStore()
    store.apply(changed(train('1', { anchor: anchor() })), 0)
    store.apply(changed(train('1', { anchor: anchor(), longitude: EAST, feedMs: 1 })), 10_000)
    expect(at(store, key, 60_000)).toEqual(project(EAST, 40.72))
  })
})
