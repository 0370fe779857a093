import type { BoxRule } from './config-keys.ts'
import { type Box, type Profile, SEED_BOX } from './profiles.ts'

/** Where a feed's vehicles can be, by `quality.box`; undefined: anywhere. */
export function boxOf(profile: Profile, rule: BoxRule): Box | undefined {
  if (rule === 'none') return undefined
  return rule === 'seed' ? SEED_BOX : profile.box
}

/** Whether a place lies in the box or on its edge. */
export const isWithin = (
  box: Box,
  at: { readonly latitude: number; readonly longitude: number },
): boolean =>
  at.latitude >= box.south &&
  at.latitude <= box.north &&
  at.longitude >= box.west &&
  at.longitude <= box.east
