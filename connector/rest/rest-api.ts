import type { IncomingMessage } from 'node:http'
import { ConfigError } from '../api/errors.ts'
import type { RestExtension } from '../api/rest-extension.ts'
import type { Props } from '../api/task-context.ts'
import type { Herder } from '../runtime/herder.ts'
import { LOGGERS } from '../runtime/logging.ts'
import { TopicRecords } from '../runtime/topic-records.ts'
import type { WorkerServices } from '../runtime/worker-services.ts'
import { type AppOptions, createApp } from './app.ts'
import { BasicAuth } from './basic-auth.ts'
import { ConfigMask } from './config-mask.ts'
import { RestExtensions } from './extensions.ts'
import { type Listener, RestServer } from './server.ts'

const SECRET = /password|secret|jaas|\.key$|private|token|credential|user\.info/i

export interface RestApiOptions {
  readonly services: WorkerServices
  readonly herder: Herder
  readonly listeners: readonly Listener[]
  /** Of `admin.listeners`; undefined: the admin resources are on `listeners`, empty: nowhere. */
  readonly adminListeners?: readonly Listener[] | undefined
  readonly version: string
  readonly commit: string
  /** The configuration as it was given: references to config providers unresolved. */
  readonly unresolvedProps: Props
  readonly advertisedUrl: () => string
}

/** The worker's HTTP side: Kafka Connect's REST API, /metrics, and what rest extensions add. */
export class RestApi {
  readonly #server: RestServer
  readonly #adminServer: RestServer | undefined
  readonly #extensions: RestExtensions
  readonly #services: WorkerServices

  constructor(options: RestApiOptions) {
    const { adminListeners, advertisedUrl, commit, herder, listeners } = options
    const { services, unresolvedProps, version } = options
    const { clock, config, log, logLevels, metrics, props } = services
    this.#services = services
    const metricsText = (): Promise<string> => metrics.text()
    const records = new TopicRecords(services)
    this.#extensions = new RestExtensions({
      herder,
      clock,
      log,
      metricsText,
      shownProps: withoutSecrets(unresolvedProps),
      records: (topics, signal, backlog) => records.records(topics, signal, backlog),
    })
    const authentication = BasicAuth.of(props)
    const appOptions: AppOptions = {
      herder,
      mask: new ConfigMask(herder, config['rest.mask.passwords']),
      clock,
      log: logLevels.child({}, LOGGERS.rest),
      logLevels,
      metricsText,
      version,
      commit,
      advertisedUrl,
      topicTracking: {
        isEnabled: config['topic.tracking.enable'],
        mayReset: config['topic.tracking.allow.reset'],
      },
      bodyBytesMax: config['rest.request.body.max.bytes'],
      requestTimeoutMs: config['rest.request.timeout.ms'],
      unhealthy: () => services.watch.reason,
      cors: {
        origins: config['access.control.allow.origin'],
        methods: config['access.control.allow.methods'],
      },
      headers: responseHeaders(config['response.http.headers.config']),
      extension: (request, response) => this.#extensions.handle(pathOf(request), request, response),
      authentication,
      serves: adminListeners === undefined ? 'everything' : 'all but admin',
    }
    const limits = {
      headersTimeoutMs: config['rest.headers.timeout.ms'],
      requestTimeoutMs: config['rest.receive.timeout.ms'],
      connectionsMax: config['rest.connections.max'],
    }
    this.#server = new RestServer(
      listeners,
      props,
      {
        onRequest: createApp(appOptions),
        isKnownUser: (request) => authentication?.allows(request) !== false,
        onUpgrade: (request, socket, head) =>
          this.#extensions.upgrade(pathOf(request), request, [socket, head]),
      },
      limits,
    )
    if (adminListeners !== undefined && adminListeners.length > 0) {
      this.#adminServer = new RestServer(
        adminListeners,
        props,
        {
          onRequest: createApp({ ...appOptions, serves: 'admin' }),
          onUpgrade: () => false,
        },
        limits,
      )
    }
  }

  /** Binds the listeners. */
  async listen(): Promise<void> {
    await this.#server.listen()
    await this.#adminServer?.listen()
  }

  get address(): RestServer['address'] {
    return this.#server.address
  }

  /** Of the first admin listener; undefined without one. */
  get adminAddress(): RestServer['address'] | undefined {
    return this.#adminServer?.address
  }

  /** Adds a rest extension, configured with the worker's properties. */
  async extend(extension: RestExtension, name: string): Promise<void> {
    await this.#extensions.add(extension, name, this.#services.props)
  }

  async close(): Promise<void> {
    await this.#extensions.close()
    await this.#adminServer?.close()
    await this.#server.close()
  }
}

/** The properties with every value hidden whose key sounds like a secret. */
export const withoutSecrets = (props: Props): Props =>
  Object.fromEntries(
    Object.entries(props).map(([key, value]) => [key, SECRET.test(key) ? '[hidden]' : value]),
  )

/** Reads `response.http.headers.config`: `set X-Frame-Options: DENY, add Cache-Control: no-store`. */
export function responseHeaders(text: string): ReadonlyMap<string, string> {
  const headers = new Map<string, string>()
  for (const rule of text.split(',').map((part) => part.trim())) {
    if (rule === '') continue
    const [, name, value] = /^(?:set|add|setDate|addDate)\s+([^:\s]+)\s*:\s*(.*)$/.exec(rule) ?? []
    if (name === undefined || value === undefined) {
      throw new ConfigError(
        `Invalid value ${rule} for configuration response.http.headers.config: expected "set Name: value".`,
      )
    }
    headers.set(name, value)
  }
  return headers
}

const pathOf = (request: IncomingMessage): string => (request.url ?? '/').split(/[?#]/)[0] ?? '/'
