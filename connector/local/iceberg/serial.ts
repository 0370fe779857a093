import { RetriableError } from '../../api/errors.ts'

/** Runs jobs one after the other, in the order in which they came. */
export class Serial {
  readonly #waitingMax: number
  #waiting = 0
  #last: Promise<unknown> = Promise.resolve()

  constructor(waitingMax: number) {
    this.#waitingMax = waitingMax
  }

  /** Resolves or rejects as the job does. Throws `RetriableError` when too many wait already. */
  run<T>(job: () => Promise<T>): Promise<T> {
    if (this.#waiting >= this.#waitingMax) {
      throw new RetriableError(
        `Expected at most ${this.#waitingMax} writes waiting for a table, got one more.`,
      )
    }
    this.#waiting++
    const result = this.#last.then(job).finally(() => {
      this.#waiting--
    })
    this.#last = result.catch(() => {
      // Its caller has the error; the next job must run all the same.
    })
    return result
  }

  /** Resolves once nothing runs or waits any more. */
  async idle(): Promise<void> {
    while (this.#waiting > 0) await this.#last
  }
}
