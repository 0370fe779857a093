import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Clock } from '../../api/clock.ts'
import { ConnectError, toTrace } from '../../api/errors.ts'
import type { PluginLogger } from '../../api/plugin-metrics.ts'
import { openChangeLog } from './change-log.ts'
import { RegistryError } from './registry-error.ts'
import { Registry } from './registry.ts'
import { readBody } from './request.ts'
import { type Answer, router } from './routes.ts'
import { schemaRoutes } from './schema-routes.ts'
import { settingRoutes } from './setting-routes.ts'
import { type Change, RegistryStore } from './store.ts'
import { subjectRoutes } from './subject-routes.ts'

export interface LocalRegistryOptions {
  /** 0: any free one. */
  readonly port: number
  /** Default 127.0.0.1. There is no authentication: keep it there. */
  readonly host?: string
  /** Made if it is missing. One process at a time. */
  readonly dataDir: string
  readonly clock: Clock
  readonly log: PluginLogger
}

export interface LocalRegistry {
  /** Without a slash at the end. */
  readonly url: string
  /** Resolves when the last change is on disk and no connection is open. */
  close(): Promise<void>
}

const MEDIA_TYPES = [
  'application/vnd.schemaregistry.v1+json',
  'application/vnd.schemaregistry+json',
  'application/json',
] as const
const BODY_TYPES: ReadonlySet<string> = new Set([...MEDIA_TYPES, 'application/octet-stream'])
const REQUEST_TIMEOUT_MS = 30_000
const HEADERS_TIMEOUT_MS = 10_000
const KEEP_ALIVE_MS = 5_000
const CONNECTIONS_MAX = 1_000
const INTERNAL_ERROR = 50001

/**
 * Starts a schema registry with the API of Confluent's (8.5) over one folder. Every change is on disk
 * before it is answered, and ids survive a crash.
 *
 * @throws ConnectError when the port is taken or the folder cannot be used.
 */
export async function startLocalRegistry(options: LocalRegistryOptions): Promise<LocalRegistry> {
  const { port, host = '127.0.0.1', dataDir, clock, log } = options
  const store = new RegistryStore()
  const changes = await openChangeLog(dataDir, {
    replay: (change) => store.apply(change as Change),
    snapshot: () => store.snapshot(),
  })
  const registry = new Registry(store, changes, clock)
  const find = router(subjectRoutes(registry), schemaRoutes(registry), settingRoutes(registry))
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => {
    void respond(request, response, { find, log })
  })
  server.requestTimeout = REQUEST_TIMEOUT_MS
  server.headersTimeout = HEADERS_TIMEOUT_MS
  server.maxConnections = CONNECTIONS_MAX
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    // No request came of it, so there is no response to use.
    if (!socket.writable) return
    const status = error.code === 'HPE_HEADER_OVERFLOW' ? 431 : 400
    const body = JSON.stringify({ error_code: status, message: `HTTP ${status}` })
    socket.end(
      `HTTP/1.1 ${status} Bad Request\r\ncontent-type: ${MEDIA_TYPES[0]}\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`,
    )
  })
  try {
    await listen(server, port, host)
  } catch (error) {
    await registry.close()
    throw error
  }
  const { port: bound } = server.address() as AddressInfo
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}`,
    async close() {
      await new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
      await registry.close()
    },
  }
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const reason =
        error.code === 'EADDRINUSE' ? 'the port is in use by another program' : error.message
      reject(
        new ConnectError(`The schema registry cannot listen on ${host}:${port}: ${reason}.`, {
          cause: error,
        }),
      )
    })
    server.listen(port, host, resolve)
  })
}

interface Serving {
  readonly find: ReturnType<typeof router>
  readonly log: PluginLogger
}

/** Never rejects. */
async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  serving: Serving,
): Promise<void> {
  let status = 200
  let answer: Answer
  try {
    answer = await handle(request, serving)
  } catch (error) {
    const known = error instanceof RegistryError
    status = known ? error.status : 500
    if (!known) {
      serving.log.error({ path: request.url, trace: toTrace(error) }, 'A request failed.')
    }
    const message = known ? error.message : 'Error in the local schema registry; see its log.'
    answer = { json: { error_code: known ? error.errorCode : INTERNAL_ERROR, message } }
  }
  const body = Buffer.from('text' in answer ? answer.text : JSON.stringify(answer.json))
  // What is left of a body that was not read would be taken for the next request.
  if (!request.complete) response.setHeader('connection', 'close')
  response.writeHead(status, {
    'content-type': mediaType(request.headers.accept),
    'content-length': body.length,
    vary: 'Accept',
  })
  response.end(request.method === 'HEAD' ? undefined : body)
}

async function handle(request: IncomingMessage, { find }: Serving): Promise<Answer> {
  const target = request.url ?? '/'
  const mark = target.indexOf('?')
  const path = mark < 0 ? target : target.slice(0, mark)
  const query = new URLSearchParams(mark < 0 ? '' : target.slice(mark + 1))
  const { context, rest } = takeContext(path)
  const { handler, params } = find(request.method ?? 'GET', rest)
  const type = request.headers['content-type']?.split(';')[0]?.trim().toLowerCase()
  const body = await readBody(request)
  if (type !== undefined && Object.keys(body).length > 0 && !BODY_TYPES.has(type)) {
    throw new RegistryError(415, 'HTTP 415 Unsupported Media Type')
  }
  return handler({ params: context === undefined ? params : { ...params, context }, query, body })
}

/** `/contexts/{context}/…` is any other path within a context. */
function takeContext(path: string): { context: string | undefined; rest: string } {
  const [, segment, rest] = /^\/contexts\/([^/]+)(\/.+)$/.exec(path) ?? []
  if (segment === undefined || rest === undefined) return { context: undefined, rest: path }
  try {
    return { context: decodeURIComponent(segment), rest }
  } catch (error) {
    throw new RegistryError(400, `Not a legal percent-encoding: ${segment}`, { cause: error })
  }
}

/** The first of our types that the client takes; the registry's own when it takes any, or none of them. */
function mediaType(accept: string | undefined): string {
  const wanted = (accept ?? '*/*').split(',').map((part) => part.split(';')[0]?.trim() ?? '')
  return MEDIA_TYPES.find((type) => wanted.includes(type)) ?? MEDIA_TYPES[0]
}
