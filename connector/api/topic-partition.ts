export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

/** A map key for a topic-partition; unique, since a topic's name holds no slash. */
export const topicPartitionKey = (tp: TopicPartition): string => `${tp.topic}/${tp.partition}`

/** An offset to commit: the offset of the next record to read. */
export interface TopicPartitionOffset extends TopicPartition {
  /** Kafka offsets stay far below 2^53 and so are numbers. */
  readonly offset: number
  readonly metadata?: string
}

/** What a cluster says about a topic. */
export interface TopicDescription {
  readonly topic: string
  /** Kafka's topic id (KIP-516), base64 as Kafka's tools print it; another one after a delete and re-create. Undefined when the broker does not tell. */
  readonly topicId: string | undefined
  readonly partitions: number
}
