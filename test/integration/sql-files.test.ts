// Every statement of sql/, twice, on the local endpoint; what views and queries answer beside what is worked out here.
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { splitScript } from '../../connector/cli/sql/statements.ts'
import { type LocalSnowflake, startLocalSnowflake } from '../../connector/local/snowflake/server.ts'
import { avroShape } from '../../connector/snowflake/record-shape.ts'
import { type ColumnType, sqlType } from '../../connector/snowflake/column-type.ts'
import { METADATA_COLUMN, METADATA_TYPE } from '../../connector/snowflake/metadata.ts'
import { parseType } from '../../connector/snowflake/parse-type.ts'
import { ROOT } from '../support/needs.ts'
import { recordingLog } from '../support/recording-log.ts'
import { connectDriver, type Driver, type Row } from '../support/snowflake-driver.ts'
import { makeKey } from '../support/snowflake-keys.ts'
import { sqlWorld, type Tables, type World } from '../support/sql-world.ts'
import { StreamingClient } from '../support/streaming-client.ts'

const FOLDERS = ['setup', 'views', 'maintenance', 'queries', 'governance']
/** Tables by the schema file whose records they hold. */
const SCHEMAS: Readonly<Record<string, string>> = {
  VEHICLE_POSITION: 'vehicle_position',
  TRIP_UPDATE: 'trip_update',
  TRIP_STOP_TIME: 'trip_stop_time',
  SERVICE_ALERT: 'alert',
  ICYMTA: 'bus_vehicle_activity',
  EQUIPMENT: 'equipment',
  EQUIPMENT_OUTAGE: 'equipment_outage',
  FEED_POLL: 'feed_poll',
}
const byText = (a: string, b: string): number => (a < b ? -1 : Number(a > b))
const key = makeKey()
let folder: string
let files: readonly string[]
let snowflake: LocalSnowflake
let driver: Driver
let world: World

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'sql-files-'))
  snowflake = await startLocalSnowflake({
    warehouse: path.join(folder, 'warehouse'),
    users: [{ name: 'ME', publicKeyPem: key.publicKeyPem }],
    log: recordingLog(),
    limits: null,
    commitIntervalMs: 20,
  })
  driver = await connectDriver({
    url: snowflake.url,
    user: 'ME',
    privateKeyPem: key.privateKeyPem,
  })
  const names = await Promise.all(FOLDERS.map((name) => readdir(path.join(ROOT, 'sql', name))))
  files = names.flatMap((list, at) => list.toSorted(byText).map((name) => `${FOLDERS[at]}/${name}`))
  await run('setup')
  world = sqlWorld(Date.now(), 7)
  await store(world.tables)
}, 60_000)
afterAll(async () => {
  await driver.close()
  await snowflake.close()
  await rm(folder, { recursive: true })
})

/** The answers of a file's statements. */
async function runFile(file: string): Promise<readonly (readonly Row[])[]> {
  const script = splitScript(await readFile(path.join(ROOT, 'sql', file), 'utf8'))
  if (script.rest !== undefined) throw new Error(`${file}: the last statement has no semicolon`)
  // Files that make roles, volumes and databases need no schema; all others work in the session's.
  if (!/\/00[123]_/.test(file)) await driver.execute('USE SCHEMA MTA.RAW')
  const answers: (readonly Row[])[] = []
  for (const { text, line } of script.statements)
    try {
      answers.push(await driver.execute(text))
    } catch (error) {
      throw new Error(`${file}:${line}`, { cause: error })
    }
  return answers
}

async function run(kind: string): Promise<void> {
  for (const file of files) if (file.startsWith(`${kind}/`)) await runFile(file)
}

