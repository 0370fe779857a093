// Puts the parts together that a connection to one account consists of.
import type { Clock } from '../api/clock.ts'
import { KeyPairAuth } from './auth.ts'
import { SnowpipeClient } from './client.ts'
import type { Login } from './connection-config.ts'
import { accessTokenCredential, type Credential, keyPairCredential } from './credential.ts'
import type { HttpSend } from './http.ts'
import { OAuthCredential } from './oauth.ts'
import { ServerClock } from './server-clock.ts'

/** The account, who asks, and as what. */
export interface ConnectionConfig {
  readonly accountUrl: string
  readonly account: string
  readonly user: string
  readonly role: string | undefined
  readonly login: Login
}

export interface ConnectionOutside {
  readonly send: HttpSend
  readonly clock: Clock
  readonly requestId: () => string
  readonly userAgent: string
  readonly timeoutMs: number
}

/** How this login proves who asks. @throws ConfigError when a file that it is in cannot be read. */
export function credentialOf(
  config: Pick<ConnectionConfig, 'login' | 'account' | 'user' | 'role'>,
  outside: Pick<ConnectionOutside, 'send' | 'timeoutMs'> & { readonly clock: { now(): number } },
): Credential {
  const { login, account, user, role } = config
  if (login.kind === 'oauth') return new OAuthCredential(login, outside)
  if (login.kind === 'token') return accessTokenCredential(login.read)
  return keyPairCredential(
    new KeyPairAuth({ account, user, role, key: login.key }, outside.clock, login.reload),
  )
}

/** A client, and the credential for the SQL session beside it. */
export function connectionTo(
  config: ConnectionConfig,
  outside: ConnectionOutside,
): { readonly client: SnowpipeClient; readonly credential: Credential } {
  const { accountUrl, role } = config
  const clock = new ServerClock(outside.clock)
  const credential = credentialOf(config, { ...outside, clock })
  return {
    credential,
    client: new SnowpipeClient({ ...outside, clock, accountUrl, role, credential }),
  }
}
