import {
  type TopicPartition,
  type TopicPartitionOffset,
  topicPartitionKey,
} from '../api/topic-partition.ts'

/** Where a sink task stands in a partition. Offsets are those of the next record. */
export interface SinkPartition {
  readonly tp: TopicPartition
  /** After the last record that was consumed and converted. */
  read: number | undefined
  /** After the last record that `put` took. */
  put: number | undefined
  /** As committed to Kafka last. */
  committed: number | undefined
  isOpen: boolean
  /** Paused by the task itself. */
  isPaused: boolean
}

/** The partitions of a sink task. */
export class SinkPartitions {
  readonly #partitions = new Map<string, SinkPartition>()
  /** What was asked for last: records of one partition come in runs. */
  #last: SinkPartition | undefined

  get size(): number {
    return this.#partitions.size
  }

  get all(): SinkPartition[] {
    return [...this.#partitions.values()]
  }

  get(tp: TopicPartition): SinkPartition | undefined {
    const last = this.#last
    if (last !== undefined && last.tp.partition === tp.partition && last.tp.topic === tp.topic) {
      return last
    }
    this.#last = this.#partitions.get(topicPartitionKey(tp))
    return this.#last
  }

  add(tp: TopicPartition, position: number | undefined): SinkPartition {
    const partition: SinkPartition = {
      tp: { topic: tp.topic, partition: tp.partition },
      read: position,
      put: position,
      committed: position,
      isOpen: false,
      isPaused: false,
    }
    this.#partitions.set(topicPartitionKey(tp), partition)
    this.#last = partition
    return partition
  }

  remove(tp: TopicPartition): void {
    this.#partitions.delete(topicPartitionKey(tp))
    this.#last = undefined
  }

  /** Records consumed and not yet committed. */
  get active(): number {
    let count = 0
    for (const { read, committed } of this.#partitions.values()) {
      if (read !== undefined && committed !== undefined) count += Math.max(0, read - committed)
    }
    return count
  }

  /** What `put` took so far, of the open ones among `tps`. */
  putOffsets(tps: readonly TopicPartition[]): TopicPartitionOffset[] {
    return tps.flatMap((tp) => {
      const partition = this.get(tp)
      return partition?.isOpen === true && partition.put !== undefined
        ? [{ ...partition.tp, offset: partition.put }]
        : []
    })
  }

  /**
   * Of what a task wants committed, what may be: assigned, among those asked about, not beyond what was put,
   * not committed already.
   */
  committable(
    wanted: readonly TopicPartitionOffset[],
    asked: readonly TopicPartitionOffset[],
  ): { readonly commit: TopicPartitionOffset[]; readonly refused: TopicPartitionOffset[] } {
    const limits = new Map(asked.map((tpo) => [topicPartitionKey(tpo), tpo.offset]))
    const commit: TopicPartitionOffset[] = []
    const refused: TopicPartitionOffset[] = []
    for (const tpo of wanted) {
      const limit = limits.get(topicPartitionKey(tpo))
      const partition = this.get(tpo)
      if (limit === undefined || partition === undefined || tpo.offset > limit) refused.push(tpo)
      else if (tpo.offset !== partition.committed) commit.push(tpo)
    }
    return { commit, refused }
  }
}
