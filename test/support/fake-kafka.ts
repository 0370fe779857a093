// Kafka in memory behind the same interface as the real clients; checked by the same conformance suite.
import type { Clock } from '../../connector/api/clock.ts'
import { IllegalWorkerStateError, RetriableError } from '../../connector/api/errors.ts'
import type { TopicDescription, TopicPartitionOffset } from '../../connector/api/topic-partition.ts'
import type {
  Admin,
  ClientConfig,
  ClientEvents,
  ConsumerMessage,
  DeliveryCallback,
  KafkaClients,
  NewTopic,
  Producer,
  ProducerMessage,
} from '../../connector/kafka/client.ts'
import { FakeCluster } from './fake-kafka-cluster.ts'
import { FakeConsumer, type FakeFaults } from './fake-kafka-consumer.ts'

export interface FakeKafkaOptions {
  /** Topics that are there, with their partition counts. */
  readonly topics?: Readonly<Record<string, number>>
  /** Without one, a poll that finds nothing returns after a turn of the event loop. */
  readonly clock?: Clock
  /** A producer's queue. */
  readonly queueMax?: number
}

/** A cluster in memory with what tests need to disturb it. */
export class FakeKafka implements KafkaClients {
  readonly cluster = new FakeCluster()
  readonly consumers: FakeConsumer[] = []
  readonly faults: FakeFaults = {
    isDown: false,
    commitErrors: [],
    pollErrors: [],
    down: (what) => new RetriableError(`Can't ${what}: Local: Broker transport failure (-195)`),
  }
  /** The delivery error of a message, if any; asked when the message is acknowledged. */
  deliveryError: (message: ProducerMessage) => Error | undefined = () => undefined
  /** While true, messages stay unacknowledged (and unwritten). */
  holdsDeliveries = false
  readonly #options: FakeKafkaOptions
  readonly #producers = new Set<FakeProducer>()

  constructor(options: FakeKafkaOptions = {}) {
    this.#options = options
    const { clock } = options
    if (clock !== undefined) this.cluster.now = () => clock.now()
    for (const [topic, partitions] of Object.entries(options.topics ?? {})) {
      this.cluster.createTopic(topic, partitions)
    }
  }

  /** Everything in a topic, partition by partition. */
  messages(topic: string): readonly ConsumerMessage[] {
    return this.cluster.topics.get(topic)?.logs.flatMap(({ messages }) => messages) ?? []
  }

  /** Deletes a topic and makes it again: another id, no records. */
  recreateTopic(topic: string, partitions: number): void {
    this.cluster.topics.delete(topic)
    this.cluster.createTopic(topic, partitions)
  }

