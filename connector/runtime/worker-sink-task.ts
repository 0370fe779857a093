import { ConnectError, RetriableError, toMessage } from '../api/errors.ts'
import type { SinkRecord } from '../api/records.ts'
import type { ErrantRecordReporter, SinkTask } from '../api/sink-task.ts'
import type { TopicPartition, TopicPartitionOffset } from '../api/topic-partition.ts'
import { topicPartitionKey } from '../api/topic-partition.ts'
import type { Admin, Consumer, ConsumerMessage } from '../kafka/client.ts'
import { isPromise, withLimit } from './limits.ts'
import { OffsetCommits } from './offset-commits.ts'
import type { SinkRecordReader } from './record-converters.ts'
import { backOffMs } from './retry.ts'
import type { SinkPartitions } from './sink-partitions.ts'
import { WorkerSinkTaskContext } from './sink-task-context.ts'
import type { SinkTaskMetrics } from './task-metrics.ts'
import type { ToleranceOperator } from './tolerance.ts'
import { isAboutStopping, WorkerTask, type WorkerTaskOptions } from './worker-task.ts'

export interface SinkTaskParts {
  readonly newTask: () => SinkTask
  readonly consumer: Consumer
  readonly topics: readonly string[] | RegExp
  readonly partitions: SinkPartitions
  readonly reader: SinkRecordReader
  readonly operator: ToleranceOperator
  readonly admin: () => Promise<Admin>
  readonly reporter: ErrantRecordReporter | undefined
  readonly metrics: SinkTaskMetrics
  /** Makes the dead-letter queue, if there is to be one. */
  readonly prepareQueue: () => Promise<void>
  /** Told of a topic with each batch of it: what is known of it may have been reset. */
  readonly onTopic: (topic: string) => void
  readonly closeParts: () => Promise<void>
  readonly maxPollRecords: number
  readonly offsetFlushIntervalMs: number
  readonly offsetFlushTimeoutMs: number
}

/** Records that `put` did not take yet. */
interface Redelivery {
  records: SinkRecord[]
  attempt: number
  retryAtMs: number
}

const RETRY_DELAY_MS = { delayMsMin: 200, delayMsMax: 10_000 }

/**
 * Moves records from Kafka to a sink task. One loop does everything, so the task sees one call at a time: commit
 * when due, seek where the task wants, poll, convert, put.
 */
export class WorkerSinkTask extends WorkerTask {
  readonly #parts: SinkTaskParts
  readonly #partitions: SinkPartitions
  #task: SinkTask | undefined
  #context: WorkerSinkTaskContext
  #lingerMs = 100
  #nextCommitMs = 0
  readonly #commits: OffsetCommits
  #redelivery: Redelivery | undefined
  #openAtMs = 0
  #openAttempts = 0

  constructor(options: WorkerTaskOptions, parts: SinkTaskParts) {
    super(options)
    this.#parts = parts
    this.#partitions = parts.partitions
    this.#context = this.#newContext()
    this.#commits = new OffsetCommits({ ...parts, clock: this.clock, log: this.log })
  }

  /** Number of the last offset commit, for metrics. */
  get commitSequence(): number {
    return this.#commits.sequence
  }

