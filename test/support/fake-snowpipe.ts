// Snowpipe Streaming in memory, as its documentation and clients that ran against the service describe it: channels
// with client and row sequencers, continuation tokens, rows that wait for a commit, and the faults that hurt.
import { gunzipSync } from 'node:zlib'
import type { HttpRequest, HttpResponse, HttpSend } from '../../connector/snowflake/http.ts'
import { TransportError } from '../../connector/snowflake/http.ts'

interface Pending {
  readonly endToken: string
  readonly rows: readonly Row[]
}
export type Row = Readonly<Record<string, unknown>>

interface FakeChannel {
  clientSeq: number
  rowSeq: number
  committedToken: string | null
  pending: Pending[]
  status: string
  inserted: number
  errors: number
  lastError: string | null
  readonly committed: Row[]
}

/** `lost`: carried out, but no answer comes. `unsent`: neither. `slow`: carried out, answered at `release`. */
export type Fault =
  | { readonly kind: 'lost' | 'unsent' | 'slow' }
  | { readonly kind: 'status'; readonly status: number; readonly code?: string }

export class FakeSnowpipe {
  readonly channels = new Map<string, FakeChannel>()
  readonly requests: string[] = []
  /** Pipes that exist; `undefined`: all do. */
  pipes: Set<string> | undefined
  /** Used up one by one by data requests whose path holds `match`. */
  faults: { readonly match: string; readonly fault: Fault }[] = []
  /** Answers nothing at all. */
  isDown = false
  /** The host that takes rows; the ones before do not answer. */
  ingestHost = '127.0.0.1'
  isFrozen = false
  /** Rows for which this is true are rejected. */
  rejects: (row: Row) => boolean = () => false
  /** Accepts rows and forgets them, as after CREATE OR REPLACE TABLE. */
  discards = false
  wireBytesMax = 4_000_000
  #held: (() => void)[] = []
  #tokens = 0

