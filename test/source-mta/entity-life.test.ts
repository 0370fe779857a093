// When an entity is new, gone, back, and what a restart remembers of it.
import { describe, expect, test } from 'vitest'
import type { BodyResult, FeedStateOptions } from '../../source-mta/body-reading.ts'
import { DEFAULT_LIFE } from '../../source-mta/entity-config.ts'
import { entityRecords, entityTopics } from '../../source-mta/entity-records.ts'
import { FeedState } from '../../source-mta/feed-state.ts'
import { PROFILES } from '../../source-mta/profiles.ts'
import { scanFeed } from '../../source-mta/scan.ts'
import { HEADER_S, bus, feedBody } from '../support/feed-bodies.ts'

const START_MS = HEADER_S * 1_000
const EVERY_S = 15

const tripUpdate = (id: string, delay = 0) => ({
  id: `trip update ${id}`,
  tripUpdate: { trip: { tripId: id, startDate: '20240208' }, delay },
})
const alert = (id: string) => ({
  id: `lmm:alert:${id}`,
  alert: {
    headerText: { translation: [{ text: `Delays ${id}`, language: 'en' }] },
    informedEntity: [{ agencyId: 'MTASBWY', routeId: 'A' }],
  },
})
const buses = (...ids: readonly number[]) => ids.map((id) => bus(String(id)))
const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index)

type Entities = Parameters<typeof feedBody>[0]

/** A feed that is polled every 15 seconds. */
class PolledFeed {
  readonly state: FeedState
  polls: number

  constructor(options: Partial<FeedStateOptions> = {}, polls = 0) {
    this.polls = polls
    this.state = new FeedState({
      feedId: 'f',
      profile: PROFILES.generic,
      entitiesMax: 1_000,
      emitMode: 'changed',
      heartbeatMs: 60_000,
      box: 'none',
      retentionMs: 3_600_000,
      positions: undefined,
      ...options,
    })
  }

  poll(entities: Entities, incrementality = 0): BodyResult {
    const timestamp = HEADER_S + this.polls * EVERY_S
    return this.pollBytes(feedBody(entities, { timestamp, incrementality }))
  }

  pollBytes(bytes: Uint8Array): BodyResult {
    const fetchedAtMs = START_MS + this.polls++ * EVERY_S * 1_000
    return this.state.accept({ bytes, fetchedAtMs, etag: null, lastModified: null })
  }

  /** The next run, from the offset of this one. */
  restarted(options: Partial<FeedStateOptions> = {}): PolledFeed {
    const next = new PolledFeed(options, this.polls)
    next.state.restore(JSON.parse(JSON.stringify(this.state.offset)) as typeof this.state.offset)
    return next
  }
}

const told = ({ events }: BodyResult): readonly string[] =>
  events.map(({ recordKey, eventType }) => `${eventType} ${recordKey}`)

describe('vanishing', () => {
  test('an entity of any kind is gone after three bodies in a row without it', () => {
    const feed = new PolledFeed()
    const rest = [...buses(1, 2), tripUpdate('T2'), alert('2')]
    feed.poll([...rest, bus('3'), tripUpdate('T3'), alert('3')])
    expect(told(feed.poll(rest))).toEqual([])
    expect(told(feed.poll(rest))).toEqual([])
    expect(told(feed.poll(rest))).toEqual([
      'VANISHED f|MTA NYCT_3',
      'VANISHED f|T3|20240208',
      'VANISHED f|lmm:alert:3',
    ])
    expect(told(feed.poll(rest))).toEqual([])
  })

  test('one that was back in between starts anew', () => {
    const feed = new PolledFeed()
    feed.poll(buses(1, 2))
    feed.poll(buses(1))
    feed.poll(buses(1))
    expect(told(feed.poll(buses(1, 2)))).toEqual([])
    feed.poll(buses(1))
    expect(told(feed.poll(buses(1)))).toEqual([])
    expect(told(feed.poll(buses(1)))).toEqual(['VANISHED f|MTA NYCT_2'])
  })

  test('one that comes back after it was gone is new', () => {
    const feed = new PolledFeed()
    feed.poll(buses(1, 2))
    for (const _ of range(3)) feed.poll(buses(1))
    expect(told(feed.poll(buses(1, 2)))).toEqual(['SNAPSHOT f|MTA NYCT_2'])
  })

  test('not seen for two minutes is gone at the next body, however few there were', () => {
    const feed = new PolledFeed()
    feed.poll(buses(1, 2))
    feed.polls += 8
    expect(told(feed.poll(buses(1)))).toEqual(['VANISHED f|MTA NYCT_2'])
  })

  test('nothing is gone right after a bad poll', () => {
    const feed = new PolledFeed({ life: { ...DEFAULT_LIFE, vanishPolls: 2 } })
    feed.poll(buses(1, 2))
    feed.poll(buses(1))
    feed.pollBytes(Buffer.from('<html>'))
    feed.polls += 20
    expect(told(feed.poll(buses(1)))).toEqual([])
    feed.state.failed()
    expect(told(feed.poll(buses(1)))).toEqual([])
    expect(told(feed.poll(buses(1)))).toEqual(['VANISHED f|MTA NYCT_2'])
  })

  test('a DIFFERENTIAL feed says itself what is gone', () => {
    const feed = new PolledFeed()
    feed.poll(buses(1, 2), 1)
    for (const _ of range(5)) expect(told(feed.poll(buses(1), 1))).toEqual([])
    const deleted = { id: 'entity of 2', isDeleted: true }
    expect(told(feed.poll([deleted], 1))).toEqual(['VANISHED f|MTA NYCT_2'])
  })

  test('vanish.polls=0 never tells', () => {
    const feed = new PolledFeed({ life: { ...DEFAULT_LIFE, vanishPolls: 0 } })
    feed.poll(buses(1, 2))
    for (const _ of range(20)) expect(told(feed.poll(buses(1)))).toEqual([])
  })

  test('what was never emitted does not vanish', () => {
    const feed = new PolledFeed({ selects: ({ recordKey }) => !recordKey.endsWith('_2') })
    const { events, filtered } = feed.poll(buses(1, 2))
    expect([events.length, filtered]).toEqual([1, 1])
    for (const _ of range(4)) expect(told(feed.poll(buses(1)))).toEqual([])
  })
})

