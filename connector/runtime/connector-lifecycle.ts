import { ConnectError } from '../api/errors.ts'
import type { Props } from '../api/task-context.ts'
import type { ConfigBackingStore } from '../storage/config-backing-store.ts'
import type { StatusBackingStore } from '../storage/status-backing-store.ts'
import { ConfigReload } from './config-reload.ts'
import { reverseTransform } from './config-transformer.ts'
import { backOffMs } from './retry.ts'
import type { Worker } from './worker.ts'
import type { WorkerConnector } from './worker-connector.ts'
import type { WorkerServices } from './worker-services.ts'

const TASK_CONFIGS_RETRY = { delayMsMin: 250, delayMsMax: 60_000 }

export interface LifecycleParts {
  readonly services: WorkerServices
  readonly worker: Worker
  readonly configs: ConfigBackingStore
  readonly statuses: StatusBackingStore
  readonly onChange: (connector: string) => void
  /** Told when values that config providers gave a running connector no longer hold. */
  readonly onExpired: (connector: string) => void
}

/** How a connector and its tasks come to run as the config store says: start, resume, restart, new task configurations. */
export class ConnectorLifecycle {
  readonly #services: WorkerServices
  readonly #worker: Worker
  readonly #configs: ConfigBackingStore
  readonly #statuses: StatusBackingStore
  readonly #onChange: (connector: string) => void
  readonly #reload: ConfigReload
  readonly #reconfiguring = new WeakMap<WorkerConnector, Promise<void>>()

  constructor(parts: LifecycleParts) {
    this.#services = parts.services
    this.#worker = parts.worker
    this.#configs = parts.configs
    this.#statuses = parts.statuses
    this.#onChange = parts.onChange
    this.#reload = new ConfigReload(parts.services, parts.onExpired)
  }

