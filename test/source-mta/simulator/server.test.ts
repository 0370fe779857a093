import { gunzipSync } from 'node:zlib'
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
    clock,
    log: SILENT,
  })
})
afterEach(() => server.close())

const get = (path: string, headers: Record<string, string> = {}): Promise<Answer> =>
  rawRequest(`${server.url}${path}`, { headers })
const order = (fault: object): Promise<Answer> =>
  rawRequest(`${server.url}/__sim/fault`, { method: 'POST', body: JSON.stringify(fault) })
const entityCount = (answer: Answer): number => decode(answer.body).entity.length
const stamp = (answer: Answer): number => Number(decode(answer.body).header.timestamp)

describe('feed server', () => {
  test('serves every feed at its own raw path', async () => {
    for (const key of ['', '-ace', '-bdfm', '-g', '-jz', '-nqrw', '-l', '-si']) {
      const answer = await get(`/Dataservice/mtagtfsfeeds/nyct%2Fgtfs${key}`)
      expect(answer.status).toBe(200)
      expect(entityCount(answer)).toBeGreaterThan(10)
    }
    for (const path of [
      '/Dataservice/mtagtfsfeeds/lirr%2Fgtfs-lirr',
      '/Dataservice/mtagtfsfeeds/mnr%2Fgtfs-mnr',
      '/vehiclePositions?key=secret',
    ])
      expect(entityCount(await get(path))).toBeGreaterThan(100)
  })

  test('answers 304 to who has the body, until the next one is made', async () => {
    const first = await get(L)
    const etag = first.headers.etag ?? ''
    expect(etag).toMatch(/^"[0-9a-f]{32}"$/)
    expect((await get(L, { 'If-None-Match': etag })).status).toBe(304)
    const modified = first.headers['last-modified'] ?? ''
    expect((await get(L, { 'If-Modified-Since': modified })).status).toBe(304)
    await clock.advance(15_000)
    const next = await get(L, { 'If-None-Match': etag, 'If-Modified-Since': modified })
    expect(next.status).toBe(200)
    expect(stamp(next) - stamp(first)).toBe(15)
  })

  test('packs the body for who takes gzip', async () => {
    const plain = await get(L)
    const packed = await get(L, { 'Accept-Encoding': 'br, gzip' })
    expect(packed.headers['content-encoding']).toBe('gzip')
    expect(packed.body.length).toBeLessThan(plain.body.length / 2)
    expect(gunzipSync(packed.body).equals(plain.body)).toBe(true)
  })

  test('a bus feed needs a key', async () => {
    expect((await get('/vehiclePositions')).status).toBe(401)
    expect((await get('/vehiclePositions?key=')).status).toBe(401)
    expect((await get('/vehiclePositions?key=k')).status).toBe(200)
  })

  test('an unknown key is 200 with XML, an unescaped slash 403 with JSON, all else 404', async () => {
    const unknown = await get('/Dataservice/mtagtfsfeeds/nyct%2Fgtfs-7')
    expect([unknown.status, unknown.body.toString()]).toEqual([
      200,
      expect.stringContaining('NoSuchKey'),
    ])
    const unescaped = await get('/Dataservice/mtagtfsfeeds/nyct/gtfs-l')
    expect([unescaped.status, unescaped.body.toString()]).toEqual([
      403,
      '{"message":"Missing Authentication Token"}',
    ])
    expect((await get('/elsewhere')).status).toBe(404)
    expect((await rawRequest(`${server.url}${L}`, { method: 'POST', body: 'x' })).status).toBe(405)
  })

  test('counts what it served', async () => {
    await get(L)
    await rawRequest(`${server.url}${L}`, { method: 'HEAD' })
    const status = JSON.parse((await get('/__sim/status')).body.toString()) as {
      feeds: Record<string, { served: number }>
    }
    expect(status.feeds['mta-subway-l']).toMatchObject({ served: 1 })
    expect(status.feeds['mta-lirr']).toMatchObject({ served: 0 })
  })

  test('refuses a speed out of range', async () => {
    const options = { host: '127.0.0.1', port: 0, mode: { kind: 'simulated' }, seed: 1 } as const
    await expect(startFeedServer({ ...options, speed: 0, clock, log: SILENT })).rejects.toThrow(
      'Speed: expected 1 to 120, got 0.',
    )
  })

  test('says which address is taken', async () => {
    const port = Number(new URL(server.url).port)
    const options = { host: '127.0.0.1', port, mode: { kind: 'simulated' }, seed: 1 } as const
    await expect(startFeedServer({ ...options, speed: 1, clock, log: SILENT })).rejects.toThrow(
      `cannot listen on 127.0.0.1:${port}`,
    )
  })
})

