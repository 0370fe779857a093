import type { TopicPartition } from '../api/topic-partition.ts'
import type { ClientStatistics } from './client.ts'

// As much of librdkafka's STATISTICS.md as we read.
interface Statistics {
  readonly client_id?: string
  readonly type?: string
  readonly tx_bytes?: number
  readonly rx_bytes?: number
  readonly txmsgs?: number
  readonly rxmsgs?: number
  readonly brokers?: Readonly<Record<string, BrokerStatistics>>
  readonly topics?: Readonly<Record<string, { readonly partitions?: PartitionsStatistics }>>
}
interface BrokerStatistics {
  readonly state?: string
  readonly rtt?: { readonly avg?: number; readonly cnt?: number }
}
type PartitionsStatistics = Readonly<Record<string, { readonly consumer_lag?: number }>>

const MICROSECONDS_PER_MS = 1_000

/** Reads one of librdkafka's statistics documents; undefined when it is not one. */
export function parseStatistics(text: string): ClientStatistics | undefined {
  let document: Statistics
  try {
    document = JSON.parse(text) as Statistics
  } catch {
    return undefined // Cut off by a client that is closing; the next one comes in a few seconds.
  }
  const { type } = document
  if (type !== 'producer' && type !== 'consumer') return undefined
  const brokers = Object.values(document.brokers ?? {})
  return {
    clientId: document.client_id ?? '',
    kind: type,
    connections: brokers.filter((broker) => broker.state === 'UP').length,
    bytesSentTotal: document.tx_bytes ?? 0,
    bytesReceivedTotal: document.rx_bytes ?? 0,
    messagesTotal: (type === 'producer' ? document.txmsgs : document.rxmsgs) ?? 0,
    requestLatencyMsAvg: latencyMs(brokers),
    lags: lagsOf(document.topics ?? {}),
  }
}

function latencyMs(brokers: readonly BrokerStatistics[]): number {
  let requests = 0
  let sum = 0
  for (const { rtt } of brokers) {
    requests += rtt?.cnt ?? 0
    sum += (rtt?.cnt ?? 0) * (rtt?.avg ?? 0)
  }
  return requests === 0 ? 0 : sum / requests / MICROSECONDS_PER_MS
}

function lagsOf(
  topics: NonNullable<Statistics['topics']>,
): readonly (TopicPartition & { readonly lag: number })[] {
  return Object.entries(topics).flatMap(([topic, { partitions = {} }]) =>
    Object.entries(partitions).flatMap(([id, { consumer_lag: lag = -1 }]) => {
      const partition = Number(id)
      // -1 is librdkafka's partition for messages that have none yet, and its lag that is not known.
      return partition < 0 || lag < 0 ? [] : [{ topic, partition, lag }]
    }),
  )
}
