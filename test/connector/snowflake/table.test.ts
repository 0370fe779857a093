import { describe, expect, test } from 'vitest'
import { RetriableError } from '../../../connector/api/errors.ts'
import { sqlType } from '../../../connector/snowflake/column-type.ts'
import { parseType } from '../../../connector/snowflake/parse-type.ts'
import { avroShape } from '../../../connector/snowflake/record-shape.ts'
import { Table } from '../../../connector/snowflake/table.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { FakeSql } from '../../support/fake-sql.ts'

const NAME = { database: 'MTA', schema: 'RAW', table: 'RIDE' }
const SETTINGS = {
  autocreate: 'iceberg',
  icebergOptions: "EXTERNAL_VOLUME = 'V'",
  evolution: 'add',
} as const
const SILENT = { trace() {}, debug() {}, info() {}, warn() {}, error() {} }
const { signal } = new AbortController()

const shape = (id: number, ...fields: readonly (readonly [string, unknown])[]) =>
  avroShape(
    { type: 'record', name: 'Ride', fields: fields.map(([name, type]) => ({ name, type })) },
    id,
  )
const table = (
  sql: FakeSql,
  settings: Partial<ConstructorParameters<typeof Table>[1]['settings']> = {},
) =>
  new Table(NAME, {
    settings: { ...SETTINGS, ...settings },
    connect: sql.connect,
    log: SILENT,
    clock: new FakeClock({ auto: true }),
  })
const pos = (...names: readonly string[]) => ({
  type: 'record',
  name: 'Pos',
  fields: names.map((name) => ({ name, type: ['null', 'double'], default: null })),
})
const changes = (sql: FakeSql): readonly string[] =>
  sql.statements.filter((text) => text.startsWith('ALTER'))
const V1 = shape(1, ['id', 'string'], ['n', 'int'])

