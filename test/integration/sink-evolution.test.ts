// The whole life of a subject at BACKWARD and of its table: registry, converter, two tasks with two partitions each, and
// the local endpoint. Writers of several versions write at once.
import { createRequire } from 'node:module'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { EncodedAvro } from '../../connector/api/encoded-avro.ts'
import { converters } from '../support/avro-converters.ts'
import { type FakeSinkWorker, FakeTopics } from '../support/fake-sink-worker.ts'
import { isDrained, LocalSink, turnUntil } from '../support/local-sink.ts'
import { startTestRegistry, type TestRegistry } from '../support/registry.ts'
import type { Row } from '../support/snowflake-driver.ts'

const avsc = createRequire(import.meta.url)('avsc') as typeof import('avsc')
const TOPIC = 'rides'
const SUBJECT = `${TOPIC}-value`
const CHANGED = 'info Table was changed for a new schema version.'
const { converter } = converters()

type Field = Readonly<Record<string, unknown>>
interface Version {
  readonly id: number
  readonly schema: object
}

const optional = (name: string, type: unknown, more: Field = {}): Field => ({
  name,
  type: ['null', type],
  default: null,
  ...more,
})
const millis = (logicalType: string): Field => ({ type: 'long', logicalType })
const seen = (logicalType: string): Field => ({ name: 'seen', type: millis(logicalType) })
const place = (...more: readonly Field[]): Field => ({
  name: 'place',
  type: { type: 'record', name: 'Place', fields: [{ name: 'lat', type: 'double' }, ...more] },
})
const ID = { name: 'id', type: 'string' }
const NOTE = optional('note', 'string')
const GONE = optional('gone', 'string')
const SPEED = optional('speed', 'double')
const count = (type: string): Field => ({ name: 'n', type })
const BEARING = optional('bearing', 'float')

let sink: LocalSink
let registry: TestRegistry
let topics: FakeTopics
let workers: readonly FakeSinkWorker[]
const partitions = [0, 1, 2, 3].map((partition) => ({ topic: TOPIC, partition }))

beforeEach(async () => {
  sink = await LocalSink.start()
  registry = await startTestRegistry()
  await registry.call('PUT', `/config/${SUBJECT}`, { compatibility: 'BACKWARD' })
  topics = new FakeTopics()
  topics.create(TOPIC, 'AAAAAAAAAAAAAAAAAAAAAQ', partitions.length)
  workers = [sink.worker(topics), sink.worker(topics)]
  for (const [i, worker] of workers.entries())
    await worker.start(partitions.slice(i * 2, i * 2 + 2))
})
afterEach(async () => {
  for (const worker of workers) await worker.stop()
  await registry.remove()
  await sink.close()
})

const register = (fields: readonly Field[]) => {
  const schema = { type: 'record', name: 'Ride', fields }
  const body = { schema: JSON.stringify(schema) }
  return registry
    .call('POST', `/subjects/${SUBJECT}/versions`, body)
    .then((answer) => ({ status: answer.status, id: Number(answer.body.id), schema }))
}

/** Through the converter, as the worker does: what the sink gets is bytes with the writer's schema. */
async function encoded({ id, schema }: Version, value: object): Promise<EncodedAvro> {
  const type = avsc.Type.forSchema(schema as Parameters<typeof avsc.Type.forSchema>[0])
  const head = Buffer.alloc(5)
  head.writeUInt32BE(id, 1)
  const made = converter(registry.url)
  const data = await made.toConnectData(TOPIC, [], Buffer.concat([head, type.toBuffer(value)]))
  if (data.encoded === undefined) throw new Error('Expected bytes')
  return data.encoded
}

const VALUE = { gone: 'g', note: 'old', remark: 'new', speed: 1.5, seen: 1_700_000_000_000 }

/** Records of each version in turn, into each of `to`. */
async function produce(versions: readonly Version[], rounds = 20, to = partitions): Promise<void> {
  const parts = await Promise.all(
    versions.map((version) =>
      encoded(version, { id: `v${version.id}`, n: 7, place: { lat: 40.5, bearing: 90 }, ...VALUE }),
    ),
  )
  for (let round = 0; round < rounds; round++) {
    for (const tp of to)
      for (const value of parts) topics.append(tp, () => ({ encodedValue: value }))
  }
}

const changes = (): number =>
  workers.flatMap(({ logged }) => logged).filter((line) => line === CHANGED).length
const columns = async (): Promise<Readonly<Record<string, string>>> =>
  Object.fromEntries(
    (await sink.query('DESCRIBE TABLE MTA.RAW.RIDES')).map((row) => [row['name'], row['type']]),
  )
