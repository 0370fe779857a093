import { ConnectError, RetriableError, toMessage } from '../api/errors.ts'
import { newRecord } from '../api/new-record.ts'
import type { RecordMetadata, SourceRecord } from '../api/records.ts'
import type { SourceTask, SourceTaskContext } from '../api/source-task.ts'
import type { Admin, Producer } from '../kafka/client.ts'
import type { OffsetStorage } from '../storage/offset-storage.ts'
import { isPromise, TimeLimitError, withLimit } from './limits.ts'
import type { SourceRecordWriter } from './record-converters.ts'
import { type PartitionOffset, type Submitted, SubmittedRecords } from './submitted-records.ts'
import type { ConvertedRecord } from './source-dead-letter.ts'
import type { SourceTaskMetrics } from './task-metrics.ts'
import type { ToleranceOperator } from './tolerance.ts'
import type { TopicCreation } from './topic-creation.ts'
import { isAboutStopping, WorkerTask, type WorkerTaskOptions } from './worker-task.ts'

export interface SourceTaskParts {
  readonly newTask: () => SourceTask
  readonly producer: Producer
  readonly writer: SourceRecordWriter
  readonly operator: ToleranceOperator
  readonly submitted: SubmittedRecords
  readonly offsets: OffsetStorage
  readonly metrics: SourceTaskMetrics
  /** Makes the dead-letter queue, if there is to be one. */
  readonly prepareQueue: () => Promise<void>
  readonly topicCreation: TopicCreation | undefined
  readonly admin: () => Promise<Admin>
  /** Told of a topic with each record of it: what is known of it may have been reset. */
  readonly onTopic: (topic: string) => void
  readonly closeConverters: () => Promise<void>
  readonly offsetFlushIntervalMs: number
  readonly offsetFlushTimeoutMs: number
  /** How long a stop waits for acknowledgements. */
  readonly closeFlushTimeoutMs: number
}

const SEND_RETRY_MS = 100
const POLL_RETRY_MS = 1_000
/** A task whose poll does not heed its signal gets `stop` after this long, as Kafka Connect's always do at once. */
const STOP_GRACE_MS = 1_000
/** Acknowledgements that are missing for this long make the task DEGRADED. */
const SLOW_ACK_MS = 10_000

/**
 * Moves records from a source task to Kafka: poll, transform, convert, send; stores the source offset of a
 * record once it and all before it of its partition are acknowledged. At least once: what was acknowledged and
 * not stored is produced again after a crash, never skipped.
 */
export class WorkerSourceTask extends WorkerTask {
  readonly #parts: SourceTaskParts
  readonly #submitted: SubmittedRecords
  #task: SourceTask | undefined
  #isPluginStopped = false
  #toSend: readonly SourceRecord[] = []
  #sendError: Error | undefined
  /** The newest storable offset of each partition, until it is stored. */
  readonly #unflushed = new Map<string, PartitionOffset>()
  #flushing: Promise<boolean> = Promise.resolve(true)
  #isCommitDue = false
  #isCommitting = false
  #lastAckMs = 0
  #resume: (() => void) | undefined
  #committer: Promise<void> | undefined
  readonly #loopEnded = new AbortController()

  constructor(options: WorkerTaskOptions, parts: SourceTaskParts) {
    super(options)
    this.#parts = parts
    this.#submitted = parts.submitted
  }

