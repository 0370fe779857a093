import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Clock, Random } from '../api/clock.ts'
import { ConnectError, RetriableError, toMessage } from '../api/errors.ts'
import type { Awaitable, Props, TaskHealth } from '../api/task-context.ts'
import type { EventLoopWatch } from './event-loop-watch.ts'
import { untilAborted, withLimit } from './limits.ts'
import type { Logger } from './logging.ts'
import type { OwnedPluginMetrics } from './plugin-metric-families.ts'
import { type RetryPolicy, retry } from './retry.ts'
import { type TaskCallback, TaskCalls } from './task-calls.ts'
import { nextTaskState, type TaskEvent, type TaskState } from './task-state.ts'
import { asError } from './thrown.ts'

export interface TaskId {
  readonly connector: string
  readonly task: number
}

/** Kafka Connect's name of a task, `mta-0`. */
export const taskName = (id: TaskId): string => `${id.connector}-${id.task}`

/** Gets told how a task is. */
export interface TaskListener {
  onState(state: TaskState, error: unknown): void
  onHealth(health: TaskHealth | null): void
}

export interface WorkerTaskOptions {
  readonly id: TaskId
  /** The task's configuration, config providers resolved. */
  readonly props: Props
  readonly isPaused: boolean
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly listener: TaskListener
  readonly pluginMetrics: OwnedPluginMetrics
  readonly watch: EventLoopWatch
  /** `task.call.timeout.ms` */
  readonly callLimitMs: number
}

const DISCONNECTED: TaskHealth = {
  state: 'DEGRADED',
  message: 'There is no connection to any Kafka broker.',
}

/** The task was told to stop and took too long; nothing that it still does counts. */
class CancelledError extends ConnectError {}

/**
 * The life of a task on this worker: `initialize`, then `iteration` again and again, then `close`. `run` does
 * all of it and never rejects; tests call the parts. Whatever a plugin does, `cancel` ends the task.
 */
export abstract class WorkerTask {
  readonly id: TaskId
  protected readonly props: Props
  protected readonly clock: Clock
  protected readonly random: Random
  protected readonly log: Logger
  protected readonly pluginMetrics: OwnedPluginMetrics
  readonly #listener: TaskListener
  readonly #calls: TaskCalls
  readonly #stop = new AbortController()
  readonly #cancel = new AbortController()
  #interrupt = new AbortController()
  #state: TaskState = 'UNASSIGNED'
  #isPaused: boolean
  #isMuted = false
  #workerHealth: TaskHealth | null = null
  #ailment: string | null = null
  #slowCall: TaskHealth | null = null
  #pluginHealth: TaskHealth | null = null
  #isDisconnected = false
  #running: Promise<void> | undefined