  readonly send: HttpSend = async (request) => {
    // An answer never comes within the same turn of the event loop.
    await Promise.resolve()
    const url = new URL(request.url)
    this.requests.push(`${request.method} ${url.pathname}`)
    if (this.isDown || request.signal.aborted) refuse()
    const isAccount = url.pathname === '/v2/streaming/hostname' || url.pathname === '/oauth/token'
    if (!isAccount && url.hostname !== this.ingestHost) refuse()
    const at = this.faults.findIndex(({ match }) => url.pathname.includes(match))
    const fault = at < 0 ? undefined : this.faults.splice(at, 1)[0]?.fault
    if (fault?.kind === 'unsent') refuse()
    if (fault?.kind === 'status') return error(fault.status, fault.code)
    const answer = this.#answer(request, url)
    if (fault?.kind === 'lost') refuse()
    if (fault?.kind === 'slow') await new Promise<void>((resolve) => this.#held.push(resolve))
    return answer
  }

  /** Lets slow answers go. */
  release(): void {
    for (const resolve of this.#held.splice(0)) resolve()
  }

  /** Commits what waits, rows and token at once, unless commits are frozen. */
  commit(): void {
    if (this.isFrozen) return
    for (const channel of this.channels.values()) {
      for (const { endToken, rows } of channel.pending.splice(0)) {
        const bad = rows.filter((row) => this.rejects(row))
        const good = rows.filter((row) => !this.rejects(row))
        if (!this.discards) {
          channel.committed.push(...good)
          channel.inserted += good.length
        }
        channel.errors += bad.length
        if (bad.length > 0) channel.lastError = 'NULL result in a non-nullable column'
        channel.committedToken = endToken
      }
    }
  }

  /** The server side loses its trust in a channel: what is not committed is gone. */
  invalidate(name: string): void {
    const channel = this.channels.get(name)
    if (channel === undefined) return
    channel.status = 'ERR_CHANNEL_MUST_BE_REOPENED'
    channel.pending = []
    channel.clientSeq++
  }

  /** The service is started again: what is not committed is gone, and so are all continuation tokens. */
  restart(): void {
    for (const channel of this.channels.values()) {
      channel.pending = []
      channel.clientSeq++
    }
  }

  #answer(request: HttpRequest, url: URL): HttpResponse {
    if (request.headers['accept'] === undefined) return error(400, '391902')
    if (url.pathname === '/v2/streaming/hostname') return text(this.ingestHost)
    if (url.pathname === '/oauth/token') return text(this.#token())
    const status = /\/pipes\/([^/]+):bulk-channel-status$/.exec(url.pathname)
    if (status !== null) return this.#statuses(request)
    const [, pipe = '', channel = '', rows] =
      /\/pipes\/([^/]+)\/channels\/([^/]+)(\/rows)?$/.exec(url.pathname) ?? []
    if (this.pipes !== undefined && !this.pipes.has(decodeURIComponent(pipe))) {
      return error(404, 'ERR_PIPE_DOES_NOT_EXIST_OR_NOT_AUTHORIZED')
    }
    const name = decodeURIComponent(channel)
    if (rows !== undefined) return this.#append(name, request, url)
    return this.#open(name, JSON.parse(String(request.body)) as Row)
  }

  #token(): string {
    const claims = { exp: 4_102_444_800, jti: ++this.#tokens }
    return `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.x`
  }

  #open(name: string, body: Row): HttpResponse {
    const channel = this.channels.get(name) ?? {
      clientSeq: 0,
      rowSeq: 0,
      committedToken: null,
      pending: [],
      status: 'SUCCESS',
      inserted: 0,
      errors: 0,
      lastError: null,
      committed: [],
    }
    if (body['fail_on_uncommitted_rows'] === true && channel.pending.length > 0) {
      return error(409, 'ERR_CHANNEL_HAS_UNCOMMITTED_DATA')
    }
    this.channels.set(name, channel)
    channel.pending = []
    channel.clientSeq++
    channel.rowSeq = 0
    channel.status = 'SUCCESS'
    if (typeof body['offset_token'] === 'string') channel.committedToken = body['offset_token']
    return json({
      next_continuation_token: tokenOf(channel),
      channel_status: statusOf(name, channel),
    })
  }

  #append(name: string, request: HttpRequest, url: URL): HttpResponse {
    const channel = this.channels.get(name)
    if (channel === undefined) return error(404, 'ERR_CHANNEL_DOES_NOT_EXIST_OR_IS_NOT_AUTHORIZED')
    const body = request.body ?? new Uint8Array()
    if (body.length > this.wireBytesMax) return error(413, 'ERR_REQUEST_TOO_LARGE')
    const [clientSeq, rowSeq] = (url.searchParams.get('continuationToken') ?? '')
      .split('.')
      .map(Number)
    if (clientSeq !== channel.clientSeq) return error(400, 'STALE_CONTINUATION_TOKEN_SEQUENCER')
    if (rowSeq === channel.rowSeq) {
      const lines = gunzipSync(body).toString('utf8').split('\n')
      const rows = lines.filter((line) => line.trim() !== '').map((line) => JSON.parse(line) as Row)
      channel.pending.push({ endToken: url.searchParams.get('endOffsetToken') ?? '', rows })
      channel.rowSeq++
    } else if ((rowSeq ?? -1) > channel.rowSeq)
      return error(400, 'ERR_CHANNEL_HAS_INVALID_ROW_SEQUENCER')
    // A token that was used before: taken already, answered with the token that followed.
    return json({ next_continuation_token: tokenOf(channel) })
  }

  #statuses(request: HttpRequest): HttpResponse {
    const { channel_names } = JSON.parse(String(request.body)) as { channel_names: string[] }
    const found: Record<string, unknown> = {}
    for (const name of channel_names) {
      const channel = this.channels.get(name)
      if (channel !== undefined) found[name] = statusOf(name, channel)
    }
    return json({ channel_statuses: found })
  }
}

const refuse = (): never => {
  throw new TransportError('The connection was reset')
}

const tokenOf = ({ clientSeq, rowSeq }: FakeChannel): string => `${clientSeq}.${rowSeq}`

const statusOf = (name: string, channel: FakeChannel): object => ({
  channel_name: name,
  channel_status_code: channel.status,
  last_committed_offset_token: channel.committedToken,
  rows_inserted: channel.inserted,
  rows_parsed: channel.inserted + channel.errors,
  rows_error_count: channel.errors,
  last_error_message: channel.lastError,
  last_error_offset_upper_bound: channel.lastError === null ? null : channel.committedToken,
})

const json = (value: object): HttpResponse => ({
  status: 200,
  headers: { 'content-type': 'application/json' },
  body: Buffer.from(JSON.stringify(value)),
})
const text = (value: string): HttpResponse => ({
  status: 200,
  headers: {},
  body: Buffer.from(value),
})
const error = (status: number, code?: string): HttpResponse => ({
  status,
  headers: {},
  body: Buffer.from(code === undefined ? '' : JSON.stringify({ code, message: 'a fault' })),
})
