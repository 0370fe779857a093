// Access tokens of an OAuth server: for a refresh token, or for the client's own credentials, as Snowflake's own
// connector (4.1) asks for them.
import { type Credential, digestOf, GRANTS } from './credential.ts'
import type { Password } from '../api/password.ts'
import { classify, jsonOf, SnowpipeError } from './errors.ts'
import type { HttpSend } from './http.ts'

export interface OAuthLogin {
  readonly clientId: string
  readonly clientSecret: Password
  /** Without one the client's own credentials are the grant. */
  readonly refreshToken: Password | undefined
  readonly endpoint: string
  readonly scope: string | undefined
}

export interface OAuthOutside {
  readonly send: HttpSend
  readonly clock: { now(): number }
  readonly timeoutMs: number
}

interface AccessToken {
  readonly text: string
  readonly expiresAtMs: number
}

/** When the server does not say: Snowflake's own OAuth gives ten minutes. */
const LIFE_S = 600
const LIFE_S_MIN = 65
/** A token is not used in its last minute. */
const MARGIN_MS = 60_000

/** Logs in by OAuth. Concurrent callers share one request. */
export class OAuthCredential implements Credential {
  readonly identity: string
  readonly grant = GRANTS.oauth
  readonly dependsOnClock = false
  readonly #login: OAuthLogin
  readonly #outside: OAuthOutside
  #refreshToken: string | undefined
  #token: Promise<AccessToken> | undefined

  constructor(login: OAuthLogin, outside: OAuthOutside) {
    this.#login = login
    this.#outside = outside
    this.#refreshToken = login.refreshToken?.reveal()
    this.identity = digestOf(JSON.stringify([login.endpoint, login.clientId, this.#refreshToken]))
  }

  async bearer(signal: AbortSignal): Promise<{ text: string; type: 'OAUTH' }> {
    return { text: await this.#access(signal), type: 'OAUTH' }
  }

  async driverLogin(signal: AbortSignal): Promise<{ authenticator: 'OAUTH'; token: string }> {
    return { authenticator: 'OAUTH', token: await this.#access(signal) }
  }

  refused(): void {
    this.#token = undefined
  }

  async #access(signal: AbortSignal): Promise<string> {
    this.#token ??= this.#ask(signal)
    let current = this.#token
    try {
      let token = await current
      if (this.#outside.clock.now() >= token.expiresAtMs - MARGIN_MS) {
        // The first of several callers to get here asks for a new one.
        if (this.#token === current) this.#token = this.#ask(signal)
        current = this.#token ?? this.#ask(signal)
        token = await current
      }
      return token.text
    } catch (error) {
      if (this.#token === current) this.#token = undefined
      throw error
    }
  }

  async #ask(signal: AbortSignal): Promise<AccessToken> {
    const { clientId, clientSecret, endpoint, scope } = this.#login
    const { clock, send, timeoutMs } = this.#outside
    const grant: Record<string, string> =
      this.#refreshToken === undefined
        ? { grant_type: 'client_credentials' }
        : { grant_type: 'refresh_token', refresh_token: this.#refreshToken }
    const form = new URLSearchParams(scope === undefined ? grant : { ...grant, scope })
    const basic = Buffer.from(`${clientId}:${clientSecret.reveal()}`).toString('base64')
    const response = await send({
      method: 'POST',
      url: endpoint,
      headers: {
        accept: 'application/json',
        'content-type': 'application/x-www-form-urlencoded',
        authorization: `Basic ${basic}`,
      },
      body: Buffer.from(form.toString()),
      timeoutMs,
      signal,
    })
    const what = `for OAuth client ${clientId}`
    const error = classify('token', what, response, clock.now())
    if (error !== undefined) throw error
    const json = jsonOf(response.body)
    const answer = typeof json === 'object' ? json : {}
    const text = answer['access_token']
    if (typeof text !== 'string' || text === '') {
      throw new SnowpipeError(
        `The OAuth server answered with HTTP ${response.status} and no access_token ${what}`,
        { reaction: 'wait', status: response.status },
      )
    }
    // Servers may replace the refresh token each time (RFC 6749, 6).
    const next = answer['refresh_token']
    if (this.#refreshToken !== undefined && typeof next === 'string' && next !== '') {
      this.#refreshToken = next
    }
    const life = Number(answer['expires_in'] ?? LIFE_S)
    const lifeS = Math.max(Number.isFinite(life) ? life : LIFE_S, LIFE_S_MIN)
    return { text, expiresAtMs: clock.now() + lifeS * 1_000 }
  }
}
