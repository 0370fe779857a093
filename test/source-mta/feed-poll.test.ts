import { describe, expect, test } from 'vitest'
import type { SourceRecord } from '../../connector/api/records.ts'
import { FeedFreshness } from '../../source-mta/feed-freshness.ts'
import type { HttpAnswer, HttpGet } from '../../source-mta/fetch-http.ts'
import { FEED_POLL_SCHEMA } from '../../source-mta/record-schemas.ts'
import { MtaSourceTask } from '../../source-mta/task.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { HEADER_S, bus, feedBody } from '../support/feed-bodies.ts'
import { ANSWERED_AT_MS, activity, siriBody } from '../support/siri-bodies.ts'
import { FakeSourceTaskContext } from '../support/source-task-context.ts'

const never = new AbortController().signal
const PROPS = {
  feeds: 'a',
  'feed.a.url': 'http://feeds.test/a',
  'poll.jitter.ratio.percent': '0',
}

type Answers = readonly Partial<HttpAnswer>[]

/** One list of records per answer; the clock stands while an answer is read. */
async function polls(
  answers: Answers,
  options: { readonly props?: Record<string, string>; readonly stepMs?: number } = {},
) {
  const props = { ...PROPS, ...options.props }
  const clock = new FakeClock({ nowMs: HEADER_S * 1_000 })
  const context = new FakeSourceTaskContext(props, clock)
  let turn = 0
  const http: HttpGet = () =>
    Promise.resolve({
      status: 200,
      headers: {},
      body: new Uint8Array(),
      wireBytes: 7,
      ...answers[turn++],
    })
  const task = new MtaSourceTask(http)
  task.initialize(context)
  await task.start(props)
  const seen: (readonly SourceRecord[])[] = []
  while (seen.length < answers.length) {
    seen.push((await task.poll(never)) ?? [])
    await clock.advance(options.stepMs ?? 300_000)
  }
  task.stop()
  return { seen, context }
}

const pollOf = (records: readonly SourceRecord[]): Record<string, unknown> =>
  records.find(({ topic }) => topic === 'mta.feed_poll.v1')?.value as Record<string, unknown>

/** A body of so many seconds after the first, with a content that differs with `n`. */
const bodyAt = (seconds: number, n: number): Partial<HttpAnswer> => ({
  body: feedBody([bus('1', { currentStopSequence: n })], { timestamp: HEADER_S + seconds }),
})

describe('FeedPoll', () => {
  test('is written of each poll, after its records, with the offset', async () => {
    const { seen } = await polls([
      { body: feedBody([bus('1'), bus('2')]), headers: { etag: '"1"' } },
      { status: 304 },
      { status: 503 },
    ])
    expect(seen.map((records) => records.map(({ topic }) => topic))).toEqual([
      ['mta.vehicle_position.v1', 'mta.vehicle_position.v1', 'mta.feed_poll.v1'],
      ['mta.feed_poll.v1'],
      ['mta.feed_poll.v1'],
    ])
    const last = seen[0]?.at(-1)
    expect(last).toMatchObject({ key: 'a', sourceOffset: { poll_seq: 1, etag: '"1"' } })
    expect(pollOf(seen[0] ?? [])).toMatchObject({
      feed_id: 'a',
      poll_seq: 1n,
      outcome: 'OK',
      reason: null,
      http_status: 200,
      wire_bytes: 7n,
      etag: '"1"',
      entities: 2,
      records: 2,
      remembered: 2,
      failures: 0,
      feed_timestamp: new Date(HEADER_S * 1_000),
      quality_score: 1,
    })
    expect(pollOf(seen[1] ?? [])).toMatchObject({ outcome: 'UNCHANGED', body_bytes: null })
    expect(pollOf(seen[2] ?? [])).toMatchObject({
      outcome: 'HTTP_ERROR',
      reason: 'HTTP 503',
      http_status: 503,
      failures: 1,
      quality_score: null,
    })
  })

  test('has all fields of its schema and no other', async () => {
    const { seen } = await polls([{ body: feedBody([bus('1')]) }])
    expect(Object.keys(pollOf(seen[0] ?? []))).toEqual(
      FEED_POLL_SCHEMA.fields?.map(({ name }) => name),
    )
  })

  test('is left out when it is not wanted', async () => {
    const { seen } = await polls([{ body: feedBody([bus('1')]) }, { status: 304 }], {
      props: { 'feed.poll.records': 'false' },
    })
    expect(seen.map((records) => records.length)).toEqual([1, 0])
  })
})

