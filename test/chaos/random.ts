/** A small seeded generator (mulberry32): the same seed plays the same rounds. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** The generator of one round, whichever rounds were played before it. */
export const seededRound = (seed: number, round: number): (() => number) =>
  seeded(seed + Math.imul(round, 0x9e3779b9))
