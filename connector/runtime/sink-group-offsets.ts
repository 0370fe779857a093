import { ConnectError } from '../api/errors.ts'
import type { Props } from '../api/task-context.ts'
import {
  type TopicPartition,
  topicPartitionKey,
  type TopicPartitionOffset,
} from '../api/topic-partition.ts'
import type { Consumer } from '../kafka/client.ts'
import { clientProperties } from './client-properties.ts'
import { SINK_CONNECTOR_CONFIG, topicsRegex } from './connector-config.ts'
import type { WorkerServices } from './worker-services.ts'

const TIMEOUT_MS = 30_000
const POLL_MS = 100
const LOOKS = 5
/** They make a client a member of the group; this one only asks and commits. */
const MEMBERSHIP = /^group\.(protocol|instance\.id|remote\.assignor)$/
/** Would take the place of a task. */
const STATIC_MEMBERSHIP = /^group\.instance\.id$/

/** What the consumer group of a sink connector has committed. */
export class SinkGroupOffsets {
  readonly #services: WorkerServices

  constructor(services: WorkerServices) {
    this.#services = services
  }

  /** The committed offsets, of topics that the connector no longer reads too. */
  async read(name: string, config: Props): Promise<readonly TopicPartitionOffset[]> {
    const resolved = await this.#services.transformer.resolve(config)
    const admin = await this.#services.admin(resolved)
    const all = await admin.listGroupOffsets(groupOf(name, resolved), TIMEOUT_MS)
    if (all.length > 0) return all
    // librdkafka's mock cluster answers only for partitions that are named (its handler of OffsetFetch takes
    // "all" for none), and the embedded broker is one.
    const tps = await this.partitions(config)
    if (tps.length === 0) return []
    const offsets = await this.#withConsumer(name, resolved, (consumer) =>
      consumer.committed(tps, TIMEOUT_MS),
    )
    return tps.flatMap((tp, index) => {
      const offset = offsets[index]
      return offset === undefined ? [] : [{ ...tp, offset }]
    })
  }

  /** All partitions of the topics that the connector reads, committed or not. */
  async partitions(config: Props): Promise<readonly TopicPartition[]> {
    const resolved = await this.#services.transformer.resolve(config)
    const { topics, 'topics.regex': regex } = SINK_CONNECTOR_CONFIG.parse(resolved)
    const admin = await this.#services.admin(resolved)
    const pattern = regex === '' ? undefined : topicsRegex(regex)
    const names =
      pattern === undefined
        ? topics
        : (await admin.listTopics(TIMEOUT_MS)).filter((topic) => pattern.test(topic))
    const described = await Promise.all(
      names.map((topic) => admin.describeTopic(topic, TIMEOUT_MS)),
    )
    return described.flatMap((topic) =>
      Array.from({ length: topic?.partitions ?? 0 }, (_, partition) => ({
        topic: topic?.topic ?? '',
        partition,
      })),
    )
  }

  /**
   * Commits for the group of a connector that has no tasks. Null: back to the log's start. Rejects when the group does
   * not have the offsets afterwards.
   */
  async commit(
    name: string,
    config: Props,
    changes: readonly (readonly [TopicPartition, number | null])[],
  ): Promise<void> {
    if (changes.length === 0) return
    const resolved = await this.#services.transformer.resolve(config)
    const offsets = await this.#withConsumer(name, resolved, async (consumer) => {
      const wanted = await Promise.all(
        changes.map(async ([tp, offset]) => ({
          ...tp,
          offset: offset ?? (await consumer.logBounds(tp, TIMEOUT_MS)).beginning,
        })),
      )
      // A group without members takes commits from anybody; one that refuses is asked again as its member.
      const isTaken = await consumer.commit(wanted, { isAwaited: true }).then(
        () => true,
        () => false,
      )
      return isTaken && (await this.#has(consumer, wanted)) ? [] : wanted
    })
    if (offsets.length > 0) await this.#commitAsMember(name, resolved, offsets)
  }

  /** librdkafka's mock cluster takes commits from members only, also when there are none. */
  async #commitAsMember(
    name: string,
    resolved: Props,
    offsets: readonly TopicPartitionOffset[],
  ): Promise<void> {
    const { clock } = this.#services
    const assigned = new Set<string>()
    const onAssigned = (tps: readonly TopicPartition[]): Promise<void> => {
      for (const tp of tps) assigned.add(topicPartitionKey(tp))
      return Promise.resolve()
    }
    const isDone = await this.#withConsumer(
      name,
      resolved,
      async (consumer) => {
        const topics = [...new Set(offsets.map(({ topic }) => topic))]
        consumer.subscribe(topics, { onAssigned, onRevoked: ignore, onLost: ignore })
        const limit = AbortSignal.timeout(TIMEOUT_MS)
        const end = clock.now() + TIMEOUT_MS
        while (!offsets.every((tp) => assigned.has(topicPartitionKey(tp)))) {
          if (clock.now() > end) return false
          await consumer.poll({ max: 1, timeoutMs: POLL_MS }, limit)
        }
        await consumer.commit(offsets, { isAwaited: true })
        return this.#has(consumer, offsets)
      },
      true,
    )
    if (isDone) return
    throw new ConnectError(
      `Kafka did not take the offsets of group ${groupOf(name, resolved)} for ${offsets.map(topicPartitionKey).join(', ')}.`,
    )
  }

  /** Whether the group has these offsets: a commit that the broker refuses does not say so, and one takes a moment. */
  async #has(consumer: Consumer, wanted: readonly TopicPartitionOffset[]): Promise<boolean> {
    for (let attempt = 0; attempt < LOOKS; attempt++) {
      if (attempt > 0) await this.#services.clock.sleep(POLL_MS)
      const offsets = await consumer.committed(wanted, TIMEOUT_MS)
      if (wanted.every(({ offset }, index) => offsets[index] === offset)) return true
    }
    return false
  }

  /** With the client settings that the connector's tasks have. */
  async #withConsumer<T>(
    name: string,
    resolved: Props,
    work: (consumer: Consumer) => Promise<T>,
    isMember = false,
  ): Promise<T> {
    const { clients, translate, props } = this.#services
    const settings = Object.entries(clientProperties('consumer', props, resolved))
    const unwanted = isMember ? STATIC_MEMBERSHIP : MEMBERSHIP
    const java = {
      'client.id': `connector-consumer-${name}-offsets`,
      ...Object.fromEntries(settings.filter(([key]) => !unwanted.test(key))),
      'group.id': groupOf(name, resolved),
    }
    const consumer = clients.consumer(translate('consumer', java).config, {
      log: () => {},
      statistics: () => {},
    })
    try {
      await consumer.connect(AbortSignal.timeout(TIMEOUT_MS))
      return await work(consumer)
    } finally {
      await consumer.close()
    }
  }
}

const ignore = (): Promise<void> => Promise.resolve()

const groupOf = (name: string, resolved: Props): string =>
  resolved['consumer.override.group.id'] ?? `connect-${name}`