  /** Starts the connector and then its tasks. Never rejects: failures are statuses. */
  async startConnector(name: string): Promise<void> {
    const config = this.#configs.connectorConfig(name)
    if (config === undefined) return
    const targetState = this.#configs.targetState(name)
    const isStarted = await this.#worker.startConnector(name, config, {
      targetState,
      onReconfigure: () => void this.#reconfigure(name),
    })
    if (!isStarted) return
    if (targetState === 'STARTED') await this.#reconfigure(name)
    else if (targetState === 'PAUSED') await this.#startMissingTasks(name)
  }

  /** Starts what was paused or stopped. */
  async resume(name: string, config: Props): Promise<void> {
    const isStarted = await this.#worker.transitionConnector(name, config, 'STARTED')
    this.#worker.setTasksPaused(name, false)
    if (isStarted) await this.#reconfigure(name)
  }

  /** Asks the connector for task configurations and starts what changed; one request after the other. */
  #reconfigure(name: string): Promise<void> {
    const connector = this.#worker.connector(name)
    if (connector === undefined) return Promise.resolve()
    const previous = this.#reconfiguring.get(connector) ?? Promise.resolve()
    const next = this.#reconfigureAfter(previous, name, connector)
    this.#reconfiguring.set(connector, next)
    return next
  }

  /** Tries again until the connector answers or is gone. Never rejects. */
  async #reconfigureAfter(
    previous: Promise<void>,
    name: string,
    connector: WorkerConnector,
  ): Promise<void> {
    await previous
    const { clock, log, random } = this.#services
    for (let attempt = 1; ; attempt++) {
      const config = this.#configs.connectorConfig(name)
      if (config === undefined || this.#worker.connector(name) !== connector) return
      if (connector.state !== 'RUNNING') return
      try {
        await this.#applyTaskConfigs(name, config, await this.#askTaskConfigs(name, config))
        return
      } catch (error) {
        if (connector.endSignal.aborted) return
        const waitMs = backOffMs(attempt, error, { ...TASK_CONFIGS_RETRY, random })
        log.error(
          { err: error, connector: name, attempt },
          'Task configurations could not be made; the connector is asked again.',
        )
        await clock.sleep(waitMs, connector.endSignal).catch(() => {}) // Ended: the loop notices.
      }
    }
  }

  async #askTaskConfigs(name: string, config: Props): Promise<readonly Props[] | undefined> {
    const connector = this.#worker.connector(name)
    if (connector === undefined) return undefined
    const { props: resolved, ttlMs } = await this.#services.transformer.resolveWithTtl(config)
    this.#reload.schedule(connector, name, { config: resolved, ttlMs })
    const max = Number(resolved['tasks.max'] ?? '1')
    const asked = await connector.taskConfigs(max)
    if (asked.length > max && resolved['tasks.max.enforce']?.toLowerCase() !== 'false') {
      connector.fail(
        new ConnectError(
          `The connector ${name} has generated ${asked.length} tasks, which is greater than ${max}, the maximum number of tasks it is configured to create.`,
        ),
      )
      return undefined
    }
    const shared: Record<string, string> = { 'task.class': connector.connector.taskClass().name }
    for (const key of ['topics', 'topics.regex']) {
      const value = connector.kind === 'sink' ? resolved[key] : undefined
      if (value !== undefined) shared[key] = value
    }
    return asked.map((props) => reverseTransform({ ...props, ...shared }, config, resolved))
  }

  async #applyTaskConfigs(
    name: string,
    config: Props,
    tasks: readonly Props[] | undefined,
  ): Promise<void> {
    if (tasks === undefined) return
    const isSame =
      JSON.stringify(tasks) === JSON.stringify(this.#configs.taskConfigs(name)) &&
      this.#configs.appliedConfig(name) === config
    if (isSame) return this.#startMissingTasks(name)
    await this.#worker.stopTasks(this.#worker.tasks(name))
    if (this.#configs.connectorConfig(name) !== config) return // Replaced or deleted meanwhile.
    for (const [task] of this.#statuses.tasks(name)) this.#statuses.deleteTask(name, task)
    await this.#configs.putTaskConfigs(name, tasks)
    this.#startTasks(name, tasks)
  }

  #startMissingTasks(name: string): Promise<void> {
    const tasks = this.#configs.taskConfigs(name) ?? []
    const missing = tasks.flatMap((_config, task) =>
      this.#worker.hasTask({ connector: name, task }) ||
      this.#statuses.task(name, task)?.state === 'FAILED'
        ? []
        : [task],
    )
    this.#startTasks(name, tasks, missing)
    return Promise.resolve()
  }

  #startTasks(name: string, taskConfigs: readonly Props[], only?: readonly number[]): void {
    const connectorConfig = this.#configs.connectorConfig(name)
    const targetState = this.#configs.targetState(name)
    if (connectorConfig === undefined || targetState === 'STOPPED') return
    this.#worker.startTasks(name, {
      connectorConfig,
      taskConfigs,
      targetState,
      ...(only !== undefined && { only }),
    })
  }

  /** Stops all tasks and forgets their configurations. */
  async removeTasks(name: string): Promise<void> {
    await this.#worker.stopTasks(this.#worker.tasks(name))
    await this.#configs.putTaskConfigs(name, [])
    for (const [task] of this.#statuses.tasks(name)) this.#statuses.deleteTask(name, task)
  }

  /** Stops and starts the chosen parts; meanwhile they are RESTARTING. */
  async restart(
    name: string,
    what: { readonly connector: boolean; readonly tasks: readonly number[] },
  ): Promise<void> {
    const ids = what.tasks.map((task) => ({ connector: name, task }))
    if (what.connector) await this.#worker.stopConnector(name)
    await this.#worker.stopTasks(ids)
    for (const { task } of ids) {
      const status = this.#statuses.task(name, task)
      if (status === undefined) continue
      const sinceMs = this.#services.clock.now()
      this.#statuses.putTask(name, task, { ...status, state: 'RESTARTING', sinceMs })
    }
    this.#onChange(name)
    if (what.connector) await this.startConnector(name)
    if (ids.length === 0) return
    const missing = what.tasks.filter((task) => !this.#worker.hasTask({ connector: name, task }))
    this.#startTasks(name, this.#configs.taskConfigs(name) ?? [], missing)
  }
}
