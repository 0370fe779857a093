// The configuration files of the quickstart's worker and connectors: what a user would write by hand, and may
// copy from the data folder as a start.
import { generateKeyPairSync } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { ConnectError } from '../api/errors.ts'

export const SOURCE_CONNECTOR = 'mta-source'
export const SINK_CONNECTOR = 'snowflake-sink'
export const VEHICLE_TOPIC = 'mta.vehicle_position.v1'
/** The embedded broker cannot make topics on request: these are all. */
export const TOPICS: Readonly<Record<string, number>> = {
  [VEHICLE_TOPIC]: 6,
  'mta.feed_poll.v1': 1,
  'mta.dlq': 1,
}
export const DATABASE = 'MTA'
export const TABLE = 'VEHICLE_POSITION'
export const LOCAL_USER = 'QUICKSTART'

/** Live, simulated and replayed rows never share a table. */
export const SCHEMAS = { live: 'RAW', simulated: 'SIM', replay: 'REPLAY' } as const
export type FeedsKind = keyof typeof SCHEMAS

export interface Addresses {
  readonly port: number
  readonly bootstrapServers: string
  readonly schemaRegistry: string
  /** Undefined: MTA's own hosts. */
  readonly feeds: string | undefined
  /** Undefined: as the user's sink configuration says. */
  readonly snowflake: string | undefined
}

export interface ConfigPlan {
  readonly dataDir: string
  readonly kind: FeedsKind
  /** Nobody asked for the simulator: MTA's live feeds did not answer. */
  readonly isFallback: boolean
  readonly speed: number
  readonly isBrokerEmbedded: boolean
  /** Of the source, comma-separated; undefined: the connector's default. */
  readonly feedIds: string | undefined
  readonly busApiKey: 'environment' | 'none' | 'simulated'
  /** The user's own sink configuration. */
  readonly sinkProperties: Readonly<Record<string, string>> | undefined
  readonly partitions: number
}

type Properties = Record<string, string>

/** A registry that is away is waited for, however long, instead of failing the task. */
const PATIENT = { 'errors.retry.timeout': '-1', 'errors.retry.delay.max.ms': '10000' } as const

/** Writes the three files; returns their paths, the worker's first. */
export function writeConfiguration(plan: ConfigPlan, addresses: Addresses): readonly string[] {
  const folder = path.join(plan.dataDir, 'config')
  mkdirSync(folder, { recursive: true })
  const files: [string, Properties][] = [
    ['connect.properties', workerProperties(plan, addresses)],
    [`${SOURCE_CONNECTOR}.properties`, sourceProperties(plan, addresses)],
    [`${SINK_CONNECTOR}.properties`, sinkProperties(plan, addresses)],
  ]
  return files.map(([name, properties]) => {
    const file = path.join(folder, name)
    writeFileSync(file, render(properties))
    return file
  })
}

function workerProperties(plan: ConfigPlan, addresses: Addresses): Properties {
  return {
    'bootstrap.servers': addresses.bootstrapServers,
    listeners: `http://127.0.0.1:${addresses.port}`,
    'key.converter': 'org.apache.kafka.connect.storage.StringConverter',
    'value.converter': 'io.confluent.connect.avro.AvroConverter',
    'value.converter.schema.registry.url': addresses.schemaRegistry,
    'offset.storage.file.filename': offsetsFile(plan.dataDir),
    'offset.flush.interval.ms': '10000',
    'rest.extension.classes': 'MtaUiExtension',
    'ui.topics': VEHICLE_TOPIC,
    'ui.feeds': plan.kind,
    // The embedded broker balances groups within a second by KIP-848, and not for minutes by the classic protocol.
    ...(plan.isBrokerEmbedded && {
      'consumer.group.protocol': 'consumer',
      'consumer.fetch.max.wait.ms': '25',
    }),
  }
}

