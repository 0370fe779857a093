// One table with every column type, sent through the endpoint as clients send, with three schema changes and a compaction
// in between: PyIceberg, DuckDB and Spark must find in it what was sent, by folder and through the REST catalog.
import { execFile } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type LocalSnowflake, startLocalSnowflake } from '../../connector/local/snowflake/server.ts'
import { systemClock } from '../../connector/local/snowflake/system-clock.ts'
import { ensureJars } from '../../tools/java-env.mjs'
import {
  ALL_TYPES,
  BATCHES,
  expectedRows,
  LAYOUTS,
  ndjsonOf,
  RANGES,
  rangeOf,
  SUMS,
  sumOf,
} from '../support/all-types-table.ts'
import { describeWith, PYTHON, ROOT } from '../support/needs.ts'
import { connectDriver, type Driver } from '../support/snowflake-driver.ts'
import { makeKey } from '../support/snowflake-keys.ts'
import { StreamingClient } from '../support/streaming-client.ts'

interface Reading {
  readonly rows: readonly Readonly<Record<string, unknown>>[]
  readonly sums: Readonly<Record<string, string>>
  readonly ranges: Readonly<Record<string, readonly [string, string]>>
  readonly nulls: Readonly<Record<string, number>>
  /** Id; from PyIceberg and Spark also the operation and the number of rows. */
  readonly history: readonly (readonly string[])[]
  readonly at: Readonly<Record<string, readonly [number, readonly string[]]>>
}
interface Report {
  readonly path: Reading
  readonly catalog: Reading
  readonly writes: Readonly<Record<string, string | null>>
}
interface Snapshot {
  readonly 'snapshot-id': number
  readonly summary: Readonly<Record<string, string>>
}

const ENGINES = ['pyiceberg', 'duckdb', 'spark'] as const
const WAYS = ['path', 'catalog'] as const
const COMMIT_MS = 20_000
const LATER_MS = 2 * 3_600_000
const SCRIPT = path.join(ROOT, 'test/integration/readers/engines.py')

const key = makeKey()
let offsetMs = 0
let folder: string
let location: string
let snowflake: LocalSnowflake
let driver: Driver
const reports = new Map<string, Report>()
let snapshots: readonly Snapshot[]
let before: readonly string[]

async function start(): Promise<void> {
  snowflake = await startLocalSnowflake({
    warehouse: path.join(folder, 'warehouse'),
    users: [{ name: 'PIPE', publicKeyPem: key.publicKeyPem }],
    limits: null,
    commitIntervalMs: 10,
    clock: { now: () => Date.now() + offsetMs, sleep: (...args) => systemClock.sleep(...args) },
  })
}

/** Sends every batch and waits until it is committed, so that each is a snapshot of its own. */
async function send(): Promise<void> {
  const client = new StreamingClient({
    url: snowflake.url,
    path: { database: 'MTA', schema: 'RAW', pipe: 'EVERYTHING-STREAMING' },
    key,
    user: 'PIPE',
    nowMs: Date.now(),
  })
  await client.authenticate()
  let token = String((await client.open('c')).body['next_continuation_token'])
  for (const [index, { ddl, layout, numbers }] of BATCHES.entries()) {
    for (const sql of ddl) await driver.execute(sql)
    const end = String(index)
    const rows = ndjsonOf(layout, numbers)
    const answer = await client.append({ channel: 'c', token, rows, start: end, end })
    expect(answer).toMatchObject({ status: 200 })
    token = String(answer.body['next_continuation_token'])
    await committed(client, end)
  }
}

async function committed(client: StreamingClient, token: string): Promise<void> {
  for (const deadline = Date.now() + COMMIT_MS; Date.now() < deadline; await sleep(10)) {
    const { body } = await client.status('c')
    const { c } = body['channel_statuses'] as Record<string, Record<string, unknown>>
    if (c?.['rows_error_count'] !== 0) throw new Error(JSON.stringify(c))
    if (c['last_committed_offset_token'] === token) return
  }
  throw new Error(`Offset ${token} was not committed within ${COMMIT_MS} ms.`)
}

const metadata = async (): Promise<{ readonly snapshots: readonly Snapshot[] }> => {
  const version = await readFile(path.join(location, 'metadata/version-hint.text'), 'utf8')
  const file = path.join(location, `metadata/v${version}.metadata.json`)
  return JSON.parse(await readFile(file, 'utf8')) as { readonly snapshots: readonly Snapshot[] }
}

const filesNow = (): readonly string[] =>
  readdirSync(location, { recursive: true, encoding: 'utf8' }).toSorted((a, b) => (a < b ? -1 : 1))

/** The first snapshot, those around the compaction, and the last one of the layout before the newest. */
const chosen = (): readonly Snapshot[] => {
  const replaced = snapshots.findIndex(({ summary }) => summary['operation'] === 'replace')
  const older = BATCHES.findIndex(({ layout }) => layout === 3)
  return [0, replaced - 1, replaced, older].flatMap((index) => snapshots[index] ?? [])
}

