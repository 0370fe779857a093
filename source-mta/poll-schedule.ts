// When a feed is asked next. Pure but for what is passed in.
import type { Random } from '../connector/api/clock.ts'
import { type PollOutcome, isGood } from './outcome.ts'

const BACKOFF_INTERVALS_MAX = 8

export interface ScheduleOptions {
  readonly pollIntervalMs: number
  readonly backoffMaxMs: number
  /** No two polls are nearer to each other, whatever the jitter; default 0. */
  readonly floorMs?: number
  /** Share of a wait that is random, 0 to 0.5. */
  readonly jitter: number
  readonly random: Random
}

/**
 * One feed's place in time: the interval after a good poll, doubled with each failed one up to eight
 * intervals or `backoffMaxMs`, and never earlier than Retry-After asks.
 */
export class PollSchedule {
  readonly #options: ScheduleOptions
  #dueAtMs: number
  #failures = 0

  /** The first poll is due at `startAtMs`. */
  constructor(options: ScheduleOptions, startAtMs: number) {
    this.#options = options
    this.#dueAtMs = startAtMs
  }

  get dueAtMs(): number {
    return this.#dueAtMs
  }

  /** Failed polls in a row. */
  get failures(): number {
    return this.#failures
  }

  /** Sets the next poll after one that was started at `startedAtMs` and has ended at `endedAtMs`. */
  done(
    outcome: PollOutcome,
    times: { readonly startedAtMs: number; readonly endedAtMs: number },
    retryAfterMs = 0,
  ): void {
    this.#failures = isGood(outcome) ? 0 : this.#failures + 1
    const floorMs = this.#options.floorMs ?? 0
    const wait = Math.max(this.#jittered(this.#waitMs(outcome)), floorMs)
    this.#dueAtMs = Math.max(times.startedAtMs + wait, times.endedAtMs + retryAfterMs)
  }

  #waitMs(outcome: PollOutcome): number {
    const { pollIntervalMs, backoffMaxMs } = this.#options
    if (this.#failures <= 1 && outcome !== 'CONFIG') return pollIntervalMs
    const most = Math.max(
      pollIntervalMs,
      Math.min(backoffMaxMs, pollIntervalMs * BACKOFF_INTERVALS_MAX),
    )
    // What needs a person is not asked for in a hurry.
    if (outcome === 'CONFIG') return most
    return Math.min(most, pollIntervalMs * 2 ** Math.min(this.#failures - 1, 30))
  }

  #jittered(waitMs: number): number {
    const { jitter, random } = this.#options
    return Math.round(waitMs * (1 + jitter * (2 * random() - 1)))
  }
}
