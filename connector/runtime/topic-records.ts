import { DataError } from '../api/errors.ts'
import type { SinkRecord } from '../api/records.ts'
import type { TopicPartitionOffset } from '../api/topic-partition.ts'
import type { Consumer, ConsumerMessage } from '../kafka/client.ts'
import { clientEvents, clientProperties } from './client-properties.ts'
import { untilAborted } from './limits.ts'
import { ConsumedRecord } from './sink-record.ts'
import type { TaskConverters } from './record-converters.ts'
import { taskConverters } from './task-parts.ts'
import type { WorkerServices } from './worker-services.ts'

const POLL = { max: 1_000, timeoutMs: 1_000 }
const ADMIN_TIMEOUT_MS = 10_000
const TOPIC_RETRY_MS = 2_000

/** Reads topics for whoever wants to look on: without a consumer group, with the worker's converters. */
export class TopicRecords {
  readonly #services: WorkerServices
  #unreadable = 0
  #readers = 0

  constructor(services: WorkerServices) {
    this.#services = services
  }

  /** Records that could not be converted and were left out. */
  get unreadable(): number {
    return this.#unreadable
  }

  /** Batches of what is written from now on, and at most `backlog` records per partition from before, until the signal aborts. */
  async *records(
    topics: readonly string[],
    signal: AbortSignal,
    backlog: number,
  ): AsyncGenerator<readonly SinkRecord[]> {
    const converters = await taskConverters({}, this.#services)
    const consumer = this.#consumer()
    try {
      await consumer.connect(signal)
      const partitions = await this.#partitions(topics, signal)
      consumer.assign(await this.#positions(consumer, partitions, backlog))
      while (!signal.aborted) {
        const messages = await consumer.poll(POLL, signal)
        if (messages.length === 0) continue
        const records: SinkRecord[] = []
        for (const message of messages) {
          const record = await this.#convert(message, converters)
          if (record !== undefined) records.push(record)
        }
        yield records
      }
    } finally {
      await consumer.close()
      await converters.key.close?.()
      await converters.value.close?.()
      converters.header.close?.()
    }
  }

  #consumer(): Consumer {
    const { clients, log, props, translate } = this.#services
    const reader = ++this.#readers
    const java = {
      ...clientProperties('consumer', props, {}),
      'client.id': `connector-viewer-${reader}`,
      // librdkafka wants a group even for a consumer that never joins one.
      'group.id': `connect-viewer-${reader}`,
      'group.protocol': 'classic',
    }
    const share = { 'queued.max.messages.kbytes': 4_096 }
    return clients.consumer(
      { ...share, ...translate('consumer', java).config },
      clientEvents(this.#services, log),
    )
  }

  /** The partitions of all topics, once they exist. */
  async #partitions(
    topics: readonly string[],
    signal: AbortSignal,
  ): Promise<{ readonly topic: string; readonly partition: number }[]> {
    const all: { readonly topic: string; readonly partition: number }[] = []
    for (const topic of topics) {
      for (;;) {
        const admin = await untilAborted(this.#services.admin(), signal)
        const description = await untilAborted(admin.describeTopic(topic, ADMIN_TIMEOUT_MS), signal)
        if (description !== undefined) {
          for (let partition = 0; partition < description.partitions; partition++) {
            all.push({ topic, partition })
          }
          break
        }
        await this.#services.clock.sleep(TOPIC_RETRY_MS, signal)
      }
    }
    return all
  }

  #positions(
    consumer: Consumer,
    partitions: readonly { readonly topic: string; readonly partition: number }[],
    backlog: number,
  ): Promise<TopicPartitionOffset[]> {
    return Promise.all(
      partitions.map(async (tp) => {
        const { beginning, end } = await consumer.logBounds(tp, ADMIN_TIMEOUT_MS)
        return { ...tp, offset: Math.max(beginning, end - backlog) }
      }),
    )
  }

  async #convert(
    message: ConsumerMessage,
    converters: TaskConverters,
  ): Promise<SinkRecord | undefined> {
    try {
      const { topic } = message
      const key = await converters.key.toConnectData(topic, [], message.key)
      const value = await converters.value.toConnectData(topic, [], message.value)
      return new ConsumedRecord(message, key, value, [])
    } catch (error) {
      this.#unreadable++
      const fields = { topic: message.topic, offset: message.offset, err: error }
      if (error instanceof DataError) this.#services.log.debug(fields, 'A record cannot be shown.')
      else this.#services.log.warn(fields, 'A record cannot be shown.')
      return undefined
    }
  }
}
