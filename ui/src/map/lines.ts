import type { Vehicle } from '../../live/messages.ts'

export type Kind = 'subway' | 'rail' | 'bus'

export function kindOf(feedId: string): Kind {
  if (feedId.includes('subway')) return 'subway'
  return feedId.includes('bus') || feedId.includes('icymta') ? 'bus' : 'rail'
}

export interface Route {
  readonly id: string
  readonly short: string
  readonly long: string
  readonly color: string
}

const RAIL = { lirr: '#0039a6', mnr: '#b5121b' } as const
const UNKNOWN = '#6b7280'
export const BUS_LIGHT = '#17637d'
export const BUS_DARK = '#7cc4de'
/** Express variants go by their line's name; the feeds' ids of the shuttles differ from the static ones. */
const ALIASES: Readonly<Record<string, string>> = {
  S: 'GS',
  SS: 'SI',
  '5X': '5',
  '6X': '6',
  '7X': '7',
  FX: 'F',
}
const SHUTTLES = new Set(['GS', 'FS', 'H'])
/** As the subway's own map lists them: by trunk line. */
const ORDER = '1 2 3 4 5 6 7 A C E B D F M G J Z L N Q R W GS FS H SI'.split(' ')

/** What a vehicle is counted under: a subway line, a railroad, or a bus route. */
export function lineOf({ feedId, routeId }: Vehicle): string {
  if (feedId.includes('lirr')) return 'LIRR'
  if (feedId.includes('mnr')) return 'Metro-North'
  if (routeId === null) return '?'
  return kindOf(feedId) === 'subway' ? (ALIASES[routeId] ?? routeId) : routeId
}

/** A subway line as it is written in a bullet. */
export const letterOf = (line: string): string => (SHUTTLES.has(line) ? 'S' : line.slice(0, 2))

const placeOf = (line: string): number =>
  ORDER.includes(line) ? ORDER.indexOf(line) : ORDER.length

/** By trunk line, unknown ones last. */
export const byTrunk = (a: string, b: string): number =>
  placeOf(a) - placeOf(b) || a.localeCompare(b)

/** Colours and names of lines, from the static GTFS. */
export class LineColors {
  readonly #routes: ReadonlyMap<string, Route>

  constructor(routes: readonly Route[]) {
    this.#routes = new Map(routes.map((route) => [route.id, route]))
  }

  route(routeId: string | null): Route | undefined {
    if (routeId === null) return undefined
    return this.#routes.get(ALIASES[routeId] ?? routeId)
  }

  of(vehicle: Vehicle): string {
    if (vehicle.feedId.includes('lirr')) return RAIL.lirr
    if (vehicle.feedId.includes('mnr')) return RAIL.mnr
    if (kindOf(vehicle.feedId) === 'bus') return BUS_LIGHT
    const route = this.route(vehicle.routeId)
    return route === undefined ? UNKNOWN : `#${route.color}`
  }

  /** What a train's mark says: a subway line's letter; of the railroads their first. */
  letter(vehicle: Vehicle): string {
    return kindOf(vehicle.feedId) === 'rail'
      ? lineOf(vehicle).slice(0, 1)
      : letterOf(lineOf(vehicle))
  }
}

/** Black or white, whichever can be read on a colour. */
export function textOn(color: string): string {
  const n = Number.parseInt(color.slice(1), 16)
  const luminance = 0.299 * (n >> 16) + 0.587 * ((n >> 8) & 255) + 0.114 * (n & 255)
  return luminance > 150 ? '#111827' : '#ffffff'
}
