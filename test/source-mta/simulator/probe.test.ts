import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { probeLiveFeeds } from '../../../source-mta/simulator/probe.ts'
import { type FeedServer, startFeedServer } from '../../../source-mta/simulator/server.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { rawRequest } from './raw-request.ts'
import { SILENT } from './silent-log.ts'

let server: FeedServer

beforeEach(async () => {
  server = await startFeedServer({
    host: '127.0.0.1',
    port: 0,
    mode: { kind: 'simulated' },
    speed: 1,
    seed: 1,
    clock: new FakeClock({ nowMs: Date.parse('2026-06-10T08:25:00-04:00') }),
    log: SILENT,
  })
})
afterEach(() => server.close())

const probe = (timeoutMs = 5_000): ReturnType<typeof probeLiveFeeds> =>
  probeLiveFeeds({ timeoutMs, url: `${server.url}/Dataservice/mtagtfsfeeds/nyct%2Fgtfs-l` })

describe('probeLiveFeeds', () => {
  test('knows a feed', async () => {
    expect(await probe()).toEqual({ isLive: true, reason: '' })
  })

  test.each([
    ['503', 'HTTP status 503'],
    ['html200', 'the answer is no feed'],
    ['empty200', 'the answer is no feed'],
  ])('is not taken in by %s', async (kind, reason) => {
    const body = JSON.stringify({ feed: 'l', kind })
    await rawRequest(`${server.url}/__sim/fault`, { method: 'POST', body })
    expect(await probe()).toEqual({ isLive: false, reason })
  })

  test('gives up in time', async () => {
    const body = JSON.stringify({ feed: 'l', kind: 'hang' })
    await rawRequest(`${server.url}/__sim/fault`, { method: 'POST', body })
    expect(await probe(100)).toEqual({ isLive: false, reason: 'no answer in 100 ms' })
  })

  test('says why nobody answers', async () => {
    await server.close()
    const { isLive, reason } = await probe()
    expect(isLive).toBe(false)
    expect(reason).toContain('ECONNREFUSED')
  })
})
