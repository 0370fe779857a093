import type { ConnectorMetrics } from './messages.ts'

const MINUTE_MS = 60_000
const MINUTES = 60

interface Series {
  atMs: number
  total: number
  /** Records of each of the last minutes, the newest last. */
  readonly minutes: { readonly minute: number; records: number }[]
}

const SOURCE = 'kafka_connect_source_task_source_record_write_total'
const SINK = 'kafka_connect_sink_task_sink_record_send_total'
const LAG = 'kafka_consumer_fetch_manager_records_lag'

/** Turns readings of the worker's metrics into records per second and per hour, per connector. */
export class Throughput {
  readonly #series = new Map<string, Series>()

  /** `metrics`: the text of `/metrics`. */
  sample(metrics: string, nowMs: number): readonly ConnectorMetrics[] {
    const totals = new Map<string, number>()
    const lags = new Map<string, number>()
    for (const line of metrics.split('\n')) {
      const [, name = '', labels = '', value = ''] = /^(\w+)\{([^}]*)\} (\S+)/.exec(line) ?? []
      if (name === SOURCE || name === SINK) add(totals, label(labels, 'connector'), Number(value))
      else if (name === LAG) add(lags, consumerOf(labels), Number(value))
    }
    for (const name of this.#series.keys()) if (!totals.has(name)) this.#series.delete(name)
    return Array.from(totals, ([name, total]) => ({
      name,
      recordsTotal: total,
      ...this.#advance(name, total, nowMs),
      lag: lags.get(name) ?? null,
    }))
  }

  #advance(
    name: string,
    total: number,
    nowMs: number,
  ): { readonly recordsPerSecond: number; readonly recordsLastHour: number } {
    const series = this.#series.get(name)
    if (series === undefined) {
      this.#series.set(name, { atMs: nowMs, total, minutes: [minuteOf(nowMs, total)] })
      return { recordsPerSecond: 0, recordsLastHour: total }
    }
    // A restarted task counts from zero again.
    const records = total >= series.total ? total - series.total : total
    const seconds = (nowMs - series.atMs) / 1000
    series.atMs = nowMs
    series.total = total
    const { minutes } = series
    const { minute } = minuteOf(nowMs, 0)
    const last = minutes.at(-1)
    if (last?.minute === minute) last.records += records
    else minutes.push({ minute, records })
    while ((minutes[0]?.minute ?? minute) <= minute - MINUTES) minutes.shift()
    return {
      recordsPerSecond: seconds > 0 ? records / seconds : 0,
      recordsLastHour: minutes.reduce((sum, one) => sum + one.records, 0),
    }
  }
}

const minuteOf = (nowMs: number, records: number): { minute: number; records: number } => ({
  minute: Math.floor(nowMs / MINUTE_MS),
  records,
})

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
