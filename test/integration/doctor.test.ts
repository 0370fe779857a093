// `mta-connect doctor` on the local endpoint: a whole configuration, and each thing that may be wrong with it.
import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { examine } from '../../connector/cli/doctor/examine.ts'
import type { Finding } from '../../connector/cli/doctor/finding.ts'
import { readSinkFiles } from '../../connector/cli/doctor/options.ts'
import { type LocalSnowflake, startLocalSnowflake } from '../../connector/local/snowflake/server.ts'
import { systemClock } from '../../connector/runtime/clock.ts'
import { FakeKafka } from '../support/fake-kafka.ts'
import { ROOT } from '../support/needs.ts'
import { recordingLog } from '../support/recording-log.ts'
import { startTestRegistry, type TestRegistry } from '../support/registry.ts'
import { connectDriver, type Driver } from '../support/snowflake-driver.ts'
import { makeKey } from '../support/snowflake-keys.ts'

const TIMEOUT_MS = 5_000
const key = makeKey()
const other = makeKey()
const kafka = new FakeKafka({ topics: { v1: 1 } })
let folder: string
let snowflake: LocalSnowflake
let registry: TestRegistry
let driver: Driver

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'doctor-'))
  registry = await startTestRegistry()
  const schema = JSON.stringify({ type: 'record', name: 'R', fields: [] })
  await registry.call('POST', '/subjects/v1-value/versions', { schema })
  snowflake = await startLocalSnowflake({
    warehouse: path.join(folder, 'warehouse'),
    users: [{ name: 'ME', publicKeyPem: key.publicKeyPem }],
    log: recordingLog(),
  })
  driver = await connectDriver({ url: snowflake.url, user: 'ME', privateKeyPem: key.privateKeyPem })
  for (const sql of [
    'CREATE DATABASE MTA',
    'CREATE SCHEMA MTA.RAW',
    "CREATE ICEBERG TABLE MTA.RAW.V (RECORD_METADATA OBJECT(offset BIGINT)) CATALOG = 'SNOWFLAKE' ERROR_LOGGING = TRUE",
    "CREATE ICEBERG TABLE MTA.RAW.SILENT (RECORD_METADATA OBJECT(offset BIGINT)) CATALOG = 'SNOWFLAKE'",
    'CREATE VIEW MTA.RAW.A_VIEW AS SELECT 1 AS ONE',
    'CREATE ROLE MTA_INGEST',
    'CREATE ROLE WRITER',
    'GRANT ROLE WRITER TO ROLE MTA_INGEST',
    'GRANT USAGE ON DATABASE MTA TO ROLE MTA_INGEST',
    'GRANT USAGE ON SCHEMA MTA.RAW TO ROLE WRITER',
    'GRANT CREATE ICEBERG TABLE ON SCHEMA MTA.RAW TO ROLE WRITER',
    'GRANT INSERT ON TABLE MTA.RAW.V TO ROLE WRITER',
    'GRANT SELECT ON TABLE MTA.RAW.V TO ROLE WRITER',
    'GRANT EVOLVE SCHEMA ON TABLE MTA.RAW.V TO ROLE WRITER',
  ])
    await driver.execute(sql)
  await writeFile(path.join(folder, 'key.p8'), key.privateKeyPem)
  await writeFile(path.join(folder, 'other.p8'), other.privateKeyPem)
  await writeFile(path.join(folder, 'broken.p8'), 'no key')
}, 60_000)
afterAll(async () => {
  await driver.close()
  await snowflake.close()
  await registry.remove()
  await rm(folder, { recursive: true })
})

async function configured(changes: Readonly<Record<string, string>>): Promise<string> {
  const properties = {
    name: 's',
    topics: 'v1',
    'snowflake.url.name': snowflake.url,
    'snowflake.user.name': 'ME',
    'snowflake.role.name': 'MTA_INGEST',
    'snowflake.private.key.file': path.join(folder, 'key.p8'),
    'snowflake.database.name': 'MTA',
    'snowflake.schema.name': 'RAW',
    'snowflake.topic2table.map': 'v1:V',
    'value.converter': 'io.confluent.connect.avro.AvroConverter',
    'value.converter.schema.registry.url': registry.url,
    ...changes,
  }
  const file = path.join(folder, 'sink.properties')
  const lines = Object.entries(properties).map(([name, value]) => `${name}=${value}\n`)
  await writeFile(file, lines.join(''))
  await writeFile(path.join(folder, 'connect.properties'), 'bootstrap.servers=127.0.0.1:9\n')
  return file
}

async function doctor(
  changes: Readonly<Record<string, string>> = {},
  skewMs = 0,
): Promise<{
  readonly findings: readonly Finding[]
  readonly bad: Readonly<Record<string, Finding>>
}> {
  const findings: Finding[] = []
  const wrong = await examine(
    await readSinkFiles(await configured(changes), undefined, {}),
    {
      clients: kafka,
      clock: { ...systemClock, now: () => Date.now() + skewMs },
      random: Math.random,
      requestId: () => 'r',
      timeoutMs: TIMEOUT_MS,
    },
    (finding) => findings.push(finding),
  )
  expect(findings.filter(({ state }) => state === 'wrong')).toHaveLength(wrong)
  const bad = findings.filter(({ state }) => state === 'wrong' || state === 'warning')
  return { findings, bad: Object.fromEntries(bad.map((finding) => [finding.check, finding])) }
}