  /** Lets held messages go. */
  release(): void {
    this.holdsDeliveries = false
    this.faults.isDown = false
    for (const producer of this.#producers) producer.deliver()
    this.cluster.wake()
  }

  producer(_config: ClientConfig, _events: ClientEvents): Producer {
    const producer = new FakeProducer(this, this.#options.queueMax ?? 100_000)
    this.#producers.add(producer)
    return producer
  }

  consumer(config: ClientConfig, _events: ClientEvents): FakeConsumer {
    const consumer = new FakeConsumer(this.cluster, this.faults, config, this.#options.clock)
    this.consumers.push(consumer)
    return consumer
  }

  admin(_config: ClientConfig, _events: ClientEvents): Admin {
    return new FakeAdmin(this)
  }
}

class FakeProducer implements Producer {
  readonly #kafka: FakeKafka
  readonly #queueMax: number
  #queue: { readonly message: ProducerMessage; readonly onDelivery: DeliveryCallback }[] = []
  #waiters: { readonly atMost: number; readonly resolve: () => void }[] = []
  #isConnected = false

  constructor(kafka: FakeKafka, queueMax: number) {
    this.#kafka = kafka
    this.#queueMax = queueMax
  }

  connect(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    if (this.#kafka.faults.isDown) return Promise.reject(this.#kafka.faults.down('connect'))
    this.#isConnected = true
    return Promise.resolve()
  }

  send(message: ProducerMessage, onDelivery: DeliveryCallback): void {
    if (!this.#isConnected) throw new IllegalWorkerStateError('The producer is not connected.')
    if (this.#queue.length >= this.#queueMax) throw new RetriableError('The queue is full.')
    this.#queue.push({ message, onDelivery })
    if (this.#queue.length === 1) setImmediate(() => this.deliver())
  }

  /** Acknowledges what is queued, unless the cluster holds it. */
  deliver(): void {
    const { faults, cluster, deliveryError, holdsDeliveries } = this.#kafka
    if (faults.isDown || holdsDeliveries) return
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      const { message, onDelivery } = next
      let error = deliveryError(message)
      if (error === undefined && !cluster.has(message)) {
        error = new RetriableError(`Can't send to ${message.topic}: unknown topic or partition (3)`)
      }
      if (error === undefined) {
        const { topic, partition, offset } = cluster.append(message)
        onDelivery(null, { topic, partition, offset })
      } else {
        onDelivery(error, null)
      }
      this.#wake()
    }
  }

  drained(signal: AbortSignal): Promise<void> {
    return this.#atMost(Math.max(0, this.#queueMax - 1), signal)
  }

  async flush(timeoutMs: number): Promise<void> {
    const limit = AbortSignal.timeout(timeoutMs)
    try {
      await this.#atMost(0, limit)
    } catch (cause) {
      throw new RetriableError(`Not acknowledged within ${timeoutMs} ms.`, { cause })
    }
  }

  async close(timeoutMs: number): Promise<void> {
    // What is left then fails below.
    await this.flush(timeoutMs).catch(() => {})
    this.#isConnected = false
    for (const { onDelivery } of this.#queue.splice(0)) {
      onDelivery(new RetriableError('The producer was closed.'), null)
    }
    this.#wake()
  }

  #atMost(count: number, signal: AbortSignal): Promise<void> {
    if (this.#queue.length <= count) return Promise.resolve()
    return new Promise((resolve, reject) => {
      this.#waiters.push({ atMost: count, resolve })
      signal.addEventListener('abort', () => reject(new Error('Aborted.')), { once: true })
    })
  }

  #wake(): void {
    const size = this.#queue.length
    for (const waiter of this.#waiters) if (size <= waiter.atMost) waiter.resolve()
    this.#waiters = this.#waiters.filter((waiter) => size > waiter.atMost)
  }
}

class FakeAdmin implements Admin {
  readonly #kafka: FakeKafka

  constructor(kafka: FakeKafka) {
    this.#kafka = kafka
  }

  connect(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    return this.#answer('connect', undefined)
  }

  createTopic({ topic, partitions }: NewTopic, _timeoutMs: number): Promise<boolean> {
    if (this.#kafka.faults.isDown) return this.#answer('create a topic', false)
    return Promise.resolve(this.#kafka.cluster.createTopic(topic, partitions))
  }

  describeTopic(topic: string, _timeoutMs: number): Promise<TopicDescription | undefined> {
    const found = this.#kafka.cluster.topics.get(topic)
    return this.#answer(
      'describe a topic',
      found && { topic, topicId: found.id, partitions: found.logs.length },
    )
  }

  listTopics(_timeoutMs: number): Promise<readonly string[]> {
    return this.#answer('list topics', [...this.#kafka.cluster.topics.keys()])
  }

  clusterId(_timeoutMs: number): Promise<string | undefined> {
    return this.#answer('describe the cluster', 'fake-cluster')
  }

  listGroupOffsets(groupId: string, _timeoutMs: number): Promise<readonly TopicPartitionOffset[]> {
    const { offsets } = this.#kafka.cluster.group(groupId)
    return this.#answer('read offsets', [...offsets.values()])
  }

  close(): Promise<void> {
    return Promise.resolve()
  }

  #answer<T>(what: string, value: T): Promise<T> {
    const { faults } = this.#kafka
    return faults.isDown ? Promise.reject(faults.down(what)) : Promise.resolve(value)
  }
}

/** Events of a client that nobody listens to. */
export const noEvents: ClientEvents = { log: () => {}, statistics: () => {} }
