// Every known feed, from the simulator, through the task.
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { SourceRecord } from '../../connector/api/records.ts'
import { KNOWN_FEEDS, KNOWN_FEED_IDS } from '../../source-mta/feeds.ts'
import { type FeedServer, startFeedServer } from '../../source-mta/simulator/server.ts'
import { MtaSourceTask } from '../../source-mta/task.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { recordingLog } from '../support/recording-log.ts'
import { FakeSourceTaskContext } from '../support/source-task-context.ts'

// A Monday morning.
const NOW_MS = Date.UTC(2026, 5, 15, 12, 30)
let server: FeedServer
beforeAll(async () => {
  server = await startFeedServer({
    host: '127.0.0.1',
    port: 0,
    mode: { kind: 'simulated', epochMs: NOW_MS, startMs: NOW_MS },
    speed: 1,
    seed: 7,
    clock: new FakeClock({ nowMs: NOW_MS }),
    log: recordingLog(),
  })
})
afterAll(() => server.close())

/** The topics that the first poll of a format writes. */
const TOPICS: Readonly<Record<string, readonly string[]>> = {
  'siri-vm-json': ['icymta'],
  'ene-outages-json': ['mta.equipment_outage.v1'],
  'ene-equipment-json': ['mta.equipment.v1'],
}

test('is read at once, and each record is of the right topic', async () => {
  const props = {
    feeds: KNOWN_FEED_IDS.join(','),
    'feeds.base.url': server.url,
    'feeds.bus.base.url': server.url,
    'feeds.siri.base.url': server.url,
    'mta.bus.api.key': 'any',
    'poll.jitter.ratio.percent': '0',
    'feed.defaults.timeout.ms': '300000',
  }
  const context = new FakeSourceTaskContext(props, new FakeClock({ nowMs: NOW_MS }))
  const task = new MtaSourceTask()
  task.initialize(context)
  await task.start(props)
  const records: SourceRecord[] = []
  for (let polls = 0; polls < KNOWN_FEED_IDS.length; polls++) {
    records.push(...((await task.poll(new AbortController().signal)) ?? []))
  }
  task.stop()
  expect(context.health.at(-1)).toMatchObject({ state: 'OK' })
  const polled = records.filter(({ topic }) => topic === 'mta.feed_poll.v1')
  const outcomes = polled.map(({ value }) => value as { feed_id: string; outcome: string })
  expect(outcomes.map(({ feed_id: id, outcome }) => `${id} ${outcome}`).toSorted()).toEqual(
    KNOWN_FEED_IDS.map((id) => `${id} OK`).toSorted(),
  )
  for (const { id, format, profile } of KNOWN_FEEDS) {
    const own = records.filter(
      ({ sourcePartition, topic }) =>
        sourcePartition['feed'] === id && topic !== 'mta.feed_poll.v1',
    )
    const topics = new Set(own.map(({ topic }) => topic))
    // Of some alerts there are none at the moment.
    const isAlerts = profile === 'camsys' || id === 'mta-bus-alerts'
    expect([id, isAlerts || topics.size > 0]).toEqual([id, true])
    expect([id, topics.has('mta.dlq')]).toEqual([id, false])
    expect([...topics]).toEqual(TOPICS[format] ?? [...topics])
  }
})
