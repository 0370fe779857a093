// Topics, logs and consumer groups in memory, for `FakeKafka`'s clients.
import { NotFoundError } from '../../connector/api/errors.ts'
import { type TopicPartition, topicPartitionKey } from '../../connector/api/topic-partition.ts'
import type { ConsumerMessage, ProducerMessage } from '../../connector/kafka/client.ts'
import { partitionOfKey } from './murmur2.ts'

export interface FakeLog {
  /** First offset that is still there. */
  beginning: number
  readonly messages: ConsumerMessage[]
}

export interface FakeTopic {
  readonly id: string
  readonly logs: readonly FakeLog[]
}

export interface FakeMember {
  /** Which of these topics it wants. */
  wants(topic: string): boolean
}

/** One group: its members in the order they came, who owns what, and what is committed. */
export class FakeGroup {
  readonly members = new Set<FakeMember>()
  readonly owners = new Map<string, FakeMember>()
  readonly offsets = new Map<string, TopicPartition & { readonly offset: number }>()
}

const copy = (bytes: Uint8Array | null): Uint8Array | null => bytes && Uint8Array.from(bytes)

export class FakeCluster {
  readonly topics = new Map<string, FakeTopic>()
  readonly #groups = new Map<string, FakeGroup>()
  readonly #waiters = new Set<() => void>()
  #ids = 0
  #roundRobin = 0
  /** Milliseconds since the Unix epoch, for messages without a timestamp. */
  now: () => number = () => 1_700_000_000_000

  createTopic(topic: string, partitions: number): boolean {
    if (this.topics.has(topic)) return false
    const id = Buffer.alloc(16)
    id.writeUInt32BE(++this.#ids, 12)
    this.topics.set(topic, {
      id: id.toString('base64url'),
      logs: Array.from({ length: partitions }, () => ({ beginning: 0, messages: [] })),
    })
    this.wake()
    return true
  }

  /** Whether the message has somewhere to go. */
  has({ topic, partition = 0 }: ProducerMessage): boolean {
    return this.topics.get(topic)?.logs[partition] !== undefined
  }

  log(tp: TopicPartition): FakeLog {
    const log = this.topics.get(tp.topic)?.logs[tp.partition]
    if (log === undefined) throw new NotFoundError(`${topicPartitionKey(tp)} does not exist.`)
    return log
  }

  end(tp: TopicPartition): number {
    const { beginning, messages } = this.log(tp)
    return (messages.at(-1)?.offset ?? beginning - 1) + 1
  }

  append(message: ProducerMessage): ConsumerMessage {
    const { topic } = message
    const partitions = this.topics.get(topic)?.logs.length ?? 0
    const byKey = message.key === null ? this.#roundRobin++ % partitions : undefined
    const partition =
      message.partition ?? byKey ?? partitionOfKey(message.key ?? Buffer.of(), partitions)
    const log = this.log({ topic, partition })
    const stored: ConsumerMessage = {
      topic,
      partition,
      offset: this.end({ topic, partition }),
      key: copy(message.key),
      value: copy(message.value),
      headers: (message.headers ?? []).map(({ key, value }) => ({ key, value: copy(value) })),
      timestamp: message.timestamp ?? this.now(),
      timestampType: 'CreateTime',
      size: (message.key?.length ?? 0) + (message.value?.length ?? 0),
    }
    log.messages.push(stored)
    this.wake()
    return stored
  }

  /** Removes what lies before an offset, as retention does. */
  truncate(tp: TopicPartition, beginning: number): void {
    const log = this.log(tp)
    log.messages.splice(0, log.messages.findLastIndex(({ offset }) => offset < beginning) + 1)
    log.beginning = beginning
  }

  group(id: string): FakeGroup {
    const group = this.#groups.get(id) ?? new FakeGroup()
    this.#groups.set(id, group)
    return group
  }

  /** Who should own which partition now: each topic's are dealt out in turn. */
  target(group: FakeGroup, member: FakeMember): ReadonlyMap<string, TopicPartition> {
    const mine = new Map<string, TopicPartition>()
    for (const [topic, { logs }] of this.topics) {
      const members = [...group.members].filter((candidate) => candidate.wants(topic))
      for (const partition of logs.keys()) {
        const tp = { topic, partition }
        if (members[partition % members.length] === member) mine.set(topicPartitionKey(tp), tp)
      }
    }
    return mine
  }

  wake(): void {
    for (const waiter of this.#waiters) waiter()
  }

  onChange(listener: () => void): () => void {
    this.#waiters.add(listener)
    return () => this.#waiters.delete(listener)
  }
}
