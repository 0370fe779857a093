import { describe, expect, test } from 'vitest'
import type { SourceRecord } from '../../connector/api/records.ts'
import { HttpError, type HttpAnswer, type HttpGet } from '../../source-mta/fetch-http.ts'
import { MtaSourceTask } from '../../source-mta/task.ts'
import { FakeClock, settled } from '../support/fake-clock.ts'
import { HEADER_S, bus, feedBody } from '../support/feed-bodies.ts'
import { FakeSourceTaskContext } from '../support/source-task-context.ts'

const never = new AbortController().signal
const ok = (body: Uint8Array): HttpAnswer => ({ status: 200, headers: {}, body, wireBytes: 1 })
const PROPS = {
  feeds: 'a,b',
  'feed.a.url': 'http://feeds.test/a',
  'feed.b.url': 'http://feeds.test/b',
  'feed.defaults.poll.interval.ms': '10000',
  'poll.jitter.ratio.percent': '0',
  'feed.poll.records': 'false',
}
type Answers = Readonly<Record<string, () => HttpAnswer | Promise<HttpAnswer>>>

function newTask(answers: Answers, props: Record<string, string> = PROPS) {
  const clock = new FakeClock({ nowMs: HEADER_S * 1_000 })
  const context = new FakeSourceTaskContext(props, clock)
  const asked: string[] = []
  const http: HttpGet = async ({ url }, signal) => {
    asked.push(url.pathname)
    const answer = answers[url.pathname.slice(1)]
    if (answer === undefined) throw new HttpError('NETWORK', 'refused')
    const aborted = new Promise<never>((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error))
    })
    return Promise.race([answer(), aborted])
  }
  const task = new MtaSourceTask(http)
  task.initialize(context)
  const start = async (): Promise<void> => task.start(props)
  return { task, context, clock, asked, start }
}

/** Polls until `ms` have passed. */
async function pollFor(
  { task, clock }: ReturnType<typeof newTask>,
  ms: number,
): Promise<readonly SourceRecord[]> {
  const records: SourceRecord[] = []
  const stop = new AbortController()
  const loop = (async () => {
    while (!stop.signal.aborted) records.push(...((await task.poll(stop.signal)) ?? []))
  })()
  await clock.advance(ms)
  stop.abort()
  await loop
  return records
}

const hang = (): Promise<HttpAnswer> => new Promise(() => undefined)

describe('MtaSourceTask', () => {
  test('emits the vehicles of a feed as records', async () => {
    const setup = newTask({ a: () => ok(feedBody([bus('1')])), b: hang })
    await setup.start()
    const [record] = await pollFor(setup, 0)
    expect(record).toMatchObject({
      topic: 'mta.vehicle_position.v1',
      key: 'a|MTA NYCT_1',
      timestamp: HEADER_S * 1_000,
      sourcePartition: { feed: 'a' },
      sourceOffset: { header_ts: HEADER_S, poll_seq: 1 },
      value: { feed_id: 'a', vehicle_id: 'MTA NYCT_1', latitude: 40.75, event_type: 'SNAPSHOT' },
    })
    setup.task.stop()
  })

  test('only the last record of a body carries its offset', async () => {
    const body = feedBody([bus('1'), bus('2'), bus('3')])
    const setup = newTask({ a: () => ok(body), b: hang })
    await setup.start()
    const records = await pollFor(setup, 0)
    expect(records.map(({ sourceOffset }) => sourceOffset['poll_seq'])).toEqual([0, 0, 1])
    setup.task.stop()
  })

  test('asks each feed once an interval, one request at a time', async () => {
    const setup = newTask({ a: () => ok(feedBody([])), b: hang })
    await setup.start()
    await pollFor(setup, 35_000)
    expect(setup.asked.filter((path) => path === '/a')).toHaveLength(4)
    // b: asked at 0; timed out at 10 s; asked again at once, since its interval is over, …
    expect(setup.asked.filter((path) => path === '/b').length).toBeLessThanOrEqual(4)
    setup.task.stop()
  })

  test('a feed that hangs holds up no other, and is reported', async () => {
    const setup = newTask({ a: () => ok(feedBody([bus('1')])), b: hang })
    await setup.start()
    const records = await pollFor(setup, 95_000)
    expect(records).toHaveLength(1)
    expect(setup.context.counts.get('feed_polls_total{feed=a,outcome=UNCHANGED}')).toBe(9)
    expect(setup.context.counts.get('feed_polls_total{feed=b,outcome=TIMEOUT}')).toBeGreaterThan(2)
    expect(setup.context.health.at(-1)).toMatchObject({
      state: 'DEGRADED',
      message: expect.stringContaining('b failed') as string,
    })
    setup.task.stop()
  })

  test('a wrong path is DEGRADED at once, and OK again when it is mended', async () => {
    let status = 403
    const setup = newTask(
      { a: () => ({ ...ok(feedBody([bus('1')])), status }) },
      { ...PROPS, feeds: 'a' },
    )
    await setup.start()
    await pollFor(setup, 0)
    expect(setup.context.health.at(-1)?.state).toBe('DEGRADED')
    status = 200
    const records = await pollFor(setup, 120_000)
    expect(records).toHaveLength(1)
    expect(setup.context.health.at(-1)?.state).toBe('OK')
    setup.task.stop()
  })

  test('after bad answers of every kind the next good one goes on where it was', async () => {
    const good = feedBody([bus('1')])
    const bad = [
      () => ok(new Uint8Array()),
      () => ok(Buffer.from('<html>')),
      () => ok(good.slice(0, -2)),
      () => ({ ...ok(good), status: 503 }),
    ]
    const next = feedBody([bus('1'), bus('2')], { timestamp: HEADER_S + 60 })
    const answers = [() => ok(good), ...bad, () => ok(next)]
    let turn = 0
    const setup = newTask({ a: () => (answers[turn++] ?? hang)() }, { ...PROPS, feeds: 'a' })
    await setup.start()
    const records = await pollFor(setup, 400_000)
    expect(records.map(({ key }) => key)).toEqual(['a|MTA NYCT_1', 'a|MTA NYCT_2'])
    const outcome = (name: string) =>
      setup.context.counts.get(`feed_polls_total{feed=a,outcome=${name}}`)
    expect([outcome('EMPTY'), outcome('NOT_PROTOBUF'), outcome('TRUNCATED')]).toEqual([1, 1, 1])
    expect(outcome('HTTP_ERROR')).toBe(1)
    setup.task.stop()
  })

  test('starts where an earlier run ended', async () => {
    const body = feedBody([bus('1')])
    const first = newTask({ a: () => ok(body) }, { ...PROPS, feeds: 'a' })
    await first.start()
    const [record] = await pollFor(first, 0)
    first.task.stop()
    const second = newTask({ a: () => ok(body) }, { ...PROPS, feeds: 'a' })
    if (record !== undefined) second.context.stored.set('a', record.sourceOffset)
    await second.start()
    expect(await pollFor(second, 30_000)).toEqual([])
    second.task.stop()
  })

  test('gives up the wait when the signal aborts, and ends with stop', async () => {
    const setup = newTask({ a: hang, b: hang })
    await setup.start()
    const abort = new AbortController()
    const pending = setup.task.poll(abort.signal)
    await settled()
    abort.abort()
    expect(await pending).toBeNull()
    const stopped = setup.task.poll(never)
    await settled()
    setup.task.stop()
    expect(await stopped).toBeNull()
    await settled()
    expect(setup.clock.sleeping).toBe(0)
  })
})
