// How old a feed is: by its own clock, and by when its content last changed.

/** `FEED_STALE`: the header is older than the producer's usual. `FEED_FROZEN`: the content does not change. */
export type FreshnessCode = 'FEED_STALE' | 'FEED_FROZEN'
export const FRESHNESS_CODES: readonly FreshnessCode[] = ['FEED_STALE', 'FEED_FROZEN']

const FROZEN_AFTER_MS = 300_000

/** Milliseconds; null where nothing can be said. */
export interface Freshness {
  readonly feedTimestampMs: number | null
  readonly headerAgeMs: number | null
  readonly contentAgeMs: number | null
  readonly codes: readonly FreshnessCode[]
}

/** Follows one feed from poll to poll. */
export class FeedFreshness {
  readonly #staleAfterMs: number | undefined
  #feedTimestampMs: number | null = null
  #contentHash: string | undefined
  #changedAtMs: number | null = null

  /** `staleAfterMs` undefined: the header's clock cannot be believed. */
  constructor(staleAfterMs: number | undefined) {
    this.#staleAfterMs = staleAfterMs
  }

  /** Notes an accepted body. `contentHash` leaves out what says nothing, e.g. the header's time. */
  accepted(feedTimestampMs: number | null, contentHash: string, atMs: number): void {
    this.#feedTimestampMs = feedTimestampMs
    if (contentHash === this.#contentHash) return
    this.#contentHash = contentHash
    this.#changedAtMs = atMs
  }

  at(nowMs: number): Freshness {
    const staleAfterMs = this.#staleAfterMs
    const headerAgeMs =
      staleAfterMs === undefined || this.#feedTimestampMs === null
        ? null
        : nowMs - this.#feedTimestampMs
    const contentAgeMs = this.#changedAtMs === null ? null : nowMs - this.#changedAtMs
    const codes: FreshnessCode[] = []
    if (headerAgeMs !== null && staleAfterMs !== undefined && headerAgeMs > staleAfterMs) {
      codes.push('FEED_STALE')
    }
    if (contentAgeMs !== null && contentAgeMs > FROZEN_AFTER_MS) codes.push('FEED_FROZEN')
    return { feedTimestampMs: this.#feedTimestampMs, headerAgeMs, contentAgeMs, codes }
  }
}
