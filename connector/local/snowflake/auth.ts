// Key-pair JWTs in, scoped tokens out. Claims as clients send them: `iss` ACCOUNT.USER.SHA256:fingerprint,
// `sub` ACCOUNT.USER, `iat` and `exp` in seconds or, from Snowflake's own clients, in milliseconds.
import {
  createHash,
  createHmac,
  createPublicKey,
  type KeyObject,
  randomBytes,
  randomUUID,
  timingSafeEqual,
  verify,
} from 'node:crypto'
import type { Clock } from '../../api/clock.ts'
import { ConfigError, toMessage } from '../../api/errors.ts'
import { ApiError } from './errors.ts'

/** A user who may log in, with the key that `ALTER USER … SET RSA_PUBLIC_KEY` would register. */
export interface LocalUser {
  readonly name: string
  readonly publicKeyPem: string
  /** Programmatic access tokens that log this user in; none unless given. */
  readonly accessTokens?: readonly string[]
}

interface RegisteredUser {
  readonly name: string
  readonly key: KeyObject
  readonly fingerprint: string
}

const MILLISECONDS_ABOVE = 1e11
const CLOCK_SKEW_MS = 60_000
const LIFETIME_MAX_MS = 3_600_000
const CACHE_MAX = 1_000
const TOKEN_BYTES_MAX = 16_384

const invalid = (why: string, cause?: unknown): ApiError =>
  new ApiError(401, '390144', `JWT token is invalid: ${why}.`, { cause })

/** Verifies who calls. Scoped tokens are signed with a key of this process, so a restart voids them. */
export class Authenticator {
  readonly #users = new Map<string, RegisteredUser>()
  readonly #clock: Clock
  readonly #scopedTtlMs: number
  readonly #secret = randomBytes(32)
  /** Users by the digest of a programmatic access token. */
  readonly #accessTokens = new Map<string, string>()
  readonly #verified = new Map<string, { user: string; expiresAtMs: number }>()
  #notBeforeMs = 0

  constructor(options: { users: readonly LocalUser[]; clock: Clock; scopedTtlMs: number }) {
    this.#clock = options.clock
    this.#scopedTtlMs = options.scopedTtlMs
    for (const user of options.users) this.register(user)
  }

  /** Adds a user or replaces their key; a bare base64 body is taken as PEM without its frame. */
  register(user: LocalUser): void {
    const pem = user.publicKeyPem.includes('-----BEGIN')
      ? user.publicKeyPem
      : `-----BEGIN PUBLIC KEY-----\n${user.publicKeyPem}\n-----END PUBLIC KEY-----\n`
    let key: KeyObject
    try {
      key = createPublicKey(pem)
    } catch (error) {
      throw new ConfigError(`The public key of user ${user.name} cannot be read.`, { cause: error })
    }
    const der = key.export({ type: 'spki', format: 'der' })
    const fingerprint = `SHA256:${createHash('sha256').update(der).digest('base64')}`
    this.#users.set(user.name.toUpperCase(), { name: user.name.toUpperCase(), key, fingerprint })
    for (const token of user.accessTokens ?? [])
      this.#accessTokens.set(digestOf(token), user.name.toUpperCase())
    this.#verified.clear()
  }

  /** The user of a programmatic access token. @throws ApiError 401 for one that is not registered. */
  accessTokenUser(token: string): string {
    const user = this.#accessTokens.get(digestOf(token))
    if (user === undefined)
      throw new ApiError(401, '394400', 'Programmatic access token is invalid.')
    return user
  }

  /** The user of whatever the account's own calls carry, by its `X-Snowflake-Authorization-Token-Type`. */
  accountUser(token: string, type: string | undefined): string {
    return type === 'PROGRAMMATIC_ACCESS_TOKEN'
      ? this.accessTokenUser(token)
      : this.keyPairUser(token)
  }