async function report(engine: string): Promise<Report> {
  const jars = ensureJars('spark')
  const request = {
    folder: location,
    uri: `${snowflake.url}/polaris/api/catalog`,
    warehouse: 'MTA',
    namespace: 'RAW',
    table: 'EVERYTHING',
    snapshots: chosen().map((snapshot) => String(snapshot['snapshot-id'])),
    sums: SUMS,
    ranges: RANGES,
    jars: (await readdir(jars)).map((name) => path.join(jars, name)),
  }
  const { stdout } = await promisify(execFile)(PYTHON, [SCRIPT, engine, JSON.stringify(request)], {
    maxBuffer: 64 * 1024 * 1024,
    cwd: folder,
  })
  return JSON.parse(stdout.slice(stdout.indexOf('{"path"'))) as Report
}

const of = (engine: string): Report => {
  const found = reports.get(engine)
  if (found === undefined) throw new Error(`${engine} has not read the table.`)
  return found
}

describeWith(['python', 'java'], 'PyIceberg, DuckDB and Spark on a table of every type', () => {
  beforeAll(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'acceptance-'))
    location = path.join(folder, 'warehouse/MTA/RAW/EVERYTHING')
    await start()
    driver = await connectDriver({
      url: snowflake.url,
      user: 'PIPE',
      privateKeyPem: key.privateKeyPem,
    })
    for (const sql of ['CREATE DATABASE MTA', 'CREATE SCHEMA MTA.RAW', ALL_TYPES])
      await driver.execute(sql)
    await send()
    snapshots = (await metadata()).snapshots
    before = filesNow()
    for (const engine of ENGINES) reports.set(engine, await report(engine))
  }, 300_000)
  afterAll(async () => {
    await snowflake.close()
    await rm(folder, { recursive: true })
  })

  test('the table was compacted in between, across two schemas', () => {
    const operations = snapshots.map(({ summary }) => summary['operation'])
    const replaced = operations.indexOf('replace')
    expect(operations).toHaveLength(BATCHES.length + 1)
    expect(operations.filter((operation) => operation === 'replace')).toHaveLength(1)
    expect(BATCHES[replaced - 1]?.layout).toBe(1)
    expect(BATCHES.at(-1)?.layout).toBe(3)
  })

  describe.each(ENGINES)('%s', (engine) => {
    describe.each(WAYS)('by %s', (way) => {
      test('finds every value that was sent', () => {
        expect(of(engine)[way].rows).toEqual(expectedRows())
      })

      test('works out the sums, the least, the greatest and the nulls of what was sent', () => {
        const { sums, ranges, nulls } = of(engine)[way]
        const rows = expectedRows()
        expect(sums).toEqual(Object.fromEntries(SUMS.map((name) => [name, sumOf(rows, name)])))
        expect(ranges).toEqual(
          Object.fromEntries(RANGES.map((name) => [name, rangeOf(rows, name)])),
        )
        const names = Object.keys(rows[0] ?? {})
        const counted = names.map((name) => [name, rows.filter((row) => row[name] === null).length])
        expect(nulls).toEqual(Object.fromEntries(counted))
      })

      test('knows every snapshot, and reads old ones under their own columns', () => {
        const { history, at } = of(engine)[way]
        const known = snapshots.map((snapshot) => [
          String(snapshot['snapshot-id']),
          snapshot.summary['operation'],
          snapshot.summary['total-records'],
        ])
        expect(history).toEqual(engine === 'duckdb' ? known.map(([id]) => [id]) : known)
        for (const snapshot of chosen()) {
          const index = snapshots.indexOf(snapshot)
          const replaced = snapshots.findIndex(({ summary }) => summary['operation'] === 'replace')
          const sent = BATCHES.slice(0, index < replaced ? index + 1 : index)
          const rows = sent.reduce((sum, { numbers }) => sum + numbers.length, 0)
          const columns = LAYOUTS[sent.at(-1)?.layout ?? 0]
          expect(at[String(snapshot['snapshot-id'])]).toEqual([rows, columns])
        }
      })
    })

    test('may not change anything through the catalog', () => {
      const { writes } = of(engine)
      expect(Object.keys(writes)).toHaveLength(6)
      for (const said of Object.values(writes)) expect(said).toEqual(expect.any(String))
    })
  })

  test('what they tried changed no file, and what they left behind goes', async () => {
    expect(filesNow()).toEqual(expect.arrayContaining([...before]))
    expect((await metadata()).snapshots).toEqual(snapshots)
    const left = filesNow().filter((name) => !before.includes(name))
    expect(left.length).toBeGreaterThan(0)
    const [{ COUNT: count } = {}] = await driver.execute(
      'SELECT COUNT(*) AS COUNT FROM MTA.RAW.EVERYTHING',
    )
    expect(count).toBe(expectedRows().length)
    const tables = await driver.execute('SHOW TABLES IN DATABASE MTA')
    expect(tables.map(({ name }) => name)).toEqual(['EVERYTHING'])
    await driver.close()
    await snowflake.close()
    offsetMs = LATER_MS
    await start()
    expect(filesNow().filter((name) => left.includes(name))).toEqual([])
    expect((await report('duckdb')).path.rows).toEqual(expectedRows())
  }, 60_000)
})
