// What a worker does for one sink task, on topics in memory: assigns, fetches from where the task wants, pauses, puts and
// commits. It has no loop of its own: tests call `step`.
import type { Clock } from '../../connector/api/clock.ts'
import { NotFoundError } from '../../connector/api/errors.ts'
import type { SinkRecord } from '../../connector/api/records.ts'
import type {
  ErrantRecordReporter,
  LogBounds,
  SinkTask,
  SinkTaskContext,
} from '../../connector/api/sink-task.ts'
import type { Props, TaskHealth } from '../../connector/api/task-context.ts'
import {
  type TopicDescription,
  type TopicPartition,
  topicPartitionKey,
} from '../../connector/api/topic-partition.ts'

export interface FakeLog {
  beginning: number
  end: number
  readonly records: SinkRecord[]
}

/** Topics in memory, with the group's committed offsets; survives the tasks that read it. */
export class FakeTopics {
  readonly logs = new Map<string, FakeLog>()
  readonly topicIds = new Map<string, string>()
  readonly committed = new Map<string, number>()

  create(topic: string, topicId: string, partitions: number): void {
    this.topicIds.set(topic, topicId)
    for (let partition = 0; partition < partitions; partition++) {
      this.logs.set(topicPartitionKey({ topic, partition }), { beginning: 0, end: 0, records: [] })
    }
  }

  /** Appends a record; `gap` offsets before it are left out, as compaction and transactions do. */
  append(tp: TopicPartition, make: (offset: number) => Partial<SinkRecord>, gap = 0): SinkRecord {
    const log = this.log(tp)
    const offset = log.end + gap
    const record: SinkRecord = {
      topic: tp.topic,
      kafkaPartition: tp.partition,
      kafkaOffset: offset,
      originalTopic: tp.topic,
      originalKafkaPartition: tp.partition,
      originalKafkaOffset: offset,
      key: null,
      keySchema: null,
      value: null,
      valueSchema: null,
      timestamp: 1_700_000_000_000 + offset,
      timestampType: 'CreateTime',
      headers: [],
      encodedValue: undefined,
      ...make(offset),
    }
    log.records.push(record)
    log.end = offset + 1
    return record
  }

  log(tp: TopicPartition): FakeLog {
    const log = this.logs.get(topicPartitionKey(tp))
    if (log === undefined) throw new NotFoundError(`${topicPartitionKey(tp)} does not exist`)
    return log
  }
}

export class FakeSinkWorker implements SinkTaskContext {
  readonly connector: string
  readonly task = 0
  readonly clock: Clock
  readonly random: () => number
  readonly counts = new Map<string, number>()
  readonly gauges = new Map<string, number>()
  readonly logged: string[] = []
  readonly paused = new Set<string>()
  readonly #topics: FakeTopics
  readonly #task: SinkTask
  readonly #props: Props
  #assigned: readonly TopicPartition[] = []
  readonly #positions = new Map<string, number>()
  readonly #seeks = new Map<string, number>()
  readonly #stop = new AbortController()
  health: TaskHealth | null = null
  reporter: ErrantRecordReporter | undefined

  constructor(options: {
    readonly task: SinkTask
    readonly topics: FakeTopics
    readonly props: Props
    readonly clock: Clock
    readonly random?: () => number
    readonly connector?: string
    /** Instead of `counts` and `gauges`. */
    readonly metrics?: SinkTaskContext['metrics'] | undefined
  }) {
    this.#task = options.task
    this.#topics = options.topics
    this.#props = options.props
    this.clock = options.clock
    this.random = options.random ?? (() => 0.5)
    this.connector = options.connector ?? 'sink'
    this.metrics = options.metrics ?? this.#counting
  }

  async start(partitions: readonly TopicPartition[]): Promise<void> {
    this.#task.initialize(this)
    await this.#task.start(this.#props)
    await this.assign(partitions)
  }

  async assign(partitions: readonly TopicPartition[]): Promise<void> {
    this.#assigned = [...this.#assigned, ...partitions]
    for (const tp of partitions) {
      const key = topicPartitionKey(tp)
      this.#positions.set(key, this.#topics.committed.get(key) ?? this.#topics.log(tp).beginning)
      this.#seeks.delete(key)
      this.paused.delete(key)
    }
    await this.#task.open(partitions, this.#stop.signal)
  }