const one = async (version: Version): Promise<Row | undefined> =>
  (await sink.query(`SELECT * FROM MTA.RAW.RIDES WHERE ID = 'v${version.id}' LIMIT 1`))[0]

/** Every record of every partition is in the table once. */
async function expectAllOnce(): Promise<void> {
  const rows = await sink.query(
    'SELECT RECORD_METADATA:partition::INT AS P, COUNT(*) AS N, COUNT(DISTINCT RECORD_METADATA:offset::INT) AS D FROM MTA.RAW.RIDES GROUP BY 1 ORDER BY 1',
  )
  expect(rows.map((row) => [row['P'], row['N'], row['D']].map(Number))).toEqual(
    partitions.map((tp) => [tp.partition, topics.log(tp).end, topics.log(tp).end]),
  )
}

describe('a table over the life of its subject', () => {
  test('follows what the registry allows, one statement per change, and stops a partition at what it cannot hold', async () => {
    const instant = seen('timestamp-millis')
    const v1 = await register([ID, count('int'), place(), NOTE, GONE, instant])
    await produce([v1])
    await turnUntil(workers)

    const v2 = await register([ID, count('int'), place(), NOTE, GONE, instant, SPEED])
    await produce([v2, v1])
    await turnUntil(workers)
    expect(changes()).toBe(1)

    const v3 = await register([ID, count('long'), place(), NOTE, GONE, instant, SPEED])
    await produce([v1, v3, v2])
    await turnUntil(workers)
    expect(changes()).toBe(2)

    const v4 = await register([ID, count('long'), place(BEARING), NOTE, GONE, instant, SPEED])
    await produce([v3, v1, v4, v2])
    await turnUntil(workers)
    expect(changes()).toBe(3)

    const v5 = await register([ID, count('long'), place(BEARING), NOTE, instant, SPEED])
    await produce([v5, v1])
    await turnUntil(workers)
    expect(changes()).toBe(3)

    const remark = optional('remark', 'string', { aliases: ['note'] })
    const v6 = await register([ID, count('long'), place(BEARING), remark, instant, SPEED])
    await produce([v6, v5])
    await turnUntil(workers)
    expect(changes()).toBe(4)

    const refused = await register([ID, count('string'), place(BEARING), remark, instant, SPEED])
    expect([v1, v2, v3, v4, v5, v6, refused].map(({ status }) => status)).toEqual([
      ...Array.from({ length: 6 }, () => 200),
      409,
    ])
    await expectAllOnce()
    expect(await columns()).toMatchObject({
      N: 'NUMBER(19,0)',
      SPEED: 'FLOAT',
      NOTE: expect.stringMatching(/^VARCHAR/),
      REMARK: expect.stringMatching(/^VARCHAR/),
    })
    expect(await one(v1)).toMatchObject({ NOTE: 'old', GONE: 'g', SPEED: null, REMARK: null })
    expect(await one(v4)).toMatchObject({ PLACE: { lat: 40.5, bearing: 90 }, SPEED: 1.5 })
    expect(await one(v5)).toMatchObject({ NOTE: 'old', GONE: null })
    expect(await one(v6)).toMatchObject({ NOTE: null, REMARK: 'new' })
    const [late] = await sink.query(
      "SELECT PLACE FROM MTA.RAW.RIDES WHERE ID = 'v1' ORDER BY RECORD_METADATA:offset::INT DESC LIMIT 1",
    )
    expect(late).toEqual({ PLACE: { lat: 40.5, bearing: null } })

    const local = seen('local-timestamp-millis')
    const v8 = await register([ID, count('long'), place(BEARING), remark, local, SPEED])
    expect(v8.status).toBe(200)
    await produce([v8], 1, partitions.slice(0, 1))
    await produce([v6])
    await turnUntil(
      workers,
      () => workers[0]?.health !== null && isDrained(workers[1] as FakeSinkWorker),
    )
    await turnUntil(
      workers,
      () => workers[0]?.gauges.get('snowflake_sink_uncommitted_records') === 21,
    )
    expect(workers[0]?.health).toMatchObject({
      state: 'DEGRADED',
      message: expect.stringMatching(
        /rides-0: .*Ride \(schema \d+\) does not fit table MTA\.RAW\.RIDES: SEEN is TIMESTAMP_LTZ\(6\) in the table and TIMESTAMP_NTZ\(6\) in the schema/,
      ),
    })
    const [rest] = await sink.query(
      'SELECT COUNT(*) AS N FROM MTA.RAW.RIDES WHERE RECORD_METADATA:partition::INT > 0',
    )
    const ends = partitions.slice(1).map((tp) => topics.log(tp).end)
    expect(Number(rest?.['N'])).toBe(ends.reduce((sum, end) => sum + end))
    expect(changes()).toBe(4)
  }, 120_000)
})
