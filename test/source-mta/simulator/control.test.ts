// The admin routes: clock, orders of faults, lists; and the keys of bus feeds.
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type FeedServer, startFeedServer } from '../../../source-mta/simulator/server.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { decode } from './decoded.ts'
import { type Answer, rawRequest } from './raw-request.ts'
import { SILENT } from './silent-log.ts'

const NOW = Date.parse('2026-06-10T08:25:00-04:00')
const L = '/Dataservice/mtagtfsfeeds/nyct%2Fgtfs-l'
const SI = '/Dataservice/mtagtfsfeeds/nyct%2Fgtfs-si'

let clock: FakeClock
let server: FeedServer

beforeEach(async () => {
  clock = new FakeClock({ nowMs: NOW })
  server = await startFeedServer({
    host: '127.0.0.1',
    port: 0,
    mode: { kind: 'simulated' },
    speed: 1,
    seed: 1,
    busKey: 'right',
    clock,
    log: SILENT,
  })
})
afterEach(() => server.close())

const get = (path: string, headers: Record<string, string> = {}): Promise<Answer> =>
  rawRequest(`${server.url}${path}`, { headers })
const post = (path: string, body: unknown): Promise<Answer> =>
  rawRequest(`${server.url}/__sim/${path}`, { method: 'POST', body: JSON.stringify(body) })
const parsed = (answer: Answer): Record<string, unknown> =>
  JSON.parse(answer.body.toString()) as Record<string, unknown>
const stamp = async (path: string): Promise<number> =>
  Number(decode((await get(path)).body).header.timestamp)
const statuses = async (count: number): Promise<number[]> => {
  const out: number[] = []
  for (let i = 0; i < count; i++) out.push((await get(L)).status)
  return out
}

describe('clock', () => {
  test('can be read', async () => {
    expect(parsed(await get('/__sim/clock'))).toEqual({
      now: new Date(NOW).toISOString(),
      unix: NOW / 1000,
      speed: 1,
      paused: false,
    })
  })

  test('stands still while it is paused, and goes on from there', async () => {
    await post('clock', { paused: true })
    const before = await stamp(L)
    await clock.advance(600_000)
    expect(await stamp(L)).toBe(before)
    await post('clock', { step: 45 })
    expect(await stamp(L)).toBe(before + 45)
    await post('clock', { paused: false })
    await clock.advance(15_000)
    expect(await stamp(L)).toBe(before + 60)
  })

  test('can be set, also back, and to another speed', async () => {
    const at = '2026-12-24T06:00:00-05:00'
    const answer = await post('clock', { at, speed: 60 })
    expect(parsed(answer)).toMatchObject({ now: new Date(at).toISOString(), speed: 60 })
    const before = await stamp(L)
    expect(Math.abs(before - Date.parse(at) / 1000)).toBeLessThan(90)
    await clock.advance(10_000)
    expect((await stamp(L)) - before).toBeGreaterThanOrEqual(540)
    await post('clock', { at: 1_700_000_000 })
    expect(Math.abs((await stamp(L)) - 1_700_000_000)).toBeLessThan(90)
  })

  test('never shows an older body when only the speed changes', async () => {
    for (const speed of [1, 30, 7, 120, 2, 60]) {
      const before = await stamp(L)
      await post('clock', { speed })
      expect(await stamp(L)).toBeGreaterThanOrEqual(before)
      await clock.advance(700)
      expect(await stamp(L)).toBeGreaterThanOrEqual(before)
    }
  })

  test('refuses what makes no sense, with what was expected', async () => {
    for (const [order, expected] of [
      [{ speed: 0 }, 'speed to be 1 to 120'],
      [{ at: 'noon' }, 'at to be an ISO 8601 time'],
      [{ paused: 1 }, 'paused to be true or false'],
      [{ step: -1 }, 'step to be more than 0'],
      ['now', 'a JSON object'],
    ] as const) {
      const answer = await post('clock', order)
      expect(answer.status).toBe(400)
      expect(parsed(answer)['message']).toContain(expected)
    }
  })
})

