import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { FEEDS, feedNamed, type SimulatedFeed } from '../../../source-mta/simulator/feed-catalog.ts'
import { createCity } from '../../../source-mta/simulator/simulated-city.ts'
import { metresBetween } from '../../../source-mta/simulator/track.ts'
import { decode, type FeedEntity, tripUpdates, unknowns, vehicles } from './decoded.ts'

const WEEKDAY_PEAK = Date.parse('2026-06-10T08:25:00-04:00') / 1000
const SATURDAY = Date.parse('2026-06-13T14:00:00-04:00') / 1000
const NIGHT = Date.parse('2026-06-10T03:00:00-04:00') / 1000

const GPS_ERROR_M = 15

const city = createCity(1)
const feed = (tag: string): SimulatedFeed => {
  const found = feedNamed(tag)
  if (found === undefined) throw new Error(`no feed ${tag}`)
  return found
}
const at = (tag: string, time: number): ReturnType<typeof decode> => decode(city(feed(tag), time))
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
const seconds = (value: unknown): number => Number(value)
const idsOf = (entities: readonly FeedEntity[]): (string | null | undefined)[] =>
  entities.map((entity) => entity.vehicle?.trip?.tripId)

describe('simulated city', () => {
  test('gives the same bytes for the same seed and instant, whatever was asked before', () => {
    const other = createCity(1)
    for (const one of FEEDS) other(one, NIGHT)
    for (const one of FEEDS) {
      expect([one.id, sha256(other(one, WEEKDAY_PEAK))]).toEqual([
        one.id,
        sha256(city(one, WEEKDAY_PEAK)),
      ])
    }
  })

  test('is another city with another seed', () => {
    const other = createCity(2)
    for (const one of FEEDS) {
      expect([one.id, sha256(other(one, WEEKDAY_PEAK))]).not.toEqual([
        one.id,
        sha256(city(one, WEEKDAY_PEAK)),
      ])
    }
  })

  test.each([
    { when: 'weekday peak', time: WEEKDAY_PEAK, trains: [430, 680], buses: [1400, 2000] },
    { when: 'Saturday afternoon', time: SATURDAY, trains: [230, 400], buses: [800, 1300] },
    { when: 'night', time: NIGHT, trains: [40, 160], buses: [150, 400] },
  ])('has a plausible number of trains and buses: $when', ({ time, trains, buses }) => {
    const assigned = FEEDS.filter(({ kind }) => kind.startsWith('subway')).flatMap(({ tag }) =>
      vehicles(at(tag, time)).filter(({ vehicle }) =>
        Object.hasOwn(vehicle ?? {}, 'currentStopSequence'),
      ),
    )
    expect(assigned.length).toBeGreaterThan(trains[0] ?? 0)
    expect(assigned.length).toBeLessThan(trains[1] ?? 0)
    const { length } = vehicles(at('bus', time))
    expect(length).toBeGreaterThan(buses[0] ?? 0)
    expect(length).toBeLessThan(buses[1] ?? 0)
  })

  test('no two vehicles of a body share what identifies them', () => {
    for (const { tag, kind } of FEEDS) {
      const keys = vehicles(at(tag, WEEKDAY_PEAK)).map(({ vehicle, tripUpdate }) =>
        kind === 'bus'
          ? vehicle?.vehicle?.id
          : `${(tripUpdate ?? vehicle)?.trip?.tripId}|${(tripUpdate ?? vehicle)?.trip?.startDate}`,
      )
      expect(keys).toEqual([...new Set(keys)])
    }
  })

  test('every feed has the header version that MTA gives it', () => {
    const versions = FEEDS.map(({ tag }) => at(tag, NIGHT).header.gtfsRealtimeVersion)
    expect(versions).toEqual([...Array<string>(8).fill('1.0'), '2.0', '1', '1.0'])
  })
})

