// Which service alerts are in effect at an instant: a made-up newsroom that is a pure function of seed and time.
import { between, chance } from './chance.ts'
import { serviceDayOf } from './service-day.ts'

export type AlertAgency = 'subway' | 'bus' | 'lirr' | 'mnr'

/** A route that alerts can be about. */
export interface AlertRoute {
  readonly agency: AlertAgency
  /** As in an entity selector: MTASBWY, MTA NYCT, MTABC, LI, MNR. */
  readonly agencyId: string
  readonly routeId: string
  readonly stops: readonly { readonly id: string; readonly name: string }[]
}

export interface AlertSelector {
  readonly agencyId: string
  readonly routeId?: string
  readonly stopId?: string
  /** `MTASBWY:A:26`; only selectors of a route have one. */
  readonly sortOrder?: string
}

export interface ServiceAlert {
  /** `lmm:alert:N` or `lmm:planned_work:N`. */
  readonly id: string
  readonly agency: AlertAgency
  /** Unix seconds. */
  readonly createdAt: number
  readonly updatedAt: number
  /** What it means: no alert of MTA's sets cause, effect or severity. */
  readonly type: string
  readonly periods: readonly { readonly start: number; readonly end?: number }[]
  readonly selectors: readonly AlertSelector[]
  readonly header: string
  readonly description?: string
  /** For people: `Jun 10 - 13`. */
  readonly period?: string
  /** Seconds, 0 for what has just happened. */
  readonly displayBeforeActive?: number
}

/** How many alerts are in effect on average; 173, 230, 14 and 14 were counted in one capture of 2026. */
const ALERTS: Readonly<Record<AlertAgency, number>> = { subway: 173, bus: 230, lirr: 14, mnr: 14 }
/** An alert is in effect for this share of its slot's cycle; then the slot is empty until the next one. */
const SHARE_IN_EFFECT = 0.88
const PLANNED_SHARE = 0.65
const SUDDEN_S: readonly [number, number] = [1_800, 14_400]
const PLANNED_S: readonly [number, number] = [2 * 86_400, 30 * 86_400]
/** Alerts are numbered from here on. */
const NUMBERS_FROM = 1_577_836_800
const SLOTS = 1_000

const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ')

const SUDDEN_TYPES = [
  ['Delays', 26],
  ['Expect Delays', 12],
  ['Part Suspended', 33],
  ['Stops Skipped', 19],
] as const
const PLANNED_TYPES = [
  ['Planned - Stops Skipped', 17],
  ['Planned - Reroute', 18],
  ['Planned - Part Suspended', 24],
  ['Station Notice', 3],
  ['Weekend Schedule', 6],
] as const
const CAUSES = [
  'we address a signal problem',
  'we remove a train with a mechanical problem',
  'we request medical help for someone',
  'crews make repairs',
] as const

/** The alerts of all agencies at any instant. */
export class AlertBook {
  readonly #routes: ReadonlyMap<AlertAgency, readonly AlertRoute[]>
  readonly #seed: number

  constructor(routes: readonly AlertRoute[], seed: number) {
    const byAgency = new Map<AlertAgency, AlertRoute[]>()
    for (const route of routes)
      byAgency.set(route.agency, [...(byAgency.get(route.agency) ?? []), route])
    this.#routes = byAgency
    this.#seed = seed
  }

  /** The alerts of some agencies that are in effect or announced at `time`, Unix seconds. */
  alertsAt(agencies: readonly AlertAgency[], time: number): readonly ServiceAlert[] {
    return agencies.flatMap((agency) => {
      const slots = Math.round(ALERTS[agency] / SHARE_IN_EFFECT)
      return Array.from({ length: slots }, (_, slot) => this.#alertIn(agency, slot, time)).filter(
        (alert) => alert !== undefined,
      )
    })
  }

