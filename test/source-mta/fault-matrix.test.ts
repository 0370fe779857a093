// Everything that can go wrong with a feed (Q1 to Q31, and plain trouble), each ordered from the simulator between two
// good polls of a task: what is logged, counted and emitted, that nothing is lost, and that the next good poll resumes.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { SourceRecord } from '../../connector/api/records.ts'
import type { PollOutcome } from '../../source-mta/outcome.ts'
import {
  FAULTS,
  FAULT_KINDS,
  faultEntry,
  type FaultKind,
} from '../../source-mta/simulator/fault-catalog.ts'
import { type FeedServer, startFeedServer } from '../../source-mta/simulator/server.ts'
import { MtaSourceTask } from '../../source-mta/task.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { recordingLog } from '../support/recording-log.ts'
import { FakeSourceTaskContext } from '../support/source-task-context.ts'

const NOW_MS = Date.parse('2026-06-10T08:25:00-04:00')
const NEVER = new AbortController().signal
const STEP_MS = 30_000
/** Longer than any wait after one failure, Retry-After included. */
const AFTER_FAILURE_MS = 300_000
const TIMEOUT_MS = 20_000

const ACE = 'mta-subway-ace'
const LIRR = 'mta-lirr'
const MNR = 'mta-mnr'
const BUS = 'mta-bus-vp'
const TRIPS = 'mta-bus-tu'
const ALERTS = 'mta-alerts-subway'
const SIRI = 'icymta-siri'
const ENE = 'mta-ene'

interface Case {
  readonly kind: FaultKind
  readonly feed: string
  readonly outcome: PollOutcome
  /** What the log says of it. */
  readonly says?: RegExp
  /** Rules that the spoilt body breaks, as counted. */
  readonly flags?: readonly string[]
  /** What must be in the records of the spoilt body. */
  readonly emits?: (values: readonly Values[], before: readonly Values[]) => boolean
  /** Share of the entities that it is about; the simulator's own by default. */
  readonly share?: number
}
type Values = Readonly<Record<string, unknown>>

const some =
  (column: string, wanted: unknown) =>
  (values: readonly Values[]): boolean =>
    values.some(({ [column]: value }) => value === wanted)
const stops = (values: readonly Values[]): readonly Values[] =>
  values.flatMap(({ stop_time_updates: own }) => (own ?? []) as readonly Values[])

const bad = (kind: FaultKind, feed: string, outcome: PollOutcome, says: RegExp): Case => ({
  kind,
  feed,
  outcome,
  says,
})
const good = (kind: FaultKind, feed: string, more: Partial<Case> = {}): Case => ({
  kind,
  feed,
  outcome: 'OK',
  ...more,
})

