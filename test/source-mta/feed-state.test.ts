import { describe, expect, test } from 'vitest'
import type { FeedStateOptions } from '../../source-mta/body-reading.ts'
import { FeedState } from '../../source-mta/feed-state.ts'
import { PROFILES } from '../../source-mta/profiles.ts'
import { vehicleEvents } from '../support/feed-fixtures.ts'
import { HEADER_S, bus, feedBody } from '../support/feed-bodies.ts'

const NOW_MS = HEADER_S * 1_000 + 5_000

function newState(options: Partial<FeedStateOptions> = {}): FeedState {
  return new FeedState({
    feedId: 'f',
    profile: PROFILES.obanyc,
    kinds: ['vehicle'],
    entitiesMax: 100,
    emitMode: 'changed',
    heartbeatMs: 60_000,
    box: 'per-feed',
    retentionMs: 3_600_000,
    positions: undefined,
    ...options,
  })
}

const accept = (state: FeedState, bytes: Uint8Array, fetchedAtMs = NOW_MS) =>
  state.accept({ bytes, fetchedAtMs, etag: '"1"', lastModified: null })

const later = (seconds: number) => ({ timestamp: HEADER_S + seconds })

const keyOf = (profile: keyof typeof PROFILES, entity: Parameters<typeof feedBody>[0][number]) =>
  accept(newState({ profile: PROFILES[profile] }), feedBody([entity])).events.map(
    (e) => e.recordKey,
  )

describe('changes', () => {
  test('emits each vehicle once, and again only when its payload differs', () => {
    const state = newState()
    const first = accept(state, feedBody([bus('1'), bus('2')]))
    const second = accept(state, feedBody([bus('1'), bus('2', { stopId: '7' })], later(30)))

    expect(first.events.map((e) => [e.recordKey, e.eventType])).toEqual([
      ['f|MTA NYCT_1', 'SNAPSHOT'],
      ['f|MTA NYCT_2', 'SNAPSHOT'],
    ])
    expect(second.events.map((e) => [e.recordKey, e.eventType])).toEqual([
      ['f|MTA NYCT_2', 'CHANGED'],
    ])
  })

  test('does not care for entity ids and their order', () => {
    const state = newState()
    accept(state, feedBody([bus('1'), bus('2')]))
    const swapped = [
      { ...bus('2'), id: '1' },
      { ...bus('1'), id: '2' },
    ]
    expect(accept(state, feedBody(swapped, later(15))).events).toEqual([])
  })

  test('takes the newest of several vehicles with one key, the first on a tie', () => {
    const body = feedBody([
      bus('1', { timestamp: HEADER_S - 20, stopId: 'old' }),
      bus('1', { timestamp: HEADER_S - 10, stopId: 'new' }),
      bus('1', { timestamp: HEADER_S - 10, stopId: 'tie' }),
    ])
    const result = accept(newState(), body)
    const { quality } = result
    expect(vehicleEvents(result).map((e) => e.vehicle.stopId)).toEqual(['new'])
    expect(quality.get('DUP_IN_MESSAGE')).toBe(2)
  })

  test('flags a vehicle whose time went back and keeps the newer time', () => {
    const state = newState()
    accept(state, feedBody([bus('1')]))
    const back = accept(state, feedBody([bus('1', { timestamp: HEADER_S - 50 })], later(15)))
    const stillBack = accept(state, feedBody([bus('1', { timestamp: HEADER_S - 40 })], later(30)))
    expect(back.events[0]?.flags).toContain('OUT_OF_ORDER')
    expect(stillBack.events[0]?.flags).toContain('OUT_OF_ORDER')
  })

  test('remembers a vehicle that is gone until the retention time is over', () => {
    const state = newState({ retentionMs: 100_000 })
    const other = (n: number) => feedBody([bus('2', { stopId: String(n) })], later(n))
    accept(state, feedBody([bus('1')]))
    accept(state, other(10), NOW_MS + 50_000)
    expect(accept(state, feedBody([bus('1')], later(20)), NOW_MS + 60_000).events).toEqual([])
    accept(state, other(30), NOW_MS + 200_000)
    expect(accept(state, feedBody([bus('1')], later(40)), NOW_MS + 210_000).events).toHaveLength(1)
  })
})

