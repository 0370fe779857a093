import type { Clock } from './clock.ts'
import type { ConfigDef, ConfigValue } from './config-def.ts'
import type { PluginLogger, PluginMetrics } from './plugin-metrics.ts'
import type { SourceOffset, SourcePartition } from './records.ts'
import type { OffsetStorageReader, SourceTask } from './source-task.ts'
import type { SinkTask } from './sink-task.ts'
import type { Awaitable, Props } from './task-context.ts'
import type { TopicPartition } from './topic-partition.ts'

export interface ConnectorContext {
  readonly connector: string
  readonly clock: Clock
  readonly log: PluginLogger
  readonly metrics: PluginMetrics
  /** Asks the worker to call `taskConfigs` again. Returns at once. */
  requestTaskReconfiguration(): void
  /** Moves the connector to FAILED. */
  raiseError(error: Error): void
}

export interface SourceConnectorContext extends ConnectorContext {
  readonly offsetStorageReader: OffsetStorageReader
}

/** One instance per connector. Decides how the work is cut into tasks; moves no records itself. */
abstract class Connector<Context extends ConnectorContext> {
  protected context!: Context

  abstract version(): string
  initialize(context: Context): void {
    this.context = context
  }
  /** Called once per life of the instance and again after a pause. A throw moves the connector to FAILED. */
  abstract start(props: Props): Awaitable<void>
  /** At most `maxTasks` task configurations; an empty list is legal. */
  abstract taskConfigs(maxTasks: number): Awaitable<readonly Props[]>
  /** Called after `start`, also a failed one. */
  abstract stop(): Awaitable<void>
  abstract config(): ConfigDef
  /** Checks `props` without any side effect. Default: what `config()` says. */
  validate(props: Props): Awaitable<readonly ConfigValue[]> {
    return this.config().validate(props)
  }
}

export abstract class SourceConnector extends Connector<SourceConnectorContext> {
  abstract taskClass(): new () => SourceTask

  /** True if the connector agrees to the change, false if it has nothing to say, a throw to refuse it. */
  alterOffsets(
    _config: Props,
    _offsets: readonly (readonly [SourcePartition, SourceOffset | null])[],
  ): Awaitable<boolean> {
    return false
  }
}

export abstract class SinkConnector extends Connector<ConnectorContext> {
  abstract taskClass(): new () => SinkTask

  /** As for sources; null resets a partition. Called while the connector is STOPPED. */
  alterOffsets(
    _config: Props,
    _offsets: readonly (readonly [TopicPartition, number | null])[],
  ): Awaitable<boolean> {
    return false
  }
}
