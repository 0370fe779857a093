// What a vehicle is called and what it does, in words.
import type { Vehicle } from '../../live/messages.ts'
import type { Geometry } from './geometry.ts'
import { kindOf, letterOf, lineOf } from './lines.ts'

const COMPASS = ['north', 'north-east', 'east', 'south-east', 'south', 'south-west', 'west']
const STATUS: Readonly<Record<string, string>> = {
  STOPPED_AT: 'at',
  INCOMING_AT: 'arriving at',
  IN_TRANSIT_TO: 'next stop:',
}
const SOURCE: Readonly<Record<string, string>> = {
  GPS: 'GPS',
  AT_STOP: 'at its station',
  INTERPOLATED: 'between stations, by predicted times',
  NEXT_STOP: 'its next stop',
}

/** Degrees clockwise from north to a word. */
export function compass(bearing: number): string {
  const eighth = Math.round((((bearing % 360) + 360) % 360) / 45)
  return COMPASS[eighth] ?? (eighth === 7 ? 'north-west' : 'north')
}

/** The line as people say it. */
export function lineName(vehicle: Vehicle): string {
  const line = lineOf(vehicle)
  return kindOf(vehicle.feedId) === 'subway' ? letterOf(line) : line
}

/** `L train to 8 Av`, `M15 bus heading east`. */
export function nameOf(vehicle: Vehicle, geometry: Geometry | undefined): string {
  const kind = kindOf(vehicle.feedId) === 'bus' ? 'bus' : 'train'
  return [lineName(vehicle), kind, wayOf(vehicle, geometry)].filter(Boolean).join(' ')
}

/** `to 8 Av`, `heading east`; empty when neither is known. */
export function wayOf(vehicle: Vehicle, geometry: Geometry | undefined): string {
  const end = kindOf(vehicle.feedId) === 'subway' ? geometry?.destination(vehicle) : undefined
  if (end !== undefined) return `to ${end}`
  return vehicle.bearing === null ? '' : `heading ${compass(vehicle.bearing)}`
}

/** `next stop: Bedford Av`. A train may be reported at a station until it has reached the next one. */
export function statusOf(vehicle: Vehicle, geometry: Geometry | undefined): string | undefined {
  const stop = geometry?.stopName(vehicle.stopId) ?? vehicle.stopId ?? undefined
  if (stop === undefined) return undefined
  if (vehicle.status === 'STOPPED_AT' && vehicle.source === 'INTERPOLATED') {
    return `last reported at ${stop}`
  }
  return `${STATUS[vehicle.status ?? ''] ?? 'next stop:'} ${stop}`
}

export const sourceOf = ({ source }: Vehicle): string | undefined =>
  source === null ? undefined : (SOURCE[source] ?? source)
