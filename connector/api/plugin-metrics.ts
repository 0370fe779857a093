/**
 * Metrics of a plugin (KIP-877). The worker publishes them at `/metrics` with the labels `connector` and
 * `task` added, and takes them away when the task stops. Names are snake_case, with the unit last
 * (`_total`, `_ms`, `_bytes`, `_records`); label values must come from a bounded set.
 */
export interface PluginMetrics {
  counter(name: string, help: string, labels?: readonly string[]): PluginCounter
  gauge(name: string, help: string, labels?: readonly string[]): PluginGauge
  /** `buckets`: upper bounds, ascending. */
  histogram(
    name: string,
    help: string,
    buckets: readonly number[],
    labels?: readonly string[],
  ): PluginHistogram
}

type Labels = Readonly<Record<string, string>>

export interface PluginCounter {
  inc(by?: number, labels?: Labels): void
}
export interface PluginGauge {
  set(value: number, labels?: Labels): void
  remove(labels: Labels): void
}
export interface PluginHistogram {
  observe(value: number, labels?: Labels): void
}

/** The worker's log with the connector's context on every line. Messages are sentences; values are fields. */
export interface PluginLogger {
  trace(fields: object, message: string): void
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}
