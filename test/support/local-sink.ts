// The sink task on the local endpoint: real HTTP, real driver, real Iceberg tables; Kafka alone is in memory.
import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type LocalSnowflake, startLocalSnowflake } from '../../connector/local/snowflake/server.ts'
import { systemClock } from '../../connector/runtime/clock.ts'
import { SnowflakeSinkTask } from '../../connector/snowflake/task.ts'
import { FakeSinkWorker, type FakeTopics } from './fake-sink-worker.ts'
import { connectDriver, type Row } from './snowflake-driver.ts'

const SILENT = { trace() {}, debug() {}, info() {}, warn() {}, error() {} }
const PAIR = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
})

export class LocalSink {
  readonly #folder: string
  readonly #endpoint: LocalSnowflake

  private constructor(folder: string, endpoint: LocalSnowflake) {
    this.#folder = folder
    this.#endpoint = endpoint
  }

  static async start(): Promise<LocalSink> {
    const folder = mkdtempSync(path.join(tmpdir(), 'mta-connect-sink-'))
    const endpoint = await startLocalSnowflake({
      warehouse: path.join(folder, 'warehouse'),
      users: [{ name: 'MTA', publicKeyPem: PAIR.publicKey }],
      log: SILENT,
      port: 0,
    })
    return new LocalSink(folder, endpoint)
  }

  async close(): Promise<void> {
    await this.#endpoint.close()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  props(more: Readonly<Record<string, string>> = {}): Record<string, string> {
    return {
      'snowflake.url.name': this.#endpoint.url,
      'snowflake.user.name': 'MTA',
      'snowflake.role.name': 'SYSADMIN',
      'snowflake.private.key': PAIR.privateKey,
      'snowflake.database.name': 'MTA',
      'snowflake.schema.name': 'RAW',
      'snowflake.streaming.linger.ms': '20',
      'snowflake.streaming.status.poll.ms': '100',
      ...more,
    }
  }

  /** Runs statements one after the other; the rows of the last one. */
  async query(...statements: readonly string[]): Promise<readonly Row[]> {
    const { url } = this.#endpoint
    const session = await connectDriver({ url, user: 'MTA', privateKeyPem: PAIR.privateKey })
    try {
      let rows: readonly Row[] = []
      for (const sql of statements) rows = await session.execute(sql)
      return rows
    } finally {
      await session.close()
    }
  }

  worker(topics: FakeTopics, more: Readonly<Record<string, string>> = {}): FakeSinkWorker {
    return new FakeSinkWorker({
      task: new SnowflakeSinkTask(),
      topics,
      props: this.props(more),
      clock: systemClock,
      random: Math.random,
    })
  }
}

/** Turns the workers' loops until `isDone` three times in a row. */
export async function turnUntil(
  workers: readonly FakeSinkWorker[],
  isDone: () => boolean = () => workers.every(isDrained),
  limitMs = 20_000,
): Promise<void> {
  const end = systemClock.now() + limitMs
  for (let quiet = 0; quiet < 3; ) {
    for (const worker of workers) await worker.step()
    await systemClock.sleep(20)
    quiet = isDone() ? quiet + 1 : 0
    if (systemClock.now() > end) {
      throw new Error(`Not done: ${JSON.stringify(workers.map((worker) => worker.health))}`)
    }
  }
}

export const isDrained = (worker: FakeSinkWorker): boolean =>
  worker.gauges.get('snowflake_sink_uncommitted_records') === 0