describe('mta-connect doctor', () => {
  test('finds nothing wrong where all is right, by the grants of roles within the role too', async () => {
    const { findings } = await doctor()
    expect(findings.map(({ check, state }) => `${state} ${check}`)).toEqual(
      [
        'configuration and key',
        'brokers',
        'topic v1',
        'registry',
        'schema of v1-value',
        'account host',
        'clock',
        'login',
        'role',
        'database',
        'schema',
        'grants',
        'table of v1',
        'error logging of v1',
        'grants on the table of v1',
        'pipe of v1',
      ].map((check) => `ok ${check}`),
    )
  })

  test.for([
    ['a file that is no key', 'broken.p8', 'configuration and key', 'openssl'],
    ['the key of somebody else', 'other.p8', 'login', 'ALTER USER "ME" SET RSA_PUBLIC_KEY'],
  ] as const)('names %s', async ([, file, check, mend]) => {
    const { bad } = await doctor({ 'snowflake.private.key.file': path.join(folder, file) })
    expect(Object.keys(bad)).toEqual([check])
    expect(bad[check]?.mend).toContain(mend)
  })

  test('gives the SQL that registers the key, which then logs in', async () => {
    const before = await doctor({
      'snowflake.user.name': 'NEWCOMER',
      'snowflake.private.key.file': path.join(folder, 'other.p8'),
    })
    expect(Object.keys(before.bad)).toEqual(['login'])
    for (const sql of (before.bad['login']?.mend ?? '').split('\n'))
      await driver.execute(sql.replace(/;$/, ''))
    const after = await doctor({
      'snowflake.user.name': 'NEWCOMER',
      'snowflake.private.key.file': path.join(folder, 'other.p8'),
    })
    expect(after.bad).toEqual({})
  })

  test.for([
    [
      'database',
      { 'snowflake.database.name': 'NOWHERE' },
      'CREATE DATABASE IF NOT EXISTS "NOWHERE"',
    ],
    [
      'schema',
      { 'snowflake.schema.name': 'NOWHERE' },
      'CREATE SCHEMA IF NOT EXISTS "MTA"."NOWHERE"',
    ],
    ['table of v1', { 'snowflake.topic2table.map': 'v1:A_VIEW' }, 'DROP VIEW "MTA"."RAW"."A_VIEW"'],
    ['table of v1', { 'snowflake.topic2table.map': 'v1:MISSING' }, 'autocreate.table.type=iceberg'],
  ] as const)(
    'names a %s that is missing or of the wrong kind: %o',
    async ([check, changes, mend]) => {
      const { bad } = await doctor({ 'snowflake.autocreate.table.type': 'none', ...changes })
      expect(bad).toMatchObject({ [check]: { state: 'wrong' } })
      expect(bad[check]?.mend).toContain(mend)
    },
  )

  test('names a table of another kind than the one that is configured', async () => {
    const { bad } = await doctor({ 'snowflake.autocreate.table.type': 'snowflake' })
    expect(bad['table of v1']).toMatchObject({
      state: 'wrong',
      mend: 'snowflake.autocreate.table.type=iceberg',
    })
  })

  test('says that a missing database will be made where the connector makes what is missing', async () => {
    const { bad } = await doctor({ 'snowflake.database.name': 'NOWHERE' })
    expect(bad).toMatchObject({ database: { state: 'warning' } })
  })

  test('names grants that are missing, and error logging that is off', async () => {
    const { bad } = await doctor({ 'snowflake.topic2table.map': 'v1:SILENT' })
    expect(bad['error logging of v1']?.mend).toBe(
      'ALTER ICEBERG TABLE "MTA"."RAW"."SILENT" SET ERROR_LOGGING = TRUE;',
    )
    expect(bad['grants on the table of v1']?.mend).toContain(
      'GRANT INSERT ON TABLE "MTA"."RAW"."SILENT" TO ROLE "MTA_INGEST";',
    )
  })

  test('names a registry that is away, a topic that is missing and an account that does not answer', async () => {
    const { bad } = await doctor({
      topics: 'v1,v2',
      'value.converter.schema.registry.url': 'http://127.0.0.1:9',
      'snowflake.url.name': 'http://127.0.0.1:9',
    })
    expect(Object.keys(bad)).toEqual(['topic v2', 'registry', 'account host'])
    expect(bad['topic v2']?.mend).toContain('--create --topic v2')
  })

  test('names a clock that is wrong', async () => {
    const { bad } = await doctor({}, -120_000)
    expect(bad['clock']?.says).toContain('120 s behind')
    expect((await doctor({}, 3_000)).bad).toEqual({})
  })

  test('as a process ends with 1 and 2, and shows no secret', async () => {
    const file = await configured({
      'value.converter.basic.auth.credentials.source': 'USER_INFO',
      'value.converter.basic.auth.user.info': 'me:hunter2hunter2',
      'value.converter.schema.registry.url': 'http://127.0.0.1:9',
      'snowflake.private.key': 'hunter2hunter2',
    })
    const found = await run(file, '--timeout', '1')
    expect(found.code).toBe(1)
    expect(found.output).toContain('WRONG')
    expect(found.output).not.toContain('hunter2')
    expect(await run(path.join(folder, 'nothing'))).toMatchObject({ code: 2, output: '' })
  }, 40_000)
})

async function run(...args: readonly string[]) {
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', 'connector/cli/mta-connect.ts', 'doctor', ...args],
    { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const code = new Promise((resolve) => {
    child.on('close', resolve)
  })
  return { output: await text(child.stdout), code: await code }
}
