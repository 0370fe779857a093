import type { ConfigKeyInfo } from '../api/config-def.ts'
import { AlreadyExistsError, ConnectError, NotFoundError } from '../api/errors.ts'
import type { ConnectorStatus } from '../api/rest-extension.ts'
import type { Props } from '../api/task-context.ts'
import type { ConfigBackingStore, TargetState } from '../storage/config-backing-store.ts'
import type { Status, StatusBackingStore } from '../storage/status-backing-store.ts'
import { ConnectorLifecycle } from './connector-lifecycle.ts'
import {
  pluginConfigInfos,
  requireValid,
  unknownKeys,
  validateConfig,
} from './config-validation.ts'
import { ConnectorOffsets } from './connector-offsets.ts'
import {
  BadRequestError,
  type ConfigInfos,
  type ConnectorInfo,
  type ConnectorOffset,
  type ConnectorStateInfo,
  type Herder,
  type RequestedConfig,
} from './herder.ts'
import { withLimit } from './limits.ts'
import { type Logger, LOGGERS } from './logging.ts'
import { requireVersion } from './plugin-versions.ts'
import type { PluginInfo } from './plugins.ts'
import { Worker } from './worker.ts'
import type { WorkerServices } from './worker-services.ts'

/** How long a request waits for a connector's start before it is answered without the tasks. */
const START_WAIT_MS = 10_000
const PATCH_NAME = 'name'

export interface StandaloneHerderStores {
  readonly configs: ConfigBackingStore
  readonly statuses: StatusBackingStore
}

/**
 * Decides what runs on a worker that has no siblings. Changes of one connector are made one after the other; those of
 * different connectors do not wait for each other, and no request waits for a plugin longer than a limit.
 */
export class StandaloneHerder implements Herder {
  readonly #services: WorkerServices
  readonly #log: Logger
  readonly #configs: ConfigBackingStore
  readonly #statuses: StatusBackingStore
  readonly #worker: Worker
  readonly #offsets: ConnectorOffsets
  readonly #lifecycle: ConnectorLifecycle
  readonly #queues = new Map<string, Promise<unknown>>()
  readonly #listeners = new Set<(status: ConnectorStatus) => void>()
  readonly #end = new AbortController()
  #isReady = false