describe('records of life', () => {
  const topics = entityTopics('mta.', 'both', true)
  const records = (result: BodyResult) =>
    result.events.flatMap((event) =>
      result.context === undefined ? [] : entityRecords(result.context, event, topics),
    )

  const topicsOf = (result: BodyResult) =>
    records(result).map(({ topic, value }) => [topic, value === null])

  test('the compacted topic has each record of a vehicle that is news, and a tombstone at its end', () => {
    const feed = new PolledFeed()
    expect(topicsOf(feed.poll(buses(1, 2)))).toEqual([
      ['mta.vehicle_position.v1', false],
      ['mta.vehicle_position.latest.v1', false],
      ['mta.vehicle_position.v1', false],
      ['mta.vehicle_position.latest.v1', false],
    ])
    const older = bus('1', { timestamp: HEADER_S - 60 })
    expect(topicsOf(feed.poll([older, bus('2')]))).toEqual([['mta.vehicle_position.v1', false]])
    for (const _ of range(2)) feed.poll([older])
    expect(topicsOf(feed.poll([older]))).toEqual([
      ['mta.vehicle_position.v1', false],
      ['mta.vehicle_position.latest.v1', true],
    ])
  })

  test('what is gone is told with its key and who it was', () => {
    const feed = new PolledFeed()
    feed.poll([...buses(1, 2, 3), tripUpdate('T2')])
    for (const _ of range(2)) feed.poll(buses(1, 3))
    const values = records(feed.poll(buses(1, 3))).map(({ value }) => value)
    expect(values[0]).toMatchObject({
      event_type: 'VANISHED',
      record_key: 'f|MTA NYCT_2',
      vehicle_id: 'MTA NYCT_2',
      trip_id: 'trip of 2',
      latitude: null,
    })
    expect(values[2]).toMatchObject({ event_type: 'VANISHED', trip_id: 'T2', stop_count: 0 })
    expect(values[3]).toMatchObject({ event_type: 'VANISHED', trip_id: 'T2', ordinal: null })
  })

  test('heartbeats are of every kind', () => {
    const feed = new PolledFeed({ emitMode: 'changed+heartbeat', heartbeatMs: 30_000 })
    const all = [...buses(1), tripUpdate('T'), alert('1')]
    feed.poll(all)
    expect(told(feed.poll(all))).toEqual([])
    expect(told(feed.poll(all))).toEqual([
      'HEARTBEAT f|MTA NYCT_1',
      'HEARTBEAT f|T|20240208',
      'HEARTBEAT f|lmm:alert:1',
    ])
  })
})

