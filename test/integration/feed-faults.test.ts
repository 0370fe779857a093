// Feeds that go wrong, each in its own way, through the whole pipeline: the task runs and says which and why, the
// other feeds go on, and afterwards nothing is missing or doubled.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemClock } from '../../connector/runtime/clock.ts'
import { type FeedServer, startFeedServer } from '../../source-mta/simulator/server.ts'
import {
  allRunning,
  type OutageStage,
  setOutageStage,
  storedAtLeast,
  VEHICLES,
} from '../support/outage-stage.ts'
import { getText, until } from '../support/quickstart.ts'
import { recordingLog } from '../support/recording-log.ts'
import { ask, degraded, watchGone } from '../support/worker-view.ts'

const SPOILT = {
  'mta-subway-ace': ['html200', /NOT_PROTOBUF, .*html/i],
  'mta-subway-bdfm': ['empty200', /EMPTY, /],
  'mta-subway-g': ['truncate-mid', /TRUNCATED, /],
  'mta-subway-jz': ['503', /HTTP_ERROR, .*503/],
  'mta-subway-l': ['hang', /TIMEOUT, /],
} as const
const GOOD = 'mta-subway-nqrw'
const FEEDS = [...Object.keys(SPOILT), GOOD]

let feeds: FeedServer
let stage: OutageStage
beforeAll(async () => {
  feeds = await startFeedServer({
    host: '127.0.0.1',
    port: 0,
    mode: { kind: 'simulated' },
    speed: 10,
    seed: 1,
    clock: systemClock,
    log: recordingLog(),
  })
  stage = await setOutageStage({
    feeds: feeds.url,
    worker: { 'ui.topics': VEHICLES, 'ui.feeds': 'simulated' },
    source: {
      feeds: FEEDS.join(','),
      'feed.defaults.timeout.ms': '1000',
      // So that what is remembered grows, and each loss would be one by a fault.
      'vanish.polls': '0',
      'feed.defaults.backoff.max.ms': '1000',
    },
  })
  await Promise.all([stage.registry.start(), stage.broker.start(), stage.endpoint.start()])
  await stage.worker.start()
}, 60_000)
afterAll(async () => {
  await stage.close()
  await feeds.close()
}, 30_000)

/** A metric of the source by feed; for polls, of one outcome. */
async function byFeed(name: string, outcome?: string): Promise<ReadonlyMap<string, number>> {
  const text = await getText(`${stage.url}/metrics`)
  const values = new Map<string, number>()
  for (const [, labels = '', value] of text.matchAll(
    new RegExp(`^\\w*${name}\\{([^}]*)\\} (\\S+)$`, 'gm'),
  )) {
    const feed = /feed="([^"]*)"/.exec(labels)?.[1] ?? ''
    if (outcome === undefined || labels.includes(`outcome="${outcome}"`)) {
      values.set(feed, Number(value))
    }
  }
  return values
}

const goodPolls = (more: number, feedIds: readonly string[]): Promise<true> => {
  let before: ReadonlyMap<string, number> | undefined
  return until(`${more} good polls of ${feedIds.join(', ')}`, 60_000, async () => {
    const now = await byFeed('feed_polls_total', 'OK')
    before ??= now
    const has = (feed: string): boolean => (now.get(feed) ?? 0) >= (before?.get(feed) ?? 0) + more
    return feedIds.every(has) ? true : undefined
  })
}

test('feeds that answer HTML, nothing, half a body, 503 or not at all', async () => {
  await goodPolls(3, FEEDS)
  for (const [feed, [kind]] of Object.entries(SPOILT)) {
    const { status } = await ask(`${feeds.url}/__sim/fault`, 'POST', { feed, kind, count: 10_000 })
    expect(status).toBe(200)
  }
  // Every spoilt feed is named with its reason, on the page and as a figure.
  const text = await until('all five are named', 60_000, async () => {
    const [said = ''] = await degraded(stage.url)
    return Object.keys(SPOILT).every((feed) => said.includes(`${feed} failed`)) ? said : undefined
  })
  for (const [feed, [, reason]] of Object.entries(SPOILT)) {
    const own = text.split('; ').find((part) => part.includes(feed))
    expect(own).toMatch(reason)
  }
  expect(text).not.toContain(GOOD)
  expect(await getText(`${stage.url}/metrics`)).toContain(
    'mta_connect_task_degraded{connector="outage-source",task="0"} 1',
  )
  expect(await allRunning(stage)).toHaveLength(4)
  const gone = watchGone(stage.url)
  // The good one goes on, the others emit nothing and forget nothing.
  const before = await byFeed('feed_records_total')
  const remembered = await byFeed('feed_vehicles')
  await goodPolls(2, [GOOD])
  const after = await byFeed('feed_records_total')
  const still = await byFeed('feed_vehicles')
  for (const feed of Object.keys(SPOILT)) {
    expect([feed, after.get(feed)]).toEqual([feed, before.get(feed)])
    expect([feed, still.get(feed)]).toEqual([feed, remembered.get(feed)])
  }
  expect(after.get(GOOD)).toBeGreaterThan(before.get(GOOD) ?? 0)
  // Gone is who has ended, of the good feed only.
  expect(gone.stop().filter((key) => !key.startsWith(`${GOOD}|`))).toEqual([])

  expect((await ask(`${feeds.url}/__sim/fault`, 'DELETE')).status).toBe(200)
  await until('nothing to complain of', 60_000, async () =>
    (await degraded(stage.url)).length === 0 ? true : undefined,
  )
  await goodPolls(2, FEEDS)
  // What ended meanwhile is gone, and only that.
  const vehicles = await byFeed('feed_vehicles')
  for (const feed of FEEDS) {
    expect(vehicles.get(feed)).toBeGreaterThan((remembered.get(feed) ?? 0) / 2)
  }

  expect((await ask(`${stage.url}/connectors/outage-source/stop`, 'PUT')).status).toBe(204)
  const ends = await stage.ends(VEHICLES)
  const stored = await storedAtLeast(
    stage,
    VEHICLES,
    ends.reduce((sum, end) => sum + end, 0),
  )
  expect(stored.map(({ rows, distinct }) => rows - distinct)).toEqual(stored.map(() => 0))
  const [row] = await stage.query(
    `SELECT COUNT(*) AS N, COUNT(DISTINCT RECORD_KEY || '/' || CONTENT_HASH || '/' || FEED_TIMESTAMP::STRING) AS D FROM MTA.OUTAGE.VEHICLES`,
  )
  expect(Number(row?.['D'])).toBe(Number(row?.['N']))
}, 120_000)
