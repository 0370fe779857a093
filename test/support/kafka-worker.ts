// A worker of this process on a real Kafka, with the test's plugins, and what its tests do to topics beside our clients.
import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import kafka from '@confluentinc/kafka-javascript'
import type { Props } from '../../connector/api/task-context.ts'
import { BUILT_IN_PLUGINS } from '../../connector/cli/plugins.ts'
import { type RunningWorker, startWorker } from '../../connector/cli/start-worker.ts'
import { confluentClients } from '../../connector/kafka/confluent.ts'
import { systemClock } from '../../connector/runtime/clock.ts'
import { createLogger } from '../../connector/runtime/logging.ts'
import { noEvents } from './fake-kafka.ts'
import { type Script, scriptedPlugins } from './test-plugins.ts'

const LIMIT_MS = 10_000
const WAIT_MS = 30_000
const STRING = 'org.apache.kafka.connect.storage.StringConverter'

export interface KafkaWorker extends RunningWorker {
  readonly create: (config: Props & { readonly name: string }) => Promise<void>
}

export async function startKafkaWorker(script: Script, properties: Props): Promise<KafkaWorker> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'kafka-worker-'))
  const worker = await startWorker({
    properties: {
      listeners: 'http://127.0.0.1:0',
      'key.converter': STRING,
      'value.converter': STRING,
      'offset.storage.file.filename': path.join(folder, 'connect.offsets'),
      'offset.flush.interval.ms': '300',
      ...properties,
    },
    connectors: [],
    plugins: [...scriptedPlugins(script), ...BUILT_IN_PLUGINS],
    clients: confluentClients,
    clock: systemClock,
    random: Math.random,
    environment: {},
    log: createLogger('OFF'),
  })
  return {
    ...worker,
    create: async (config) => {
      await worker.herder.putConnectorConfig(config.name, config, { allowReplace: true })
    },
    stop: async () => {
      await worker.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Resolves once `check` holds. */
export async function eventually(
  what: string,
  check: () => boolean | Promise<boolean>,
): Promise<void> {
  const deadline = performance.now() + WAIT_MS
  while (!(await check())) {
    if (performance.now() > deadline) throw new Error(`Still not after ${WAIT_MS} ms: ${what}`)
    await systemClock.sleep(50)
  }
}

/** Topics of a real Kafka. */
export class KafkaTopics {
  readonly #servers: string

  constructor(servers: string) {
    this.#servers = servers
  }

  async create(topic: string, partitions: number, config: Props = {}): Promise<void> {
    const admin = await this.#admin()
    await admin.createTopic({ topic, partitions, replicationFactor: 1, config }, LIMIT_MS)
    await admin.close()
  }

  /** Our Admin deletes nothing, so the library does. */
  delete(topic: string): Promise<void> {
    const admin = kafka.AdminClient.create({ 'bootstrap.servers': this.#servers })
    return new Promise((resolve, reject) => {
      admin.deleteTopic(topic, LIMIT_MS, (error) => {
        admin.disconnect()
        if (error == null) resolve()
        else reject(new Error(`Can't delete ${topic}`, { cause: error }))
      })
    })
  }

  /** What the group of a connector has committed, by partition. */
  async committed(connector: string): Promise<Readonly<Record<string, number>>> {
    const admin = await this.#admin()
    const offsets = await admin.listGroupOffsets(`connect-${connector}`, LIMIT_MS)
    await admin.close()
    return Object.fromEntries(offsets.map((tp) => [`${tp.topic}/${tp.partition}`, tp.offset]))
  }

  /** Sends values (null: a tombstone) and waits until they are stored. */
  async send(
    topic: string,
    records: readonly (readonly [key: string | null, value: string | null])[],
    partition?: number,
  ): Promise<void> {
    const producer = confluentClients.producer({ 'bootstrap.servers': this.#servers }, noEvents)
    await producer.connect(AbortSignal.timeout(LIMIT_MS))
    const errors: Error[] = []
    for (const [key, value] of records) {
      const message = { topic, partition, key: bytes(key), value: bytes(value) }
      producer.send(message, (error) => void (error !== null && errors.push(error)))
    }
    await producer.flush(WAIT_MS)
    await producer.close(LIMIT_MS)
    if (errors[0] !== undefined) throw errors[0]
  }

  /** Sends values in one transaction, which is committed or aborted. */
  async transaction(
    topic: string,
    values: readonly string[],
    end: 'commit' | 'abort',
  ): Promise<void> {
    const producer = new kafka.Producer({
      'bootstrap.servers': this.#servers,
      'transactional.id': `transactions-${topic}`,
    })
    await call((done) => producer.connect({}, done))
    await call((done) => producer.initTransactions(LIMIT_MS, done))
    await call((done) => producer.beginTransaction(done))
    for (const value of values) producer.produce(topic, 0, Buffer.from(value), null)
    await call((done) => producer.flush(LIMIT_MS, done))
    if (end === 'commit') await call((done) => producer.commitTransaction(LIMIT_MS, done))
    else await call((done) => producer.abortTransaction(LIMIT_MS, done))
    await call((done) => producer.disconnect(done))
  }

  async #admin() {
    const admin = confluentClients.admin({ 'bootstrap.servers': this.#servers }, noEvents)
    await admin.connect(AbortSignal.timeout(LIMIT_MS))
    return admin
  }
}

const bytes = (text: string | null): Uint8Array | null => (text === null ? null : Buffer.from(text))

const call = (start: (done: (error: unknown) => void) => unknown): Promise<void> =>
  new Promise((resolve, reject) => {
    start((error) => {
      if (error == null) resolve()
      else reject(new Error(`The transaction failed.`, { cause: error }))
    })
  })
