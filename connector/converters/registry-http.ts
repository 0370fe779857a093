// One HTTP call to a schema registry: bounded in time and size, and with the failure told whole.
//
// @kafkajs/confluent-schema-registry has no time-out, reports a refused connection as status 400 and drops
// the registry's error code. Its calls end in a middleware, so this is the last one, and makes the call itself.
import { request as httpRequest, Agent as HttpAgent, type IncomingMessage } from 'node:http'
import { request as httpsRequest, Agent as HttpsAgent } from 'node:https'
import type { SchemaRegistry } from '@kafkajs/confluent-schema-registry'

type RegistryOptions = ConstructorParameters<typeof SchemaRegistry>[0]
export type RegistryMiddleware = NonNullable<RegistryOptions['middlewares']>[number]

const RESPONSE_BYTES_MAX = 16 * 1024 * 1024
const SOCKETS_MAX = 8
const SOCKET_IDLE_MS = 5_000

/** Why a call to the registry failed. Only `registry-client.ts` sees it, and makes an error of the contract of it. */
export class RegistryCallError extends Error {
  /** The HTTP status; undefined when there was no answer. */
  readonly status: number | undefined
  /** The registry's own code, e.g. 40403. */
  readonly errorCode: number | undefined
  readonly retryAfterMs: number | undefined

  constructor(
    message: string,
    options: ErrorOptions & {
      status?: number | undefined
      errorCode?: number | undefined
      retryAfterMs?: number | undefined
    } = {},
  ) {
    super(message, options)
    this.status = options.status
    this.errorCode = options.errorCode
    this.retryAfterMs = options.retryAfterMs
  }
}

export interface RegistryTransport {
  readonly middleware: RegistryMiddleware
  /** Ends the open calls and connections. */
  close(): void
}

/** What calls need beyond what the library puts into a request. */
export interface TransportOptions {
  /** For the whole call, the body included. */
  readonly timeoutMs: number
  readonly bearerToken: string | undefined
}

interface Call {
  readonly method: string
  readonly url: URL
  readonly headers: Record<string, string>
  readonly body: string | undefined
}
interface Answer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

/** Makes the calls of one registry client. */
export function registryTransport(options: TransportOptions): RegistryTransport {
  const pool = { keepAlive: true, maxSockets: SOCKETS_MAX, timeout: SOCKET_IDLE_MS }
  const agents = { http: new HttpAgent(pool), https: new HttpsAgent(pool) }
  const closing = new AbortController()
  const middleware: RegistryMiddleware = () => ({
    // The library's own chain, with its call, is left out: `next` is never used.
    async response(_next, _renew, request) {
      const headers: Record<string, string> = {
        accept: 'application/vnd.schemaregistry.v1+json, application/json',
      }
      for (const [key, value] of Object.entries(request.headers())) headers[key] = String(value)
      if (options.bearerToken !== undefined)
        headers['authorization'] = `Bearer ${options.bearerToken}`
      const auth = request.auth()
      if (auth !== undefined) {
        const pair = Buffer.from(`${auth.username}:${auth.password}`).toString('base64')
        headers['authorization'] = `Basic ${pair}`
      }
      const body = request.body()
      const call = {
        method: request.method().toUpperCase(),
        url: new URL(request.url()),
        headers,
        body: typeof body === 'string' ? body : undefined,
      }
      const answer = await send(call, { agents, timeoutMs: options.timeoutMs, closing })
      const data = read(answer, call)
      return { data: () => data, status: () => answer.status } as never
    },
  })
  return {
    middleware,
    close: () => {
      closing.abort(new RegistryCallError('The converter is closed.'))
      agents.http.destroy()
      agents.https.destroy()
    },
  }
}

interface SendOptions {
  readonly agents: { readonly http: HttpAgent; readonly https: HttpsAgent }
  readonly timeoutMs: number
  readonly closing: AbortController
}

async function send(call: Call, options: SendOptions): Promise<Answer> {
  const { agents, timeoutMs, closing } = options
  const limit = new AbortController()
  const timer = setTimeout(() => limit.abort(), timeoutMs)
  const signal = AbortSignal.any([limit.signal, closing.signal])
  try {
    const secure = call.url.protocol === 'https:'
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const { method, headers } = call
      const outgoing = secure
        ? httpsRequest(call.url, { method, headers, agent: agents.https, signal }, resolve)
        : httpRequest(call.url, { method, headers, agent: agents.http, signal }, resolve)
      outgoing.on('error', reject)
      outgoing.end(call.body)
    })
    const chunks: Buffer[] = []
    let size = 0
    for await (const chunk of response as AsyncIterable<Buffer>) {
      size += chunk.length
      if (size > RESPONSE_BYTES_MAX) {
        throw new RegistryCallError(`The answer has more than ${RESPONSE_BYTES_MAX} bytes.`)
      }
      chunks.push(chunk)
    }
    const body = Buffer.concat(chunks).toString('utf8')
    return { status: response.statusCode ?? 0, headers: response.headers, body }
  } catch (error) {
    if (error instanceof RegistryCallError) throw error
    const what = limit.signal.aborted ? `no answer within ${timeoutMs} ms` : reasonOf(error)
    throw new RegistryCallError(`${call.url.origin}: ${what}`, { cause: error })
  } finally {
    clearTimeout(timer)
  }
}

/** The error code where Node gives one: a failed connection to `localhost` has an empty message. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error.message !== '') return error.message
  return 'code' in error ? String(error.code) : error.name
}

function read(answer: Answer, call: Call): unknown {
  let data: unknown
  try {
    data = JSON.parse(answer.body)
  } catch (error) {
    if (answer.status >= 200 && answer.status < 300) {
      throw new RegistryCallError(`${call.url.origin} does not answer in JSON.`, {
        status: 502,
        cause: error,
      })
    }
    data = undefined // An error page of a proxy: its status says enough.
  }
  if (answer.status >= 200 && answer.status < 300) return data
  const { message, error_code: code } = (data ?? {}) as { message?: unknown; error_code?: unknown }
  const retryAfter = Number(answer.headers['retry-after'])
  throw new RegistryCallError(
    typeof message === 'string' ? message : `${call.url.origin} answered ${answer.status}.`,
    {
      status: answer.status,
      errorCode: typeof code === 'number' ? code : undefined,
      retryAfterMs: retryAfter > 0 ? retryAfter * 1000 : undefined,
    },
  )
}