  async initialize(): Promise<void> {
    const { prepareQueue, producer } = this.#parts
    await this.persist('Connecting to Kafka', () =>
      this.call(() => producer.connect(this.stopSignal)),
    )
    await this.persist('Preparing the dead-letter queue', () => this.call(prepareQueue))
    await this.persist('Starting the task', () => this.#startPlugin())
    this.#lastAckMs = this.clock.now()
    this.event(this.isPaused ? 'pause' : 'start')
    this.#committer = this.#commitPeriodically()
  }

  async iteration(): Promise<void> {
    if (this.#sendError !== undefined) {
      throw new ConnectError('Unrecoverable exception from producer send callback', {
        cause: this.#sendError,
      })
    }
    if (this.isPaused) return this.#waitWhilePaused()
    if (this.#isCommitDue) {
      this.#isCommitDue = false
      await this.#commitTask()
    }
    this.#watchAcknowledgements()
    if (this.#toSend.length === 0) this.#toSend = await this.#poll()
    await this.#sendRecords()
  }

  /**
   * Stores the offsets that became storable; false when that failed or took too long, in which case the next
   * call stores them. Never runs twice at a time.
   */
  commitOffsets(): Promise<boolean> {
    this.#flushing = this.#flushing.then(() => this.#flush())
    return this.#flushing
  }

  protected override onTargetState(): void {
    this.#resume?.()
    if (this.isStopping && !this.isCancelled) void this.#stopStubbornPlugin()
  }

  protected async close(): Promise<void> {
    const { producer, closeFlushTimeoutMs } = this.#parts
    this.#loopEnded.abort()
    if (!this.isCancelled) {
      await producer.flush(closeFlushTimeoutMs).catch((error: unknown) => {
        const fields = { err: error, unacknowledged: this.#submitted.unacked }
        this.log.warn(fields, 'Not every record was acknowledged; the rest is produced again.')
      })
      const isStored = await this.commitOffsets()
      const hasStarted = this.#committer !== undefined
      if (isStored && hasStarted) {
        await this.#commitTask().catch((error: unknown) =>
          this.log.warn({ err: error }, 'The task did not commit.'),
        )
      }
    }
    this.stop() // After a failure: ends the committer.
    await this.#committer
    await this.#stopPlugin()
    await producer.close(0)
    await this.#parts.closeConverters()
  }

  /** As in Kafka Connect a commit that fails is logged. One that does not answer fails the task, and is not called again. */
  async #commitTask(): Promise<void> {
    if (this.#isCommitting) return
    this.#isCommitting = true
    try {
      await this.callPlugin('commit', () => this.#task?.commit())
    } catch (error) {
      if (this.isCancelled || error instanceof TimeLimitError) throw error
      this.log.error({ err: error }, 'The task’s commit failed; its offsets are stored.')
    }
    this.#isCommitting = false
  }

  async #startPlugin(): Promise<void> {
    const task = this.#parts.newTask()
    this.#task = task
    this.#isPluginStopped = false
    try {
      await this.callPlugin('start', () => {
        task.initialize(this.#context())
        return task.start(this.props)
      })
    } catch (error) {
      if (error instanceof RetriableError) await this.#stopPlugin() // Tried again with another instance.
      throw error
    }
  }

  #context(): SourceTaskContext {
    const { offsets } = this.#parts
    const { connector, task } = this.id
    return {
      connector,
      task,
      configs: () => this.props,
      clock: this.clock,
      random: this.random,
      log: this.log,
      metrics: this.pluginMetrics,
      reportHealth: (health) => this.setPluginHealth(health),
      offsetStorageReader: { offsets: (partitions) => offsets.offsets(connector, partitions) },
    }
  }

  async #poll(): Promise<readonly SourceRecord[]> {
    const signal = this.interruptSignal
    const startedMs = this.clock.now()
    try {
      const records = (await this.callPlugin('poll', () => this.#task?.poll(signal))) ?? []
      this.#parts.metrics.polled(records.length, this.clock.now() - startedMs)
      return records
    } catch (error) {
      if (isAboutStopping(error, signal)) return []
      if (!(error instanceof RetriableError)) throw error
      this.#parts.metrics.errorSeen()
      this.log.warn({ err: error }, 'Poll failed and is tried again.')
      this.setWorkerHealth(`Poll failed and is tried again: ${toMessage(error)}`)
      await this.#pause(Math.max(error.retryAfterMs ?? 0, POLL_RETRY_MS))
      this.setWorkerHealth(null)
      return []
    }
  }

  /** Sends what was polled, in order. What cannot be sent yet stays in `#toSend`. */
  async #sendRecords(): Promise<void> {
    for (let index = 0; index < this.#toSend.length; index++) {
      const record = this.#toSend[index]
      if (record === undefined || this.#sendError !== undefined || this.isCancelled) return
      try {
        await this.#sendRecord(record)
      } catch (error) {
        this.#toSend = this.#toSend.slice(index)
        if (isAboutStopping(error, this.stopSignal)) return
        if (!(error instanceof RetriableError)) {
          throw error instanceof ConnectError
            ? error
            : new ConnectError('Unrecoverable exception trying to send', { cause: error })
        }
        this.log.warn({ err: error }, 'Sending failed and is tried again.')
        await this.#pause(SEND_RETRY_MS)
        return
      }
    }
    this.#toSend = []
  }

  async #sendRecord(record: SourceRecord): Promise<void> {
    const { producer, writer } = this.#parts
    const transformed = await this.call(() =>
      this.watched('conversion', () => writer.transform(withoutNull(record))),
    )
    const converted =
      transformed === null
        ? null
        : await this.call(() => this.watched('conversion', () => writer.convert(transformed)))
    if (transformed === null || converted === null) {
      this.#submitted.ack(this.#submitted.submit(record.sourcePartition, record.sourceOffset))
      this.#commitRecord(record, null)
      return
    }
    await this.#ensureTopic(transformed.topic)
    const { topic, kafkaPartition: partition, timestamp } = transformed
    const message = { topic, partition, timestamp, ...converted }
    const submitted = this.#submitted.submit(record.sourcePartition, record.sourceOffset)
    for (;;) {
      try {
        producer.send(message, (error, delivery) => {
          if (error !== null) void this.#onSendError(record, { submitted, error, converted })
          else {
            this.#lastAckMs = this.clock.now()
            this.#submitted.ack(submitted)
            this.#parts.metrics.written(1)
            this.#commitRecord(record, delivery)
          }
        })
        return
      } catch (error) {
        if (!(error instanceof RetriableError)) throw error
        await this.#waitForRoom(error)
      }
    }
  }

  /** The producer's queue is full. Ends when it has room; when the task stops, the record is not sent. */
  async #waitForRoom(error: RetriableError): Promise<void> {
    if (this.isStopping)
      throw new ConnectError('The task stops.', { cause: this.stopSignal.reason })
    this.setWorkerHealth(`Waiting for Kafka: ${toMessage(error)}`)
    await this.call(() => this.#parts.producer.drained(this.stopSignal))
    this.setWorkerHealth(null)
  }

  async #onSendError(
    record: SourceRecord,
    failure: {
      readonly submitted: Submitted
      readonly error: Error
      readonly converted: ConvertedRecord
    },
  ): Promise<void> {
    const { operator } = this.#parts
    if (this.isStopping) return // It is produced again after the restart.
    const context = {
      stage: 'KAFKA_PRODUCE',
      executingClass: 'org.apache.kafka.connect.runtime.WorkerSourceTask',
      message: undefined,
      record,
      converted: failure.converted,
    } as const
    try {
      await operator.failed(context, failure.error)
      this.#submitted.ack(failure.submitted)
      this.#commitRecord(record, null)
    } catch {
      this.#sendError ??= failure.error // Not tolerated: the loop fails with it.
      this.interrupt('A record was refused.')
      this.#resume?.()
    }
  }

  #commitRecord(record: SourceRecord, delivery: RecordMetadata | null): void {
    if (delivery !== null) this.#parts.onTopic(delivery.topic)
    try {
      const result = this.watched('commitRecord', () => this.#task?.commitRecord(record, delivery))
      if (isPromise(result)) result.catch((error: unknown) => this.#onCommitRecordError(error))
    } catch (error) {
      this.#onCommitRecordError(error)
    }
  }

  #onCommitRecordError(error: unknown): void {
    this.log.error(
      { err: error },
      'The task’s commitRecord failed; the record is stored all the same.',
    )
  }

  async #ensureTopic(topic: string): Promise<void> {
    const { topicCreation, admin } = this.#parts
    if (topicCreation === undefined || topicCreation.isKnown(topic)) return
    await this.call(async () => topicCreation.ensure(topic, await admin()))
  }

