import type { Clock, Random } from '../api/clock.ts'
import { IllegalWorkerStateError, NotFoundError } from '../api/errors.ts'
import type { PluginLogger, PluginMetrics } from '../api/plugin-metrics.ts'
import type { ErrantRecordReporter, LogBounds, SinkTaskContext } from '../api/sink-task.ts'
import type { Props, TaskHealth } from '../api/task-context.ts'
import type {
  TopicDescription,
  TopicPartition,
  TopicPartitionOffset,
} from '../api/topic-partition.ts'
import { topicPartitionKey } from '../api/topic-partition.ts'
import type { Admin, Consumer } from '../kafka/client.ts'
import { untilAborted } from './limits.ts'
import type { SinkPartitions } from './sink-partitions.ts'

const ADMIN_TIMEOUT_MS = 10_000

export interface SinkContextParts {
  readonly connector: string
  readonly task: number
  readonly props: Props
  readonly clock: Clock
  readonly random: Random
  readonly log: PluginLogger
  readonly metrics: PluginMetrics
  readonly partitions: SinkPartitions
  readonly consumer: Consumer
  readonly admin: () => Promise<Admin>
  readonly reporter: ErrantRecordReporter | undefined
  readonly onHealth: (health: TaskHealth | null) => void
  /** Resumes those that nothing else holds. */
  readonly onResume: (tps: readonly TopicPartition[]) => void
}

/** What a sink task is given, and what it asked for until the worker takes it. */
export class WorkerSinkTaskContext implements SinkTaskContext {
  readonly connector: string
  readonly task: number
  readonly clock: Clock
  readonly random: Random
  readonly log: PluginLogger
  readonly metrics: PluginMetrics
  readonly #parts: SinkContextParts
  #seeks = new Map<string, TopicPartitionOffset>()
  #timeoutMs: number | undefined
  #isCommitRequested = false

  constructor(parts: SinkContextParts) {
    this.#parts = parts
    this.connector = parts.connector
    this.task = parts.task
    this.clock = parts.clock
    this.random = parts.random
    this.log = parts.log
    this.metrics = parts.metrics
  }

  configs(): Props {
    return this.#parts.props
  }

  reportHealth(health: TaskHealth | null): void {
    this.#parts.onHealth(health)
  }

  offset(tp: TopicPartition, offset: number): void {
    const position = { topic: tp.topic, partition: tp.partition, offset }
    this.#seeks.set(topicPartitionKey(tp), position)
  }

  timeout(ms: number): void {
    this.#timeoutMs = ms
  }

  assignment(): readonly TopicPartition[] {
    return this.#parts.partitions.all.map(({ tp }) => tp)
  }

  pause(...tps: readonly TopicPartition[]): void {
    this.#setPaused(tps, true)
    this.#parts.consumer.pause(tps)
  }

  resume(...tps: readonly TopicPartition[]): void {
    this.#setPaused(tps, false)
    this.#parts.onResume(tps)
  }

  requestCommit(): void {
    this.#isCommitRequested = true
  }

  errantRecordReporter(): ErrantRecordReporter | undefined {
    return this.#parts.reporter
  }

  async describeTopic(topic: string, signal: AbortSignal): Promise<TopicDescription> {
    const admin = await untilAborted(this.#parts.admin(), signal)
    const description = await untilAborted(admin.describeTopic(topic, ADMIN_TIMEOUT_MS), signal)
    if (description === undefined) throw new NotFoundError(`Topic ${topic} does not exist.`)
    return description
  }

  logBounds(tp: TopicPartition, signal: AbortSignal): Promise<LogBounds> {
    return untilAborted(this.#parts.consumer.logBounds(tp, ADMIN_TIMEOUT_MS), signal)
  }

  async committedOffset(tp: TopicPartition, signal: AbortSignal): Promise<number | undefined> {
    const asked = this.#parts.consumer.committed([tp], ADMIN_TIMEOUT_MS)
    const [offset] = await untilAborted(asked, signal)
    return offset
  }

  get hasSeeks(): boolean {
    return this.#seeks.size > 0
  }

  takeSeeks(): TopicPartitionOffset[] {
    const seeks = [...this.#seeks.values()]
    this.#seeks = new Map()
    return seeks
  }

  /** Forgets seeks of partitions that are gone. */
  forget(tps: readonly TopicPartition[]): void {
    for (const tp of tps) this.#seeks.delete(topicPartitionKey(tp))
  }

  takeTimeoutMs(): number | undefined {
    const ms = this.#timeoutMs
    this.#timeoutMs = undefined
    return ms
  }

  get isCommitRequested(): boolean {
    return this.#isCommitRequested
  }

  commitTaken(): void {
    this.#isCommitRequested = false
  }

  #setPaused(tps: readonly TopicPartition[], isPaused: boolean): void {
    const partitions = tps.map((tp) => {
      const partition = this.#parts.partitions.get(tp)
      if (partition === undefined) {
        throw new IllegalWorkerStateError(
          'SinkTasks may not pause partitions that are not currently assigned to them.',
        )
      }
      return partition
    })
    for (const partition of partitions) partition.isPaused = isPaused
  }
}
