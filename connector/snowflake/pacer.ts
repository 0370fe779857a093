const WINDOW_MS = 1_000

interface Spent {
  readonly amount: number
  /** Until when it counts. */
  readonly untilMs: number
}

/**
 * Keeps a channel below a rate before the service has to refuse requests: no second, wherever it begins, sees more than the
 * rate. What is larger than a second's share goes alone, and is followed by nothing for as long as it takes at that rate.
 */
export class Pacer {
  readonly #perSecond: number
  /** The oldest first. */
  #spent: Spent[] = []

  constructor(perSecond: number) {
    this.#perSecond = perSecond
  }

  /** Milliseconds until `amount` may be sent; 0: now. */
  waitMs(nowMs: number, amount: number): number {
    this.#spent = this.#spent.filter(({ untilMs }) => untilMs > nowMs)
    let left = this.#spent.reduce((sum, spent) => sum + spent.amount, 0)
    let waitMs = 0
    for (const spent of this.#spent.toSorted((a, b) => a.untilMs - b.untilMs)) {
      if (left + amount <= this.#perSecond) break
      left -= spent.amount
      waitMs = spent.untilMs - nowMs
    }
    return waitMs
  }

  /** Counts `amount` as sent. */
  spend(amount: number, nowMs: number): void {
    const lastsMs = Math.max(WINDOW_MS, Math.ceil((amount / this.#perSecond) * WINDOW_MS))
    this.#spent.push({ amount, untilMs: nowMs + lastsMs })
  }
}
