// What the killed writer and the process that kills it agree on.
import type { Random } from '../../connector/api/clock.ts'
import type { WarehouseOptions } from '../../connector/local/iceberg/types.ts'

export const CHAOS_TABLE = { database: 'CHAOS', schema: 'RAW', table: 'ROWS' }
export const REPLACED_TABLE = { ...CHAOS_TABLE, table: 'REPLACED' }
/** Property with the number of times that this table was replaced. */
export const GENERATION = 'chaos.generation'
/** Property and summary key with the number of the last row that the table must have. */
export const TOKEN = 'chaos.token'

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
