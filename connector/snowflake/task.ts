import { randomUUID } from 'node:crypto'
import type { DataError } from '../api/errors.ts'
import type { SinkRecord } from '../api/records.ts'
import { SinkTask } from '../api/sink-task.ts'
import type { Props } from '../api/task-context.ts'
import {
  type TopicPartition,
  type TopicPartitionOffset,
  topicPartitionKey,
} from '../api/topic-partition.ts'
import { Channel } from './channel.ts'
import type { ChannelOptions, ChannelSettings } from './channel-options.ts'
import { isOpen } from './channel-state.ts'
import type { PipeName, SnowpipeClient } from './client.ts'
import { type Compression, type Compressor, compressorFor } from './compression.ts'
import { parseSinkConfig, type SinkConfig } from './config.ts'
import { errorTable } from './error-table.ts'
import { connectionTo } from './connection.ts'
import type { Credential } from './credential.ts'
import { createHttpClient, type HttpClient } from './http.ts'
import { defaultPipe } from './identifiers.ts'
import { SinkMetrics } from './metrics.ts'
import type { ProxySettings } from './http-proxy.ts'
import { RejectedRowError } from './rejections.ts'
import { preloadDriver, type SqlConnect, sqlConnector } from './sql.ts'
import { StatusPoller } from './status-poller.ts'
import { type SharedTable, shareTable, Table } from './table.ts'
import type { TableAccess } from './table-access.ts'
import { VERSION } from './version.ts'

/** The ways to the outside; tests give others. */
export interface SinkTaskOutside {
  http(connectionsMax: number, proxy: ProxySettings | undefined): HttpClient
  /** `warehouse`: undefined for the user's default. */
  sql(config: SinkConfig, credential: Credential, warehouse: string | undefined): SqlConnect
  compressor(choice: Compression): Compressor
  requestId(): string
  /** Whether tasks share tables by name; off where each has a world of its own. */
  readonly sharesTables: boolean
}

const OUTSIDE: SinkTaskOutside = {
  http: createHttpClient,
  sql: (config, credential, warehouse) => {
    const { values } = config
    const looksAtTables =
      values['snowflake.autocreate.table.type'] !== 'none' ||
      values['snowflake.schema.evolution'] !== 'none'
    if (looksAtTables) preloadDriver()
    return sqlConnector({
      accountUrl: config.accountUrl,
      account: config.account,
      user: config.user,
      role: config.role,
      warehouse,
      credential,
      proxy: config.proxy,
      timeoutMs: values['snowflake.sql.timeout.ms'],
    })
  },
  compressor: compressorFor,
  requestId: () => randomUUID(),
  sharesTables: true,
}

const LINGER_MS = 50
const CONNECTIONS_MAX = 64
const STOP_STEP_MS = 20

/** Everything that exists between `start` and `stop`. */
interface Running {
  readonly config: SinkConfig
  readonly settings: ChannelSettings
  readonly http: HttpClient
  readonly client: SnowpipeClient
  readonly credential: Credential
  readonly compressor: Compressor
  readonly sql: SqlConnect
  /** For error tables. */
  readonly errorSql: SqlConnect
  readonly metrics: SinkMetrics
  readonly abort: AbortController
  readonly channels: Map<string, Channel>
  readonly pollers: Map<string, StatusPoller>
  readonly tables: Map<string, SharedTable>
}

/** Writes the records of each assigned partition to its own Snowpipe channel. `put` never waits for the network. */
export class SnowflakeSinkTask extends SinkTask {
  readonly #outside: SinkTaskOutside
  #running: Running | undefined
  #health: string | null = null
  /** Aborts before the last `preCommit` and `close` of a task that stops, and not for a rebalance. */
  #stopSignal: AbortSignal | undefined

  constructor(outside: SinkTaskOutside = OUTSIDE) {
    super()
    this.#outside = outside
  }

  version(): string {
    return VERSION
  }

  override lingerMs(): number {
    return LINGER_MS
  }