describe('simulated subway feeds', () => {
  test('omit what is a default: north, and not assigned', () => {
    const trips = tripUpdates(at('ace', WEEKDAY_PEAK)).map(({ tripUpdate }) => ({
      id: tripUpdate?.trip.tripId ?? '',
      extension: unknowns(tripUpdate?.trip).join(''),
    }))
    // Field 1001, then train_id; 1001 is is_assigned = true, 1803 is direction = SOUTH.
    for (const { id, extension } of trips) {
      expect(extension).toMatch(/^ca3e..0a/)
      expect(extension.endsWith('1803')).toBe(id.includes('..S') || id.includes('S.S'))
    }
    const assigned = trips.filter(({ extension }) => /1001(1803)?$/.test(extension))
    expect(assigned.length).toBeGreaterThan(20)
    expect(assigned.length).toBeLessThan(trips.length)
    expect(trips.some(({ extension }) => extension.includes('1000'))).toBe(false)
  })

  test('number their entities anew in every body', () => {
    const now = at('ace', WEEKDAY_PEAK).entity.map(({ id }) => id)
    expect(now.slice(0, 3)).toEqual(['000001A', '000002A', '000003A'])
    expect(
      at('1234567s', WEEKDAY_PEAK)
        .entity.slice(0, 2)
        .map(({ id }) => id),
    ).toEqual(['000001', '000002'])
  })

  test('B division: always stopped at the last station reported, unassigned trips listed too', () => {
    const body = at('ace', WEEKDAY_PEAK)
    expect(vehicles(body)).toHaveLength(tripUpdates(body).length)
    for (const { vehicle } of vehicles(body)) {
      const isTrain = Object.hasOwn(vehicle ?? {}, 'currentStopSequence')
      const status = Object.hasOwn(vehicle ?? {}, 'currentStatus') ? vehicle?.currentStatus : null
      expect(status).toBe(isTrain ? 1 : null)
      expect(vehicle?.trip?.startTime).toMatch(/^\d\d:\d\d:\d\d$/)
    }
  })

  test('A division: incoming, stopped and under way; a vehicle for assigned trips only', () => {
    const body = at('1234567s', WEEKDAY_PEAK)
    expect(vehicles(body).length).toBeLessThan(tripUpdates(body).length)
    const statuses = vehicles(body).map(({ vehicle }) =>
      Object.hasOwn(vehicle ?? {}, 'currentStatus') ? vehicle?.currentStatus : 'absent',
    )
    for (const status of [0, 1, 'absent']) expect(statuses).toContain(status)
    expect(statuses).not.toContain(2)
  })

  test('announce stops in order, each later than the one before', () => {
    for (const { tag } of FEEDS.filter((one) => one.kind !== 'bus')) {
      for (const { tripUpdate } of tripUpdates(at(tag, WEEKDAY_PEAK))) {
        const times = (tripUpdate?.stopTimeUpdate ?? []).flatMap(({ arrival, departure }) =>
          [arrival?.time, departure?.time].filter((time) => time != null).map(seconds),
        )
        expect(times).toEqual(times.toSorted((a, b) => a - b))
        expect(times.length).toBeGreaterThan(0)
      }
    }
  })

  test('a train calls at one stop after the other', () => {
    const seen = new Map<string, number>()
    let steps = 0
    for (let time = WEEKDAY_PEAK; time < WEEKDAY_PEAK + 600; time += 15) {
      for (const { vehicle } of vehicles(at('l', time))) {
        const id = vehicle?.trip?.tripId ?? ''
        const sequence = vehicle?.currentStopSequence ?? 0
        const before = seen.get(id) ?? sequence
        expect(sequence - before).toBeGreaterThanOrEqual(0)
        expect(sequence - before).toBeLessThanOrEqual(1)
        if (sequence > before) steps++
        seen.set(id, sequence)
        expect(seconds(vehicle?.timestamp)).toBeLessThanOrEqual(time)
      }
    }
    expect(steps).toBeGreaterThan(50)
  })
})

