// Rows that Snowflake rejects, on the local endpoint: found in its error table, and reported with their records.
import { once } from 'node:events'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { SinkRecord } from '../../connector/api/records.ts'
import { FakeTopics } from '../support/fake-sink-worker.ts'
import { isDrained, LocalSink, turnUntil } from '../support/local-sink.ts'

const TP = { topic: 'rides', partition: 0 }
const HANDS_OFF = {
  'snowflake.autocreate.table.type': 'none',
  'snowflake.schema.evolution': 'none',
}
const BAD = new Set([3, 57, 58, 199])

let sink: LocalSink
beforeEach(async () => {
  sink = await LocalSink.start()
  await sink.query(
    'CREATE DATABASE MTA',
    'CREATE SCHEMA MTA.RAW',
    `CREATE ICEBERG TABLE MTA.RAW.RIDES (RECORD_METADATA OBJECT(offset BIGINT, topic STRING, partition INT, key STRING, CreateTime BIGINT, LogAppendTime BIGINT, SnowflakeConnectorPushTime BIGINT, headers MAP(VARCHAR, VARCHAR), topicId STRING), N INT) CATALOG = 'SNOWFLAKE' ERROR_LOGGING = TRUE`,
  )
})
afterEach(() => sink.close())

function rides(count: number): FakeTopics {
  const topics = new FakeTopics()
  topics.create(TP.topic, 'AAAAAAAAAAAAAAAAAAAAAQ', 1)
  for (let i = 0; i < count; i++) produce(topics)
  return topics
}

const produce = (topics: FakeTopics): SinkRecord =>
  topics.append(TP, (offset) => ({
    key: `k${offset}`,
    value: { n: BAD.has(offset) ? `not a number: ${offset}` : offset },
  }))

async function stored(): Promise<readonly number[]> {
  const rows = await sink.query(
    'SELECT RECORD_METADATA:offset::INT AS O, N FROM MTA.RAW.RIDES ORDER BY 1',
  )
  return rows.map((row) => Number(row['O']))
}

const good = (count: number): readonly number[] =>
  Array.from({ length: count }, (_, offset) => offset).filter((offset) => !BAD.has(offset))

describe('rows that Snowflake rejects', () => {
  test('go to the dead-letter queue with their reason, each once, and the others are stored once', async () => {
    const topics = rides(100)
    const worker = sink.worker(topics, { ...HANDS_OFF, 'errors.tolerance': 'all' })
    const reported: { record: SinkRecord; error: Error }[] = []
    worker.reporter = {
      report: (record, error) => Promise.resolve(void reported.push({ record, error })),
    }
    await worker.start([TP])
    await turnUntil([worker], () => reported.length === 3 && isDrained(worker))
    for (let i = 0; i < 200; i++) produce(topics)
    await turnUntil([worker], () => reported.length === 4 && isDrained(worker))
    await worker.commit()
    expect(topics.committed.get('rides/0')).toBe(300)
    await worker.stop()
    expect(reported.map(({ record }) => [record.kafkaOffset, record.key])).toEqual(
      [...BAD].map((offset) => [offset, `k${offset}`]),
    )
    for (const { record, error } of reported) {
      expect(error.message).toContain(`rides-0 offset ${record.kafkaOffset}: `)
      expect(error.message).toMatch(/\bN\b/)
    }
    expect(await stored()).toEqual(good(300))
    expect(worker.counts.get('snowflake_sink_rows_total rejected')).toBe(4)
  }, 60_000)

  test('keep the position in Kafka before them until they are reported', async () => {
    const topics = rides(60)
    const worker = sink.worker(topics, { ...HANDS_OFF, 'errors.tolerance': 'all' })
    const queue = new AbortController()
    const queueIsUp = once(queue.signal, 'abort')
    const reported: number[] = []
    worker.reporter = {
      report: async ({ kafkaOffset }) => {
        await queueIsUp
        reported.push(kafkaOffset)
      },
    }
    await worker.start([TP])
    await turnUntil([worker], () => [...worker.logged].some((line) => line.includes('offset 3')))
    await worker.commit()
    expect(topics.committed.get('rides/0')).toBe(3)
    queue.abort()
    await turnUntil([worker], () => reported.length === 3 && isDrained(worker))
    await worker.commit()
    expect(topics.committed.get('rides/0')).toBe(60)
    await worker.stop()
  }, 60_000)

  test('are reported by the next process when the first one ends before it can', async () => {
    const topics = rides(60)
    const props = { ...HANDS_OFF, 'errors.tolerance': 'all' }
    const first = sink.worker(topics, props)
    first.reporter = { report: () => new Promise(() => {}) }
    await first.start([TP])
    await turnUntil([first], () => first.logged.some((line) => line.includes('offset 3')))
    await first.commit()
    await first.stop()
    const second = sink.worker(topics, props)
    const reported: number[] = []
    second.reporter = {
      report: ({ kafkaOffset }) => Promise.resolve(void reported.push(kafkaOffset)),
    }
    await second.start([TP])
    await turnUntil([second], () => reported.length === 3 && isDrained(second))
    await second.stop()
    expect(reported).toEqual([3, 57, 58])
    expect(await stored()).toEqual(good(60))
  }, 60_000)

  test('fail the task where they are not tolerated, naming topic, partition, offset and column', async () => {
    const worker = sink.worker(rides(100), HANDS_OFF)
    await worker.start([TP])
    await expect(turnUntil([worker], () => false)).rejects.toThrow(
      /^Snowflake rejected 3 rows of rides-0, offset 3: .*\bN\b.*; offset 57: .*; offset 58: /,
    )
    await worker.stop().catch(() => {}) // A failed task says again why.
  }, 60_000)
})
