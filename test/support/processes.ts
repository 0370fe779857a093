// Real processes for tests: parts of the built program, and programs that print something.
import { type ChildProcess, fork, spawn } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import path from 'node:path'
import { ROOT } from './needs.ts'

export interface Part {
  readonly pid: number
  readonly ready: Readonly<Record<string, unknown>>
  /** kill -9, and the process is gone. */
  kill(): Promise<void>
  /** Asks it to stop, and kill -9 after ten seconds. */
  stop(): Promise<void>
}

const READY_LIMIT_MS = 60_000
const STOP_LIMIT_MS = 10_000

/** Runs `dist/connector/cli/NAME.js` (built by the set-up) and waits until it says that it is ready. */
export async function startPart(
  name: string,
  args: readonly string[],
  logFile: string,
): Promise<Part> {
  const child = fork(path.join(ROOT, 'dist/connector/cli', `${name}.js`), args, {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    execArgv: ['--enable-source-maps'],
    env: { ...process.env, UV_THREADPOOL_SIZE: '16' },
  })
  const log = createWriteStream(logFile, { flags: 'a' })
  child.stdout?.pipe(log, { end: false })
  child.stderr?.pipe(log, { end: false })
  const ready = await new Promise<Readonly<Record<string, unknown>>>((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`${name} was not ready after ${READY_LIMIT_MS} ms, see ${logFile}`)),
      READY_LIMIT_MS,
    )
    child.on('message', (message) => {
      const { ready: offered, failed } = message as {
        ready?: Record<string, unknown>
        failed?: string
      }
      if (failed !== undefined) reject(new Error(`${name}: ${failed}`))
      if (offered === undefined) return
      clearTimeout(timer)
      resolve(offered)
    })
    child.once('exit', (code, killed) => {
      clearTimeout(timer)
      reject(new Error(`${name} ended with ${killed ?? code} before it was ready, see ${logFile}`))
    })
  })
  return {
    pid: child.pid ?? 0,
    ready,
    kill: async () => {
      child.kill('SIGKILL')
      await gone(child)
    },
    stop: async () => {
      if (child.connected) child.send({ stop: true })
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS)
      await gone(child)
      clearTimeout(timer)
    },
  }
}

function gone(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve()
  return new Promise((resolve) => {
    child.once('exit', () => resolve())
  })
}

/** What a program printed. Rejects with the end of its errors when it fails. */
export function output(command: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    let text = ''
    let errors = ''
    child.stdout.on('data', (chunk) => (text += String(chunk)))
    child.stderr.on('data', (chunk) => (errors = (errors + String(chunk)).slice(-4_000)))
    child.once('error', reject)
    // Not 'close': a broker that the script leaves running keeps the script's error stream open.
    child.once('exit', (code) => {
      if (code === 0) resolve(text)
      else reject(new Error(`${command} ${args.join(' ')} ended with ${code}: ${errors}`))
    })
  })
}
