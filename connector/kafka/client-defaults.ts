// What our clients set before anything that is configured, in librdkafka's properties. Each differs from librdkafka's own
// default for a reason.
import type { ClientConfig } from './client.ts'

/** Our own property of consumers, `true` by default: whether messages are read packed where that is possible. */
export const PACKED_READER = 'packed.reader'

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

/**
 * With several requests in flight, what was sent after a failed one would overtake its retry. With one, the next request is
 * still built ahead and may do so when a broker refuses the first; only idempotence, which is the user's choice, keeps the order.
 */
const inOrder = (config: ClientConfig): ClientConfig =>
  config['enable.idempotence'] === true || config['enable.idempotence'] === 'true'
    ? {}
    : { 'max.in.flight.requests.per.connection': 1 }

/** A producer's whole configuration. */
export const producerConfig = (config: ClientConfig): ClientConfig => ({
  ...COMMON,
  ...PRODUCER,
  ...inOrder(config),
  ...config,
})

/** A consumer's whole configuration. */
export const consumerConfig = (config: ClientConfig): ClientConfig => ({
  ...COMMON,
  ...CONSUMER,
  ...heartbeat(config),
  ...config,
})

/** How often a consumer looks for new topics that fit its pattern: as often as librdkafka does for named ones. */
export const topicRefreshMs = (config: ClientConfig): number =>
  Number(consumerConfig(config)['topic.metadata.refresh.interval.ms'])

/** An admin client's whole configuration. */
export const adminConfig = (config: ClientConfig): ClientConfig => ({
  'reconnect.backoff.max.ms': COMMON['reconnect.backoff.max.ms'],
  'log.connection.close': COMMON['log.connection.close'],
  ...config,
})
