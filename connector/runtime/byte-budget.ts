const SHARE_BYTES_MIN = 512 * 1024

/** A part of a budget; give it back by `release`. */
export interface Share {
  readonly bytes: number
  /** How many of them the budget did not have any more. */
  readonly overdrawnBytes: number
  release(): void
}

/**
 * One number of bytes for all consumers of a worker. A claim gets half of what is free, divided among the
 * claimants: the first connector has enough, and there is always something left for the next one.
 */
export class ByteBudget {
  #freeBytes: number

  constructor(bytes: number) {
    this.#freeBytes = bytes
  }

  get freeBytes(): number {
    return this.#freeBytes
  }

  /** One of `claimants` equal shares; no smaller than what a consumer needs to work at all, also beyond the budget. */
  claim(claimants: number): Share {
    const portion = claimants <= 1 ? 0.5 : 1 - 0.5 ** (1 / claimants)
    const bytes = Math.max(SHARE_BYTES_MIN, Math.floor(this.#freeBytes * portion))
    const taken = Math.min(bytes, this.#freeBytes)
    this.#freeBytes -= taken
    let isReleased = false
    return {
      bytes,
      overdrawnBytes: bytes - taken,
      release: () => {
        if (isReleased) return
        isReleased = true
        this.#freeBytes += taken
      },
    }
  }
}
