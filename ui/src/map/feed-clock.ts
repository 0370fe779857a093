// A feed has a clock of its own: late by its processing, and N times as fast when it is simulated at N times real
// time. Vehicles move by it, so the page has to know what it shows now.

interface Reading {
  readonly feedMs: number
  readonly wallMs: number
}

const READINGS_MAX = 40
/** Few, since what the rate is wrong by grows with the distance to the reading that it is applied to. */
const OFFSET_READINGS = 5
const INTERVAL_MS_MIN = 1_000
const INTERVAL_MS_MAX = 60_000
const INTERVAL_MS_FIRST = 5_000
/** A feed that stopped reporting must not run on for ever. */
const AHEAD_INTERVALS_MAX = 3
const RATE_MIN = 0.1
const RATE_MAX = 240
/** A step back beyond this is a feed that began anew, e.g. a recording that is played again. */
const RESTART_MS = 5 * 60_000

/** Estimates one feed's clock from the times in its reports. */
export class FeedClock {
  #readings: Reading[] = []
  #rate = 1
  #offsetMs = 0
  #intervalMs = INTERVAL_MS_FIRST
  #shownMs = Number.NEGATIVE_INFINITY

  /** A report with the feed's newest time came in at a time of ours. A time that is not newer changes nothing. */
  report(feedMs: number, wallMs: number): void {
    const last = this.#readings.at(-1)
    if (last !== undefined && feedMs < last.feedMs - RESTART_MS) {
      this.#readings = []
      this.#shownMs = Number.NEGATIVE_INFINITY
    } else if (last !== undefined && feedMs <= last.feedMs) return
    this.#readings.push({ feedMs, wallMs })
    if (this.#readings.length > READINGS_MAX) this.#readings.shift()
    this.#estimate()
  }

  /** How many seconds of the feed pass in one of ours; 1 until it is known. */
  get rate(): number {
    return this.#rate
  }

  /** Milliseconds of ours between two reports. */
  get intervalMs(): number {
    return this.#intervalMs
  }

  /** The feed's time for what moves: runs on from its last report for a few intervals, and never backwards. */
  now(wallMs: number): number | undefined {
    const last = this.#readings.at(-1)
    if (last === undefined) return undefined
    const untilMs = last.wallMs + AHEAD_INTERVALS_MAX * this.#intervalMs
    this.#shownMs = Math.max(this.#shownMs, this.#at(Math.min(wallMs, untilMs)))
    return this.#shownMs
  }

  /** How old something of the feed is, in the feed's seconds; goes on when the feed does not. */
  ageSeconds(feedMs: number, wallMs: number): number {
    return this.#readings.length === 0 ? 0 : Math.max(0, (this.#at(wallMs) - feedMs) / 1000)
  }

  #at(wallMs: number): number {
    return wallMs * this.#rate + this.#offsetMs
  }

  #estimate(): void {
    const [first] = this.#readings
    const last = this.#readings.at(-1)
    if (first === undefined || last === undefined) return
    const wallMs = last.wallMs - first.wallMs
    const count = this.#readings.length - 1
    if (count >= 1 && wallMs > 0) {
      this.#intervalMs = clamp(wallMs / count, INTERVAL_MS_MIN, INTERVAL_MS_MAX)
    }
    if (count >= 2) this.#rate = likely(slope(this.#readings))
    // The reading that was under way for the shortest time tells best what the feed's clock shows.
    const offsets = this.#readings
      .slice(-OFFSET_READINGS)
      .map((reading) => reading.feedMs - reading.wallMs * this.#rate)
    this.#offsetMs = Math.max(...offsets)
  }
}

/**
 * How fast the feed's time rises, from every pair of readings, so that a few odd ones do not matter (Theil and Sen's
 * estimate). Rather the slower half: what is odd are the old reports that a page catches up with at its start.
 */
function slope(readings: readonly Reading[]): number {
  const slopes: number[] = []
  readings.forEach((from, n) => {
    for (const to of readings.slice(n + 1)) {
      if (to.wallMs > from.wallMs)
        slopes.push((to.feedMs - from.feedMs) / (to.wallMs - from.wallMs))
    }
  })
  slopes.sort((a, b) => a - b)
  return slopes[Math.floor(slopes.length * 0.4)] ?? 1
}

/** What a measured rate probably is: reports come at uneven times, and speeds are whole numbers. */
function likely(measured: number): number {
  const rate = clamp(measured, RATE_MIN, RATE_MAX)
  if (rate > 0.6 && rate < 1.5) return 1
  const whole = Math.round(rate)
  return whole >= 2 && Math.abs(rate - whole) < 0.04 * whole ? whole : rate
}

const clamp = (value: number, min: number, max: number): number =>
  Math.min(max, Math.max(min, value))
