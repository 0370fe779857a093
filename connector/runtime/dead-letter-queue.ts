import { ConnectError, RetriableError, toMessage, toTrace } from '../api/errors.ts'
import type { Clock } from '../api/clock.ts'
import type { Admin, MessageHeader, Producer } from '../kafka/client.ts'
import { bytesOf, sourceLetter } from './source-dead-letter.ts'
import type { TaskMetrics } from './task-metrics.ts'
import type { ErrorContext, ErrorReporter } from './tolerance.ts'
import type { TaskId } from './worker-task.ts'

export interface DeadLetterQueueOptions {
  readonly id: TaskId
  readonly topic: string
  readonly replicationFactor: number
  readonly withHeaders: boolean
  readonly producer: Producer
  readonly admin: () => Promise<Admin>
  readonly metrics: TaskMetrics
  readonly clock: Clock
  readonly signal: AbortSignal
}

const ADMIN_TIMEOUT_MS = 10_000
const PREFIX = '__connect.errors.'

/** Of a sink the record as it was consumed, of a source what became of it. */
function letterOf({ message, record, converted }: ErrorContext) {
  if (message !== undefined) {
    const { key, value, headers, timestamp } = message
    return { key, value, headers, timestamp }
  }
  if (record === undefined) return undefined
  return { ...sourceLetter(record, converted), timestamp: record.timestamp }
}

const jsonOf = (value: unknown): string => Buffer.from(bytesOf(value)).toString()

/** Writes records that could not be processed to a topic; optionally with Kafka Connect's headers that say why. */
export class DeadLetterQueue {
  readonly #options: DeadLetterQueueOptions

  constructor(options: DeadLetterQueueOptions) {
    this.#options = options
  }

  /**
   * Connects, and makes the topic unless it is there; a task does so before it starts. @throws RetriableError while no
   * broker answers, ConnectError when the topic cannot be made.
   */
  async prepare(): Promise<void> {
    const { admin, producer, replicationFactor, signal, topic } = this.#options
    await producer.connect(signal)
    try {
      const client = await admin()
      if ((await client.describeTopic(topic, ADMIN_TIMEOUT_MS)) !== undefined) return
      const wanted = { topic, partitions: 1, replicationFactor, config: {} }
      await client.createTopic(wanted, ADMIN_TIMEOUT_MS)
    } catch (error) {
      if (error instanceof RetriableError) throw error
      throw new ConnectError(
        `Could not initialize dead letter queue with topic=${topic}: ${toMessage(error)}`,
        { cause: error },
      )
    }
  }

  /** Resolves once the record is stored. A failure is counted and thrown. */
  readonly report: ErrorReporter = async (context, error) => {
    const letter = letterOf(context)
    if (letter === undefined) return
    const { metrics, producer, topic, withHeaders } = this.#options
    metrics.queueRequests(1)
    try {
      const headers = withHeaders
        ? [...letter.headers, ...this.#contextHeaders(context, error)]
        : letter.headers
      await new Promise<void>((resolve, reject) => {
        producer.send({ ...letter, topic, headers }, (failure) => {
          if (failure === null) resolve()
          else reject(failure)
        })
      })
    } catch (failure) {
      metrics.queueFailures(1)
      throw new ConnectError(
        `Could not write to the dead-letter queue ${topic}: ${toMessage(failure)}`,
        { cause: failure },
      )
    }
  }

  async close(timeoutMs: number): Promise<void> {
    await this.#options.producer.close(timeoutMs)
  }

  #contextHeaders(
    { stage, executingClass, message, record }: ErrorContext,
    error: unknown,
  ): MessageHeader[] {
    const { id } = this.#options
    const javaClass =
      error instanceof ConnectError
        ? (error.constructor as typeof ConnectError).javaClassName
        : error instanceof Error
          ? error.name
          : typeof error
    const texts: Readonly<Record<string, string | undefined>> = {
      topic: message?.topic ?? record?.topic,
      partition: (message?.partition ?? record?.kafkaPartition)?.toString(),
      offset: message?.offset.toString(),
      'connector.name': id.connector,
      'task.id': id.task.toString(),
      stage,
      'class.name': executingClass,
      'exception.class.name': javaClass,
      'exception.message': error instanceof Error ? error.message : String(error),
      'exception.stacktrace': toTrace(error),
    }
    const source = record && {
      'source.partition': jsonOf(record.sourcePartition),
      'source.offset': jsonOf(record.sourceOffset),
    }
    return Object.entries({ ...texts, ...source }).map(([name, text]) => ({
      key: PREFIX + name,
      value: text === undefined ? null : Buffer.from(text),
    }))
  }
}
