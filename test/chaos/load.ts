// A producer that does not stop for anything: numbered Avro records, spread over the partitions, until it is told.
import avsc from 'avsc'
import { setTimeout as sleep } from 'node:timers/promises'
import { confluentClients } from '../../connector/kafka/confluent.ts'
import { RetriableError } from '../../connector/api/errors.ts'

export const CHAOS_SCHEMA = {
  type: 'record',
  name: 'Chaos',
  namespace: 'test',
  fields: [
    { name: 'partition_number', type: 'int' },
    { name: 'seq', type: 'long' },
    { name: 'payload', type: 'string' },
    { name: 'reading', type: 'double' },
    { name: 'at', type: { type: 'long', logicalType: 'timestamp-millis' } },
    { name: 'note', type: ['null', 'string'], default: null },
  ],
} as const

export interface LoadOptions {
  readonly bootstrapServers: string
  readonly registryUrl: string
  readonly topic: string
  readonly partitions: number
  readonly recordsPerSecond: number
  /** Ends by itself after so many. */
  readonly recordsMax?: number
  readonly createTopic: boolean
  readonly random: () => number
}

export interface LoadGenerator {
  /** Records that the broker said it has. */
  acknowledged(): number
  /** One more than the largest acknowledged offset. */
  endOffset(partition: number): number
  /** Sends nothing more and waits for what is under way. May be called again. */
  stop(): Promise<void>
  /** Resolves when `recordsMax` were sent. */
  readonly sent: Promise<void>
}

const TICK_MS = 50
const EVENTS = { log: () => undefined, statistics: () => undefined }

export async function startLoad(options: LoadOptions): Promise<LoadGenerator> {
  const { topic, partitions } = options
  const type = avsc.Type.forSchema(CHAOS_SCHEMA as never)
  const id = await register(options.registryUrl, `${topic}-value`)
  const config = { 'bootstrap.servers': options.bootstrapServers }
  if (options.createTopic) {
    const admin = confluentClients.admin(config, EVENTS)
    await admin.connect(AbortSignal.timeout(30_000))
    await admin.createTopic({ topic, partitions, replicationFactor: 1, config: {} }, 30_000)
    await admin.close()
  }
  const producer = confluentClients.producer(
    { ...config, 'enable.idempotence': true, 'linger.ms': 20, 'message.timeout.ms': 300_000 },
    EVENTS,
  )
  await producer.connect(AbortSignal.timeout(30_000))
  const sequences = Array.from({ length: partitions }, () => 0)
  const ends = Array.from({ length: partitions }, () => 0)
  let acknowledged = 0
  const failures: Error[] = []

  const send = (partition: number): void => {
    const seq = sequences[partition] ?? 0
    const body = type.toBuffer({
      partition_number: partition,
      seq,
      payload: `p${partition}-s${seq}`,
      reading: Math.round(options.random() * 1e6) / 1e3,
      at: 1_700_000_000_000 + seq,
      note: seq % 3 === 0 ? 'every third — ünïcode "quoted"\n' : null,
    })
    const value = Buffer.alloc(5 + body.length)
    value.writeUInt32BE(id, 1)
    value.set(body, 5)
    const key = Buffer.from(`p${partition}`)
    producer.send({ topic, partition, key, value }, (error, delivery) => {
      if (error !== null || delivery === null) {
        failures.push(error ?? new Error('no delivery'))
        return
      }
      acknowledged++
      ends[partition] = Math.max(ends[partition] ?? 0, delivery.offset + 1)
    })
    sequences[partition] = seq + 1
  }

  const running = new AbortController()
  const loop = (async () => {
    const perTick = Math.max(1, Math.round((options.recordsPerSecond * TICK_MS) / 1000))
    const recordsMax = options.recordsMax ?? Number.POSITIVE_INFINITY
    for (let n = 0; n < recordsMax && !running.signal.aborted; ) {
      for (let k = 0; k < perTick; ) {
        try {
          send(n % partitions)
          k++
          n++
        } catch (error) {
          if (!(error instanceof RetriableError)) throw error
          await producer.drained(AbortSignal.timeout(60_000))
        }
      }
      await sleep(TICK_MS)
    }
  })()
  let stopped: Promise<void> | undefined
  return {
    sent: loop,
    acknowledged: () => acknowledged,
    endOffset: (partition) => ends[partition] ?? 0,
    stop: () => {
      stopped ??= (async () => {
        running.abort()
        await loop
        await producer.flush(60_000)
        await producer.close(10_000)
        const [first] = failures
        if (first !== undefined) throw first
      })()
      return stopped
    },
  }
}

async function register(registryUrl: string, subject: string): Promise<number> {
  const response = await fetch(`${registryUrl}/subjects/${subject}/versions`, {
    method: 'POST',
    headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
    body: JSON.stringify({ schema: JSON.stringify(CHAOS_SCHEMA) }),
    signal: AbortSignal.timeout(10_000),
  })
  const { id } = (await response.json()) as { id: number }
  return id
}
