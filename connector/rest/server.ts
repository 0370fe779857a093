import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { ConfigError, toMessage } from '../api/errors.ts'
import type { Props } from '../api/task-context.ts'
import { tlsOptions } from './tls.ts'

export interface Listener {
  readonly protocol: 'http' | 'https'
  readonly host: string
  readonly port: number
  readonly isLoopback: boolean
}

/** How often the limits of slow requests are looked at. */
const LOOK_MS = 1_000
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[?::1\]?)$/i

/** Reads `http://host:port`; no host means every address, as in Kafka Connect. */
export function parseListener(text: string): Listener {
  const [, protocol = '', host = '', port = ''] = /^(https?):\/\/([^/]*):(\d+)\/?$/.exec(text) ?? []
  if (port === '' || Number(port) > 65_535) {
    throw new ConfigError(
      `Invalid value ${text} for configuration listeners: expected http://host:port.`,
    )
  }
  return {
    protocol: protocol === 'https' ? 'https' : 'http',
    host: host.replaceAll(/[[\]]/g, '') || '0.0.0.0',
    port: Number(port),
    isLoopback: LOOPBACK.test(host),
  }
}

/** Refuses a listener beyond this machine with neither TLS nor authentication, unless that is allowed explicitly. @throws ConfigError. */
export function requireSafe(listeners: readonly Listener[], isInsecureAllowed: boolean): void {
  if (isInsecureAllowed) return
  for (const { host, port, protocol, isLoopback } of listeners) {
    if (isLoopback || protocol === 'https') continue
    throw new ConfigError(
      `Listener http://${host}:${port} can be reached from other machines and has neither TLS nor authentication. Bind it to 127.0.0.1, use https, or set listeners.insecure=true.`,
    )
  }
}

/**
 * Whether a request may come from a page of another site: on a loopback listener the Host header must name this
 * machine (a foreign name that resolves to 127.0.0.1 is DNS rebinding).
 */
export function isHostAllowed(listener: Listener, host: string | undefined): boolean {
  if (!listener.isLoopback) return true
  if (host === undefined) return true // HTTP/1.0 and scripts; browsers always send it.
  return LOOPBACK.test(host.replace(/:\d+$/, ''))
}

/** Whether a WebSocket may be opened: browsers send the page's origin, which must be the requested host's. */
export function isOriginAllowed(origin: string | undefined, host: string | undefined): boolean {
  if (origin === undefined) return true
  try {
    return new URL(origin).host === host
  } catch {
    return false // No URL, e.g. "null" of a sandboxed page.
  }
}

/** What a client may take of a listener. */
export interface ServerLimits {
  /** Until a request's headers are there. */
  readonly headersTimeoutMs: number
  /** Until the whole request is there. */
  readonly requestTimeoutMs: number
  /** Open connections of one listener; more are closed at once. */
  readonly connectionsMax: number
}

export interface ServerHandlers {
  readonly onRequest: (request: IncomingMessage, response: ServerResponse) => void
  /** Whether a connection may be taken over for a WebSocket; default: yes. */
  readonly isKnownUser?: (request: IncomingMessage) => boolean
  /** False: nobody takes upgrades of this path. */
  readonly onUpgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => boolean
}

/** One HTTP server per listener. */
export class RestServer {
  readonly #listeners: readonly Listener[]
  readonly #servers: Server[] = []
  readonly #sockets = new Set<Duplex>()

  constructor(
    listeners: readonly Listener[],
    props: Props,
    handlers: ServerHandlers,
    limits: ServerLimits,
  ) {
    this.#listeners = listeners
    for (const listener of listeners) {
      const server = this.#create(listener, { props, limits }, handlers)
      server.maxConnections = limits.connectionsMax
      this.#servers.push(server)
    }
  }

  /** Binds all listeners. @throws ConfigError when an address cannot be bound. */
  async listen(): Promise<void> {
    await Promise.all(
      this.#servers.map((server, index) => {
        const { host, port } = this.#listeners[index] ?? { host: '127.0.0.1', port: 0 }
        return new Promise<void>((resolve, reject) => {
          server.once('error', (error) =>
            reject(
              new ConfigError(`Cannot listen on ${host}:${port}: ${toMessage(error)}`, {
                cause: error,
              }),
            ),
          )
          server.listen(port, host, () => resolve())
        })
      }),
    )
  }

  /** Protocol, host and bound port of the first listener. */
  get address(): { readonly protocol: string; readonly host: string; readonly port: number } {
    const [listener] = this.#listeners
    const bound = this.#servers[0]?.address() as AddressInfo | null | undefined
    const host = listener === undefined || listener.host === '0.0.0.0' ? '127.0.0.1' : listener.host
    return {
      protocol: listener?.protocol ?? 'http',
      host,
      port: bound?.port ?? listener?.port ?? 0,
    }
  }

  /** Answers nothing more; open connections are closed. */
  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await Promise.all(
      this.#servers.map(
        (server) =>
          new Promise<void>((resolve) => {
            server.close(() => resolve())
            server.closeAllConnections()
          }),
      ),
    )
  }

  #create(
    listener: Listener,
    { limits, props }: { readonly props: Props; readonly limits: ServerLimits },
    handlers: ServerHandlers,
  ): Server {
    const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
      if (isHostAllowed(listener, request.headers.host)) {
        handlers.onRequest(request, response)
        return
      }
      response.writeHead(400, { 'Content-Type': 'application/json' })
      response.end(
        JSON.stringify({ error_code: 400, message: 'The Host header names another host.' }),
      )
    }
    const timeouts = {
      headersTimeout: limits.headersTimeoutMs,
      requestTimeout: Math.max(limits.requestTimeoutMs, limits.headersTimeoutMs),
      connectionsCheckingInterval: Math.min(LOOK_MS, limits.headersTimeoutMs),
    }
    const server =
      listener.protocol === 'https'
        ? createTlsServer({ ...timeouts, ...tlsOptions(props) }, onRequest)
        : createServer(timeouts, onRequest)
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      socket.on('error', () => socket.destroy()) // A client that left.
      const { host, origin } = request.headers
      const isAllowed = isHostAllowed(listener, host) && isOriginAllowed(origin, host)
      if (isAllowed && handlers.isKnownUser?.(request) === false) {
        socket.end(
          'HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm="Kafka Connect"\r\nConnection: close\r\n\r\n',
        )
      } else if (!isAllowed) {
        socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n')
      } else if (handlers.onUpgrade(request, socket, head)) {
        this.#sockets.add(socket)
        socket.once('close', () => this.#sockets.delete(socket))
      } else {
        socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n')
      }
    })
    return server
  }
}
