// The whole pipeline as processes of its own of which any can be away: registry, broker, Snowflake endpoint, worker.
import { generateKeyPairSync } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { confluentClients } from '../../connector/kafka/confluent.ts'
import { freePort } from '../../connector/local/ports.ts'
import { startApacheKafka, type TestBroker } from './kafka-broker.ts'
import { type Service, service } from './service.ts'
import { connectDriver, type Row } from './snowflake-driver.ts'
import { until } from './quickstart.ts'
import { taskStates } from './worker-view.ts'

/** Of the source connector. */
export const VEHICLES = 'mta.vehicle_position.v1'
/** Of a producer of the test's own. */
export const LOAD = 'outage.load.v1'
export const PARTITIONS = 3
const USER = 'OUTAGE'
const TABLES = { [VEHICLES]: 'VEHICLES', [LOAD]: 'LOAD_ROWS' } as const
export type StageTopic = keyof typeof TABLES

export interface StageOptions {
  /** A real Apache Kafka instead of the embedded broker; it runs already when the stage is set. */
  readonly isRealKafka?: boolean
  /** Base URL of feeds: the worker then has a source connector too. */
  readonly feeds?: string
  /** Where the endpoint keeps its tables, e.g. a disk that is small. */
  readonly warehouse?: string
  readonly worker?: Readonly<Record<string, string>>
  readonly source?: Readonly<Record<string, string>>
  readonly sink?: Readonly<Record<string, string>>
}

export interface OutageStage {
  readonly folder: string
  /** Of the worker's REST API. */
  readonly url: string
  readonly registryUrl: string
  readonly bootstrapServers: string
  /** Of the endpoint: `/faults`. */
  readonly adminUrl: string
  readonly registry: Service
  readonly broker: Pick<Service, 'start' | 'kill' | 'stop'>
  readonly endpoint: Service
  readonly worker: Service
  /** What each partition's rows are, by topic id; read by SQL from the topic's table. */
  rows(topic: StageTopic): Promise<readonly StoredRows[]>
  query(sql: string): Promise<readonly Row[]>
  /** The next offset of each partition, asked from the broker. */
  ends(topic: StageTopic): Promise<readonly number[]>
  /** Ends every process and removes all files. */
  close(): Promise<void>
}

export interface StoredRows {
  readonly topicId: string
  readonly partition: number
  readonly rows: number
  readonly distinct: number
  readonly min: number
  readonly max: number
}

