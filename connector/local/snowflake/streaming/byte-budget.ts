/** Bytes that may be held at once; who asks for more is refused instead of being kept. */
export class ByteBudget {
  readonly max: number
  #used = 0

  constructor(max: number) {
    this.max = max
  }

  get used(): number {
    return this.#used
  }

  /** True when `bytes` were free and are now taken. One request may exceed an empty budget. */
  take(bytes: number): boolean {
    if (!this.hasRoom(bytes)) return false
    this.#used += bytes
    return true
  }

  /** What `take` would say. */
  hasRoom(bytes: number): boolean {
    return this.#used === 0 || this.#used + bytes <= this.max
  }

  give(bytes: number): void {
    this.#used -= bytes
  }
}

/** How many requests and bytes a second a channel may send (10 and 20,000,000 on Snowflake), with a second's burst. */
export class RateLimit {
  readonly #perSecond: number
  #available: number
  #atMs: number

  constructor(perSecond: number, nowMs: number) {
    this.#perSecond = perSecond
    this.#available = perSecond
    this.#atMs = nowMs
  }

  /** True when `amount` is within the rate. An amount above a whole second's worth needs a full bucket. */
  take(amount: number, nowMs: number): boolean {
    const refill = (Math.max(0, nowMs - this.#atMs) * this.#perSecond) / 1_000
    this.#available = Math.min(this.#perSecond, this.#available + refill)
    this.#atMs = nowMs
    if (this.#available < Math.min(amount, this.#perSecond)) return false
    this.#available -= amount
    return true
  }
}
