import type { Vehicle } from '../../live/messages.ts'
import type { FleetStore } from './fleet-store.ts'
import { byTrunk, type Kind, kindOf, lineOf } from './lines.ts'

export interface Filter {
  /** Only this line; undefined: all of the kinds below. */
  readonly line: string | undefined
  readonly kinds: ReadonlySet<Kind>
}

export const isShown = (vehicle: Vehicle, filter: Filter): boolean =>
  filter.line === undefined
    ? filter.kinds.has(kindOf(vehicle.feedId))
    : lineOf(vehicle) === filter.line

export interface LineCount {
  readonly line: string
  readonly kind: Kind
  readonly vehicles: number
}

export interface Summary {
  readonly total: number
  readonly kinds: Readonly<Record<Kind, number>>
  /** Most vehicles first. */
  readonly lines: readonly LineCount[]
}

export const NOTHING: Summary = { total: 0, kinds: { subway: 0, rail: 0, bus: 0 }, lines: [] }

export function summarise(fleet: FleetStore): Summary {
  const kinds = { subway: 0, rail: 0, bus: 0 }
  const lines = new Map<string, { kind: Kind; vehicles: number }>()
  for (const vehicle of fleet.vehicles()) {
    const kind = kindOf(vehicle.feedId)
    kinds[kind]++
    const line = lineOf(vehicle)
    const entry = lines.get(line)
    if (entry === undefined) lines.set(line, { kind, vehicles: 1 })
    else entry.vehicles++
  }
  return {
    total: fleet.size,
    kinds,
    lines: Array.from(lines, ([line, entry]) => ({ line, ...entry })).sort(
      (a, b) => b.vehicles - a.vehicles || a.line.localeCompare(b.line),
    ),
  }
}

/** Subway lines in the order of the subway's own map. */
export const subwayLines = ({ lines }: Summary): readonly LineCount[] =>
  lines.filter(({ kind }) => kind === 'subway').sort((a, b) => byTrunk(a.line, b.line))

export interface Found {
  /** The best ones, up to the limit. */
  readonly vehicles: readonly Vehicle[]
  /** With those beyond the limit. */
  readonly total: number
}

/** Vehicles whose route, id, label or trip contains the text: the very route or vehicle first, then routes that begin
 *  with it, then routes that contain it, then the rest. */
export function search(fleet: FleetStore, text: string, limit: number): Found {
  const wanted = text.trim().toLowerCase()
  if (wanted === '') return { vehicles: [], total: 0 }
  const found: { readonly vehicle: Vehicle; readonly line: string; readonly rank: number }[] = []
  for (const vehicle of fleet.vehicles()) {
    const line = lineOf(vehicle)
    const rank = rankOf(vehicle, line.toLowerCase(), wanted)
    if (rank !== undefined) found.push({ vehicle, line, rank })
  }
  const vehicles = found
    .sort(
      (a, b) =>
        a.rank - b.rank ||
        byTrunk(a.line, b.line) ||
        a.vehicle.key.localeCompare(b.vehicle.key, 'en', { numeric: true }),
    )
    .slice(0, Math.max(0, limit))
    .map(({ vehicle }) => vehicle)
  return { vehicles, total: found.length }
}

/** The lower the better; undefined: the text is nowhere in it. */
function rankOf(vehicle: Vehicle, line: string, wanted: string): number | undefined {
  const { vehicleId, label, tripId } = vehicle
  const ids = [vehicleId, label, tripId].map((id) => id?.toLowerCase() ?? '')
  if (line === wanted) return 0
  if (ids.includes(wanted)) return 1
  if (line.startsWith(wanted)) return 2
  if (line.includes(wanted)) return 3
  return ids.some((id) => id.includes(wanted)) ? 4 : undefined
}

const KINDS: readonly Kind[] = ['subway', 'rail', 'bus']

/** Trains first, then by line: for a list that can be read. */
export const inReadingOrder = (vehicles: readonly Vehicle[]): readonly Vehicle[] =>
  [...vehicles].sort(
    (a, b) =>
      KINDS.indexOf(kindOf(a.feedId)) - KINDS.indexOf(kindOf(b.feedId)) ||
      byTrunk(lineOf(a), lineOf(b)) ||
      a.key.localeCompare(b.key),
  )
