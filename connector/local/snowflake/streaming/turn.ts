/** Lets one piece of work at a time through, in the order it came. */
export class Turn {
  #last: Promise<unknown> = Promise.resolve()

  /** Runs `work` after everything asked for before it; its outcome is the caller's alone. */
  run<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work)
    // A failure belongs to whoever asked for that work, not to the next one in the line.
    this.#last = result.catch(() => undefined)
    return result
  }
}
