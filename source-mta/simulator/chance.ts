/**
 * A number in [0, 1) that depends on the arguments alone: the simulator's only source of variety, so that
 * the same seed always gives the same city.
 */
export function chance(seed: number, ...keys: readonly (string | number)[]): number {
  let hash = (0x811c9dc5 ^ seed) >>> 0
  for (const key of keys) {
    const text = typeof key === 'number' ? `#${key}` : key
    for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
    hash = Math.imul(hash ^ 0x7c, 0x01000193)
  }
  // FNV-1a leaves neighbours close together; this finish (murmur3's) spreads them.
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32
}

/** As `chance`, between `low` and `high`. */
export function between(
  range: readonly [low: number, high: number],
  seed: number,
  ...keys: readonly (string | number)[]
): number {
  return range[0] + (range[1] - range[0]) * chance(seed, ...keys)
}
