// What a statement can never reach: files outside the warehouse, the environment, the engine's settings. The
// compiler lets no name through that is not its own; the engine's own locks hold even without it.
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import * as fc from 'fast-check'
import { setImmediate } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { SqlError } from '../../../../../connector/local/snowflake/errors.ts'
import { openQueryStage, type QueryStage } from '../../../../support/snowflake-query.ts'

const CANARY = 'canary-31c2'
let stage: QueryStage
let outside: string
let file: string
beforeAll(async () => {
  stage = await openQueryStage()
  outside = path.join(stage.folder, 'outside')
  file = path.join(outside, 'canary.csv')
  await mkdir(outside)
  await writeFile(file, CANARY)
})
afterAll(() => stage.close())

const limits = { signal: new AbortController().signal, timeoutMs: 5_000, rowsMax: 10 }

describe('the query engine itself', () => {
  const attacks: readonly ((file: string) => string)[] = [
    (at) => `SELECT * FROM read_csv('${at}')`,
    (at) => `SELECT * FROM read_text('${at}')`,
    (at) => `SELECT * FROM '${at}'`,
    (at) => `COPY (SELECT 1) TO '${at}.copy'`,
    (at) => `ATTACH '${at}.db' AS x`,
    () => 'INSTALL httpfs',
    () => 'SET enable_external_access = true',
    () => 'CREATE SECRET s (TYPE s3)',
  ]
  for (const attack of attacks)
    test(`refuses ${attack('FILE')}`, async () => {
      await expect(stage.warehouse.query(attack(file), limits)).rejects.toThrow(
        /disabled|Expected a SELECT|Permission|locked|not allowed/i,
      )
      expect(await readdir(outside)).toEqual(['canary.csv'])
    })
})

test('no function of the engine is called by its name', async () => {
  const names = [
    'read_csv',
    'read_text',
    'glob',
    'getenv',
    'query',
    'query_table',
    'duckdb_secrets',
    'pragma_database_list',
    'getvariable',
    'current_setting',
    'parquet_scan',
    'sniff_csv',
    'json_execute_serialized_sql',
    'which_secret',
    'error',
    'list_transform',
  ]
  for (const name of names)
    for (const sql of [
      `select ${name}('${file}')`,
      `select * from ${name}('${file}')`,
      `select * from table(${name}('${file}'))`,
    ])
      await expect(stage.execute(sql)).rejects.toMatchObject({ code: '000002' })
})

test('names, texts and aliases of any characters stay names, texts and aliases', async () => {
  const text = fc
    .string({ unit: 'grapheme', maxLength: 30 })
    .filter((value) => !value.includes('\0'))
  await fc.assert(
    fc.asyncProperty(text, async (value) => {
      const literal = `'${value.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`
      const name = `"${value.replaceAll('"', '""')}x"`
      const { columns, rows } = await stage.execute(
        `select ${literal} as ${name}, q.${name} from (select ${literal} as ${name}) q`,
      )
      expect(columns[0]?.name).toBe(`${value}x`)
      expect(rows).toEqual([[value, value]])
    }),
    { numRuns: 60 },
  )
})

test('whatever stands where an expression or a table may, nothing outside is read', async () => {
  const parts = fc.constantFrom(
    'select',
    '*',
    'from',
    'read_csv',
    '(',
    ')',
    `'FILE'`,
    '"FILE"',
    ',',
    't',
    'id',
    'table',
    'lateral',
    'flatten',
    'union',
    'all',
    '::',
    'copy',
    'to',
    ';',
    '--',
    '.',
    'memory',
    'main',
    'with',
    'as',
    'values',
    '1',
  )
  await fc.assert(
    fc.asyncProperty(fc.array(parts, { maxLength: 14 }), async (words) => {
      const sql = words.join(' ').replaceAll('FILE', file)
      const answer = await stage.execute(`select ${sql}`).then(
        ({ rows }) => JSON.stringify(rows),
        (error: unknown) => {
          expect(error).toBeInstanceOf(SqlError)
          return String(error)
        },
      )
      expect(answer).not.toContain(CANARY)
    }),
    { numRuns: 200 },
  )
})

/** Lets the clock run until the statement has ended. */
async function outcome(running: Promise<unknown>): Promise<string> {
  const settled = { text: '' }
  const ended = running.then(
    () => (settled.text = 'an answer'),
    (error: unknown) => (settled.text = String(error)),
  )
  while (settled.text === '') {
    await stage.clock.advance(100)
    await setImmediate()
  }
  return ended
}

const SLOW = 'SELECT sum(a.range * b.range) FROM range(1000000) a, range(1000000) b'

test('a statement ends when its client goes away', async () => {
  const abort = new AbortController()
  const running = stage.warehouse.query(SLOW, { ...limits, signal: abort.signal })
  abort.abort(new Error('gone'))
  expect(await outcome(running)).toContain('gone')
})

test('a statement that takes too long is stopped', async () => {
  expect(await outcome(stage.warehouse.query(SLOW, { ...limits, timeoutMs: 50 }))).toContain(
    'within 50 ms',
  )
})

test('the session says how long its statements may take', async () => {
  await stage.execute('alter session set statement_timeout_in_seconds = 1')
  const sql =
    'select sum(far) from (select haversine(a.c, 0, b.c, 0) far from (select seq4() c from table(generator(rowcount => 100000))) a, (select seq4() c from table(generator(rowcount => 1000000))) b)'
  expect(await outcome(stage.execute(sql))).toContain('timeout of 1 second')
  await stage.execute('alter session unset statement_timeout_in_seconds')
})

test('a statement with more rows than are sent fails', async () => {
  const sql = 'select a.id from t a, table(generator(rowcount => 5000)) b'
  await expect(stage.execute(sql)).rejects.toThrow('at most 1000 rows')
})

test('a statement that is stopped while its rows are read never answers with some of them', async () => {
  const sql = 'SELECT range FROM range(2000000)'
  for (const timeoutMs of [1, 100, 200]) {
    const options = { ...limits, rowsMax: 2_000_000, timeoutMs }
    const rows = stage.warehouse.query(sql, options).then((result) => {
      if (result.rows.length !== 2_000_000) throw new Error(`only ${result.rows.length} rows`)
      return result
    })
    expect(await outcome(rows)).not.toContain('only')
  }
})
