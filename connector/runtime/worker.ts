import type { TaskHealth, Props } from '../api/task-context.ts'
import type { TargetState } from '../storage/config-backing-store.ts'
import type { StatusBackingStore } from '../storage/status-backing-store.ts'
import { withLimit } from './limits.ts'
import { createSinkTask } from './sink-task-factory.ts'
import { createSourceTask } from './source-task-factory.ts'
import type { TaskSpec } from './task-parts.ts'
import type { ConnectorState, TaskState } from './task-state.ts'
import { asError, shortTrace } from './thrown.ts'
import { WorkerConnector } from './worker-connector.ts'
import type { WorkerServices } from './worker-services.ts'
import { type TaskId, taskName, type WorkerTask } from './worker-task.ts'

/** A task that is being put together or runs. */
interface Slot {
  readonly id: TaskId
  /** Resolves when the task is over; never rejects. */
  ended: Promise<void>
  task: WorkerTask | undefined
  isPaused: boolean
  isStopping: boolean
}

interface Running {
  readonly connector: WorkerConnector
  readonly version: string
  readonly className: string
}

export interface TaskStart {
  readonly connectorConfig: Props
  readonly taskConfigs: readonly Props[]
  readonly targetState: TargetState
  /** Only these; default all. */
  readonly only?: readonly number[]
}

/** Runs connectors and tasks on this process and writes their states down. Decides nothing: a herder does. */
export class Worker {
  readonly #services: WorkerServices
  readonly #statuses: StatusBackingStore
  readonly #connectors = new Map<string, Running>()
  /** Starts in progress, so that one which was overtaken by a stop notices. */
  readonly #starting = new Map<string, symbol>()
  readonly #slots = new Map<string, Slot>()
  readonly #health = new Map<string, TaskHealth | null>()
  readonly #onChange: (connector: string) => void

  constructor(
    services: WorkerServices,
    statuses: StatusBackingStore,
    onChange: (connector: string) => void,
  ) {
    this.#services = services
    this.#statuses = statuses
    this.#onChange = onChange
  }

  /** Makes a connector's instance and starts it unless its target state says otherwise. False when that failed: the status then says why. */
  async startConnector(
    name: string,
    config: Props,
    options: { readonly targetState: TargetState; readonly onReconfigure: () => void },
  ): Promise<boolean> {
    const { startups } = this.#services.metrics
    startups.connector.attempted()
    const log = this.#services.logLevels.child({ connector: name })
    const attempt = Symbol(name)
    this.#starting.set(name, attempt)
    let running: Running
    let props: Props
    try {
      props = await this.#services.transformer.resolve(config)
      const { connector, descriptor } = await this.#services.plugins.connector(
        props['connector.class'] ?? '',
      )
      running = {
        version: connector.version(),
        className: descriptor.className,
        connector: new WorkerConnector({
          name,
          connector,
          kind: descriptor.kind === 'sink' ? 'sink' : 'source',
          services: this.#services,
          log,
          onState: (state, error) => this.#onConnectorState(name, state, error),
          onReconfigure: options.onReconfigure,
        }),
      }
    } catch (thrown) {
      const error = asError(thrown)
      log.error({ err: error }, 'The connector could not be made.')
      startups.connector.failed()
      this.#onConnectorState(name, 'FAILED', error)
      return false
    }
    if (this.#starting.get(name) !== attempt) return false
    this.#starting.delete(name)
    this.#connectors.set(name, running)
    if (options.targetState !== 'STARTED') {
      await running.connector.suspend(options.targetState === 'PAUSED' ? 'pause' : 'stop')
      startups.connector.succeeded()
      return true
    }
    const isStarted = await running.connector.start(props)
    if (isStarted) startups.connector.succeeded()
    else startups.connector.failed()
    return isStarted
  }

