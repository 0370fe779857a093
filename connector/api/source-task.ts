import type { RecordMetadata, SourceOffset, SourcePartition, SourceRecord } from './records.ts'
import type { Awaitable, Props, TaskContext } from './task-context.ts'

export interface OffsetStorageReader {
  /** The stored offset of each partition that has one, in the order asked; undefined for the others. */
  offsets(partitions: readonly SourcePartition[]): Promise<readonly (SourceOffset | undefined)[]>
}

export interface SourceTaskContext extends TaskContext {
  readonly offsetStorageReader: OffsetStorageReader
}

/**
 * Reads from one or more source partitions. The worker calls `initialize` and `start` once, then `poll`
 * again and again, then `stop`; never two of them at the same time, but for `stop` and `commitRecord`,
 * which may come while a `poll` is pending.
 *
 * A task keeps no timer and no background loop of its own: everything happens inside `poll`, so that
 * pausing a task is nothing more than not calling it.
 */
export abstract class SourceTask {
  protected context!: SourceTaskContext

  abstract version(): string
  initialize(context: SourceTaskContext): void {
    this.context = context
  }
  abstract start(props: Props): Awaitable<void>
  /**
   * Resolves with new records, or with null or an empty array when there is nothing new. Waits inside for
   * the next poll interval, and gives up the wait when `signal` aborts.
   *
   * @throws RetriableError when the source may answer later. Any other error fails the task.
   */
  abstract poll(signal: AbortSignal): Awaitable<readonly SourceRecord[] | null>
  /** Called after offsets were stored. */
  commit(): Awaitable<void> {}
  /** Called after the record was acknowledged (`metadata`), or was dropped by a transform or skipped (null). */
  commitRecord(_record: SourceRecord, _metadata: RecordMetadata | null): Awaitable<void> {}
  /** Called once, also after a failed `start`. May come while `poll` is pending, whose signal is aborted then. */
  abstract stop(): Awaitable<void>
}
