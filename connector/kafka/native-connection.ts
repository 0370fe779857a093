import { IllegalWorkerStateError, RetriableError } from '../api/errors.ts'
import type { ClientConfig } from './client.ts'
import { callError, meaningOf, STATE } from './native-errors.ts'
import type { NativeLog } from './native-log.ts'
import type { NativeClient, NativeError } from './native.ts'
import { orAborted } from './waiting.ts'

const CONNECT_TIMEOUT_MS = 10_000
const CONNECT_TIMEOUT_MIN_MS = 500
const SERVE_INTERVAL_MS = 100

export interface ConnectOptions {
  readonly client: NativeClient
  readonly log: NativeLog
  /** For messages, e.g. `Producer connector-producer-mta-0`. */
  readonly name: string
  /** Lets the client report its events while it is connecting. */
  serve(): void
  /** Called when a client connects after we have given up on it. */
  dispose(): void
  /** See `connectTimeoutMs`. */
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

/**
 * Connects and waits for a first answer of any broker.
 *
 * @throws RetriableError when none answers in time; ConnectError, as soon as it is known, when credentials
 * or certificates are refused or the configuration is unusable; the signal's reason.
 */
export async function connectNative(options: ConnectOptions): Promise<void> {
  const { client, log, name, signal } = options
  const giveUp = new AbortController()
  const what = `${name} can't connect`
  const serve = setInterval(() => {
    if (client.isConnected()) options.serve()
    const failure = log.failure(what)
    if (failure !== undefined) giveUp.abort(failure)
  }, SERVE_INTERVAL_MS)
  const connected = new Promise<void>((resolve, reject) => {
    client.connect({ allTopics: false, timeout: options.timeoutMs }, (error) => {
      if (error == null) resolve()
      else reject(connectError(what, error, log))
    })
  })
  try {
    await orAborted(connected, AbortSignal.any([signal, giveUp.signal]))
  } catch (error) {
    // Already reported, or beside the point: the caller knows why this connect ended.
    connected.then(
      () => options.dispose(),
      () => {},
    )
    throw error
  } finally {
    clearInterval(serve)
  }
  log.forget()
}

function connectError(what: string, error: NativeError, log: NativeLog): Error {
  const failure = log.failure(what, 'connect')
  if (failure !== undefined) return failure
  // With STATE comes the text of what could not be set up, e.g. a certificate file that is not there.
  if (error.code === STATE || meaningOf(error.code) !== undefined) {
    return callError(what, error, log.reasons)
  }
  return new RetriableError([`${what}: ${error.message}`, ...log.reasons].join('; '), {
    cause: error,
  })
}

/** Thrown by every call of a client that is not connected, instead of what the native client would do. */
export const notConnected = (name: string): IllegalWorkerStateError =>
  new IllegalWorkerStateError(`${name} is not connected.`)

/** How long a connect waits for a first answer: as long as a request may take, but at most 10 s. */
export function connectTimeoutMs(config: ClientConfig): number {
  const requestMs = Number(config['socket.timeout.ms'] ?? CONNECT_TIMEOUT_MS)
  return Math.min(Math.max(requestMs, CONNECT_TIMEOUT_MIN_MS), CONNECT_TIMEOUT_MS)
}

/** The name of a client in messages. */
export const clientName = (kind: string, config: ClientConfig): string => {
  const id = config['client.id']
  return typeof id === 'string' && id !== '' ? `${kind} ${id}` : kind
}
