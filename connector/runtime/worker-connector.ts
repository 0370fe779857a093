import type { ConnectorContext, SinkConnector, SourceConnector } from '../api/connector.ts'
import { ConnectError } from '../api/errors.ts'
import type { Awaitable, Props } from '../api/task-context.ts'
import { withLimit } from './limits.ts'
import type { Logger } from './logging.ts'
import type { OwnedPluginMetrics } from './plugin-metric-families.ts'
import { type ConnectorEvent, type ConnectorState, nextConnectorState } from './task-state.ts'
import { asError } from './thrown.ts'
import type { WorkerServices } from './worker-services.ts'

export interface WorkerConnectorOptions {
  readonly name: string
  readonly connector: SourceConnector | SinkConnector
  readonly kind: 'source' | 'sink'
  readonly services: WorkerServices
  readonly log: Logger
  readonly onState: (state: ConnectorState, error: unknown) => void
  readonly onReconfigure: () => void
}

const STOP_LIMIT_MS = 5_000

/**
 * A connector's instance on this worker. Its calls are made one after the other, and none may take longer than
 * its limit: what a plugin answers later is ignored.
 */
export class WorkerConnector {
  readonly name: string
  readonly kind: 'source' | 'sink'
  readonly connector: SourceConnector | SinkConnector
  readonly #options: WorkerConnectorOptions
  readonly #metrics: OwnedPluginMetrics
  readonly #end = new AbortController()
  #state: ConnectorState = 'UNASSIGNED'
  #isInitialized = false
  #isStarted = false
  #calls: Promise<unknown> = Promise.resolve()

  constructor(options: WorkerConnectorOptions) {
    this.name = options.name
    this.kind = options.kind
    this.connector = options.connector
    this.#options = options
    this.#metrics = options.services.metrics.plugins.of({ connector: options.name }, options.log)
  }

  get state(): ConnectorState {
    return this.#state
  }

  /** Aborts when the instance is ended. */
  get endSignal(): AbortSignal {
    return this.#end.signal
  }

  /** Starts the instance; false when that failed, which makes it FAILED. */
  async start(props: Props): Promise<boolean> {
    try {
      await this.#call('start', this.#limitMs, () => {
        if (!this.#isInitialized) this.connector.initialize(this.#context() as never)
        this.#isInitialized = true
        this.#isStarted = true
        return this.connector.start(props)
      })
    } catch (error) {
      this.#fail(error)
      return false
    }
    this.#event('start')
    return this.#state === 'RUNNING'
  }

  /** Stops the instance and keeps it, for a pause or until a resume. */
  async suspend(event: 'pause' | 'stop'): Promise<void> {
    await this.#stopInstance()
    this.#event(event)
  }

  /** At most `max` task configurations. @throws what the plugin threw, or a `TimeLimitError`. */
  taskConfigs(max: number): Promise<readonly Props[]> {
    return this.#call('taskConfigs', this.#limitMs, () => this.connector.taskConfigs(max))
  }

  /** The connector is FAILED from now on. */
  fail(error: unknown): void {
    this.#fail(error)
  }

  /** Ends the instance: pending calls are given up, `stop` gets its chance. Never rejects. */
  async shutdown(): Promise<void> {
    this.#end.abort(new ConnectError(`Connector ${this.name} is stopping.`))
    await this.#stopInstance()
    this.#metrics.close()
    this.#event('unassign')
  }

  async #stopInstance(): Promise<void> {
    if (!this.#isStarted) return
    this.#isStarted = false
    try {
      await this.#limited('stop', () => this.connector.stop(), {
        limitMs: Math.min(STOP_LIMIT_MS, this.#limitMs),
      })
    } catch (error) {
      this.#options.log.warn({ err: error }, 'The connector did not stop cleanly.')
    }
  }

  get #limitMs(): number {
    return this.#options.services.config['plugin.call.timeout.ms']
  }

  #call<T>(what: string, limitMs: number, callback: () => Awaitable<T>): Promise<T> {
    const call = this.#callAfter(this.#calls, { what, limitMs, callback })
    this.#calls = call.catch(() => {}) // The caller has the error.
    return call
  }

  async #callAfter<T>(
    previous: Promise<unknown>,
    next: {
      readonly what: string
      readonly limitMs: number
      readonly callback: () => Awaitable<T>
    },
  ): Promise<T> {
    await previous
    return this.#limited(next.what, next.callback, {
      limitMs: next.limitMs,
      signal: this.#end.signal,
    })
  }

  async #limited<T>(
    what: string,
    callback: () => Awaitable<T>,
    limits: { readonly limitMs: number; readonly signal?: AbortSignal },
  ): Promise<T> {
    const { clock, watch } = this.#options.services
    const name = `${what} of connector ${this.name}`
    const result = watch.run(name, callback)
    const answered = watch.await(name)
    try {
      return await withLimit(name, result, { clock, ...limits })
    } finally {
      answered()
    }
  }

  #context(): ConnectorContext {
    const { log, name, services, onReconfigure } = this.#options
    const context = {
      connector: name,
      clock: services.clock,
      log,
      metrics: this.#metrics,
      requestTaskReconfiguration: onReconfigure,
      raiseError: (error: Error) => this.#fail(error),
    }
    if (this.kind === 'sink') return context
    const { offsets } = services
    const reader = { offsets: (partitions: never) => offsets.offsets(name, partitions) }
    return { ...context, offsetStorageReader: reader } as ConnectorContext
  }

  #fail(thrown: unknown): void {
    if (this.#end.signal.aborted) return
    const error = asError(thrown)
    this.#options.log.error({ err: error }, 'The connector failed.')
    this.#event('fail', error)
  }

  #event(event: ConnectorEvent, error?: unknown): void {
    const next = nextConnectorState(this.#state, event)
    if (next === this.#state) return
    this.#state = next
    this.#options.onState(next, error)
  }
}
