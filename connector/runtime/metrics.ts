import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import type { ConnectorStatus } from '../api/rest-extension.ts'
import type { ClientStatistics } from '../kafka/client.ts'
import { PluginMetricFamilies } from './plugin-metric-families.ts'
import { TaskMetricFamilies } from './task-metrics.ts'

const TASK_STATES = [
  'running',
  'paused',
  'failed',
  'unassigned',
  'destroyed',
  'restarting',
] as const

/** What `/metrics` tells about a connector beyond its status. */
export interface ConnectorFacts {
  readonly status: ConnectorStatus
  readonly className: string
  readonly version: string
}

/** All metrics of a worker, under the names that the Prometheus rules of Strimzi and the JMX exporter give Kafka Connect's. */
export class WorkerMetrics {
  readonly registry = new Registry()
  readonly tasks: TaskMetricFamilies
  readonly plugins: PluginMetricFamilies
  readonly startups: Readonly<Record<'connector' | 'task', Startups>>
  readonly #clients = new Map<string, ClientStatistics>()
  #connectors: () => readonly ConnectorFacts[] = () => []

  constructor() {
    this.tasks = new TaskMetricFamilies(this.registry)
    this.plugins = new PluginMetricFamilies(this.registry)
    this.startups = {
      connector: new Startups('connector', this.registry),
      task: new Startups('task', this.registry),
    }
    collectDefaultMetrics({ register: this.registry })
    this.#defineStatus()
    this.#defineWorker()
    this.#defineClients()
  }

  /** Where the connectors' states are read when somebody asks for the metrics. */
  observe(connectors: () => readonly ConnectorFacts[]): void {
    this.#connectors = connectors
  }

  clientStatistics(statistics: ClientStatistics): void {
    this.#clients.set(statistics.clientId, statistics)
  }

  forgetClient(clientId: string): void {
    this.#clients.delete(clientId)
  }

  /** Everything in Prometheus' text format. */
  text(): Promise<string> {
    return this.registry.metrics()
  }