  async initialize(): Promise<void> {
    const { consumer, offsetFlushIntervalMs, prepareQueue, topics } = this.#parts
    await this.persist('Connecting to Kafka', () =>
      this.call(() => consumer.connect(this.stopSignal)),
    )
    await this.persist('Preparing the dead-letter queue', () => this.call(prepareQueue))
    await this.persist('Starting the task', () => this.#startPlugin())
    this.#nextCommitMs = this.clock.now() + offsetFlushIntervalMs
    consumer.subscribe(topics, {
      onAssigned: (tps) => this.#onAssigned(tps),
      onRevoked: (tps) => this.#onRevoked(tps),
      onLost: (tps) => this.#onLost(tps),
    })
    this.event(this.isPaused ? 'pause' : 'start')
  }

  async iteration(): Promise<void> {
    const { consumer, maxPollRecords } = this.#parts
    this.#parts.operator.throwIfFailed()
    this.#applyTargetState()
    await this.#openPending()
    await this.#commitIfDue()
    await this.#rewind()
    const timeoutMs = this.#pollTimeoutMs()
    const polled = await consumer.poll({ max: maxPollRecords, timeoutMs }, this.interruptSignal)
    if (this.isStopping) return
    const messages = await this.#withoutRewound(polled)
    const records = await this.watched('conversion', () => this.#read(messages))
    await this.#deliver(records)
  }

  /** Asks the task what may be committed and commits that. `closing`: waits for it, and closes the partitions in between. */
  async commitOffsets(tps: readonly TopicPartition[], closing = false): Promise<void> {
    const { metrics, operator } = this.#parts
    const startedMs = this.clock.now()
    const asked = this.#partitions.putOffsets(tps)
    let wanted: readonly TopicPartitionOffset[] | undefined
    try {
      await this.call(() => operator.reported())
      wanted = await this.callPlugin('preCommit', () => this.#task?.preCommit(asked))
    } catch (error) {
      if (this.isCancelled || isAboutStopping(error, this.stopSignal)) return
      metrics.committed(this.clock.now() - startedMs, false)
      this.log.error({ err: error }, 'The task could not say which offsets may be committed.')
      if (!closing) await this.#rewindToCommitted()
    } finally {
      if (closing) await this.#closePartitions(tps)
    }
    const { commit, refused } = this.#partitions.committable(wanted ?? [], asked)
    if (refused.length > 0) {
      this.log.warn({ refused }, 'The task wants offsets committed that were not asked for.')
    }
    if (commit.length === 0) return
    const committed = this.#commits.commit(commit, { startedMs, isAwaited: closing })
    if (closing) await committed
  }

  protected async close(): Promise<void> {
    const { consumer, closeParts } = this.#parts
    if (!this.isCancelled) {
      const tps = this.#partitions.all.map(({ tp }) => tp)
      await this.#onRevoked(tps).catch((error: unknown) =>
        this.log.warn({ err: error }, 'Partitions were not closed cleanly.'),
      )
    }
    this.stop()
    await this.#stopPlugin()
    await withLimit('Closing the consumer', consumer.close(), {
      clock: this.clock,
      limitMs: this.#parts.offsetFlushTimeoutMs,
    }).catch((error: unknown) =>
      this.log.warn({ err: error }, 'The consumer did not close in time.'),
    )
    await closeParts()
  }

  async #startPlugin(): Promise<void> {
    const task = this.#parts.newTask()
    this.#task = task
    this.#context = this.#newContext()
    try {
      await this.callPlugin('start', () => {
        task.initialize(this.#context)
        return task.start(this.props)
      })
      this.#lingerMs = Math.max(1, task.lingerMs())
    } catch (error) {
      if (error instanceof RetriableError) await this.#stopPlugin() // Tried again with another instance.
      throw error
    }
  }

  #newContext(): WorkerSinkTaskContext {
    const { admin, consumer, partitions, reporter } = this.#parts
    return new WorkerSinkTaskContext({
      ...this.id,
      props: this.props,
      clock: this.clock,
      random: this.random,
      log: this.log,
      metrics: this.pluginMetrics,
      partitions,
      consumer,
      admin,
      reporter,
      onHealth: (health) => this.setPluginHealth(health),
      onResume: (tps) => this.#resumeConsumer(tps),
    })
  }

  async #stopPlugin(): Promise<void> {
    const task = this.#task
    this.#task = undefined
    if (task === undefined) return
    try {
      await this.stopPlugin(() => task.stop(), this.#parts.offsetFlushTimeoutMs)
    } catch (error) {
      this.log.warn({ err: error }, 'The task did not stop cleanly.')
    }
  }

  #applyTargetState(): void {
    if (this.isPaused && this.state === 'RUNNING') {
      this.event('pause')
      this.#parts.consumer.pause(this.#context.assignment())
      this.#context.requestCommit()
    } else if (!this.isPaused && this.state === 'PAUSED') {
      this.event('resume')
      this.#resumeConsumer(this.#context.assignment())
    }
  }

  /** Resumes what nobody wants paused. */
  #resumeConsumer(tps: readonly TopicPartition[]): void {
    if (this.isPaused || this.#redelivery !== undefined) return
    const resumed = tps.filter((tp) => {
      const partition = this.#partitions.get(tp)
      return partition?.isOpen === true && !partition.isPaused
    })
    if (resumed.length > 0) this.#parts.consumer.resume(resumed)
  }

