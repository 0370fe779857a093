import type { SinkRecord } from './records.ts'
import type { Awaitable, Props, TaskContext } from './task-context.ts'
import type { TopicDescription, TopicPartition, TopicPartitionOffset } from './topic-partition.ts'

export interface ErrantRecordReporter {
  /** Resolves once the report is durable. Rejects when `errors.tolerance` is `none`. */
  report(record: SinkRecord, error: Error): Promise<void>
}

/** First and next offset of a partition's log. */
export interface LogBounds {
  readonly beginning: number
  readonly end: number
}

export interface SinkTaskContext extends TaskContext {
  /**
   * Sets where the worker reads a partition next; applied before the next records are fetched. The only
   * way to seek: what was buffered for the partition is dropped.
   */
  offset(tp: TopicPartition, offset: number): void
  /** How long to wait before `put` is tried again after a `RetriableError`. Holds once. */
  timeout(ms: number): void
  assignment(): readonly TopicPartition[]
  /** @throws IllegalWorkerStateError for a partition that is not assigned. */
  pause(...tps: readonly TopicPartition[]): void
  resume(...tps: readonly TopicPartition[]): void
  /** Asks for `preCommit` before the next `put`. */
  requestCommit(): void
  /** Undefined when neither a dead-letter queue nor error logging is configured. */
  errantRecordReporter(): ErrantRecordReporter | undefined
  /** Asks the cluster. @throws RetriableError when it does not answer, NotFoundError for an unknown topic. */
  describeTopic(topic: string, signal: AbortSignal): Promise<TopicDescription>
  /** Asks the cluster. @throws RetriableError when it does not answer. */
  logBounds(tp: TopicPartition, signal: AbortSignal): Promise<LogBounds>
  /** The group's position, by the cluster; undefined: none. @throws RetriableError when it does not answer. */
  committedOffset?(tp: TopicPartition, signal: AbortSignal): Promise<number | undefined>
}

/**
 * Writes records somewhere. Life: `initialize`, `start`, then for each assignment `open(partitions)`,
 * again and again `put(records)` and now and then `preCommit(offsets)`, `close(partitions)` when
 * partitions leave, and `stop` once. One callback at a time, but for `stop`, which may come while another
 * one is pending, whose signal is aborted then.
 *
 * A task starts no timer: the worker calls `put([])` at least every `linger.ms` it was told by
 * `lingerMs()` (default 100 ms), also while it is paused, so that time-based flushes need none.
 *
 * @throws RetriableError from `put`: the worker pauses all partitions and puts the same records again
 * after `context.timeout`. Any other error fails the task.
 */
export abstract class SinkTask {
  protected context!: SinkTaskContext

  abstract version(): string
  initialize(context: SinkTaskContext): void {
    this.context = context
  }
  abstract start(props: Props): Awaitable<void>
  abstract put(records: readonly SinkRecord[], signal: AbortSignal): Awaitable<void>
  /** At most this many milliseconds pass between two calls of `put`. */
  lingerMs(): number {
    return 100
  }
  flush(_current: readonly TopicPartitionOffset[]): Awaitable<void> {}
  /**
   * What may be committed to Kafka now: at most `current`, the offsets after the last records put.
   * Partitions left out are not committed.
   */
  async preCommit(
    current: readonly TopicPartitionOffset[],
  ): Promise<readonly TopicPartitionOffset[]> {
    await this.flush(current)
    return current
  }
  open(_partitions: readonly TopicPartition[], _signal: AbortSignal): Awaitable<void> {}
  close(_partitions: readonly TopicPartition[]): Awaitable<void> {}
  abstract stop(): Awaitable<void>
}