  start(props: Props): void {
    const config = parseSinkConfig(props)
    const { clock } = this.context
    const warehouse = config.values['snowflake.warehouse.name']
    const http = this.#outside.http(CONNECTIONS_MAX, config.proxy)
    const { client, credential } = connectionTo(config, {
      send: http.send,
      clock,
      requestId: () => this.#outside.requestId(),
      userAgent: `mta-connect/${VERSION} (${process.platform} ${process.arch}) NODE/${process.versions.node}`,
      timeoutMs: config.values['snowflake.streaming.request.timeout.ms'],
    })
    this.#running = {
      config,
      settings: settingsOf(config),
      http,
      client,
      credential,
      compressor: this.#outside.compressor(config.values['snowflake.streaming.compression']),
      sql: this.#outside.sql(config, credential, warehouse),
      errorSql: this.#outside.sql(
        config,
        credential,
        config.values['snowflake.error.table.warehouse.name'] ?? warehouse,
      ),
      metrics: new SinkMetrics(this.context.metrics),
      abort: new AbortController(),
      channels: new Map(),
      pollers: new Map(),
      tables: new Map(),
    }
  }

  override open(partitions: readonly TopicPartition[], signal: AbortSignal): void {
    const running = this.#live()
    this.#stopSignal = signal
    for (const tp of partitions) {
      running.channels.get(topicPartitionKey(tp))?.close()
      const channel = this.#channel(running, tp)
      running.channels.set(topicPartitionKey(tp), channel)
      channel.advance()
    }
  }

  override close(partitions: readonly TopicPartition[]): void {
    for (const tp of partitions) {
      const key = topicPartitionKey(tp)
      this.#running?.channels.get(key)?.close()
      this.#running?.channels.delete(key)
    }
  }

  put(records: readonly SinkRecord[]): void {
    const running = this.#live()
    this.#throwFailure(running)
    this.#seek(running, records)
    this.#work(running)
    this.#applyFlow(running)
    this.#throwFailure(running)
  }

  /** Passes positions on, and records to their channels. What was read before a new position is dropped. */
  #seek({ channels, metrics }: Running, records: readonly SinkRecord[]): void {
    const moved = new Set<string>()
    for (const [key, channel] of channels) {
      const offset = channel.reading.takeSeek()
      if (offset === undefined) continue
      this.context.offset(channel.tp, offset)
      moved.add(key)
    }
    metrics.taken(records.length)
    let topic: string | undefined
    let partition = -1
    let channel: Channel | undefined
    for (const record of records) {
      // Records of one partition come in runs, so that the channel is not looked up for each.
      if (record.originalKafkaPartition !== partition || record.originalTopic !== topic) {
        topic = record.originalTopic
        partition = record.originalKafkaPartition
        const key = topicPartitionKey({ topic, partition })
        channel = moved.has(key) ? undefined : channels.get(key)
      }
      channel?.deliver(record)
    }
  }

  #work(running: Running, isUrgent = false): void {
    const { channels, pollers, metrics } = running
    let uncommitted = 0
    let problem: string | undefined
    const byPipe = new Map<string, Channel[]>()
    for (const channel of channels.values()) {
      channel.advance(isUrgent)
      uncommitted += channel.uncommitted
      problem ??= channel.problem
      const siblings = byPipe.get(channel.pipe.pipe)
      if (siblings === undefined) byPipe.set(channel.pipe.pipe, [channel])
      else siblings.push(channel)
    }
    for (const [pipe, siblings] of byPipe) {
      const poller = pollers.get(pipe)
      poller?.advance(siblings)
      problem ??= poller?.problem
    }
    metrics.uncommitted(uncommitted)
    this.#report(problem ?? null)
  }

  #report(problem: string | null): void {
    if (problem === this.#health) return
    this.#health = problem
    this.context.reportHealth(problem === null ? null : { state: 'DEGRADED', message: problem })
  }

  /** A partition whose channel is not open, or whose buffer is full, is not read. */
  #applyFlow({ channels }: Running): void {
    for (const channel of channels.values()) {
      const change = channel.flowChange()
      if (change === 'pause') this.context.pause(channel.tp)
      else if (change === 'resume') this.context.resume(channel.tp)
    }
  }

  #throwFailure({ channels, pollers }: Running): void {
    for (const { failure } of [...channels.values(), ...pollers.values()]) {
      if (failure !== undefined) throw failure
    }
  }

  /**
   * Only what Snowflake has committed: what comes after can still get lost with its channel. On the way to `stop` that
   * is waited for, so that the next owner need not read it again; a rebalance is not kept waiting.
   */
  override async preCommit(
    current: readonly TopicPartitionOffset[],
  ): Promise<readonly TopicPartitionOffset[]> {
    const running = this.#live()
    if (this.#stopSignal?.aborted === true) await this.#drain(running)
    this.#throwFailure(running)
    const safe: TopicPartitionOffset[] = []
    for (const { topic, partition, offset } of current) {
      const limit = running.channels.get(topicPartitionKey({ topic, partition }))?.safeOffset
      if (limit !== undefined) safe.push({ topic, partition, offset: Math.min(limit, offset) })
    }
    return safe
  }

  /** Sends what is buffered and waits a bounded time for its commit; the rest is read again by the next owner. */
  async #drain(running: Running): Promise<void> {
    const { clock } = this.context
    const end = clock.now() + running.config.values['snowflake.streaming.stop.timeout.ms']
    const isDraining = (): boolean =>
      [...running.channels.values()].some((c) => c.uncommitted > 0 && isOpen(c.state))
    while (isDraining() && clock.now() < end && !running.abort.signal.aborted) {
      this.#work(running, true)
      await clock.sleep(STOP_STEP_MS)
    }
  }

  stop(): void {
    const running = this.#running
    if (running === undefined) return
    for (const channel of running.channels.values()) channel.close()
    running.channels.clear()
    for (const table of running.tables.values()) table.release()
    running.abort.abort(new Error('The task is stopping'))
    running.http.close()
    running.metrics.uncommitted(0)
    this.#running = undefined
  }

  #live(): Running {
    if (this.#running === undefined) throw new Error('The task is not started')
    return this.#running
  }

  #channel(running: Running, tp: TopicPartition): Channel {
    const { config, settings, client, metrics, abort, errorSql } = running
    const table = config.tableOf(tp.topic)
    const pipe = { database: config.database, schema: config.schema, pipe: defaultPipe(table) }
    this.#addPoller(running, pipe)
    const { context } = this
    const options: ChannelOptions = {
      tp,
      name: `${context.connector}_${tp.topic}_${tp.partition}`,
      pipe,
      settings,
      client,
      table: this.#table(running, table),
      kafka: {
        describeTopic: (topic, signal) => context.describeTopic(topic, signal),
        logBounds: (of, signal) => context.logBounds(of, signal),
        committedOffset: async (of, signal) => context.committedOffset?.(of, signal),
      },
      clock: context.clock,
      random: context.random,
      requestId: () => this.#outside.requestId(),
      compressor: running.compressor,
      log: context.log,
      metrics,
      onBadRecord: (record, error) => this.#onBadRecord(record, error),
      findRejected: errorTable(
        { database: config.database, schema: config.schema, table },
        errorSql,
      ),
      canReport: () => context.errantRecordReporter() !== undefined,
      signal: abort.signal,
    }
    return new Channel(options)
  }

  #addPoller({ pollers, config, client, abort, settings }: Running, pipe: PipeName): void {
    if (pollers.has(pipe.pipe)) return
    const { clock, random } = this.context
    const poller = new StatusPoller(pipe, {
      client,
      clock,
      random,
      signal: abort.signal,
      backoffMaxMs: settings.backoffMaxMs,
      requestId: () => this.#outside.requestId(),
      busyMs: config.values['snowflake.streaming.status.poll.ms'],
      idleMs: config.values['snowflake.streaming.idle.poll.ms'],
    })
    pollers.set(pipe.pipe, poller)
  }

  #table(running: Running, name: string): TableAccess {
    const known = running.tables.get(name)
    if (known !== undefined) return known.table
    const { config, credential, sql } = running
    const { values, database, schema } = config
    const settings = {
      autocreate: values['snowflake.autocreate.table.type'],
      icebergOptions: values['snowflake.iceberg.create.table.options'],
      evolution: values['snowflake.schema.evolution'],
    }
    const { connector, log, clock } = this.context
    const make = (): Table =>
      new Table({ database, schema, table: name }, { settings, connect: sql, log, clock })
    // All that the first one's connection and log are made of.
    const { accountUrl, account, user, role } = config
    const key = JSON.stringify({
      connector,
      accountUrl,
      account,
      user,
      role,
      credential: credential.identity,
      warehouse: values['snowflake.warehouse.name'],
      timeoutMs: values['snowflake.sql.timeout.ms'],
      table: [database, schema, name],
      settings,
    })
    const shared = this.#outside.sharesTables
      ? shareTable(key, make)
      : { table: make(), release: () => {} }
    running.tables.set(name, shared)
    return shared.table
  }

  /** As `errors.tolerance` says: to the dead-letter queue and on, or the end of the task. */
  async #onBadRecord(record: SinkRecord, error: DataError): Promise<void> {
    const reporter = this.context.errantRecordReporter()
    if (reporter !== undefined) await reporter.report(record, error)
    else if (this.#live().settings.tolerance === 'none') throw error
    // Rows that Snowflake rejected were counted when its counters showed them.
    if (!(error instanceof RejectedRowError)) this.#live().metrics.discrepancy('rejected', 1)
    this.context.log.warn(
      {
        topic: record.originalTopic,
        partition: record.originalKafkaPartition,
        offset: record.originalKafkaOffset,
        err: error,
      },
      'A record cannot be written and is passed over.',
    )
  }
}

function settingsOf({ values, plainShape }: SinkConfig): ChannelSettings {
  return {
    rawBytesMax: values['snowflake.streaming.max.raw.bytes'],
    rowsMax: values['snowflake.streaming.max.rows'],
    lingerMs: values['snowflake.streaming.linger.ms'],
    ignoreTombstones: values['behavior.on.null.values'].toLowerCase() === 'ignore',
    requestBytesMax: values['snowflake.streaming.max.request.bytes'],
    bufferBytesMax: values['snowflake.streaming.buffer.bytes'],
    requestsPerSecond: values['snowflake.streaming.requests.per.second'],
    bytesPerSecond: values['snowflake.streaming.bytes.per.second'],
    backoffMaxMs: values['snowflake.streaming.retry.backoff.max.ms'],
    stallMs: values['snowflake.streaming.commit.stall.ms'],
    uncommittedTimeoutMs: values['snowflake.streaming.uncommitted.timeout.ms'],
    missingTimeoutMs: values['snowflake.streaming.missing.timeout.ms'],
    reopenMax: values['snowflake.streaming.reopen.max'],
    recreated: values['snowflake.topic.recreated'],
    tolerance: values['errors.tolerance'],
    plainShape,
  }
}