describe('Table', () => {
  test('is made from the schema, with every type that Iceberg has', async () => {
    const sql = new FakeSql()
    const ride = table(sql)
    const wide = shape(
      1,
      ['id', 'string'],
      ['n', ['null', 'long']],
      ['ok', 'boolean'],
      ['lat', 'double'],
      ['day', { type: 'int', logicalType: 'date' }],
      ['seen', { type: 'long', logicalType: 'timestamp-millis' }],
      ['local', { type: 'long', logicalType: 'local-timestamp-micros' }],
      ['fare', { type: 'bytes', logicalType: 'decimal', precision: 9, scale: 2 }],
      ['raw', 'bytes'],
      ['pos', { type: 'record', name: 'Pos', fields: [{ name: 'stop', type: 'string' }] }],
      ['tags', { type: 'array', items: 'string' }],
      ['by', { type: 'map', values: 'int' }],
    )
    expect(ride.columnsFor(wide)).toBeUndefined()
    await ride.prepare(wide, signal)
    expect(sql.statements.at(-2)).toBe(
      'CREATE ICEBERG TABLE IF NOT EXISTS "MTA"."RAW"."RIDE" ("RECORD_METADATA" OBJECT(offset BIGINT, topic STRING, partition INT, key STRING, CreateTime BIGINT, LogAppendTime BIGINT, SnowflakeConnectorPushTime BIGINT, headers MAP(VARCHAR, STRING), topicId STRING), ' +
        '"ID" STRING, "N" BIGINT, "OK" BOOLEAN, "LAT" DOUBLE, "DAY" DATE, "SEEN" TIMESTAMP_LTZ(6), "LOCAL" TIMESTAMP_NTZ(6), "FARE" NUMBER(9,2), "RAW" BINARY, "POS" OBJECT(stop STRING), "TAGS" ARRAY(STRING), "BY" MAP(VARCHAR, INT)) ' +
        "EXTERNAL_VOLUME = 'V' CATALOG = 'SNOWFLAKE' ERROR_LOGGING = TRUE",
    )
    expect(ride.columnsFor(wide)?.columns?.size).toBe(13)
  })

  test('asks once for a table that has everything, and never again', async () => {
    const sql = new FakeSql()
    await table(sql).prepare(V1, signal)
    const again = table(sql)
    sql.statements.length = 0
    await Promise.all([again.prepare(V1, signal), again.prepare(V1, signal)])
    expect(sql.statements.filter((text) => !text.startsWith('DESCRIBE'))).toEqual([])
    expect(sql.sessions).toBe(2)
  })

  test('gets one statement per new column, however many tasks ask', async () => {
    const sql = new FakeSql()
    const ride = table(sql)
    await ride.prepare(V1, signal)
    const v2 = shape(2, ['id', 'string'], ['n', 'int'], ['speed', ['null', 'double']])
    expect(ride.columnsFor(v2)).toBeUndefined()
    await Promise.all([1, 2, 3].map(() => ride.prepare(v2, signal)))
    expect(changes(sql)).toEqual([
      'ALTER ICEBERG TABLE "MTA"."RAW"."RIDE" ADD COLUMN IF NOT EXISTS "SPEED" DOUBLE',
    ])
    expect(ride.columnsFor(V1)?.version).toBe(ride.columnsFor(v2)?.version)
  })

  test('widens numbers and objects, and leaves alone what a narrower or older schema needs', async () => {
    const sql = new FakeSql()
    const ride = table(sql)
    await ride.prepare(shape(1, ['n', 'int'], ['pos', pos('lat')]), signal)
    await ride.prepare(shape(2, ['n', 'long'], ['pos', pos('lat', 'lon')]), signal)
    await ride.prepare(shape(3, ['n', 'int'], ['pos', pos('lon')]), signal)
    expect(changes(sql)).toEqual([
      'ALTER ICEBERG TABLE "MTA"."RAW"."RIDE" ALTER COLUMN "N" SET DATA TYPE BIGINT',
      'ALTER ICEBERG TABLE "MTA"."RAW"."RIDE" ALTER COLUMN "POS" SET DATA TYPE OBJECT(lat DOUBLE, lon DOUBLE)',
    ])
  })

  test('refuses a change that a column cannot follow, showing both sides', async () => {
    const sql = new FakeSql()
    const ride = table(sql)
    await ride.prepare(V1, signal)
    const other = shape(7, ['id', 'string'], ['n', { type: 'int', logicalType: 'date' }])
    await expect(ride.prepare(other, signal)).rejects.toThrow(
      'Ride (schema 7) does not fit table MTA.RAW.RIDE: N is INT in the table and DATE in the schema',
    )
    expect(changes(sql)).toEqual([])
  })

  test('is not changed when evolution is none', async () => {
    const sql = new FakeSql()
    await table(sql).prepare(V1, signal)
    const fixed = table(sql, { evolution: 'none' })
    const v2 = shape(2, ['id', 'string'], ['speed', 'double'])
    await expect(fixed.prepare(v2, signal)).rejects.toThrow(
      'snowflake.schema.evolution is none: SPEED',
    )
  })

  test('is not made when autocreate is none', async () => {
    const missing = table(new FakeSql(), { autocreate: 'none' })
    await expect(missing.prepare(V1, signal)).rejects.toThrow('does not exist or is not accessible')
  })

  test('can be prepared again after SQL was away', async () => {
    const sql = new FakeSql()
    const ride = table(sql)
    sql.failures.push(new RetriableError('no answer'))
    await expect(ride.prepare(V1, signal)).rejects.toThrow(RetriableError)
    await ride.prepare(V1, signal)
    expect(ride.columnsFor(V1)).toBeDefined()
  })
})

describe('parseType', () => {
  test.each([
    ['NUMBER(10,0)', 'INT'],
    ['NUMBER(19,0)', 'BIGINT'],
    ['NUMBER(38,4)', 'NUMBER(38,4)'],
    ['VARCHAR(134217728)', 'STRING'],
    ['FLOAT', 'DOUBLE'],
    ['TIMESTAMP_LTZ(6)', 'TIMESTAMP_LTZ(6)'],
    ['BINARY(67108864)', 'BINARY'],
    [
      'OBJECT(a NUMBER(10,0) NOT NULL, "b c" ARRAY(VARCHAR(16777216) NOT NULL))',
      'OBJECT(a INT, "b c" ARRAY(STRING))',
    ],
    ['MAP(VARCHAR(16777216), OBJECT(x FLOAT))', 'MAP(VARCHAR, OBJECT(x DOUBLE))'],
    ['VECTOR(FLOAT, 3)', 'VECTOR(FLOAT, 3)'],
    ['OBJECT', 'OBJECT'],
    ['ARRAY(', 'ARRAY('],
  ])('%s', (text, sql) => {
    expect(sqlType(parseType(text))).toBe(sql)
  })
})
