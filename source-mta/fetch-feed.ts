// One poll of one feed: a request with a total time-out, and what its answer means.
import type { Clock } from '../connector/api/clock.ts'
import { ConnectError, toMessage } from '../connector/api/errors.ts'
import { authorize, withoutSecret } from './feed-auth.ts'
import type { FeedSpec } from './config.ts'
import type { FeedFormat } from './feeds.ts'
import { type HttpAnswer, HttpError, type HttpGet } from './fetch-http.ts'
import type { PollOutcome } from './outcome.ts'

const RETRY_AFTER_MAX_MS = 600_000
const TEXT_MAX = 200
const USER_AGENT = 'mta-connect'

/** Which version of a feed we have, for a conditional request. */
export interface Validators {
  readonly etag: string | null
  readonly lastModified: string | null
}

/** What came of a poll. `body` exactly when the outcome is OK so far: it is still to be decoded. */
export interface Fetched {
  readonly outcome: PollOutcome
  /** For people; without secrets. */
  readonly reason: string
  readonly body: Uint8Array | undefined
  /** HTTP status; undefined without an answer. */
  readonly status: number | undefined
  readonly wireBytes: number
  readonly validators: Validators
  /** When the answer was complete, milliseconds since the Unix epoch. */
  readonly fetchedAtMs: number
  readonly tookMs: number
  /** What Retry-After asked for. */
  readonly retryAfterMs: number | undefined
}

export interface FetchDeps {
  readonly http: HttpGet
  readonly clock: Clock
}

/** Asks once. Never rejects: whatever goes wrong is an outcome. An abort is a NETWORK outcome. */
export async function fetchFeed(
  feed: FeedSpec,
  validators: Validators,
  deps: FetchDeps,
  signal: AbortSignal,
): Promise<Fetched> {
  const startedAt = deps.clock.now()
  let classified: Classified
  let answer: HttpAnswer | undefined
  try {
    answer = await getInTime(feed, validators, deps, signal)
    classified = classify(answer, feed.format)
  } catch (error) {
    classified = classifyError(error)
  }
  const fetchedAtMs = deps.clock.now()
  return {
    outcome: classified.outcome,
    reason: withoutSecret(classified.reason, feed.auth),
    body: classified.outcome === 'OK' ? answer?.body : undefined,
    status: answer?.status,
    wireBytes: answer?.wireBytes ?? 0,
    validators: {
      etag: answer?.headers['etag'] ?? null,
      lastModified: answer?.headers['last-modified'] ?? null,
    },
    fetchedAtMs,
    tookMs: fetchedAtMs - startedAt,
    retryAfterMs: retryAfterMs(answer, fetchedAtMs),
  }
}

interface Classified {
  readonly outcome: PollOutcome
  readonly reason: string
}

class TimeoutError extends ConnectError {}

async function getInTime(
  feed: FeedSpec,
  validators: Validators,
  { http, clock }: FetchDeps,
  signal: AbortSignal,
): Promise<HttpAnswer> {
  const { url, headers } = authorize(new URL(feed.url), feed.auth)
  const request = new AbortController()
  const answered = new AbortController()
  const abort = (): void => request.abort(signal.reason)
  if (signal.aborted) abort()
  signal.addEventListener('abort', abort, { once: true })
  const timer = clock.sleep(feed.timeoutMs, answered.signal).then(
    () => request.abort(new TimeoutError(`No complete answer within ${feed.timeoutMs} ms`)),
    () => undefined, // Answered in time.
  )
  try {
    return await http(
      {
        url,
        headers: { ...baseHeaders(validators, feed.format), ...headers },
        bytesMax: feed.bytesMax,
        ...(feed.auth.kind === 'query' && { secretParameter: feed.auth.name }),
      },
      request.signal,
    )
  } finally {
    signal.removeEventListener('abort', abort)
    answered.abort()
    await timer
  }
}

const ACCEPT = {
  protobuf: 'application/x-protobuf, application/octet-stream;q=0.9, */*;q=0.8',
  json: 'application/json, */*;q=0.8',
} as const

function baseHeaders(
  { etag, lastModified }: Validators,
  format: FeedFormat,
): Record<string, string> {
  return {
    accept: format === 'gtfs-realtime' ? ACCEPT.protobuf : ACCEPT.json,
    'user-agent': USER_AGENT,
    ...(etag === null ? {} : { 'if-none-match': etag }),
    ...(lastModified === null ? {} : { 'if-modified-since': lastModified }),
  }
}

function classify({ status, body }: HttpAnswer, format: FeedFormat): Classified {
  if (status === 304) return { outcome: 'UNCHANGED', reason: 'not modified' }
  if (status === 429) return { outcome: 'THROTTLED', reason: 'HTTP 429, asked too often' }
  if (status === 401 || status === 403) {
    return { outcome: 'CONFIG', reason: `HTTP ${status}, wrong path or key: ${shown(body)}` }
  }
  if (status === 404 || status === 410) {
    return { outcome: 'CONFIG', reason: `HTTP ${status}, no such feed` }
  }
  if (status !== 200) return { outcome: 'HTTP_ERROR', reason: `HTTP ${status}` }
  if (body.length === 0) return { outcome: 'EMPTY', reason: 'an empty body' }
  if (format !== 'gtfs-realtime') {
    // With a byte order mark or without.
    return /^(\u00ef\u00bb\u00bf)?\s*[{[]/.test(start(body))
      ? { outcome: 'OK', reason: '' }
      : { outcome: 'NOT_JSON', reason: `no JSON: ${shown(body)}` }
  }
  // A FeedMessage can begin with none of these; content types are not to be believed.
  if (/^\s*[<{[]/.test(start(body)) && body[0] !== 0x0a) {
    return { outcome: 'NOT_PROTOBUF', reason: `a text instead of a feed: ${shown(body)}` }
  }
  return { outcome: 'OK', reason: '' }
}

function classifyError(error: unknown): Classified {
  if (error instanceof TimeoutError) return { outcome: 'TIMEOUT', reason: error.message }
  if (!(error instanceof HttpError)) return { outcome: 'NETWORK', reason: toMessage(error) }
  const outcome = error.failure === 'REDIRECT' ? 'HTTP_ERROR' : error.failure
  return { outcome, reason: error.message }
}

/** Seconds or an HTTP date, at most ten minutes. */
function retryAfterMs(answer: HttpAnswer | undefined, nowMs: number): number | undefined {
  const text = answer?.headers['retry-after']
  if (text === undefined) return undefined
  const ms = /^\d+$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - nowMs
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), RETRY_AFTER_MAX_MS)
}

const start = (body: Uint8Array): string =>
  Buffer.from(body.subarray(0, TEXT_MAX)).toString('latin1')

/** The beginning of a text in one line. */
const shown = (body: Uint8Array): string =>
  start(body)
    .replaceAll(/[^\u0020-\u007e]+/g, ' ')
    .trim()