describe('emit.mode', () => {
  test('all repeats every vehicle of every new body', () => {
    const state = newState({ emitMode: 'all' })
    accept(state, feedBody([bus('1')]))
    const { events } = accept(state, feedBody([bus('1')], later(15)))
    expect(events.map((e) => e.eventType)).toEqual(['HEARTBEAT'])
  })

  test('changed+heartbeat repeats an unchanged vehicle when its time has come', () => {
    const state = newState({ emitMode: 'changed+heartbeat', heartbeatMs: 60_000 })
    const at = (ms: number) =>
      accept(state, feedBody([bus('1')], later(ms / 1_000)), NOW_MS + ms).events.map(
        (e) => e.eventType,
      )
    expect([at(0), at(30_000), at(60_000), at(90_000), at(120_000)]).toEqual([
      ['SNAPSHOT'],
      [],
      ['HEARTBEAT'],
      [],
      ['HEARTBEAT'],
    ])
  })
})

/** A body whose header is a minute behind. */
const earlier = (n: number) => feedBody([bus('1', { stopId: String(n) })], later(-60 + n))

describe('bodies', () => {
  test('the same bytes again are UNCHANGED', () => {
    const state = newState()
    accept(state, feedBody([bus('1')]))
    expect(accept(state, feedBody([bus('1')]))).toMatchObject({ outcome: 'UNCHANGED', events: [] })
  })

  test('an older header is dropped, and believed the third time', () => {
    const state = newState()
    accept(state, feedBody([bus('1')]))
    const outcomes = [1, 2, 3].map((n) => accept(state, earlier(n)).outcome)
    expect(outcomes).toEqual(['REGRESSED', 'REGRESSED', 'OK'])
    expect(accept(state, earlier(4)).outcome).toBe('OK')
  })

  test("Metro-North's header is not asked", () => {
    const state = newState({ profile: PROFILES.mnr })
    accept(state, feedBody([bus('1')]))
    expect(accept(state, feedBody([bus('1'), bus('2')], later(-60))).outcome).toBe('OK')
  })

  test.each([
    ['nothing at all', new Uint8Array(), 'NOT_PROTOBUF'],
    ['HTML', Buffer.from('<html><body>Down</body></html>'), 'NOT_PROTOBUF'],
    ['JSON', Buffer.from('{"message":"Missing"}'), 'NOT_PROTOBUF'],
    ['a cut-off message', feedBody([bus('1')]).slice(0, -3), 'TRUNCATED'],
    [
      'two messages in a row',
      Buffer.concat([feedBody([bus('1')]), feedBody([bus('2')])]),
      'NOT_PROTOBUF',
    ],
    [
      'too many entities',
      feedBody(Array.from({ length: 101 }, (_, n) => bus(String(n)))),
      'TOO_LARGE',
    ],
  ])('%s is dropped and forgets nothing', (_name, bytes, outcome) => {
    const state = newState()
    accept(state, feedBody([bus('1')]))
    expect(accept(state, bytes)).toMatchObject({ outcome, events: [] })
    expect(state.remembered).toBe(1)
    expect(accept(state, feedBody([bus('1')], later(15))).events).toEqual([])
  })

  test('one entity that is no protobuf costs only itself', () => {
    const good = feedBody([bus('1'), bus('2')])
    // Field 2 (entity) with five bytes that end inside a field.
    const broken = Buffer.concat([good, Buffer.from([0x12, 5, 0x22, 0x7f, 1, 2, 3])])
    const result = accept(newState(), broken)
    expect(result).toMatchObject({ outcome: 'OK', badEntities: 1 })
    expect(result.events).toHaveLength(2)
    expect(result.rejected).toMatchObject([
      { code: 'UNREADABLE', kind: undefined, bytes: Buffer.from([0x22, 0x7f, 1, 2, 3]) },
    ])
  })

  test('an entity that cannot be decoded is kept as received, once as long as it stays so', () => {
    const state = newState()
    // A vehicle whose position ends too soon; its key can be read.
    const vehicle = [0x42, 3, 0x0a, 1, 0x39, 0x12, 2, 0x0d, 1]
    const entity = [0x0a, 1, 0x78, 0x22, vehicle.length, ...vehicle]
    const body = (seconds: number): Uint8Array =>
      Buffer.concat([
        feedBody([bus('1')], later(seconds)),
        Buffer.from([0x12, entity.length, ...entity]),
      ])
    const [first, again] = [accept(state, body(0)), accept(state, body(15))]
    expect(first).toMatchObject({ outcome: 'OK', badEntities: 1 })
    expect(first.rejected).toMatchObject([
      { code: 'UNREADABLE', kind: 'vehicle', entityId: 'x', bytes: Buffer.from(entity) },
    ])
    expect(again).toMatchObject({ outcome: 'OK', badEntities: 1, rejected: [] })
    accept(state, feedBody([bus('1')], later(30)))
    expect(accept(state, body(45)).rejected).toHaveLength(1)
  })

  test('a deleted entity is no vehicle', () => {
    expect(accept(newState(), feedBody([{ ...bus('1'), isDeleted: true }])).events).toEqual([])
  })
})

