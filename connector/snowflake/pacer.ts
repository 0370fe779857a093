/**
 * Keeps a channel below a rate before the service has to refuse requests. It may run up a debt of one request, which the
 * next one waits for, so that a request larger than a second's share is possible at all.
 */
export class Pacer {
  readonly #perSecond: number
  #freeAtMs = Number.NEGATIVE_INFINITY

  constructor(perSecond: number) {
    this.#perSecond = perSecond
  }

  /** Milliseconds until something may be sent; 0: now. */
  waitMs(nowMs: number): number {
    return Math.max(0, this.#freeAtMs - nowMs)
  }

  /** Counts `amount` as sent. What was not used within the last second is lost. */
  spend(amount: number, nowMs: number): void {
    const from = Math.max(this.#freeAtMs, nowMs - 1_000)
    this.#freeAtMs = from + (amount / this.#perSecond) * 1_000
  }
}
