import type { Clock } from '../../connector/api/clock.ts'
import { ConnectError, IllegalWorkerStateError } from '../../connector/api/errors.ts'
import {
  type TopicPartition,
  type TopicPartitionOffset,
  topicPartitionKey,
} from '../../connector/api/topic-partition.ts'
import type {
  ClientConfig,
  Consumer,
  ConsumerMessage,
  RebalanceListener,
} from '../../connector/kafka/client.ts'
import type { FakeCluster, FakeGroup, FakeMember } from './fake-kafka-cluster.ts'

/** What tests may do to all clients of a `FakeKafka`. */
export interface FakeFaults {
  /** No broker answers: connects fail, polls and sends wait. */
  isDown: boolean
  /** Thrown by the next calls of `commit`, one each. */
  readonly commitErrors: Error[]
  /** Thrown by the next calls of `poll`, one each. */
  readonly pollErrors: Error[]
  down(what: string): Error
}

/** What `call` returns or throws, as a promise. */
const attempt = <T>(call: () => T): Promise<T> => new Promise((resolve) => resolve(call()))

export class FakeConsumer implements Consumer, FakeMember {
  readonly #cluster: FakeCluster
  readonly #faults: FakeFaults
  readonly #config: ClientConfig
  readonly #clock: Clock | undefined
  readonly #owned = new Map<string, TopicPartition>()
  readonly #positions = new Map<string, number>()
  readonly #paused = new Set<string>()
  #topics: readonly string[] | RegExp = []
  #listener: RebalanceListener | undefined
  #arriving: ReadonlySet<string> = new Set()
  #state: 'new' | 'connected' | 'closed' = 'new'
  /** The group takes all partitions away at the next poll, without asking. */
  #isExpelled = false

  constructor(
    cluster: FakeCluster,
    faults: FakeFaults,
    config: ClientConfig,
    clock: Clock | undefined,
  ) {
    this.#cluster = cluster
    this.#faults = faults
    this.#config = config
    this.#clock = clock
  }

