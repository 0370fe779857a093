// Each peculiarity of the real feeds, ordered from a running simulator and looked for by another decoder.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { FAULTS, FAULT_KINDS } from '../../../source-mta/simulator/fault-catalog.ts'
import { type FeedServer, startFeedServer } from '../../../source-mta/simulator/server.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { decode, type FeedEntity, type FeedMessage, unknowns } from './decoded.ts'
import { type Answer, rawRequest } from './raw-request.ts'
import { SILENT } from './silent-log.ts'

const NOW = Date.parse('2026-06-10T08:25:00-04:00')
const GATEWAY = '/Dataservice/mtagtfsfeeds/'
const PATHS = {
  '1234567s': `${GATEWAY}nyct%2Fgtfs`,
  ace: `${GATEWAY}nyct%2Fgtfs-ace`,
  l: `${GATEWAY}nyct%2Fgtfs-l`,
  lirr: `${GATEWAY}lirr%2Fgtfs-lirr`,
  mnr: `${GATEWAY}mnr%2Fgtfs-mnr`,
  bus: '/vehiclePositions?key=k',
  'bus-tu': '/tripUpdates?key=k',
  'alerts-subway': `${GATEWAY}camsys%2Fsubway-alerts`,
  siri: '/api/siri/vehicle-monitoring.json?key=k&version=2',
  ene: `${GATEWAY}nyct%2Fnyct_ene.json`,
} as const
type Tag = keyof typeof PATHS

let clock: FakeClock
let server: FeedServer
const tried = new Set<string>()

beforeAll(async () => {
  clock = new FakeClock({ nowMs: NOW })
  server = await startFeedServer({
    host: '127.0.0.1',
    port: 0,
    mode: { kind: 'simulated' },
    speed: 1,
    seed: 1,
    clock,
    log: SILENT,
  })
})
afterAll(() => server.close())
beforeEach(() => rawRequest(`${server.url}/__sim/fault`, { method: 'DELETE' }))

const get = (tag: Tag): Promise<Answer> => rawRequest(`${server.url}${PATHS[tag]}`)
const good = async (tag: Tag): Promise<FeedMessage> => decode((await get(tag)).body)

/** The next answer of a feed, spoilt. */
async function spoilt(tag: Tag, kind: string, more: object = {}): Promise<Answer> {
  tried.add(kind)
  const order = JSON.stringify({ feed: tag, kind, ...more })
  const { status } = await rawRequest(`${server.url}/__sim/fault`, { method: 'POST', body: order })
  expect(status).toBe(200)
  return get(tag)
}
const played = async (tag: Tag, kind: string, more: object = {}): Promise<FeedMessage> =>
  decode((await spoilt(tag, kind, more)).body)

const has = (value: object | null | undefined, name: string): boolean =>
  Object.hasOwn(value ?? {}, name)
const trips = (message: FeedMessage) =>
  message.entity.flatMap(({ tripUpdate, vehicle }) =>
    [tripUpdate?.trip, vehicle?.trip].filter((trip) => trip != null),
  )
const stops = (message: FeedMessage) =>
  message.entity.flatMap(({ tripUpdate }) => tripUpdate?.stopTimeUpdate ?? [])
const positions = (message: FeedMessage) =>
  message.entity.map(({ vehicle }) => vehicle).filter((vehicle) => vehicle != null)
const ids = (entities: readonly FeedEntity[]): string[] => entities.map(({ id }) => id)
const headerTime = (message: FeedMessage): number => Number(message.header.timestamp)

const ages = (message: FeedMessage): number[] =>
  positions(message).map(({ timestamp }) => headerTime(message) - Number(timestamp))
/** The last number of each selector's `sort_order`. */
const orders = (message: FeedMessage): string[] =>
  message.entity.flatMap(({ alert }) =>
    (alert?.informedEntity ?? []).flatMap((selector) =>
      unknowns(selector).map((hex) => Buffer.from(hex, 'hex').toString().replace(/^.*:/s, '')),
    ),
  )

const tripId = ({ tripUpdate, vehicle }: FeedEntity): string | null | undefined =>
  (tripUpdate ?? vehicle)?.trip?.tripId