describe('offsets', () => {
  test('a restart on the same body emits nothing, and then only changes', () => {
    const run = newState()
    accept(run, feedBody([bus('1'), bus('2')]))
    const state = newState()
    state.restore(run.offset)
    expect(accept(state, feedBody([bus('1'), bus('2')]))).toMatchObject({
      outcome: 'UNCHANGED',
      events: [],
    })
    const next = accept(state, feedBody([bus('1'), bus('2', { stopId: '7' })], later(15)))
    expect(next.events.map((e) => e.recordKey)).toEqual(['f|MTA NYCT_2'])
    expect(state.offset).toMatchObject({ header_ts: HEADER_S + 15, poll_seq: 3, etag: '"1"' })
  })

  test('a restart from an offset of 0.1.0, on another body, emits the world once', () => {
    const run = newState()
    accept(run, feedBody([bus('1'), bus('2')]))
    const state = newState()
    const { state: _state, ...offset } = run.offset
    state.restore(offset)
    const { events } = accept(state, feedBody([bus('1'), bus('2')], later(15)))
    expect(events.map((e) => e.eventType)).toEqual(['SNAPSHOT', 'SNAPSHOT'])
  })
})

describe('keys', () => {
  const trip = { tripId: '087900_1..N04R', startDate: '20240208' }

  test('are made as each producer allows', () => {
    const vehicle = { trip, stopId: '101N' }
    expect(keyOf('nyct', { id: '1', vehicle })).toEqual(['f|087900_1..N04R|20240208'])
    expect(keyOf('lirr', { id: '1', vehicle })).toEqual(['f|087900_1..N04R'])
    expect(keyOf('obanyc', bus('7'))).toEqual(['f|MTA NYCT_7'])
    expect(keyOf('generic', { id: '1', vehicle })).toEqual(['f|087900_1..N04R|20240208|'])
    expect(keyOf('generic', { id: '1', vehicle: { stopId: '1' } })).toEqual(['f|1'])
    const tripUpdate = { trip: { tripId: '3114306', startDate: '20240207' } }
    expect(keyOf('mnr', { id: '1797', tripUpdate, vehicle })).toEqual(['f|3114306|20240207'])
  })

  test('a vehicle without one is counted and left out', () => {
    const state = newState()
    const { events, quality } = accept(state, feedBody([{ id: '1', vehicle: { stopId: '1' } }]))
    expect(events).toEqual([])
    expect(quality.get('REQ_MISSING')).toBe(1)
  })
})

const flagsOf = (vehicle: Parameters<typeof bus>[1]) =>
  accept(newState(), feedBody([bus('1', vehicle)])).events.map(({ flags }) => flags)
const at = (latitude: number, longitude: number, rest = {}) => ({
  position: { latitude, longitude, ...rest },
})

describe('quality', () => {
  test('flags what is odd', () => {
    expect(flagsOf({})).toEqual([[]])
    expect(flagsOf({ timestamp: HEADER_S - 91 })).toEqual([['TS_STALE']])
    expect(flagsOf({ timestamp: HEADER_S + 70 })).toEqual([['TS_FUTURE']])
    expect(flagsOf(at(41.5, -73.98))).toEqual([['COORD_OUT_OF_BOX']])
    expect(flagsOf(at(40.7, -73.98, { bearing: 360 }))).toEqual([['BEARING_RANGE']])
    expect(flagsOf(at(40.7, -73.98, { speed: 61 }))).toEqual([['SPEED_IMPLAUSIBLE']])
    expect(flagsOf({ trip: { tripId: 'T', startDate: '20240206' } })).toEqual([
      ['STALE_SERVICE_DAY'],
    ])
    expect(flagsOf({ trip: { tripId: 'T', routeId: '' } })).toEqual([['ROUTE_UNKNOWN']])
  })

  test.each([
    ['COORD_ZERO', at(0, 0)],
    ['COORD_FORMAT', at(91, 0)],
    ['COORD_FORMAT', at(Number.NaN, 0)],
    ['TS_RANGE', { timestamp: 1_000 }],
    ['TS_RANGE', { timestamp: HEADER_S * 1_000 }],
  ] as const)('%s is counted and not emitted', (code, vehicle) => {
    const result = accept(newState(), feedBody([bus('1', vehicle), bus('2')]))
    expect(result.events.map(({ recordKey }) => recordKey)).toEqual(['f|MTA NYCT_2'])
    expect(result.quality.get(code)).toBe(1)
  })
})