  /** Pauses, stops or resumes a connector's instance. */
  async transitionConnector(name: string, config: Props, target: TargetState): Promise<boolean> {
    const running = this.#connectors.get(name)
    if (running === undefined) return false
    if (target === 'STARTED') {
      if (running.connector.state === 'RUNNING') return true
      if (running.connector.state === 'FAILED') return false
      return running.connector.start(await this.#services.transformer.resolve(config))
    }
    await running.connector.suspend(target === 'PAUSED' ? 'pause' : 'stop')
    return true
  }

  /** Ends a connector's instance. Never rejects. */
  async stopConnector(name: string): Promise<void> {
    this.#starting.delete(name)
    const running = this.#connectors.get(name)
    this.#connectors.delete(name)
    await running?.connector.shutdown()
  }

  connector(name: string): WorkerConnector | undefined {
    return this.#connectors.get(name)?.connector
  }

  /** Class and version of a connector that runs here. */
  facts(name: string): { readonly className: string; readonly version: string } | undefined {
    return this.#connectors.get(name)
  }

  health(id: TaskId): TaskHealth | null {
    return this.#health.get(taskName(id)) ?? null
  }

  hasTask(id: TaskId): boolean {
    return this.#slots.has(taskName(id))
  }

  /** Starts tasks. What goes wrong becomes their status. */
  startTasks(name: string, start: TaskStart): void {
    const running = this.#connectors.get(name)
    if (running === undefined) return
    start.taskConfigs.forEach((config, task) => {
      if (start.only !== undefined && !start.only.includes(task)) return
      this.#startTask({ connector: name, task }, { ...start, config, running })
    })
  }

  /** Stops tasks: all together get the graceful time-out, then they are abandoned. Never rejects. */
  async stopTasks(ids: readonly TaskId[]): Promise<void> {
    const slots = ids.flatMap((id) => this.#slots.get(taskName(id)) ?? [])
    for (const slot of slots) {
      slot.isStopping = true
      slot.task?.stop()
    }
    const { clock, config, log } = this.#services
    const limitMs = config['task.shutdown.graceful.timeout.ms']
    try {
      const all = Promise.all(slots.map(({ ended }) => ended))
      await withLimit('Stopping tasks', all, { clock, limitMs })
    } catch {
      for (const slot of slots.filter(({ id }) => this.#slots.has(taskName(id)))) {
        log.error({ ...slot.id }, 'The task did not stop in time and is abandoned.')
        slot.task?.cancel()
        this.#remove(slot)
        this.#onTaskState(slot.id, 'UNASSIGNED', undefined)
      }
    }
  }

  /** The ids of a connector's tasks here. */
  tasks(name: string): TaskId[] {
    return [...this.#slots.values()].flatMap(({ id }) => (id.connector === name ? [id] : []))
  }

  setTasksPaused(name: string, isPaused: boolean): void {
    for (const slot of this.#slots.values()) {
      if (slot.id.connector !== name) continue
      slot.isPaused = isPaused
      slot.task?.setPaused(isPaused)
    }
  }

  /** Stops everything. Never rejects. */
  async stop(): Promise<void> {
    await this.stopTasks([...this.#slots.values()].map(({ id }) => id))
    await Promise.all([...this.#connectors.keys()].map((name) => this.stopConnector(name)))
  }

  #startTask(
    id: TaskId,
    start: TaskStart & { readonly config: Props; readonly running: Running },
  ): void {
    const { metrics } = this.#services
    metrics.startups.task.attempted()
    const slot: Slot = {
      id,
      ended: Promise.resolve(),
      task: undefined,
      isPaused: start.targetState === 'PAUSED',
      isStopping: false,
    }
    this.#slots.set(taskName(id), slot)
    this.#onTaskState(id, 'UNASSIGNED', undefined)
    slot.ended = this.#runTask(slot, start)
  }

  async #runTask(
    slot: Slot,
    start: TaskStart & { readonly config: Props; readonly running: Running },
  ): Promise<void> {
    const { metrics, transformer, log } = this.#services
    try {
      const { connector } = start.running
      const spec: TaskSpec = {
        id: slot.id,
        connector: connector.connector,
        kind: connector.kind,
        connectorProps: await transformer.resolve(start.connectorConfig),
        taskProps: await transformer.resolve(start.config),
        siblings: start.taskConfigs.length,
        isPaused: slot.isPaused,
        listener: this.#listener(slot),
        onTopic: (topic) => this.#onTopic(slot.id.connector, topic),
      }
      const create = connector.kind === 'source' ? createSourceTask : createSinkTask
      slot.task = await this.#make(slot, () => create(spec, this.#services))
      slot.task.setPaused(slot.isPaused)
      if (slot.isStopping) slot.task.stop()
      metrics.startups.task.succeeded()
    } catch (thrown) {
      const error = asError(thrown)
      metrics.startups.task.failed()
      log.error({ err: error, ...slot.id }, 'The task could not be made.')
      if (!slot.isStopping) this.#onTaskState(slot.id, 'FAILED', error)
      this.#remove(slot)
      return
    }
    await slot.task.run()
    this.#remove(slot)
  }

  /** Converters and transformations are configured meanwhile, and may never answer. */
  async #make(slot: Slot, create: () => Promise<WorkerTask>): Promise<WorkerTask> {
    const { clock, config, watch } = this.#services
    const name = `Making task ${taskName(slot.id)}`
    const made = watch.run(name, create)
    try {
      return await withLimit(name, made, { clock, limitMs: config['plugin.call.timeout.ms'] })
    } catch (error) {
      void made.then(abandon, () => {}) // It failed, which is what the caller hears.
      throw error
    }
  }

  #listener(slot: Slot) {
    return {
      onState: (state: TaskState, error: unknown) => {
        if (this.#slots.get(taskName(slot.id)) === slot) this.#onTaskState(slot.id, state, error)
      },
      onHealth: (health: TaskHealth | null) => {
        if (this.#slots.get(taskName(slot.id)) !== slot) return
        this.#health.set(taskName(slot.id), health)
        this.#onChange(slot.id.connector)
      },
    }
  }

  #remove(slot: Slot): void {
    const name = taskName(slot.id)
    if (this.#slots.get(name) !== slot) return
    this.#slots.delete(name)
    this.#health.delete(name)
  }

  #onTopic(connector: string, topic: string): void {
    if (this.#services.config['topic.tracking.enable']) this.#statuses.putTopic(connector, topic)
  }

  #onTaskState(id: TaskId, state: TaskState, error: unknown): void {
    this.#statuses.putTask(id.connector, id.task, {
      ...this.#status(error),
      state,
      version: this.#connectors.get(id.connector)?.version,
    })
    this.#onChange(id.connector)
  }

  #onConnectorState(name: string, state: ConnectorState, error: unknown): void {
    this.#statuses.putConnector(name, {
      ...this.#status(error),
      state,
      version: this.#connectors.get(name)?.version,
    })
    this.#onChange(name)
  }

  #status(error: unknown) {
    const { clock, workerId } = this.#services
    const trace = error === undefined ? undefined : shortTrace(error)
    return { workerId, trace, sinceMs: clock.now() }
  }
}

/** A task that came too late gives back what it holds. */
function abandon(task: WorkerTask): Promise<void> {
  task.cancel()
  return task.run()
}
