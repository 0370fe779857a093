// An HTTP proxy on the way to Snowflake: each connection is a tunnel that CONNECT opens (RFC 9110, 9.3.6), so the proxy
// sees a host and a port and nothing of what is said.
import http from 'node:http'
import https from 'node:https'
import net from 'node:net'
import type { Duplex } from 'node:stream'
import { RetriableError } from '../api/errors.ts'
import type { Password } from '../api/password.ts'

export interface ProxySettings {
  readonly host: string
  readonly port: number
  readonly user: string | undefined
  readonly password: Password | undefined
  /** Hosts that are reached directly, as Java's `http.nonProxyHosts`: separated by `|`, with `*` at either end. */
  readonly nonProxyHosts: string
}

/** What the proxy is not asked for unless told otherwise; Java's default. */
export const NON_PROXY_HOSTS = 'localhost|127.*|[::1]'

/** Whether a connection to this host goes through the proxy. */
export function usesProxy({ nonProxyHosts }: ProxySettings, hostname: string): boolean {
  const host = hostname.toLowerCase()
  return !nonProxyHosts
    .toLowerCase()
    .split('|')
    .map((pattern) => pattern.trim())
    .some((pattern) => {
      if (pattern === '') return false
      const text = pattern.replaceAll('*', '')
      if (pattern.startsWith('*') && pattern.endsWith('*')) return host.includes(text)
      if (pattern.startsWith('*')) return host.endsWith(text)
      return pattern.endsWith('*') ? host.startsWith(text) : host === pattern
    })
}

/** Longest head of an answer to CONNECT. */
const HEAD_BYTES_MAX = 16_384
/** From connecting to the proxy to its answer. */
const TUNNEL_MS = 10_000

interface Target {
  readonly host: string
  readonly port: number
}

/** Opens a tunnel. @throws RetriableError naming the proxy and what it said, never the password. */
export function openTunnel(proxy: ProxySettings, target: Target): Promise<net.Socket> {
  const { host, port } = proxy
  const to = `${target.host.includes(':') ? `[${target.host}]` : target.host}:${target.port}`
  return new Promise((resolve, reject) => {
    const socket = net.connect({ host, port })
    let head = Buffer.alloc(0)
    const end = (): void => {
      clearTimeout(timer)
      socket.removeAllListeners()
    }
    const fail = (why: string, cause?: unknown): void => {
      end()
      // A connection that is given up may still fail; nobody is left to be told.
      socket.on('error', () => {})
      socket.destroy()
      reject(new RetriableError(`The proxy ${host}:${port} ${why} (CONNECT ${to})`, { cause }))
    }
    const timer = setTimeout(() => fail(`did not answer within ${TUNNEL_MS} ms`), TUNNEL_MS)
    socket.setNoDelay(true)
    socket.on('error', (cause) => fail('cannot be reached', cause))
    socket.on('close', () => fail('closed the connection'))
    socket.on('connect', () => socket.write(connectRequest(proxy, to)))
    socket.on('data', (chunk: Buffer) => {
      head = Buffer.concat([head, chunk])
      const at = head.indexOf('\r\n\r\n')
      if (at < 0) {
        if (head.length > HEAD_BYTES_MAX)
          fail(`answered with a head of over ${HEAD_BYTES_MAX} bytes`)
        return
      }
      const status = /^HTTP\/1\.[01] (\d{3})/.exec(head.toString('latin1', 0, at))?.[1]
      if (status === undefined) fail('did not answer in HTTP')
      else if (status === '407') fail('wants another user and password: HTTP 407')
      else if (!status.startsWith('2')) fail(`refused: HTTP ${status}`)
      else if (head.length > at + 4) fail('sent more than its answer')
      else {
        end()
        resolve(socket)
      }
    })
  })
}

function connectRequest({ user, password }: ProxySettings, to: string): string {
  const lines = [`CONNECT ${to} HTTP/1.1`, `Host: ${to}`, 'Proxy-Connection: keep-alive']
  if (user !== undefined) {
    const secret = Buffer.from(`${user}:${password?.reveal() ?? ''}`).toString('base64')
    lines.push(`Proxy-Authorization: Basic ${secret}`)
  }
  return `${lines.join('\r\n')}\r\n\r\n`
}

type Connected = (error: Error | null, socket: Duplex) => void
type Opening = http.ClientRequestArgs & { readonly socket?: net.Socket }

async function through(
  proxy: ProxySettings,
  options: http.ClientRequestArgs,
  finish: (socket: net.Socket) => Duplex,
  done: Connected,
): Promise<void> {
  let socket: net.Socket
  try {
    const host = (options.host ?? '').replaceAll(/^\[|\]$/g, '')
    socket = await openTunnel(proxy, { host, port: Number(options.port) })
  } catch (error) {
    done(error instanceof Error ? error : new Error(String(error)), undefined as never)
    return
  }
  done(null, finish(socket))
}

/** Plain HTTP through the proxy, in a tunnel as well. */
export class HttpTunnelAgent extends http.Agent {
  readonly #proxy: ProxySettings
  constructor(proxy: ProxySettings, options: http.AgentOptions) {
    super(options)
    this.#proxy = proxy
  }
  override createConnection(options: Opening, done?: Connected): undefined {
    if (done !== undefined) void through(this.#proxy, options, (socket) => socket, done)
  }
}

/** TLS with the host itself, inside a tunnel. */
export class HttpsTunnelAgent extends https.Agent {
  readonly #proxy: ProxySettings
  constructor(proxy: ProxySettings, options: https.AgentOptions) {
    super(options)
    this.#proxy = proxy
  }
  override createConnection(options: Opening, done?: Connected): undefined {
    if (done === undefined) return
    const secure = (socket: net.Socket): Duplex =>
      super.createConnection({ ...options, socket } as https.RequestOptions) as Duplex
    void through(this.#proxy, options, secure, done)
  }
}
