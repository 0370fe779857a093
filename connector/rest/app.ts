import express, { type Express, type NextFunction, type Request, type Response } from 'express'
import { toMessage } from '../api/errors.ts'
import type { PluginLogger } from '../api/plugin-metrics.ts'
import { withLimit } from '../runtime/limits.ts'
import { adminResources } from './admin.ts'
import type { BasicAuth } from './basic-auth.ts'
import { pluginResources } from './connector-plugins.ts'
import { connectorResources } from './connectors.ts'
import { HttpError, layerError, toHttpError } from './errors.ts'
import { type CrossOriginRules, crossOrigin } from './cross-origin.ts'
import { readBody } from './request-body.ts'
import { type Method, ok, type Resource, type RestParts } from './resources.ts'

export interface AppOptions extends RestParts {
  readonly log: PluginLogger
  readonly version: string
  readonly commit: string
  readonly bodyBytesMax: number
  readonly requestTimeoutMs: number
  /** Why the worker is not healthy, or undefined. */
  readonly unhealthy: () => string | undefined
  /** Headers of every answer. */
  readonly headers: ReadonlyMap<string, string>
  readonly cors: CrossOriginRules
  /** What rest extensions answer; false: not theirs. */
  readonly extension: (request: Request, response: Response) => Promise<boolean>
  /** Undefined: everybody may ask. */
  readonly authentication: BasicAuth | undefined
  /** Which resources there are: `admin.listeners` takes /admin/loggers away, to listeners that have nothing else. */
  readonly serves: 'everything' | 'all but admin' | 'admin'
}

const PROMETHEUS = 'text/plain; version=0.0.4; charset=utf-8'
/** As in Jetty's configuration of the JVM worker. */
const URI_CHARACTERS_MAX = 8_192
const WITH_BODY = new Set(['POST', 'PUT', 'PATCH', 'DELETE'])

/** The REST API as an Express application. */
export function createApp(options: AppOptions): Express {
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  const { serves } = options
  const resources = [
    ...(serves === 'admin'
      ? []
      : [...connectorResources(options), ...pluginResources(options), ...rootResources(options)]),
    ...(serves === 'all but admin' ? [] : adminResources(options)),
  ]
  app.use((request: Request, response: Response) =>
    serve(request, response, { resources, options }),
  )
  app.use((error: unknown, _request: Request, response: Response, next: NextFunction) => {
    if (response.headersSent) next(error)
    else sendError(response, error, options.log)
  })
  return app
}

function rootResources({ herder, version, commit, clock, unhealthy }: AppOptions): Resource[] {
  const limits = { clock, limitMs: 2_000 }
  return [
    {
      path: '/',
      methods: {
        GET: async () => {
          const clusterId = await withLimit(
            'Asking for the cluster id',
            herder.kafkaClusterId(),
            limits,
          ).catch(
            () => undefined, // No broker answers: Kafka Connect shows null then.
          )
          return ok({ version, commit, kafka_cluster_id: clusterId ?? null })
        },
      },
    },
    {
      path: '/health',
      methods: {
        GET: () => {
          const message = unhealthy()
          if (message !== undefined) return { status: 500, json: { status: 'unhealthy', message } }
          return herder.isReady
            ? ok({
                status: 'healthy',
                message: 'Worker has completed startup and is ready to handle requests.',
              })
            : {
                status: 503,
                json: { status: 'starting', message: 'Worker is still starting up.' },
              }
        },
      },
    },
  ]
}

interface Context {
  readonly resources: readonly Resource[]
  readonly options: AppOptions
}

async function serve(request: Request, response: Response, context: Context): Promise<void> {
  const { options } = context
  for (const [name, value] of options.headers) response.setHeader(name, value)
  if (!crossOrigin(request, response, options.cors))
    throw new HttpError(403, 'Cross-origin requests are not allowed.')
  if (options.serves === 'admin') {
    await answer(request, response, context)
    return
  }
  if (options.authentication?.allows(request) === false) {
    response.setHeader('WWW-Authenticate', 'Basic realm="Kafka Connect"')
    throw new HttpError(401, 'User cannot access the resource.')
  }
  if (await options.extension(request, response)) return
  if (pathOf(request) === '/metrics' && ['GET', 'HEAD'].includes(request.method)) {
    response.setHeader('Content-Type', PROMETHEUS)
    response.end(await options.metricsText())
    return
  }
  await answer(request, response, context)
}

