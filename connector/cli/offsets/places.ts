// Which channels a sink has: one for each partition of its topics, as Kafka tells.
import { ConfigError, ConnectError } from '../../api/errors.ts'
import type { TopicPartition } from '../../api/topic-partition.ts'
import { toLibrdkafka } from '../../kafka/client-config.ts'
import type { KafkaClients } from '../../kafka/client.ts'
import { clientProperties } from '../../runtime/client-properties.ts'
import type { SinkConfig } from '../../snowflake/config.ts'
import { jsonOf } from '../../snowflake/errors.ts'
import type { HttpSend } from '../../snowflake/http.ts'
import { defaultPipe } from '../../snowflake/identifiers.ts'
import type { SinkFiles } from '../doctor/options.ts'
import type { ChannelPlace } from './to-decimal.ts'

const EVENTS = { log: () => {}, statistics: () => {} }

/** @throws ConnectError when Kafka does not answer or a topic is not there. */
export async function channelPlaces(
  { name, sink, worker }: SinkFiles,
  config: SinkConfig,
  { clients, timeoutMs }: { readonly clients: KafkaClients; readonly timeoutMs: number },
): Promise<readonly ChannelPlace[]> {
  if (worker === undefined)
    throw new ConfigError(
      'Expected --worker connect.properties: topic ids and partitions are asked from Kafka',
    )
  const java = (kind: 'admin' | 'consumer') => ({
    'group.id': 'mta-connect-offsets',
    ...clientProperties(kind, worker, sink),
  })
  const admin = clients.admin(toLibrdkafka('admin', java('admin')).config, EVENTS)
  const consumer = clients.consumer(toLibrdkafka('consumer', java('consumer')).config, EVENTS)
  try {
    await admin.connect(AbortSignal.timeout(timeoutMs))
    await consumer.connect(AbortSignal.timeout(timeoutMs))
    const regex = sink['topics.regex']
    const topics =
      regex === undefined
        ? (sink['topics'] ?? '').split(',').map((topic) => topic.trim())
        : (await admin.listTopics(timeoutMs)).filter((t) => new RegExp(`^(?:${regex})$`).test(t))
    const places: ChannelPlace[] = []
    for (const topic of topics.filter((one) => one !== '')) {
      const description = await admin.describeTopic(topic, timeoutMs)
      if (description === undefined) throw new ConnectError(`Topic ${topic} does not exist`)
      const { database, schema } = config
      const pipe = { database, schema, pipe: defaultPipe(config.tableOf(topic)) }
      for (let partition = 0; partition < description.partitions; partition++) {
        const tp: TopicPartition = { topic, partition }
        const log = await consumer.logBounds(tp, timeoutMs)
        const channel = `${name}_${topic}_${partition}`
        places.push({ ...tp, channel, pipe, topicId: description.topicId, log })
      }
    }
    return places
  } finally {
    await Promise.all([admin.close(), consumer.close()])
  }
}

/** @throws ConnectError when a worker has the connector and it is not stopped, or that cannot be told. */
export async function requireStopped(
  { name, worker }: SinkFiles,
  send: HttpSend,
  timeoutMs: number,
): Promise<void> {
  const url = `${restUrl(worker?.['listeners'])}/connectors/${encodeURIComponent(name)}/status`
  const hint =
    'Stop it (PUT /connectors/<name>/stop); where no worker runs it, say so with --stopped'
  let answer: Awaited<ReturnType<HttpSend>>
  try {
    answer = await send({
      method: 'GET',
      url,
      headers: { accept: 'application/json' },
      timeoutMs,
      signal: AbortSignal.timeout(timeoutMs),
    })
  } catch (error) {
    throw new ConnectError(
      `Whether ${name} is stopped is not known, ${url} does not answer. ${hint}`,
      {
        cause: error,
      },
    )
  }
  if (answer.status === 404) return
  const state = stateIn(jsonOf(answer.body))
  if (answer.status !== 200 || state !== 'STOPPED')
    throw new ConnectError(
      `${name} is ${state ?? `not known to be stopped (HTTP ${answer.status})`} at ${url}. ${hint}`,
    )
}

/** The connector's state in what `GET /connectors/<name>/status` answers. */
function stateIn(json: ReturnType<typeof jsonOf>): string | undefined {
  const connector = typeof json === 'object' ? json['connector'] : undefined
  if (typeof connector !== 'object' || connector === null) return undefined
  const { state } = connector as { readonly state?: unknown }
  return typeof state === 'string' ? state : undefined
}

/** The first listener of a worker that runs on this machine. */
function restUrl(listeners: string | undefined): string {
  const [first = 'http://127.0.0.1:8083'] = (listeners ?? '')
    .split(',')
    .flatMap((text) => text.trim() || [])
  return first
    .replace(/^(https?:\/\/)(0\.0\.0\.0|\[::\])?(?=:)/i, '$1127.0.0.1')
    .replace(/\/+$/, '')
}
