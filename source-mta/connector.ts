import type { ConfigDef, ConfigValue } from '../connector/api/config-def.ts'
import { SourceConnector } from '../connector/api/connector.ts'
import { ConnectError } from '../connector/api/errors.ts'
import type { SourceOffset, SourcePartition } from '../connector/api/records.ts'
import type { SourceTask } from '../connector/api/source-task.ts'
import type { Props } from '../connector/api/task-context.ts'
import { MTA_SOURCE_CONFIG, configDef, parseConfig, validateConfig } from './config.ts'
import { MtaSourceTask, TASK_FEEDS } from './task.ts'
import { VERSION } from './version.ts'

/** GTFS-realtime vehicle positions, of MTA's feeds and others, as Kafka records. A feed is a source partition. */
export class MtaSourceConnector extends SourceConnector {
  #props: Props = {}

  override version(): string {
    return VERSION
  }

  override start(props: Props): void {
    const { withoutKey } = parseConfig(props)
    this.#props = props
    if (withoutKey.length > 0) {
      this.context.log.warn(
        { feeds: withoutKey },
        'Feeds are left out: they need mta.bus.api.key, which is not set.',
      )
    }
  }

  override taskClass(): new () => SourceTask {
    return MtaSourceTask
  }

  /** Feeds are dealt out in turn; never a task without any. */
  override taskConfigs(maxTasks: number): readonly Props[] {
    const feeds = parseConfig(this.#props).feeds.map(({ id }) => id)
    const count = Math.min(maxTasks, feeds.length)
    return Array.from({ length: count }, (_, task) => ({
      ...this.#props,
      [TASK_FEEDS]: feeds.filter((_id, index) => index % count === task).join(','),
    }))
  }

  override stop(): void {}

  /** A partition is `{feed: id}`; null makes the feed's vehicles be emitted once more. */
  override alterOffsets(
    _config: Props,
    offsets: readonly (readonly [SourcePartition, SourceOffset | null])[],
  ): boolean {
    for (const [partition] of offsets) {
      const { feed } = partition
      if (typeof feed !== 'string' || Object.keys(partition).length !== 1) {
        throw new ConnectError(
          `A source partition must be {"feed": "<id>"}, got ${JSON.stringify(partition)}`,
        )
      }
    }
    return true
  }

  override config(): ConfigDef {
    return this.#props['feeds'] === undefined && Object.keys(this.#props).length === 0
      ? MTA_SOURCE_CONFIG
      : configDef(this.#props)
  }

  override validate(props: Props): readonly ConfigValue[] {
    return validateConfig(props)
  }
}
