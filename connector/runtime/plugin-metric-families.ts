import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import { ConnectError } from '../api/errors.ts'
import type {
  PluginCounter,
  PluginGauge,
  PluginHistogram,
  PluginLogger,
  PluginMetrics,
} from '../api/plugin-metrics.ts'

type Labels = Readonly<Record<string, string>>
type Family = Counter | Gauge | Histogram

const SERIES_MAX = 5_000

/** Metrics of one connector (task undefined) or task; `close` takes its series away. */
export interface OwnedPluginMetrics extends PluginMetrics {
  close(): void
}

/** The metric families that plugins asked for. Several tasks share a family; each has its own series in it. */
export class PluginMetricFamilies {
  readonly #registry: Registry
  readonly #families = new Map<string, { readonly kind: string; readonly family: Family }>()

  constructor(registry: Registry) {
    this.#registry = registry
  }

  /** What a connector or task is given as `context.metrics`. */
  of(
    owner: { readonly connector: string; readonly task?: number },
    log: PluginLogger,
  ): OwnedPluginMetrics {
    const labels = { connector: owner.connector, task: owner.task?.toString() ?? '' }
    return new OwnedMetrics(this, labels, log)
  }

  /** The family of that name, made when it is new. @throws ConnectError when it exists as something else. */
  family(name: string, kind: string, make: (registry: Registry) => Family): Family {
    const known = this.#families.get(name)
    if (known !== undefined) {
      if (known.kind === kind) return known.family
      throw new ConnectError(`Metric ${name} is a ${known.kind} already, not a ${kind}.`)
    }
    if (this.#registry.getSingleMetric(name) !== undefined) {
      throw new ConnectError(`Metric ${name} is one of the worker's own.`)
    }
    const family = make(this.#registry)
    this.#families.set(name, { kind, family })
    return family
  }
}

class OwnedMetrics implements OwnedPluginMetrics {
  readonly #families: PluginMetricFamilies
  readonly #owner: Labels
  readonly #log: PluginLogger
  readonly #series = new Map<string, () => void>()
  #isFull = false
  #isClosed = false

  constructor(families: PluginMetricFamilies, owner: Labels, log: PluginLogger) {
    this.#families = families
    this.#owner = owner
    this.#log = log
  }

  counter(name: string, help: string, labels: readonly string[] = []): PluginCounter {
    const labelNames = ['connector', 'task', ...labels]
    const family = this.#families.family(
      name,
      `counter(${labelNames.join()})`,
      (registry) => new Counter({ name, help, labelNames, registers: [registry] }),
    ) as Counter
    return {
      inc: (by = 1, values) => {
        const all = this.#claim(name, family, values)
        if (all !== undefined) family.inc(all, by)
      },
    }
  }

  gauge(name: string, help: string, labels: readonly string[] = []): PluginGauge {
    const labelNames = ['connector', 'task', ...labels]
    const family = this.#families.family(
      name,
      `gauge(${labelNames.join()})`,
      (registry) => new Gauge({ name, help, labelNames, registers: [registry] }),
    ) as Gauge
    return {
      set: (value, values) => {
        const all = this.#claim(name, family, values)
        if (all !== undefined) family.set(all, value)
      },
      remove: (values) => {
        this.#series.delete(seriesKey(name, values))
        family.remove({ ...values, ...this.#owner })
      },
    }
  }

  histogram(
    name: string,
    help: string,
    buckets: readonly number[],
    labels: readonly string[] = [],
  ): PluginHistogram {
    const labelNames = ['connector', 'task', ...labels]
    const family = this.#families.family(
      name,
      `histogram(${labelNames.join()})`,
      (registry) =>
        new Histogram({ name, help, buckets: [...buckets], labelNames, registers: [registry] }),
    ) as Histogram
    return {
      observe: (value, values) => {
        const all = this.#claim(name, family, values)
        if (all !== undefined) family.observe(all, value)
      },
    }
  }

  close(): void {
    this.#isClosed = true
    for (const remove of this.#series.values()) remove()
    this.#series.clear()
  }

  /** The labels of a series, or undefined when there are too many of them or the owner is gone. */
  #claim(name: string, family: Family, values: Labels = {}): Record<string, string> | undefined {
    if (this.#isClosed) return undefined
    const key = seriesKey(name, values)
    const all = { ...values, ...this.#owner }
    if (this.#series.has(key)) return all
    if (this.#series.size >= SERIES_MAX) {
      if (!this.#isFull) {
        this.#log.warn(
          { name, limit: SERIES_MAX },
          'Metrics have too many series; new ones are dropped.',
        )
      }
      this.#isFull = true
      return undefined
    }
    this.#series.set(key, () => family.remove(all))
    return all
  }
}

const seriesKey = (name: string, values: Labels | undefined): string =>
  values === undefined ? name : `${name} ${Object.values(values).join('\u0000')}`
