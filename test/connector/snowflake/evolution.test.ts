import { describe, expect, test } from 'vitest'
import type { FakeSinkWorker } from '../../support/fake-sink-worker.ts'
import { FakeSql } from '../../support/fake-sql.ts'
import { encodedAvro } from '../../support/sink-records.ts'
import { SINK_TOPIC, SinkWorld } from '../../support/sink-world.ts'

const PROPS = {
  'snowflake.autocreate.table.type': 'iceberg',
  'snowflake.iceberg.create.table.options': "EXTERNAL_VOLUME = 'V'",
  'snowflake.schema.evolution': 'add',
}
const ride = (fields: readonly object[]) => ({ type: 'record', name: 'Ride', fields })
const place = (...fields: readonly object[]) => ({
  name: 'place',
  type: { type: 'record', name: 'Place', fields: [{ name: 'lat', type: 'double' }, ...fields] },
})
const SPEED = { name: 'speed', type: ['null', 'double'], default: null }
const V1 = encodedAvro(ride([place()]), 1)
const V2 = encodedAvro(ride([place(SPEED)]), 2)
const V3 = encodedAvro(ride([place(), SPEED]), 3)
const OTHER = encodedAvro(ride([{ name: 'place', type: 'string' }]), 4)

interface Stage {
  readonly world: SinkWorld
  readonly worker: FakeSinkWorker
  readonly sql: FakeSql
  readonly put: (partition: number, make: typeof V1, value: object) => void
  readonly turns: (count: number) => Promise<void>
  readonly alters: () => readonly string[]
}

/** Two partitions with a row each, committed. */
async function running(): Promise<Stage> {
  const world = new SinkWorld({ partitions: 2, props: PROPS })
  const sql = new FakeSql()
  const worker = world.worker({ sql: () => sql.connect })
  await worker.start(world.partitions)
  const stage: Stage = {
    world,
    worker,
    sql,
    put: (partition, make, value) =>
      void world.topics.append({ topic: SINK_TOPIC, partition }, () => ({
        encodedValue: make(value),
      })),
    turns: async (count) => {
      for (let i = 0; i < count; i++) await world.turn(worker, 100)
    },
    alters: () => sql.statements.filter((statement) => statement.startsWith('ALTER')),
  }
  for (const partition of [0, 1]) stage.put(partition, V1, { place: { lat: 1 } })
  expect(await world.drains(worker)).toBe(true)
  return stage
}

describe('a change of the table', () => {
  test('of a nested field waits until the rows of all partitions are committed, and none is made meanwhile', async () => {
    const { world, worker, put, turns, alters } = await running()
    put(1, V1, { place: { lat: 2 } })
    await turns(5)
    put(0, V2, { place: { lat: 3, speed: 4 } })
    await turns(5)
    put(1, V1, { place: { lat: 5 } })
    await turns(20)
    expect(alters()).toEqual([])
    expect(world.rows(1)).toHaveLength(1)
    world.snowpipe.commit()
    await turns(20)
    expect(alters()).toEqual([
      'ALTER ICEBERG TABLE "MTA"."RAW"."RIDES" ALTER COLUMN "PLACE" SET DATA TYPE OBJECT(lat DOUBLE, speed DOUBLE)',
    ])
    expect(world.rows(1)).toHaveLength(2)
    expect(await world.drains(worker)).toBe(true)
    expect(world.rows(1).at(-1)).toMatchObject({ PLACE: { lat: 5, speed: null } })
  })

  test('that only adds a column waits for its own partition alone', async () => {
    const { put, turns, alters } = await running()
    put(1, V1, { place: { lat: 2 } })
    await turns(5)
    put(0, V3, { place: { lat: 3 }, speed: 4 })
    await turns(5)
    expect(alters()).toHaveLength(1)
  })

  test('gives up for a while when a partition commits nothing, so that the others go on', async () => {
    const { world, worker, put, turns, alters } = await running()
    world.snowpipe.isFrozen = true
    put(1, V1, { place: { lat: 2 } })
    await turns(5)
    put(0, V2, { place: { lat: 3, speed: 4 } })
    await turns(600)
    expect(alters()).toEqual([])
    expect(worker.health?.state).toBe('DEGRADED')
    world.snowpipe.isFrozen = false
    expect(await world.drains(worker)).toBe(true)
    expect(alters()).toHaveLength(1)
  })

  test('that is impossible stops its partition alone, and is tried again once the table was mended', async () => {
    const { world, worker, sql, put, turns } = await running()
    put(0, OTHER, { place: 'here' })
    put(1, V1, { place: { lat: 2 } })
    for (let i = 0; i < 10; i++) {
      await turns(20)
      world.snowpipe.commit()
    }
    expect(worker.health?.message).toContain(
      'Ride (schema 4) does not fit table MTA.RAW.RIDES: PLACE is OBJECT(lat DOUBLE) in the table and STRING in the schema',
    )
    expect(world.rows(1)).toHaveLength(2)
    expect(world.rows(0)).toHaveLength(1)
    sql.tables.get('"MTA"."RAW"."RIDES"')?.set('PLACE', 'STRING')
    expect(await world.drains(worker)).toBe(true)
    expect(worker.health).toBeNull()
  })
})
