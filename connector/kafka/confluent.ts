// The only file that imports the Kafka library. It makes our clients from the library's native (node-rdkafka-
// style) API, which is twice as fast as its KafkaJS-style one and does not stall silently as that does.
import { createRequire } from 'node:module'
import kafka from '@confluentinc/kafka-javascript'
import { ConfigError } from '../api/errors.ts'
import {
  adminConfig,
  consumerConfig,
  PACKED_READER,
  producerConfig,
  topicRefreshMs,
} from './client-defaults.ts'
import type { ClientEvents, KafkaClients } from './client.ts'
import { readClusterId } from './cluster-id.ts'
import { ConfluentAdmin } from './native-admin.ts'
import { clientName, connectTimeoutMs } from './native-connection.ts'
import { ConfluentConsumer } from './native-consumer.ts'
import { eventCodes } from './native-errors.ts'
import { NativeLog } from './native-log.ts'
import { ConfluentProducer } from './native-producer.ts'
import type {
  NativeClient,
  NativeConfig,
  NativeError,
  NativeLibrary,
  NativeTopicPartition,
} from './native.ts'
import { loadPackedLibrary, type PackedLibrary } from './packed-reader.ts'
import { parseStatistics } from './statistics.ts'

const { Producer, KafkaConsumer, AdminClient, CODES } = kafka as unknown as Omit<
  NativeLibrary,
  'errorText' | 'errorCodes'
> & {
  readonly CODES: { readonly ERRORS: Readonly<Record<string, number>> }
}
const { err2str } = createRequire(import.meta.url)(
  '@confluentinc/kafka-javascript/librdkafka.js',
) as { readonly err2str: (code: number) => string }

const codeOf = eventCodes(Object.values(CODES.ERRORS), err2str)

const found = loadPackedLibrary()
/** Why consumers read by the binding; undefined: they read packed. */
export const whyNotPacked = typeof found === 'string' ? found : undefined

const newClients = (library: PackedLibrary | undefined): KafkaClients => ({
  producer(config, events) {
    return new ConfluentProducer({
      name: clientName('Producer', config),
      connectTimeoutMs: connectTimeoutMs(config),
      newLog: () => new NativeLog(events, codeOf),
      make: (log) =>
        make(() => {
          const producer = new Producer({ ...producerConfig(config), dr_cb: true })
          return listen(producer, log, events)
        }),
    })
  },

  consumer(properties, events) {
    const { [PACKED_READER]: isPacked = true, ...config } = properties
    const packed = isPacked === true || isPacked === 'true' ? library : undefined
    return new ConfluentConsumer({
      name: clientName('Consumer', config),
      connectTimeoutMs: connectTimeoutMs(config),
      newLog: () => new NativeLog(events, codeOf),
      autoOffsetReset: isEarliest(config['auto.offset.reset']) ? 'earliest' : 'latest',
      topicRefreshMs: topicRefreshMs(config),
      errorText: err2str,
      ...(packed !== undefined && { openPacked: (name) => packed.open(name) }),
      make: (log, { onCommit, onRebalance, onReady }) =>
        make(() => {
          const callbacks: NativeConfig = {
            rebalance_cb: (
              error: NativeError,
              partitions: readonly { topic: string; partition: number }[],
            ) => onRebalance({ code: error.code, partitions: partitions.map(topicAndPartition) }),
            offset_commit_cb: (
              error: NativeError | null | undefined,
              offsets: readonly NativeTopicPartition[],
            ) => onCommit(error ?? undefined, offsets),
            queue_non_empty_cb: onReady,
          }
          const consumer = new KafkaConsumer({
            ...consumerConfig(config),
            ...packed?.properties,
            ...callbacks,
          })
          return listen(consumer, log, events)
        }),
    })
  },

  admin(config, events) {
    return new ConfluentAdmin({
      clusterId: (timeoutMs) => readClusterId(config, timeoutMs),
      name: clientName('Admin client', config),
      connectTimeoutMs: connectTimeoutMs(config),
      newLog: () => new NativeLog(events, codeOf),
      make: (log) =>
        make(() =>
          AdminClient.create(adminConfig(config), {
            'event.log': log.onLog,
            'event.error': log.onError,
            error: log.onError,
          }),
        ),
    })
  },
})

/** Clients of a real cluster, or of anything that speaks Kafka's protocol. */
export const confluentClients = newClients(typeof found === 'string' ? undefined : found)

const EARLIEST = new Set<unknown>(['earliest', 'smallest', 'beginning'])
const isEarliest = (value: unknown): boolean => EARLIEST.has(value)

const topicAndPartition = (tp: {
  readonly topic: string
  readonly partition: number
}): { readonly topic: string; readonly partition: number } => ({
  topic: tp.topic,
  partition: tp.partition,
})

function make<T>(constructor: () => T): T {
  try {
    return constructor()
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new ConfigError(`The Kafka client refuses its configuration: ${reason}`, { cause })
  }
}

function listen<T extends NativeClient>(client: T, log: NativeLog, events: ClientEvents): T {
  client.on('event.log', log.onLog)
  client.on('event.error', log.onError)
  // Without a listener an emitted error would end the process.
  client.on('error', log.onError)
  client.on('event.stats', ({ message }) => {
    const statistics = parseStatistics(message)
    if (statistics !== undefined) events.statistics(statistics)
  })
  return client
}
