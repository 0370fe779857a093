import type { SinkConnector, SourceConnector } from '../api/connector.ts'
import { ConnectError } from '../api/errors.ts'
import type { SourceOffset, SourcePartition } from '../api/records.ts'
import type { Props } from '../api/task-context.ts'
import { type TopicPartition, topicPartitionKey } from '../api/topic-partition.ts'
import { BadRequestError, type ConnectorOffset } from './herder.ts'
import { withLimit } from './limits.ts'
import { SinkGroupOffsets } from './sink-group-offsets.ts'
import type { WorkerConnector } from './worker-connector.ts'
import type { WorkerServices } from './worker-services.ts'

const TOPIC_LIMIT_MS = 10_000

/** Reads and changes what connectors have stored as their offsets (KIP-875). */
export class ConnectorOffsets {
  readonly #services: WorkerServices
  readonly #group: SinkGroupOffsets

  constructor(services: WorkerServices) {
    this.#services = services
    this.#group = new SinkGroupOffsets(services)
  }

  /** A source's stored offsets, or a sink's consumer group's. */
  async read(
    name: string,
    config: Props,
    type: 'source' | 'sink' | 'unknown',
  ): Promise<readonly ConnectorOffset[]> {
    if (type === 'source') {
      const stored = await this.#services.offsets.list(name)
      return stored.map(([partition, offset]) => ({ partition, offset }))
    }
    const offsets = await this.#group.read(name, config)
    return offsets.map(({ topic, partition, offset }) => ({
      partition: { kafka_partition: partition, kafka_topic: topic },
      offset: { kafka_offset: offset },
    }))
  }

  /** Changes offsets of a stopped connector, null: all forgotten. Returns Kafka Connect's message. */
  async alter(
    worker: WorkerConnector,
    config: Props,
    offsets: readonly ConnectorOffset[] | null,
  ): Promise<string> {
    const isHandled =
      worker.kind === 'source'
        ? await this.#alterSource(worker, config, offsets)
        : await this.#alterSink(worker, config, offsets)
    const done = offsets === null ? 'reset' : 'altered'
    if (isHandled) return `The offsets for this connector have been ${done} successfully`
    return `The Connect framework-managed offsets for this connector have been ${done} successfully. However, if this connector manages offsets externally, they will need to be manually ${done} in the system that the connector uses.`
  }

  async #alterSource(
    worker: WorkerConnector,
    config: Props,
    offsets: readonly ConnectorOffset[] | null,
  ): Promise<boolean> {
    const stored = await this.#services.offsets.list(worker.name)
    const changes: (readonly [SourcePartition | null, SourceOffset | null])[] =
      offsets === null
        ? stored.map(([partition]) => [partition, null])
        : offsets.map(({ partition, offset }) => [partition, offset])
    const connector = worker.connector as SourceConnector
    const isHandled = await this.#ask(worker, async () =>
      connector.alterOffsets(
        await this.#services.transformer.resolve(config),
        changes as [SourcePartition, SourceOffset | null][],
      ),
    )
    await this.#services.offsets.write(worker.name, changes)
    return isHandled
  }

  async #alterSink(
    worker: WorkerConnector,
    config: Props,
    offsets: readonly ConnectorOffset[] | null,
  ): Promise<boolean> {
    const changes: (readonly [TopicPartition, number | null])[] =
      offsets === null
        ? (await this.#allPartitions(worker.name, config)).map((tp) => [tp, null])
        : offsets.map(sinkOffset)
    await this.#requireKnown(worker.name, changes)
    const connector = worker.connector as SinkConnector
    const isHandled = await this.#ask(worker, async () =>
      connector.alterOffsets(await this.#services.transformer.resolve(config), changes),
    )
    await this.#group.commit(worker.name, config, changes)
    return isHandled
  }

  /** Offsets of partitions that are not there would stay in the group for ever. */
  async #requireKnown(
    name: string,
    changes: readonly (readonly [TopicPartition, number | null])[],
  ): Promise<void> {
    if (changes.some(([, offset]) => offset !== null && offset < 0)) {
      throw new ConnectError(`Failed to modify offsets for sink connector ${name}`)
    }
    const admin = await this.#services.admin()
    const topics = new Set(changes.flatMap(([{ topic }, offset]) => (offset === null ? [] : topic)))
    for (const topic of topics) {
      const partitions = (await admin.describeTopic(topic, TOPIC_LIMIT_MS))?.partitions ?? 0
      const isKnown = changes.every(
        ([tp]) => tp.topic !== topic || (tp.partition >= 0 && tp.partition < partitions),
      )
      if (!isKnown) {
        throw new ConnectError(`Failed to alter consumer group offsets for connector ${name}`)
      }
    }
  }

  /**
   * What a reset is about: a connector may keep positions of its own for partitions of which nothing is committed in
   * Kafka yet, and the group may have some of topics that are not read any more.
   */
  async #allPartitions(name: string, config: Props): Promise<readonly TopicPartition[]> {
    const committed = await this.#group.read(name, config)
    const all = [...(await this.#group.partitions(config)), ...committed]
    return [...new Map(all.map((tp) => [topicPartitionKey(tp), tp])).values()].map(
      ({ topic, partition }) => ({ topic, partition }),
    )
  }

  #ask(worker: WorkerConnector, work: () => Promise<boolean>): Promise<boolean> {
    const { clock, config, watch } = this.#services
    const name = `alterOffsets of connector ${worker.name}`
    return withLimit(name, watch.run(name, work), {
      clock,
      limitMs: config['plugin.call.timeout.ms'],
    })
  }
}

/** Reads a sink's offset from a request. @throws BadRequestError with Kafka Connect's texts. */
export function sinkOffset({
  partition,
  offset,
}: ConnectorOffset): readonly [TopicPartition, number | null] {
  if (partition === null || partition === undefined) {
    throw new BadRequestError('The partition for a sink connector offset cannot be null or missing')
  }
  const { kafka_topic: topic, kafka_partition: number } = partition as Record<string, unknown>
  if (topic === undefined || number === undefined) {
    throw new BadRequestError(
      "The partition for a sink connector offset must contain the keys 'kafka_topic' and 'kafka_partition'",
    )
  }
  if (topic === null) {
    throw new BadRequestError('Kafka topic names must be valid strings and may not be null')
  }
  if (number === null) {
    throw new BadRequestError('Kafka partitions must be valid numbers and may not be null')
  }
  const tp = { topic: text(topic), partition: wholeNumber(number, 'partition') }
  if (offset === null || offset === undefined) return [tp, null]
  const value = (offset as Record<string, unknown>)['kafka_offset']
  if (value === undefined) {
    throw new BadRequestError(
      "The offset for a sink connector should either be null or contain the key 'kafka_offset'",
    )
  }
  return [tp, wholeNumber(value, 'offset')]
}

function wholeNumber(value: unknown, what: 'partition' | 'offset'): number {
  const shown = text(value)
  if (/^-?\d+$/.test(shown)) return Number(shown)
  const title = what === 'partition' ? 'Partition' : 'Offset'
  throw new BadRequestError(
    `Failed to parse the following Kafka ${what} value in the provided offsets: '${shown}'. ${title} values for sink connectors need to be integers.`,
  )
}

const text = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value))
