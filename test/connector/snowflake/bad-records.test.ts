import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { FakeSql } from '../../support/fake-sql.ts'
import { encodedAvro } from '../../support/sink-records.ts'
import { SINK_TOPIC, SinkWorld } from '../../support/sink-world.ts'
import type { FakeSinkWorker } from '../../support/fake-sink-worker.ts'

const TP = { topic: SINK_TOPIC, partition: 0 }
const CREATES = {
  'errors.tolerance': 'all',
  'snowflake.autocreate.table.type': 'iceberg',
  'snowflake.iceberg.create.table.options': "EXTERNAL_VOLUME = 'V'",
  'snowflake.schema.evolution': 'add',
}
const ride = encodedAvro({ type: 'record', name: 'Ride', fields: [{ name: 'n', type: 'int' }] }, 1)
const longer = encodedAvro(
  {
    type: 'record',
    name: 'Ride',
    fields: [
      { name: 'n', type: 'int' },
      { name: 'speed', type: 'double' },
    ],
  },
  3,
)
/** Two columns that Snowflake cannot tell apart: no table can hold it. */
const impossible = encodedAvro(
  {
    type: 'record',
    name: 'Twins',
    fields: [
      { name: 'n', type: 'int' },
      { name: 'N', type: 'int' },
    ],
  },
  2,
)

/** A dead-letter queue that a test can make slow. */
class DeadLetters {
  readonly offsets: number[] = []
  readonly messages: string[] = []
  isSlow = false
  #waiting: (() => void)[] = []

  readonly report = async (record: { kafkaOffset: number }, error: Error): Promise<void> => {
    if (this.isSlow) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    this.offsets.push(record.kafkaOffset)
    this.messages.push(error.message)
  }

  release(): void {
    this.isSlow = false
    for (const resolve of this.#waiting.splice(0)) resolve()
  }
}

interface Scene {
  readonly world: SinkWorld
  readonly worker: FakeSinkWorker
  readonly letters: DeadLetters
  readonly sql: FakeSql
  readonly turns: (count: number) => Promise<void>
}

/** A task without a table, or, by default, without SQL. */
async function scene(props: Readonly<Record<string, string>>, hasTable = true): Promise<Scene> {
  const world = new SinkWorld({ partitions: 1, props: { 'errors.tolerance': 'all', ...props } })
  const sql = new FakeSql()
  if (!hasTable) world.snowpipe.pipes = new Set()
  const worker = world.worker({ sql: () => sql.connect })
  const letters = new DeadLetters()
  worker.reporter = letters
  await worker.start(world.partitions)
  const turns = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) {
      await world.turn(worker, 100)
      if (sql.tables.size > 0) world.snowpipe.pipes = undefined
      world.snowpipe.commit()
    }
  }
  return { world, worker, letters, sql, turns }
}

const big = (): string => randomBytes(3_000).toString('base64')

describe('SnowflakeSinkTask with a row that no request can carry', () => {
  test('hands its record to the dead-letter queue, stores all others and is healthy again', async () => {
    const { world, worker, letters, turns } = await scene({})
    world.snowpipe.wireBytesMax = 2_000
    world.produce(0, 5)
    world.topics.append(TP, () => ({ value: { text: big() } }))
    world.produce(0, 5)
    await turns(60)
    expect(letters.offsets).toEqual([5])
    expect(letters.messages[0]).toContain('The record at offset 5 of rides-0 makes a row that')
    expect(world.offsetsStored(0)).toEqual([0, 1, 2, 3, 4, 6, 7, 8, 9, 10])
    expect(worker.health).toBeNull()
    expect(worker.gauges.get('snowflake_sink_uncommitted_records')).toBe(0)
    await worker.commit()
    expect(world.topics.committed.get(`${SINK_TOPIC}/0`)).toBe(11)
  })

  test('does not commit it to Kafka before its report is durable', async () => {
    const { world, worker, letters, turns } = await scene({})
    world.snowpipe.wireBytesMax = 2_000
    letters.isSlow = true
    world.topics.append(TP, () => ({ value: { text: big() } }))
    await turns(30)
    await worker.commit()
    expect(world.topics.committed.get(`${SINK_TOPIC}/0`)).toBeUndefined()
    letters.release()
    await turns(5)
    await worker.commit()
    expect(world.topics.committed.get(`${SINK_TOPIC}/0`)).toBe(1)
  })

  test('fails for it with errors.tolerance=none', async () => {
    const { world, worker, turns } = await scene({ 'errors.tolerance': 'none' })
    worker.reporter = undefined
    world.snowpipe.wireBytesMax = 2_000
    world.topics.append(TP, () => ({ value: { text: big() } }))
    await expect(turns(60)).rejects.toThrow('The record at offset 0 of rides-0 makes a row that')
  })
})

