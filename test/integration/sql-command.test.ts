// `mta-connect sql` as a process, against the local endpoint.
import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type LocalSnowflake, startLocalSnowflake } from '../../connector/local/snowflake/server.ts'
import { recordingLog } from '../support/recording-log.ts'
import { ROOT } from '../support/needs.ts'
import { makeKey } from '../support/snowflake-keys.ts'

let folder: string
let snowflake: LocalSnowflake
let config: string

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'sql-command-'))
  const key = makeKey()
  snowflake = await startLocalSnowflake({
    warehouse: path.join(folder, 'warehouse'),
    users: [{ name: 'ME', publicKeyPem: key.publicKeyPem }],
    port: 0,
    adminPort: 0,
    profile: 'fast',
    log: recordingLog(),
  })
  await writeFile(path.join(folder, 'key.p8'), key.privateKeyPem)
  config = path.join(folder, 'sink.properties')
  await writeFile(
    config,
    `name=s\nsnowflake.url.name=${snowflake.url}\nsnowflake.user.name=ME\nsnowflake.private.key.file=\${env:KEY_FOLDER}/key.p8\n` +
      'snowflake.database.name=MTA\nsnowflake.schema.name=RAW\n',
  )
})
afterAll(async () => {
  await snowflake.close()
  await rm(folder, { recursive: true })
})

async function sql(args: readonly string[], input = '') {
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', 'connector/cli/mta-connect.ts', 'sql', ...args],
    { cwd: ROOT, env: { ...process.env, KEY_FOLDER: folder }, stdio: 'pipe' },
  )
  child.stdin.end(input)
  const [output, errors, code] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise((resolve) => {
      child.on('close', resolve)
    }),
  ])
  return { output, errors, code }
}

describe('mta-connect sql', () => {
  test('runs a file, then one statement in each format, with all digits', async () => {
    const file = path.join(folder, 'make.sql')
    await writeFile(
      file,
      `-- sets up
CREATE DATABASE IF NOT EXISTS MTA; CREATE SCHEMA IF NOT EXISTS MTA.RAW;
CREATE ICEBERG TABLE T (ID NUMBER(38,0), NAME STRING) CATALOG = 'SNOWFLAKE' EXTERNAL_VOLUME = 'V' BASE_LOCATION = 't';
`,
    )
    expect(await sql(['--config', config, '-f', file])).toMatchObject({ errors: '', code: 0 })
    const query = "SELECT 12345678901234567890123 AS N, 'NULL' AS T, NULL AS E"
    const run = (format: string) => sql(['--config', config, '--format', format, '-c', query])
    expect((await run('csv')).output).toBe('N,T,E\n12345678901234567890123,NULL,\n')
    expect((await run('json')).output).toBe(
      '[\n{"N":12345678901234567890123,"T":"NULL","E":null}\n]\n',
    )
    expect((await run('table')).output).toContain('| 12345678901234567890123 | NULL | NULL |')
  })

  test('reads standard input, and says which line failed and why', async () => {
    const { output, errors, code } = await sql(
      ['--config', config, '--format', 'csv'],
      'SELECT 1 AS A;\nSELECT * FROM NOT_THERE;\nSELECT 3 AS C;\n',
    )
    expect(output).toBe('A\n1\n')
    expect(errors).toMatch(/^sql: standard input line 2: 002003 \(42S02\): [^]*NOT_THERE/)
    expect(code).toBe(1)
  })

  test('shows only so many rows, and says so', async () => {
    const { output, errors } = await sql([
      '--config',
      config,
      '--format=csv',
      '--max-rows=1',
      '-c',
      'SELECT 1 AS A UNION ALL SELECT 1',
    ])
    expect(output).toBe('A\n1\n')
    expect(errors).toBe('sql: only the first 1 rows are shown; --max-rows N shows more\n')
  })

  test.each([
    [['--format', 'xml'], '--format xml: expected table, csv, json'],
    [['-c', 'SELECT 1', '-f', 'x'], '-c and -f: expected one of them, got both'],
    [['--max-rows', '0'], '--max-rows 0: expected a whole number'],
    [['--nonsense'], '--nonsense'],
    [['--data-dir', 'no/such/folder'], '`npm start` makes it'],
  ])('names the mistake in %j', async (args, message) => {
    const { errors, code } = await sql(args)
    expect(errors).toContain(message)
    expect(errors).not.toContain('    at ')
    expect(code).toBe(2)
  })

  test('says that nobody answers', async () => {
    const dead = path.join(folder, 'dead.properties')
    await writeFile(
      dead,
      `name=s\nsnowflake.url.name=http://127.0.0.1:1\nsnowflake.user.name=ME\nsnowflake.private.key.file=${folder}/key.p8\nsnowflake.database.name=D\nsnowflake.schema.name=S\n`,
    )
    const { errors, code } = await sql(['--config', dead, '-c', 'SELECT 1'])
    expect(errors).toContain('http://127.0.0.1:1')
    expect(errors).toContain('ECONNREFUSED')
    expect(code).toBe(2)
  })
})
