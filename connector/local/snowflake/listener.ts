// One HTTP or HTTPS listener: reads bodies within limits, lets faults have their way, answers errors.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { ConfigError } from '../../api/errors.ts'
import type { PluginLogger } from '../../api/plugin-metrics.ts'
import type { Fault, Faults } from './faults.ts'
import { type Call, errorAnswer, type Handler, readBody, send } from './http.ts'
import type { ByteBudget } from './streaming/byte-budget.ts'

export interface ListenerOptions {
  readonly host: string
  /** 0: any free port. */
  readonly port: number
  readonly tls?: { readonly cert: string; readonly key: string } | undefined
  readonly bodyBytesMax: (path: string) => number
  readonly budget: ByteBudget
  readonly faults: Faults | undefined
  readonly log: PluginLogger
  readonly handle: Handler
}

export interface Listener {
  readonly url: string
  close(): Promise<void>
}

/** Listens, or says in plain words that the port is taken. */
export async function listen(options: ListenerOptions): Promise<Listener> {
  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    void serve(request, response, options)
  }
  const server =
    options.tls === undefined
      ? createServer(onRequest)
      : createTlsServer({ cert: options.tls.cert, key: options.tls.key }, onRequest)
  // A client that sends nothing, or a byte a minute, does not hold a connection for ever.
  server.headersTimeout = 30_000
  server.requestTimeout = 120_000
  server.keepAliveTimeout = 65_000
  await bind(server, options)
  const { port } = server.address() as AddressInfo
  const host = options.host.includes(':') ? `[${options.host}]` : options.host
  return {
    url: `${options.tls === undefined ? 'http' : 'https'}://${host}:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function bind(server: Server, { host, port }: ListenerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const why = error.code === 'EADDRINUSE' ? 'it is in use' : error.message
      reject(new ConfigError(`Cannot listen on ${host}:${port}: ${why}.`, { cause: error }))
    })
    server.listen({ host, port, backlog: 1_024 }, () => resolve())
  })
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  options: ListenerOptions,
): Promise<void> {
  const gone = new AbortController()
  response.on('close', () => gone.abort())
  const method = request.method ?? 'GET'
  const target = request.url ?? '/'
  let release: (() => void) | undefined
  try {
    const { path, query } = parseTarget(target)
    const read = await readBody(request, options.bodyBytesMax(path), options.budget)
    release = read.release
    const { headers } = request
    const call: Call = { method, path, query, headers, body: read.body, signal: gone.signal }
    const fault = options.faults?.ofCall(method, path)
    if (fault === undefined) send(response, await options.handle(call))
    else await sendFaulty(call, fault, { response, options })
  } catch (error) {
    // Nobody listens any more: what went wrong, e.g. a body cut short, is theirs.
    if (gone.signal.aborted || response.headersSent) response.destroy()
    else send(response, errorAnswer(error, `${method} ${target}`, options.log))
  } finally {
    release?.()
  }
}

function parseTarget(target: string): { path: string; query: URLSearchParams } {
  const [path = '/', ...query] = target.split('?')
  return { path: path.replaceAll(/\/{2,}/g, '/'), query: new URLSearchParams(query.join('?')) }
}

/** A call that a fault hits: refused, held, or handled and its answer spoiled. */
async function sendFaulty(
  call: Call,
  fault: Fault,
  { response, options }: { response: ServerResponse; options: ListenerOptions },
): Promise<void> {
  switch (fault.kind) {
    case 'gone':
      send(response, { status: 410, body: 'Gone' })
      return
    case 'not-found':
      send(response, { status: 404, body: undefined })
      return
    case 'status':
      send(response, {
        status: fault.status,
        body: { code: fault.code, message: fault.message },
      })
      return
    case 'hang':
      await options.faults?.hold(fault.ms, call.signal)
      response.destroy()
      return
    case 'lost':
      await options.handle(call)
      response.destroy()
      return
    case 'truncate':
      send(response, await options.handle(call), true)
      return
    case 'slow':
      await options.faults?.hold(fault.ms, call.signal)
      send(response, await options.handle(call))
      return
    case 'delay-commit':
    case 'freeze-commit':
      throw new TypeError(`${fault.kind} is no fault of a call.`)
  }
}