  get clientId(): string {
    return String(this.#config['client.id'] ?? '')
  }

  wants(topic: string): boolean {
    return this.#topics instanceof RegExp
      ? new RegExp(`^(?:${this.#topics.source})$`).test(topic)
      : this.#topics.includes(topic)
  }

  /** As if the session had expired: its partitions go to others at once, and it hears of it at its next poll. */
  expel(): void {
    this.#isExpelled = true
    this.#release([...this.#owned.keys()])
    this.#group().members.delete(this)
    this.#cluster.wake()
  }

  connect(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    if (this.#faults.isDown) return Promise.reject(this.#faults.down('connect'))
    this.#state = 'connected'
    return Promise.resolve()
  }

  subscribe(topics: readonly string[] | RegExp, listener: RebalanceListener): void {
    this.#check()
    this.#topics = topics
    this.#listener = listener
    this.#group().members.add(this)
    this.#cluster.wake()
  }

  assign(partitions: readonly TopicPartitionOffset[]): void {
    this.#check()
    this.#listener = undefined
    this.#owned.clear()
    this.#paused.clear()
    for (const { topic, partition, offset } of partitions) {
      this.#owned.set(topicPartitionKey({ topic, partition }), { topic, partition })
      this.#setPosition({ topic, partition, offset })
    }
  }

  async poll(
    { max, timeoutMs }: { readonly max: number; readonly timeoutMs: number },
    signal: AbortSignal,
  ): Promise<readonly ConsumerMessage[]> {
    this.#check()
    const error = this.#faults.pollErrors.shift()
    if (error !== undefined) throw error
    await this.#rebalance()
    const messages = this.#take(max)
    if (messages.length > 0) return messages
    await this.#wait(timeoutMs, signal)
    if (signal.aborted || this.#state === 'closed') return []
    await this.#rebalance()
    return this.#take(max)
  }

  assignment(): readonly TopicPartition[] {
    return [...this.#owned.values()]
  }

  seek(position: TopicPartitionOffset): Promise<void> {
    return attempt(() => {
      this.#checkAssigned(position)
      this.#setPosition(position)
    })
  }

  pause(partitions: readonly TopicPartition[]): void {
    for (const tp of partitions) this.#checkAssigned(tp)
    for (const tp of partitions) this.#paused.add(topicPartitionKey(tp))
  }

  resume(partitions: readonly TopicPartition[]): void {
    for (const tp of partitions) this.#checkAssigned(tp)
    for (const tp of partitions) this.#paused.delete(topicPartitionKey(tp))
    this.#cluster.wake()
  }

  position(tp: TopicPartition): Promise<number> {
    return attempt(() => {
      this.#checkAssigned(tp)
      return this.#positionOf(tp)
    })
  }

  commit(
    offsets: readonly TopicPartitionOffset[],
    _options?: { readonly isAwaited: boolean },
  ): Promise<void> {
    return attempt(() => {
      this.#check()
      const error = this.#faults.commitErrors.shift()
      if (error !== undefined) throw error
      if (this.#faults.isDown) throw this.#faults.down('commit')
      const isMember = this.#listener === undefined || this.#group().members.has(this)
      if (!isMember) throw new ConnectError('Broker: Unknown member (25)')
      for (const { topic, partition, offset } of offsets) {
        const tp = { topic, partition }
        this.#group().offsets.set(topicPartitionKey(tp), { ...tp, offset })
      }
    })
  }

  committed(
    partitions: readonly TopicPartition[],
    _timeoutMs: number,
  ): Promise<readonly (number | undefined)[]> {
    return attempt(() => {
      this.#check()
      if (this.#faults.isDown) throw this.#faults.down('read committed offsets')
      const { offsets } = this.#group()
      return partitions.map((tp) => offsets.get(topicPartitionKey(tp))?.offset)
    })
  }

  logBounds(
    tp: TopicPartition,
    _timeoutMs: number,
  ): Promise<{ readonly beginning: number; readonly end: number }> {
    return attempt(() => {
      this.#check()
      if (this.#faults.isDown) throw this.#faults.down('read the log')
      return { beginning: this.#cluster.log(tp).beginning, end: this.#cluster.end(tp) }
    })
  }

  async close(): Promise<void> {
    if (this.#state !== 'connected') return
    const owned = this.assignment()
    if (this.#listener !== undefined && owned.length > 0) {
      // As the real one: a listener that fails must not keep the consumer from leaving.
      await this.#listener.onRevoked(owned).catch(() => {})
    }
    this.#state = 'closed'
    this.#release([...this.#owned.keys()])
    this.#owned.clear()
    this.#group().members.delete(this)
    this.#cluster.wake()
  }

  #group(): FakeGroup {
    return this.#cluster.group(String(this.#config['group.id'] ?? 'no-group'))
  }

  #check(): void {
    if (this.#state !== 'connected') {
      throw new IllegalWorkerStateError('The consumer is not connected.')
    }
  }

  #checkAssigned(tp: TopicPartition): void {
    this.#check()
    const key = topicPartitionKey(tp)
    if (!this.#owned.has(key) && !this.#arriving.has(key)) {
      throw new IllegalWorkerStateError(`${key} is not assigned.`)
    }
  }

  async #rebalance(): Promise<void> {
    const listener = this.#listener
    if (listener === undefined || this.#faults.isDown) return
    if (this.#isExpelled) {
      this.#isExpelled = false
      const lost = this.assignment()
      this.#forget([...this.#owned.keys()])
      this.#group().members.add(this)
      if (lost.length > 0) await listener.onLost(lost)
    }
    const target = this.#cluster.target(this.#group(), this)
    const leaving = [...this.#owned].filter(([key]) => !target.has(key))
    if (leaving.length > 0) {
      try {
        await listener.onRevoked(leaving.map(([, tp]) => tp))
      } finally {
        const keys = leaving.map(([key]) => key)
        this.#forget(keys)
        this.#release(keys)
        this.#cluster.wake()
      }
    }
    await this.#acceptNew(target, listener)
  }

  async #acceptNew(
    target: ReadonlyMap<string, TopicPartition>,
    listener: RebalanceListener,
  ): Promise<void> {
    const { owners } = this.#group()
    const coming = [...target].filter(([key]) => !this.#owned.has(key) && !owners.has(key))
    if (coming.length === 0) return
    for (const [key] of coming) owners.set(key, this)
    this.#arriving = new Set(coming.map(([key]) => key))
    try {
      await listener.onAssigned(coming.map(([, tp]) => tp))
    } finally {
      this.#arriving = new Set()
      for (const [key, tp] of coming) this.#owned.set(key, tp)
    }
  }

  #forget(keys: readonly string[]): void {
    for (const key of keys) {
      this.#owned.delete(key)
      this.#positions.delete(key)
      this.#paused.delete(key)
    }
  }

  #release(keys: readonly string[]): void {
    const { owners } = this.#group()
    for (const key of keys) if (owners.get(key) === this) owners.delete(key)
  }

  #take(max: number): readonly ConsumerMessage[] {
    if (this.#faults.isDown) return []
    const taken: ConsumerMessage[] = []
    for (const [key, tp] of this.#owned) {
      if (this.#paused.has(key) || !this.#cluster.topics.has(tp.topic)) continue
      const from = this.#positionOf(tp)
      const { messages } = this.#cluster.log(tp)
      taken.push(...messages.filter(({ offset }) => offset >= from).slice(0, max - taken.length))
      const last = taken.at(-1)
      const isHere = last !== undefined && topicPartitionKey(last) === key
      this.#positions.set(key, isHere ? last.offset + 1 : from)
    }
    return taken
  }

  #positionOf(tp: TopicPartition): number {
    const key = topicPartitionKey(tp)
    const { beginning } = this.#cluster.log(tp)
    const end = this.#cluster.end(tp)
    const known = this.#positions.get(key) ?? this.#group().offsets.get(key)?.offset
    if (known !== undefined && known >= beginning && known <= end) return known
    return this.#config['auto.offset.reset'] === 'earliest' ? beginning : end
  }

  #setPosition({ topic, partition, offset }: TopicPartitionOffset): void {
    const tp = { topic, partition }
    const { beginning } = this.#cluster.log(tp)
    const special = offset === -2 ? beginning : this.#cluster.end(tp)
    this.#positions.set(topicPartitionKey(tp), offset < 0 ? special : offset)
  }

  /** With a clock: until something changes or the time is over. Without: one turn of the event loop. */
  async #wait(timeoutMs: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return
    if (this.#clock === undefined) {
      await new Promise((resolve) => setImmediate(resolve))
      return
    }
    const changed = new AbortController()
    const end = this.#cluster.onChange(() => changed.abort())
    try {
      // Rejects when something changed or the caller gave up: both only end the wait.
      await this.#clock.sleep(timeoutMs, AbortSignal.any([signal, changed.signal])).catch(() => {})
    } finally {
      end()
    }
  }
}