  async revoke(partitions: readonly TopicPartition[]): Promise<void> {
    await this.commit()
    await this.#task.close(partitions)
    const gone = new Set(partitions.map(topicPartitionKey))
    this.#assigned = this.#assigned.filter((tp) => !gone.has(topicPartitionKey(tp)))
  }

  /** One turn of the worker's loop. */
  async step(max = 500): Promise<void> {
    for (const [key, offset] of this.#seeks) this.#positions.set(key, offset)
    this.#seeks.clear()
    const records: SinkRecord[] = []
    for (const tp of this.#assigned) {
      const key = topicPartitionKey(tp)
      if (this.paused.has(key)) continue
      const position = this.#positions.get(key) ?? 0
      const log = this.#topics.log(tp)
      const found = log.records.filter((r) => r.kafkaOffset >= position).slice(0, max)
      records.push(...found)
      const last = found.at(-1)
      if (last !== undefined) this.#positions.set(key, last.kafkaOffset + 1)
    }
    await this.#task.put(records, this.#stop.signal)
  }

  async commit(): Promise<void> {
    const current = this.#assigned.map((tp) => ({
      ...tp,
      offset: this.#positions.get(topicPartitionKey(tp)) ?? 0,
    }))
    for (const { topic, partition, offset } of await this.#task.preCommit(current)) {
      this.#topics.committed.set(topicPartitionKey({ topic, partition }), offset)
    }
  }

  /** Reads again from what is committed, as after a failed commit; the task is not told. */
  rewind(): void {
    for (const tp of this.#assigned) {
      const key = topicPartitionKey(tp)
      this.#positions.set(key, this.#topics.committed.get(key) ?? this.#topics.log(tp).beginning)
    }
  }

  /** In the worker's order: partitions are given back before the task is stopped. */
  async stop(): Promise<void> {
    this.#stop.abort()
    await this.revoke(this.#assigned)
    await this.#task.stop()
  }

  configs(): Props {
    return this.#props
  }
  offset(tp: TopicPartition, offset: number): void {
    this.#seeks.set(topicPartitionKey(tp), offset)
  }
  timeout(): void {}
  assignment(): readonly TopicPartition[] {
    return this.#assigned
  }
  pause(...tps: readonly TopicPartition[]): void {
    for (const tp of tps) this.paused.add(topicPartitionKey(tp))
  }
  resume(...tps: readonly TopicPartition[]): void {
    for (const tp of tps) this.paused.delete(topicPartitionKey(tp))
  }
  requestCommit(): void {}
  errantRecordReporter(): ErrantRecordReporter | undefined {
    return this.reporter
  }
  describeTopic(topic: string): Promise<TopicDescription> {
    const topicId = this.#topics.topicIds.get(topic)
    return Promise.resolve({ topic, topicId, partitions: 1 })
  }
  logBounds(tp: TopicPartition): Promise<LogBounds> {
    const { beginning, end } = this.#topics.log(tp)
    return Promise.resolve({ beginning, end })
  }
  committedOffset(tp: TopicPartition): Promise<number | undefined> {
    return Promise.resolve(this.#topics.committed.get(topicPartitionKey(tp)))
  }
  reportHealth(health: TaskHealth | null): void {
    this.health = health
  }

  readonly log: SinkTaskContext['log'] = {
    trace: () => {},
    debug: () => {},
    info: (_fields, message) => void this.logged.push(`info ${message}`),
    warn: (_fields, message) => void this.logged.push(`warn ${message}`),
    error: (_fields, message) => void this.logged.push(`error ${message}`),
  }

  readonly metrics: SinkTaskContext['metrics']
  readonly #counting: SinkTaskContext['metrics'] = {
    counter: (name) => ({
      inc: (by = 1, labels = {}) => {
        const key = [name, ...Object.values(labels)].join(' ')
        this.counts.set(key, (this.counts.get(key) ?? 0) + by)
      },
    }),
    gauge: (name) => ({
      set: (value, labels = {}) =>
        void this.gauges.set([name, ...Object.values(labels)].join(' '), value),
      remove: (labels) => void this.gauges.delete([name, ...Object.values(labels)].join(' ')),
    }),
    histogram: () => ({ observe: () => {} }),
  }
}
