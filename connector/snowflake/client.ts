// Snowpipe Streaming's REST API (high-performance architecture), one method per call and one exchange per call:
// who calls decides about retries, since only the channel knows which bytes and tokens must be repeated.
// https://docs.snowflake.com/en/user-guide/snowpipe-streaming/snowpipe-streaming-high-performance-rest-api
import type { Clock } from '../api/clock.ts'
import { pathSegment } from './identifiers.ts'
import { classify, jsonOf, type Operation, SnowpipeError } from './errors.ts'
import { EXPIRY_MARGIN_MS, expiryOf, type KeyPairAuth } from './auth.ts'
import type { HttpRequest, HttpResponse, HttpSend } from './http.ts'

/** The same `id` over all repetitions of one request, counted by `retries`. */
export interface RequestAttempt {
  readonly id: string
  readonly retries: number
}

export interface PipeName {
  readonly database: string
  readonly schema: string
  readonly pipe: string
}

/** A channel as Snowflake sees it. Counters are totals over the channel's life. */
export interface ChannelStatus {
  /** `SUCCESS` for a valid channel. */
  readonly code: string
  readonly committedToken: string | null
  readonly rowsInserted: number
  readonly rowsError: number
  readonly lastErrorMessage: string | null
  readonly lastErrorTokenUpperBound: string | null
}

export interface OpenedChannel {
  readonly continuationToken: string
  readonly status: ChannelStatus
}

export interface AppendRequest {
  readonly continuationToken: string
  readonly startToken: string
  readonly endToken: string
  /** NDJSON, compressed as `encoding` says. */
  readonly body: Uint8Array
  readonly encoding: 'gzip' | 'zstd'
  readonly rawBytes: number
  /** When the oldest row was taken in, in milliseconds. */
  readonly oldestMs: number
}

export interface OpenRequest {
  readonly failOnUncommittedRows: boolean
  /** Sets the channel's token. */
  readonly offsetToken?: string
}

export interface SnowpipeClientOptions {
  /** The account's address, e.g. `https://org-account.snowflakecomputing.com`. */
  readonly accountUrl: string
  readonly role: string | undefined
  readonly auth: KeyPairAuth
  readonly send: HttpSend
  readonly clock: Clock
  readonly userAgent: string
  readonly timeoutMs: number
}

interface ScopedToken {
  readonly text: string
  readonly expiresAtMs: number
}

/** Requests in a row without a proper answer, after which the host is asked for again. */
const UNANSWERED_MAX = 2
/** For tokens whose life cannot be read. */
const TOKEN_LIFE_MS = 5 * 60_000
const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]'])

/** True for addresses of this machine: the only ones that plain HTTP is allowed for. */
export const isLoopback = (host: string): boolean => LOOPBACK.has(host)

