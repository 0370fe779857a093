// Snowflake's own drivers against the local endpoint: log in by key pair, DDL, SHOW, every type, FLATTEN, binds.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type LocalSnowflake, startLocalSnowflake } from '../../connector/local/snowflake/server.ts'
import { ensureJars } from '../../tools/java-env.mjs'
import { describeWith, PYTHON, ROOT } from '../support/needs.ts'
import { recordingLog } from '../support/recording-log.ts'
import { connectDriver } from '../support/snowflake-driver.ts'
import { makeKey } from '../support/snowflake-keys.ts'

const LIMIT_MS = 180_000
const key = makeKey()
let folder: string
let keyFile: string
let snowflake: LocalSnowflake

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'snowflake-drivers-'))
  keyFile = path.join(folder, 'key.p8')
  await writeFile(keyFile, key.privateKeyPem, { mode: 0o600 })
  snowflake = await startLocalSnowflake({
    warehouse: path.join(folder, 'warehouse'),
    users: [{ name: 'ME', publicKeyPem: key.publicKeyPem }],
    log: recordingLog(),
  })
})

afterAll(async () => {
  await snowflake.close()
  await rm(folder, { recursive: true, force: true })
})

async function output(program: string, args: readonly string[]): Promise<string> {
  const child = spawn(program, [...args, new URL(snowflake.url).port, keyFile])
  const texts: string[] = []
  child.stdout.on('data', (data: Buffer) => texts.push(data.toString()))
  child.stderr.on('data', (data: Buffer) => texts.push(data.toString()))
  await once(child, 'close')
  return texts.join('')
}

describeWith(['python'], 'the Python connector', () => {
  test(
    'finds every answer exact',
    async () => {
      const script = path.join(ROOT, 'test/integration/readers/snowflake_driver.py')
      expect(await output(PYTHON, [script])).toMatch(/^done$/m)
    },
    LIMIT_MS,
  )
})

describeWith(['java'], 'the JDBC driver', () => {
  test(
    'finds every answer exact',
    async () => {
      const program = path.join(ROOT, 'test/integration/java/jdbc/SnowflakeDriver.java')
      const jars = `${ensureJars('jdbc')}/*`
      expect(await output('java', ['-cp', jars, program])).toMatch(/^done$/m)
    },
    LIMIT_MS,
  )
})

test('snowflake-sdk logs in with a key that ALTER USER registered, also after it was replaced', async () => {
  const first = await connectDriver({
    url: snowflake.url,
    user: 'ME',
    privateKeyPem: key.privateKeyPem,
  })
  const other = makeKey()
  const body = other.publicKeyPem.replaceAll(/-----.*?-----|\s/g, '')
  await first.execute(`create user loader rsa_public_key = '${body}'`)
  const loader = await connectDriver({
    url: snowflake.url,
    user: 'LOADER',
    privateKeyPem: other.privateKeyPem,
  })
  expect(await loader.execute('select current_user() as u')).toEqual([{ U: 'LOADER' }])
  await loader.close()
  const next = makeKey()
  await first.execute(
    `alter user loader set rsa_public_key = '${next.publicKeyPem.replaceAll(/-----.*?-----|\s/g, '')}'`,
  )
  const again = await connectDriver({
    url: snowflake.url,
    user: 'LOADER',
    privateKeyPem: next.privateKeyPem,
  })
  expect(
    await again.execute(
      'select f.value:a::int as a from table(flatten(parse_json(\'[{"a":1}]\'))) f',
    ),
  ).toEqual([{ A: 1 }])
  await again.close()
  await first.close()
})