  /** The user of a key-pair JWT. @throws ApiError 401 naming what is wrong with it. */
  keyPairUser(jwt: string): string {
    const cached = this.#verified.get(jwt)
    if (cached !== undefined && cached.expiresAtMs > this.#clock.now()) return cached.user
    const { header, claims, signed, signature } = parseJwt(jwt)
    if (header['alg'] !== 'RS256') throw invalid(`alg is ${String(header['alg'])}, not RS256`)
    const subject = textOf(claims['sub'])
    const user = this.#users.get(subject.slice(subject.indexOf('.') + 1).toUpperCase())
    if (user === undefined) throw invalid(`no user of subject '${subject}' has a registered key`)
    if (!textOf(claims['iss']).endsWith(`.${user.fingerprint}`))
      throw invalid(`the fingerprint in iss is not that of the key registered for ${user.name}`)
    if (!verify('RSA-SHA256', Buffer.from(signed), user.key, signature))
      throw invalid('the signature does not match the registered key')
    const expiresAtMs = this.#checkTimes(claims)
    this.#remember(jwt, user.name, expiresAtMs)
    return user.name
  }

  #checkTimes(claims: Readonly<Record<string, unknown>>): number {
    const now = this.#clock.now()
    const issued = toMilliseconds(claims['iat'])
    const expires = toMilliseconds(claims['exp'])
    if (issued === undefined || expires === undefined) throw invalid('iat or exp is missing')
    if (issued > now + CLOCK_SKEW_MS) throw invalid('iat lies in the future')
    if (expires <= now) throw invalid('it has expired')
    if (expires - issued > LIFETIME_MAX_MS) throw invalid('it is valid for more than an hour')
    return expires
  }

  #remember(jwt: string, user: string, expiresAtMs: number): void {
    if (this.#verified.size >= CACHE_MAX) this.#verified.clear()
    this.#verified.set(jwt, { user, expiresAtMs })
  }

  /** A token for the ingest plane: always a new one, since the SDK refreshes until it sees a change. */
  mintScopedToken(user: string, scope: string): string {
    const now = this.#clock.now()
    const signed = `${encode({ typ: 'JWT', alg: 'HS256' })}.${encode({
      sub: user,
      scope,
      iat: Math.floor(now / 1_000),
      exp: Math.ceil((now + this.#scopedTtlMs) / 1_000),
      iatMs: now,
      expMs: now + this.#scopedTtlMs,
      jti: randomUUID(),
    })}`
    return `${signed}.${this.#sign(signed).toString('base64url')}`
  }

  /** The user of a scoped token. @throws ApiError 401 when it is not ours or has expired. */
  scopedUser(token: string): string {
    const { claims, signed, signature } = parseJwt(token)
    const expected = this.#sign(signed)
    if (signature.length !== expected.length || !timingSafeEqual(signature, expected))
      throw new ApiError(401, '390303', 'Invalid OAuth access token.')
    if (Number(claims['expMs']) <= this.#clock.now() || Number(claims['iatMs']) < this.#notBeforeMs)
      throw new ApiError(401, '390318', 'OAuth access token expired.')
    return String(claims['sub'])
  }

  /** Every scoped token minted before now counts as expired. */
  expireScopedTokens(): void {
    this.#notBeforeMs = this.#clock.now() + 1
  }

  #sign(text: string): Buffer {
    return createHmac('sha256', this.#secret).update(text).digest()
  }
}

const digestOf = (secret: string): string => createHash('sha256').update(secret).digest('base64')

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')

/** A claim that must be text; anything else reads as empty. */
const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

interface ParsedJwt {
  readonly header: Readonly<Record<string, unknown>>
  readonly claims: Readonly<Record<string, unknown>>
  readonly signed: string
  readonly signature: Buffer
}

function parseJwt(token: string): ParsedJwt {
  const parts = token.split('.')
  const [header = '', claims = '', signature = ''] = parts
  if (parts.length !== 3 || token.length > TOKEN_BYTES_MAX) throw invalid('it has not three parts')
  try {
    return {
      header: jsonObject(header),
      claims: jsonObject(claims),
      signed: `${header}.${claims}`,
      signature: Buffer.from(signature, 'base64url'),
    }
  } catch (error) {
    throw invalid(`it cannot be decoded (${toMessage(error)})`, error)
  }
}

function jsonObject(part: string): Record<string, unknown> {
  const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'))
  if (typeof value !== 'object' || value === null) throw new TypeError('not a JSON object')
  return value as Record<string, unknown>
}

function toMilliseconds(value: unknown): number | undefined {
  const number = Number(value)
  if (value === undefined || !Number.isFinite(number)) return undefined
  return number > MILLISECONDS_ABOVE ? number : number * 1_000
}
