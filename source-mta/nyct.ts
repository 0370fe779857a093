// What NYCT means by what it leaves out, and whom to believe when it contradicts itself.
import type { Trip } from './decode.ts'
import { NO_NYCT, type NyctFields } from './record-fields.ts'

/** NYCT's direction where none is given. */
export const NORTH = 1
const DIRECTIONS: Readonly<Record<number, string>> = {
  1: 'NORTH',
  2: 'EAST',
  3: 'SOUTH',
  4: 'WEST',
}
const LETTERS: Readonly<Record<string, string>> = { N: 'NORTH', E: 'EAST', S: 'SOUTH', W: 'WEST' }

export interface NyctReading {
  readonly fields: NyctFields
  readonly hasDirectionConflict: boolean
}

/**
 * The NYCT fields of a subway trip. NYCT has left out default values since 2019: no direction is NORTH, no
 * is_assigned is false. The letter in the trip id (`087900_1..N04R`) wins over the direction. A trip
 * without the extension has none of the fields.
 */
export function readNyct(trip: Trip): NyctReading {
  const fields = readNyctAsStated(trip)
  if (fields === NO_NYCT) return { fields, hasDirectionConflict: false }
  const letter = /\.\.?([NESW])/.exec(trip.tripId ?? '')?.[1] ?? ''
  const direction = LETTERS[letter] ?? fields.direction
  const hasDirectionConflict = direction !== fields.direction
  return { fields: hasDirectionConflict ? { ...fields, direction } : fields, hasDirectionConflict }
}

/** The same, but without believing the trip id. */
export function readNyctAsStated({ nyct }: Trip): NyctFields {
  if (nyct === undefined) return NO_NYCT
  const code = nyct.direction ?? NORTH
  return {
    trainId: nyct.trainId ?? null,
    isAssigned: nyct.isAssigned ?? false,
    direction: DIRECTIONS[code] ?? `UNKNOWN_${code}`,
  }
}
