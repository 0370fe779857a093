import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type LocalSnowflake, startLocalSnowflake } from '../../connector/local/snowflake/server.ts'
import { recordingLog } from '../support/recording-log.ts'
import { connectDriver, type Driver } from '../support/snowflake-driver.ts'
import { makeKey } from '../support/snowflake-keys.ts'
import { StreamingClient } from '../support/streaming-client.ts'

const key = makeKey()
const log = recordingLog()
let folder: string
let snowflake: LocalSnowflake
let driver: Driver
let client: StreamingClient

const start = async (): Promise<void> => {
  snowflake = await startLocalSnowflake({
    warehouse: path.join(folder, 'warehouse'),
    users: [{ name: 'PIPE', publicKeyPem: key.publicKeyPem }],
    log,
    limits: null,
    commitIntervalMs: 50,
  })
  driver = await connectDriver({
    url: snowflake.url,
    user: 'PIPE',
    privateKeyPem: key.privateKeyPem,
  })
  client = new StreamingClient({
    url: snowflake.url,
    path: { database: 'mta', schema: 'raw', pipe: 'positions-streaming' },
    key,
    user: 'PIPE',
    nowMs: Date.now(),
  })
  await client.authenticate()
}

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'snowflake-local-'))
  await start()
})

afterAll(async () => {
  await driver.close()
  await snowflake.close()
  await rm(folder, { recursive: true })
})

const committed = async (channel: string, token: string): Promise<Record<string, unknown>> => {
  for (;;) {
    const { body } = await client.status(channel)
    const statuses = body['channel_statuses'] as Record<string, Record<string, unknown>>
    const status = statuses[channel]
    if (status?.['last_committed_offset_token'] === token) return status
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

const DDL = `CREATE ICEBERG TABLE IF NOT EXISTS "MTA"."RAW"."POSITIONS" (
  "FEED_ID" STRING NOT NULL, "N" NUMBER(19,0), "DELAY" INT, "FARE" NUMBER(10,2), "LAT" DOUBLE,
  "ON_TIME" BOOLEAN, "SEEN" TIMESTAMP_LTZ(6), "WALL" TIMESTAMP_NTZ(6), "DAY" DATE, "RAW" BINARY,
  "POSITION_ANCHOR" OBJECT(shape_id STRING, d0_m DOUBLE, t0 TIMESTAMP_LTZ(6)),
  "FLAGS" ARRAY(STRING), "TAGS" MAP(VARCHAR, BIGINT))
  EXTERNAL_VOLUME = 'v' CATALOG = 'SNOWFLAKE' BASE_LOCATION = 'mta/positions'`

const GOOD = {
  FEED_ID: 'ace',
  N: 1,
  DELAY: -3,
  FARE: '2.90',
  LAT: 40.75,
  ON_TIME: true,
  SEEN: '2024-02-08T12:00:00.123456Z',
  WALL: '2024-02-08T12:00:00',
  DAY: '2024-02-08',
  RAW: 'AQID',
  POSITION_ANCHOR: { shape_id: 'A..N', d0_m: 1.5, t0: null },
  FLAGS: ['late', 'derived'],
  TAGS: { a: 1 },
}

test('makes a table by SQL, takes rows by REST, and reads them back by SQL', async () => {
  await driver.execute('CREATE DATABASE IF NOT EXISTS MTA')
  await driver.execute('CREATE SCHEMA IF NOT EXISTS MTA.RAW')
  await driver.execute(DDL)
  const opened = await client.open('c_0')
  expect(opened.status).toBe(200)
  const rows = [
    JSON.stringify(GOOD),
    JSON.stringify({ feed_id: 'bdfm', n: '9007199254740993' }),
    '',
    JSON.stringify({ FEED_ID: 'g', DELAY: 'soon' }),
    JSON.stringify({ N: 4 }),
  ]
  const appended = await client.append({
    channel: 'c_0',
    token: String(opened.body['next_continuation_token']),
    rows: `${rows.join('\n')}\n`,
    start: '0',
    end: '3',
  })
  expect(appended.status).toBe(200)
  expect(await committed('c_0', '3')).toMatchObject({
    rows_inserted: 2,
    rows_parsed: 4,
    rows_error_count: 2,
    last_error_message: 'NULL result in a non-nullable column FEED_ID',
    last_error_offset_upper_bound: '3',
  })
  const read = await driver.execute('SELECT * FROM MTA.RAW.POSITIONS ORDER BY FEED_ID')
  expect(read.map((row) => row['FEED_ID'])).toEqual(['ace', 'bdfm'])
  expect(read[0]).toMatchObject({
    N: 1,
    DELAY: -3,
    FARE: 2.9,
    LAT: 40.75,
    ON_TIME: true,
    FLAGS: ['late', 'derived'],
    TAGS: { a: 1 },
  })
  const exact = await driver.execute(
    'select n::string as n, position_anchor:shape_id as shape from mta.raw.positions where feed_id = ?',
    ['bdfm'],
  )
  expect(exact).toEqual([{ N: '9007199254740993', SHAPE: null }])
})

test('goes on after a restart where the commits ended', async () => {
  await driver.close()
  await snowflake.close()
  await start()
  const reopened = await client.open('c_0')
  expect(reopened.body['channel_status']).toMatchObject({
    last_committed_offset_token: '3',
    rows_inserted: 2,
    rows_error_count: 2,
  })
  await client.append({
    channel: 'c_0',
    token: String(reopened.body['next_continuation_token']),
    rows: '{"FEED_ID":"l"}\n',
    end: '4',
  })
  await committed('c_0', '4')
  expect(await driver.execute('SELECT COUNT(*) AS N FROM MTA.RAW.POSITIONS')).toEqual([{ N: 3 }])
})