/** Through the streaming endpoint, as the sink would, and waits until they can be read. */
async function store(tables: Tables): Promise<void> {
  for (const [table, rows] of Object.entries(tables)) {
    const client = new StreamingClient({
      url: snowflake.url,
      path: { database: 'MTA', schema: 'RAW', pipe: `${table}-STREAMING` },
      key,
      user: 'ME',
      nowMs: Date.now(),
    })
    await client.authenticate()
    const { body } = await client.open('c')
    const columns = await driver.execute(`DESCRIBE TABLE MTA.RAW.${table}`)
    const types = new Map(columns.map(({ name, type }) => [name, parseType(String(type))]))
    const whole = (row: Row): object =>
      Object.fromEntries(
        Object.entries(row).map(([name, value]) => [name, filled(value, types.get(name))]),
      )
    const ndjson = rows.map((row) => `${JSON.stringify(whole(row))}\n`).join('')
    const token = String(body['next_continuation_token'])
    const answer = await client.append({ channel: 'c', token, rows: ndjson, start: '0', end: '1' })
    if (answer.status !== 200) throw new Error(answer.text)
    for (;;) {
      const status = (await client.status('c')).body['channel_statuses'] as Record<
        string,
        Readonly<Record<string, unknown>>
      >
      if (status['c']?.['rows_error_count'] !== 0) throw new Error(JSON.stringify(status['c']))
      if (status['c']?.['last_committed_offset_token'] === '1') break
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
}

/** Objects need all their keys, as the sink writes them. */
function filled(value: unknown, type: ColumnType | undefined): unknown {
  if (value === null || value === undefined) return null
  if (type?.kind === 'array') return (value as unknown[]).map((one) => filled(one, type.element))
  if (type?.kind !== 'object') return value
  const given = value as Readonly<Record<string, unknown>>
  return Object.fromEntries(
    type.fields.map(({ name, type: own }) => [name, filled(given[name], own)]),
  )
}

/** Numbers and texts alike, in one order: what a view answers without ORDER BY has none. */
const sorted = (rows: readonly object[]): readonly unknown[] =>
  rows
    .map((row) =>
      Object.fromEntries(Object.entries(row).map(([name, value]) => [name, plain(value)])),
    )
    .toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
const plain = (value: unknown): unknown => {
  if (value instanceof Date) return value.getTime()
  return typeof value === 'number' ? Math.round(value * 1_000) / 1_000 : (value ?? null)
}
const query = async (sql: string): Promise<readonly unknown[]> => sorted(await driver.execute(sql))

describe('files of sql/', () => {
  test('have numbers of their own, and are listed with their folder', async () => {
    const numbers = files.map((file) => /^[a-z]+\/(\d{3})_[a-z_]+\.sql$/.exec(file)?.[1])
    expect(numbers).not.toContain(undefined)
    expect(new Set(numbers).size).toBe(files.length)
    expect(numbers).toEqual(numbers.map(String).toSorted(byText))
    const readme = await readFile(path.join(ROOT, 'sql/README.md'), 'utf8')
    for (const name of FOLDERS) expect(readme).toContain(`| \`${name}/`)
  })

  test('run twice, but for those that the README lists with a reason', async () => {
    const readme = await readFile(path.join(ROOT, 'sql/README.md'), 'utf8')
    const [, listed = ''] = readme.split('What cannot run there:')
    const refused: string[] = []
    for (const file of [...files, ...files])
      try {
        await runFile(file)
      } catch (error) {
        refused.push(file)
        // Refused by name; anything else is a mistake in the statement.
        if (codeOf(error) !== UNSUPPORTED) throw error
      }
    expect(refused).not.toEqual([])
    expect([...new Set(refused)]).toEqual(
      [...listed.matchAll(/^\| `([a-z]+\/[^`]+)` \| .+ \|$/gm)].map(([, file]) => file),
    )
  }, 60_000)

  test('make tables with the columns that the sink would make', async () => {
    for (const [table, file] of Object.entries(SCHEMAS)) {
      const schema: unknown = JSON.parse(
        await readFile(path.join(ROOT, `schemas/${file}.avsc`), 'utf8'),
      )
      const wanted = [
        { name: METADATA_COLUMN, type: METADATA_TYPE },
        ...avroShape(schema, 1).columns,
      ]
      const columns = await driver.execute(`DESCRIBE TABLE MTA.RAW.${table}`)
      const found = columns.map(({ name, type }) => [name, sqlType(parseType(String(type)))])
      expect([table, ...found]).toEqual([
        table,
        ...wanted.map(({ name, type }) => [name, sqlType(type)]),
      ])
    }
  })
})

const UNSUPPORTED = '000002'
const codeOf = (error: unknown): unknown =>
  ((error as Error).cause as { readonly code?: unknown } | undefined)?.code

describe('views and queries of sql/', () => {
  beforeAll(() => run('views'), 60_000)

  const VIEWS = [
    'CURRENT_FLEET',
    'RECORD_COUNTS',
    'ACTIVE_VEHICLES',
    'LINE_ACTIVITY',
    'FRESHNESS',
    'DATA_QUALITY',
    'STOP_TIMES',
    'DELAYS_BY_ROUTE_AND_HOUR',
    'CURRENT_BUSES',
    'CURRENT_ALERTS',
    'CURRENT_OUTAGES',
    'FEED_HEALTH',
  ]
  test('are all looked at here', async () => {
    const views = await driver.execute('SHOW VIEWS IN SCHEMA MTA.RAW')
    expect(views.map(({ name }) => String(name)).toSorted(byText)).toEqual(VIEWS.toSorted(byText))
  })

  test.for(VIEWS)('%s answers what is worked out from its rows', async (view) => {
    const wanted = world.views[view] ?? []
    expect(wanted.length).toBeGreaterThan(0)
    const columns = Object.keys(wanted[0] ?? {})
    expect(await query(`SELECT ${columns.join(', ')} FROM ${view}`)).toEqual(sorted(wanted))
  })

  test.for([
    '301_nearby',
    '302_bounding_box',
    '303_headways',
    '304_activity_by_line',
    '305_history_of_a_vehicle',
  ])('%s answers what is worked out from its rows', async (file) => {
    const wanted = world.queries[file] ?? []
    expect(wanted.length).toBeGreaterThan(0)
    const [answer = []] = await runFile(`queries/${file}.sql`)
    const columns = Object.keys(wanted[0] ?? {})
    expect(
      answer.map((row) => Object.fromEntries(columns.map((name) => [name, plain(row[name])]))),
    ).toEqual(
      wanted.map((row) =>
        Object.fromEntries(Object.entries(row).map(([name, value]) => [name, plain(value)])),
      ),
    )
  })

  test('each offset of a partition is there once', async () => {
    const answers = await runFile('maintenance/204_streaming.sql')
    expect(sorted(answers.at(-1) ?? [])).toEqual(sorted(world.offsets))
  })
})
