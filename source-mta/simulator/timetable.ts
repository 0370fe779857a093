import { between, chance } from './chance.ts'
import type { Pattern } from './network.ts'
import type { DayKind, ServiceDay } from './service-day.ts'

/** How many of a day's trips start in each hour, relative to the others. */
export type Profile = readonly number[]

/** Two rush hours, a quiet night. */
export const COMMUTER_DAY: Profile = [
  0.4, 0.3, 0.25, 0.25, 0.4, 0.7, 1.05, 1.4, 1.35, 1.1, 1, 1, 1, 1.05, 1.15, 1.3, 1.4, 1.4, 1.25,
  1.1, 0.95, 0.85, 0.7, 0.5,
]
/** One long afternoon. */
export const WEEKEND_DAY: Profile = [
  0.5, 0.4, 0.35, 0.3, 0.35, 0.5, 0.7, 0.85, 1, 1.1, 1.2, 1.25, 1.25, 1.25, 1.25, 1.25, 1.25, 1.25,
  1.2, 1.1, 1, 0.9, 0.8, 0.65,
]
/** Between 6:00 and 22:00 only. */
export const DAYTIME_ONLY: Profile = [
  0, 0, 0, 0, 0, 0, 1, 1.3, 1.3, 1.1, 1, 1, 1, 1, 1.1, 1.3, 1.3, 1.3, 1.1, 1, 0.8, 0.5, 0, 0,
]
/** The two rush hours only. */
export const RUSH_HOURS_ONLY: Profile = [
  0, 0, 0, 0, 0, 0, 0.6, 1, 1, 0.6, 0, 0, 0, 0, 0, 0.6, 1, 1, 0.8, 0.2, 0, 0, 0, 0,
]

/** A departure of a service day. */
export interface Departure {
  readonly pattern: Pattern
  readonly day: ServiceDay
  /** Seconds after the day's start. */
  readonly at: number
  /** Counts the departures of the same route and direction on that day, from 0. */
  readonly ordinal: number
}

/** When and how often a route runs. */
export interface ServicePlan {
  /** What share of the patterns' trips (all kinds of day summed up) runs on such a day; 0: none. */
  share(route: string, kind: DayKind): number
  profile(route: string, kind: DayKind): Profile
  /** Departures are multiples of this many seconds, as the agency's timetable has it. */
  readonly roundingS: number
  /** Two trains of one route and direction never leave closer together. */
  readonly headwayMinS: number
}

/**
 * All departures of a service day, earliest first within a route and direction. Even spacing with a little
 * jitter, thinned out and thickened by the hour; the same for the same seed and day.
 */
export function departuresOf(
  patterns: readonly Pattern[],
  plan: ServicePlan,
  day: ServiceDay,
  seed: number,
): readonly Departure[] {
  const groups = new Map<string, Pattern[]>()
  for (const pattern of patterns) {
    const key = `${pattern.route}|${pattern.direction}`
    groups.set(key, [...(groups.get(key) ?? []), pattern])
  }
  return [...groups].flatMap(([key, group]) => groupDepartures(key, group, { plan, day, seed }))
}

interface DayPlan {
  readonly plan: ServicePlan
  readonly day: ServiceDay
  readonly seed: number
}

function groupDepartures(
  key: string,
  group: readonly Pattern[],
  { plan, day, seed }: DayPlan,
): Departure[] {
  const route = group[0]?.route ?? ''
  const weight = group.reduce((sum, pattern) => sum + pattern.trips, 0)
  const count = Math.round(weight * plan.share(route, day.kind))
  const profile = plan.profile(route, day.kind)
  const out: Departure[] = []
  let earliest = 0
  for (let ordinal = 0; ordinal < count; ordinal++) {
    const shift = between([-0.2, 0.2], seed, 'departure', key, day.date, ordinal)
    const wanted = quantile(profile, (ordinal + 0.5 + shift) / count)
    const rounded = Math.round(wanted / plan.roundingS) * plan.roundingS
    const at = Math.max(rounded, earliest)
    earliest = at + Math.max(plan.headwayMinS, plan.roundingS)
    const pattern = pick(group, weight * chance(seed, 'pattern', key, day.date, ordinal))
    if (pattern !== undefined) out.push({ pattern, day, at, ordinal })
  }
  return out
}

/** The second of the day by which `share` of the day's trips have left. */
function quantile(profile: Profile, share: number): number {
  const total = profile.reduce((sum, weight) => sum + weight, 0)
  let left = Math.min(Math.max(share, 0), 1) * total
  for (const [hour, weight] of profile.entries()) {
    if (left < weight) return (hour + left / weight) * 3600
    left -= weight
  }
  return profile.length * 3600 - 1
}

function pick(group: readonly Pattern[], ticket: number): Pattern | undefined {
  let left = ticket
  for (const pattern of group) {
    left -= pattern.trips
    if (left < 0) return pattern
  }
  return group.at(-1)
}
