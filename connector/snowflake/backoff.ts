import type { Random } from '../api/clock.ts'

const FIRST_MS = 250
/** Beyond this the cap has long been reached. */
const DOUBLINGS_MAX = 20

/**
 * How long to wait after `failures` failures in a row: full jitter under a bound that doubles, at least as long
 * as the other side asked for.
 */
export function backoffMs(
  failures: number,
  options: {
    readonly random: Random
    readonly maxMs: number
    readonly floorMs?: number | undefined
  },
): number {
  const bound = Math.min(options.maxMs, FIRST_MS * 2 ** Math.min(failures - 1, DOUBLINGS_MAX))
  return Math.max(options.floorMs ?? 0, Math.ceil(options.random() * bound))
}
