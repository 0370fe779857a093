import { ConnectError } from '../api/errors.ts'
import type { ClientEvents } from './client.ts'
import { endsClient, TLS } from './native-errors.ts'
import type { NativeError, NativeLogEvent } from './native.ts'

const REASONS_MAX = 4
const REPEAT_MS = 30_000
const SEVERITY_ERROR = 3
const SEVERITY_WARNING = 4
const SEVERITY_NOTICE = 5

/**
 * What one native client said: passes it on to our log, remembers the latest complaints, because only they
 * say why a call failed, and notices when the client is at its end.
 */
export class NativeLog {
  readonly #events: ClientEvents
  readonly #codeOf: (error: NativeError) => number | undefined
  readonly #reasons: string[] = []
  /** When each text was logged last; their number is bounded by librdkafka's errors. */
  readonly #told = new Map<string, number>()
  #refused: NativeError | undefined

  constructor(events: ClientEvents, codeOf: (error: NativeError) => number | undefined) {
    this.#events = events
    this.#codeOf = codeOf
  }

  readonly onLog = (event: NativeLogEvent): void => {
    this.#events.log(levelOf(event.severity), `${event.fac}: ${event.message}`)
    if (event.severity > SEVERITY_WARNING) return
    const reason = event.message.replace(/^\[thrd:[^\]]*\]:\s*/, '')
    if (this.#reasons.includes(reason)) return
    this.#reasons.push(reason)
    if (this.#reasons.length > REASONS_MAX) this.#reasons.shift()
  }

  readonly onError = (error: NativeError): void => {
    const code = this.#codeOf(error)
    if (this.#isNews(error.message)) {
      this.#events.log('warn', `Kafka client: ${error.message} (${code ?? 'no code'}).`)
    }
    if (code !== undefined && endsClient(code)) {
      this.#refused = {
        message: error.message,
        code,
        ...(error.origin && { origin: error.origin }),
      }
    }
  }

  /** Some events come with every attempt to reconnect, several a second. */
  #isNews(message: string): boolean {
    const now = performance.now()
    const before = this.#told.get(message)
    if (before !== undefined && now - before < REPEAT_MS) return false
    this.#told.set(message, now)
    return true
  }

  /** Latest complaints, oldest first. */
  get reasons(): readonly string[] {
    return this.#reasons
  }

  /** Its connection works: what was said before is no reason for what comes. */
  forget(): void {
    this.#reasons.length = 0
    this.#refused = undefined
  }

  /**
   * Set once the client's credentials were refused or it was fenced off. A failed TLS handshake may be that of
   * a broker that was just stopping, so it counts only `during` a connect that came to nothing.
   */
  failure(what: string, during: 'connect' | 'use' = 'use'): ConnectError | undefined {
    const refused = this.#refused
    if (refused === undefined || (during === 'use' && refused.code === TLS)) return undefined
    const message = [`${refused.message} (${refused.code})`, ...this.#reasons].join('; ')
    return new ConnectError(`${what}: ${message}`, { cause: refused })
  }

  /** Logs something that passes; the same one at most every 30 s. */
  warn(message: string): void {
    if (this.#isNews(message)) this.#events.log('warn', message)
  }
}

function levelOf(severity: number): 'error' | 'warn' | 'info' | 'debug' {
  // librdkafka calls every broken connection an error, but mends it by itself.
  if (severity < SEVERITY_ERROR) return 'error'
  if (severity <= SEVERITY_WARNING) return 'warn'
  return severity <= SEVERITY_NOTICE ? 'info' : 'debug'
}