async function answer(request: Request, response: Response, context: Context): Promise<void> {
  const { options, resources } = context
  if (request.originalUrl.length > URI_CHARACTERS_MAX) throw new HttpError(414, 'URI Too Long')
  const found = match(resources, segmentsOf(request))
  if (found === undefined) throw layerError(404)
  const { resource, params } = found
  if (request.method === 'OPTIONS') {
    sendAllowed(response, resource)
    return
  }
  const method = request.method === 'HEAD' ? 'GET' : request.method
  const handler = resource.methods[method as Method]
  if (handler === undefined) throw layerError(405)
  if (request.headers.accept !== undefined && request.accepts('application/json') === false) {
    throw layerError(406)
  }
  const body = WITH_BODY.has(method) ? await jsonBody(request, options.bodyBytesMax) : undefined
  const query = new URL(request.originalUrl, 'http://localhost').searchParams
  const work = (async () => handler({ request, response, params, body, query }))()
  const { status, json, location } = await withLimit('The request', work, {
    clock: options.clock,
    limitMs: options.requestTimeoutMs,
  })
  response.status(status)
  if (location !== undefined) response.setHeader('Location', location)
  if (json === undefined) {
    response.end()
    return
  }
  response.setHeader('Content-Type', 'application/json')
  response.end(request.method === 'HEAD' ? undefined : JSON.stringify(json))
}

/** The path's segments, decoded; matrix parameters (`;x=y`) dropped, a trailing slash ignored. */
function segmentsOf(request: Request): string[] {
  const segments = pathOf(request).split('/').slice(1)
  if (segments.at(-1) === '') segments.pop()
  return segments.map((segment) => {
    try {
      return decodeURIComponent(segment.split(';')[0] ?? '')
    } catch (error) {
      throw new HttpError(400, `Bad percent-encoding in the path: ${segment}`, { cause: error })
    }
  })
}

const pathOf = (request: Request): string => request.originalUrl.split(/[?#]/)[0] ?? '/'

function match(
  resources: readonly Resource[],
  segments: readonly string[],
): { readonly resource: Resource; readonly params: string[] } | undefined {
  if (segments.includes('')) throw new HttpError(400, 'Ambiguous URI empty segment')
  if (segments.some((segment) => /\p{Cc}/u.test(segment))) {
    throw new HttpError(400, 'The path holds a control character.')
  }
  for (const resource of resources) {
    const pattern = resource.path === '/' ? [] : resource.path.slice(1).split('/')
    if (pattern.length !== segments.length) continue
    if (!pattern.every((part, index) => part === '*' || part === segments[index])) continue
    return { resource, params: segments.filter((_segment, index) => pattern[index] === '*') }
  }
  return undefined
}

async function jsonBody(request: Request, limitBytes: number): Promise<unknown> {
  const text = await readBody(request, limitBytes)
  const type = request.headers['content-type']
  if (type !== undefined && !type.includes('/')) {
    throw new HttpError(400, `Content-Type ${type} cannot be read; expected application/json.`)
  }
  if (type !== undefined && !/^application\/json\s*(;|$)/i.test(type)) throw layerError(415)
  if (text === undefined) return undefined
  if (type === undefined) throw layerError(415, false)
  try {
    return JSON.parse(text.replace(/^\uFEFF/, '')) as unknown
  } catch (error) {
    throw new HttpError(500, `The request body is not JSON: ${toMessage(error)}`, { cause: error })
  }
}

function sendAllowed(response: Response, { methods }: Resource): void {
  const names = [...('GET' in methods ? ['HEAD'] : []), ...Object.keys(methods), 'OPTIONS']
  response.setHeader('Allow', names.join(','))
  response.setHeader('Content-Type', 'text/plain')
  response.end(names.join(', '))
}

function sendError(response: Response, error: unknown, log: PluginLogger): void {
  const { status, message, isUntyped } = toHttpError(error)
  if (status >= 500) log.warn({ err: error, status }, 'A request failed.')
  response.status(status)
  if (!isUntyped) response.setHeader('Content-Type', 'application/json')
  response.end(JSON.stringify({ error_code: status, message }))
}
