import { seeded as seededUnit } from '../chaos/random.ts'

/** Choices that a seed repeats. */
export interface Random {
  /** At least 0, less than 1. */
  unit(): number
  /** A whole number from `min` to `max`, both included. */
  int(min: number, max: number): number
  chance(probability: number): boolean
  /** @throws when there is nothing to pick from. */
  pick<T>(items: readonly T[]): T
}

export function seeded(seed: number): Random {
  const unit = seededUnit(seed)
  const int = (min: number, max: number): number => min + Math.floor(unit() * (max - min + 1))
  return {
    unit,
    int,
    chance: (probability) => unit() < probability,
    pick: (items) => {
      if (items.length === 0) throw new Error('Expected something to pick from, got nothing.')
      return items[int(0, items.length - 1)] as (typeof items)[number]
    },
  }
}
