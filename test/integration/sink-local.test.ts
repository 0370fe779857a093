// The sink task against the local endpoint: real HTTP, real driver, real Iceberg tables.
import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type LocalSnowflake, startLocalSnowflake } from '../../connector/local/snowflake/server.ts'
import { systemClock } from '../../connector/runtime/clock.ts'
import { testCredential } from '../support/test-credential.ts'
import { parseSinkConfig } from '../../connector/snowflake/config.ts'
import { sqlConnector, type SqlRow } from '../../connector/snowflake/sql.ts'
import { SnowflakeSinkTask } from '../../connector/snowflake/task.ts'
import { FakeSinkWorker, FakeTopics } from '../support/fake-sink-worker.ts'
import { encodedAvro } from '../support/sink-records.ts'

const SILENT = { trace() {}, debug() {}, info() {}, warn() {}, error() {} }
const TOPIC = 'mta.vehicle.v1'
const TOPIC_ID = 'AAAAAAAAAAAAAAAAAAAAAQ'
const PAIR = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
})
const V1 = {
  type: 'record',
  name: 'Vehicle',
  fields: [
    { name: 'id', type: 'string' },
    { name: 'seen', type: { type: 'long', logicalType: 'timestamp-millis' } },
    { name: 'lat', type: ['null', 'double'], default: null },
    { name: 'day', type: ['null', { type: 'int', logicalType: 'date' }], default: null },
    {
      name: 'anchor',
      type: [
        'null',
        {
          type: 'record',
          name: 'Anchor',
          fields: [
            { name: 'stop', type: ['null', 'string'], default: null },
            { name: 'd0_m', type: 'double' },
          ],
        },
      ],
      default: null,
    },
    { name: 'flags', type: { type: 'array', items: 'string' } },
    { name: 'raw', type: ['null', 'bytes'], default: null },
  ],
}
const V2 = {
  ...V1,
  fields: [...V1.fields, { name: 'speed', type: ['null', 'double'], default: null }],
}

let folder: string
let endpoint: LocalSnowflake
beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'mta-connect-sink-'))
  endpoint = await start()
})
afterEach(async () => {
  await endpoint.close()
  rmSync(folder, { recursive: true, force: true })
})

const start = (port = 0): Promise<LocalSnowflake> =>
  startLocalSnowflake({
    warehouse: path.join(folder, 'warehouse'),
    users: [{ name: 'MTA', publicKeyPem: PAIR.publicKey }],
    log: SILENT,
    port,
  })

const props = (): Record<string, string> => ({
  'snowflake.url.name': endpoint.url,
  'snowflake.user.name': 'MTA',
  'snowflake.role.name': 'SYSADMIN',
  'snowflake.private.key': PAIR.privateKey,
  'snowflake.database.name': 'MTA',
  'snowflake.schema.name': 'RAW',
  'snowflake.topic2table.map': `${TOPIC}:VEHICLE`,
  'snowflake.streaming.linger.ms': '20',
  'snowflake.streaming.status.poll.ms': '100',
})

async function query(sql: string): Promise<readonly SqlRow[]> {
  const config = parseSinkConfig(props())
  const connect = sqlConnector({
    ...config,
    credential: testCredential(config),
    warehouse: undefined,
    timeoutMs: 20_000,
  })
  const { signal } = new AbortController()
  const session = await connect(signal)
  try {
    return await session.execute(sql, signal)
  } finally {
    await session.close()
  }
}

/** Turns the loop until everything is committed. */
async function drain(worker: FakeSinkWorker, untilMs = 15_000): Promise<void> {
  const end = Date.now() + untilMs
  for (let quiet = 0; quiet < 3; ) {
    await worker.step()
    await systemClock.sleep(20)
    quiet = worker.gauges.get('snowflake_sink_uncommitted_records') === 0 ? quiet + 1 : 0
    if (Date.now() > end) throw new Error(`Not drained: ${JSON.stringify(worker.health)}`)
  }
}

function stage(topics: FakeTopics): FakeSinkWorker {
  return new FakeSinkWorker({
    task: new SnowflakeSinkTask(),
    topics,
    props: props(),
    clock: systemClock,
    random: Math.random,
  })
}

