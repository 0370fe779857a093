// The sink benchmark's records: 30 columns and about 300 bytes of Avro, and a topic full of them.
import avsc from 'avsc'
import { RetriableError } from '../../connector/api/errors.ts'
import { confluentClients } from '../../connector/kafka/confluent.ts'
import { PARTITIONS, type Stage, TOPIC } from '../support/sink-stage.ts'

const EVENTS = { log: () => undefined, statistics: () => undefined }
const LIMIT_MS = 300_000
/** So many different records, so that making them costs nothing while they are sent; enough that compression finds no period. */
const DIFFERENT = 20_000

const columns = (count: number, name: string, type: unknown): readonly object[] =>
  Array.from({ length: count }, (_, i) => ({ name: `${name}_${i}`, type }))

/** 30 fields of the types that vehicle records have. */
export const WIDE_SCHEMA = {
  type: 'record',
  name: 'Wide',
  namespace: 'test',
  fields: [
    ...columns(7, 'text', 'string'),
    ...columns(3, 'maybe', ['null', 'string']),
    ...columns(4, 'big', 'long'),
    ...columns(4, 'small', 'int'),
    ...columns(4, 'place', 'double'),
    ...columns(2, 'degree', 'float'),
    ...columns(2, 'flag', 'boolean'),
    ...columns(3, 'at', { type: 'long', logicalType: 'timestamp-millis' }),
    ...columns(1, 'state', {
      type: 'enum',
      name: 'State',
      symbols: ['INCOMING', 'STOPPED', 'IN_TRANSIT'],
    }),
  ],
}

/** Fills the topic. Returns how large a value is on average. */
export async function fillTopic(
  stage: Stage,
  options: {
    readonly records: number
    readonly createTopic: boolean
    readonly random: () => number
  },
): Promise<number> {
  const config = { 'bootstrap.servers': stage.bootstrapServers }
  const signal = AbortSignal.timeout(LIMIT_MS)
  if (options.createTopic) {
    const admin = confluentClients.admin(config, EVENTS)
    await admin.connect(signal)
    const topic = { topic: TOPIC, partitions: PARTITIONS, replicationFactor: 1, config: {} }
    await admin.createTopic(topic, 30_000)
    await admin.close()
  }
  const values = await makeValues(stage.registryUrl, options.random)
  const producer = confluentClients.producer(
    { ...config, 'enable.idempotence': true, 'linger.ms': 20, 'compression.type': 'zstd' },
    EVENTS,
  )
  await producer.connect(signal)
  const failures: Error[] = []
  for (let n = 0; n < options.records; ) {
    const value = values[n % values.length] as Buffer
    const key = Buffer.from(`k${n % 5_000}`)
    try {
      producer.send({ topic: TOPIC, partition: n % PARTITIONS, key, value }, (error) => {
        if (error !== null) failures.push(error)
      })
      n++
    } catch (error) {
      if (!(error instanceof RetriableError)) throw error
      await producer.drained(signal)
    }
  }
  await producer.flush(LIMIT_MS)
  await producer.close(10_000)
  const [failure] = failures
  if (failure !== undefined) throw failure
  return values.reduce((sum, { length }) => sum + length, 0) / values.length
}

async function makeValues(registryUrl: string, random: () => number): Promise<readonly Buffer[]> {
  const id = await register(registryUrl)
  const type = avsc.Type.forSchema(WIDE_SCHEMA as never)
  const kinds = WIDE_SCHEMA.fields as readonly { readonly name: string }[]
  return Array.from({ length: DIFFERENT }, (_, n) => {
    const record = Object.fromEntries(
      kinds.map(({ name }) => [name, valueOf(name.split('_')[0] ?? '', n, random)]),
    )
    const body = type.toBuffer(record)
    const value = Buffer.alloc(5 + body.length)
    value.writeUInt32BE(id, 1)
    value.set(body, 5)
    return value
  })
}

const WORDS = ['Van Cortlandt Park–242 St', 'northbound', 'MTA NYCT', 'Jamaica "Sutphin"', 'R160']
const pick = (random: () => number): string => WORDS[Math.floor(random() * WORDS.length)] ?? ''

function valueOf(kind: string, n: number, random: () => number): unknown {
  const id = Math.floor(random() * 1e12).toString(36)
  switch (kind) {
    case 'text':
      return `${pick(random)} ${id}`
    case 'maybe':
      return random() < 0.5 ? null : `${id}${id}`
    case 'big':
      return Math.floor(random() * 2 ** 44)
    case 'small':
      return Math.floor(random() * 2 ** 20) - 2 ** 19
    case 'place':
      return Math.round((40 + random()) * 1e6) / 1e6
    case 'degree':
      return Math.fround(Math.round(random() * 3_600) / 10)
    case 'flag':
      return random() < 0.5
    case 'at':
      return 1_780_000_000_000 + n * 977
    default:
      return ['INCOMING', 'STOPPED', 'IN_TRANSIT'][Math.floor(random() * 3)]
  }
}

async function register(registryUrl: string): Promise<number> {
  const response = await fetch(`${registryUrl}/subjects/${TOPIC}-value/versions`, {
    method: 'POST',
    headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
    body: JSON.stringify({ schema: JSON.stringify(WIDE_SCHEMA) }),
    signal: AbortSignal.timeout(10_000),
  })
  const { id } = (await response.json()) as { id: number }
  return id
}
