import type { Clock } from '../../connector/api/clock.ts'

export const SPEED_MIN = 1
export const SPEED_MAX = 120
/** However fast the feeds' time runs, a new body is made at most this often in real time. */
const REAL_STEP_MS = 1_500

/**
 * The feeds' own time. Every timestamp in a simulated body is of this clock. At speed 1 it is the wall
 * clock; at speed N it left the wall clock at `epochMs` and runs N times as fast. Two simulators with the
 * same epoch and speed agree at every instant, so one that was started again goes on where it would be.
 */
export class FeedClock {
  readonly speed: number
  readonly #clock: Clock
  readonly #epochMs: number
  readonly #startMs: number

  /** `startMs`: what the feeds' clock shows at `epochMs`; without it the same instant. */
  constructor(options: { clock: Clock; speed: number; epochMs?: number; startMs?: number }) {
    this.speed = options.speed
    this.#clock = options.clock
    this.#epochMs = options.epochMs ?? options.clock.now()
    this.#startMs = options.startMs ?? this.#epochMs
  }

  /** Unix seconds, with fractions. */
  now(): number {
    return (this.#startMs + (this.#clock.now() - this.#epochMs) * this.speed) / 1000
  }

  /** The latest instant, in whole Unix seconds, at which a feed with this step made a new body. */
  generation(stepS: number): number {
    const step = Math.max(stepS, Math.round((REAL_STEP_MS * this.speed) / 1000))
    return Math.floor(this.now() / step) * step
  }
}
