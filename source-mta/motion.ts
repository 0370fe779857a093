// Vehicles that jump, and vehicles that say they move but do not.
import type { QualityCode } from './quality.ts'

const STUCK_AFTER_S = 600
const STUCK_WITHIN_M = 25
const EARTH_RADIUS_M = 6_371_008.8
const RADIANS = Math.PI / 180

/** Where a vehicle said it was, and when (seconds since the Unix epoch). */
export interface Fix {
  readonly latitude: number
  readonly longitude: number
  readonly at: number
  /** It says itself that it stands: at a stop, in layover. */
  readonly isStanding: boolean
}

interface Track {
  fix: Fix
  /** Where it has been since, within a few metres. */
  anchor: Fix
}

/** Remembers one feed's accepted fixes by key. Bounded by what is forgotten. */
export class Motion {
  readonly #speedMaxMps: number
  readonly #tracks = new Map<string, Track>()

  /** Faster than `speedMaxMps` between two fixes is a TELEPORT. */
  constructor(speedMaxMps: number) {
    this.#speedMaxMps = speedMaxMps
  }

  /** Takes a fix in and tells what is odd about it; one that is not newer than the last is left out. */
  check(key: string, fix: Fix): readonly QualityCode[] {
    const track = this.#tracks.get(key)
    if (track === undefined) {
      this.#tracks.set(key, { fix, anchor: fix })
      return []
    }
    const seconds = fix.at - track.fix.at
    if (seconds <= 0) return []
    const isJump = metresBetween(track.fix, fix) / seconds > this.#speedMaxMps
    track.fix = fix
    if (fix.isStanding || metresBetween(track.anchor, fix) > STUCK_WITHIN_M) track.anchor = fix
    const isStuck = fix.at - track.anchor.at >= STUCK_AFTER_S
    return [...(isJump ? (['TELEPORT'] as const) : []), ...(isStuck ? (['STUCK'] as const) : [])]
  }

  /** Forgets vehicles whose last fix is older. Seconds since the Unix epoch. */
  forget(before: number): void {
    for (const [key, { fix }] of this.#tracks) if (fix.at < before) this.#tracks.delete(key)
  }
}

/** Great-circle distance. */
export function metresBetween(
  a: { readonly latitude: number; readonly longitude: number },
  b: { readonly latitude: number; readonly longitude: number },
): number {
  const dLat = (b.latitude - a.latitude) * RADIANS
  const dLon = (b.longitude - a.longitude) * RADIANS
  const h =
    Math.sin(dLat / 2) ** 2 +
    Math.cos(a.latitude * RADIANS) * Math.cos(b.latitude * RADIANS) * Math.sin(dLon / 2) ** 2
  return 2 * EARTH_RADIUS_M * Math.asin(Math.min(1, Math.sqrt(h)))
}