/** Where requests with rows go, from what `/v2/streaming/hostname` answered: a host, `host:port` or a URL. */
export function ingestUrl(answer: string, accountUrl: string): string {
  const account = new URL(accountUrl)
  if (/^https?:\/\//.test(answer)) return new URL(answer).origin
  const url = new URL(`${account.protocol}//${answer}`)
  if (!/:\d+$/.test(answer)) url.port = account.port
  return url.origin
}

/** Speaks to one account. Host and token are asked for once, however many channels wait for them. */
export class SnowpipeClient {
  readonly #o: SnowpipeClientOptions
  #host: Promise<string> | undefined
  #token: Promise<ScopedToken> | undefined
  /** The host that took requests last. */
  #knownHost: string | undefined
  /** Requests to it in a row that came to nothing. */
  #unanswered = 0
  /** The last token that was answered with 401 or 403. */
  #refused: string | undefined

  constructor(options: SnowpipeClientOptions) {
    this.#o = options
  }

  /** Forgets host and token; the next call asks for both. */
  rediscover(): void {
    this.#host = undefined
    this.#knownHost = undefined
    this.#token = undefined
  }

  async open(
    pipe: PipeName,
    channel: string,
    request: OpenRequest & { readonly attempt: RequestAttempt; readonly signal: AbortSignal },
  ): Promise<OpenedChannel> {
    const response = await this.#ingest('open', `channel ${channel}`, {
      method: 'PUT',
      path: `${channelPath('', pipe, channel)}?${idQuery(request.attempt)}`,
      headers: { 'content-type': 'application/json' },
      body: Buffer.from(
        JSON.stringify({
          fail_on_uncommitted_rows: request.failOnUncommittedRows,
          offset_token: request.offsetToken,
        }),
      ),
      signal: request.signal,
    })
    const json = jsonOf(response.body)
    const status = typeof json === 'object' ? readStatus(json['channel_status']) : undefined
    const token = typeof json === 'object' ? json['next_continuation_token'] : undefined
    if (status === undefined || typeof token !== 'string') throw unreadable('open', response)
    return { continuationToken: token, status }
  }

  /** The next continuation token. */
  async append(
    pipe: PipeName,
    channel: string,
    rows: AppendRequest,
    call: { readonly attempt: RequestAttempt; readonly signal: AbortSignal },
  ): Promise<string> {
    const query = [
      `startOffsetToken=${encodeURIComponent(rows.startToken)}`,
      `endOffsetToken=${encodeURIComponent(rows.endToken)}`,
      `continuationToken=${encodeURIComponent(rows.continuationToken)}`,
      idQuery(call.attempt),
    ].join('&')
    const response = await this.#ingest('append', `to channel ${channel}`, {
      method: 'POST',
      path: `${channelPath('/data', pipe, channel)}/rows?${query}`,
      headers: {
        'content-type': 'application/x-ndjson',
        'content-encoding': rows.encoding,
        'x-snowflake-uncompressed-content-length': String(rows.rawBytes),
        'x-snowflake-min-append-timestamp-ms': String(rows.oldestMs),
      },
      body: rows.body,
      signal: call.signal,
    })
    const json = jsonOf(response.body)
    const token = typeof json === 'object' ? json['next_continuation_token'] : undefined
    // The rows may have been taken: repeating the same request is safe and gives the token again.
    if (typeof token !== 'string') throw unreadable('append', response)
    return token
  }

  /** The status of each channel that Snowflake knows; the others are absent. */
  async statuses(
    pipe: PipeName,
    channels: readonly string[],
    call: { readonly attempt: RequestAttempt; readonly signal: AbortSignal },
  ): Promise<ReadonlyMap<string, ChannelStatus>> {
    const response = await this.#ingest('status', `of pipe ${pipe.pipe}`, {
      method: 'POST',
      path: `${pipePath('', pipe)}:bulk-channel-status?${idQuery(call.attempt)}`,
      headers: { 'content-type': 'application/json' },
      body: Buffer.from(JSON.stringify({ channel_names: channels })),
      signal: call.signal,
    })
    const json = jsonOf(response.body)
    const statuses = typeof json === 'object' ? json['channel_statuses'] : undefined
    if (typeof statuses !== 'object' || statuses === null) throw unreadable('status', response)
    const result = new Map<string, ChannelStatus>()
    for (const [name, value] of Object.entries(statuses)) {
      const status = readStatus(value)
      if (status !== undefined) result.set(name, status)
    }
    return result
  }

  /** Deletes the channel and its position; one that does not exist is fine. */
  async drop(
    pipe: PipeName,
    channel: string,
    call: { readonly attempt: RequestAttempt; readonly signal: AbortSignal },
  ): Promise<void> {
    try {
      await this.#ingest('drop', `channel ${channel}`, {
        method: 'DELETE',
        path: `${channelPath('', pipe, channel)}?${idQuery(call.attempt)}`,
        headers: {},
        signal: call.signal,
      })
    } catch (error) {
      if (!(error instanceof SnowpipeError && error.status === 404 && error.code !== undefined)) {
        throw error
      }
    }
  }

  async #ingest(operation: Operation, what: string, call: IngestCall): Promise<HttpResponse> {
    for (let refreshed = false; ; refreshed = true) {
      const base = await this.#ingestHost(call.signal)
      const token = await this.#scopedToken(base, call.signal)
      const response = await this.#sendRows(base, token, call)
      if (isUnauthorized(response) && !refreshed) {
        this.#refused = token
        continue
      }
      const error = classify(operation, what, response, this.#o.clock.now())
      if (error === undefined) return response
      if (error.reaction === 'rediscover') this.rediscover()
      throw error
    }
  }

  /** A host that does not answer, or knows nothing of the path, may have been given up without a word. */
  async #sendRows(base: string, token: string, call: IngestCall): Promise<HttpResponse> {
    const { method, path, headers, body, signal } = call
    let isAnswer = false
    try {
      const response = await this.#send(
        { method, url: base + path, headers, body, signal },
        token,
        'OAUTH',
      )
      isAnswer = response.status !== 404
      return response
    } finally {
      this.#unanswered = isAnswer ? 0 : this.#unanswered + 1
      if (isAnswer) this.#knownHost = base
      else if (this.#unanswered >= UNANSWERED_MAX) this.#host = undefined
    }
  }

  /**
   * Concurrent callers share one request; a failed one is forgotten so that the next call asks again. Until somebody
   * tells, the host that was known goes on being used.
   */
  async #ingestHost(signal: AbortSignal): Promise<string> {
    this.#host ??= this.#discover(signal)
    const current = this.#host
    try {
      return await current
    } catch (error) {
      if (this.#host === current) this.#host = undefined
      if (this.#knownHost === undefined) throw error
      return this.#knownHost
    }
  }

  async #discover(signal: AbortSignal): Promise<string> {
    const response = await this.#account('hostname', 'the ingest host', {
      method: 'GET',
      path: '/v2/streaming/hostname',
      headers: {},
      signal,
    })
    const json = jsonOf(response.body)
    const answer =
      typeof json === 'object' ? json['hostname'] : (json ?? response.body.toString('utf8'))
    if (typeof answer !== 'string' || answer.trim() === '') throw unreadable('hostname', response)
    try {
      return ingestUrl(answer.trim(), this.#o.accountUrl)
    } catch {
      throw unreadable('hostname', response) // Not a host name: new URL has nothing more to say.
    }
  }

  async #scopedToken(base: string, signal: AbortSignal): Promise<string> {
    this.#token ??= this.#mint(base, signal)
    const current = this.#token
    try {
      const token = await current
      const isFresh = this.#o.clock.now() < token.expiresAtMs - EXPIRY_MARGIN_MS
      if (isFresh && token.text !== this.#refused) return token.text
      // The first of several callers to get here asks for a new one.
      if (this.#token === current) this.#token = this.#mint(base, signal)
      const minted = await this.#token
      return minted.text
    } catch (error) {
      this.#token = undefined
      throw error
    }
  }

  async #mint(base: string, signal: AbortSignal): Promise<ScopedToken> {
    const { role } = this.#o
    const host = new URL(base).hostname
    const form = new URLSearchParams({
      grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
      scope: role === undefined ? host : `${host} session:role:${role}`,
    })
    const response = await this.#account('token', 'for the ingest host', {
      method: 'POST',
      path: '/oauth/token',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: Buffer.from(form.toString()),
      signal,
    })
    const json = jsonOf(response.body)
    const token =
      typeof json === 'object'
        ? (json['token'] ?? json['access_token'])
        : (json ?? response.body.toString('utf8'))
    if (typeof token !== 'string' || token.trim() === '') throw unreadable('token', response)
    const text = token.trim()
    const now = this.#o.clock.now()
    const expiresAtMs = expiryOf(text) ?? now + TOKEN_LIFE_MS
    // A life shorter than the margin would mean a new token for each request.
    return { text, expiresAtMs: Math.max(expiresAtMs, now + EXPIRY_MARGIN_MS + 5_000) }
  }

  /** A call to the account itself, with the key-pair JWT. */
  async #account(operation: Operation, what: string, call: IngestCall): Promise<HttpResponse> {
    for (let refreshed = false; ; refreshed = true) {
      const response = await this.#send(
        {
          method: call.method,
          url: this.#o.accountUrl + call.path,
          headers: call.headers,
          body: call.body,
          signal: call.signal,
        },
        this.#o.auth.jwt(),
        'KEYPAIR_JWT',
      )
      if (isUnauthorized(response) && !refreshed) {
        this.#o.auth.invalidate()
        continue
      }
      const error = classify(operation, what, response, this.#o.clock.now())
      if (error === undefined) return response
      throw error
    }
  }

  #send(
    request: Omit<HttpRequest, 'timeoutMs'>,
    token: string,
    tokenType: 'OAUTH' | 'KEYPAIR_JWT',
  ): Promise<HttpResponse> {
    return this.#o.send({
      ...request,
      headers: {
        ...request.headers,
        // Without it the service answers 391902.
        accept: 'application/json',
        'accept-charset': 'UTF-8',
        'user-agent': this.#o.userAgent,
        authorization: `Bearer ${token}`,
        'x-snowflake-authorization-token-type': tokenType,
      },
      timeoutMs: this.#o.timeoutMs,
    })
  }
}