const MATRIX: readonly Case[] = [
  bad('empty200', ACE, 'EMPTY', /empty/i),
  bad('empty200', SIRI, 'EMPTY', /empty/i),
  bad('empty200', ENE, 'EMPTY', /empty/i),
  bad('html200', ACE, 'NOT_PROTOBUF', /html/i),
  bad('html200', SIRI, 'NOT_JSON', /./),
  bad('html200', ENE, 'NOT_JSON', /./),
  bad('xml-nosuchkey200', ACE, 'NOT_PROTOBUF', /xml/i),
  bad('json200', ACE, 'NOT_PROTOBUF', /text/),
  bad('json200', ENE, 'NOT_JSON', /array/),
  bad('text200', ACE, 'NOT_PROTOBUF', /./),
  bad('truncate-mid', ACE, 'TRUNCATED', /./),
  bad('truncate-mid', SIRI, 'NOT_JSON', /./),
  bad('truncate-mid', ENE, 'NOT_JSON', /./),
  bad('truncate-boundary', ACE, 'SHRUNK', /usually/),
  bad('cut-connection', ACE, 'TRUNCATED', /./),
  bad('json403', ACE, 'CONFIG', /403/),
  good('wrong-content-type', ACE),
  bad('header-regress', ACE, 'REGRESSED', /older/),
  good('header-frozen', ACE),
  good('advance-frozen-content', ACE, { emits: (values) => values.length === 0 }),
  good('positional-ids', ACE),
  good('duplicate-entity-ids', ACE),
  good('trip-two-vehicles', TRIPS, { flags: ['TRIP_MULTI_VEHICLE'] }),
  good('train-many-dates', MNR, {
    emits: (values) => new Set(values.map(({ start_date: date }) => date)).size >= 8,
  }),
  good('old-service-days', MNR, { flags: ['STALE_SERVICE_DAY'] }),
  good('vehicle-names-train', MNR),
  good('vehicle-without-route', LIRR, { flags: ['ROUTE_FILLED'] }),
  good('old-gps', LIRR, { flags: ['TS_STALE'] }),
  good('canceled-and-added', LIRR, {
    emits: (values) =>
      some('trip_schedule_relationship', 'CANCELED')(values) &&
      some('trip_schedule_relationship', 'ADDED')(values),
  }),
  good('empty-train-status', LIRR, {
    emits: (values) => stops(values).every(({ train_status: status }) => status === null),
  }),
  good('train-status-words', MNR, {
    emits: (values) =>
      ['On-Time', 'Late', 'Delayed', 'Departed', 'Arrived', 'Arriving', 'Bus'].every((word) =>
        some('train_status', word)(stops(values)),
      ),
  }),
  good('stalled-trains', ACE, { flags: ['STALLED'] }),
  good('always-stopped', ACE, { emits: some('current_status', 'STOPPED_AT') }),
  good('next-stop-in-a-minute', ACE),
  good('passed-stops', ACE),
  good('replacement-end-now', ACE),
  good('replacement-end-later', ACE),
  good('route-aliases', ACE),
  good('unknown-stops', ACE, { flags: ['STOP_UNKNOWN'], share: 1 }),
  good('trips-vanish', ACE),
  good('bare-entities', BUS, {}),
  good('explicit-defaults', ACE, { emits: some('nyct_direction', 'NORTH') }),
  good('foreign-header-extension', ACE),
  good('foreign-header-extension', ALERTS),
  good('renumbered-priorities', ALERTS),
  good('header-version', ACE),
  bad('concat-two', ACE, 'NOT_PROTOBUF', /two/i),
  good('far-off-delays', TRIPS),
  good('repeated-extensions', MNR, {
    // They are the feed's own habit: a stop has the status that is in one part only.
    emits: (_values, before) =>
      stops(before).length > 0 &&
      stops(before).every(({ train_status: status }) => status !== null),
  }),
  bad('shrink', ACE, 'SHRUNK', /usually/),
  bad('error-condition', SIRI, 'SERVICE_ERROR', /./),
  bad('429', ACE, 'THROTTLED', /429/),
  bad('503', ACE, 'HTTP_ERROR', /503/),
  bad('slow-drip', ACE, 'TIMEOUT', /./),
  bad('hang', ACE, 'TIMEOUT', /./),
  good('no-gzip', ACE),
  good('no-etag', ACE),
]

let clock: FakeClock
let server: FeedServer
beforeAll(async () => {
  clock = new FakeClock({ nowMs: NOW_MS })
  const options = { host: '127.0.0.1', port: 0, speed: 1, seed: 3, clock, log: recordingLog() }
  server = await startFeedServer({ ...options, mode: { kind: 'simulated', scale: 0.1 } })
})
afterAll(() => server.close())
beforeEach(async () => {
  await fetch(`${server.url}/__sim/fault`, { method: 'DELETE' })
})

interface Polled {
  readonly outcome: unknown
  readonly values: readonly Values[]
  readonly keys: readonly string[]
  readonly gone: readonly string[]
}

class Source {
  readonly context: FakeSourceTaskContext
  /** Topic and key → the hash of what was last said of it. */
  readonly view = new Map<string, unknown>()
  readonly #task = new MtaSourceTask()
  readonly #props: Readonly<Record<string, string>>

  constructor(feed: string) {
    this.#props = {
      feeds: feed,
      'feeds.base.url': server.url,
      'feeds.bus.base.url': server.url,
      'feeds.siri.base.url': server.url,
      'mta.bus.api.key': 'any',
      'poll.jitter.ratio.percent': '0',
      'feed.defaults.poll.interval.ms': String(STEP_MS),
      'feed.defaults.timeout.ms': String(TIMEOUT_MS),
    }
    this.context = new FakeSourceTaskContext(this.#props, clock)
  }

  async start(): Promise<this> {
    this.#task.initialize(this.context)
    await this.#task.start(this.#props)
    return this
  }

