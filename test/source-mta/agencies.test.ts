// Other agencies by configuration alone, from a server that wants what theirs want.
import type { IncomingMessage } from 'node:http'
import { gzipSync } from 'node:zlib'
import { afterEach, expect, test } from 'vitest'
import type { SourceRecord } from '../../connector/api/records.ts'
import { MtaSourceTask } from '../../source-mta/task.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { HEADER_S, bus, feedBody } from '../support/feed-bodies.ts'
import { LocalServers } from '../support/local-server.ts'
import { FakeSourceTaskContext } from '../support/source-task-context.ts'

const servers = new LocalServers()
afterEach(() => servers.close())

/** A vehicle of another city. */
const BODY = feedBody([
  bus('1', {
    vehicle: { id: 'y1234' },
    position: { latitude: 42.375, longitude: -71.06 },
    trip: { tripId: 'T1', startDate: '20240208', routeId: 'Red', directionId: 1 },
  }),
])

/** A server that answers only who proves himself. */
const serve = (isAllowed: (request: IncomingMessage) => boolean): Promise<string> =>
  servers.serve((request, response) => {
    if (!isAllowed(request)) {
      response.writeHead(401)
      response.end('who are you?')
      return
    }
    response.setHeader('content-encoding', 'gzip')
    response.end(gzipSync(BODY))
  })

/** The records of the first poll of a feed `x`, and how the task says it is. */
async function firstPoll(feed: Record<string, string>) {
  const props = {
    feeds: 'x',
    ...Object.fromEntries(Object.entries(feed).map(([key, value]) => [`feed.x.${key}`, value])),
    'poll.jitter.ratio.percent': '0',
  }
  const context = new FakeSourceTaskContext(props, new FakeClock({ nowMs: HEADER_S * 1_000 }))
  const task = new MtaSourceTask()
  task.initialize(context)
  await task.start(props)
  const records = (await task.poll(new AbortController().signal)) ?? []
  task.stop()
  return { records, health: context.health.at(-1)?.state }
}

const vehicles = (records: readonly SourceRecord[]): readonly unknown[] =>
  records.filter(({ topic }) => topic === 'mta.vehicle_position.v1').map(({ key }) => key)

const basic = `Basic ${Buffer.from('rider:pass:word').toString('base64')}`

test.each([
  ['none at all', '/pb', undefined, () => true],
  [
    'a header',
    '/pb',
    'header:X-Api-Key:k1',
    ({ headers }: IncomingMessage) => headers['x-api-key'] === 'k1',
  ],
  [
    "a parameter beside the feed's own",
    '/pb?agency=B%26B',
    'query:api_key:k 1&=',
    ({ url }: IncomingMessage) => {
      const { searchParams } = new URL(url ?? '', 'http://x')
      return searchParams.get('api_key') === 'k 1&=' && searchParams.get('agency') === 'B&B'
    },
  ],
  [
    'a user and a password with a colon',
    '/pb',
    'basic:rider:pass:word',
    ({ headers }: IncomingMessage) => headers.authorization === basic,
  ],
])('a feed that wants %s', async (_name, path, auth, isAllowed) => {
  const url = `${await serve(isAllowed)}${path}`
  const { records, health } = await firstPoll({ url, ...(auth !== undefined && { auth }) })
  expect(vehicles(records)).toEqual(['x|y1234'])
  expect(records[0]?.value).toMatchObject({
    route_id: 'Red',
    direction_id: 1,
    latitude: 42.375,
    // No box of New York's.
    quality_flags: [],
  })
  expect(health).toBe('OK')
})

test('without what it wants the task says so, and asks seldom', async () => {
  const { records, health } = await firstPoll({ url: await serve(() => false) })
  expect(vehicles(records)).toEqual([])
  expect(health).toBe('DEGRADED')
})
