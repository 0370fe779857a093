import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Clock } from '../api/clock.ts'
import { ConfigError, toMessage } from '../api/errors.ts'
import type { PluginLogger } from '../api/plugin-metrics.ts'
import type { SinkRecord } from '../api/records.ts'
import type { RestExtension, RestExtensionContext } from '../api/rest-extension.ts'
import type { Props } from '../api/task-context.ts'
import type { Herder } from '../runtime/herder.ts'
import { withLimit } from '../runtime/limits.ts'

type RequestHandler = Parameters<RestExtensionContext['handle']>[1]
type UpgradeHandler = Parameters<RestExtensionContext['onUpgrade']>[1]

export interface ExtensionParts {
  readonly herder: Herder
  readonly clock: Clock
  readonly log: PluginLogger
  /** The worker's configuration, secrets hidden. */
  readonly shownProps: Props
  readonly metricsText: () => Promise<string>
  readonly records: (
    topics: readonly string[],
    signal: AbortSignal,
    backlog: number,
  ) => AsyncIterable<readonly SinkRecord[]>
}

const REGISTER_LIMIT_MS = 10_000
const CLOSE_LIMIT_MS = 3_000

/** The rest extensions of a worker, and where they answer. */
export class RestExtensions {
  readonly #parts: ExtensionParts
  readonly #extensions: RestExtension[] = []
  readonly #handlers: [string, RequestHandler][] = []
  readonly #upgrades = new Map<string, UpgradeHandler>()
  readonly #ends: (() => void)[] = []

  constructor(parts: ExtensionParts) {
    this.#parts = parts
  }

  /** Configures and registers an extension. @throws ConfigError when it refuses. */
  async add(extension: RestExtension, name: string, props: Props): Promise<void> {
    const { clock } = this.#parts
    try {
      extension.configure(props)
      const registered = (async () => extension.register(this.#context()))()
      await withLimit(`register of ${name}`, registered, { clock, limitMs: REGISTER_LIMIT_MS })
    } catch (error) {
      throw new ConfigError(`Rest extension ${name} could not be registered: ${toMessage(error)}`, {
        cause: error,
      })
    }
    this.#extensions.push(extension)
  }

  /** False when the path belongs to none. */
  async handle(path: string, request: IncomingMessage, response: ServerResponse): Promise<boolean> {
    const found = this.#handlers.find(([own]) => path === own || path.startsWith(`${own}/`))
    if (found === undefined) return false
    await found[1](request, response)
    return true
  }

  /** False when no extension takes upgrades of this path. */
  upgrade(path: string, request: IncomingMessage, upgraded: readonly [Duplex, Buffer]): boolean {
    const handler = this.#upgrades.get(path)
    if (handler === undefined) return false
    try {
      handler(request, ...upgraded)
    } catch (error) {
      this.#parts.log.error({ err: error, path }, 'A rest extension failed at an upgrade.')
      upgraded[0].destroy()
    }
    return true
  }

  /** Never rejects. */
  async close(): Promise<void> {
    for (const end of this.#ends) end()
    for (const extension of this.#extensions) {
      try {
        const closed = (async () => extension.close())()
        await withLimit('close of a rest extension', closed, {
          clock: this.#parts.clock,
          limitMs: CLOSE_LIMIT_MS,
        })
      } catch (error) {
        this.#parts.log.warn({ err: error }, 'A rest extension did not close cleanly.')
      }
    }
  }

  #context(): RestExtensionContext {
    const { clock, herder, log, metricsText, records, shownProps } = this.#parts
    return {
      clock,
      log,
      workerConfig: shownProps,
      connectors: () => herder.statuses(),
      metricsText,
      onStatus: (listener) => {
        const end = herder.onStatus(listener)
        this.#ends.push(end)
        return end
      },
      records: (topics, signal, options) => records(topics, signal, options?.backlog ?? 0),
      handle: (path, handler) => {
        this.#handlers.push([path, handler])
      },
      onUpgrade: (path, handler) => {
        this.#upgrades.set(path, handler)
      },
    }
  }
}
