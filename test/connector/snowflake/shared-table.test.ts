import { generateKeyPairSync } from 'node:crypto'
import { expect, describe, test } from 'vitest'
import { FakeSql } from '../../support/fake-sql.ts'
import { encodedAvro } from '../../support/sink-records.ts'
import { SINK_TOPIC, SinkWorld } from '../../support/sink-world.ts'
import type { FakeSinkWorker } from '../../support/fake-sink-worker.ts'

const CREATES = {
  'snowflake.autocreate.table.type': 'iceberg',
  'snowflake.iceberg.create.table.options': "EXTERNAL_VOLUME = 'V'",
  'snowflake.schema.evolution': 'add',
}
const ride = encodedAvro({ type: 'record', name: 'Ride', fields: [{ name: 'n', type: 'int' }] }, 1)
const otherKey = (): string =>
  generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  }).privateKey

interface Part {
  readonly world: SinkWorld
  readonly worker: FakeSinkWorker
  readonly sql: FakeSql
}

/** A task whose SQL goes its own way, so that a test sees by whose connection statements come. */
async function part(props: Readonly<Record<string, string>> = {}): Promise<Part> {
  const world = new SinkWorld({ partitions: 1, props: { ...CREATES, ...props } })
  const sql = new FakeSql()
  const worker = world.worker({ sql: () => sql.connect, sharesTables: true })
  await worker.start(world.partitions)
  return { world, worker, sql }
}

async function writes({ world, worker }: Part): Promise<void> {
  world.topics.append({ topic: SINK_TOPIC, partition: 0 }, () => ({ encodedValue: ride({ n: 1 }) }))
  expect(await world.drains(worker, 100)).toBe(true)
}

describe('the table of several tasks', () => {
  test('is looked at once for all of them', async () => {
    const first = await part()
    const second = await part()
    await writes(first)
    await writes(second)
    expect([first.sql.sessions, second.sql.sessions]).toEqual([1, 0])
    await first.worker.stop()
    await second.worker.stop()
  })

  test('is looked at anew once all of them were stopped', async () => {
    const first = await part()
    const second = await part()
    await writes(first)
    await first.worker.stop()
    const third = await part()
    await writes(third)
    expect(third.sql.sessions).toBe(0)
    await second.worker.stop()
    await third.worker.stop()
    const fourth = await part()
    await writes(fourth)
    expect(fourth.sql.sessions).toBe(1)
    await fourth.worker.stop()
  })

  test.each([
    ['key', { 'snowflake.private.key': otherKey() }],
    ['warehouse', { 'snowflake.warehouse.name': 'OTHER' }],
    ['time limit', { 'snowflake.sql.timeout.ms': '12345' }],
  ])('is not shared with a task that has another %s', async (_what, props) => {
    const first = await part()
    const second = await part(props)
    await writes(first)
    await writes(second)
    expect([first.sql.sessions, second.sql.sessions]).toEqual([1, 1])
    await first.worker.stop()
    await second.worker.stop()
  })
})