  constructor(options: WorkerTaskOptions) {
    this.id = options.id
    this.props = options.props
    this.clock = options.clock
    this.random = options.random
    this.log = options.log
    this.pluginMetrics = options.pluginMetrics
    this.#listener = options.listener
    this.#isPaused = options.isPaused
    this.#calls = new TaskCalls({
      task: taskName(options.id),
      clock: options.clock,
      watch: options.watch,
      limitMs: options.callLimitMs,
      signal: this.#cancel.signal,
      onSlow: (message) => {
        this.#slowCall = message === null ? null : { state: 'DEGRADED', message }
        this.#reportHealth()
      },
    })
  }

  /** Connects clients and starts the plugin; then reports RUNNING or PAUSED. */
  abstract initialize(): Promise<void>
  /** One turn of the loop. A throw fails the task. */
  abstract iteration(): Promise<void>
  /** Stops the plugin and closes clients, whatever state they are in. */
  protected abstract close(): Promise<void>
  /** Called when pause or resume was asked for, outside of `iteration`. */
  protected onTargetState(): void {}

  /** Runs the task to its end. Never rejects. */
  run(): Promise<void> {
    this.#running ??= this.#run()
    return this.#running
  }

  /** Asks the task to stop: waits end, signals given to the plugin abort. */
  stop(): void {
    if (this.isStopping) return
    this.#stop.abort(new ConnectError(`Task ${taskName(this.id)} is stopping.`))
    this.#interrupt.abort(this.#stop.signal.reason)
    this.onTargetState()
  }

  /** Calls back when the task is asked to stop. */
  onStop(callback: () => void): void {
    this.#stop.signal.addEventListener('abort', callback, { once: true })
  }

  /** Shows that an operation is being retried; null: no more. */
  reportRetrying(message: string | null): void {
    this.setWorkerHealth(message)
  }

  /** Says whether the task's client has a connection to any broker. */
  reportConnected(isConnected: boolean): void {
    if (this.#isDisconnected === !isConnected) return
    this.#isDisconnected = !isConnected
    this.#reportHealth()
  }

  /** Abandons the task: pending calls of the plugin are given up, their results ignored, and no status is written any more. */
  cancel(): void {
    this.mute()
    this.stop()
    this.#cancel.abort(new CancelledError(`Task ${taskName(this.id)} was cancelled.`))
  }

  /** No state or health is reported any more. */
  mute(): void {
    this.#isMuted = true
  }

  /** Applies a target state; the loop notices at once. */
  setPaused(isPaused: boolean): void {
    if (this.#isPaused === isPaused) return
    this.#isPaused = isPaused
    this.interrupt(`Task ${taskName(this.id)} changes its target state.`)
    this.onTargetState()
  }

  get state(): TaskState {
    return this.#state
  }

  get isStopping(): boolean {
    return this.#stop.signal.aborted
  }

  get isCancelled(): boolean {
    return this.#cancel.signal.aborted
  }

  protected get isPaused(): boolean {
    return this.#isPaused
  }

  /** Aborts when the task is asked to stop. */
  protected get stopSignal(): AbortSignal {
    return this.#stop.signal
  }

  /** Aborts when the task is asked to stop, pause or resume. */
  protected get interruptSignal(): AbortSignal {
    return this.#interrupt.signal
  }

  /** Ends the wait that the loop is in. */
  protected interrupt(why: string): void {
    this.#interrupt.abort(new ConnectError(why))
    if (!this.isStopping) this.#interrupt = new AbortController()
  }

  /** Calls the plugin; gives up after `limitMs`, `task.call.timeout.ms` by default, or when the task is cancelled. */
  protected callPlugin<T>(
    callback: TaskCallback,
    work: () => Awaitable<T>,
    limitMs?: number,
  ): Promise<T> {
    return this.#calls.call(callback, work, limitMs)
  }

  /** Runs what plugins do without waiting, under the callback's name. */
  protected watched<T>(callback: TaskCallback, work: () => T): T {
    return this.#calls.watched(callback, work)
  }

  /** Stops the plugin, also of a cancelled task. */
  protected async stopPlugin(stop: () => Awaitable<void>, limitMs: number): Promise<void> {
    const result = this.watched('stop', stop)
    await withLimit(`stop of task ${taskName(this.id)}`, result, { clock: this.clock, limitMs })
  }

  /** Does what is no plugin's. Ends with a `CancelledError` when the task is cancelled meanwhile. */
  protected call<T>(callback: () => Awaitable<T>): Promise<T> {
    if (this.isCancelled) return Promise.reject(this.#cancel.signal.reason as Error)
    try {
      return untilAborted(callback(), this.#cancel.signal)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /** Reports an event to the state table, and the new state to the listener. */
  protected event(event: TaskEvent, error?: unknown): void {
    const next = nextTaskState(this.#state, event)
    if (next === this.#state) return
    this.#state = next
    this.log.debug({ state: next }, 'Task changed its state.')
    if (!this.#isMuted) this.#listener.onState(next, error)
  }

  /** What the worker itself has to say of the task; shown before what the plugin says. */
  protected setWorkerHealth(message: string | null): void {
    if ((this.#workerHealth?.message ?? null) === message) return
    this.#workerHealth = message === null ? null : { state: 'DEGRADED', message }
    this.#reportHealth()
  }

  /** What the plugin says of the task, by `context.reportHealth`. */
  protected setPluginHealth(health: TaskHealth | null): void {
    if (
      health?.state === this.#pluginHealth?.state &&
      health?.message === this.#pluginHealth?.message
    ) {
      return
    }
    this.#pluginHealth = health
    this.#reportHealth()
  }

  /** Retries what is retriable without end, until the task stops; shows it as the task's health. */
  protected async persist<T>(what: string, operation: () => Promise<T>): Promise<T> {
    const policy: RetryPolicy = {
      clock: this.clock,
      random: this.random,
      signal: this.stopSignal,
      timeoutMs: -1,
      delayMsMin: 200,
      delayMsMax: 10_000,
      onRetry: (error, attempt, waitMs) => this.#onRetry(what, { error, attempt, waitMs }),
    }
    const result = await retry(operation, policy)
    this.setWorkerHealth(null)
    return result
  }

  #onRetry(
    what: string,
    retrying: { readonly error: RetriableError; readonly attempt: number; readonly waitMs: number },
  ): void {
    const { error, attempt, waitMs } = retrying
    this.setWorkerHealth(`${what} failed and is tried again: ${toMessage(error)}`)
    const fields = { err: error, attempt, waitMs: Math.round(waitMs) }
    if (attempt === 1) this.log.warn(fields, `${what} failed and is tried again.`)
    else this.log.debug(fields, `${what} failed and is tried again.`)
  }

  #reportHealth(): void {
    if (this.#isMuted) return
    const disconnected = this.#isDisconnected ? DISCONNECTED : null
    const health = this.#workerHealth ?? disconnected ?? this.#slowCall ?? this.#pluginHealth
    this.#logHealth(health)
    this.#listener.onHealth(health)
  }

  /** One line when a task begins to suffer or suffers from something else, one when it is well again. */
  #logHealth(health: TaskHealth | null): void {
    // Counters in the text change all the time and say nothing new.
    const ailment = health?.state === 'DEGRADED' ? health.message.replaceAll(/\d+/g, '#') : null
    if (ailment === this.#ailment) return
    this.#ailment = ailment
    if (ailment === null) this.log.info({}, 'The task is well again.')
    else this.log.warn({ reason: health?.message }, 'The task is degraded.')
  }

  async #run(): Promise<void> {
    try {
      if (!this.isStopping) await this.initialize()
      while (!this.isStopping) {
        await this.iteration()
        await nextTurn() // A plugin that never has to wait would keep everything else from running.
      }
    } catch (error) {
      this.#fail(error)
    }
    try {
      await this.close()
    } catch (error) {
      this.log.warn({ err: error }, 'Task did not close cleanly.')
    }
    this.pluginMetrics.close()
    this.event('stop')
  }

  #fail(thrown: unknown): void {
    const error = asError(thrown)
    if (this.isCancelled || (this.isStopping && isAboutStopping(error, this.#stop.signal))) return
    if (this.isStopping && error instanceof RetriableError) return
    this.log.error(
      { err: error },
      'Task threw an error that it cannot recover from; it stays FAILED until it is restarted.',
    )
    this.event('fail', error)
  }
}

/** Whether the error only says that a wait was given up. */
export function isAboutStopping(error: unknown, signal: AbortSignal): boolean {
  if (!signal.aborted) return false
  for (let current = error, depth = 0; current instanceof Error && depth < 8; depth++) {
    if (current === signal.reason || current.name === 'AbortError') return true
    current = current.cause
  }
  return false
}
