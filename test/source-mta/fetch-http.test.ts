import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterEach, expect, test } from 'vitest'
import { httpGet } from '../../source-mta/fetch-http.ts'
import { scanFeed } from '../../source-mta/scan.ts'
import { HEADER_S, bus, feedBody } from '../support/feed-bodies.ts'
import { newFeedState } from '../support/feed-fixtures.ts'

const servers: http.Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    server.close()
  }
})

/** A server on a free port; answers its address. */
async function serve(handler: http.RequestListener): Promise<string> {
  const server = http.createServer(handler)
  servers.push(server)
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const get = (url: string, bytesMax = 1_000, headers = {}) =>
  httpGet({ url: new URL(url), headers, bytesMax }, new AbortController().signal)

test('reads status, headers and body, with the path as it was given', async () => {
  let path: string | undefined
  const base = await serve((request, response) => {
    path = request.url
    response.setHeader('etag', '"1"')
    response.end('hello')
  })
  const answer = await get(`${base}/Dataservice/mtagtfsfeeds/nyct%2Fgtfs-ace`)
  expect(path).toBe('/Dataservice/mtagtfsfeeds/nyct%2Fgtfs-ace')
  expect(answer).toMatchObject({ status: 200, wireBytes: 5, headers: { etag: '"1"' } })
  expect(Buffer.from(answer.body).toString()).toBe('hello')
})

test('unpacks gzip', async () => {
  const base = await serve((request, response) => {
    expect(request.headers['accept-encoding']).toBe('gzip')
    response.setHeader('content-encoding', 'gzip')
    response.end(gzipSync('x'.repeat(900)))
  })
  const answer = await get(base)
  expect(answer.body).toHaveLength(900)
  expect(answer.wireBytes).toBeLessThan(100)
})

test('stops at the limit, as sent and unpacked', async () => {
  const plain = await serve((_request, response) => response.end('x'.repeat(1_001)))
  const packed = await serve((_request, response) => {
    response.setHeader('content-encoding', 'gzip')
    response.end(gzipSync('x'.repeat(100_000)))
  })
  await expect(get(plain)).rejects.toMatchObject({ failure: 'TOO_LARGE' })
  await expect(get(packed)).rejects.toMatchObject({ failure: 'TOO_LARGE' })
})

test('notices a body that ends early', async () => {
  const plain = await serve((_request, response) => {
    response.writeHead(200, { 'content-length': '100' })
    response.write('half')
    setImmediate(() => response.destroy())
  })
  const packed = await serve((_request, response) => {
    response.setHeader('content-encoding', 'gzip')
    response.end(gzipSync('x'.repeat(900)).subarray(0, 15))
  })
  await expect(get(plain)).rejects.toMatchObject({ failure: 'TRUNCATED' })
  await expect(get(packed)).rejects.toMatchObject({ failure: 'TRUNCATED' })
})

test('follows three redirects, and takes no secret to another origin', async () => {
  const seen: unknown[] = []
  const other = await serve((request, response) => {
    seen.push(request.headers['x-api-key'])
    response.end('there')
  })
  const base = await serve((request, response) => {
    seen.push(request.headers['x-api-key'])
    const location = request.url === '/0' ? '/1' : request.url === '/1' ? `${other}/2` : '/loop'
    response.writeHead(302, { location })
    response.end()
  })
  const answer = await get(`${base}/0`, 1_000, { 'x-api-key': 's3cret' })
  expect(Buffer.from(answer.body).toString()).toBe('there')
  expect(seen).toEqual(['s3cret', 's3cret', undefined])
  await expect(get(`${base}/loop`)).rejects.toMatchObject({ failure: 'REDIRECT' })
})

test('a secret parameter stays on its own server', async () => {
  const seen: (string | undefined)[] = []
  const other = await serve((request, response) => {
    seen.push(request.url)
    response.end()
  })
  const base = await serve((request, response) => {
    seen.push(request.url)
    const location = request.url?.startsWith('/0') ? '/1?key=s3cret' : `${other}/2?key=s3cret&a=b`
    response.writeHead(307, { location })
    response.end()
  })
  const url = new URL(`${base}/0?key=s3cret`)
  await httpGet(
    { url, headers: {}, bytesMax: 10, secretParameter: 'key' },
    new AbortController().signal,
  )
  expect(seen).toEqual(['/0?key=s3cret', '/1?key=s3cret', '/2?a=b'])
})

test('does not follow to another protocol', async () => {
  const base = await serve((_request, response) => {
    response.writeHead(302, { location: 'ftp://127.0.0.1/x' })
    response.end()
  })
  await expect(get(base)).rejects.toMatchObject({ failure: 'REDIRECT' })
})

test('a refused connection is a failure without the query', async () => {
  const base = await serve((_request, response) => response.end())
  servers.splice(0).forEach((server) => server.close())
  const failure = await get(`${base}/?key=s3cret`).catch((error: unknown) => error)
  expect(failure).toMatchObject({ failure: 'NETWORK' })
  expect(String(failure)).not.toContain('s3cret')
})

test('gives up in the middle of a body when it is aborted', async () => {
  const stop = new AbortController()
  const base = await serve((_request, response) => {
    response.write('half')
    setImmediate(() => stop.abort(new Error('enough')))
  })
  const request = { url: new URL(base), headers: {}, bytesMax: 1_000 }
  await expect(httpGet(request, stop.signal)).rejects.toThrow('enough')
})

test('a chunked body that ends exactly between two entities comes as a whole one, and is told by its shortness', async () => {
  const buses = Array.from({ length: 30 }, (_, index) => bus(`${index}`))
  const bodies = [0, 15, 30].map((later) => feedBody(buses, { timestamp: HEADER_S + later }))
  const [whole = new Uint8Array(), second = new Uint8Array(), third = new Uint8Array()] = bodies
  const { bytes } = scanFeed(second, 100).entities[9] ?? { bytes: second }
  const end = bytes.byteOffset - second.byteOffset + bytes.byteLength
  const answers = [whole, second.subarray(0, end), third]
  const base = await serve((request, response) => {
    expect(request.method).toBe('GET')
    response.writeHead(200, { 'transfer-encoding': 'chunked' })
    response.end(answers.shift())
  })
  const state = newFeedState('obanyc')
  const results = []
  for (const at of [0, 15, 30]) {
    // oxlint-disable-next-line no-await-in-loop
    const { status, headers, body } = await get(base, 100_000)
    expect([status, headers['content-length']]).toEqual([200, undefined])
    const fetchedAtMs = (HEADER_S + at) * 1_000
    results.push(state.accept({ bytes: body, fetchedAtMs, etag: null, lastModified: null }))
  }
  expect(results.map(({ outcome, events }) => [outcome, events.length])).toEqual([
    ['OK', 30],
    ['SHRUNK', 0],
    ['OK', 0],
  ])
})
