// What happens to a record that cannot be processed, as Kafka Connect's RetryWithToleranceOperator decides it.
// The hot path calls converters and transforms directly and comes here only with an error.
import type { Clock, Random } from '../api/clock.ts'
import { ConnectError, RetriableError, toMessage } from '../api/errors.ts'
import type { PluginLogger } from '../api/plugin-metrics.ts'
import type { SourceRecord } from '../api/records.ts'
import type { Awaitable } from '../api/task-context.ts'
import type { ConsumerMessage } from '../kafka/client.ts'
import { isPromise, withLimit } from './limits.ts'
import type { ConvertedRecord } from './source-dead-letter.ts'
import type { TaskMetrics } from './task-metrics.ts'

export type Stage =
  | 'TASK_POLL'
  | 'TASK_PUT'
  | 'TRANSFORMATION'
  | 'KEY_CONVERTER'
  | 'VALUE_CONVERTER'
  | 'HEADER_CONVERTER'
  | 'KAFKA_PRODUCE'
  | 'KAFKA_CONSUME'

export interface ToleranceConfig {
  readonly 'errors.tolerance': string
  readonly 'errors.retry.timeout': number
  readonly 'errors.retry.delay.max.ms': number
  readonly 'errors.log.enable': boolean
  readonly 'errors.log.include.messages': boolean
}

/** Where an error happened. */
export interface ErrorContext {
  readonly stage: Stage
  /** Full class name of the plugin that was at work, as configurations name it. */
  readonly executingClass: string
  /** The consumed message, for sinks. */
  readonly message: ConsumerMessage | undefined
  /** The polled record, for sources, and what Kafka was to keep of it, once that was known. */
  readonly record?: SourceRecord
  readonly converted?: ConvertedRecord | undefined
}

/** Gets told of every record that failed; resolves once that is durable, rejects when it cannot be. */
export type ErrorReporter = (context: ErrorContext, error: unknown) => Promise<void>

/** In place of a record: it failed and was skipped. */
export const SKIPPED = Symbol('skipped')

/**
 * What may be tolerated in which stage. Programmer errors never are: they fail the task, so that a bug is seen. Any
 * other `Error` of a plugin is, as any Exception is in Kafka Connect.
 */
const TOLERABLE: Readonly<Record<Stage, 'any' | 'retriable'>> = {
  TASK_POLL: 'retriable',
  TASK_PUT: 'retriable',
  TRANSFORMATION: 'any',
  KEY_CONVERTER: 'any',
  VALUE_CONVERTER: 'any',
  HEADER_CONVERTER: 'any',
  KAFKA_PRODUCE: 'retriable',
  KAFKA_CONSUME: 'retriable',
}

const RETRY_DELAY_MS_MIN = 300

/** How long to wait before the `attempt`th retry (from 1), within the deadline. */
export function retryDelayMs(
  attempt: number,
  options: {
    readonly maxMs: number
    readonly untilDeadlineMs: number
    readonly random: Random
  },
): number {
  const doubled = RETRY_DELAY_MS_MIN * 2 ** Math.min(attempt - 1, 30)
  const delay = doubled > options.maxMs ? options.random() * options.maxMs : doubled
  return Math.min(delay, Math.max(options.untilDeadlineMs, 0))
}

export interface ToleranceOptions {
  readonly config: ToleranceConfig
  readonly taskId: string
  /** How long a converter may take to answer. */
  readonly callLimitMs: number
  readonly clock: Clock
  readonly random: Random
  readonly log: PluginLogger
  readonly metrics: TaskMetrics
  /** Ends waits. */
  readonly signal: AbortSignal
  readonly reporters: readonly ErrorReporter[]
  /** Told while an operation is retried, and with null when that is over. */
  readonly onRetrying: (message: string | null) => void
}

export class ToleranceOperator {
  readonly #options: ToleranceOptions
  readonly #pending = new Set<Promise<void>>()
  #failure: { readonly error: unknown } | undefined

  constructor(options: ToleranceOptions) {
    this.#options = options
  }

  get toleratesAll(): boolean {
    return this.#options.config['errors.tolerance'] === 'all'
  }