  #alertIn(agency: AlertAgency, slot: number, time: number): ServiceAlert | undefined {
    const routes = this.#routes.get(agency) ?? []
    const isPlanned = chance(this.#seed, 'planned', agency, slot) < PLANNED_SHARE
    const cycleS = Math.round(
      between(isPlanned ? PLANNED_S : SUDDEN_S, this.#seed, 'cycle', agency, slot),
    )
    const shift = Math.floor(chance(this.#seed, 'shift', agency, slot) * cycleS)
    const turn = Math.floor((time - NUMBERS_FROM + shift) / cycleS)
    const createdAt = NUMBERS_FROM - shift + turn * cycleS
    const endsAt = createdAt + Math.round(cycleS * SHARE_IN_EFFECT)
    if (time >= endsAt || routes.length === 0) return undefined
    const keys = [agency, slot, turn] as const
    const offset = { subway: 0, bus: 300, lirr: 800, mnr: 900 }[agency]
    const number = turn * SLOTS + offset + slot
    const pick = <T>(from: readonly T[], what: string): T | undefined =>
      from[Math.floor(chance(this.#seed, what, ...keys) * from.length)]
    const route = pick(routes, 'route')
    const stop = route === undefined ? undefined : pick(route.stops, 'stop')
    const types = isPlanned ? PLANNED_TYPES : SUDDEN_TYPES
    const [type, order] = pick<readonly [string, number]>(types, 'type') ?? types[0]
    if (route === undefined) return undefined
    // The text is worked over once, some time after it was written.
    const editedAt =
      createdAt + Math.round(cycleS * between([0.05, 0.4], this.#seed, 'edit', ...keys))
    const common = {
      agency,
      type,
      createdAt,
      updatedAt: time >= editedAt ? editedAt : createdAt,
      selectors: selectorsOf(route, order, stop?.id),
    }
    const near = stop?.name ?? 'the terminal'
    if (!isPlanned) {
      const cause = pick(CAUSES, 'cause') ?? CAUSES[0]
      const where = agency === 'bus' ? 'buses' : 'trains'
      return {
        ...common,
        id: `lmm:alert:${number}`,
        periods: [{ start: createdAt }],
        header: `[${route.routeId}] ${where} are running with delays in both directions while ${cause} near ${near}.`,
        displayBeforeActive: 0,
      }
    }
    return {
      ...common,
      ...plannedText(route.routeId, near),
      id: `lmm:planned_work:${number}`,
      ...nightsBetween(createdAt + 3_600, endsAt),
    }
  }
}

function selectorsOf(route: AlertRoute, order: number, stopId?: string): readonly AlertSelector[] {
  const { agencyId, routeId } = route
  const whole = { agencyId, routeId, sortOrder: `${agencyId}:${routeId}:${order}` }
  return stopId === undefined ? [whole] : [whole, { agencyId, stopId }]
}

function plannedText(routeId: string, near: string): { header: string; description: string } {
  return {
    header: `No [${routeId}] service at ${near}. Allow extra travel time.`,
    description: `What's happening?\n\nWe are renewing the line near ${near}. Use a nearby stop instead, or plan your trip in the TrainTime app. Riders who need an accessible route can ask any employee.`,
  }
}

/** Work is done at night, from 23:00 to 5:00, on at most five nights. */
function nightsBetween(
  start: number,
  end: number,
): { periods: readonly { start: number; end: number }[]; period: string } {
  const periods = []
  for (let at = start; at < end && periods.length < 5; at += 86_400) {
    const night = serviceDayOf(at).start + 23 * 3_600
    periods.push({ start: night, end: night + 6 * 3_600 })
  }
  const last = periods.at(-1)?.start ?? start
  return { periods, period: `${monthAndDay(start)} - ${monthAndDay(last)}, 11 PM to 5 AM` }
}

function monthAndDay(time: number): string {
  const { date } = serviceDayOf(time)
  return `${MONTHS[Number(date.slice(4, 6)) - 1]} ${Number(date.slice(6))}`
}
