import type { Props } from '../api/task-context.ts'
import type { ClientEvents } from '../kafka/client.ts'
import { withoutPrefix } from './transformation-chain.ts'
import type { ClientKind, WorkerServices } from './worker-services.ts'

/** Worker keys that hold for every Kafka client. */
const SHARED =
  /^(bootstrap\.servers|client\.dns\.lookup|security\.|sasl\.|ssl\.|metadata\.|request\.timeout\.ms|retry\.backoff|reconnect\.backoff|connections\.max|receive\.buffer|send\.buffer|socket\.)/

/** What Kafka Connect sets for its clients before anything that is configured. */
const DEFAULTS: Readonly<Record<ClientKind, Props>> = {
  producer: {
    acks: 'all',
    'max.in.flight.requests.per.connection': '1',
    'enable.idempotence': 'false',
    'delivery.timeout.ms': '2147483647',
  },
  consumer: { 'auto.offset.reset': 'earliest', 'enable.auto.commit': 'false' },
  admin: {},
}

/** The Java properties of a client: Kafka Connect's defaults, then the worker's, then what the connector overrides. */
export function clientProperties(
  kind: ClientKind,
  worker: Props,
  connector: Props,
): Record<string, string> {
  const shared = Object.entries(worker).filter(([key]) => SHARED.test(key))
  return {
    'bootstrap.servers': 'localhost:9092',
    ...DEFAULTS[kind],
    ...Object.fromEntries(shared),
    ...withoutPrefix(worker, `${kind}.`),
    ...withoutPrefix(connector, `${kind}.override.`),
  }
}

/** Sends a client's log lines and statistics to the worker's. */
export function clientEvents(
  services: Pick<WorkerServices, 'metrics'>,
  log: { warn: Log; info: Log; debug: Log; error: Log },
): ClientEvents {
  return {
    log: (level, message) => {
      log[level]({}, message)
    },
    statistics: (statistics) => services.metrics.clientStatistics(statistics),
  }
}

type Log = (fields: object, message: string) => void
