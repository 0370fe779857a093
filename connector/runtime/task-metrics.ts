import { Counter, Gauge, type Registry } from 'prom-client'
import type { Clock } from '../api/clock.ts'

export interface TaskLabels {
  readonly connector: string
  readonly task: string
}
const LABELS = ['connector', 'task'] as const
const WINDOW_MS = 30_000

/** Longest and mean of what was observed in the last 30 to 60 seconds; NaN when nothing was. */
export class RecentTimes {
  readonly #clock: Clock
  #sinceMs: number
  #current = { count: 0, sum: 0, max: 0 }
  #previous = { count: 0, sum: 0, max: 0 }

  constructor(clock: Clock) {
    this.#clock = clock
    this.#sinceMs = clock.now()
  }

  observe(value: number): void {
    this.#roll()
    this.#current.count++
    this.#current.sum += value
    this.#current.max = Math.max(this.#current.max, value)
  }

  get max(): number {
    this.#roll()
    return this.#count() === 0 ? Number.NaN : Math.max(this.#current.max, this.#previous.max)
  }

  get mean(): number {
    this.#roll()
    return (this.#current.sum + this.#previous.sum) / this.#count()
  }

  #count(): number {
    return this.#current.count + this.#previous.count
  }

  #roll(): void {
    const elapsedMs = this.#clock.now() - this.#sinceMs
    if (elapsedMs < WINDOW_MS) return
    const empty = { count: 0, sum: 0, max: 0 }
    this.#previous = elapsedMs < 2 * WINDOW_MS ? this.#current : empty
    this.#current = { ...empty }
    this.#sinceMs = this.#clock.now()
  }
}

type Reader = () => number

/** Metric families that every task has a series in; a series lives as long as its task. */
export class TaskMetricFamilies {
  readonly #registry: Registry
  readonly #counters = new Map<string, Counter<'connector' | 'task'>>()
  readonly #gauges = new Map<string, { readonly readers: Map<string, [TaskLabels, Reader]> }>()

  constructor(registry: Registry) {
    this.#registry = registry
  }

