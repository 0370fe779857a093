// The only file that imports the Kafka library. It makes our clients from the library's native (node-rdkafka-
// style) API, which is twice as fast as its KafkaJS-style one and does not stall silently as that does.
import { createRequire } from 'node:module'
import kafka from '@confluentinc/kafka-javascript'
import { ConfigError } from '../api/errors.ts'
import type { ClientConfig, ClientEvents, KafkaClients } from './client.ts'
import { readClusterId } from './cluster-id.ts'
import { ConfluentAdmin } from './native-admin.ts'
import { clientName, connectTimeoutMs } from './native-connection.ts'
import { ConfluentConsumer } from './native-consumer.ts'
import { eventCodes } from './native-errors.ts'
import { NativeLog } from './native-log.ts'
import { ConfluentProducer } from './native-producer.ts'
import type { NativeClient, NativeConfig, NativeError, NativeLibrary } from './native.ts'
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

const COMMON = {
  // Lag and connections are as old as the last statistics.
  'statistics.interval.ms': 1_000,
  // As Java's clients: a broker that comes back is noticed within a second.
  'reconnect.backoff.max.ms': 1_000,
  'log.connection.close': false,
} as const

const PRODUCER = {
  // Java's hash of the key, so that both kinds of producers agree about a key's partition.
  partitioner: 'murmur2_random',
  // buffer.memory of Java's producer.
  'queue.buffering.max.kbytes': 32_768,
} as const

const CONSUMER = {
  // librdkafka wants one, also of a consumer that never joins a group.
  'group.id': 'no-group',
  'enable.auto.commit': false,
  'enable.auto.offset.store': false,
  // librdkafka keeps so many messages of each partition ready. Its default of 100,000 takes up to 50 MB of memory for
  // small ones, beside what they hold, and is thrown away at every pause.
  'queued.min.messages': 10_000,
  // How long a partition with a full queue waits before it is fetched again; the default of 1000 halves throughput.
  'fetch.queue.backoff.ms': 20,
  'fetch.wait.max.ms': 100,
  // A topic that is made after the subscription is noticed by then; the default is five minutes.
  'topic.metadata.refresh.interval.ms': 5_000,
  // The default of 64 MB for every consumer is too much for one process with many of them.
  'queued.max.messages.kbytes': 16_384,
} as const

/**
 * Members of a group hear by their heartbeat that others have come: with Kafka's 3 s, the tasks of one connector, which
 * join one after the other, would have their partitions only then. KIP-848 leaves it to the broker.
 */
const heartbeat = (config: ClientConfig): ClientConfig =>
  config['group.protocol'] === 'consumer' ? {} : { 'heartbeat.interval.ms': 500 }

/** With several requests in flight, a retry would overtake what was sent after it. */
const inOrder = (config: ClientConfig): ClientConfig =>
  config['enable.idempotence'] === true || config['enable.idempotence'] === 'true'
    ? {}
    : { 'max.in.flight.requests.per.connection': 1 }

/** Clients of a real cluster, or of anything that speaks Kafka's protocol. */
export const confluentClients: KafkaClients = {
  producer(config, events) {
    return new ConfluentProducer({
      name: clientName('Producer', config),
      connectTimeoutMs: connectTimeoutMs(config),
      newLog: () => new NativeLog(events, codeOf),
      make: (log) =>
        make(() => {
          const all = { ...COMMON, ...PRODUCER, ...inOrder(config), ...config, dr_cb: true }
          return listen(new Producer(all), log, events)
        }),
    })
  },

  consumer(config, events) {
    const all = { ...COMMON, ...CONSUMER, ...heartbeat(config), ...config }
    return new ConfluentConsumer({
      name: clientName('Consumer', config),
      connectTimeoutMs: connectTimeoutMs(config),
      newLog: () => new NativeLog(events, codeOf),
      autoOffsetReset: isEarliest(config['auto.offset.reset']) ? 'earliest' : 'latest',
      topicRefreshMs: Number(config['topic.metadata.refresh.interval.ms'] ?? TOPIC_REFRESH_MS),
      make: (log, { onRebalance, onReady }) =>
        make(() => {
          const callbacks: NativeConfig = {
            rebalance_cb: (
              error: NativeError,
              partitions: readonly { topic: string; partition: number }[],
            ) => onRebalance({ code: error.code, partitions: partitions.map(topicAndPartition) }),
            queue_non_empty_cb: onReady,
          }
          return listen(new KafkaConsumer({ ...all, ...callbacks }), log, events)
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
          AdminClient.create(
            { 'reconnect.backoff.max.ms': 1_000, 'log.connection.close': false, ...config },
            { 'event.log': log.onLog, 'event.error': log.onError, error: log.onError },
          ),
        ),
    })
  },
}

const TOPIC_REFRESH_MS = 30_000
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
