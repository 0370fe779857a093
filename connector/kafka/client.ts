// Our own interface to Kafka. `confluent.ts` implements it with the native client; nothing else imports a
// Kafka library. Offsets are numbers (they stay far below 2^53), keys and values bytes.
import type {
  TopicDescription,
  TopicPartition,
  TopicPartitionOffset,
} from '../api/topic-partition.ts'

/** librdkafka properties, e.g. `bootstrap.servers`; made from Java's by `client-config.ts`. */
export type ClientConfig = Readonly<Record<string, string | number | boolean>>

export interface MessageHeader {
  readonly key: string
  readonly value: Uint8Array | null
}

export interface ProducerMessage {
  readonly topic: string
  /** Undefined: by key, as Java's default partitioner does (murmur2). */
  readonly partition?: number | undefined
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers?: readonly MessageHeader[]
  /** Milliseconds since the Unix epoch; undefined: now. */
  readonly timestamp?: number | undefined
}

export interface Delivery {
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

/** Called once per message. `error` is a `RetriableError` when the same message may succeed later. */
export type DeliveryCallback = (error: Error | null, delivery: Delivery | null) => void

export interface Producer {
  /** Rejects with a `RetriableError` when no broker answers in time. */
  connect(signal: AbortSignal): Promise<void>
  /**
   * Queues a message; messages of one partition arrive in order. Throws `RetriableError` at once when the
   * queue is full: wait with `drained`, then send it again.
   */
  send(message: ProducerMessage, onDelivery: DeliveryCallback): void
  /** Resolves once the queue has room again. */
  drained(signal: AbortSignal): Promise<void>
  /** Resolves once everything sent so far was acknowledged or failed; rejects after `timeoutMs`. */
  flush(timeoutMs: number): Promise<void>
  /** Waits at most `timeoutMs` for what is queued; the rest fails. Never rejects. */
  close(timeoutMs: number): Promise<void>
}

export interface ConsumerMessage {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: readonly MessageHeader[]
  readonly timestamp: number | undefined
  readonly timestampType: 'NoTimestampType' | 'CreateTime' | 'LogAppendTime'
  /** Key and value bytes, for budgets. */
  readonly size: number
}

/**
 * Called from within `poll` and `close` only, never beside another call, and awaited before the group goes
 * on. With the cooperative and KIP-848 protocols partitions come and go in parts.
 */
export interface RebalanceListener {
  onAssigned(partitions: readonly TopicPartition[]): Promise<void>
  onRevoked(partitions: readonly TopicPartition[]): Promise<void>
  /** The group already gave them to somebody else: nothing can be committed for them any more. */
  onLost(partitions: readonly TopicPartition[]): Promise<void>
}

export interface Consumer {
  connect(signal: AbortSignal): Promise<void>
  /** Joins the group. A RegExp is matched against whole topic names. */
  subscribe(topics: readonly string[] | RegExp, listener: RebalanceListener): void
  /** Reads exactly these from these offsets (-2: beginning, -1: end), without the group. */
  assign(partitions: readonly TopicPartitionOffset[]): void
  /**
   * At most `max` messages, as soon as there is any, or none after `timeoutMs` or an abort. Calls the
   * rebalance listener when the group has changed. Throws what the listener threw; a fatal or
   * authorisation error as `ConnectError`; a passing broker failure is only logged.
   */
  poll(
    options: { readonly max: number; readonly timeoutMs: number },
    signal: AbortSignal,
  ): Promise<readonly ConsumerMessage[]>
  assignment(): readonly TopicPartition[]
  /** The next poll reads from here; what was fetched for the partition is dropped. */
  seek(position: TopicPartitionOffset): Promise<void>
  /** What is fetched of them stays for later; the rebalance protocol goes on. */
  pause(partitions: readonly TopicPartition[]): void
  resume(partitions: readonly TopicPartition[]): void
  /** The offset after the last message returned by `poll`, or where the partition starts to be read. */
  position(tp: TopicPartition): Promise<number>
  /**
   * Resolves once the group's coordinator has taken the offsets, and rejects when it refuses all of them, e.g. because
   * the consumer is no member any more. The answer comes out by `poll`; who awaits the commit and polls no more before it
   * says `isAwaited`: then what was fetched and not read yet may be fetched again.
   */
  commit(
    offsets: readonly TopicPartitionOffset[],
    options?: { readonly isAwaited: boolean },
  ): Promise<void>
  /** Undefined for a partition without a committed offset. */
  committed(
    partitions: readonly TopicPartition[],
    timeoutMs: number,
  ): Promise<readonly (number | undefined)[]>
  /** First and next offset, asked from the broker. */
  logBounds(
    tp: TopicPartition,
    timeoutMs: number,
  ): Promise<{ readonly beginning: number; readonly end: number }>
  /** Leaves the group after `onRevoked`. Never rejects. */
  close(): Promise<void>
}

export interface NewTopic {
  readonly topic: string
  readonly partitions: number
  readonly replicationFactor: number
  readonly config: Readonly<Record<string, string>>
}

export interface Admin {
  connect(signal: AbortSignal): Promise<void>
  /** False when the topic exists already. */
  createTopic(topic: NewTopic, timeoutMs: number): Promise<boolean>
  /** Undefined for a topic that does not exist. */
  describeTopic(topic: string, timeoutMs: number): Promise<TopicDescription | undefined>
  listTopics(timeoutMs: number): Promise<readonly string[]>
  clusterId(timeoutMs: number): Promise<string | undefined>
  /** Committed offsets of a group, empty for an unknown one. */
  listGroupOffsets(groupId: string, timeoutMs: number): Promise<readonly TopicPartitionOffset[]>
  close(): Promise<void>
}

/** Numbers of one client from librdkafka's statistics, under Kafka's names; see `/metrics`. */
export interface ClientStatistics {
  readonly clientId: string
  readonly kind: 'producer' | 'consumer'
  readonly connections: number
  readonly bytesSentTotal: number
  readonly bytesReceivedTotal: number
  readonly messagesTotal: number
  readonly requestLatencyMsAvg: number
  readonly lags: readonly (TopicPartition & { readonly lag: number })[]
}

export interface ClientEvents {
  log(level: 'debug' | 'info' | 'warn' | 'error', message: string): void
  statistics(statistics: ClientStatistics): void
}

/** Makes clients. Each is used by one owner only. */
export interface KafkaClients {
  producer(config: ClientConfig, events: ClientEvents): Producer
  consumer(config: ClientConfig, events: ClientEvents): Consumer
  admin(config: ClientConfig, events: ClientEvents): Admin
}
