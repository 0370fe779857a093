import { randomUUID } from 'node:crypto'
import type { ConfigDef, ConfigValue } from '../api/config-def.ts'
import { SinkConnector } from '../api/connector.ts'
import type { Props } from '../api/task-context.ts'
import type { TopicPartition } from '../api/topic-partition.ts'
import { parseSinkConfig, SNOWFLAKE_SINK_CONFIG, wholeProblems, keyProblems } from './config.ts'
import { connectionTo } from './connection.ts'
import { createHttpClient } from './http.ts'
import { defaultPipe } from './identifiers.ts'
import { formatToken } from './offset-token.ts'
import { SnowflakeSinkTask } from './task.ts'
import { VERSION } from './version.ts'

/**
 * Writes Kafka topics into Snowflake tables, Snowflake-managed Iceberg ones above all, by Snowpipe Streaming's
 * high-performance REST API, exactly once. README.md beside this file has the configuration.
 */
export class SnowflakeSinkConnector extends SinkConnector {
  #props: Props = {}

  version(): string {
    return VERSION
  }

  taskClass(): new () => SnowflakeSinkTask {
    return SnowflakeSinkTask
  }

  config(): ConfigDef {
    return SNOWFLAKE_SINK_CONFIG
  }

  /** @throws ConfigError naming every problem. */
  start(props: Props): void {
    parseSinkConfig(props)
    for (const warning of keyProblems(props).warnings) this.context.log.warn({}, warning)
    this.#props = props
  }

  /** Partitions are shared out by Kafka's consumer group, so all tasks are configured alike. */
  taskConfigs(maxTasks: number): readonly Props[] {
    return Array.from({ length: maxTasks }, () => this.#props)
  }

  stop(): void {}

  override validate(props: Props): readonly ConfigValue[] {
    const values = SNOWFLAKE_SINK_CONFIG.validate(props)
    // What only shows in the whole is said at the key that every configuration has.
    return values.map((value) =>
      value.name === 'snowflake.url.name'
        ? { ...value, errors: [...value.errors, ...wholeProblems(props)] }
        : value,
    )
  }

  /**
   * Sets the positions of channels; the connector is stopped, so nobody else opens them. Null removes the channel, and
   * with it its position: the only case in which one is dropped.
   */
  override async alterOffsets(
    props: Props,
    offsets: readonly (readonly [TopicPartition, number | null])[],
  ): Promise<boolean> {
    const config = parseSinkConfig(props)
    const { clock, connector } = this.context
    const http = createHttpClient(4, config.proxy)
    const { client } = connectionTo(config, {
      send: http.send,
      clock,
      requestId: randomUUID,
      userAgent: `mta-connect/${VERSION}`,
      timeoutMs: config.values['snowflake.streaming.request.timeout.ms'],
    })
    try {
      for (const [tp, next] of offsets) {
        const { database, schema } = config
        const pipe = { database, schema, pipe: defaultPipe(config.tableOf(tp.topic)) }
        const channel = `${connector}_${tp.topic}_${tp.partition}`
        const attempt = { id: randomUUID(), retries: 0 }
        const signal = AbortSignal.timeout(config.values['snowflake.streaming.request.timeout.ms'])
        if (next === null) await client.drop(pipe, channel, { attempt, signal })
        else {
          // Without the topic's id: it is checked again when the channel is opened.
          const offsetToken = formatToken({ topicId: undefined, offset: next - 1 })
          await client.open(pipe, channel, {
            failOnUncommittedRows: true,
            offsetToken,
            attempt,
            signal,
          })
        }
      }
      return true
    } finally {
      http.close()
    }
  }
}