  /**
   * Continues after a first failure: retries what is retriable as long as `errors.retry.timeout` allows. Returns
   * the late result, or `SKIPPED` when the record is given up and tolerance is `all`.
   *
   * @throws ConnectError otherwise: the task fails.
   */
  async recover<T>(
    context: ErrorContext,
    first: unknown,
    again: () => Awaitable<T>,
  ): Promise<T | typeof SKIPPED> {
    const { clock, config, metrics, random, signal, onRetrying } = this.#options
    const timeoutMs = config['errors.retry.timeout']
    const deadline = timeoutMs < 0 ? Number.POSITIVE_INFINITY : clock.now() + timeoutMs
    let error = first
    let isRetrying = false
    for (let attempt = 1; error instanceof RetriableError && !signal.aborted; attempt++) {
      if (clock.now() >= deadline) break
      metrics.retries(1)
      metrics.recordFailures(1)
      isRetrying = true
      onRetrying(`Retrying ${context.stage} after: ${toMessage(error)}`)
      const waitMs = retryDelayMs(attempt, {
        maxMs: config['errors.retry.delay.max.ms'],
        untilDeadlineMs: deadline - clock.now(),
        random,
      })
      await clock.sleep(waitMs, signal).catch(() => {}) // An abort shows in the loop's condition.
      try {
        const result = await this.answer(context, again())
        onRetrying(null)
        return result
      } catch (next) {
        error = next
      }
    }
    if (isRetrying) onRetrying(null)
    return this.#giveUp(context, error)
  }

  /**
   * A record failed for good outside of a call, e.g. in the producer: counts and reports it, whatever the error's
   * class. @throws ConnectError unless tolerance is `all`.
   */
  async failed(context: ErrorContext, error: unknown): Promise<void> {
    this.#count()
    await this.#report(context, error, 'logged')
  }

  /** What a converter answers, waited for no longer than its limit. */
  answer<T>({ stage, executingClass }: ErrorContext, result: Awaitable<T>): Awaitable<T> {
    if (!isPromise(result)) return result
    const { callLimitMs, clock, taskId } = this.#options
    const what = `${stage} of task ${taskId} by ${executingClass}`
    return withLimit(what, result, { clock, limitMs: callLimitMs })
  }

  /**
   * As `failed`, of a record that its task reports: rejects also when a reporter cannot keep it. The task may not wait:
   * the error is kept for `throwIfFailed` too, and is never unhandled.
   */
  failedAside(context: ErrorContext, error: unknown): Promise<void> {
    this.#count()
    const report = this.#report(context, error, 'thrown')
    report.catch((failure: unknown) => {
      this.#failure ??= { error: failure }
    })
    return report
  }

  /** @throws what `failedAside` came to. */
  throwIfFailed(): void {
    if (this.#failure !== undefined) throw this.#failure.error
  }

  /** Resolves once every report so far is durable. Rejects with the first that failed. */
  async reported(): Promise<void> {
    await Promise.all(this.#pending)
    this.throwIfFailed()
  }

  async #giveUp(context: ErrorContext, error: unknown): Promise<typeof SKIPPED> {
    this.#count()
    if (!isTolerable(context.stage, error)) {
      throw new ConnectError('Unhandled exception in error handler', { cause: error })
    }
    await this.#report(context, error, 'logged')
    return SKIPPED
  }

  #count(): void {
    const { metrics } = this.#options
    metrics.recordFailures(1)
    metrics.recordErrors(1)
    metrics.errorSeen()
  }

  /** As in Kafka Connect, what a reporter cannot keep fails a task only if the task itself reported it. */
  async #report(context: ErrorContext, error: unknown, unkept: 'logged' | 'thrown'): Promise<void> {
    const { log, metrics, reporters } = this.#options
    this.#logError(context, error)
    for (const report of reporters) {
      try {
        await this.#track(report(context, error))
      } catch (failure) {
        if (unkept === 'thrown') throw failure
        log.error({ err: failure }, 'A record that failed could not be kept.')
      }
    }
    if (!this.toleratesAll) {
      throw new ConnectError('Tolerance exceeded in error handler', { cause: error })
    }
    metrics.recordsSkipped(1)
  }

  async #track(report: Promise<void>): Promise<void> {
    this.#pending.add(report)
    try {
      await report
    } finally {
      this.#pending.delete(report)
    }
  }

  #logError(context: ErrorContext, error: unknown): void {
    const { config, log, metrics, taskId } = this.#options
    if (!config['errors.log.enable']) return
    const { message } = context
    const where =
      config['errors.log.include.messages'] && message !== undefined
        ? `, where consumed record is {topic='${message.topic}', partition=${message.partition}, offset=${message.offset}, timestamp=${message.timestamp}, timestampType=${message.timestampType}}`
        : ''
    metrics.errorsLogged(1)
    log.error(
      { err: error },
      `Error encountered in task ${taskId}. Executing stage '${context.stage}' with class '${context.executingClass}'${where}.`,
    )
  }
}

const PROGRAMMER_ERRORS = [TypeError, ReferenceError, RangeError, SyntaxError]

const isTolerable = (stage: Stage, error: unknown): boolean =>
  TOLERABLE[stage] === 'any'
    ? error instanceof Error && !PROGRAMMER_ERRORS.some((bug) => error instanceof bug)
    : error instanceof RetriableError