  #gauge(name: string, help: string, labelNames: readonly string[], fill: Fill): void {
    const gauge = new Gauge({
      name,
      help,
      labelNames: [...labelNames],
      registers: [this.registry],
      collect: () => {
        gauge.reset()
        fill((value, ...values) => {
          gauge.set(
            Object.fromEntries(labelNames.map((label, i) => [label, values[i] ?? ''])),
            value,
          )
        })
      },
    })
  }

  #defineStatus(): void {
    const prefix = 'kafka_connect_connector_'
    this.#gauge(`${prefix}status`, 'State of the connector.', ['connector', 'status'], (set) => {
      for (const { status } of this.#connectors()) set(1, status.name, status.state.toLowerCase())
    })
    this.#gauge(
      `${prefix}connector_type`,
      'Kind of the connector.',
      ['connector', 'connector_type'],
      (set) => {
        for (const { status } of this.#connectors()) set(1, status.name, status.type)
      },
    )
    this.#gauge(
      `${prefix}connector_class`,
      'Class of the connector.',
      ['connector', 'connector_class'],
      (set) => {
        for (const facts of this.#connectors()) set(1, facts.status.name, facts.className)
      },
    )
    this.#gauge(
      `${prefix}connector_version`,
      'Version of the connector.',
      ['connector', 'connector_version'],
      (set) => {
        for (const facts of this.#connectors()) set(1, facts.status.name, facts.version)
      },
    )
    this.#gauge(
      `${prefix}task_status`,
      'State of the task.',
      ['connector', 'task', 'status'],
      (set) => {
        for (const { status } of this.#connectors()) {
          for (const task of status.tasks) {
            set(1, status.name, String(task.id), task.state.toLowerCase())
          }
        }
      },
    )
    this.#gauge(
      'mta_connect_task_degraded',
      '1 while the task reports that an operator should look.',
      ['connector', 'task'],
      (set) => {
        for (const { status } of this.#connectors()) {
          for (const task of status.tasks) {
            set(task.health?.state === 'DEGRADED' ? 1 : 0, status.name, String(task.id))
          }
        }
      },
    )
  }

  #defineWorker(): void {
    const prefix = 'kafka_connect_worker_'
    this.#gauge(`${prefix}connector_count`, 'Connectors on this worker.', [], (set) =>
      set(this.#connectors().length),
    )
    this.#gauge(`${prefix}task_count`, 'Tasks on this worker.', [], (set) =>
      set(this.#connectors().reduce((sum, { status }) => sum + status.tasks.length, 0)),
    )
    this.#gauge(
      `${prefix}connector_total_task_count`,
      'Tasks of a connector.',
      ['connector'],
      (set) => {
        for (const { status } of this.#connectors()) set(status.tasks.length, status.name)
      },
    )
    for (const state of TASK_STATES) {
      this.#gauge(
        `${prefix}connector_${state}_task_count`,
        `Tasks of a connector that are ${state}.`,
        ['connector'],
        (set) => {
          for (const { status } of this.#connectors()) {
            const count = status.tasks.filter((task) => task.state.toLowerCase() === state).length
            set(count, status.name)
          }
        },
      )
    }
  }

  #defineClients(): void {
    const client = (
      kind: ClientStatistics['kind'],
      name: string,
      help: string,
      read: (statistics: ClientStatistics) => number,
    ): void =>
      this.#gauge(`kafka_${kind}_${name}`, help, ['clientid'], (set) => {
        for (const statistics of this.#clients.values()) {
          if (statistics.kind === kind) set(read(statistics), statistics.clientId)
        }
      })
    for (const kind of ['consumer', 'producer'] as const) {
      client(kind, 'connection_count', 'Open connections.', (s) => s.connections)
      client(kind, 'incoming_byte_total', 'Bytes received.', (s) => s.bytesReceivedTotal)
      client(kind, 'outgoing_byte_total', 'Bytes sent.', (s) => s.bytesSentTotal)
      client(kind, 'request_latency_avg', 'Mean request time.', (s) => s.requestLatencyMsAvg)
    }
    client('producer', 'record_send_total', 'Records sent.', (s) => s.messagesTotal)
    client(
      'consumer',
      'fetch_manager_records_consumed_total',
      'Records read.',
      (s) => s.messagesTotal,
    )
    client('consumer', 'fetch_manager_records_lag_max', 'Largest lag of a partition.', (s) =>
      Math.max(0, ...s.lags.map(({ lag }) => lag)),
    )
    this.#gauge(
      'kafka_consumer_fetch_manager_records_lag',
      'Records of a partition that are not read yet.',
      ['clientid', 'topic', 'partition'],
      (set) => {
        for (const { clientId, lags } of this.#clients.values()) {
          for (const { topic, partition, lag } of lags) {
            set(lag, clientId, topic, String(partition))
          }
        }
      },
    )
  }
}

type Fill = (set: (value: number, ...labels: readonly string[]) => void) => void

/** How often connectors or tasks were started, and with what success. */
export class Startups {
  #attempts = 0
  #successes = 0
  #failures = 0

  constructor(what: 'connector' | 'task', registry: Registry) {
    const prefix = `kafka_connect_worker_${what}_startup_`
    const total = (name: string, help: string, read: () => number): void => {
      const counter = new Counter({
        name: `${prefix}${name}_total`,
        help,
        registers: [registry],
        collect: () => {
          counter.reset()
          counter.inc(read())
        },
      })
    }
    total('attempts', `Starts of a ${what}.`, () => this.#attempts)
    total('success', `Starts of a ${what} that succeeded.`, () => this.#successes)
    total('failure', `Starts of a ${what} that failed.`, () => this.#failures)
    const share = (name: string, help: string, read: () => number): void => {
      const gauge = new Gauge({
        name: `${prefix}${name}_percentage`,
        help,
        registers: [registry],
        collect: () => {
          gauge.set(this.#attempts === 0 ? 0 : read() / this.#attempts)
        },
      })
    }
    share('success', `Share of starts of a ${what} that succeeded, 0 to 1.`, () => this.#successes)
    share('failure', `Share of starts of a ${what} that failed, 0 to 1.`, () => this.#failures)
  }

  readonly attempted = (): void => {
    this.#attempts++
  }
  readonly succeeded = (): void => {
    this.#successes++
  }
  readonly failed = (): void => {
    this.#failures++
  }
}