describe('a body that is far too short', () => {
  test('cut exactly between two entities it is SHRUNK, and takes nothing away', () => {
    const feed = new PolledFeed()
    const all = buses(...range(20))
    feed.poll(all)
    const body = feedBody(all, { timestamp: HEADER_S + EVERY_S })
    const cut = cutAfter(body, 9)
    expect(scanFeed(cut, 100).entities).toHaveLength(9)
    expect(feed.pollBytes(cut)).toMatchObject({ outcome: 'SHRUNK', events: [] })
    expect(feed.pollBytes(cut)).toMatchObject({ outcome: 'SHRUNK', events: [] })
    expect(feed.state.remembered).toBe(20)
    expect(feed.poll(all)).toMatchObject({ outcome: 'OK', events: [] })
  })

  test('is believed the third time, and three bodies later what it lacks is gone', () => {
    const feed = new PolledFeed()
    feed.poll(buses(...range(20)))
    const outcomes = range(3).map(() => feed.poll(buses(0, 1)).outcome)
    expect(outcomes).toEqual(['SHRUNK', 'SHRUNK', 'OK'])
    const gone = range(3).map(() => feed.poll(buses(0, 1)).events.length)
    expect(gone).toEqual([0, 18, 0])
  })

  test('half of the usual is not too short', () => {
    const feed = new PolledFeed()
    feed.poll(buses(...range(20)))
    expect(feed.poll(buses(...range(10))).outcome).toBe('OK')
  })

  test('is measured by the median of the last ten', () => {
    const feed = new PolledFeed()
    for (const _ of range(10)) feed.poll(buses(...range(20)))
    for (const _ of range(10)) feed.poll(buses(...range(12)))
    expect(feed.poll(buses(...range(7))).outcome).toBe('OK')
  })

  test('of a DIFFERENTIAL feed is as it should be', () => {
    const feed = new PolledFeed()
    feed.poll(buses(...range(20)), 1)
    expect(feed.poll(buses(1), 1).outcome).toBe('OK')
  })

  test('right after a restart is seen too', () => {
    const feed = new PolledFeed()
    feed.poll(buses(...range(20)))
    expect(feed.restarted().poll(buses(1, 2)).outcome).toBe('SHRUNK')
  })
})

describe('a restart', () => {
  test('emits what changed meanwhile, of every kind, and nothing else', () => {
    const feed = new PolledFeed()
    feed.poll([...buses(1, 2), tripUpdate('T1'), tripUpdate('T2'), alert('1')])
    const next = feed.restarted()
    const now = [
      bus('1'),
      bus('2', { stopId: '7' }),
      bus('3'),
      tripUpdate('T1'),
      tripUpdate('T2', 9),
    ]
    expect(told(next.poll([...now, alert('1'), alert('2')]))).toEqual([
      'CHANGED f|MTA NYCT_2',
      'SNAPSHOT f|MTA NYCT_3',
      'CHANGED f|T2|20240208',
      'SNAPSHOT f|lmm:alert:2',
    ])
  })

  test('tells what vanished while nobody looked', () => {
    const feed = new PolledFeed()
    feed.poll(buses(1, 2))
    const next = feed.restarted()
    expect(told(next.poll(buses(1)))).toEqual([])
    expect(told(next.poll(buses(1)))).toEqual([])
    expect(told(next.poll(buses(1)))).toEqual(['VANISHED f|MTA NYCT_2'])
  })

  test('knows which observation is the older one', () => {
    const feed = new PolledFeed()
    feed.poll(buses(1))
    const [event] = feed.restarted().poll([bus('1', { timestamp: HEADER_S - 50 })]).events
    expect(event?.flags).toContain('OUT_OF_ORDER')
  })

  test('in the midst of a body repeats that body and loses nothing', () => {
    const feed = new PolledFeed()
    feed.poll(buses(1, 2))
    // The records of the second body were not all acknowledged: its offset is not stored.
    const before = feed.restarted()
    const second = [bus('1', { stopId: '7' }), bus('2')]
    expect(told(feed.poll(second))).toEqual(told(before.poll(second)))
  })

  test('a state larger than allowed is left out, and everything is emitted once more', () => {
    const life = { ...DEFAULT_LIFE, stateCharsMax: 100 }
    const feed = new PolledFeed({ life })
    feed.poll(buses(...range(20)))
    expect(feed.state.offset['state']).toBeNull()
    expect(feed.restarted({ life }).poll(buses(...range(20))).events).toHaveLength(20)
  })

  test.each(['', 'AAAA', 'not base64 at all!', '{"version":1}'])(
    'a state that is none (%j) is as good as none',
    (state) => {
      const feed = new PolledFeed()
      feed.state.restore({ header_ts: null, body_hash: null, poll_seq: 3, state })
      expect(feed.poll(buses(1)).events).toHaveLength(1)
    },
  )
})

/** A body cut right behind its first entities. */
function cutAfter(body: Uint8Array, entities: number): Uint8Array {
  const { entities: all } = scanFeed(body, 1_000)
  const last = all[entities - 1]?.bytes ?? body
  return body.subarray(0, last.byteOffset - body.byteOffset + last.byteLength)
}