  #watchAcknowledgements(): void {
    const waitingMs = this.clock.now() - this.#lastAckMs
    if (this.#submitted.unacked === 0) {
      this.#lastAckMs = this.clock.now()
      this.setWorkerHealth(null)
    } else if (waitingMs > SLOW_ACK_MS) {
      this.setWorkerHealth('Kafka has not acknowledged any record for more than 10 s.')
    } else {
      this.setWorkerHealth(null)
    }
  }

  async #waitWhilePaused(): Promise<void> {
    this.event('pause')
    await this.commitOffsets()
    while (this.isPaused && !this.isStopping && this.#sendError === undefined) {
      await this.call(
        () =>
          new Promise<void>((resolve) => {
            this.#resume = resolve
          }),
      )
    }
    if (!this.isStopping) this.event('resume')
  }

  async #pause(ms: number): Promise<void> {
    await this.clock.sleep(ms, this.interruptSignal).catch(() => {}) // Woken up: the loop looks why.
  }

  async #commitPeriodically(): Promise<void> {
    while (!this.isStopping) {
      await this.clock.sleep(this.#parts.offsetFlushIntervalMs, this.stopSignal).catch(() => {}) // Stopping: `close` commits.
      if (this.isStopping) return
      if (!this.isPaused) this.#watchAcknowledgements()
      if (await this.commitOffsets()) this.#isCommitDue = true
    }
  }

  async #flush(): Promise<boolean> {
    const { metrics, offsets, offsetFlushTimeoutMs } = this.#parts
    for (const entry of this.#submitted.takeCommittable()) {
      this.#unflushed.set(JSON.stringify(entry[0]), entry)
    }
    const startedMs = this.clock.now()
    if (this.#unflushed.size === 0) {
      metrics.committed(0, true) // Counts as well, as in Kafka Connect.
      return true
    }
    try {
      await withLimit(
        'Storing offsets',
        offsets.write(this.id.connector, [...this.#unflushed.values()]),
        {
          clock: this.clock,
          limitMs: offsetFlushTimeoutMs,
        },
      )
      this.#unflushed.clear()
      metrics.committed(this.clock.now() - startedMs, true)
      return true
    } catch (error) {
      metrics.committed(this.clock.now() - startedMs, false)
      this.log.error(
        { err: error },
        'Offsets could not be stored; they are stored with the next ones.',
      )
      return false
    }
  }

  async #stopStubbornPlugin(): Promise<void> {
    if (this.#task === undefined) return
    try {
      await this.clock.sleep(STOP_GRACE_MS, this.#loopEnded.signal)
    } catch {
      return // The loop has ended; `close` stops the plugin.
    }
    await this.#stopPlugin()
  }

  async #stopPlugin(): Promise<void> {
    const task = this.#task
    if (task === undefined || this.#isPluginStopped) return
    this.#isPluginStopped = true
    try {
      await this.stopPlugin(() => task.stop(), this.#parts.offsetFlushTimeoutMs)
    } catch (error) {
      this.log.warn({ err: error }, 'The task did not stop cleanly.')
    }
  }
}

/** Sources in plain JavaScript may say null for a time that there is none of; it would be read as 1970. */
function withoutNull(record: SourceRecord): SourceRecord {
  const timestamp: number | null | undefined = record.timestamp
  return timestamp === null ? newRecord(record, { timestamp: undefined }) : record
}
