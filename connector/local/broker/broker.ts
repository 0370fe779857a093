import { startForwarder } from './forwarder.ts'
import { findLibrary, startMockCluster } from './librdkafka.ts'

export interface LocalTopic {
  readonly name: string
  readonly partitions: number
}

export interface LocalBroker {
  readonly bootstrapServers: string
  /** Ends all connections and forgets all records. */
  close(): Promise<void>
}

export interface LocalBrokerOptions {
  /** 0: any free one. */
  readonly port: number
  /** All topics there will be by name: createTopic is not answered. A producer makes others with four partitions. */
  readonly topics: readonly LocalTopic[]
  /** Default: the library that the native Kafka client was built with. */
  readonly library?: string
}

const SESSION_TIMEOUT_MS = 6_000
const HEARTBEAT_INTERVAL_MS = 500

/**
 * Starts a Kafka broker in memory on 127.0.0.1: topics with ids, consumer groups of both protocols,
 * idempotent producers; no createTopic, compaction, transactions or disk. It keeps 5 MB a partition.
 *
 * @throws Error naming the port when it is taken, or the topic that can't be made.
 */
export async function startLocalBroker(options: LocalBrokerOptions): Promise<LocalBroker> {
  const cluster = startMockCluster({
    library: options.library ?? findLibrary(),
    sessionTimeoutMs: SESSION_TIMEOUT_MS,
    heartbeatIntervalMs: HEARTBEAT_INTERVAL_MS,
  })
  try {
    for (const { name, partitions } of options.topics) cluster.createTopic(name, partitions)
    const forwarder = await startForwarder(options.port, cluster)
    cluster.advertise('127.0.0.1', forwarder.port)
    return {
      bootstrapServers: `127.0.0.1:${forwarder.port}`,
      async close() {
        await forwarder.close()
        cluster.destroy()
      },
    }
  } catch (error) {
    cluster.destroy()
    throw error
  }
}