describe('a rejected entity', () => {
  const lost = bus('1', { position: { latitude: 0, longitude: 0 } })

  test('goes to the dead letters as it was received, and is counted', async () => {
    const { seen, context } = await polls([{ body: feedBody([lost, bus('2')]) }])
    const letter = seen[0]?.find(({ topic }) => topic === 'mta.dlq')
    expect(letter).toMatchObject({ key: 'a|MTA NYCT_1', valueSchema: { type: 'BYTES' } })
    const headers = Object.fromEntries(
      (letter?.headers ?? []).map(({ key, value }) => [key, value]),
    ) as Record<string, string>
    expect(headers).toMatchObject({ code: 'COORD_ZERO', feed_id: 'a' })
    expect(headers['reason']).toContain('entity of 1')
    expect(headers['poll_id']).toBe(pollOf(seen[0] ?? [])['poll_id'])
    // The whole FeedEntity: what stands in a body of its own, after the header.
    const raw = Buffer.from(letter?.value as Uint8Array)
    expect(Buffer.from(feedBody([lost])).includes(raw)).toBe(true)
    expect(raw.includes('entity of 1')).toBe(true)
    expect(context.counts.get('feed_rejected_total{feed=a,code=COORD_ZERO}')).toBe(1)
    expect(context.counts.get('dq_total{feed=a,code=COORD_ZERO}')).toBe(1)
    expect(context.counts.get('dq_checked_total{feed=a}')).toBe(2)
    expect(context.counts.get('dq_score_ratio{feed=a}')).toBe(0.5)
    expect(pollOf(seen[0] ?? [])).toMatchObject({
      records: 1,
      rejected: 1,
      quality: [{ code: 'COORD_ZERO', count: 1 }],
      quality_score: 0.5,
    })
  })
})

describe('selection', () => {
  test('what is left out is counted', async () => {
    const other = bus('2', { trip: { tripId: 't', routeId: 'M3' } })
    const { seen, context } = await polls([{ body: feedBody([bus('1'), other]) }], {
      props: { 'feed.a.select.routes': 'M3,Q100' },
    })
    expect(seen[0]?.map(({ key }) => key)).toEqual(['a|MTA NYCT_2', 'a'])
    expect(context.counts.get('feed_filtered_records_total{feed=a}')).toBe(1)
    expect(pollOf(seen[0] ?? [])).toMatchObject({ filtered: 1, records: 1 })
  })
})

describe('an old feed', () => {
  test('is told once, and once when it is fresh again', async () => {
    // The header moves on, the content does not; then both stand; then all is well.
    const answers = [bodyAt(0, 1), bodyAt(100, 1), bodyAt(400, 1), bodyAt(400, 1), bodyAt(1_000, 2)]
    const { seen, context } = await polls(answers, { stepMs: 200_000 })
    const flags = seen.map((records) => pollOf(records)['quality_flags'])
    expect(flags).toEqual([[], [], ['FEED_FROZEN'], ['FEED_STALE', 'FEED_FROZEN'], []])
    const told = context.logged.filter((line) => /grown old|fresh again/.test(line))
    expect(told.map((line) => `${line.split(' ')[0]} ${/FEED_\w+/.exec(line)?.[0]}`)).toEqual([
      'warn FEED_FROZEN',
      'warn FEED_STALE',
      'info FEED_STALE',
      'info FEED_FROZEN',
    ])
    expect(context.counts.get('feed_old{feed=a,code=FEED_STALE}')).toBe(0)
  })

  test('by its header is none whose header cannot be believed', () => {
    const freshness = new FeedFreshness(undefined)
    freshness.accepted(0, 'x', 1_000)
    expect(freshness.at(200_000)).toMatchObject({ headerAgeMs: null, codes: [] })
    expect(freshness.at(400_000).codes).toEqual(['FEED_FROZEN'])
  })
})

describe('the floor of SIRI', () => {
  const siri = {
    feeds: 'icymta-siri',
    'mta.bus.api.key': 'secret',
    'feed.poll.records': 'true',
    'poll.jitter.ratio.percent': '50',
  }

  /** When a task asks, in milliseconds after its start, with the least jitter there is. */
  async function askedAt(stored: Record<string, number> | undefined, forMs: number) {
    const clock = new FakeClock({ nowMs: ANSWERED_AT_MS })
    const context = Object.assign(new FakeSourceTaskContext(siri, clock), { random: () => 0 })
    if (stored !== undefined) context.stored.set('icymta-siri', stored)
    const asked: number[] = []
    const task = new MtaSourceTask(() => {
      asked.push(clock.now() - ANSWERED_AT_MS)
      const body = siriBody([activity('1')], clock.now())
      return Promise.resolve({ status: 200, headers: {}, body, wireBytes: 1 })
    })
    task.initialize(context)
    await task.start(siri)
    const offsets: unknown[] = []
    const stop = new AbortController()
    const loop = (async () => {
      while (!stop.signal.aborted) {
        const records = await task.poll(stop.signal)
        offsets.push(...(records ?? []).map(({ sourceOffset }) => sourceOffset['asked_at_ms']))
      }
    })()
    await clock.advance(forMs)
    stop.abort()
    await loop
    task.stop()
    return { asked, offsets }
  }

  test('holds whatever the jitter, and the time of the last request is stored', async () => {
    const { asked, offsets } = await askedAt(undefined, 95_000)
    expect(asked).toEqual([0, 30_000, 60_000, 90_000])
    expect(offsets.at(-1)).toBe(ANSWERED_AT_MS + 90_000)
  })

  test('holds across a restart', async () => {
    const { asked } = await askedAt({ asked_at_ms: ANSWERED_AT_MS - 10_000 }, 25_000)
    expect(asked).toEqual([20_000])
  })
})
