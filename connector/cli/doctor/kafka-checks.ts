// Whether brokers, topics and schema registry are there.
import type { Clock, Random } from '../../api/clock.ts'
import { DataError } from '../../api/errors.ts'
import { addressesOf, AVRO_CONVERTER_CONFIG } from '../../converters/avro-config.ts'
import { RegistryClient } from '../../converters/registry-client.ts'
import { toLibrdkafka } from '../../kafka/client-config.ts'
import type { Admin, KafkaClients } from '../../kafka/client.ts'
import { clientProperties } from '../../runtime/client-properties.ts'
import { withoutPrefix } from '../../runtime/transformation-chain.ts'
import { bounded, type Finding, type Tell, wordsOf } from './finding.ts'

type Properties = Readonly<Record<string, string>>

export interface KafkaOutside {
  readonly clients: KafkaClients
  readonly clock: Clock
  readonly random: Random
  readonly timeoutMs: number
}

/** How long a client that could not connect is waited for. */
const CLOSE_MS = 1_000

const listOf = (text: string | undefined): readonly string[] =>
  (text ?? '').split(',').flatMap((part) => (part.trim() === '' ? [] : [part.trim()]))

/** Tells of brokers and topics, and gives the topics that the sink reads, as far as that can be known. */
export async function checkKafka(
  { sink, worker }: { readonly sink: Properties; readonly worker: Properties | undefined },
  { clients, timeoutMs }: KafkaOutside,
  tell: Tell,
): Promise<readonly string[]> {
  const named = listOf(sink['topics'])
  if (worker === undefined) {
    tell({
      check: 'brokers',
      state: 'skipped',
      says: "The worker's file, which says where they are, was not found.",
      mend: '--worker connect.properties',
    })
    return named
  }
  let admin: Admin | undefined
  try {
    const java: Properties = {
      'client.id': 'mta-connect-doctor',
      ...clientProperties('admin', worker, sink),
    }
    const { config } = toLibrdkafka('admin', java)
    const client = clients.admin(config, { log: () => {}, statistics: () => {} })
    admin = client
    await bounded(timeoutMs, (signal) => client.connect(signal))
    const all = await bounded(timeoutMs + 1_000, () => client.listTopics(timeoutMs))
    tell({
      check: 'brokers',
      state: 'ok',
      says: `${java['bootstrap.servers'] ?? 'The brokers'} answer.`,
    })
    const topics = named.length > 0 ? named : matching(all, sink['topics.regex'])
    tellTopics(topics, all, sink, tell)
    return topics
  } catch (error) {
    tell({
      check: 'brokers',
      state: 'wrong',
      says: `${worker['bootstrap.servers'] ?? 'localhost:9092'}: ${wordsOf(error)}`,
      mend: "bootstrap.servers=host:port, and security.protocol, sasl.* and ssl.* of the worker's file",
    })
    return named
  } finally {
    const client = admin
    // It may wait for its connection; a process that ends drops that anyway.
    if (client !== undefined) await bounded(CLOSE_MS, () => client.close()).catch(nothing)
  }
}

const matching = (all: readonly string[], text: string | undefined): readonly string[] =>
  text === undefined ? [] : all.filter((topic) => new RegExp(`^(?:${text})$`).test(topic))

function tellTopics(
  topics: readonly string[],
  all: readonly string[],
  sink: Properties,
  tell: Tell,
): void {
  if (topics.length === 0)
    tell({
      check: 'topics',
      state: 'wrong',
      says:
        sink['topics.regex'] === undefined
          ? 'Neither topics nor topics.regex is set.'
          : `No topic matches ${sink['topics.regex']}.`,
      mend: 'topics=<topic>[,<topic>…]',
    })
  for (const topic of topics) {
    const check = `topic ${topic}`
    if (all.includes(topic)) tell({ check, state: 'ok', says: 'It is there.' })
    else
      tell({
        check,
        state: 'wrong',
        says: 'It does not exist, or the user may not see it.',
        mend: `kafka-topics.sh --bootstrap-server <broker> --create --topic ${topic} --partitions 6`,
      })
  }
}

/** Whether the registry answers and knows the topics' schemas, where values are Avro. */
export async function checkRegistry(
  { sink, worker }: { readonly sink: Properties; readonly worker: Properties | undefined },
  topics: readonly string[],
  outside: KafkaOutside,
  tell: Tell,
): Promise<void> {
  const check = 'registry'
  const properties = sink['value.converter'] === undefined ? (worker ?? {}) : sink
  const converter = properties['value.converter']
  if (converter === undefined || !converter.trim().endsWith('AvroConverter')) {
    tell({
      check,
      state: 'skipped',
      says: `Values are read by ${converter ?? 'an unknown converter'}, not as Avro.`,
    })
    return
  }
  let registry: RegistryClient | undefined
  try {
    const config = AVRO_CONVERTER_CONFIG.parse(withoutPrefix(properties, 'value.converter.'))
    const addresses = addressesOf(config)
    const client = new RegistryClient(
      {
        addresses,
        bearerToken: undefined,
        timeoutMs: outside.timeoutMs,
        retries: 0,
        retryWaitMs: 1,
        retryWaitMsMax: 1,
        normalize: false,
      },
      { ...outside, log: SILENT },
    )
    registry = client
    for (const finding of await askRegistry(client, topics, outside.timeoutMs)) tell(finding)
  } catch (error) {
    tell({
      check,
      state: 'wrong',
      says: wordsOf(error),
      mend: 'value.converter.schema.registry.url=http(s)://host:port, with value.converter.basic.auth.* where it asks for a user',
    })
  } finally {
    registry?.close()
  }
}

const nothing = (): void => {}
const SILENT = { trace: nothing, debug: nothing, info: nothing, warn: nothing, error: nothing }

async function askRegistry(
  client: RegistryClient,
  topics: readonly string[],
  timeoutMs: number,
): Promise<readonly Finding[]> {
  const findings: Finding[] = []
  for (const subject of topics.length === 0 ? ['-value'] : topics.map((topic) => `${topic}-value`))
    try {
      const { id } = await bounded(timeoutMs + 1_000, () => client.latest(subject))
      findings.push({
        check: `schema of ${subject}`,
        state: 'ok',
        says: `The latest has id ${id}.`,
      })
    } catch (error) {
      // It answered, and has no such subject: the first record registers it.
      if (!(error instanceof DataError)) throw error
      if (topics.length > 0)
        findings.push({
          check: `schema of ${subject}`,
          state: 'warning',
          says: 'There is none yet; the first record that is produced registers it.',
        })
    }
  return [{ check: 'registry', state: 'ok', says: 'It answers.' }, ...findings]
}