  /** A total of the task, from zero. */
  counter(name: string, help: string, labels: TaskLabels): (by: number) => void {
    let family = this.#counters.get(name)
    if (family === undefined) {
      family = new Counter({ name, help, labelNames: LABELS, registers: [this.#registry] })
      this.#counters.set(name, family)
    }
    const series = family.labels(labels.connector, labels.task)
    series.inc(0)
    return (by) => series.inc(by)
  }

  /** A value of the task that is read when somebody asks for the metrics; NaN is left out. */
  gauge(name: string, help: string, labels: TaskLabels, read: Reader): void {
    let family = this.#gauges.get(name)
    if (family === undefined) {
      const readers = new Map<string, [TaskLabels, Reader]>()
      family = { readers }
      this.#gauges.set(name, family)
      const gauge = new Gauge({
        name,
        help,
        labelNames: LABELS,
        registers: [this.#registry],
        collect: () => {
          gauge.reset()
          for (const [owner, value] of readers.values()) {
            const number = value()
            if (!Number.isNaN(number)) gauge.set({ ...owner }, number)
          }
        },
      })
    }
    family.readers.set(`${labels.connector}/${labels.task}`, [labels, read])
  }

  /** Takes away every series of a task. */
  remove(labels: TaskLabels): void {
    for (const family of this.#counters.values()) family.remove(labels.connector, labels.task)
    for (const family of this.#gauges.values()) {
      family.readers.delete(`${labels.connector}/${labels.task}`)
    }
  }
}

/** Everything that is counted about offset commits of a task, and about errors in it. */
export class TaskMetrics {
  readonly clock: Clock
  readonly #commitTimes: RecentTimes
  readonly #batchSizes: RecentTimes
  #commits = 0
  #failedCommits = 0
  #lastErrorMs = 0
  readonly recordFailures: (by: number) => void
  readonly recordErrors: (by: number) => void
  readonly recordsSkipped: (by: number) => void
  readonly retries: (by: number) => void
  readonly errorsLogged: (by: number) => void
  readonly queueRequests: (by: number) => void
  readonly queueFailures: (by: number) => void

  constructor(families: TaskMetricFamilies, labels: TaskLabels, clock: Clock) {
    this.clock = clock
    this.#commitTimes = new RecentTimes(clock)
    this.#batchSizes = new RecentTimes(clock)
    const task = 'kafka_connect_connector_task_'
    const gauge = (name: string, help: string, read: Reader): void =>
      families.gauge(task + name, help, labels, read)
    gauge('offset_commit_max_time_ms', 'Longest offset commit lately.', () => this.#commitTimes.max)
    gauge('offset_commit_avg_time_ms', 'Mean time of offset commits.', () => this.#commitTimes.mean)
    gauge('batch_size_max', 'Most records in one batch lately.', () => this.#batchSizes.max)
    gauge('batch_size_avg', 'Mean number of records in a batch.', () => this.#batchSizes.mean)
    gauge('offset_commit_failure_percentage', 'Failed offset commits, 0 to 1.', () =>
      this.#commits === 0 ? 0 : this.#failedCommits / this.#commits,
    )
    gauge('offset_commit_success_percentage', 'Successful offset commits, 0 to 1.', () =>
      this.#commits === 0 ? 0 : 1 - this.#failedCommits / this.#commits,
    )
    const error = (name: string, help: string): ((by: number) => void) =>
      families.counter(`kafka_connect_task_error_${name}`, help, labels)
    this.recordFailures = error('total_record_failures', 'Record processing failures.')
    this.recordErrors = error('total_record_errors', 'Record processing errors.')
    this.recordsSkipped = error('total_records_skipped', 'Records skipped because of errors.')
    this.retries = error('total_retries', 'Operations retried.')
    this.errorsLogged = error('total_errors_logged', 'Errors that were logged.')
    this.queueRequests = error(
      'deadletterqueue_produce_requests',
      'Writes to the dead-letter queue.',
    )
    this.queueFailures = error('deadletterqueue_produce_failures', 'Writes to it that failed.')
    families.gauge(
      'kafka_connect_task_error_last_error_timestamp',
      'When the last error came, milliseconds since 1970; 0: never.',
      labels,
      () => this.#lastErrorMs,
    )
  }

  /** The task was given, or gave, so many records at once. */
  batch(count: number): void {
    if (count > 0) this.#batchSizes.observe(count)
  }

  errorSeen(): void {
    this.#lastErrorMs = this.clock.now()
  }

  committed(tookMs: number, isSuccess: boolean): void {
    this.#commits++
    if (!isSuccess) this.#failedCommits++
    this.#commitTimes.observe(tookMs)
  }
}

/** What is counted about a source task. */
export class SourceTaskMetrics extends TaskMetrics {
  readonly #polled: (by: number) => void
  readonly written: (by: number) => void
  readonly #times: RecentTimes

  constructor(
    families: TaskMetricFamilies,
    labels: TaskLabels,
    options: { readonly clock: Clock; readonly active: Reader },
  ) {
    super(families, labels, options.clock)
    const prefix = 'kafka_connect_source_task_'
    this.#times = new RecentTimes(options.clock)
    this.#polled = families.counter(
      `${prefix}source_record_poll_total`,
      'Records polled, before transforms.',
      labels,
    )
    this.written = families.counter(
      `${prefix}source_record_write_total`,
      'Records acknowledged by Kafka.',
      labels,
    )
    families.gauge(
      `${prefix}source_record_active_count`,
      'Records polled and not yet acknowledged.',
      labels,
      options.active,
    )
    families.gauge(
      `${prefix}poll_batch_max_time_ms`,
      'Longest poll lately.',
      labels,
      () => this.#times.max,
    )
    families.gauge(
      `${prefix}poll_batch_avg_time_ms`,
      'Mean time of polls.',
      labels,
      () => this.#times.mean,
    )
  }

  polled(count: number, tookMs: number): void {
    this.#polled(count)
    this.batch(count)
    this.#times.observe(tookMs)
  }
}

/** What is counted about a sink task. */
export class SinkTaskMetrics extends TaskMetrics {
  readonly read: (by: number) => void
  readonly #sent: (by: number) => void
  readonly #times: RecentTimes
  readonly commitCompleted: (by: number) => void
  readonly commitSkipped: (by: number) => void

  constructor(
    families: TaskMetricFamilies,
    labels: TaskLabels,
    options: {
      readonly clock: Clock
      readonly active: Reader
      readonly partitions: Reader
      readonly commitSequence: Reader
    },
  ) {
    super(families, labels, options.clock)
    const prefix = 'kafka_connect_sink_task_'
    this.#times = new RecentTimes(options.clock)
    const counter = (name: string, help: string): ((by: number) => void) =>
      families.counter(prefix + name, help, labels)
    const gauge = (name: string, help: string, read: Reader): void =>
      families.gauge(prefix + name, help, labels, read)
    this.read = counter('sink_record_read_total', 'Records consumed, before transforms.')
    this.#sent = counter('sink_record_send_total', 'Records put to the task.')
    this.commitCompleted = counter('offset_commit_completion_total', 'Offset commits completed.')
    this.commitSkipped = counter('offset_commit_skip_total', 'Offset commits answered too late.')
    gauge('sink_record_active_count', 'Records read and not yet committed.', options.active)
    gauge('partition_count', 'Partitions assigned to the task.', options.partitions)
    gauge('offset_commit_seq_no', 'Number of the last offset commit.', options.commitSequence)
    gauge('put_batch_max_time_ms', 'Longest put lately.', () => this.#times.max)
    gauge('put_batch_avg_time_ms', 'Mean time of puts.', () => this.#times.mean)
  }

  put(count: number, tookMs: number): void {
    this.#sent(count)
    this.batch(count)
    if (count > 0) this.#times.observe(tookMs)
  }
}
