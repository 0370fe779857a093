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
/** The feeds' ids of the shuttles, which differ from the static ones. */
const ALIASES: Readonly<Record<string, string>> = {
  S: 'GS',
  SS: 'SI',
  '5X': '5',
  '6X': '6',
  '7X': '7',
}

/** Colours and letters of lines, from the static GTFS. */
export class LineColors {
  readonly #routes: ReadonlyMap<string, Route>

  constructor(routes: readonly Route[]) {
    this.#routes = new Map(routes.map((route) => [route.id, route]))
  }

  route(routeId: string | null): Route | undefined {
    if (routeId === null) return undefined
    return this.#routes.get(routeId) ?? this.#routes.get(ALIASES[routeId] ?? '')
  }

  of(vehicle: Vehicle): string {
    if (vehicle.feedId.includes('lirr')) return RAIL.lirr
    if (vehicle.feedId.includes('mnr')) return RAIL.mnr
    const route = this.route(vehicle.routeId)
    return route === undefined ? UNKNOWN : `#${route.color}`
  }

  letter(vehicle: Vehicle): string {
    if (vehicle.feedId.includes('lirr')) return 'L'
    if (vehicle.feedId.includes('mnr')) return 'M'
    const id = vehicle.routeId ?? ''
    return id === 'GS' || id === 'FS' || id === 'H' ? 'S' : id.slice(0, 2)
  }
}

/** Black or white, whichever can be read on a colour. */
export function textOn(color: string): string {
  const n = Number.parseInt(color.slice(1), 16)
  const luminance = 0.299 * (n >> 16) + 0.587 * ((n >> 8) & 255) + 0.114 * (n & 255)
  return luminance > 150 ? '#111827' : '#ffffff'
}