describe('simulated railroads', () => {
  test('Metro-North: both parts in one entity, extension 1005 twice for each stop', () => {
    const body = at('mnr', WEEKDAY_PEAK)
    expect(tripUpdates(body)).toEqual(vehicles(body))
    expect(Number(body.header.timestamp)).toBe(WEEKDAY_PEAK - 120)
    for (const { tripUpdate, vehicle } of body.entity) {
      expect(Number(vehicle?.timestamp)).toBe(Number(body.header.timestamp))
      expect(vehicle?.trip?.tripId).not.toBe(tripUpdate?.trip.tripId)
      for (const stop of tripUpdate?.stopTimeUpdate ?? []) {
        const twice = unknowns(stop)
        expect(twice).toHaveLength(2)
        expect(twice.every((hex) => hex.startsWith('ea3e'))).toBe(true)
      }
    }
  })

  test('LIRR: a vehicle carries no route, but its trip update does', () => {
    const body = at('lirr', WEEKDAY_PEAK)
    const routes = new Map(
      tripUpdates(body).map(({ tripUpdate }) => [
        tripUpdate?.trip.tripId,
        tripUpdate?.trip.routeId,
      ]),
    )
    expect(vehicles(body).length).toBeGreaterThan(30)
    for (const { vehicle } of vehicles(body)) {
      expect(Object.hasOwn(vehicle?.trip ?? {}, 'routeId')).toBe(false)
      expect(routes.get(vehicle?.trip?.tripId)).toMatch(/^\d+$/)
      expect(vehicle?.position).not.toBeNull()
    }
  })
})

describe('vehicles with GPS', () => {
  test.each([
    { tag: 'bus', stepS: 10, mpsMax: 14 },
    { tag: 'bus', stepS: 90, mpsMax: 12 },
    { tag: 'lirr', stepS: 15, mpsMax: 37 },
    { tag: 'lirr', stepS: 90, mpsMax: 37 },
    { tag: 'mnr', stepS: 30, mpsMax: 37 },
  ])('$tag: nothing jumps from one body to the next $stepS s later', ({ tag, stepS, mpsMax }) => {
    type Fix = { at: number; latitude: number; longitude: number }
    const fixes = (time: number): Map<string, Fix> =>
      new Map(
        vehicles(at(tag, time)).flatMap(({ vehicle }) => {
          if (vehicle?.position == null) return []
          const { latitude, longitude } = vehicle.position
          const fix = { at: seconds(vehicle.timestamp), latitude, longitude }
          return [[vehicle.vehicle?.id ?? '', fix]]
        }),
      )
    let compared = 0
    let moved = 0
    let before = fixes(WEEKDAY_PEAK)
    for (let i = 1; i <= 12; i++) {
      const now = fixes(WEEKDAY_PEAK + i * stepS)
      for (const [id, fix] of now) {
        const previous = before.get(id)
        if (previous === undefined) continue
        // Metro-North's timestamps are the header's: the fix itself may be 15 s older.
        const elapsed = fix.at - previous.at + (tag === 'mnr' ? 15 : 0)
        const metres = metresBetween(previous, fix)
        const metresMax = mpsMax * elapsed + GPS_ERROR_M
        expect({ id, step: i, jumped: metres > metresMax }).toEqual({ id, step: i, jumped: false })
        compared++
        if (metres > 2 * GPS_ERROR_M) moved++
      }
      before = now
    }
    expect(compared).toBeGreaterThan(200)
    expect(moved / compared).toBeGreaterThan(0.25)
  })

  test('a bus stays with its vehicle id as long as it is out', () => {
    const now = new Set(idsOf(vehicles(at('bus', WEEKDAY_PEAK))))
    const later = idsOf(vehicles(at('bus', WEEKDAY_PEAK + 10)))
    expect(later.filter((id) => now.has(id)).length / later.length).toBeGreaterThan(0.97)
  })
})
