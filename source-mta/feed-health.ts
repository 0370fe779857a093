import type { TaskHealth } from '../connector/api/task-context.ts'
import type { PollOutcome } from './outcome.ts'

const REASON_MAX = 300

interface Failing {
  readonly outcome: PollOutcome
  readonly reason: string
  readonly count: number
}

/** Turns the outcomes of polls into how the task is. */
export class FeedHealth {
  readonly #failing = new Map<string, Failing>()
  readonly #degradedAfter: number

  constructor(degradedAfter: number) {
    this.#degradedAfter = degradedAfter
  }

  succeeded(feed: string): void {
    this.#failing.delete(feed)
  }

  failed(feed: string, failure: Failing): void {
    this.#failing.set(feed, failure)
  }

  /** DEGRADED names each feed that has failed often enough, or whose configuration is wrong. */
  health(): TaskHealth {
    const degraded = [...this.#failing].filter(([, { outcome, count }]) => {
      return outcome === 'CONFIG' || count >= this.#degradedAfter
    })
    if (degraded.length === 0) return { state: 'OK', message: 'All feeds answer.' }
    const texts = degraded.map(([feed, { outcome, reason, count }]) => {
      return `${feed} failed ${count} ${count === 1 ? 'time' : 'times'} in a row: ${outcome}, ${reason.slice(0, REASON_MAX)}`
    })
    return { state: 'DEGRADED', message: `${texts.join('; ')}.` }
  }
}
