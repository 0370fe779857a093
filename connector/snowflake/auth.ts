// Key-pair authentication: the JWT that Snowflake takes in exchange for nothing but a private key.
// https://docs.snowflake.com/en/user-guide/key-pair-auth
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  createSign,
  type KeyObject,
} from 'node:crypto'
import type { Clock } from '../api/clock.ts'
import { ConfigError } from '../api/errors.ts'
import type { Password } from '../api/password.ts'

/** Snowflake refuses tokens that are valid for more than an hour. */
const LIFETIME_S = 3_540
/** A token is not used in its last minute, so that it cannot expire on the way. */
export const EXPIRY_MARGIN_MS = 60_000
/** Clocks that are up to this much ahead of Snowflake's still make tokens that it accepts. */
const SKEW_S = 30

/** Identifies the user towards Snowflake. */
export interface Identity {
  /** As in the URL; a region suffix is not part of the name. */
  readonly account: string
  readonly user: string
  readonly role: string | undefined
  readonly key: KeyObject
}

/**
 * Reads an RSA private key: PEM (PKCS#8, encrypted PKCS#8 or PKCS#1) or its base64 content without header
 * and line ends, as Snowflake's own connector is configured.
 *
 * @throws ConfigError that says what is wrong, never what the key is.
 */
export function readPrivateKey(text: string, passphrase: Password | undefined): KeyObject {
  const secret = passphrase === undefined ? {} : { passphrase: passphrase.reveal() }
  const problems: unknown[] = []
  for (const pem of candidates(text, passphrase !== undefined)) {
    try {
      const key = createPrivateKey({ key: pem, ...secret })
      if (key.asymmetricKeyType === 'rsa') return key
      problems.push(new Error(`it is a key of type ${key.asymmetricKeyType}, expected RSA`))
    } catch (error) {
      problems.push(error)
    }
  }
  const [first] = problems
  throw new ConfigError(
    'The private key cannot be read: expected an RSA key as PEM (PKCS#8 or PKCS#1) or its bare base64 content, ' +
      (passphrase === undefined ? 'not encrypted' : 'with the right passphrase'),
    { cause: first },
  )
}

function candidates(text: string, encrypted: boolean): readonly string[] {
  // Properties files hold a PEM in one line, with \n written out or with blanks in their place.
  const trimmed = text.trim().replaceAll(String.raw`\n`, '\n')
  const pem = /-----BEGIN ([A-Z ]+)-----([\s\S]*?)-----END \1-----/.exec(trimmed)
  if (pem !== null) {
    const [, label = '', content = ''] = pem
    return content.includes(':') ? [trimmed] : [wrap(label, content)]
  }
  const labels = encrypted ? ['ENCRYPTED PRIVATE KEY'] : ['PRIVATE KEY', 'RSA PRIVATE KEY']
  return labels.map((label) => wrap(label, trimmed))
}

function wrap(label: string, content: string): string {
  const lines = content.replaceAll(/\s+/g, '').match(/.{1,64}/g) ?? []
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n')
}

/** `SHA256:<base64>` of the public key, as `DESC USER` shows in `RSA_PUBLIC_KEY_FP`. */
export function fingerprint(key: KeyObject): string {
  const der = createPublicKey(key).export({ type: 'spki', format: 'der' })
  return `SHA256:${createHash('sha256').update(der).digest('base64')}`
}

/** The account's name as tokens carry it: upper case, without a region. */
export const accountName = (account: string): string =>
  (account.split('.')[0] ?? account).toUpperCase()

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')

/** Makes key-pair JWTs and keeps each until shortly before it expires: signing on every status poll would be a real cost. */
export class KeyPairAuth {
  readonly #identity: Identity
  readonly #clock: Pick<Clock, 'now'>
  readonly #reloadKey: (() => KeyObject) | undefined
  readonly #subject: string
  #key: KeyObject
  #fingerprint: string
  #cached: { readonly jwt: string; readonly expiresAtMs: number } | undefined

  /** `reloadKey` reads the key again where that may give another one, e.g. from a file. */
  constructor(identity: Identity, clock: Pick<Clock, 'now'>, reloadKey?: () => KeyObject) {
    this.#identity = identity
    this.#clock = clock
    this.#reloadKey = reloadKey
    this.#subject = `${accountName(identity.account)}.${identity.user.toUpperCase()}`
    this.#key = identity.key
    this.#fingerprint = fingerprint(identity.key)
  }

  /** Of the key that is in use. */
  get fingerprint(): string {
    return this.#fingerprint
  }

  /** The key in use as unencrypted PKCS#8, for Snowflake's driver. */
  get privateKeyPem(): string {
    return String(this.#key.export({ type: 'pkcs8', format: 'pem' }))
  }

  jwt(): string {
    const now = this.#clock.now()
    if (this.#cached !== undefined && now < this.#cached.expiresAtMs - EXPIRY_MARGIN_MS) {
      return this.#cached.jwt
    }
    const iat = Math.floor(now / 1_000) - SKEW_S
    const exp = iat + LIFETIME_S
    const jwt = this.#sign({
      iss: `${this.#subject}.${this.#fingerprint}`,
      sub: this.#subject,
      iat,
      exp,
      ...this.#scope(),
    })
    this.#cached = { jwt, expiresAtMs: exp * 1_000 }
    return jwt
  }

  /** Forgets the cached token, e.g. after a 401, and reads the key again: it may have been rotated. */
  invalidate(): void {
    this.#cached = undefined
    try {
      this.#key = this.#reloadKey?.() ?? this.#key
      this.#fingerprint = fingerprint(this.#key)
    } catch {
      // A file that is just being replaced: the old key stays, and the refusal that follows is what is told.
    }
  }

  #scope(): { readonly scp?: string } {
    const { role } = this.#identity
    return role === undefined ? {} : { scp: `session:role:${role}` }
  }

  #sign(claims: object): string {
    const text = `${encode({ alg: 'RS256', typ: 'JWT' })}.${encode(claims)}`
    const signature = createSign('RSA-SHA256').update(text).sign(this.#key, 'base64url')
    return `${text}.${signature}`
  }
}

/** When a JWT expires, in milliseconds; undefined for what is not a JWT or does not say. */
export function expiryOf(jwt: string): number | undefined {
  const [, claims] = jwt.split('.')
  if (claims === undefined) return undefined
  try {
    const { exp } = JSON.parse(Buffer.from(claims, 'base64url').toString('utf8')) as {
      exp?: unknown
    }
    if (typeof exp !== 'number' || !Number.isFinite(exp)) return undefined
    return exp > 1e11 ? exp : exp * 1_000 // Some issuers write milliseconds.
  } catch {
    return undefined // Not a JWT; the caller then assumes a short life.
  }
}
