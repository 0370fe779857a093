// Reads what is ordered by the admin routes: the order, or what was expected instead.
import { canSpoil, FAULT_KINDS, faultEntry } from './fault-catalog.ts'
import type { Fault } from './faults.ts'
import { ALL_FEEDS, feedNamed, type SimulatedFeed } from './feed-catalog.ts'
import { type ClockOrder, SPEED_MAX, SPEED_MIN } from './feed-clock.ts'

const COUNT_MAX = 10_000
const RETRY_AFTER_S_MAX = 3_600
const SECONDS_MAX = 86_400
const STEP_S_MAX = 366 * 86_400

/** The feeds of an id, a tag or `*`; none for what is no feed. */
export function feedsNamed(name: string): readonly SimulatedFeed[] {
  if (name === '*') return ALL_FEEDS
  const feed = feedNamed(name)
  return feed === undefined ? [] : [feed]
}

/**
 * `{feed, kind, count, seconds, probability, share, retryAfter}`. Without `count` and `seconds` one response
 * is spoilt; `count: null` spoils all until it is called off. `*` means the feeds that the kind can spoil.
 */
export function faultOrder(
  value: unknown,
  nowMs: number,
): { readonly feeds: readonly SimulatedFeed[]; readonly fault: Fault } | string {
  if (typeof value !== 'object' || value === null)
    return 'a JSON object in a body of at most 16 KiB'
  const order = value as Readonly<Record<string, unknown>>
  const named = feedsNamed(String(order['feed']))
  if (named.length === 0) return `feed to be *, ${ALL_FEEDS.map(({ tag }) => tag).join(', ')}`
  const kind = FAULT_KINDS.find((one) => one === order['kind'])
  if (kind === undefined) return `kind to be ${FAULT_KINDS.join(', ')}`
  const feeds = named.filter((feed) => canSpoil(kind, feed))
  if (feeds.length === 0) return `a feed that ${kind} can spoil, see GET /__sim/faults`
  const { count: ordered, seconds, probability = 1, retryAfter = 2 } = order
  const share = order['share'] ?? faultEntry(kind).share ?? 1
  const count =
    ordered === undefined ? (seconds === undefined ? 1 : undefined) : (ordered ?? undefined)
  if (count !== undefined && !isWithin(count, 1, COUNT_MAX))
    return `count to be 1 to ${COUNT_MAX}, or null`
  if (seconds !== undefined && !isNumber(seconds, 0, SECONDS_MAX))
    return `seconds to be more than 0, at most ${SECONDS_MAX}`
  if (!isNumber(probability, 0, 1)) return 'probability to be more than 0, at most 1'
  if (!isNumber(share, 0, 1)) return 'share to be more than 0, at most 1'
  if (!isWithin(retryAfter, 0, RETRY_AFTER_S_MAX))
    return `retryAfter to be 0 to ${RETRY_AFTER_S_MAX} seconds`
  const untilMs = seconds === undefined ? undefined : nowMs + seconds * 1000
  return { feeds, fault: { kind, count, untilMs, probability, share, retryAfterS: retryAfter } }
}

/** `{speed, at, paused, step}`: `at` as ISO 8601 or Unix seconds, `step` in seconds. */
export function clockOrder(value: unknown): ClockOrder | string {
  if (typeof value !== 'object' || value === null) return 'a JSON object'
  const { speed, at: wanted, paused, step } = value as Readonly<Record<string, unknown>>
  if (
    speed !== undefined &&
    !(typeof speed === 'number' && speed >= SPEED_MIN && speed <= SPEED_MAX)
  )
    return `speed to be ${SPEED_MIN} to ${SPEED_MAX}`
  if (paused !== undefined && typeof paused !== 'boolean') return 'paused to be true or false'
  if (step !== undefined && !isNumber(step, 0, STEP_S_MAX))
    return `step to be more than 0, at most ${STEP_S_MAX} seconds`
  const at = typeof wanted === 'string' ? Date.parse(wanted) / 1000 : wanted
  if (at !== undefined && !isNumber(at, 0, Number.MAX_SAFE_INTEGER / 1000))
    return 'at to be an ISO 8601 time or Unix seconds'
  return {
    ...(speed === undefined ? {} : { speed }),
    ...(at === undefined ? {} : { at }),
    ...(paused === undefined ? {} : { paused }),
    ...(step === undefined ? {} : { stepS: step }),
  }
}

function isWithin(value: unknown, min: number, max: number): value is number {
  return Number.isInteger(value) && Number(value) >= min && Number(value) <= max
}

function isNumber(value: unknown, above: number, max: number): value is number {
  return typeof value === 'number' && value > above && value <= max
}