describe('SnowflakeSinkTask without a table', () => {
  test('reports records that no table can hold, and makes the table for the next', async () => {
    const { world, letters, turns } = await scene(CREATES, false)
    world.topics.append(TP, () => ({ encodedValue: impossible({ n: 1, N: 2 }) }))
    world.topics.append(TP, () => ({ encodedValue: ride({ n: 1 }) }))
    await turns(30)
    expect(letters.offsets).toEqual([0])
    expect(world.offsetsStored(0)).toEqual([1])
  })

  test('fails for such a record with errors.tolerance=none', async () => {
    const { world, worker, turns } = await scene({ ...CREATES, 'errors.tolerance': 'none' }, false)
    worker.reporter = undefined
    world.topics.append(TP, () => ({ encodedValue: impossible({ n: 1, N: 2 }) }))
    await expect(turns(30)).rejects.toThrow('two fields that become column N')
  })

  test('passes over tombstones that it ignores, without making a table for them', async () => {
    const { world, worker, sql, turns } = await scene(
      { ...CREATES, 'behavior.on.null.values': 'ignore' },
      false,
    )
    for (let i = 0; i < 3; i++) world.topics.append(TP, () => ({ value: null }))
    await turns(20)
    expect(sql.statements).toEqual([])
    await worker.commit()
    expect(world.topics.committed.get(`${SINK_TOPIC}/0`)).toBe(3)
    world.topics.append(TP, () => ({ encodedValue: ride({ n: 1 }) }))
    await turns(30)
    expect(world.offsetsStored(0)).toEqual([3])
    expect(sql.statements.filter((text) => text.startsWith('ALTER'))).toEqual([])
  })
})

describe('SnowflakeSinkTask whose table must change', () => {
  test('waits until all rows before are committed', async () => {
    const { world, worker, sql, turns } = await scene(CREATES, false)
    world.topics.append(TP, () => ({ encodedValue: ride({ n: 1 }) }))
    await turns(30)
    const changes = (): number => sql.statements.filter((text) => text.startsWith('ALTER')).length
    world.topics.append(TP, () => ({ encodedValue: ride({ n: 2 }) }))
    world.topics.append(TP, () => ({ encodedValue: longer({ n: 3, speed: 4 }) }))
    for (let i = 0; i < 30; i++) await world.turn(worker, 100)
    expect(changes()).toBe(0)
    await turns(30)
    expect(changes()).toBe(1)
    expect(world.offsetsStored(0)).toEqual([0, 1, 2])
  })
})

describe('SnowflakeSinkTask while a bad record is being reported', () => {
  test('sends none of the rows before it, so that its report comes first', async () => {
    const { world, letters, turns } = await scene({})
    letters.isSlow = true
    world.produce(0, 3)
    world.topics.append(TP, () => ({ encodedValue: impossible({ n: 1, N: 2 }) }))
    world.produce(0, 3)
    await turns(20)
    expect(world.offsetsStored(0)).toEqual([])
    letters.release()
    await turns(20)
    expect(letters.offsets).toEqual([3])
    expect(world.offsetsStored(0)).toEqual([0, 1, 2, 4, 5, 6])
  })
})
