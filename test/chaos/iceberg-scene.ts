// What the killed writer and the process that kills it agree on.
import type { Random } from '../../connector/api/clock.ts'
import type { WarehouseOptions } from '../../connector/local/iceberg/types.ts'

export const CHAOS_TABLE = { database: 'CHAOS', schema: 'RAW', table: 'ROWS' }
/** Property and summary key with the number of the last row that the table must have. */
export const TOKEN = 'chaos.token'

/** mulberry32: the same numbers for the same seed. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

const silent = (): void => {
  // The rehearsal looks at the files, not at the log.
}

/** Options that compact, expire and delete as early as can be. */
export function chaosOptions(folder: string, random: Random): WarehouseOptions {
  return {
    folder,
    random,
    clock: {
      now: () => Date.now(),
      sleep: (ms, signal) =>
        new Promise((resolve, reject) => {
          const timer = setTimeout(resolve, ms)
          signal?.addEventListener('abort', () => {
            clearTimeout(timer)
            reject(signal.reason as Error)
          })
        }),
    },
    log: { trace: silent, debug: silent, info: silent, warn: silent, error: silent },
    maintenance: {
      compactFiles: 4,
      smallFileBytes: 64 * 1024 * 1024,
      keepSnapshots: 10,
      keepMs: 0,
      orphanMs: 0,
    },
  }
}
