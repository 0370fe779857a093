// The way to the host that takes rows: which one it is, and a token for it.
import { EXPIRY_MARGIN_MS, expiryOf } from './auth.ts'
import type { Credential, TokenType } from './credential.ts'
import { classify, jsonOf, type Operation, SnowpipeError } from './errors.ts'
import type { HttpRequest, HttpResponse, HttpSend } from './http.ts'
import type { ServerClock } from './server-clock.ts'

export interface SnowpipeClientOptions {
  /** The account's address, e.g. `https://org-account.snowflakecomputing.com`. */
  readonly accountUrl: string
  readonly role: string | undefined
  readonly credential: Credential
  readonly send: HttpSend
  /** Takes in the time of every answer. */
  readonly clock: ServerClock
  readonly requestId: () => string
  readonly userAgent: string
  readonly timeoutMs: number
}

/** A request without what all have in common. */
export interface Call {
  readonly method: HttpRequest['method']
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: Uint8Array
  readonly signal: AbortSignal
}

interface ScopedToken {
  readonly text: string
  readonly expiresAtMs: number
}

/** Requests in a row without a proper answer, after which the host is asked for again. */
const UNANSWERED_MAX = 2
/** For tokens whose life cannot be read. */
const TOKEN_LIFE_MS = 5 * 60_000

export const isUnauthorized = (response: HttpResponse): boolean =>
  response.status === 401 || response.status === 403

/** Where requests with rows go, from what `/v2/streaming/hostname` answered: a host, `host:port` or a URL. */
export function ingestUrl(answer: string, accountUrl: string): string {
  const account = new URL(accountUrl)
  if (/^https?:\/\//.test(answer)) return new URL(answer).origin
  const url = new URL(`${account.protocol}//${answer}`)
  if (!/:\d+$/.test(answer)) url.port = account.port
  return url.origin
}

/** Sends a request with what every request carries. */
export async function sendWith(
  o: SnowpipeClientOptions,
  request: Omit<HttpRequest, 'timeoutMs'>,
  token: { readonly text: string; readonly type: TokenType },
): Promise<HttpResponse> {
  const sentMs = o.clock.localNow()
  const response = await o.send({
    ...request,
    headers: {
      ...request.headers,
      // Without it the service answers 391902.
      accept: 'application/json',
      'accept-charset': 'UTF-8',
      'user-agent': o.userAgent,
      authorization: `Bearer ${token.text}`,
      'x-snowflake-authorization-token-type': token.type,
    },
    timeoutMs: o.timeoutMs,
  })
  o.clock.heard(response.headers['date'], sentMs)
  return response
}

/** Host and token of one account, asked for once, however many channels wait for them. */
export class IngestAccess {
  readonly #o: SnowpipeClientOptions
  #host: Promise<string> | undefined
  /** The host that took requests last. */
  #knownHost: string | undefined
  /** Requests to it in a row that came to nothing. */
  #unanswered = 0
  #token: Promise<ScopedToken> | undefined
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

  /** A request went to `base`; whether a proper answer came. */
  tried(base: string, isAnswer: boolean): void {
    this.#unanswered = isAnswer ? 0 : this.#unanswered + 1
    if (isAnswer) this.#knownHost = base
    else if (this.#unanswered >= UNANSWERED_MAX) this.#host = undefined
  }

  /** This token was answered with 401 or 403: it is not given out again. */
  refused(token: string): void {
    this.#refused = token
  }

  /**
   * Concurrent callers share one request; a failed one is forgotten so that the next call asks again. Until somebody
   * tells, the host that was known goes on being used.
   */
  async host(signal: AbortSignal): Promise<string> {
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

  /** A token for the host `base` that is good for another minute at least. */
  async token(base: string, signal: AbortSignal): Promise<string> {
    this.#token ??= this.#mint(base, signal)
    const current = this.#token
    try {
      const token = await current
      const isFresh = this.#o.clock.now() < token.expiresAtMs - EXPIRY_MARGIN_MS
      if (isFresh && token.text !== this.#refused) return token.text
      // The first of several callers to get here asks for a new one.
      if (this.#token === current) this.#token = this.#mint(base, signal)
      const minted = await this.#token
      return minted?.text ?? (await this.#mint(base, signal)).text
    } catch (error) {
      this.#token = undefined
      throw error
    }
  }

  async #mint(base: string, signal: AbortSignal): Promise<ScopedToken> {
    const { role, credential } = this.#o
    const host = new URL(base).hostname
    const form = new URLSearchParams({
      ...credential.grant,
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

  /** A call to the account itself; a refusal is tried once more when there is another credential by then. */
  async #account(operation: Operation, what: string, call: Call): Promise<HttpResponse> {
    const { accountUrl, clock, credential, requestId } = this.#o
    const id = requestId()
    let bearer = await credential.bearer(call.signal)
    for (let retries = 0; ; retries++) {
      const { method, headers, body, signal } = call
      const url = `${accountUrl}${call.path}?${idQuery({ id, retries })}`
      const response = await sendWith(this.#o, { method, url, headers, body, signal }, bearer)
      if (isUnauthorized(response)) {
        credential.refused()
        const next = await credential.bearer(signal)
        if (retries === 0 && next.text !== bearer.text) {
          bearer = next
          continue
        }
        this.#checkClock(response)
      }
      const error = classify(operation, what, response, clock.now())
      if (error === undefined) return response
      throw error
    }
  }

  #checkClock(response: HttpResponse): void {
    const { clock, credential } = this.#o
    if (clock.tooFarMs === undefined || !credential.dependsOnClock) return
    const seconds = Math.round(Math.abs(clock.tooFarMs) / 1_000)
    throw new SnowpipeError(
      `Snowflake does not accept the key-pair token (HTTP ${response.status}): this machine's clock is ${seconds} s ` +
        `${clock.tooFarMs > 0 ? 'behind' : 'ahead of'} Snowflake's, and at most 900 s are made up for; set the clock`,
      { reaction: 'fail', status: response.status },
    )
  }
}

/** The same `id` over all repetitions of one request, counted by `retries`. */
export interface RequestAttempt {
  readonly id: string
  readonly retries: number
}

export const idQuery = ({ id, retries }: RequestAttempt): string =>
  `requestId=${id}&retryCount=${retries}`

/** A 2xx that does not say what it must: the request may have been carried out, and may be repeated. */
export const unreadable = (operation: Operation, response: HttpResponse): SnowpipeError =>
  new SnowpipeError(
    `Snowflake answered ${operation} with HTTP ${response.status} and ${response.body.length} bytes that cannot be read`,
    { reaction: 'retry', status: response.status },
  )
