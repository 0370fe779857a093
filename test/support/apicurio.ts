// Apicurio Registry, a Schema Registry that somebody else wrote, as a process on a free port.
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { ensureJars } from '../../tools/java-env.mjs'
import { freePort } from '../../connector/local/ports.ts'

export interface Apicurio {
  /** Of its Confluent-compatible API. */
  readonly url: string
  stop(): Promise<void>
}

const START_LIMIT_MS = 90_000
const POLL_MS = 200
const MEMORY = '-Xmx512m'

/** Schemas live in its memory. Throws with the end of its output when it does not come up. */
export async function startApicurio(): Promise<Apicurio> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'apicurio-'))
  const jars = ensureJars('apicurio')
  const [archive = ''] = await readdir(jars)
  await promisify(execFile)('tar', ['xzf', path.join(jars, archive), '-C', folder])
  const runner = (await readdir(folder)).find((name) => name.endsWith('-runner.jar')) ?? ''
  const port = await freePort(0)
  const child = spawn(
    'java',
    [
      MEMORY,
      '-Dquarkus.http.host=127.0.0.1',
      `-Dquarkus.http.port=${port}`,
      '-jar',
      path.join(folder, runner),
    ],
    { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] },
  )
  let output = ''
  const keep = (chunk: Buffer): void => {
    output = (output + chunk.toString('utf8')).slice(-4_000)
  }
  child.stdout.on('data', keep)
  child.stderr.on('data', keep)
  const ended = once(child, 'close')
  const url = `http://127.0.0.1:${port}/apis/ccompat/v7`
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL')
    await ended
    await rm(folder, { recursive: true, force: true })
  }
  const limit = AbortSignal.timeout(START_LIMIT_MS)
  while (!(await answers(url))) {
    if (limit.aborted || child.exitCode !== null) {
      await stop()
      throw new Error(`Apicurio did not start: ${output}`)
    }
    await new Promise((resolve) => {
      setTimeout(resolve, POLL_MS)
    })
  }
  return { url, stop }
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/subjects`)).status === 200
  } catch {
    return false // Not listening yet.
  }
}