const vehicle = (offset: number) => ({
  id: `v${offset}`,
  seen: 1_700_000_000_000 + offset,
  lat: 40.5 + offset / 1_000,
  day: 19_675,
  anchor: offset % 2 === 0 ? { stop: null, d0_m: offset / 8 } : null,
  flags: ['A', `"${offset}"`],
  raw: Buffer.from([1, 2, offset % 256]),
})

describe('SnowflakeSinkTask on the local endpoint', () => {
  test('makes the table, stores every record once, adds a column, and goes on after a restart', async () => {
    const topics = new FakeTopics()
    topics.create(TOPIC, TOPIC_ID, 2)
    const v1 = encodedAvro(V1, 1)
    const v2 = encodedAvro(V2, 2)
    const both = [0, 1].map((partition) => ({ topic: TOPIC, partition }))
    for (const tp of both) {
      for (let i = 0; i < 300; i++)
        topics.append(tp, (o) => ({ key: `k${o}`, encodedValue: v1(vehicle(o)) }))
    }
    const first = stage(topics)
    await first.start(both)
    await drain(first)
    for (const tp of both) {
      topics.append(tp, (o) => ({ encodedValue: v2({ ...vehicle(o), speed: 3.25 }) }))
      topics.append(tp, () => ({ value: null }))
    }
    await drain(first)
    await first.commit()
    expect([...topics.committed.values()]).toEqual([302, 302])
    await first.stop()

    topics.committed.clear()
    const second = stage(topics)
    await second.start(both)
    for (const tp of both) topics.append(tp, (o) => ({ encodedValue: v1(vehicle(o)) }))
    await drain(second)
    await second.stop()

    const counts = await query(
      `SELECT RECORD_METADATA:partition::INT AS P, COUNT(*) AS N, COUNT(DISTINCT RECORD_METADATA:offset::INT) AS D, COUNT(SPEED) AS S FROM MTA.RAW.VEHICLE GROUP BY 1 ORDER BY 1`,
    )
    expect(counts.map((row) => Object.values(row).map(Number))).toEqual([
      [0, 303, 303, 1],
      [1, 303, 303, 1],
    ])
    const [row = {}] = await query(`SELECT * FROM MTA.RAW.VEHICLE WHERE ID = 'v42' LIMIT 1`)
    expect(row).toMatchObject({
      ID: 'v42',
      LAT: 40.542,
      ANCHOR: { stop: null, d0_m: 5.25 },
      FLAGS: ['A', '"42"'],
      RECORD_METADATA: {
        offset: 42,
        topic: TOPIC,
        key: 'k42',
        CreateTime: 1_700_000_000_042,
        LogAppendTime: null,
        headers: null,
        topicId: TOPIC_ID,
      },
    })
    expect([...(row['RAW'] as Buffer)]).toEqual([1, 2, 42])
    expect((row['SEEN'] as Date).getTime()).toBe(1_700_000_000_042)
  }, 60_000)

  test('goes on by itself after the endpoint was away', async () => {
    const topics = new FakeTopics()
    topics.create(TOPIC, TOPIC_ID, 1)
    const tp = { topic: TOPIC, partition: 0 }
    const v1 = encodedAvro(V1, 1)
    const produce = (count: number): void => {
      for (let i = 0; i < count; i++) {
        topics.append(tp, (o) => ({ encodedValue: v1(vehicle(o)) }))
      }
    }
    const worker = stage(topics)
    await worker.start([tp])
    produce(100)
    await drain(worker)
    produce(100)
    await worker.step()
    const port = Number(new URL(endpoint.url).port)
    await endpoint.close()
    for (let i = 0; i < 50; i++) {
      produce(2)
      await worker.step()
      await systemClock.sleep(20)
    }
    expect(worker.health?.state).toBe('DEGRADED')
    endpoint = await start(port)
    await drain(worker, 30_000)
    expect(worker.health).toBeNull()
    await worker.stop()
    const [row = {}] = await query(
      `SELECT COUNT(*) AS N, COUNT(DISTINCT RECORD_METADATA:offset::INT) AS D FROM MTA.RAW.VEHICLE`,
    )
    expect(Object.values(row).map(Number)).toEqual([300, 300])
  }, 60_000)
})