  #pollTimeoutMs(): number {
    const nowMs = this.clock.now()
    const commitMs = Math.max(this.#nextCommitMs - nowMs, 0)
    const askedMs = this.#context.takeTimeoutMs() ?? Number.POSITIVE_INFINITY
    const retryMs = (this.#redelivery?.retryAtMs ?? Number.POSITIVE_INFINITY) - nowMs
    return Math.max(0, Math.min(this.#lingerMs, commitMs, askedMs, retryMs))
  }

  async #commitIfDue(): Promise<void> {
    const { offsetFlushIntervalMs } = this.#parts
    const nowMs = this.clock.now()
    if (this.#commits.isBusy) return
    if (nowMs < this.#nextCommitMs && !this.#context.isCommitRequested) return
    this.#context.commitTaken()
    this.#nextCommitMs = nowMs + offsetFlushIntervalMs
    await this.commitOffsets(this.#context.assignment())
  }

  /** After a failed `preCommit`: everything since the last commit is read again. */
  async #rewindToCommitted(): Promise<void> {
    this.#endRedelivery()
    for (const partition of this.#partitions.all) {
      if (partition.committed === undefined) continue
      await this.#parts.consumer.seek({ ...partition.tp, offset: partition.committed })
      partition.read = partition.committed
      partition.put = partition.committed
    }
  }

  /** Seeks where the task wants to go on. Returns the keys of those partitions. */
  async #rewind(): Promise<Set<string>> {
    const rewound = new Set<string>()
    for (const position of this.#context.takeSeeks()) {
      const partition = this.#partitions.get(position)
      if (partition === undefined) {
        throw new ConnectError(
          `The task wants to go to offset ${position.offset} of ${topicPartitionKey(position)}, which is not assigned to it.`,
        )
      }
      await this.#parts.consumer.seek(position)
      partition.read = position.offset
      partition.put = position.offset
      rewound.add(topicPartitionKey(position))
    }
    return rewound
  }

  /** Leaves out what was fetched before a seek that the task asked for meanwhile, e.g. in `open`, and what is not open yet. */
  async #withoutRewound(messages: readonly ConsumerMessage[]): Promise<readonly ConsumerMessage[]> {
    const rewound = this.#context.hasSeeks ? await this.#rewind() : new Set<string>()
    const isEveryOpen = this.#partitions.all.every(({ isOpen }) => isOpen)
    if (messages.length === 0 || (rewound.size === 0 && isEveryOpen)) return messages
    const unopened = new Map<string, ConsumerMessage>()
    const kept = messages.filter((message) => {
      const key = topicPartitionKey(message)
      if (rewound.has(key)) return false
      if (this.#partitions.get(message)?.isOpen !== false) return true
      if (!unopened.has(key)) unopened.set(key, message)
      return false
    })
    for (const { topic, partition, offset } of unopened.values()) {
      await this.#parts.consumer.seek({ topic, partition, offset })
    }
    return kept
  }

  async #read(messages: readonly ConsumerMessage[]): Promise<SinkRecord[]> {
    const { metrics, reader } = this.#parts
    const records: SinkRecord[] = []
    let topic: string | undefined
    for (const message of messages) {
      const result = reader.read(message)
      const record = isPromise(result) ? await this.call(() => result) : result
      if (record !== null) records.push(record)
      const partition = this.#partitions.get(message)
      if (partition !== undefined) partition.read = message.offset + 1
      if (message.topic !== topic) {
        topic = message.topic
        this.#parts.onTopic(topic)
      }
    }
    if (messages.length > 0) metrics.read(messages.length)
    return records
  }

  async #deliver(polled: SinkRecord[]): Promise<void> {
    const redelivery = this.#redelivery
    redelivery?.records.push(...polled)
    if (redelivery !== undefined && this.clock.now() < redelivery.retryAtMs) return
    const records = redelivery?.records ?? polled
    const startedMs = this.clock.now()
    try {
      await this.callPlugin('put', () => this.#task?.put(records, this.stopSignal))
    } catch (error) {
      if (isAboutStopping(error, this.stopSignal)) return
      if (!(error instanceof RetriableError)) {
        throw new ConnectError('Exiting WorkerSinkTask due to unrecoverable exception.', {
          cause: error,
        })
      }
      this.#redeliver(records, error)
      return
    }
    this.#parts.metrics.put(records.length, this.clock.now() - startedMs)
    for (const partition of this.#partitions.all) partition.put = partition.read
    this.#endRedelivery()
  }

  #redeliver(records: SinkRecord[], error: RetriableError): void {
    const attempt = (this.#redelivery?.attempt ?? 0) + 1
    const waitMs =
      this.#context.takeTimeoutMs() ??
      backOffMs(attempt, error, { ...RETRY_DELAY_MS, random: this.random })
    this.#redelivery = { records, attempt, retryAtMs: this.clock.now() + waitMs }
    this.#parts.consumer.pause(this.#context.assignment())
    this.#parts.metrics.errorSeen()
    this.setWorkerHealth(`Put failed and is tried again: ${toMessage(error)}`)
    const fields = { err: error, attempt, records: records.length, waitMs: Math.round(waitMs) }
    if (attempt === 1) this.log.warn(fields, 'Put failed and is tried again.')
    else this.log.debug(fields, 'Put failed and is tried again.')
  }

  #endRedelivery(): void {
    if (this.#redelivery === undefined) return
    this.#redelivery = undefined
    this.setWorkerHealth(null)
    this.#resumeConsumer(this.#context.assignment())
  }

  async #onAssigned(tps: readonly TopicPartition[]): Promise<void> {
    const { consumer } = this.#parts
    for (const tp of tps) {
      const position = await consumer.position(tp).catch(() => undefined) // Known once something was read.
      this.#partitions.add(tp, position)
    }
    this.log.info({ partitions: tps.map(topicPartitionKey) }, 'Partitions were assigned.')
    this.#openAttempts = 0
    this.#openAtMs = 0
    await this.#openPending()
    if (this.isPaused || this.#redelivery !== undefined) consumer.pause(tps)
  }

  /** Opens what is assigned and not open. What cannot be opened yet stays paused and is tried again. */
  async #openPending(): Promise<void> {
    const pending = this.#partitions.all.filter(({ isOpen }) => !isOpen)
    if (pending.length === 0 || this.isStopping || this.clock.now() < this.#openAtMs) return
    const tps = pending.map(({ tp }) => tp)
    try {
      await this.callPlugin('open', () => this.#task?.open(tps, this.stopSignal))
    } catch (error) {
      if (isAboutStopping(error, this.stopSignal)) return
      if (!(error instanceof RetriableError)) throw error
      const attempt = ++this.#openAttempts
      this.#openAtMs =
        this.clock.now() + backOffMs(attempt, error, { ...RETRY_DELAY_MS, random: this.random })
      this.#parts.consumer.pause(tps)
      this.setWorkerHealth(`Opening partitions failed and is tried again: ${toMessage(error)}`)
      if (attempt === 1)
        this.log.warn({ err: error }, 'Opening partitions failed and is tried again.')
      return
    }
    for (const partition of pending) partition.isOpen = true
    if (this.#openAttempts > 0) {
      this.#openAttempts = 0
      this.setWorkerHealth(null)
      this.#resumeConsumer(tps)
    }
  }

  async #onRevoked(tps: readonly TopicPartition[]): Promise<void> {
    const own = tps.filter((tp) => this.#partitions.get(tp) !== undefined)
    if (own.length === 0) return
    await this.commitOffsets(own, true)
    this.#forget(own)
    this.log.info({ partitions: own.map(topicPartitionKey) }, 'Partitions were given back.')
  }

  async #onLost(tps: readonly TopicPartition[]): Promise<void> {
    const own = tps.filter((tp) => this.#partitions.get(tp) !== undefined)
    if (own.length === 0) return
    await this.#closePartitions(own)
    this.#forget(own)
    this.log.warn({ partitions: own.map(topicPartitionKey) }, 'Partitions were lost.')
  }

  async #closePartitions(tps: readonly TopicPartition[]): Promise<void> {
    const open = tps.filter((tp) => this.#partitions.get(tp)?.isOpen === true)
    if (open.length === 0 || this.#task === undefined) return
    await this.callPlugin('close', () => this.#task?.close(open))
  }

  #forget(tps: readonly TopicPartition[]): void {
    const gone = new Set(tps.map(topicPartitionKey))
    for (const tp of tps) this.#partitions.remove(tp)
    this.#context.forget(tps)
    if (this.#redelivery === undefined) return
    this.#redelivery.records = this.#redelivery.records.filter(
      ({ originalTopic: topic, originalKafkaPartition: partition }) =>
        !gone.has(topicPartitionKey({ topic, partition })),
    )
  }
}
