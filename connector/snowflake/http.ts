// The only place of this plugin that opens connections to the REST API. node:http with keep-alive costs a
// fraction of what fetch does for large bodies.
import http from 'node:http'
import https from 'node:https'
import { RetriableError } from '../api/errors.ts'
import { HttpsTunnelAgent, HttpTunnelAgent, type ProxySettings, usesProxy } from './http-proxy.ts'

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: Uint8Array | undefined
  /** For the whole exchange, from connecting to the last byte of the answer. */
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

export interface HttpResponse {
  readonly status: number
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

/** One exchange, whatever its status. @throws TransportError when there is no complete answer. */
export type HttpSend = (request: HttpRequest) => Promise<HttpResponse>

/** No complete answer came: whether the request was carried out is unknown. */
export class TransportError extends RetriableError {}

const RESPONSE_BYTES_MAX = 4 * 1024 * 1024

export interface HttpClient {
  readonly send: HttpSend
  /** Closes idle connections. */
  close(): void
}

/** `connectionsMax`: sockets per host, the further requests wait. Hosts that `proxy` is for are reached through it. */
export function createHttpClient(connectionsMax: number, proxy?: ProxySettings): HttpClient {
  const options = { keepAlive: true, maxSockets: connectionsMax, scheduling: 'lifo' as const }
  const direct = { http: new http.Agent(options), https: new https.Agent(options) }
  const tunnels =
    proxy === undefined
      ? direct
      : {
          http: new HttpTunnelAgent(proxy, options),
          https: new HttpsTunnelAgent(proxy, options),
        }
  return {
    send: (request) => {
      const isTunnelled = proxy !== undefined && usesProxy(proxy, new URL(request.url).hostname)
      return exchange(request, isTunnelled ? tunnels : direct)
    },
    close: () => {
      for (const agents of [direct, tunnels]) {
        agents.http.destroy()
        agents.https.destroy()
      }
    },
  }
}

interface Agents {
  readonly http: http.Agent
  readonly https: https.Agent
}

function exchange(request: HttpRequest, agents: Agents): Promise<HttpResponse> {
  const url = new URL(request.url)
  const secure = url.protocol === 'https:'
  return new Promise((resolve, reject) => {
    const call = (secure ? https : http).request(url, {
      method: request.method,
      headers: { ...request.headers, 'content-length': String(request.body?.length ?? 0) },
      agent: secure ? agents.https : agents.http,
    })
    // A request that has no connection yet says nothing when it is destroyed, so that is not waited for.
    const giveUp = (): void => fail(new Error('the task is stopping'))
    const timer = setTimeout(() => {
      fail(new Error(`no answer within ${request.timeoutMs} ms`))
    }, request.timeoutMs)
    const end = (): void => {
      clearTimeout(timer)
      request.signal.removeEventListener('abort', giveUp)
    }
    const fail = (cause: unknown): void => {
      end()
      call.destroy()
      reject(new TransportError(`${request.method} ${url.host}${url.pathname} failed`, { cause }))
    }
    call.on('error', fail)
    call.on('response', (answer) => {
      collect(answer, fail, (response) => {
        end()
        resolve(response)
      })
    })
    if (request.signal.aborted) giveUp()
    else request.signal.addEventListener('abort', giveUp, { once: true })
    call.end(request.body)
  })
}

function collect(
  answer: http.IncomingMessage,
  fail: (error: unknown) => void,
  resolve: (response: HttpResponse) => void,
): void {
  const chunks: Buffer[] = []
  let size = 0
  answer.on('data', (chunk: Buffer) => {
    size += chunk.length
    if (size > RESPONSE_BYTES_MAX) {
      fail(new Error(`the answer is larger than ${RESPONSE_BYTES_MAX} bytes`))
    } else chunks.push(chunk)
  })
  answer.on('error', fail)
  answer.on('close', () => {
    if (!answer.complete) fail(new Error('the connection was closed in the middle of the answer'))
  })
  answer.on('end', () => {
    if (!answer.complete) return
    resolve({
      status: answer.statusCode ?? 0,
      headers: flat(answer.headers),
      body: Buffer.concat(chunks),
    })
  })
}

function flat(headers: http.IncomingHttpHeaders): Record<string, string> {
  const result: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) result[name] = Array.isArray(value) ? value.join(', ') : value
  }
  return result
}
