import type { Clock } from '../../connector/api/clock.ts'

export const SPEED_MIN = 1
export const SPEED_MAX = 120
/** However fast the feeds' time runs, a new body is made at most this often in real time. */
const REAL_STEP_MS = 1_500

/** What can be told to the feeds' clock; what is left out stays. */
export interface ClockOrder {
  readonly speed?: number
  /** Unix seconds that it shows from now on. */
  readonly at?: number
  readonly paused?: boolean
  /** Seconds that it goes on at once. */
  readonly stepS?: number
}

/**
 * The feeds' own time. Every timestamp in a simulated body is of this clock. At speed 1 it is the wall
 * clock; at speed N it left the wall clock at `epochMs` and runs N times as fast. Two simulators with the
 * same epoch and speed agree at every instant, so one that was started again goes on where it would be.
 */
export class FeedClock {
  readonly #clock: Clock
  /** The wall clock's milliseconds at which this one showed `#shownMs`. */
  #sinceMs: number
  #shownMs: number
  #speed: number
  #isPaused = false

  /** `startMs`: what the feeds' clock shows at `epochMs`; without it the same instant. */
  constructor(options: { clock: Clock; speed: number; epochMs?: number; startMs?: number }) {
    this.#speed = options.speed
    this.#clock = options.clock
    this.#sinceMs = options.epochMs ?? options.clock.now()
    this.#shownMs = options.startMs ?? this.#sinceMs
  }

  get speed(): number {
    return this.#speed
  }

  get isPaused(): boolean {
    return this.#isPaused
  }

  /** Unix seconds, with fractions. */
  now(): number {
    const passedMs = this.#isPaused ? 0 : (this.#clock.now() - this.#sinceMs) * this.#speed
    return (this.#shownMs + passedMs) / 1000
  }

  /** The latest instant, in whole Unix seconds, at which a feed with this step made a new body. */
  generation(stepS: number): number {
    const step = Math.max(stepS, Math.round((REAL_STEP_MS * this.#speed) / 1000))
    return Math.floor(this.now() / step) * step
  }

  /** Sets, steps, stops or lets go the clock. From then on it is no longer what `epochMs` would give. */
  set(order: ClockOrder): void {
    this.#shownMs = ((order.at ?? this.now()) + (order.stepS ?? 0)) * 1000
    this.#sinceMs = this.#clock.now()
    this.#speed = order.speed ?? this.#speed
    this.#isPaused = order.paused ?? this.#isPaused
  }
}
