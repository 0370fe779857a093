// What a vehicle is called and what it does, in words.
import type { Vehicle } from '../../live/messages.ts'
import type { Geometry } from './geometry.ts'
import { kindOf, letterOf, lineOf } from './lines.ts'

const COMPASS = ['north', 'north-east', 'east', 'south-east', 'south', 'south-west', 'west']
const STATUS: Readonly<Record<string, string>> = {
  STOPPED_AT: 'at',
  INCOMING_AT: 'arriving at',
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
  const { stopId, status, source } = vehicle
  if (stopId === null || stopId === '') return undefined
  const name = geometry?.stopName(vehicle)
  const at = name ?? `stop ${stopId}`
  if (status === 'STOPPED_AT' && source === 'INTERPOLATED') return `last reported at ${at}`
  const verb = STATUS[status ?? '']
  return verb === undefined ? `next stop: ${name ?? stopId}` : `${verb} ${at}`
}

/** What tells it from the others of its line. */
export const idOf = ({ label, vehicleId, tripId, key }: Vehicle): string =>
  [label, vehicleId, tripId].find((text) => text !== null && text !== '') ?? key

export const sourceOf = ({ source }: Vehicle): string | undefined =>
  source === null ? undefined : (SOURCE[source] ?? source)
