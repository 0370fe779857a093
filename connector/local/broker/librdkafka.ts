// librdkafka's mock cluster by its C API. The package's JavaScript API reaches the same code only by
// `test.mock.num.brokers`: random port, four partitions for every topic, no topic ids.
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import koffi, { type LibraryHandle } from 'koffi'

/** An opaque pointer. */
type Pointer = unknown
type NativeFunction = (...arguments_: unknown[]) => unknown

/** A running mock cluster of one broker. */
export interface MockCluster {
  /** Where it really listens. */
  readonly host: string
  readonly port: number
  /** Makes clients come to this address after their first request. */
  advertise(host: string, port: number): void
  /** @throws Error with librdkafka's reason. */
  createTopic(name: string, partitions: number): void
  /** Frees it. Nothing may be called afterwards. */
  destroy(): void
}

export interface MockClusterOptions {
  readonly library: string
  /** When a consumer that went silent loses its partitions. */
  readonly sessionTimeoutMs: number
  /** How often consumers ask for changes of their assignment. */
  readonly heartbeatIntervalMs: number
}

const BROKER_ID = 1
const PRODUCER = 0
const ERROR_SIZE = 512
/** Broker 1's own log level: errors. Debug and info lines are of no use to a newcomer. */
const LOG_LEVEL = '3'

/**
 * The shared library that the native Kafka client was built with, or the client itself, which holds the
 * same symbols where it was linked statically.
 *
 * @throws Error that names the folder when there is none.
 */
export function findLibrary(): string {
  const require = createRequire(import.meta.url)
  const root = path.dirname(require.resolve('@confluentinc/kafka-javascript/package.json'))
  const candidates = [
    'build/deps/librdkafka.so.1',
    'build/deps/librdkafka.1.dylib',
    'build/deps/librdkafka.dylib',
    'build/Release/librdkafka.so.1',
    'build/Release/librdkafka.1.dylib',
    'build/Release/confluent-kafka-javascript.node',
  ].map((name) => path.join(root, name))
  const found = candidates.find((name) => existsSync(name))
  if (found === undefined) {
    throw new Error(
      `The native Kafka client is not built: no librdkafka under ${path.join(root, 'build')}. Run: npm run setup`,
    )
  }
  return found
}

/** Starts a cluster. @throws Error when the library can't be loaded or lacks the mock cluster. */
export function startMockCluster(options: MockClusterOptions): MockCluster {
  const call = functionsOf(options.library)
  const error = Buffer.alloc(ERROR_SIZE)
  const conf: Pointer = call('void *rd_kafka_conf_new()')()
  const set = call(
    'int rd_kafka_conf_set(void *c, const char *k, const char *v, void *e, size_t n)',
  )
  set(conf, 'log_level', LOG_LEVEL, error, ERROR_SIZE)
  const handle: Pointer = call('void *rd_kafka_new(int type, void *conf, void *e, size_t n)')(
    PRODUCER,
    conf,
    error,
    ERROR_SIZE,
  )
  if (handle === null) throw new Error(`librdkafka does not start: ${cString(error)}`)
  const cluster: Pointer = call('void *rd_kafka_mock_cluster_new(void *rk, int brokers)')(handle, 1)
  if (cluster === null) throw new Error("librdkafka's mock cluster does not start.")
  tune(call, cluster, options)
  const address = String(call('const char *rd_kafka_mock_cluster_bootstraps(void *m)')(cluster))
  const colon = address.lastIndexOf(':')
  const errorText = call('const char *rd_kafka_err2str(int code)')
  const create = call(
    'int rd_kafka_mock_topic_create(void *m, const char *t, int parts, int replicas)',
  )
  const setHostPort = call(
    'int rd_kafka_mock_broker_set_host_port(void *m, int32_t id, const char *h, int port)',
  )
  return {
    host: address.slice(0, colon),
    port: Number(address.slice(colon + 1)),
    advertise: (host, port) =>
      check(setHostPort(cluster, BROKER_ID, host, port), 'set its address'),
    createTopic: (name, partitions) =>
      check(
        create(cluster, name, partitions, 1),
        `make topic ${name} with ${partitions} partitions`,
      ),
    destroy() {
      call('void rd_kafka_mock_cluster_destroy(void *m)')(cluster)
      call('void rd_kafka_destroy(void *rk)')(handle)
    },
  }

  function check(code: unknown, what: string): void {
    if (code !== 0) {
      throw new Error(
        `The embedded broker can't ${what}: ${String(errorText(code))} (${String(code)})`,
      )
    }
  }
}

type Call = (prototype: string) => NativeFunction

function tune(call: Call, cluster: Pointer, options: MockClusterOptions): void {
  // Without a controller, describeTopics has nobody to ask.
  call('void rd_kafka_mock_set_controller_id(void *m, int id)')(cluster, BROKER_ID)
  const ms = (name: string): NativeFunction => call(`void ${name}(void *m, int ms)`)
  ms('rd_kafka_mock_set_group_consumer_session_timeout_ms')(cluster, options.sessionTimeoutMs)
  ms('rd_kafka_mock_set_group_consumer_heartbeat_interval_ms')(cluster, options.heartbeatIntervalMs)
  // Classic groups would wait 3 s for further members.
  ms('rd_kafka_mock_group_initial_rebalance_delay_ms')(cluster, 100)
}

function functionsOf(file: string): Call {
  let library: LibraryHandle
  try {
    library = koffi.load(file)
  } catch (cause) {
    throw new Error(`Can't load librdkafka from ${file}.`, { cause })
  }
  return (prototype) => {
    try {
      return library.func(prototype)
    } catch (cause) {
      throw new Error(
        `The native Kafka client (${file}) lacks ${prototype}. Build it from source: npm run setup`,
        { cause },
      )
    }
  }
}

const cString = (buffer: Buffer): string => buffer.toString('utf8', 0, buffer.indexOf(0))
