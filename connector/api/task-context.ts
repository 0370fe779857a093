import type { Clock, Random } from './clock.ts'
import type { PluginLogger, PluginMetrics } from './plugin-metrics.ts'

/** A promise or the thing itself: every plugin callback may be either. */
export type Awaitable<T> = T | Promise<T>

export type Props = Readonly<Record<string, string>>

/** What every task is given. */
export interface TaskContext {
  readonly connector: string
  readonly task: number
  /** The task's configuration as it is now, config providers resolved. */
  configs(): Props
  readonly clock: Clock
  readonly random: Random
  readonly log: PluginLogger
  readonly metrics: PluginMetrics
  /**
   * Says how the task is, beyond Kafka Connect's states: shown on the task's status page and at
   * `/metrics`, never in the REST API's fields. Null: nothing to say. Latest wins.
   */
  reportHealth(health: TaskHealth | null): void
}

export interface TaskHealth {
  /** DEGRADED: works, but an operator should look, e.g. a feed has answered 503 for a minute. */
  readonly state: 'OK' | 'DEGRADED'
  /** One sentence for people, without secrets. */
  readonly message: string
}
