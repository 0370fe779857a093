import type { Clock } from '../api/clock.ts'
import type { PluginLogger } from '../api/plugin-metrics.ts'
import type { TopicPartitionOffset } from '../api/topic-partition.ts'
import type { Consumer } from '../kafka/client.ts'
import { withLimit } from './limits.ts'
import type { SinkPartitions } from './sink-partitions.ts'
import type { SinkTaskMetrics } from './task-metrics.ts'

export interface OffsetCommitsOptions {
  readonly consumer: Consumer
  readonly partitions: SinkPartitions
  readonly metrics: SinkTaskMetrics
  readonly clock: Clock
  readonly log: PluginLogger
  readonly offsetFlushTimeoutMs: number
}

/** Commits of a sink task's offsets. They go on beside the loop; an answer that comes after the next commit began does not count. */
export class OffsetCommits {
  readonly #options: OffsetCommitsOptions
  #sequence = 0
  #pending = 0

  constructor(options: OffsetCommitsOptions) {
    this.#options = options
  }

  /** Number of the last commit. */
  get sequence(): number {
    return this.#sequence
  }

  get isBusy(): boolean {
    return this.#pending > 0
  }

  /** `isAwaited`: the caller waits for the answer and polls no more. Never rejects: a failure is logged and counted, and the next commit tries again. */
  async commit(
    offsets: readonly TopicPartitionOffset[],
    { startedMs, isAwaited }: { readonly startedMs: number; readonly isAwaited: boolean },
  ): Promise<void> {
    const { clock, consumer, log, metrics, offsetFlushTimeoutMs, partitions } = this.#options
    const sequence = ++this.#sequence
    this.#pending++
    try {
      await withLimit('Committing offsets', consumer.commit(offsets, { isAwaited }), {
        clock,
        limitMs: offsetFlushTimeoutMs,
      })
      if (sequence !== this.#sequence) {
        metrics.commitSkipped(1)
        return
      }
      for (const tpo of offsets) {
        const partition = partitions.get(tpo)
        if (partition !== undefined) partition.committed = tpo.offset
      }
      metrics.commitCompleted(1)
      metrics.committed(clock.now() - startedMs, true)
    } catch (error) {
      metrics.committed(clock.now() - startedMs, false)
      log.error({ err: error }, 'Offsets were not committed; the next commit tries again.')
    } finally {
      this.#pending--
    }
  }
}