function sourceProperties(plan: ConfigPlan, addresses: Addresses): Properties {
  const isLive = plan.kind === 'live'
  return {
    name: SOURCE_CONNECTOR,
    'connector.class': 'MtaSourceConnector',
    'tasks.max': '2',
    // The one kind that the sink and the page of the quickstart show.
    'record.kinds': 'vehicle',
    ...PATIENT,
    ...(plan.feedIds !== undefined && { feeds: plan.feedIds }),
    ...(addresses.feeds !== undefined && {
      'feeds.base.url': addresses.feeds,
      'feeds.bus.base.url': addresses.feeds,
      'feeds.siri.base.url': addresses.feeds,
    }),
    ...(!isLive && {
      'feed.defaults.poll.interval.ms': String(Math.max(1_000, Math.round(15_000 / plan.speed))),
    }),
    // A train that stands at its terminal stays on the map. A replay is played as it was, without additions.
    ...(plan.kind === 'replay' && { 'vanish.polls': '0', 'feed.poll.records': 'false' }),
    ...(plan.kind !== 'replay' && {
      'emit.mode': 'changed+heartbeat',
      'heartbeat.ms': String(Math.max(1_000, Math.round(120_000 / plan.speed))),
    }),
    ...(plan.busApiKey === 'environment' && { 'mta.bus.api.key': '${env:MTA_BUS_API_KEY}' }),
    ...(plan.busApiKey === 'simulated' && { 'mta.bus.api.key': 'simulated' }),
    // A broker that makes no topics by itself gets them from the worker.
    ...(!plan.isBrokerEmbedded && {
      'topic.creation.default.partitions': String(plan.partitions),
      'topic.creation.default.replication.factor': '-1',
    }),
  }
}

function sinkProperties(plan: ConfigPlan, addresses: Addresses): Properties {
  const own = {
    name: SINK_CONNECTOR,
    'connector.class': 'SnowflakeSinkConnector',
    'tasks.max': String(plan.partitions),
    ...PATIENT,
    topics: VEHICLE_TOPIC,
    'snowflake.topic2table.map': `${VEHICLE_TOPIC}:${TABLE}`,
    'snowflake.database.name': DATABASE,
    'snowflake.schema.name': SCHEMAS[plan.kind],
    // The embedded broker forgets its topics when it stops; the tables do not.
    ...(plan.isBrokerEmbedded && { 'snowflake.topic.recreated': 'reset' }),
  }
  if (plan.sinkProperties !== undefined) {
    // Rows that the user did not ask for never go where the real ones go.
    const apart = plan.isFallback ? { 'snowflake.schema.name': SCHEMAS[plan.kind] } : {}
    return { ...own, ...plan.sinkProperties, ...apart }
  }
  return {
    ...own,
    'snowflake.url.name': addresses.snowflake ?? '',
    'snowflake.account.name': 'LOCAL',
    'snowflake.user.name': LOCAL_USER,
    'snowflake.role.name': 'SYSADMIN',
    'snowflake.private.key.file': keyFiles(plan.dataDir).privateKey,
    'snowflake.autocreate.table.type': 'iceberg',
  }
}

export const offsetsFile = (dataDir: string): string => path.join(dataDir, 'connect.offsets')

export const keyFiles = (dataDir: string) => ({
  privateKey: path.join(dataDir, 'keys/quickstart.p8'),
  publicKey: path.join(dataDir, 'keys/quickstart.pub'),
})

/** Makes the key pair of the embedded endpoint's user, once per data folder. */
export function ensureKeyPair(dataDir: string): void {
  const { privateKey, publicKey } = keyFiles(dataDir)
  if (existsSync(privateKey) && existsSync(publicKey)) return
  mkdirSync(path.dirname(privateKey), { recursive: true })
  const pair = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  })
  writeFileSync(publicKey, pair.publicKey)
  writeFileSync(privateKey, pair.privateKey, { mode: 0o600 })
  chmodSync(privateKey, 0o600)
}

/** The text of a user's file. Throws with the path when it cannot be read. */
export function readConfiguration(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new ConnectError(`--snowflake ${file}`, { cause: error })
  }
}

/** As Java reads properties: backslashes doubled, and what would begin a comment or end a key escaped. */
function render(properties: Properties): string {
  const lines = Object.entries(properties).map(
    ([key, value]) => `${escape(key).replaceAll(/[ :=#!]/g, '\\$&')}=${escape(value)}`,
  )
  return `# Written by the quickstart at every start.\n${lines.join('\n')}\n`
}

const escape = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
