// A feed has a clock of its own: late by its processing, and N times as fast when it is simulated at N times real
// time. Vehicles move by it, so the page has to know what it shows now.

interface Reading {
  readonly feedMs: number
  readonly wallMs: number
}

const READINGS_MAX = 12
const INTERVAL_MS_MIN = 1_000
const INTERVAL_MS_MAX = 60_000
const INTERVAL_MS_FIRST = 5_000
/** A feed that stopped reporting must not run on for ever. */
const AHEAD_INTERVALS_MAX = 3

/** Estimates one feed's clock from the times in its reports. */
export class FeedClock {
  readonly #readings: Reading[] = []

  /** A report with the feed's time came in at a time of ours. Older ones change nothing. */
  report(feedMs: number, wallMs: number): void {
    const last = this.#readings.at(-1)
    if (last !== undefined && feedMs <= last.feedMs) return
    this.#readings.push({ feedMs, wallMs })
    if (this.#readings.length > READINGS_MAX) this.#readings.shift()
  }

  /** How many seconds of the feed pass in one of ours; 1 until it is known. */
  rate(): number {
    const [first] = this.#readings
    const last = this.#readings.at(-1)
    if (first === undefined || last === undefined || this.#readings.length < 3) return 1
    const wallMs = last.wallMs - first.wallMs
    return wallMs > 0 ? Math.min(240, Math.max(0.1, (last.feedMs - first.feedMs) / wallMs)) : 1
  }

  /** Milliseconds of ours between two reports. */
  intervalMs(): number {
    const [first] = this.#readings
    const last = this.#readings.at(-1)
    const count = this.#readings.length - 1
    if (first === undefined || last === undefined || count < 1) return INTERVAL_MS_FIRST
    const mean = (last.wallMs - first.wallMs) / count
    return Math.min(INTERVAL_MS_MAX, Math.max(INTERVAL_MS_MIN, mean))
  }

  /** The feed's time now, running on from its last report for a few intervals. */
  now(wallMs: number): number | undefined {
    const last = this.#readings.at(-1)
    if (last === undefined) return undefined
    const passed = Math.min(wallMs - last.wallMs, AHEAD_INTERVALS_MAX * this.intervalMs())
    return last.feedMs + Math.max(0, passed) * this.rate()
  }
}
