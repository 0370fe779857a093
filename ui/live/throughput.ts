import type { ConnectorMetrics } from './messages.ts'

interface Sample {
  readonly atMs: number
  readonly total: number
}

const SOURCE = 'kafka_connect_source_task_source_record_write_total'
const SINK = 'kafka_connect_sink_task_sink_record_send_total'
const LAG = 'kafka_consumer_fetch_manager_records_lag'

/** Turns two readings of the worker's metrics into records per second, per connector. */
export class Throughput {
  #before = new Map<string, Sample>()

  /** `metrics`: the text of `/metrics`. */
  sample(metrics: string, nowMs: number): readonly ConnectorMetrics[] {
    const totals = new Map<string, number>()
    const lags = new Map<string, number>()
    for (const line of metrics.split('\n')) {
      const [, name = '', labels = '', value = ''] = /^(\w+)\{([^}]*)\} (\S+)/.exec(line) ?? []
      if (name === SOURCE || name === SINK) add(totals, label(labels, 'connector'), Number(value))
      else if (name === LAG) add(lags, consumerOf(labels), Number(value))
    }
    const after = new Map<string, Sample>()
    const connectors: ConnectorMetrics[] = []
    for (const [name, total] of totals) {
      const before = this.#before.get(name)
      after.set(name, { atMs: nowMs, total })
      const seconds = before === undefined ? 0 : (nowMs - before.atMs) / 1000
      // A restarted task counts from zero again.
      const records = before === undefined ? 0 : Math.max(0, total - before.total)
      connectors.push({
        name,
        recordsTotal: total,
        recordsPerSecond: seconds > 0 ? records / seconds : 0,
        lag: lags.get(name) ?? null,
      })
    }
    this.#before = after
    return connectors
  }
}

function add(sums: Map<string, number>, key: string | undefined, value: number): void {
  if (key !== undefined && Number.isFinite(value)) sums.set(key, (sums.get(key) ?? 0) + value)
}

const label = (labels: string, name: string): string | undefined =>
  new RegExp(`(?:^|,)${name}="((?:[^"\\\\]|\\\\.)*)"`).exec(labels)?.[1]

/** `connector-consumer-NAME-TASK` → NAME. */
function consumerOf(labels: string): string | undefined {
  const client =
    label(labels, 'clientid') ?? label(labels, 'client_id') ?? label(labels, 'clientId')
  return /^connector-consumer-(.+)-\d+$/.exec(client ?? '')?.[1]
}