describe('peculiarities of answers', () => {
  test('Q1: no byte with status 200', async () => {
    const answer = await spoilt('l', 'empty200')
    expect([answer.status, answer.body.length]).toEqual([200, 0])
    expect(() => decode(answer.body)).toThrow('header')
  })

  test.each([
    ['html200', /^<!DOCTYPE html>/],
    ['xml-nosuchkey200', /NoSuchKey/],
    ['json200', /^\{"message"/],
    ['text200', /unavailable/],
  ])('Q2: %s is no feed, with status 200', async (kind, text) => {
    const answer = await spoilt('l', kind)
    expect(answer.status).toBe(200)
    expect(answer.body.toString()).toMatch(text)
    expect(() => decode(answer.body)).toThrow(Error)
  })

  test('Q3: cut within an entity, between entities, in mid-connection', async () => {
    const whole = await good('l')
    const mid = await spoilt('l', 'truncate-mid')
    expect(() => decode(mid.body)).toThrow(RangeError)
    const silent = await played('l', 'truncate-boundary')
    expect(ids(silent.entity)).toEqual(ids(whole.entity).slice(0, silent.entity.length))
    expect(silent.entity.length).toBeLessThan(whole.entity.length)
    const lost = await spoilt('l', 'cut-connection')
    expect(lost.isCut).toBe(true)
    expect(lost.body.length).toBeLessThan(Number(lost.headers['content-length']))
  })

  test('Q3: JSON ends in the middle', async () => {
    for (const tag of ['siri', 'ene'] as const) {
      const { body } = await spoilt(tag, 'truncate-mid')
      expect(body.length).toBeGreaterThan(100)
      expect(() => JSON.parse(body.toString()) as unknown).toThrow(SyntaxError)
    }
  })

  test('Q4 and Q5: a wrong path’s 403, and a content type that is a template', async () => {
    const forbidden = await spoilt('l', 'json403')
    expect([forbidden.status, forbidden.body.toString()]).toEqual([
      403,
      '{"message":"Missing Authentication Token"}',
    ])
    const mistyped = await spoilt('l', 'wrong-content-type')
    expect(mistyped.headers['content-type']).toBe('${header.s3FileType}')
    expect(decode(mistyped.body).entity.length).toBeGreaterThan(10)
  })

  test('Q6 and Q7: a header that goes back, stands still, or moves alone', async () => {
    const before = await good('l')
    await clock.advance(15_000)
    const regressed = await played('l', 'header-regress')
    const frozen = await played('l', 'header-frozen')
    const alone = await played('l', 'advance-frozen-content')
    const now = await good('l')
    expect(headerTime(now) - headerTime(regressed)).toBe(60)
    expect(headerTime(frozen)).toBe(headerTime(before))
    expect(headerTime(alone)).toBe(headerTime(now))
    expect(alone.entity).toEqual(before.entity)
  })

  test('SIRI’s error comes with status 200 and no activity', async () => {
    const { status, body } = await spoilt('siri', 'error-condition')
    expect(status).toBe(200)
    const text = body.toString()
    expect(text).toContain('ErrorCondition')
    expect(text).not.toContain('VehicleActivity')
  })

  test('trouble with the server: 429, 503, nothing packed, no validators', async () => {
    expect((await spoilt('l', '429', { retryAfter: 3 })).headers['retry-after']).toBe('3')
    expect((await spoilt('l', '503')).status).toBe(503)
    await spoilt('l', 'no-gzip', { count: 2 })
    const url = `${server.url}${PATHS.l}`
    const plain = await rawRequest(url, { headers: { 'Accept-Encoding': 'gzip' } })
    expect(plain.headers['content-encoding']).toBeUndefined()
    await spoilt('l', 'no-etag', { count: 2 })
    const again = await rawRequest(url, { headers: { 'If-None-Match': '*' } })
    expect([again.status, again.headers.etag, again.headers['last-modified']]).toEqual([
      200,
      undefined,
      undefined,
    ])
    expect((await played('l', 'shrink')).entity.length).toBeLessThan(10)
  })
})

describe('peculiarities of entities', () => {
  test('Q8: the ids are the same, but each names another entity', async () => {
    const before = await good('ace')
    const now = await played('ace', 'positional-ids')
    expect(ids(now.entity).toSorted()).toEqual(ids(before.entity).toSorted())
    const named = new Map(before.entity.map((entity) => [entity.id, tripId(entity)]))
    const same = now.entity.filter((entity) => named.get(entity.id) === tripId(entity))
    expect(same.length / now.entity.length).toBeLessThan(0.1)
  })

  test('Q9: ids twice, trips of two vehicles, trains of eight days', async () => {
    const pairs = ids((await played('l', 'duplicate-entity-ids')).entity)
    expect(new Set(pairs).size).toBe(Math.ceil(pairs.length / 2))
    const buses = (await played('bus-tu', 'trip-two-vehicles')).entity
    const vehiclesOf = new Map<string, Set<string>>()
    for (const { id, tripUpdate } of buses) {
      const vehicle = tripUpdate?.vehicle?.id ?? ''
      vehiclesOf.set(id, (vehiclesOf.get(id) ?? new Set()).add(vehicle))
    }
    const doubled = [...vehiclesOf.values()].filter(({ size }) => size === 2)
    expect(doubled.length).toBeGreaterThan(20)
    const trains = (await played('mnr', 'train-many-dates')).entity
    const first = trains.filter(({ id }) => id === trains[0]?.id)
    expect(new Set(first.map(({ tripUpdate }) => tripUpdate?.trip.startDate)).size).toBe(8)
  })

  test('Q10: trips of many days ago, without a position', async () => {
    const { entity } = await played('mnr', 'old-service-days')
    const old = entity.filter(({ tripUpdate }) => (tripUpdate?.trip.startDate ?? '') < '20260609')
    expect(old.length / entity.length).toBeGreaterThan(0.1)
    expect(old.every(({ vehicle }) => vehicle?.position == null)).toBe(true)
    expect(old.some(({ tripUpdate }) => (tripUpdate?.trip.startDate ?? '') <= '20260531')).toBe(
      true,
    )
  })

  test('Q11 and Q12: a vehicle names the train, or no route', async () => {
    const { entity } = await played('bus', 'vehicle-names-train')
    expect(entity.every(({ id, vehicle }) => vehicle?.trip?.tripId === id)).toBe(true)
    const bare = positions(await played('bus', 'vehicle-without-route'))
    expect(bare.some(({ trip }) => has(trip, 'routeId'))).toBe(false)
  })

  test('Q13 and Q17: fixes and movements of many hours ago', async () => {
    const gps = ages(await played('lirr', 'old-gps'))
    expect(gps.filter((age) => age > 90).length / gps.length).toBeGreaterThan(0.4)
    expect(Math.max(...gps)).toBeGreaterThan(3 * 3_600)
    expect(Math.max(...gps)).toBeLessThan(53_676 + 200)
    const stalled = ages(await played('1234567s', 'stalled-trains', { share: 0.5 }))
    expect(Math.max(...stalled)).toBeGreaterThan(4 * 3_600)
  })

  test('Q14: canceled trips, some of them without a route, and added ones', async () => {
    const updates = (await played('lirr', 'canceled-and-added', { share: 0.4 })).entity.flatMap(
      ({ tripUpdate }) => (tripUpdate == null ? [] : [tripUpdate.trip]),
    )
    const canceled = updates.filter((trip) => Number(trip.scheduleRelationship) === 3)
    expect(
      updates.filter((trip) => Number(trip.scheduleRelationship) === 1).length,
    ).toBeGreaterThan(2)
    expect(canceled.some((trip) => !has(trip, 'routeId'))).toBe(true)
    expect(canceled.some((trip) => trip.tripId?.startsWith('GO201_26_'))).toBe(true)
  })

  test('Q15 and Q16: a train’s status is empty, or one of seven words', async () => {
    const empty = stops(await played('lirr', 'empty-train-status')).map((stop) => unknowns(stop))
    // Field 1005 of four bytes: track and status, both of length 0.
    expect(new Set(empty.flat())).toEqual(new Set(['ea3e040a001200']))
    const words = stops(await played('mnr', 'train-status-words')).flatMap((stop) =>
      unknowns(stop).map((hex) =>
        Buffer.from(hex.slice(16), 'hex')
          .toString()
          .replace(/^[^A-Z]+/, ''),
      ),
    )
    expect(new Set(words)).toEqual(
      new Set(['On-Time', 'Late', 'Delayed', 'Departed', 'Arrived', 'Arriving', 'Bus']),
    )
  })

  test('Q18: stopped throughout, some without a status', async () => {
    const vehicles = positions(await played('1234567s', 'always-stopped'))
    const statuses = vehicles.map((one) => (has(one, 'currentStatus') ? one.currentStatus : null))
    expect(new Set(statuses)).toEqual(new Set([1, null]))
  })

  test('Q19 and Q20: the next stop a minute away, the first one passed', async () => {
    const next = await played('l', 'next-stop-in-a-minute')
    const now = headerTime(next)
    const ahead = next.entity.flatMap(({ tripUpdate }) => {
      const times = (tripUpdate?.stopTimeUpdate ?? [])
        .map(({ arrival, departure }) => Number((arrival ?? departure)?.time))
        .filter((time) => time >= now)
      return times.slice(0, 1)
    })
    expect(new Set(ahead)).toEqual(new Set([now + 60]))
    const passed = await played('l', 'passed-stops', { share: 1 })
    const firsts = passed.entity.flatMap(({ tripUpdate }) =>
      (tripUpdate?.stopTimeUpdate ?? [])
        .slice(0, 1)
        .map(({ arrival, departure }) => Number((arrival ?? departure)?.time)),
    )
    expect(Math.max(...firsts)).toBeLessThan(headerTime(passed))
  })

  test('Q21: replacement periods end now, or in half an hour', async () => {
    for (const [kind, afterS] of [
      ['replacement-end-now', 0],
      ['replacement-end-later', 1_800],
    ] as const) {
      const message = await played('l', kind)
      const end = headerTime(message) + afterS
      const varint: number[] = []
      for (let rest = end; rest > 0; rest = Math.floor(rest / 128))
        varint.push((rest % 128) | (rest >= 128 ? 128 : 0))
      expect(unknowns(message.header).join()).toContain(`10${Buffer.from(varint).toString('hex')}`)
    }
  })

  test('Q22 and Q23: routes and stops by names that the timetable does not have', async () => {
    const routes = trips(await played('1234567s', 'route-aliases')).map(({ routeId }) => routeId)
    for (const name of ['S', '6X', '5X', '']) expect(routes).toContain(name)
    const [before, after] = [await good('ace'), await played('ace', 'unknown-stops')].map((m) =>
      stops(m).map(({ stopId }) => stopId ?? ''),
    )
    const unknown = (after ?? []).filter((stop) => /^X\d+[NS]?$/.test(stop))
    expect(unknown.length).toBeGreaterThan(5)
    expect((before ?? []).some((stop) => stop.startsWith('X'))).toBe(false)
  })

  test('Q24: trips that were there are gone, and are there again', async () => {
    const seen: Set<string>[] = []
    await spoilt('bus', 'trips-vanish', { count: null })
    for (let minute = 0; minute < 3; minute++) {
      await clock.advance(60_000)
      seen.push(new Set(ids((await good('bus')).entity)))
    }
    const [first, second, third] = seen
    const blinked = [...(first ?? [])].filter((id) => !second?.has(id) && third?.has(id))
    expect(blinked.length).toBeGreaterThan(50)
  })

  test('Q25: optional fields are missing; defaults are said', async () => {
    const bare = positions(await played('bus', 'bare-entities'))
    for (const name of ['timestamp', 'stopId', 'occupancyStatus'])
      expect(bare.some((vehicle) => has(vehicle, name))).toBe(false)
    const explicit = trips(await played('ace', 'explicit-defaults')).map((trip) =>
      unknowns(trip).join(''),
    )
    // direction 1 is north; is_assigned is 0 or 1, and always there.
    expect(explicit.some((hex) => hex.endsWith('1801'))).toBe(true)
    expect(explicit.every((hex) => /100[01]/.test(hex) && /180[13]/.test(hex))).toBe(true)
  })

  test('Q26: the other system’s header extension under the same number', async () => {
    expect(unknowns((await good('alerts-subway')).header)).toEqual(['ca3e050a03312e30'])
    expect(unknowns((await played('l', 'foreign-header-extension')).header)).toEqual([
      'ca3e050a03312e30',
    ])
    const [foreign] = unknowns((await played('alerts-subway', 'foreign-header-extension')).header)
    expect(foreign).toMatch(/^ca3e[0-9a-f]{2}0a03312e3012/)
  })

  test('Q27 and Q28: other priorities, another version', async () => {
    const before = orders(await good('alerts-subway')).map(Number)
    const after = orders(await played('alerts-subway', 'renumbered-priorities')).map(Number)
    expect(before).toContain(26)
    expect(after).toEqual(before.map((order) => order + 4))
    expect((await played('l', 'header-version')).header.gtfsRealtimeVersion).toBe('0.2')
  })

  test('Q29: two messages in one', async () => {
    const one = await good('l')
    const { body } = await spoilt('l', 'concat-two')
    expect(decode(body).entity).toHaveLength(2 * one.entity.length)
  })

  test('Q30: delays beyond reason, three trips of one vehicle', async () => {
    const updates = (await played('bus-tu', 'far-off-delays')).entity.map(
      ({ tripUpdate }) => tripUpdate,
    )
    expect(new Set(updates.map((update) => update?.delay))).toEqual(new Set([-1_639, 4_383]))
    const count = new Map<string, number>()
    for (const update of updates)
      count.set(update?.vehicle?.id ?? '', (count.get(update?.vehicle?.id ?? '') ?? 0) + 1)
    expect(Math.max(...count.values())).toBeGreaterThanOrEqual(3)
  })

  test('Q31: extensions that are sent in parts', async () => {
    const header = unknowns((await played('ace', 'repeated-extensions')).header)
    expect(header).toHaveLength(5)
    const twice = stops(await played('lirr', 'repeated-extensions')).map((stop) => unknowns(stop))
    expect(twice.every((parts) => parts.length === 2)).toBe(true)
  })

  test('every kind was tried, and every peculiarity from Q1 to Q31 has one', () => {
    const elsewhere = ['slow-drip', 'hang']
    expect([...tried, ...elsewhere].toSorted()).toEqual([...FAULT_KINDS].toSorted())
    const quirks = new Set(Object.values(FAULTS).flatMap((fault) => [...fault.quirks]))
    expect(quirks).toEqual(new Set(Array.from({ length: 31 }, (_, i) => `Q${i + 1}`)))
  })
})