describe('faults', () => {
  test('spoil so many responses of that feed and no other', async () => {
    expect((await order({ feed: 'l', kind: '503', count: 2 })).status).toBe(200)
    expect((await get(SI)).status).toBe(200)
    const statuses = [await get(L), await get(L), await get(L)].map(({ status }) => status)
    expect(statuses).toEqual([503, 503, 200])
  })

  test('are refused with what was expected', async () => {
    const messages = await Promise.all(
      [
        { feed: 'x', kind: '503' },
        { feed: 'l', kind: 'x' },
        { feed: 'l', kind: '503', count: 0 },
      ].map(async (fault) => (await order(fault)).body.toString()),
    )
    expect(messages[0]).toContain('Expected feed to be *')
    expect(messages[1]).toContain('empty200, html200, xml-nosuchkey200')
    expect(messages[2]).toContain('Expected count to be 1 to')
  })

  test('can be called off', async () => {
    await order({ feed: '*', kind: 'empty200', count: 5 })
    await rawRequest(`${server.url}/__sim/fault`, { method: 'DELETE' })
    expect((await get(L)).body.length).toBeGreaterThan(1000)
  })

  test.each([
    { kind: 'empty200', status: 200, type: 'application/x-protobuf', text: /^$/ },
    { kind: 'html200', status: 200, type: 'text/html', text: /^<!DOCTYPE html>/ },
    { kind: 'xml-nosuchkey200', status: 200, type: 'application/xml', text: /NoSuchKey/ },
    { kind: 'json403', status: 403, type: 'application/json', text: /Missing Auth/ },
    { kind: '429', status: 429, type: 'text/plain', text: /Slow down/ },
    { kind: '503', status: 503, type: 'text/plain', text: /Slow down/ },
  ])('$kind is no feed at all', async ({ kind, status, type, text }) => {
    await order({ feed: 'l', kind, retryAfter: 7 })
    const answer = await get(L)
    expect(answer.status).toBe(status)
    expect(answer.headers['content-type']).toBe(type)
    expect(answer.body.toString()).toMatch(text)
    expect(answer.headers['retry-after']).toBe(/^\d/.test(kind) ? '7' : undefined)
  })

  test('wrong-content-type: good bytes under the name of a template', async () => {
    const good = await get(L)
    await order({ feed: 'l', kind: 'wrong-content-type' })
    const answer = await get(L)
    expect(answer.headers['content-type']).toBe('${header.s3FileType}')
    expect(answer.body.equals(good.body)).toBe(true)
  })

  test('truncate-mid: ends within an entity and does not decode', async () => {
    await order({ feed: 'l', kind: 'truncate-mid' })
    const answer = await get(L)
    expect(answer.body.length).toBeGreaterThan(1000)
    expect(() => decode(answer.body)).toThrow(RangeError)
  })

  test('truncate-boundary and shrink: fewer entities, and nothing to notice it by', async () => {
    const good = entityCount(await get(L))
    await order({ feed: 'l', kind: 'truncate-boundary' })
    await order({ feed: 'l', kind: 'shrink' })
    expect(entityCount(await get(L))).toBe(Math.floor(good * 0.35))
    expect(entityCount(await get(L))).toBe(Math.floor(good * 0.1))
  })

  test('headers that go back, stand still, or move alone', async () => {
    const first = await get(L)
    await clock.advance(15_000)
    for (const kind of ['header-regress', 'header-frozen', 'advance-frozen-content'])
      await order({ feed: 'l', kind })
    const [regressed, frozen, alone] = [await get(L), await get(L), await get(L)]
    const good = await get(L)
    expect(stamp(good) - stamp(regressed)).toBe(60)
    expect(stamp(frozen)).toBe(stamp(first))
    expect(decode(frozen.body).entity).toEqual(decode(good.body).entity)
    expect(stamp(alone)).toBe(stamp(good))
    expect(decode(alone.body).entity).toEqual(decode(first.body).entity)
  })

  test('duplicate-entity-ids: two entities each share one id', async () => {
    await order({ feed: 'l', kind: 'duplicate-entity-ids' })
    const ids = decode((await get(L)).body).entity.map(({ id }) => id)
    expect(new Set(ids).size).toBe(Math.ceil(ids.length / 2))
    expect(ids.slice(0, 2)).toEqual(['pair-0', 'pair-0'])
  })

  test('concat-two: decodes as one message with the entities of both', async () => {
    const first = entityCount(await get(L))
    await clock.advance(60_000)
    const second = entityCount(await get(L))
    await order({ feed: 'l', kind: 'concat-two' })
    expect(entityCount(await get(L))).toBe(2 * second)
    expect(first).toBeGreaterThan(0)
  })

  test('hang: not one byte', async () => {
    await order({ feed: 'l', kind: 'hang' })
    await expect(rawRequest(`${server.url}${L}`, { timeoutMs: 200 })).rejects.toThrow('aborted')
  })

  test('slow-drip: a little at a time', async () => {
    await order({ feed: 'l', kind: 'slow-drip' })
    const chunks: number[] = []
    const answer = await fetch(`${server.url}${L}`)
    const reader = answer.body?.getReader()
    const { value } = (await reader?.read()) ?? {}
    if (value !== undefined) chunks.push(value.length)
    await reader?.cancel()
    expect(Number(answer.headers.get('content-length'))).toBeGreaterThan(1000)
    expect(chunks).toEqual([64])
  })
})
