// One operation at a time, whose outcome counts only in the life that it was started in, and the wait after failures.
import type { Clock, Random } from '../api/clock.ts'
import { toMessage } from '../api/errors.ts'
import { backoffMs } from './backoff.ts'
import { SnowpipeError } from './errors.ts'

export interface OperationsOptions {
  readonly clock: Clock
  readonly random: Random
  readonly backoffMaxMs: number
  readonly signal: AbortSignal
}

/** Failures before they are worth an operator's look. */
const FAILURES_UNSAID = 2

export class Operations {
  readonly #o: OperationsOptions
  #epoch = 0
  #isBusy = false
  #failures = 0
  #notBeforeMs = 0
  readonly #lastedMs = new Map<string, number>()
  #lastFailure: { readonly kind: string; readonly atMs: number } | undefined
  #trouble: string | undefined

  constructor(options: OperationsOptions) {
    this.#o = options
  }

  /** Counts the lives: what was asked in an earlier one is not listened to any more. */
  get epoch(): number {
    return this.#epoch
  }
  get failures(): number {
    return this.#failures
  }
  get canStart(): boolean {
    return !this.#isBusy && this.#o.clock.now() >= this.#notBeforeMs
  }
  /** What keeps failing, once it has failed more than once. */
  get trouble(): string | undefined {
    return this.#failures >= FAILURES_UNSAID ? this.#trouble : undefined
  }
  /** How long failures of the last one's kind have lasted since anything succeeded; time among others does not count. */
  get troubleMs(): number {
    return this.#lastedMs.get(this.#lastFailure?.kind ?? '') ?? 0
  }

  /** Starts `operation`; then calls `done` or `failed`, unless `renew` was called in the meantime. */
  run<T>(
    operation: (signal: AbortSignal) => Promise<T>,
    done: (result: T) => void,
    failed: (error: unknown) => void,
  ): void {
    const epoch = this.#epoch
    this.#isBusy = true
    const settle = async (): Promise<void> => {
      try {
        const result = await operation(this.#o.signal)
        if (epoch !== this.#epoch) return
        this.#isBusy = false
        this.#succeeded()
        done(result)
      } catch (error) {
        if (epoch !== this.#epoch || this.#o.signal.aborted) return
        this.#isBusy = false
        this.#failed(error)
        failed(error)
      }
    }
    void settle()
  }

  /** The refusal was an answer like any other: whatever failed before is over. */
  answered(): void {
    this.#succeeded()
  }

  #succeeded(): void {
    this.#failures = 0
    this.#trouble = undefined
    this.#lastedMs.clear()
    this.#lastFailure = undefined
  }

  #failed(error: unknown): void {
    const atMs = this.#o.clock.now()
    const kind = kindOf(error)
    const last = this.#lastFailure
    const betweenMs = last?.kind === kind ? atMs - last.atMs : 0
    this.#lastedMs.set(kind, (this.#lastedMs.get(kind) ?? 0) + betweenMs)
    this.#lastFailure = { kind, atMs }
  }

  /** Makes the next operation wait, longer after each failure. Returns the wait in milliseconds. */
  retryLater(where: string, error: Error, floorMs: number | undefined): number {
    const { random, backoffMaxMs } = this.#o
    this.#failures++
    this.#trouble = `${where}: ${toMessage(error)}`
    return this.delay(backoffMs(this.#failures, { random, maxMs: backoffMaxMs, floorMs }))
  }

  delay(ms: number): number {
    this.#notBeforeMs = this.#o.clock.now() + ms
    return ms
  }

  /** Begins another life. What is under way is not listened to. */
  renew(): void {
    this.#epoch++
    this.#isBusy = false
    this.#failures = 0
    this.#notBeforeMs = 0
  }
}

/** Failures of one kind are answered in the same way. */
function kindOf(error: unknown): string {
  if (error instanceof SnowpipeError) return error.reaction
  return error instanceof Error ? error.name : 'unknown'
}
