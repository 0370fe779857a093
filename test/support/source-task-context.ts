import type { SourceOffset } from '../../connector/api/records.ts'
import type { SourceTaskContext } from '../../connector/api/source-task.ts'
import type { Props, TaskHealth } from '../../connector/api/task-context.ts'
import { FakeClock } from './fake-clock.ts'

/** A source task's context that remembers what the task reported, counted and logged. */
export class FakeSourceTaskContext implements SourceTaskContext {
  readonly connector = 'mta'
  readonly task = 0
  readonly clock: FakeClock
  readonly health: (TaskHealth | null)[] = []
  readonly logged: string[] = []
  /** `name{label=value,…}` → value. */
  readonly counts = new Map<string, number>()
  /** By feed. */
  readonly stored = new Map<string, SourceOffset>()
  readonly #props: Props

  constructor(props: Props = {}, clock = new FakeClock()) {
    this.#props = props
    this.clock = clock
  }

  configs(): Props {
    return this.#props
  }

  readonly random = (): number => 0.5

  readonly offsetStorageReader: SourceTaskContext['offsetStorageReader'] = {
    offsets: (partitions) =>
      Promise.resolve(partitions.map(({ feed }) => this.stored.get(String(feed)))),
  }

  readonly log: SourceTaskContext['log'] = {
    trace: (fields, message) => this.#log('trace', fields, message),
    debug: (fields, message) => this.#log('debug', fields, message),
    info: (fields, message) => this.#log('info', fields, message),
    warn: (fields, message) => this.#log('warn', fields, message),
    error: (fields, message) => this.#log('error', fields, message),
  }

  readonly metrics: SourceTaskContext['metrics'] = {
    counter: (name) => ({
      inc: (by = 1, labels = {}) => {
        const key = label(name, labels)
        this.counts.set(key, (this.counts.get(key) ?? 0) + by)
      },
    }),
    gauge: (name) => ({
      set: (value, labels = {}) => void this.counts.set(label(name, labels), value),
      remove: (labels) => void this.counts.delete(label(name, labels)),
    }),
    histogram: () => ({ observe: () => undefined }),
  }

  reportHealth(health: TaskHealth | null): void {
    this.health.push(health)
  }

  #log(level: string, fields: object, message: string): void {
    this.logged.push(`${level} ${message} ${JSON.stringify(fields)}`)
  }
}

const label = (name: string, labels: Readonly<Record<string, string>>): string =>
  `${name}{${Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(',')}}`
