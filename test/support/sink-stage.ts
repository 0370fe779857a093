// A sink connector over a broker, a registry and the local endpoint, each in a process of its own, for chaos and benchmarks.
import { generateKeyPairSync } from 'node:crypto'
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { freePort } from '../../connector/local/ports.ts'
import { startLocalRegistry } from '../../connector/local/registry/server.ts'
import { systemClock } from '../../connector/runtime/clock.ts'
import { committedRecords, getText } from './quickstart.ts'
import { startApacheKafka } from './kafka-broker.ts'
import { type Part, startPart } from './processes.ts'

export const TOPIC = 'chaos.v1'
export const PARTITIONS = 4
const CONNECTOR = 'chaos-sink'

export interface Stage {
  readonly folder: string
  readonly bootstrapServers: string
  readonly registryUrl: string
  readonly ports: { readonly worker: number; readonly snowflake: number; readonly admin: number }
  close(): Promise<void>
}

/** Broker and registry run, and the properties of worker and sink are written; endpoint and worker are the caller's to start. */
export async function setStage(isReal: boolean): Promise<Stage> {
  const folder = mkdtempSync(path.join(tmpdir(), 'mta-connect-chaos-'))
  mkdirSync(path.join(folder, 'logs'))
  const pair = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  })
  writeFileSync(path.join(folder, 'key.p8'), pair.privateKey)
  writeFileSync(path.join(folder, 'key.pub'), pair.publicKey)
  const registry = await startLocalRegistry({
    port: 0,
    host: '127.0.0.1',
    dataDir: path.join(folder, 'registry'),
    clock: systemClock,
    log: SILENT,
  })
  const broker = isReal ? await startApacheKafka() : await embeddedBroker(folder)
  const ports = {
    worker: await freePort(0),
    snowflake: await freePort(0),
    admin: await freePort(0),
  }
  const stage: Stage = {
    folder,
    bootstrapServers: broker.bootstrapServers,
    registryUrl: registry.url,
    ports,
    close: async () => {
      await broker.stop()
      await registry.close()
    },
  }
  writeProperties(stage, isReal)
  return stage
}

async function embeddedBroker(folder: string) {
  const port = await freePort(0)
  const args = ['--port', String(port), '--topics', `${TOPIC}:${PARTITIONS}`]
  const part = await startPart('local-broker', args, path.join(folder, 'logs/broker.log'))
  return { bootstrapServers: `127.0.0.1:${port}`, stop: () => part.stop() }
}

function writeProperties(
  { folder, bootstrapServers, registryUrl, ports }: Omit<Stage, 'close'>,
  isReal: boolean,
): void {
  const worker = {
    'bootstrap.servers': bootstrapServers,
    listeners: `http://127.0.0.1:${ports.worker}`,
    'key.converter': 'org.apache.kafka.connect.storage.StringConverter',
    'value.converter': 'io.confluent.connect.avro.AvroConverter',
    'value.converter.schema.registry.url': registryUrl,
    'offset.storage.file.filename': path.join(folder, 'connect.offsets'),
    'offset.flush.interval.ms': '2000',
    'consumer.session.timeout.ms': '6000',
    ...(!isReal && { 'consumer.group.protocol': 'consumer' }),
  }
  const sink = {
    name: CONNECTOR,
    'connector.class': 'SnowflakeSinkConnector',
    'tasks.max': String(PARTITIONS),
    'errors.retry.timeout': '-1',
    topics: TOPIC,
    'snowflake.topic2table.map': `${TOPIC}:CHAOS`,
    'snowflake.url.name': `http://127.0.0.1:${ports.snowflake}`,
    'snowflake.account.name': 'LOCAL',
    'snowflake.user.name': 'CHAOS',
    'snowflake.role.name': 'SYSADMIN',
    'snowflake.database.name': 'MTA',
    'snowflake.schema.name': 'CHAOS',
    'snowflake.private.key.file': path.join(folder, 'key.p8'),
    'snowflake.autocreate.table.type': 'iceberg',
  }
  write(path.join(folder, 'connect.properties'), worker)
  write(path.join(folder, 'sink.properties'), sink)
}

const write = (file: string, properties: Readonly<Record<string, string>>): void =>
  writeFileSync(
    file,
    Object.entries(properties)
      .map(([key, value]) => `${key}=${value}\n`)
      .join(''),
  )

export function startEndpoint({ folder, ports }: Stage): Promise<Part> {
  const args = [
    ['--port', String(ports.snowflake)],
    ['--admin-port', String(ports.admin)],
    ['--data-dir', path.join(folder, 'warehouse')],
    ['--user', 'CHAOS'],
    ['--public-key', path.join(folder, 'key.pub')],
  ].flat()
  return startPart('snowflake-local', args, path.join(folder, 'logs/snowflake.log'))
}

export function startWorker({ folder }: Stage): Promise<Part> {
  const files = ['connect.properties', 'sink.properties'].map((name) => path.join(folder, name))
  return startPart('connect-standalone', files, path.join(folder, 'logs/worker.log'))
}

/** Records that Snowflake has committed, as the sink shows it. */
export async function committedRows({ ports }: Stage): Promise<number> {
  return committedRecords(await getText(`http://127.0.0.1:${ports.worker}/metrics`))
}

const nothing = (): void => undefined
const SILENT = { trace: nothing, debug: nothing, info: nothing, warn: nothing, error: nothing }
