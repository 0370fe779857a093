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

/** Vehicles whose route, id, label or trip contains the text; those of exactly that route first. */
export function search(fleet: FleetStore, text: string, limit: number): readonly Vehicle[] {
  const wanted = text.trim().toLowerCase()
  if (wanted === '') return []
  const found: Vehicle[] = []
  for (const vehicle of fleet.vehicles()) {
    const fields = [lineOf(vehicle), vehicle.vehicleId, vehicle.label, vehicle.tripId]
    if (fields.some((field) => field?.toLowerCase().includes(wanted))) found.push(vehicle)
  }
  const rank = (vehicle: Vehicle): number => (lineOf(vehicle).toLowerCase() === wanted ? 0 : 1)
  return found
    .sort((a, b) => rank(a) - rank(b) || a.key.localeCompare(b.key))
    .slice(0, Math.max(0, limit))
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
