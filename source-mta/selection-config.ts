// How a selection and a time zone are written in the configuration.
import { isTimeZone } from './local-time.ts'
import type { Box } from './profiles.ts'

const DIRECTIONS = new Set(['0', '1', 'NORTH', 'SOUTH', 'EAST', 'WEST'])
const BOX = /^-?\d+(\.\d+)?(\s*,\s*-?\d+(\.\d+)?){3}$/

/** Reads `south,west,north,east`; undefined for an empty text. Only for texts without a `boxProblem`. */
export function parseBox(text: string): Box | undefined {
  if (text === '') return undefined
  const [south = 0, west = 0, north = 0, east = 0] = text.split(',').map(Number)
  return { south, west, north, east }
}

/** What is wrong with the text of a box, or undefined. */
export function boxProblem(text: string): string | undefined {
  if (text === '') return undefined
  if (!BOX.test(text)) return 'must be south,west,north,east in degrees'
  const box = parseBox(text)
  const isBox =
    box !== undefined &&
    box.south >= -90 &&
    box.south < box.north &&
    box.north <= 90 &&
    box.west >= -180 &&
    box.west < box.east &&
    box.east <= 180
  return isBox ? undefined : 'must be south,west,north,east: south below north, west below east'
}

/** What is wrong with a list of directions, or undefined. */
export function directionsProblem(directions: readonly string[]): string | undefined {
  const bad = directions.filter((direction) => !DIRECTIONS.has(direction.toUpperCase()))
  return bad.length === 0
    ? undefined
    : `no direction: ${bad.join(', ')}; expected ${[...DIRECTIONS].join(', ')}`
}

/** What is wrong with a time zone, or undefined. An empty text stands for the profile's own. */
export const zoneProblem = (zone: string): string | undefined =>
  zone === '' || isTimeZone(zone) ? undefined : 'is no IANA time zone'
