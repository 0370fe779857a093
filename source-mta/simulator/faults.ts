import { chance } from './chance.ts'
import type { FaultKind } from './fault-catalog.ts'
import { ALL_FEEDS, type SimulatedFeed } from './feed-catalog.ts'

/** One order to spoil a feed's answers. */
export interface Fault {
  readonly kind: FaultKind
  /** How many responses it spoils; undefined: all until its time is over or it is called off. */
  readonly count: number | undefined
  /** The wall clock's milliseconds at which it ends; undefined: never. */
  readonly untilMs: number | undefined
  /** In (0, 1]: which share of the responses it spoils. */
  readonly probability: number
  /** In (0, 1]: which share of the entities it is about. */
  readonly share: number
  /** For 429 and 503: the `Retry-After` header. */
  readonly retryAfterS: number
}

interface Entry {
  readonly fault: Fault
  left: number
}

const QUEUED_MAX = 100

/**
 * The faults that are yet to come, per feed. Those with a count are played one after the other; those without
 * one are in force together, and together with the first of the others.
 */
export class FaultQueue {
  readonly #queues = new Map<string, Entry[]>()
  readonly #requests = new Map<string, number>()
  readonly #now: () => number
  readonly #seed: number

  constructor(options: { now: () => number; seed: number }) {
    this.#now = options.now
    this.#seed = options.seed
  }

  /** Returns false when too many are waiting already. */
  add(feeds: readonly SimulatedFeed[], fault: Fault): boolean {
    const queues = feeds.map((feed) => this.#live(feed))
    if (queues.some((queue) => queue.length >= QUEUED_MAX)) return false
    for (const [i, feed] of feeds.entries()) {
      const queue = queues[i] ?? []
      queue.push({ fault, left: fault.count ?? Number.POSITIVE_INFINITY })
      this.#queues.set(feed.id, queue)
    }
    return true
  }

  /** The faults for this response of the feed, which then count as played. */
  take(feed: SimulatedFeed): readonly Fault[] {
    const queue = this.#live(feed)
    if (queue.length === 0) return []
    const request = (this.#requests.get(feed.id) ?? 0) + 1
    this.#requests.set(feed.id, request)
    const counted = queue.find(({ fault }) => fault.count !== undefined)
    const inForce = queue.filter((entry) => entry === counted || entry.fault.count === undefined)
    const played = inForce.filter(
      ({ fault: { kind, probability } }) =>
        chance(this.#seed, 'fault', feed.id, kind, request) < probability,
    )
    for (const entry of played) entry.left--
    return played.map(({ fault }) => fault)
  }

  /** Calls off the faults of some feeds: of one kind, or all. */
  clear(feeds: readonly SimulatedFeed[] = ALL_FEEDS, kind?: FaultKind): void {
    for (const feed of feeds) {
      const kept = this.#live(feed).filter(({ fault }) => kind !== undefined && fault.kind !== kind)
      this.#queues.set(feed.id, kept)
    }
  }

  /** How many responses of each feed are still to be spoilt, null when nobody knows. */
  waiting(): Readonly<Record<string, number | null>> {
    return Object.fromEntries(
      ALL_FEEDS.flatMap((feed) => {
        const left = this.#live(feed).reduce((sum, entry) => sum + entry.left, 0)
        return left > 0 ? [[feed.id, Number.isFinite(left) ? left : null]] : []
      }),
    )
  }

  /** Every order that is not over yet. */
  orders(): readonly object[] {
    return ALL_FEEDS.flatMap((feed) =>
      this.#live(feed).map(({ fault, left }) => ({
        feed: feed.id,
        kind: fault.kind,
        left: Number.isFinite(left) ? left : null,
        until: fault.untilMs === undefined ? null : new Date(fault.untilMs).toISOString(),
        probability: fault.probability,
        share: fault.share,
      })),
    )
  }

  #live(feed: SimulatedFeed): Entry[] {
    const nowMs = this.#now()
    const live = (this.#queues.get(feed.id) ?? []).filter(
      ({ fault, left }) => left > 0 && (fault.untilMs === undefined || nowMs < fault.untilMs),
    )
    if (live.length > 0) this.#queues.set(feed.id, live)
    else this.#queues.delete(feed.id)
    return live
  }
}
