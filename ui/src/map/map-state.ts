// What the map shows, as signals that its panels share.
import { computed, signal } from '@preact/signals'
import type { Vehicle } from '../../live/messages.ts'
import { changeMap, lastMap } from '../route.ts'
import { type Filter, NOTHING, type Summary } from './filter.ts'
import type { Kind } from './lines.ts'

export const summary = signal<Summary>(NOTHING)
/** Vehicles drawn by the last frame. */
export const inView = signal(0)
export const kinds = signal<ReadonlySet<Kind>>(new Set(['subway', 'rail', 'bus']))
export const filter = computed<Filter>(() => ({ line: lastMap.value.line, kinds: kinds.value }))
export const selected = computed(() => lastMap.value.vehicle)
export const isFollowing = signal(false)
/** The list of what is in view; undefined while it is closed. */
export const listed = signal<readonly Vehicle[] | undefined>(undefined)
/** A vehicle to move the map to, once. */
export const wanted = signal<string | undefined>(undefined)

export function select(vehicle: string | undefined): void {
  if (vehicle === undefined) isFollowing.value = false
  changeMap({ vehicle })
}

/** Selects a vehicle that may be out of view. */
export function visit(vehicle: string): void {
  select(vehicle)
  wanted.value = vehicle
}

export function setLine(line: string | undefined): void {
  changeMap({ line })
}

/** Shows or hides a kind of vehicles; also ends the view of a single line. */
export function toggleKind(kind: Kind): void {
  const next = new Set(kinds.value)
  if (lastMap.value.line === undefined && !next.delete(kind)) next.add(kind)
  kinds.value = next
  setLine(undefined)
}
