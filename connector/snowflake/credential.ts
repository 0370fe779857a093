// Who asks, and how that is proved: a key pair, a programmatic access token, or OAuth. What each sends was seen with
// Snowflake's own streaming SDK 1.9.1.
import { createHash } from 'node:crypto'
import type { KeyPairAuth } from './auth.ts'

/** What `X-Snowflake-Authorization-Token-Type` says of a token. */
export type TokenType = 'KEYPAIR_JWT' | 'OAUTH' | 'PROGRAMMATIC_ACCESS_TOKEN'

export interface Bearer {
  readonly text: string
  readonly type: TokenType
}

/** What Snowflake's driver needs for a login. */
export type DriverLogin =
  | { readonly authenticator: 'SNOWFLAKE_JWT'; readonly privateKey: string }
  | { readonly authenticator: 'PROGRAMMATIC_ACCESS_TOKEN' | 'OAUTH'; readonly token: string }

/** Proves to the account who asks. */
export interface Credential {
  /** Tells users' credentials apart and gives nothing away. */
  readonly identity: string
  /** Fields of the form that exchanges the bearer for a token of the ingest host. */
  readonly grant: Readonly<Record<string, string>>
  /** Whether it holds only while the clocks agree. */
  readonly dependsOnClock: boolean
  /** What calls to the account carry. @throws SnowpipeError, RetriableError when it has to be fetched and cannot. */
  bearer(signal: AbortSignal): Promise<Bearer>
  /** The account did not accept what `bearer` gave: the next one is made, read or fetched anew. */
  refused(): void
  /** @throws SnowpipeError, RetriableError as `bearer`. */
  driverLogin(signal: AbortSignal): Promise<DriverLogin>
}

const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange'

/** The grants by which a bearer becomes a token of the ingest host. */
export const GRANTS = {
  keyPair: { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer' },
  accessToken: {
    grant_type: TOKEN_EXCHANGE,
    subject_token_type: 'programmatic_access_token',
  },
  oauth: {
    grant_type: TOKEN_EXCHANGE,
    subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
  },
} as const

/** A key pair. After a refusal the key is read again where it comes from a file: it may have been rotated. */
export function keyPairCredential(auth: KeyPairAuth): Credential {
  return {
    get identity() {
      return auth.fingerprint
    },
    grant: GRANTS.keyPair,
    dependsOnClock: true,
    bearer: () => Promise.resolve({ text: auth.jwt(), type: 'KEYPAIR_JWT' }),
    refused: () => auth.invalidate(),
    driverLogin: () =>
      Promise.resolve({ authenticator: 'SNOWFLAKE_JWT', privateKey: auth.privateKeyPem }),
  }
}

/**
 * A programmatic access token. `read` gives it, each time as it is now, so that a file may be replaced.
 * https://docs.snowflake.com/en/user-guide/programmatic-access-tokens
 */
export function accessTokenCredential(read: () => string): Credential {
  let token = read()
  return {
    identity: digestOf(token),
    grant: GRANTS.accessToken,
    dependsOnClock: false,
    bearer: () => Promise.resolve({ text: token, type: 'PROGRAMMATIC_ACCESS_TOKEN' }),
    refused: () => {
      token = read()
    },
    driverLogin: () => Promise.resolve({ authenticator: 'PROGRAMMATIC_ACCESS_TOKEN', token }),
  }
}

/** A digest of a secret, for comparing. */
export const digestOf = (secret: string): string =>
  createHash('sha256').update(secret).digest('base64')