  constructor(services: WorkerServices, stores: StandaloneHerderStores) {
    this.#services = services
    this.#log = services.logLevels.child({}, LOGGERS.herder)
    this.#configs = stores.configs
    this.#statuses = stores.statuses
    this.#worker = new Worker(services, stores.statuses, (connector) => this.#changed(connector))
    this.#offsets = new ConnectorOffsets(services)
    this.#lifecycle = new ConnectorLifecycle({
      services,
      worker: this.#worker,
      configs: stores.configs,
      statuses: stores.statuses,
      onChange: (connector) => this.#changed(connector),
      onExpired: (connector) => {
        const everything = { includeTasks: true, onlyFailed: false }
        this.restartConnectorAndTasks(connector, everything).catch((error: unknown) =>
          this.#log.error({ err: error, connector }, 'The restart for new values failed.'),
        )
      },
    })
    services.metrics.observe(() =>
      this.statuses().map((status) => ({
        status,
        className: this.#worker.facts(status.name)?.className ?? '',
        version: this.#worker.facts(status.name)?.version ?? '',
      })),
    )
  }

  get isReady(): boolean {
    return this.#isReady
  }

  async start(): Promise<void> {
    await this.#services.offsets.start()
    await this.#configs.start()
    this.#isReady = true
  }

  async stop(): Promise<void> {
    this.#isReady = false
    this.#end.abort(new ConnectError('The worker is stopping.'))
    await this.#worker.stop()
    await this.#services.offsets.stop()
    await this.#configs.stop()
  }

  readonly kafkaClusterId = async (): Promise<string | undefined> => {
    const admin = await this.#services.admin()
    return admin.clusterId(5_000)
  }

  connectors(): readonly string[] {
    return this.#configs.connectors()
  }

  connectorInfo(name: string): Promise<ConnectorInfo> {
    return Promise.resolve().then(() => this.#info(name))
  }

  connectorConfig(name: string): Promise<Props> {
    return Promise.resolve().then(() => this.#config(name))
  }

  async taskConfigs(name: string): Promise<readonly Props[]> {
    await this.connectorConfig(name)
    return this.#configs.taskConfigs(name) ?? []
  }

  connectorStatus(name: string): ConnectorStateInfo {
    const connector = this.#statuses.connector(name)
    if (connector === undefined) throw new NotFoundError(`No status found for connector ${name}`)
    return { name, connector, tasks: this.#statuses.tasks(name), type: this.#type(name) }
  }

  taskStatus(name: string, task: number): Status {
    const status = this.#statuses.task(name, task)
    if (status === undefined) throw new NotFoundError(`No status found for task ${name}-${task}`)
    return status
  }

  activeTopics(name: string): readonly string[] {
    return this.#statuses.topics(name)
  }

  resetActiveTopics(name: string): Promise<void> {
    this.#statuses.deleteTopics(name)
    return Promise.resolve()
  }

  async offsets(name: string): Promise<readonly ConnectorOffset[]> {
    const config = await this.connectorConfig(name)
    return this.#offsets.read(name, config, this.#type(name))
  }

  async alterOffsets(name: string, offsets: readonly ConnectorOffset[] | null): Promise<string> {
    return this.#inOrder(name, async () => {
      const config = this.#config(name)
      const isStopped = this.#configs.targetState(name) === 'STOPPED'
      if (!isStopped || (this.#configs.taskConfigs(name) ?? []).length > 0) {
        throw new BadRequestError(
          `Connectors must be in the STOPPED state before their offsets can be modified. This can be done for the specified connector by issuing a 'PUT' request to the '/connectors/${name}/stop' endpoint`,
        )
      }
      const connector = this.#worker.connector(name)
      if (connector === undefined)
        throw new ConnectError(`Failed to modify offsets for connector ${name}`)
      return this.#offsets.alter(connector, config, offsets)
    })
  }

  putConnectorConfig(
    name: string,
    requested: RequestedConfig,
    options: { readonly allowReplace: boolean; readonly targetState?: TargetState },
  ): Promise<{ readonly isNew: boolean; readonly info: ConnectorInfo }> {
    return this.#replaceConfig(name, () => requested, options)
  }

  async patchConnectorConfig(name: string, patch: RequestedConfig): Promise<ConnectorInfo> {
    const patched = (): RequestedConfig => patchedConfig(name, this.#config(name), patch)
    const { info } = await this.#replaceConfig(name, patched, { allowReplace: true })
    return info
  }

  /**
   * Validation is part of what happens in order: of two requests the later one is checked and stored after the earlier one, and a patch is
   * made of what is stored then.
   */
  async #replaceConfig(
    name: string,
    request: () => RequestedConfig,
    options: { readonly allowReplace: boolean; readonly targetState?: TargetState },
  ): Promise<{ readonly isNew: boolean; readonly info: ConnectorInfo }> {
    const begun = await this.#inOrder(name, async () => {
      const requested = request()
      const infos = await validateConfig(requested, this.#services)
      requireValid(infos)
      const unused = unknownKeys(requested, infos)
      if (unused.length > 0) {
        this.#log.warn({ connector: name, unused }, 'These keys are known to nobody.')
      }
      const isNew = this.#configs.connectorConfig(name) === undefined
      if (!isNew && !options.allowReplace) {
        throw new AlreadyExistsError(`Connector ${name} already exists`)
      }
      await this.#worker.stopConnector(name)
      await this.#configs.putConnectorConfig(name, requested as Props, options.targetState)
      return { isNew, started: this.#lifecycle.startConnector(name) }
    })
    await this.#wait(begun.started)
    return { isNew: begun.isNew, info: this.#info(name) }
  }

  deleteConnector(name: string): Promise<void> {
    return this.#inOrder(name, async () => {
      this.#config(name)
      await this.#configs.removeConnector(name)
      await this.#worker.stopConnector(name)
      await this.#worker.stopTasks(this.#worker.tasks(name))
      for (const [task] of this.#statuses.tasks(name)) this.#statuses.deleteTask(name, task)
      this.#statuses.deleteConnector(name)
      this.#statuses.deleteTopics(name)
      this.#changed(name)
    })
  }

  async setTargetState(name: string, state: TargetState): Promise<void> {
    if (this.#configs.connectorConfig(name) === undefined) {
      throw new NotFoundError(`Unknown connector ${name}`)
    }
    const begun = await this.#inOrder(name, async () => {
      const config = this.#config(name)
      await this.#configs.putTargetState(name, state)
      if (state !== 'STARTED') {
        this.#worker.setTasksPaused(name, true)
        if (state === 'STOPPED') await this.#lifecycle.removeTasks(name)
        await this.#worker.transitionConnector(name, config, state)
        return { started: Promise.resolve() }
      }
      return { started: this.#lifecycle.resume(name, config) }
    })
    await this.#wait(begun.started)
  }

  async restartConnector(name: string): Promise<void> {
    const begun = await this.#inOrder(name, async () => {
      this.#knownForRestart(name)
      await this.#worker.stopConnector(name)
      return { started: this.#lifecycle.startConnector(name) }
    })
    await this.#wait(begun.started)
  }

  async restartConnectorAndTasks(
    name: string,
    { includeTasks, onlyFailed }: { readonly includeTasks: boolean; readonly onlyFailed: boolean },
  ): Promise<ConnectorStateInfo> {
    return this.#inOrder(name, async () => {
      this.#knownForRestart(name)
      const before = this.connectorStatus(name)
      const isChosen = onlyFailed ? isFailed : () => true
      const connector = isChosen(before.connector)
      const chosen = includeTasks ? before.tasks.filter(([, status]) => isChosen(status)) : []
      const plan: ConnectorStateInfo = {
        ...before,
        connector: connector ? { ...before.connector, state: 'RESTARTING' } : before.connector,
        tasks: before.tasks.map((task) =>
          chosen.includes(task) ? [task[0], { ...task[1], state: 'RESTARTING' }] : task,
        ),
      }
      const ids = chosen.map(([task]) => ({ connector: name, task }))
      const started = this.#lifecycle.restart(name, {
        connector,
        tasks: ids.map(({ task }) => task),
      })
      started.catch((error: unknown) =>
        this.#log.error({ err: error, connector: name }, 'The restart failed.'),
      )
      await Promise.resolve()
      return plan
    })
  }

  restartTask(name: string, task: number): Promise<void> {
    return this.#inOrder(name, async () => {
      this.#knownForRestart(name)
      if ((this.#configs.taskConfigs(name) ?? []).length <= task || task < 0) {
        throw new NotFoundError(`Task ${name}-${task} not found`)
      }
      await this.#lifecycle.restart(name, { connector: false, tasks: [task] })
    })
  }

  plugins(connectorsOnly: boolean): readonly PluginInfo[] {
    return this.#services.plugins.list(connectorsOnly)
  }

  async pluginConfig(plugin: string, version?: string): Promise<readonly ConfigKeyInfo[]> {
    const { plugins } = this.#services
    const kinds = [
      'sink',
      'source',
      'converter',
      'header_converter',
      'transformation',
      'predicate',
    ] as const
    const descriptor = plugins.find(plugin, ...kinds)
    if (descriptor !== undefined) {
      requireVersion(descriptor, version)
      return pluginConfigInfos(descriptor, this.#services)
    }
    if (plugins.find(plugin, 'config_provider', 'rest_extension') === undefined) {
      throw new NotFoundError(`Unknown plugin ${plugin}.`)
    }
    throw new BadRequestError(
      `Invalid plugin class ${plugin}. Valid types are sink, source, converter, header_converter, transformation, predicate.`,
    )
  }

  validate(config: RequestedConfig): Promise<ConfigInfos> {
    return validateConfig(config, this.#services)
  }

  statuses(): readonly ConnectorStatus[] {
    return this.#statuses.connectors().flatMap((name) => this.#connectorStatus(name) ?? [])
  }

  onStatus(listener: (status: ConnectorStatus) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  #info(name: string): ConnectorInfo {
    const config = this.#config(name)
    const tasks = (this.#configs.taskConfigs(name) ?? []).map((_props, task) => ({
      connector: name,
      task,
    }))
    return { name, config, tasks, type: this.#type(name) }
  }

  #config(name: string): Props {
    const config = this.#configs.connectorConfig(name)
    if (config === undefined) throw new NotFoundError(`Connector ${name} not found`)
    return config
  }

  #knownForRestart(name: string): void {
    if (this.#configs.connectorConfig(name) === undefined) {
      throw new NotFoundError(`Unknown connector: ${name}`)
    }
  }

  #type(name: string): ConnectorInfo['type'] {
    const className = this.#configs.connectorConfig(name)?.['connector.class']
    const descriptor =
      className === undefined ? undefined : this.#services.plugins.find(className, 'sink', 'source')
    return descriptor?.kind ?? 'unknown'
  }

  #connectorStatus(name: string): ConnectorStatus | undefined {
    const status = this.#statuses.connector(name)
    if (status === undefined) return undefined
    const { state, workerId, trace } = status
    const tasks = this.#statuses.tasks(name).map(([id, task]) => ({
      id,
      state: task.state,
      workerId: task.workerId,
      trace: task.trace,
      health: this.#worker.health({ connector: name, task: id }),
      sinceMs: task.sinceMs,
    }))
    return { name, type: this.#type(name), state, workerId, trace, tasks }
  }

  #changed(name: string): void {
    const status = this.#connectorStatus(name) ?? {
      name,
      type: 'unknown',
      state: 'DESTROYED',
      workerId: this.#services.workerId,
      trace: undefined,
      tasks: [],
    }
    for (const listener of this.#listeners) {
      try {
        listener(status)
      } catch (error) {
        this.#log.error({ err: error }, 'A listener for status changes threw.')
      }
    }
  }

  /** Changes of one connector, one after the other. */
  #inOrder<T>(name: string, change: () => Promise<T>): Promise<T> {
    const previous = this.#queues.get(name) ?? Promise.resolve()
    const next = previous.then(change)
    const settled: Promise<unknown> = next.catch(() => {}) // The caller has the error.
    this.#queues.set(name, settled)
    void settled.then(() => {
      if (this.#queues.get(name) === settled) this.#queues.delete(name)
      return undefined
    })
    return next
  }

  /** Waits for a start, but not longer than a client likes to wait; it goes on all the same. */
  async #wait(started: Promise<void>): Promise<void> {
    try {
      await withLimit('Starting the connector', started, {
        clock: this.#services.clock,
        limitMs: START_WAIT_MS,
        signal: this.#end.signal,
      })
    } catch (error) {
      this.#log.warn({ err: error }, 'The request was answered before the connector had started.')
    }
  }
}

const isFailed = ({ state }: Status): boolean => state === 'FAILED'

/** A JSON merge patch (RFC 7386) of a flat configuration: null removes a key. */
function patchedConfig(name: string, config: Props, patch: RequestedConfig): RequestedConfig {
  const renamed = patch[PATCH_NAME]
  if (typeof renamed === 'string' && renamed !== name) {
    throw new BadRequestError(
      `Connector name configuration (${renamed}) doesn't match connector name in the URL (${name})`,
    )
  }
  const patched: Record<string, string | null> = { ...config }
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete patched[key]
    else patched[key] = value
  }
  return patched
}