interface IngestCall {
  readonly method: HttpRequest['method']
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: Uint8Array
  readonly signal: AbortSignal
}

const isUnauthorized = (response: HttpResponse): boolean =>
  response.status === 401 || response.status === 403

const idQuery = ({ id, retries }: RequestAttempt): string => `requestId=${id}&retryCount=${retries}`

const pipePath = (plane: '' | '/data', { database, schema, pipe }: PipeName): string =>
  `/v2/streaming${plane}/databases/${pathSegment(database)}/schemas/${pathSegment(schema)}/pipes/${pathSegment(pipe)}`

const channelPath = (plane: '' | '/data', pipe: PipeName, channel: string): string =>
  `${pipePath(plane, pipe)}/channels/${encodeURIComponent(channel)}`

/** A 2xx that does not say what it must: the request may have been carried out, and may be repeated. */
const unreadable = (operation: Operation, response: HttpResponse): SnowpipeError =>
  new SnowpipeError(
    `Snowflake answered ${operation} with HTTP ${response.status} and ${response.body.length} bytes that cannot be read`,
    { reaction: 'retry', status: response.status },
  )

/** Reads a channel's status; the field names differ between documentation and service. */
export function readStatus(value: unknown): ChannelStatus | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const status = value as Readonly<Record<string, unknown>>
  const code = status['channel_status_code']
  if (typeof code !== 'string') return undefined
  return {
    // The documentation's examples say ACTIVE where the service says SUCCESS.
    code: code === 'ACTIVE' ? 'SUCCESS' : code,
    committedToken: text(status['last_committed_offset_token']),
    rowsInserted: count(status['rows_inserted']),
    rowsError: count(status['rows_error_count'] ?? status['rows_errors']),
    lastErrorMessage: text(status['last_error_message']),
    lastErrorTokenUpperBound: text(status['last_error_offset_upper_bound']),
  }
}

const text = (value: unknown): string | null => (typeof value === 'string' ? value : null)
const count = (value: unknown): number => {
  const n = Number(value ?? 0)
  return Number.isSafeInteger(n) ? n : 0
}
