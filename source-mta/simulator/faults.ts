import { type SimulatedFeed, FEEDS } from './feed-catalog.ts'
import {
  headerTimestamp,
  joinMessage,
  splitMessage,
  withEntityId,
  withTimestamp,
} from './wire-message.ts'

/** Faults that are in the body; the answer around it is a good one. */
export const BODY_FAULTS = [
  'empty200',
  'truncate-mid',
  'truncate-boundary',
  'header-regress',
  'header-frozen',
  'advance-frozen-content',
  'duplicate-entity-ids',
  'concat-two',
  'shrink',
] as const
/** Faults of the answer as such. */
export const ANSWER_FAULTS = [
  'html200',
  'xml-nosuchkey200',
  'json403',
  '429',
  '503',
  'slow-drip',
  'hang',
  'wrong-content-type',
] as const
export type BodyFault = (typeof BODY_FAULTS)[number]
export type AnswerFault = (typeof ANSWER_FAULTS)[number]
/** What can be made to go wrong with a feed; each was seen on a real one. */
export const FAULT_KINDS: readonly (BodyFault | AnswerFault)[] = [...BODY_FAULTS, ...ANSWER_FAULTS]

export interface Fault {
  readonly kind: BodyFault | AnswerFault
  /** How many responses it spoils. */
  readonly count: number
  /** For 429 and 503: the `Retry-After` header. */
  readonly retryAfterS: number
}

const REGRESS_S = 60
const KEPT_SHARE = 0.35
const SHRUNK_SHARE = 0.1
const QUEUED_MAX = 100

/** The faults that are yet to come, per feed, in the order they were ordered. */
export class FaultQueue {
  readonly #queues = new Map<string, { fault: Fault; left: number }[]>()

  /** Returns false when too many are waiting already. */
  add(feeds: readonly SimulatedFeed[], fault: Fault): boolean {
    const queues = feeds.map((feed) => this.#queues.get(feed.id) ?? [])
    if (queues.some((queue) => queue.length >= QUEUED_MAX)) return false
    for (const [i, feed] of feeds.entries()) {
      const queue = queues[i] ?? []
      queue.push({ fault, left: fault.count })
      this.#queues.set(feed.id, queue)
    }
    return true
  }

  /** The fault for this response of the feed, which then counts as played. */
  take(feed: SimulatedFeed): Fault | undefined {
    const queue = this.#queues.get(feed.id)
    const first = queue?.[0]
    if (queue === undefined || first === undefined) return undefined
    first.left--
    if (first.left <= 0) queue.shift()
    return first.fault
  }

  clear(): void {
    this.#queues.clear()
  }

  /** How many responses of each feed are still to be spoilt. */
  waiting(): Readonly<Record<string, number>> {
    return Object.fromEntries(
      FEEDS.flatMap(({ id }) => {
        const left = (this.#queues.get(id) ?? []).reduce((sum, entry) => sum + entry.left, 0)
        return left > 0 ? [[id, left]] : []
      }),
    )
  }
}

const SPOIL: Readonly<Record<BodyFault, (body: Uint8Array, previous: Uint8Array) => Uint8Array>> = {
  empty200: () => new Uint8Array(),
  'truncate-mid': truncateInsideEntity,
  'truncate-boundary': (body) => keepEntities(body, KEPT_SHARE),
  shrink: (body) => keepEntities(body, SHRUNK_SHARE),
  'header-regress': (body) => stamped(body, timestampOf(body) - REGRESS_S),
  'header-frozen': (body, previous) => stamped(body, timestampOf(previous)),
  'advance-frozen-content': (body, previous) => stamped(previous, timestampOf(body)),
  'duplicate-entity-ids': pairEntityIds,
  'concat-two': (body, previous) => Buffer.concat([previous, body]),
}

/**
 * The body that a fault makes of a good one. `previous` is the good body that was served before. Throws
 * RangeError when `body` is no FeedMessage.
 */
export function spoil(kind: BodyFault, body: Uint8Array, previous: Uint8Array): Uint8Array {
  return SPOIL[kind](body, previous)
}

function timestampOf(body: Uint8Array): number {
  return headerTimestamp(splitMessage(body).header)
}

function stamped(body: Uint8Array, timestamp: number): Uint8Array {
  return joinMessage(withTimestamp(splitMessage(body), timestamp))
}

/** A cut that no message boundary hides: within the last entity that begins before it. */
function truncateInsideEntity(body: Uint8Array): Uint8Array {
  const whole = keepEntities(body, KEPT_SHARE)
  const next = joinMessage(splitMessage(body)).subarray(0, whole.length + 3)
  return next.slice(0, Math.min(next.length, body.length - 1))
}

function keepEntities(body: Uint8Array, share: number): Uint8Array {
  const { header, entities } = splitMessage(body)
  return joinMessage({ header, entities: entities.slice(0, Math.floor(entities.length * share)) })
}

/** Every second entity gets the id of the one before it. */
function pairEntityIds(body: Uint8Array): Uint8Array {
  const { header, entities } = splitMessage(body)
  return joinMessage({
    header,
    entities: entities.map((entity, i) => withEntityId(entity, `pair-${Math.floor(i / 2)}`)),
  })
}