  /** The next poll; `waitsMs`: how long its answer does not come. */
  async poll(waitsMs = 0): Promise<Polled> {
    const polling = this.#task.poll(NEVER)
    if (waitsMs > 0) await clock.advance(waitsMs)
    const records = (await polling) ?? []
    const poll = records.find(({ topic }) => topic === 'mta.feed_poll.v1')
    const here = records.filter(({ topic }) => topic !== 'mta.feed_poll.v1' && topic !== 'mta.dlq')
    for (const record of here) this.view.set(place(record), content(record))
    const gone = here.filter((record) => content(record) === undefined)
    return {
      outcome: valuesOf(poll)['outcome'],
      values: here.map((record) => valuesOf(record)),
      keys: here.map((record) => place(record)),
      gone: gone.map((record) => place(record)),
    }
  }

  stop(): void {
    this.#task.stop()
  }
}

const valuesOf = (record: SourceRecord | undefined): Values => (record?.value ?? {}) as Values
const place = ({ topic, key }: SourceRecord): string => `${topic} ${String(key)}`
function content(record: SourceRecord): unknown {
  const { event_type: type, content_hash: hash, UUID } = valuesOf(record)
  return type === 'VANISHED' ? undefined : (hash ?? UUID)
}

/** Lets the feed go wrong once. */
async function order({ feed, kind, share }: Case): Promise<void> {
  const body = JSON.stringify({ feed, kind, count: 1, ...(share !== undefined && { share }) })
  const response = await fetch(`${server.url}/__sim/fault`, { method: 'POST', body })
  expect([response.status, await response.text()]).toEqual([200, expect.any(String)])
}

describe('the matrix', () => {
  test('has every fault of the simulator, and with them Q1 to Q31', () => {
    const kinds = new Set(MATRIX.map(({ kind }) => kind))
    expect(FAULT_KINDS.filter((kind) => !kinds.has(kind))).toEqual([])
    const quirks = new Set(Object.values(FAULTS).flatMap((fault) => [...fault.quirks]))
    const all = Array.from({ length: 31 }, (_, index) => `Q${index + 1}`)
    expect(all.filter((quirk) => !quirks.has(quirk as never))).toEqual([])
  })
})

test.each(
  MATRIX.map((entry) => ({ ...entry, quirks: faultEntry(entry.kind).quirks.join() || '-' })),
)('$quirks $kind of $feed: $outcome', async (entry) => {
  const { kind, feed, outcome, says, flags = [], emits } = entry
  const source = await new Source(feed).start()
  const before = await source.poll()
  expect(before.outcome).toBe('OK')
  const known = new Map(source.view)

  await order(entry)
  await clock.advance(STEP_MS)
  const isSlow = kind === 'hang' || kind === 'slow-drip'
  const spoilt = await source.poll(isSlow ? TIMEOUT_MS + 1_000 : 0)
  const viewThen = new Map(source.view)
  expect(spoilt.outcome).toBe(outcome)
  // Counted.
  const { counts, logged } = source.context
  const polls = (name: PollOutcome): number =>
    counts.get(`feed_polls_total{feed=${feed},outcome=${name}}`) ?? 0
  expect(polls(outcome)).toBe(outcome === 'OK' ? 2 : 1)
  for (const flag of flags) {
    expect([flag, counts.get(`dq_total{feed=${feed},code=${flag}}`)]).toEqual([
      flag,
      expect.any(Number),
    ])
  }
  // Logged, once, with outcome and reason; what is well is no warning.
  const warned = logged.filter((line) => line.startsWith('warn A feed cannot be read'))
  expect(warned.map((line) => [line.includes(`"${outcome}"`), says?.test(line)])).toEqual(
    outcome === 'OK' ? [] : [[true, true]],
  )
  // Emitted: a spoilt body brings nothing, and nothing is gone because of one body.
  expect(spoilt.gone).toEqual([])
  expect(new Set(spoilt.keys).size).toBe(spoilt.keys.length)
  expect(outcome === 'OK' ? [] : spoilt.keys).toEqual([])
  expect(outcome === 'OK' ? known : viewThen).toEqual(known)
  expect(emits?.(spoilt.values, before.values) ?? true).toBe(true)

  // The next good poll resumes: what is known is what the feed says.
  await clock.advance(outcome === 'OK' ? STEP_MS : AFTER_FAILURE_MS)
  const next = await source.poll()
  expect(next.outcome).toBe('OK')
  const fresh = await new Source(feed).start()
  await fresh.poll()
  const missing = [...fresh.view].filter(([key, hash]) => source.view.get(key) !== hash)
  expect(missing).toEqual([])
  expect(fresh.view.size).toBeGreaterThan(0)
  // A list of equipment says that a row is over by leaving it out.
  expect(feed === ENE ? [] : next.gone).toEqual([])
  source.stop()
  fresh.stop()
})
