// Snowflake's time, from the Date of its answers: a JWT that is made on a clock that is wrong is refused.
import type { Clock } from '../api/clock.ts'

/** Below this a difference is no more than rounding, queues and slow answers. */
const TOLERANCE_MS = 5_000
/** A clock that is further off is not corrected: the times in rows would be wrong as well. */
const SKEW_MS_MAX = 15 * 60_000

/** Tells Snowflake's time as far as its answers have shown how far this machine's clock is from it. */
export class ServerClock {
  readonly #clock: Pick<Clock, 'now'>
  #skewMs = 0
  #tooFarMs: number | undefined

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock
  }

  /** Milliseconds since the Unix epoch; this machine's time as long as both agree within five seconds. */
  now(): number {
    return this.#clock.now() + this.#skewMs
  }

  /** This machine's own time, to be given to `heard`. */
  localNow(): number {
    return this.#clock.now()
  }

  /** How far Snowflake is ahead of this machine's clock, when that is more than is made up for; behind it: negative. */
  get tooFarMs(): number | undefined {
    return this.#tooFarMs
  }

  /** Takes in the `Date` of an answer to a request that was sent at `sentMs` of this machine's clock. */
  heard(date: string | undefined, sentMs: number): void {
    const second = date === undefined ? Number.NaN : Date.parse(date)
    if (Number.isNaN(second)) return
    // The answer was made between sending and now, in the second that it names.
    const least = second - this.#clock.now() - TOLERANCE_MS
    const most = second + 999 - sentMs + TOLERANCE_MS
    const between = (least + most) / 2
    this.#tooFarMs = undefined
    if (least <= 0 && most >= 0) this.#skewMs = 0
    else if (Math.abs(between) > SKEW_MS_MAX) {
      this.#skewMs = 0
      this.#tooFarMs = between
    } else if (this.#skewMs < least || this.#skewMs > most) this.#skewMs = between
  }
}