describe('orders of faults', () => {
  test('hold for so many seconds', async () => {
    await post('fault', { feed: 'l', kind: '503', seconds: 30 })
    expect(await statuses(3)).toEqual([503, 503, 503])
    await clock.advance(29_000)
    expect(await statuses(1)).toEqual([503])
    await clock.advance(1_000)
    expect(await statuses(2)).toEqual([200, 200])
  })

  test('hold until they are called off, one kind or all', async () => {
    await post('fault', { feed: '*', kind: '503', count: null })
    await post('fault', { feed: 'l', kind: 'header-version', count: null })
    expect((await get(SI)).status).toBe(503)
    const url = `${server.url}/__sim/fault`
    await rawRequest(`${url}?feed=l&kind=503`, { method: 'DELETE' })
    expect(decode((await get(L)).body).header.gtfsRealtimeVersion).toBe('0.2')
    expect((await get(SI)).status).toBe(503)
    await rawRequest(url, { method: 'DELETE' })
    expect(decode((await get(L)).body).header.gtfsRealtimeVersion).toBe('1.0')
    expect((await get(SI)).status).toBe(200)
  })

  test('spoil a share of the answers, the same ones with the same seed', async () => {
    const order = { feed: 'l', kind: '503', count: null, probability: 0.3 }
    await post('fault', order)
    const first = await statuses(60)
    const spoilt = first.filter((status) => status === 503).length
    expect(spoilt).toBeGreaterThan(8)
    expect(spoilt).toBeLessThan(30)
    await server.close()
    server = await startFeedServer({
      host: '127.0.0.1',
      port: 0,
      mode: { kind: 'simulated' },
      speed: 1,
      seed: 1,
      clock,
      log: SILENT,
    })
    await post('fault', order)
    expect(await statuses(60)).toEqual(first)
  })

  test('are in force together, content first', async () => {
    const whole = decode((await get(L)).body).entity.length
    for (const kind of ['header-version', 'always-stopped'])
      await post('fault', { feed: 'l', kind, count: null })
    await post('fault', { feed: 'l', kind: 'shrink' })
    const small = decode((await get(L)).body)
    expect(small.entity).toHaveLength(Math.floor(whole * 0.1))
    expect(small.header.gtfsRealtimeVersion).toBe('0.2')
    expect(decode((await get(L)).body).entity).toHaveLength(whole)
  })

  test('a peculiar body has an ETag of its own, and 304 for who has it', async () => {
    const plain = (await get(L)).headers.etag ?? ''
    await post('fault', { feed: 'l', kind: 'route-aliases', count: null })
    const peculiar = await get(L, { 'If-None-Match': plain })
    expect(peculiar.status).toBe(200)
    const etag = peculiar.headers.etag ?? ''
    expect(etag).not.toBe(plain)
    expect((await get(L, { 'If-None-Match': etag })).status).toBe(304)
  })

  test('are listed: what can go wrong with which feed, and what is to', async () => {
    const { faults } = parsed(await get('/__sim/faults')) as {
      faults: { kind: string; quirks: string[]; about: string; feeds: string[] }[]
    }
    expect(faults.every(({ about, feeds }) => about.endsWith('.') && feeds.length > 0)).toBe(true)
    expect(faults.find(({ kind }) => kind === 'error-condition')?.feeds).toEqual(['siri'])
    await post('fault', { feed: 'l', kind: 'old-gps', seconds: 60, share: 0.5 })
    expect(parsed(await get('/__sim/fault'))).toEqual({
      orders: [
        {
          feed: 'mta-subway-l',
          kind: 'old-gps',
          left: null,
          until: new Date(NOW + 60_000).toISOString(),
          probability: 1,
          share: 0.5,
        },
      ],
    })
    const { feeds } = parsed(await get('/__sim/feeds')) as { feeds: { id: string }[] }
    expect(feeds.map(({ id }) => id)).toContain('icymta-siri')
  })

  test('are refused when the feed has nothing that they could spoil', async () => {
    for (const [order, expected] of [
      [{ feed: 'siri', kind: 'concat-two' }, 'a feed that concat-two can spoil'],
      [{ feed: 'l', kind: 'hang', probability: 0 }, 'probability to be'],
      [{ feed: 'l', kind: 'hang', share: 2 }, 'share to be'],
      [{ feed: 'l', kind: 'hang', seconds: 0 }, 'seconds to be'],
      [{ feed: 'l', kind: '429', retryAfter: -1 }, 'retryAfter to be'],
    ] as const) {
      const answer = await post('fault', order)
      expect([answer.status, parsed(answer)['message']]).toEqual([
        400,
        expect.stringContaining(expected),
      ])
    }
    const unknown = await rawRequest(`${server.url}/__sim/fault?kind=x`, { method: 'DELETE' })
    expect(unknown.status).toBe(400)
  })
})

describe('keys', () => {
  test.each(['/vehiclePositions', '/tripUpdates', '/alerts', '/api/siri/vehicle-monitoring.json'])(
    '%s: 401 without one, 403 with a wrong one',
    async (path) => {
      const answers = [
        await get(path),
        await get(`${path}?key=wrong`),
        await get(`${path}?key=right`),
      ]
      expect(answers.map(({ status }) => status)).toEqual([401, 403, 200])
    },
  )
})

describe('gzip', () => {
  test('is for who takes it', async () => {
    const codings = ['gzip', 'br, gzip;q=0.8', 'gzip;q=0', 'br', '']
    const answers = await Promise.all(
      codings.map((coding) => get(L, coding === '' ? {} : { 'Accept-Encoding': coding })),
    )
    expect(answers.map(({ headers }) => headers['content-encoding'])).toEqual([
      'gzip',
      'gzip',
      undefined,
      undefined,
      undefined,
    ])
    expect(answers.every(({ headers }) => headers.vary === 'Accept-Encoding')).toBe(true)
  })
})
