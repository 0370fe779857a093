import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { FakeSql } from '../../support/fake-sql.ts'
import { SINK_TOPIC, SinkWorld } from '../../support/sink-world.ts'

const optional = (name: string, type: unknown) => ({ name, type: ['null', type], default: null })
const timestamp = (logicalType: string) => ({ type: 'long', logicalType })
const SCHEMA = {
  type: 'record',
  name: 'Bus',
  fields: [
    { name: 'id', type: 'string' },
    optional('n', 'long'),
    optional('lat', 'double'),
    optional('at', timestamp('timestamp-micros')),
    optional('local', timestamp('local-timestamp-millis')),
    optional('day', { type: 'int', logicalType: 'date' }),
    optional('time', { type: 'int', logicalType: 'time-millis' }),
    optional('fare', { type: 'bytes', logicalType: 'decimal', precision: 9, scale: 2 }),
    optional('stop', {
      type: 'record',
      name: 'Stop',
      fields: [{ name: 'name', type: 'string' }, optional('m', 'double')],
    }),
    { name: 'kind', type: { type: 'enum', name: 'Kind', symbols: ['A', 'B'] }, default: 'A' },
    optional('tags', { type: 'array', items: 'string' }),
    { name: 'mode', type: ['string', 'null'], default: 'bus' },
  ],
}

let folder: string
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'mta-connect-avsc-'))
  writeFileSync(path.join(folder, 'bus.avsc'), JSON.stringify(SCHEMA))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** The rows that values make, and what is reported of the others. */
async function write(values: readonly unknown[]) {
  const world = new SinkWorld({
    partitions: 1,
    props: {
      'snowflake.autocreate.table.type': 'iceberg',
      'snowflake.schema.evolution': 'add',
      'snowflake.json.schema.file': path.join(folder, 'bus.avsc'),
      'errors.tolerance': 'all',
    },
  })
  const sql = new FakeSql()
  const worker = world.worker({ sql: () => sql.connect })
  const reported: string[] = []
  worker.reporter = { report: (_, error) => Promise.resolve(void reported.push(error.message)) }
  await worker.start(world.partitions)
  for (const value of values) {
    world.topics.append({ topic: SINK_TOPIC, partition: 0 }, () => ({ value }))
  }
  for (let i = 0; i < 40; i++) {
    await world.turn(worker, 100)
    world.snowpipe.commit()
  }
  await worker.stop()
  const rows = world
    .rows(0)
    .map((row) =>
      Object.fromEntries(Object.entries(row).filter(([name]) => name !== 'RECORD_METADATA')),
    )
  return { rows, reported, sql }
}

describe('JSON without a schema, by an .avsc', () => {
  test('makes the table that Avro bytes would make, and rows with its types', async () => {
    const { rows, reported, sql } = await write([
      {
        id: 'a',
        n: 9_007_199_254_740_991,
        lat: 40.5,
        at: 1_700_000_000_123_456,
        local: 1_700_000_000_123,
        day: 19_675,
        time: 86_399_999,
        fare: 2.9,
        stop: { name: 'x' },
        kind: 'B',
        tags: ['t'],
        mode: null,
      },
      '{"id": "b", "at": "2024-02-29T00:00:00Z", "day": "2024-02-29", "n": null, "lat": "NaN"}',
    ])
    expect(reported).toEqual([])
    expect(sql.tables.get('"MTA"."RAW"."RIDES"')?.get('STOP')).toBe('OBJECT(name STRING, m DOUBLE)')
    expect(rows).toEqual([
      {
        ID: 'a',
        N: 9_007_199_254_740_991,
        LAT: 40.5,
        AT: '2023-11-14T22:13:20.123456Z',
        LOCAL: '2023-11-14T22:13:20.123',
        DAY: '2023-11-14',
        TIME: '23:59:59.999',
        FARE: '2.9',
        STOP: { name: 'x', m: null },
        KIND: 'B',
        TAGS: ['t'],
      },
      {
        ID: 'b',
        AT: '2024-02-29T00:00:00Z',
        DAY: '2024-02-29',
        LAT: 'NaN',
        KIND: 'A',
        MODE: 'bus',
      },
    ])
  })

  test('reports what the schema does not describe, by its field', async () => {
    const { rows, reported } = await write([
      { n: 1 },
      { id: 'a', extra: 1 },
      { id: 'a', stop: { name: 7 } },
      { id: 'a', n: 1.5 },
      { id: 'a', kind: 'C' },
      '{"id": "a", "n": 9007199254740993}',
      'no JSON',
      '[1]',
    ])
    expect(rows).toEqual([])
    expect(reported).toEqual([
      'Field id: expected string, got null',
      'Bus has no field extra',
      'Field stop.name: expected string, got number 7',
      'Field n: expected long, got number 1.5',
      'Field kind: expected enum, got string "C"',
      "The text's number n is beyond 2^53 and cannot be read exactly",
      "Expected a JSON object as the record's text",
      "Expected a JSON object as the record's value, got an array",
    ])
  })
})
