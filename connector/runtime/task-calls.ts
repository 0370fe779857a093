import type { Clock } from '../api/clock.ts'
import type { Awaitable } from '../api/task-context.ts'
import type { EventLoopWatch } from './event-loop-watch.ts'
import { isPromise, withLimit } from './limits.ts'
import { asError } from './thrown.ts'

/** A callback of a task's plugins. */
export type TaskCallback =
  | 'start'
  | 'stop'
  | 'poll'
  | 'commit'
  | 'commitRecord'
  | 'put'
  | 'open'
  | 'close'
  | 'preCommit'
  | 'conversion'

/** One that has not answered for so long is shown in the task's health. */
const SLOW_MS = 30_000

export interface TaskCallsOptions {
  /** Kafka Connect's name of the task. */
  readonly task: string
  readonly clock: Clock
  readonly watch: EventLoopWatch
  /** `task.call.timeout.ms` */
  readonly limitMs: number
  /** Gives every call up. */
  readonly signal: AbortSignal
  /** Told of a call that takes long, and with null when it is over. */
  readonly onSlow: (message: string | null) => void
}

/** The calls of a task's plugin: named while they run, and none waited for longer than its limit. */
export class TaskCalls {
  readonly #options: TaskCallsOptions
  readonly #names = new Map<TaskCallback, string>()

  constructor(options: TaskCallsOptions) {
    this.#options = options
  }

  /** @throws what the plugin threw, a `TimeLimitError`, or the signal's reason. */
  async call<T>(callback: TaskCallback, work: () => Awaitable<T>, limitMs?: number): Promise<T> {
    const { clock, signal, watch } = this.#options
    signal.throwIfAborted()
    const name = this.#nameOf(callback)
    let result: Awaitable<T>
    try {
      result = watch.run(name, work)
    } catch (thrown) {
      throw asError(thrown)
    }
    if (!isPromise(result)) return result
    const answered = watch.await(name)
    const slow = new AbortController()
    if (callback !== 'poll') void this.#tellWhenSlow(name, slow.signal)
    try {
      return await withLimit(name, result, {
        clock,
        limitMs: limitMs ?? this.#limitOf(callback),
        signal,
      })
    } catch (thrown) {
      throw asError(thrown)
    } finally {
      answered()
      slow.abort()
    }
  }

  /** Runs what does not wait under the callback's name. */
  watched<T>(callback: TaskCallback, work: () => T): T {
    return this.#options.watch.run(this.#nameOf(callback), work)
  }

  /** A poll waits for new data as long as the source likes. */
  #limitOf(callback: TaskCallback): number {
    return callback === 'poll' ? Number.POSITIVE_INFINITY : this.#options.limitMs
  }

  async #tellWhenSlow(name: string, over: AbortSignal): Promise<void> {
    const { clock, onSlow } = this.#options
    try {
      await clock.sleep(SLOW_MS, over)
    } catch {
      return // It has answered.
    }
    over.addEventListener('abort', () => onSlow(null), { once: true })
    onSlow(`${name} has not answered for more than ${SLOW_MS / 1_000} s.`)
  }

  #nameOf(callback: TaskCallback): string {
    let name = this.#names.get(callback)
    if (name === undefined) {
      name = `${callback} of task ${this.#options.task}`
      this.#names.set(callback, name)
    }
    return name
  }
}
