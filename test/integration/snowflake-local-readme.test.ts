// What the local Snowflake's README tells people to run, run.
import { type ChildProcess, execFile, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { FAULT_DESCRIPTIONS } from '../../connector/local/snowflake/faults.ts'
import { PYTHON, ROOT } from '../support/needs.ts'
import { describeWithModule } from '../support/python-module.ts'
import { makeKey } from '../support/snowflake-keys.ts'

const run = promisify(execFile)
const CLI = path.join(ROOT, 'connector/cli/snowflake-local.ts')
let readme: string
let folder: string

beforeAll(async () => {
  readme = await readFile(path.join(ROOT, 'connector/local/snowflake/README.md'), 'utf8')
  folder = await mkdtemp(path.join(os.tmpdir(), 'snowflake-readme-'))
  const key = makeKey()
  await writeFile(path.join(folder, 'key.pem'), key.privateKeyPem)
  await writeFile(path.join(folder, 'key.pub'), key.publicKeyPem)
})
afterAll(() => rm(folder, { recursive: true }))

/** The words after `snowflake-local` of the README's command, on a free port. */
function documentedArguments(): readonly string[] {
  const command = /npx mta-connect snowflake-local ((?:.*\\\n)*.*)/.exec(readme)?.[1] ?? ''
  const words = [...command.replaceAll('\\\n', ' ').matchAll(/"([^"]*)"|(\S+)/g)]
  return words.map(([, quoted, word]) => (quoted ?? word ?? '').replace(/^8085$/, '0'))
}

const start = (args: readonly string[]): ChildProcess =>
  fork(CLI, [...args, '--admin-port', '0'], {
    cwd: folder,
    execArgv: ['--import', import.meta.resolve('tsx')],
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  })

const firstMessage = async (child: ChildProcess): Promise<Readonly<Record<string, unknown>>> => {
  const [message] = (await once(child, 'message')) as [Readonly<Record<string, unknown>>]
  return message
}

describeWithModule('snowflake.ingest.streaming', 'the README’s example', () => {
  test('runs as it stands, but for the port', async () => {
    const child = start(documentedArguments())
    const { ready } = (await firstMessage(child)) as {
      readonly ready: { readonly url: string; readonly environment: Record<string, string> }
    }
    const code = /```python\n([\s\S]*?)```/.exec(readme)?.[1] ?? ''
    const example = path.join(folder, 'example.py')
    await writeFile(example, code.replace('https://127.0.0.1:8085', ready.url))
    const { stdout } = await run(PYTHON, [example], {
      cwd: folder,
      env: { ...process.env, ...ready.environment, SS_LOG_LEVEL: 'error' },
    })
    expect(stdout).toContain('committed 99')
    child.send({ stop: true })
    await once(child, 'exit')
  }, 60_000)
})

describe('mta-connect snowflake-local', () => {
  test('says in a line what is wrong with its arguments', async () => {
    const refused: readonly (readonly [readonly string[], string])[] = [
      [['--user', 'A', '--public-key', 'key.pub'], '--data-dir is required'],
      [['--data-dir', 'd'], '--user and --public-key come in pairs, at least one, got 0 and 0'],
      [['--data-dir', 'd', '--user', 'A', '--public-key', 'no.pub'], 'no.pub cannot be read'],
      [['--data-dir', 'd', '--profile', 'slow'], '--profile must be fast or realistic, got slow'],
      [['--verbose'], "Unknown option '--verbose'"],
    ]
    for (const [args, expected] of refused) {
      const child = start(args)
      expect(String((await firstMessage(child))['failed'])).toContain(expected)
      await once(child, 'exit')
    }
  }, 60_000)
})

test('the README lists every fault', () => {
  for (const [kind, description] of Object.entries(FAULT_DESCRIPTIONS))
    expect(readme).toContain(`| \`${kind}\` | ${description} |`)
})
