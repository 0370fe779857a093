import type { Clock, Random } from '../api/clock.ts'
import { type ConfigOf, ConfigDef, int, long } from '../api/config-def.ts'
import { ConfigError, toMessage } from '../api/errors.ts'
import type { PluginLogger } from '../api/plugin-metrics.ts'
import type { ConnectorStatus } from '../api/rest-extension.ts'
import type { Props } from '../api/task-context.ts'
import type { Herder } from './herder.ts'
import { backOffMs } from './retry.ts'

/** May stand among the worker's properties, for all connectors, and in a connector's configuration, which wins. */
export const TASK_RESTART_CONFIG = new ConfigDef({
  'task.restart.attempts.max': int({
    importance: 'LOW',
    doc: 'How often a failed task is restarted by itself before somebody has to; 0: never, as Kafka Connect.',
    default: 0,
    range: [0, 1_000_000],
  }),
  'task.restart.backoff.ms': long({
    importance: 'LOW',
    doc: 'About how long the first restart waits; each next one twice as long.',
    default: 10_000,
    range: [1, 86_400_000],
  }),
  'task.restart.backoff.max.ms': long({
    importance: 'LOW',
    doc: 'Longest wait before a restart. A task that has run for longer than this begins to count anew.',
    default: 300_000,
    range: [1, 86_400_000],
  }),
})

type Policy = ConfigOf<typeof TASK_RESTART_CONFIG>

export interface TaskRestartsOptions {
  readonly herder: Pick<Herder, 'onStatus' | 'connectorConfig' | 'taskStatus' | 'restartTask'>
  /** The worker's properties. */
  readonly props: Props
  readonly clock: Clock
  readonly random: Random
  readonly log: PluginLogger
}

interface Tracked {
  attempts: number
  runningSinceMs: number | undefined
  /** Ends the wait for the restart that is due. */
  waiting: AbortController | undefined
}

/** Restarts failed tasks where the configuration asks for it. */
export class TaskRestarts {
  readonly #options: TaskRestartsOptions
  readonly #tasks = new Map<string, Map<number, Tracked>>()
  readonly #running = new Set<Promise<void>>()
  readonly #unsubscribe: () => void

  constructor(options: TaskRestartsOptions) {
    this.#options = options
    this.#unsubscribe = options.herder.onStatus((status) => this.#onStatus(status))
  }

  /** No task is restarted any more. */
  async stop(): Promise<void> {
    this.#unsubscribe()
    for (const tasks of this.#tasks.values()) {
      for (const { waiting } of tasks.values()) waiting?.abort()
    }
    await Promise.all(this.#running)
  }

  #onStatus({ name, state, tasks }: ConnectorStatus): void {
    const known = this.#tasks.get(name) ?? new Map<number, Tracked>()
    const ids = new Set(tasks.map(({ id }) => id))
    for (const [id, { waiting }] of known) {
      if (ids.has(id) && state !== 'DESTROYED') continue
      waiting?.abort()
      known.delete(id)
    }
    for (const task of tasks) {
      const tracked = known.get(task.id) ?? {
        attempts: 0,
        runningSinceMs: undefined,
        waiting: undefined,
      }
      known.set(task.id, tracked)
      if (task.state === 'RUNNING') tracked.runningSinceMs ??= task.sinceMs
      if (task.state === 'FAILED') this.#begin(name, task.id, tracked)
      else if (task.state !== 'RESTARTING') tracked.waiting?.abort()
    }
    if (known.size === 0) this.#tasks.delete(name)
    else this.#tasks.set(name, known)
  }

  #begin(name: string, id: number, tracked: Tracked): void {
    if (tracked.waiting !== undefined) return
    const waiting = new AbortController()
    tracked.waiting = waiting
    const restart = this.#restart({ name, id, tracked }, waiting.signal)
      .catch((error: unknown) =>
        this.#options.log.error(
          { err: error, connector: name, task: id },
          'The failed task could not be restarted.',
        ),
      )
      .finally(() => {
        tracked.waiting = undefined
        this.#running.delete(restart)
      })
    this.#running.add(restart)
  }

  async #restart(
    {
      name,
      id,
      tracked,
    }: { readonly name: string; readonly id: number; readonly tracked: Tracked },
    signal: AbortSignal,
  ): Promise<void> {
    const { clock, herder, log, random } = this.#options
    const policy = await this.#policy(name)
    if (policy === undefined || policy['task.restart.attempts.max'] === 0) return
    const ranMs = clock.now() - (tracked.runningSinceMs ?? clock.now())
    tracked.runningSinceMs = undefined
    if (ranMs > policy['task.restart.backoff.max.ms']) tracked.attempts = 0
    const fields = { connector: name, task: id, attempt: tracked.attempts + 1 }
    if (tracked.attempts >= policy['task.restart.attempts.max']) {
      log.error(fields, 'The task has failed as often as it may; it stays FAILED.')
      return
    }
    tracked.attempts++
    const waitMs = backOffMs(tracked.attempts, undefined, {
      delayMsMin: policy['task.restart.backoff.ms'],
      delayMsMax: policy['task.restart.backoff.max.ms'],
      random,
    })
    log.warn({ ...fields, waitMs: Math.round(waitMs) }, 'The failed task will be restarted.')
    try {
      await clock.sleep(waitMs, signal)
    } catch {
      return // Somebody else restarted, paused or deleted it, or the worker stops.
    }
    if (herder.taskStatus(name, id).state === 'FAILED') await herder.restartTask(name, id)
  }

  async #policy(name: string): Promise<Policy | undefined> {
    const { herder, log, props } = this.#options
    try {
      return TASK_RESTART_CONFIG.parse({ ...props, ...(await herder.connectorConfig(name)) })
    } catch (error) {
      if (!(error instanceof ConfigError)) return undefined // The connector is gone.
      log.error({ connector: name }, `Failed tasks are not restarted: ${toMessage(error)}.`)
      return undefined
    }
  }
}
