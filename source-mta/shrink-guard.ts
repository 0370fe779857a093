// A body that was cut exactly between two entities decodes without an error. All that tells is that it is much
// shorter than the ones before.

const HISTORY = 10
/** So many short bodies in a row are believed: the feed itself has shrunk. */
const SHRUNK_MAX = 3

/** Knows how many entities a feed's bodies hold. */
export class ShrinkGuard {
  readonly #ratio: number
  /** Of the last accepted bodies, the newest last. */
  #counts: number[] = []
  #shrunk = 0

  /** A body with fewer entities than `ratio` times the median of the last ten is too short; 0: none is. */
  constructor(ratio: number) {
    this.#ratio = ratio
  }

  /** The median of the last accepted bodies; undefined before the first. */
  get median(): number | undefined {
    const sorted = [...this.#counts].sort((a, b) => a - b)
    const [low, high] = [(sorted.length - 1) >> 1, sorted.length >> 1].map((at) => sorted[at])
    return low === undefined || high === undefined ? undefined : (low + high) / 2
  }

  /** Continues after an earlier run, whose bodies had so many entities. */
  restore(median: number): void {
    this.#counts = [median]
  }

  /** Whether a body is not to be believed; otherwise it counts from now on. */
  isShrunk(entities: number): boolean {
    const { median } = this
    const isShort = median !== undefined && entities < this.#ratio * median
    this.#shrunk = isShort ? this.#shrunk + 1 : 0
    if (isShort && this.#shrunk < SHRUNK_MAX) return true
    // What was usual before says nothing about what is usual now.
    if (isShort) this.#counts = []
    this.#shrunk = 0
    this.#counts = [...this.#counts, entities].slice(-HISTORY)
    return false
  }
}
