import { randomBytes } from 'node:crypto'
import type { Clock } from '../../../api/clock.ts'
import type { Session } from '../sql/session.ts'

/** A session with the two tokens that its client holds. */
export interface OpenSession {
  readonly session: Session
  token: string
  masterToken: string
  expiresMs: number
  masterExpiresMs: number
}

/** How long a session token is good for, in seconds; a client renews it with the master token. */
export const SESSION_SECONDS = 3_600
/** The same of the master token, which every heartbeat and renewal extends. */
export const MASTER_SECONDS = 14_400
const SESSIONS_MAX = 1_000

export type Found =
  | { readonly kind: 'found'; readonly open: OpenSession }
  | { readonly kind: 'expired' }
  | { readonly kind: 'gone' }

/** The sessions of all logins. Tokens are secrets of 32 random bytes. */
export class Sessions {
  readonly #clock: Clock
  readonly #byToken = new Map<string, OpenSession>()
  readonly #byMaster = new Map<string, OpenSession>()
  #nextId = 1

  constructor(clock: Clock) {
    this.#clock = clock
  }

  open(details: Omit<Session, 'id'>): OpenSession {
    if (this.#byToken.size >= SESSIONS_MAX) this.#closeOldest()
    const now = this.#clock.now()
    const open: OpenSession = {
      session: { ...details, id: now * 1_000 + this.#nextId++ },
      token: newToken(),
      masterToken: newToken(),
      expiresMs: now + SESSION_SECONDS * 1_000,
      masterExpiresMs: now + MASTER_SECONDS * 1_000,
    }
    this.#byToken.set(open.token, open)
    this.#byMaster.set(open.masterToken, open)
    return open
  }

  #closeOldest(): void {
    for (const open of this.#byToken.values()) {
      this.close(open)
      return
    }
  }

  ofToken(token: string): Found {
    const open = this.#byToken.get(token)
    if (open === undefined) return { kind: 'gone' }
    return open.expiresMs > this.#clock.now() ? { kind: 'found', open } : { kind: 'expired' }
  }

  ofMasterToken(token: string): Found {
    const open = this.#byMaster.get(token)
    if (open === undefined) return { kind: 'gone' }
    return open.masterExpiresMs > this.#clock.now() ? { kind: 'found', open } : { kind: 'expired' }
  }

  /** New tokens for a session; the old ones are void. */
  renew(open: OpenSession): void {
    this.close(open)
    const now = this.#clock.now()
    open.token = newToken()
    open.masterToken = newToken()
    open.expiresMs = now + SESSION_SECONDS * 1_000
    open.masterExpiresMs = now + MASTER_SECONDS * 1_000
    this.#byToken.set(open.token, open)
    this.#byMaster.set(open.masterToken, open)
  }

  close(open: OpenSession): void {
    this.#byToken.delete(open.token)
    this.#byMaster.delete(open.masterToken)
  }
}

const newToken = (): string => randomBytes(32).toString('hex')
