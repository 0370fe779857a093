// The quickstart as a user runs it, for tests and benchmarks: a process of its own in a folder of its own.
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../../connector/local/ports.ts'
import { ROOT } from './needs.ts'

export interface StackFile {
  readonly ui: string
  readonly worker: string
  readonly bootstrapServers: string
  readonly schemaRegistry: string
  readonly snowflake: string | null
  readonly feeds: string
  readonly warehouse: string | null
  readonly pids: Readonly<Record<string, number>>
}

export interface Quickstart {
  readonly stack: StackFile
  readonly pid: number
  readonly dataDir: string
  /** All that it printed so far. */
  output(): string
  /** Ctrl-C, and resolves with the exit code. */
  stop(): Promise<number | null>
  kill(): Promise<void>
}

const START_LIMIT_MS = 90_000
const STOP_LIMIT_MS = 40_000

/** Starts `dist/connector/cli/quickstart.js` and waits for its stack.json. Rejects with its output when it ends before. */
export async function startQuickstart(
  dataDir: string,
  args: readonly string[],
): Promise<Quickstart> {
  const port = await freePort(0)
  const child = runQuickstart(['--data-dir', dataDir, '--port', String(port), ...args])
  const file = path.join(dataDir, 'stack.json')
  const deadline = Date.now() + START_LIMIT_MS
  while (!existsSync(file) || readFileSync(file, 'utf8') === '') {
    if (child.process.exitCode !== null) {
      throw new Error(`The quickstart ended with ${child.process.exitCode}:\n${child.output()}`)
    }
    if (Date.now() > deadline) {
      child.process.kill('SIGKILL')
      throw new Error(`The quickstart was not ready after ${START_LIMIT_MS} ms:\n${child.output()}`)
    }
    await sleep(50)
  }
  return {
    stack: JSON.parse(readFileSync(file, 'utf8')) as StackFile,
    pid: child.process.pid ?? 0,
    dataDir,
    output: () => child.output(),
    stop: async () => {
      child.process.kill('SIGINT')
      return exitCode(child.process)
    },
    kill: async () => {
      child.process.kill('SIGKILL')
      await exitCode(child.process)
    },
  }
}

/** Runs it without waiting for anything. */
export function runQuickstart(args: readonly string[]): {
  readonly process: ChildProcess
  output(): string
} {
  const entry = path.join(ROOT, 'dist/connector/cli/quickstart.js')
  const child = spawn(process.execPath, ['--enable-source-maps', entry, ...args], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, UV_THREADPOOL_SIZE: '16' },
  })
  let text = ''
  const collect = (chunk: Buffer): void => {
    text += String(chunk)
  }
  child.stdout.on('data', collect)
  child.stderr.on('data', collect)
  return { process: child, output: () => text }
}

/** Resolves with the code of a process once it ended; kills it after 40 s. */
export async function exitCode(child: ChildProcess): Promise<number | null> {
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS)
  if (child.exitCode === null && child.signalCode === null) {
    await new Promise((resolve) => child.once('exit', resolve))
  }
  clearTimeout(timer)
  return child.exitCode
}

/** Calls until the answer is not undefined. A call that fails counts as no answer: the part may just be down. */
export async function until<T>(
  what: string,
  limitMs: number,
  ask: () => Promise<T | undefined>,
): Promise<T> {
  const deadline = Date.now() + limitMs
  for (;;) {
    let reason: unknown
    const answer = await ask().catch((error: unknown) => {
      reason = error
      return undefined
    })
    if (answer !== undefined) return answer
    if (Date.now() > deadline) {
      throw new Error(`${what}: not within ${limitMs} ms`, { cause: reason })
    }
    await sleep(200)
  }
}

export async function getText(url: string): Promise<string> {
  const response = await fetch(url, { signal: AbortSignal.timeout(5_000) })
  return response.text()
}

/** The sum of a metric's series. */
export function metric(text: string, name: string): number {
  const values = text.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'gm'))
  return [...values].reduce((sum, [, value]) => sum + Number(value), 0)
}

/** Records of all partitions that Snowflake has committed, by the offsets that the sink shows. */
export function committedRecords(text: string): number {
  const values = text.matchAll(/^snowflake_sink_committed_offset\{[^}]*\} (\S+)$/gm)
  return [...values].reduce((sum, [, value]) => sum + Number(value) + 1, 0)
}

export const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false // ESRCH: gone.
  }
}
