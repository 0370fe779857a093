import type { Vehicle } from '../../live/messages.ts'
import type { FleetStore } from './fleet-store.ts'
import { type Kind, kindOf } from './lines.ts'

export interface Filter {
  /** Only this line; undefined: all of the kinds below. */
  readonly line: string | undefined
  readonly kinds: ReadonlySet<Kind>
}

export const isShown = (vehicle: Vehicle, filter: Filter): boolean =>
  filter.line === undefined
    ? filter.kinds.has(kindOf(vehicle.feedId))
    : lineOf(vehicle) === filter.line

/** What a vehicle is counted under: a subway route, a railroad, or a bus route. */
export function lineOf(vehicle: Vehicle): string {
  if (vehicle.feedId.includes('lirr')) return 'LIRR'
  if (vehicle.feedId.includes('mnr')) return 'Metro-North'
  return vehicle.routeId ?? '?'
}

export interface LineCount {
  readonly line: string
  readonly kind: Kind
  readonly vehicles: number
}

export interface Summary {
  readonly total: number
  readonly inView: number
  readonly kinds: Readonly<Record<Kind, number>>
  /** Most vehicles first. */
  readonly lines: readonly LineCount[]
}

export function summarise(fleet: FleetStore, inView: number): Summary {
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
    inView,
    kinds,
    lines: Array.from(lines, ([line, entry]) => ({ line, ...entry })).sort(
      (a, b) => b.vehicles - a.vehicles || a.line.localeCompare(b.line),
    ),
  }
}

/** Vehicles whose route, id, label or trip contains the text; trains first. */
export function search(fleet: FleetStore, text: string, limit: number): readonly Vehicle[] {
  const wanted = text.trim().toLowerCase()
  if (wanted === '') return []
  const found: Vehicle[] = []
  for (const vehicle of fleet.vehicles()) {
    const fields = [vehicle.routeId, vehicle.vehicleId, vehicle.label, vehicle.tripId]
    if (fields.some((field) => field?.toLowerCase().includes(wanted))) found.push(vehicle)
  }
  const exact = (vehicle: Vehicle): number => (vehicle.routeId?.toLowerCase() === wanted ? 0 : 1)
  return found.sort((a, b) => exact(a) - exact(b) || a.key.localeCompare(b.key)).slice(0, limit)
}
