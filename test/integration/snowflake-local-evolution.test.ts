// ENABLE_SCHEMA_EVOLUTION: rows that need another table change it.
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type LocalSnowflake, startLocalSnowflake } from '../../connector/local/snowflake/server.ts'
import { connectDriver, type Driver } from '../support/snowflake-driver.ts'
import { makeKey } from '../support/snowflake-keys.ts'
import { StreamingClient } from '../support/streaming-client.ts'

const key = makeKey()
let folder: string
let snowflake: LocalSnowflake
let driver: Driver

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'snowflake-local-'))
  snowflake = await startLocalSnowflake({
    warehouse: folder,
    users: [{ name: 'PIPE', publicKeyPem: key.publicKeyPem }],
    commitIntervalMs: 20,
    initSql: [
      'CREATE DATABASE DB',
      'CREATE SCHEMA DB.S',
      'CREATE ICEBERG TABLE DB.S.E (C STRING NOT NULL) ENABLE_SCHEMA_EVOLUTION = TRUE',
      'CREATE ICEBERG TABLE DB.S.F (C STRING NOT NULL)',
    ],
  })
  driver = await connectDriver({
    url: snowflake.url,
    user: 'PIPE',
    privateKeyPem: key.privateKeyPem,
  })
  await driver.execute('USE SCHEMA DB.S')
})
afterAll(async () => {
  await driver.close()
  await snowflake.close()
  await rm(folder, { recursive: true })
})

/** The channel's status after its rows were committed. */
async function stream(table: string, rows: readonly object[]): Promise<unknown> {
  const client = new StreamingClient({
    url: snowflake.url,
    path: { database: 'DB', schema: 'S', pipe: `${table}-STREAMING` },
    key,
    user: 'PIPE',
    nowMs: Date.now(),
  })
  await client.authenticate()
  const { body } = await client.open('c')
  await client.append({
    channel: 'c',
    token: String(body['next_continuation_token']),
    rows: rows.map((row) => `${JSON.stringify(row)}\n`).join(''),
    end: `${rows.length}`,
  })
  for (;;) {
    const answer = await client.status('c')
    const statuses = answer.body['channel_statuses'] as Record<string, Record<string, unknown>>
    if (statuses['c']?.['last_committed_offset_token'] === `${rows.length}`) return statuses['c']
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

const columnsOf = async (table: string): Promise<readonly unknown[]> =>
  (await driver.execute(`DESCRIBE TABLE ${table}`)).map((row) => [
    row['name'],
    row['type'],
    row['null?'],
  ])

test('rows add columns with the types of their values and take NOT NULL away, and all of them are in', async () => {
  const status = await stream('E', [
    { C: 'a', n: 1, Price: 0.99, ok: true, later: null },
    { C: 'b', n: 2, Price: 10.125, name: 'x', '"Mixed"': 1.5e10 },
    { n: 3, name: 4, nothing: null },
    { C: 'd', nested: { a: 1 } },
  ])
  expect(status).toMatchObject({ rows_inserted: 3, rows_error_count: 1 })
  expect(await columnsOf('E')).toEqual([
    ['C', expect.stringContaining('VARCHAR'), 'Y'],
    ['N', 'NUMBER(38,0)', 'Y'],
    ['PRICE', 'NUMBER(38,3)', 'Y'],
    ['OK', 'BOOLEAN', 'Y'],
    ['NAME', expect.stringContaining('VARCHAR'), 'Y'],
    ['Mixed', 'NUMBER(38,0)', 'Y'],
  ])
  const rows = await driver.execute('SELECT C, N, PRICE, NAME FROM E ORDER BY N')
  expect(rows).toEqual([
    { C: 'a', N: 1, PRICE: 0.99, NAME: null },
    { C: 'b', N: 2, PRICE: 10.125, NAME: 'x' },
    { C: null, N: 3, PRICE: null, NAME: '4' },
  ])
})

test('more than a hundred new columns at once are not made', async () => {
  const before = await columnsOf('E')
  const row = Object.fromEntries(Array.from({ length: 101 }, (_, n) => [`NEW${n}`, n]))
  expect(await stream('E', [{ C: 'x', ...row }])).toMatchObject({ rows_error_count: 2 })
  expect(await columnsOf('E')).toEqual(before)
})

test('a table without it refuses such rows', async () => {
  const status = await stream('F', [{ C: 'a' }, { C: 'b', N: 1 }, { C: 'c', N: null }, {}])
  expect(status).toMatchObject({ rows_inserted: 1, rows_error_count: 3 })
  expect(await columnsOf('F')).toHaveLength(1)
})
