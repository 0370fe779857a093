// Snowpipe Streaming's REST API (high-performance architecture), one method per call and one exchange per call:
// who calls decides about retries, since only the channel knows which bytes and tokens must be repeated.
// https://docs.snowflake.com/en/user-guide/snowpipe-streaming/snowpipe-streaming-high-performance-rest-api
import { classify, jsonOf, type Operation, SnowpipeError } from './errors.ts'
import type { HttpResponse } from './http.ts'
import { pathSegment } from './identifiers.ts'
import {
  type Call,
  idQuery,
  IngestAccess,
  isUnauthorized,
  type RequestAttempt,
  sendWith,
  type SnowpipeClientOptions,
  unreadable,
} from './ingest-access.ts'

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

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]'])

/** True for addresses of this machine: the only ones that plain HTTP is allowed for. */
export const isLoopback = (host: string): boolean => LOOPBACK.has(host)

/** Speaks to one account. Host and token are asked for once, however many channels wait for them. */
export class SnowpipeClient {
  readonly #o: SnowpipeClientOptions
  readonly #access: IngestAccess

  constructor(options: SnowpipeClientOptions) {
    this.#o = options
    this.#access = new IngestAccess(options)
  }

  /** Forgets host and token; the next call asks for both. */
  rediscover(): void {
    this.#access.rediscover()
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

  async #ingest(operation: Operation, what: string, call: Call): Promise<HttpResponse> {
    for (let refreshed = false; ; refreshed = true) {
      const base = await this.#access.host(call.signal)
      const token = await this.#access.token(base, call.signal)
      const response = await this.#sendTo(base, token, call)
      if (isUnauthorized(response) && !refreshed) {
        this.#access.refused(token)
        continue
      }
      const error = classify(operation, what, response, this.#o.clock.localNow())
      if (error === undefined) return response
      if (error.reaction === 'rediscover') this.rediscover()
      throw error
    }
  }

  /** A host that does not answer, or knows nothing of the path, may have been given up without a word. */
  async #sendTo(base: string, token: string, call: Call): Promise<HttpResponse> {
    const { method, path, headers, body, signal } = call
    const request = { method, url: base + path, headers, body, signal }
    let isAnswer = false
    try {
      const response = await sendWith(this.#o, request, { text: token, type: 'OAUTH' })
      isAnswer = response.status !== 404
      return response
    } finally {
      this.#access.tried(base, isAnswer)
    }
  }
}

const pipePath = (plane: '' | '/data', { database, schema, pipe }: PipeName): string =>
  `/v2/streaming${plane}/databases/${pathSegment(database)}/schemas/${pathSegment(schema)}/pipes/${pathSegment(pipe)}`

const channelPath = (plane: '' | '/data', pipe: PipeName, channel: string): string =>
  `${pipePath(plane, pipe)}/channels/${encodeURIComponent(channel)}`

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
