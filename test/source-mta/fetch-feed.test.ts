import { expect, test } from 'vitest'
import { Password } from '../../connector/api/password.ts'
import type { FeedSpec } from '../../source-mta/config.ts'
import { fetchFeed } from '../../source-mta/fetch-feed.ts'
import {
  type HttpAnswer,
  HttpError,
  type HttpGet,
  type HttpRequest,
} from '../../source-mta/fetch-http.ts'
import { FakeClock, settled } from '../support/fake-clock.ts'
import { bus, feedBody } from '../support/feed-bodies.ts'

const FEED: FeedSpec = {
  id: 'f',
  url: 'https://feeds.test/x%2Fy',
  profile: 'generic',
  format: 'gtfs-realtime',
  timeZone: 'America/New_York',
  hasLocalTime: false,
  select: { routes: [], stops: [], directions: [], box: undefined },
  pollIntervalMs: 15_000,
  pollFloorMs: 0,
  timeoutMs: 10_000,
  bytesMax: 1_000_000,
  entitiesMax: 1_000,
  backoffMaxMs: 60_000,
  auth: { kind: 'none' },
}
const NONE = { etag: null, lastModified: null }
const never = new AbortController().signal

const answer = (fields: Partial<HttpAnswer> = {}): HttpAnswer => ({
  status: 200,
  headers: {},
  body: feedBody([bus('1')]),
  wireBytes: 10,
  ...fields,
})

/** Never answers. */
const hang: HttpGet = (_request, signal) =>
  new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error))
  })

function failing(failure: Error): HttpGet {
  const rejection = Promise.reject<HttpAnswer>(failure)
  return () => rejection
}

const fetchWith = (http: HttpGet, feed = FEED, clock = new FakeClock()) =>
  fetchFeed(feed, NONE, { http, clock }, never)

test.each([
  ['a feed', answer(), 'OK'],
  ['304', answer({ status: 304, body: new Uint8Array() }), 'UNCHANGED'],
  ['an empty body', answer({ body: new Uint8Array() }), 'EMPTY'],
  ['HTML with 200', answer({ body: Buffer.from('<!doctype html>') }), 'NOT_PROTOBUF'],
  ['XML with 200', answer({ body: Buffer.from('<?xml?><Error>NoSuchKey') }), 'NOT_PROTOBUF'],
  ['JSON with 200', answer({ body: Buffer.from(' {"a": 1}') }), 'NOT_PROTOBUF'],
  ['403', answer({ status: 403, body: Buffer.from('{"message":"Missing"}') }), 'CONFIG'],
  ['401', answer({ status: 401 }), 'CONFIG'],
  ['404', answer({ status: 404 }), 'CONFIG'],
  ['429', answer({ status: 429 }), 'THROTTLED'],
  ['503', answer({ status: 503 }), 'HTTP_ERROR'],
  ['a redirect to nowhere', answer({ status: 302 }), 'HTTP_ERROR'],
])('%s is read as what it is', async (_name, given, outcome) => {
  const fetched = await fetchWith(() => Promise.resolve(given))
  expect(fetched.outcome).toBe(outcome)
  expect(fetched.body === undefined).toBe(outcome !== 'OK')
})

test.each([
  [new HttpError('TRUNCATED', 'cut off'), 'TRUNCATED'],
  [new HttpError('TOO_LARGE', 'too large'), 'TOO_LARGE'],
  [new HttpError('REDIRECT', 'round and round'), 'HTTP_ERROR'],
  [new HttpError('NETWORK', 'refused'), 'NETWORK'],
  [new TypeError('a bug'), 'NETWORK'],
])('%s is an outcome, not an exception', async (error, outcome) => {
  expect((await fetchWith(failing(error))).outcome).toBe(outcome)
})

test('gives up a server that says nothing', async () => {
  const clock = new FakeClock()
  const fetched = fetchWith(hang, FEED, clock)
  await clock.advance(9_999)
  expect(clock.sleeping).toBe(1)
  await clock.advance(1)
  expect(await fetched).toMatchObject({ outcome: 'TIMEOUT', tookMs: 10_000 })
})

test('leaves no timer behind', async () => {
  const clock = new FakeClock()
  await fetchWith(() => Promise.resolve(answer()), FEED, clock)
  await settled()
  expect(clock.sleeping).toBe(0)
})

test('ends when it is aborted', async () => {
  const stop = new AbortController()
  const fetched = fetchFeed(FEED, NONE, { http: hang, clock: new FakeClock() }, stop.signal)
  stop.abort()
  expect((await fetched).outcome).toBe('NETWORK')
})

test('asks conditionally for what it has', async () => {
  let seen: HttpRequest | undefined
  const http: HttpGet = (request) => {
    seen = request
    return Promise.resolve(answer({ headers: { etag: '"2"', 'last-modified': 'today' } }))
  }
  const deps = { http, clock: new FakeClock() }
  const fetched = await fetchFeed(FEED, { etag: '"1"', lastModified: 'then' }, deps, never)
  expect(seen?.headers).toMatchObject({ 'if-none-match': '"1"', 'if-modified-since': 'then' })
  expect(fetched.validators).toEqual({ etag: '"2"', lastModified: 'today' })
})

test('keeps the escaped slash, adds the key, and shows it nowhere', async () => {
  let url = ''
  const secret = new Password('s3cret')
  const feed: FeedSpec = { ...FEED, auth: { kind: 'query', name: 'key', value: secret } }
  const fetched = await fetchWith((request) => {
    url = request.url.href
    return Promise.reject(new HttpError('NETWORK', `No answer from ${request.url.host}`))
  }, feed)
  expect(url).toBe('https://feeds.test/x%2Fy?key=s3cret')
  expect(JSON.stringify([fetched, feed])).not.toContain('s3cret')
})

test.each([
  ['7', 7_000],
  ['86400', 600_000],
  [new Date(20_000).toUTCString(), 20_000],
  ['soon', undefined],
])('Retry-After: %s', async (text, ms) => {
  const http: HttpGet = () =>
    Promise.resolve(answer({ status: 429, headers: { 'retry-after': text } }))
  expect((await fetchWith(http)).retryAfterMs).toBe(ms)
})

test.each([
  ['{"Siri":{}}', 'OK'],
  ['\uFEFF [1]', 'OK'],
  ['<Siri/>', 'NOT_JSON'],
  ['Bad Gateway', 'NOT_JSON'],
])('of a feed in JSON %s is %s', async (text, outcome) => {
  let accepted: string | undefined
  const http: HttpGet = ({ headers }) => {
    accepted = headers['accept']
    return Promise.resolve(answer({ body: Buffer.from(text) }))
  }
  expect((await fetchWith(http, { ...FEED, format: 'siri-vm-json' })).outcome).toBe(outcome)
  expect(accepted).toBe('application/json, */*;q=0.8')
})

test('what a server says of the key is not repeated', async () => {
  const feed: FeedSpec = {
    ...FEED,
    auth: { kind: 'header', name: 'x-api-key', value: new Password('s3cret+') },
  }
  const body = Buffer.from('key s3cret+ (s3cret%2B) is not known')
  const { reason } = await fetchWith(() => Promise.resolve(answer({ status: 403, body })), feed)
  expect(reason).toContain('key [hidden] ([hidden]) is not known')
})
