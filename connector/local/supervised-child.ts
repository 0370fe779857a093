import { type ChildProcess, fork } from 'node:child_process'
import type { Clock } from '../api/clock.ts'
import { ConnectError } from '../api/errors.ts'
import type { RollingLog } from './rolling-log.ts'

export interface ChildOptions {
  readonly name: string
  /** The module to run; it calls `runPart`. */
  readonly entry: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
  readonly execArgv?: readonly string[]
  readonly log: RollingLog
  readonly clock: Clock
  /** Told in one sentence when the child died and when it is back. */
  readonly say: (text: string) => void
}

const READY_LIMIT_MS = 60_000
const STOP_LIMIT_MS = 12_000
const BACKOFF_MS_MIN = 250
const BACKOFF_MS_MAX = 10_000
/** A child that ran this long starts again at once. */
const STABLE_MS = 30_000

/**
 * A process of the stack. Once it was ready it is started again whenever it dies, with back-off; a first
 * start that fails rejects. It ends with this process, whatever kills this one (see `runPart`).
 */
export class SupervisedChild {
  readonly name: string
  readonly #options: ChildOptions
  readonly #stop = new AbortController()
  #process: ChildProcess | undefined
  #running: Promise<void> = Promise.resolve()

  constructor(options: ChildOptions) {
    this.name = options.name
    this.#options = options
  }

  get pid(): number | undefined {
    return this.#process?.pid
  }

  /** Resolves with what the child said it offers. */
  async start(): Promise<Readonly<Record<string, unknown>>> {
    const child = this.#spawn()
    const ready = await this.#ready(child)
    this.#running = this.#keepAlive(child)
    return ready
  }

  /** Asks it to stop, and SIGKILL for one that does not. Resolves when it is gone. */
  async stop(): Promise<void> {
    this.#stop.abort()
    const child = this.#process
    if (child !== undefined && isRunning(child)) {
      const gone = exited(child)
      if (child.connected) child.send({ stop: true })
      const waited = new AbortController()
      const late = this.#options.clock.sleep(STOP_LIMIT_MS, waited.signal).then(
        () => child.kill('SIGKILL'),
        () => undefined, // It ended in time, which ends the wait.
      )
      await gone
      waited.abort()
      await late
    }
    await this.#running
  }

  #spawn(): ChildProcess {
    const { entry, args, env, execArgv, log } = this.#options
    const child = fork(entry, args, {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: { ...env },
      execArgv: [...(execArgv ?? process.execArgv)],
    })
    const write = (chunk: Buffer): void => log.write(chunk)
    child.stdout?.on('data', write)
    child.stderr?.on('data', write)
    this.#process = child
    return child
  }

  #ready(child: ChildProcess): Promise<Readonly<Record<string, unknown>>> {
    const { name, log } = this.#options
    return new Promise((resolve, reject) => {
      const fail = (text: string): void => {
        timer.abort()
        child.kill('SIGKILL')
        reject(new ConnectError(text))
      }
      const timer = new AbortController()
      this.#options.clock.sleep(READY_LIMIT_MS, timer.signal).then(
        () => fail(`The ${name} was not ready after ${READY_LIMIT_MS / 1000} s; see ${log.file}.`),
        () => undefined, // It was ready or failed in time.
      )
      child.on('message', (message) => {
        const { ready, failed } = message as { ready?: Record<string, unknown>; failed?: string }
        if (failed !== undefined) fail(`The ${name} did not start: ${failed}`)
        if (ready === undefined) return
        timer.abort()
        resolve(ready)
      })
      child.once('exit', (code, signal) =>
        fail(
          `The ${name} ended with ${signal ?? `code ${code}`} before it was ready: ${log.tail()}`,
        ),
      )
      child.once('error', (error) => fail(`The ${name} could not be run: ${error.message}`))
    })
  }

  async #keepAlive(first: ChildProcess): Promise<void> {
    const { clock, name, say } = this.#options
    let child = first
    let backoffMs = BACKOFF_MS_MIN
    while (!this.#stop.signal.aborted) {
      const beganMs = clock.now()
      const how = await exited(child)
      if (this.#stop.signal.aborted) return
      if (clock.now() - beganMs > STABLE_MS) backoffMs = BACKOFF_MS_MIN
      say(`the ${name} ended (${how}); starting it again in ${backoffMs} ms`)
      await clock.sleep(backoffMs, this.#stop.signal).catch(() => undefined) // An abort ends the loop.
      if (this.#stop.signal.aborted) return
      backoffMs = Math.min(BACKOFF_MS_MAX, backoffMs * 2)
      child = this.#spawn()
      await this.#ready(child).then(
        () => say(`the ${name} is back (process ${child.pid})`),
        (error: unknown) => say(error instanceof Error ? error.message : String(error)),
      )
    }
  }
}

const isRunning = (child: ChildProcess): boolean =>
  child.exitCode === null && child.signalCode === null

function exited(child: ChildProcess): Promise<string> {
  if (!isRunning(child)) return Promise.resolve(child.signalCode ?? `code ${child.exitCode}`)
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve(signal ?? `code ${code}`))
  })
}
