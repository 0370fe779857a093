// What a sink is measured against: the same topic only consumed, and consumed by the obvious chain of avsc,
// JSON.stringify and gzip into the same endpoint.
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import avsc from 'avsc'
import type { ConsumerMessage } from '../../connector/kafka/client.ts'
import { confluentClients } from '../../connector/kafka/confluent.ts'
import { PARTITIONS, type Stage, TOPIC } from '../support/sink-stage.ts'
import { StreamingClient } from '../support/streaming-client.ts'

const EVENTS = { log: () => undefined, statistics: () => undefined }
const LIMIT_MS = 300_000
/** As the worker's consumer. */
const POLL_RECORDS = 1_000
const BATCH_BYTES = 4_000_000
/** How long the endpoint's `too many uncommitted bytes` is waited out. */
const BUSY_MS = 200
const compress = promisify(gzip)

export interface Run {
  readonly seconds: number
  readonly cpuSeconds: number
}

/** Reads the topic through our client and shows each batch to `each`. Figures of this very process. */
export async function consume(
  stage: Stage,
  records: number,
  each: (batch: readonly ConsumerMessage[]) => void | Promise<void>,
  end: () => Promise<void> = () => Promise.resolve(),
): Promise<Run> {
  const consumer = confluentClients.consumer(
    { 'bootstrap.servers': stage.bootstrapServers, 'group.id': `bench-${Date.now()}` },
    EVENTS,
  )
  const signal = AbortSignal.timeout(LIMIT_MS)
  await consumer.connect(signal)
  consumer.assign(
    Array.from({ length: PARTITIONS }, (_, partition) => ({ topic: TOPIC, partition, offset: -2 })),
  )
  const beganMs = Date.now()
  const before = process.cpuUsage()
  for (let n = 0; n < records; ) {
    const batch = await consumer.poll({ max: POLL_RECORDS, timeoutMs: 100 }, signal)
    if (signal.aborted) throw new Error(`${n} of ${records} records after ${LIMIT_MS} ms`)
    await each(batch)
    n += batch.length
  }
  await end()
  const used = process.cpuUsage(before)
  const run = {
    seconds: (Date.now() - beganMs) / 1000,
    cpuSeconds: (used.user + used.system) / 1e6,
  }
  await consumer.close()
  return run
}

/** JSON.stringify writes a Date as Iceberg's timestamps are written in NDJSON. */
class DateType extends avsc.types.LogicalType {
  override _fromValue(value: number): Date {
    return new Date(value)
  }
}

/** Consume, avsc, JSON.stringify, gzip, append and commit: what one would write first. */
export async function plainChain(stage: Stage, records: number, schema: object): Promise<Run> {
  const logicalTypes = { 'timestamp-millis': DateType }
  const type = avsc.Type.forSchema(schema as never, { logicalTypes })
  const client = await streamingClient(stage)
  const channels = new Map<number, PlainChannel>()
  for (let partition = 0; partition < PARTITIONS; partition++) {
    channels.set(partition, await PlainChannel.open(client, `plain_${partition}`))
  }
  return consume(
    stage,
    records,
    async (batch) => {
      for (const { value, partition, offset } of batch) {
        if (value === null) continue
        const row = type.fromBuffer(
          Buffer.from(value.buffer, value.byteOffset + 5, value.length - 5),
        )
        await channels.get(partition)?.add(`${JSON.stringify(row)}\n`, offset)
      }
    },
    async () => {
      for (const channel of channels.values()) await channel.finish()
    },
  )
}

async function streamingClient({ folder, ports }: Stage): Promise<StreamingClient> {
  const read = (name: string): string => readFileSync(path.join(folder, name), 'utf8')
  const client = new StreamingClient({
    url: `http://127.0.0.1:${ports.snowflake}`,
    path: { database: 'MTA', schema: 'CHAOS', pipe: 'CHAOS-STREAMING' },
    key: { privateKeyPem: read('key.p8'), publicKeyPem: read('key.pub') },
    user: 'CHAOS',
    nowMs: Date.now(),
  })
  await client.authenticate()
  return client
}

/** One request on its way while the next one is filled. */
class PlainChannel {
  readonly #client: StreamingClient
  readonly #name: string
  #token: string
  #rows: string[] = []
  #bytes = 0
  #offset = 0
  #sending: Promise<void> = Promise.resolve()

  private constructor(client: StreamingClient, name: string, token: string) {
    this.#client = client
    this.#name = name
    this.#token = token
  }

  static async open(client: StreamingClient, name: string): Promise<PlainChannel> {
    const { status, body, text } = await client.open(name)
    if (status !== 200) throw new Error(`${name} does not open: ${status} ${text}`)
    return new PlainChannel(client, name, String(body['next_continuation_token']))
  }

  async add(row: string, offset: number): Promise<void> {
    this.#rows.push(row)
    this.#bytes += row.length
    this.#offset = offset
    if (this.#bytes >= BATCH_BYTES) await this.#next()
  }

  /** Sends the rest and waits until all of it is committed. */
  async finish(): Promise<void> {
    if (this.#rows.length > 0) await this.#next()
    await this.#sending
    const deadline = Date.now() + LIMIT_MS
    for (;;) {
      const { body, text } = await this.#client.status(this.#name)
      const statuses = body['channel_statuses'] as Record<string, Record<string, unknown>>
      const status = statuses[this.#name]
      if (status?.['last_committed_offset_token'] === String(this.#offset)) {
        if (status['rows_error_count'] !== 0) throw new Error(`Rows were rejected: ${text}`)
        return
      }
      if (Date.now() > deadline) throw new Error(`${this.#name} is not committed: ${text}`)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }

  async #next(): Promise<void> {
    const rows = this.#rows.join('')
    const end = String(this.#offset)
    this.#rows = []
    this.#bytes = 0
    await this.#sending
    this.#sending = this.#send(rows, end)
    this.#sending.catch(() => undefined) // Whoever waits for it next is told.
  }

  async #send(rows: string, end: string): Promise<void> {
    const body = new Uint8Array(await compress(Buffer.from(rows), { level: 1 }))
    for (;;) {
      const {
        status,
        text,
        body: answer,
      } = await this.#client.append({
        channel: this.#name,
        token: this.#token,
        rows: body,
        end,
        headers: { 'content-encoding': 'gzip' },
      })
      if (status === 429) {
        await new Promise((resolve) => setTimeout(resolve, BUSY_MS))
        continue
      }
      if (status !== 200) throw new Error(`${this.#name}: ${status} ${text}`)
      this.#token = String(answer['next_continuation_token'])
      return
    }
  }
}