/** Writes all configuration; nothing runs yet, except a real Kafka. */
export async function setOutageStage(options: StageOptions = {}): Promise<OutageStage> {
  const folder = mkdtempSync(path.join(tmpdir(), 'mta-connect-outage-'))
  const log = (name: string): string => path.join(folder, 'logs', `${name}.log`)
  mkdirSync(path.join(folder, 'logs'))
  const privateKeyPem = writeKeys(folder)
  const ports = {
    registry: await freePort(0),
    broker: await freePort(0),
    endpoint: await freePort(0),
    admin: await freePort(0),
    worker: await freePort(0),
  }
  const apache = options.isRealKafka === true ? await startApacheKafka() : undefined
  const bootstrapServers = apache?.bootstrapServers ?? `127.0.0.1:${ports.broker}`
  const urls = {
    registry: `http://127.0.0.1:${ports.registry}`,
    endpoint: `http://127.0.0.1:${ports.endpoint}`,
    worker: `http://127.0.0.1:${ports.worker}`,
  }
  const files = writeConfiguration({ folder, bootstrapServers, urls, options })
  const registry = service(
    'registry',
    ['--port', String(ports.registry), '--data-dir', path.join(folder, 'registry')],
    log('registry'),
  )
  const embedded = service(
    'local-broker',
    ['--port', String(ports.broker), '--topics', `${VEHICLES}:${PARTITIONS},${LOAD}:${PARTITIONS}`],
    log('broker'),
  )
  const endpoint = service(
    'snowflake-local',
    [
      ['--port', String(ports.endpoint)],
      ['--admin-port', String(ports.admin)],
      ['--data-dir', options.warehouse ?? path.join(folder, 'warehouse')],
      ['--user', USER],
      ['--public-key', path.join(folder, 'key.pub')],
    ].flat(),
    log('endpoint'),
  )
  const worker = service('connect-standalone', files, log('worker'))
  const session = { url: urls.endpoint, user: USER, privateKeyPem }
  const broker = apache === undefined ? embedded : asService(apache)
  return {
    folder,
    url: urls.worker,
    registryUrl: urls.registry,
    bootstrapServers,
    adminUrl: `http://127.0.0.1:${ports.admin}/faults`,
    registry,
    broker,
    endpoint,
    worker,
    rows: (topic) => storedRows(session, `MTA.OUTAGE.${TABLES[topic]}`),
    query: (sql) => query(session, sql),
    ends: (topic) => endOffsets(bootstrapServers, topic),
    close: async () => {
      await worker.kill()
      await Promise.all([endpoint.kill(), registry.kill(), broker.stop()])
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** A real Kafka runs from the beginning; `start` brings it back. */
const asService = (apache: TestBroker): Pick<Service, 'start' | 'kill' | 'stop'> => ({
  start: () => apache.restart(),
  kill: () => apache.kill(),
  stop: () => apache.stop(),
})

function writeKeys(folder: string): string {
  const pair = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  })
  writeFileSync(path.join(folder, 'key.p8'), pair.privateKey)
  writeFileSync(path.join(folder, 'key.pub'), pair.publicKey)
  return pair.privateKey
}

interface Plan {
  readonly folder: string
  readonly bootstrapServers: string
  readonly urls: { readonly registry: string; readonly endpoint: string; readonly worker: string }
  readonly options: StageOptions
}

function writeConfiguration({ folder, bootstrapServers, urls, options }: Plan): readonly string[] {
  const patient = { 'errors.retry.timeout': '-1', 'errors.retry.delay.max.ms': '2000' }
  const files = {
    'connect.properties': {
      'bootstrap.servers': bootstrapServers,
      listeners: urls.worker,
      'key.converter': 'org.apache.kafka.connect.storage.StringConverter',
      'value.converter': 'io.confluent.connect.avro.AvroConverter',
      'value.converter.schema.registry.url': urls.registry,
      'offset.storage.file.filename': path.join(folder, 'connect.offsets'),
      'offset.flush.interval.ms': '2000',
      'consumer.session.timeout.ms': '6000',
      'rest.extension.classes': 'MtaUiExtension',
      ...(options.isRealKafka !== true && { 'consumer.group.protocol': 'consumer' }),
      ...options.worker,
    },
    'sink.properties': {
      name: 'outage-sink',
      'connector.class': 'SnowflakeSinkConnector',
      'tasks.max': String(PARTITIONS),
      ...patient,
      topics: Object.keys(TABLES).join(','),
      'snowflake.topic2table.map': Object.entries(TABLES)
        .map((pair) => pair.join(':'))
        .join(','),
      'snowflake.url.name': urls.endpoint,
      'snowflake.account.name': 'LOCAL',
      'snowflake.user.name': USER,
      'snowflake.role.name': 'SYSADMIN',
      'snowflake.database.name': 'MTA',
      'snowflake.schema.name': 'OUTAGE',
      'snowflake.private.key.file': path.join(folder, 'key.p8'),
      'snowflake.autocreate.table.type': 'iceberg',
      'snowflake.streaming.retry.backoff.max.ms': '2000',
      ...options.sink,
    },
    ...(options.feeds !== undefined && {
      'source.properties': {
        name: 'outage-source',
        'connector.class': 'MtaSourceConnector',
        'tasks.max': '1',
        ...patient,
        feeds: 'mta-subway-l,mta-subway-g',
        'feeds.base.url': options.feeds,
        'feed.defaults.poll.interval.ms': '1000',
        // Everything that the source counts is then in the one topic that is read back.
        'record.kinds': 'vehicle',
        'feed.poll.records': 'false',
        ...(options.isRealKafka === true && {
          'topic.creation.default.partitions': String(PARTITIONS),
          'topic.creation.default.replication.factor': '1',
        }),
        ...options.source,
      },
    }),
  }
  return Object.entries(files).map(([name, properties]) => {
    const file = path.join(folder, name)
    const lines = Object.entries(properties).map(([key, value]) => `${key}=${value}\n`)
    writeFileSync(file, lines.join(''))
    return file
  })
}

/** Of the local endpoint. */
export interface Session {
  readonly url: string
  readonly user: string
  readonly privateKeyPem: string
}

/** Runs a statement by Snowflake's driver in a session of its own. */
export async function query(session: Session, sql: string): Promise<readonly Row[]> {
  const driver = await connectDriver(session)
  try {
    return await driver.execute(sql)
  } finally {
    await driver.close()
  }
}

/** Which records of Kafka the rows of a table are; `table` as `DB.SCHEMA.TABLE`. */
export async function storedRows(session: Session, table: string): Promise<readonly StoredRows[]> {
  const offset = 'RECORD_METADATA:offset::INT'
  const rows = await query(
    session,
    `SELECT RECORD_METADATA:topicId::STRING AS ID, RECORD_METADATA:partition::INT AS P, COUNT(*) AS N, COUNT(DISTINCT ${offset}) AS D, MIN(${offset}) AS LOW, MAX(${offset}) AS HIGH FROM ${table} GROUP BY 1, 2 ORDER BY 1, 2`,
  )
  return rows.map((row) => ({
    topicId: String(row['ID']),
    partition: Number(row['P']),
    rows: Number(row['N']),
    distinct: Number(row['D']),
    min: Number(row['LOW']),
    max: Number(row['HIGH']),
  }))
}

const LIMIT_MS = 10_000

async function endOffsets(bootstrapServers: string, topic: StageTopic): Promise<readonly number[]> {
  const consumer = confluentClients.consumer(
    { 'bootstrap.servers': bootstrapServers },
    { log: () => undefined, statistics: () => undefined },
  )
  await consumer.connect(AbortSignal.timeout(LIMIT_MS))
  try {
    const partitions = Array.from({ length: PARTITIONS }, (_, partition) => partition)
    const bounds = await Promise.all(
      partitions.map((partition) => consumer.logBounds({ topic, partition }, LIMIT_MS)),
    )
    return bounds.map(({ end }) => end)
  } finally {
    await consumer.close()
  }
}

/** Waits until the table holds that many different records; resolves with what it then holds. */
export function storedAtLeast(
  stage: OutageStage,
  topic: StageTopic,
  records: number,
): Promise<readonly StoredRows[]> {
  return until(`${records} rows`, 60_000, async () => {
    const stored = await stage.rows(topic).catch(() => []) // There is no table yet, or the endpoint is starting.
    return stored.reduce((sum, { distinct }) => sum + distinct, 0) >= records ? stored : undefined
  })
}

/** Resolves once every task runs. */
export async function allRunning(stage: OutageStage): Promise<readonly string[]> {
  return until('every task RUNNING', 60_000, async () => {
    const states = await taskStates(stage.url)
    return states.length > 0 && states.every((state) => state.endsWith(': RUNNING'))
      ? states
      : undefined
  })
}
