// The rows that did not fit, one JSON line each, kept per table in bounded files: what Snowflake's error
// tables are for.
import { appendFile, mkdir, rename, stat } from 'node:fs/promises'
import path from 'node:path'
import { toMessage } from '../../../api/errors.ts'
import type { PluginLogger } from '../../../api/plugin-metrics.ts'

/** One refused row. */
export interface ErrorEntry {
  readonly timestampMs: number
  /** A table that was made again has another one, and none of the former's errors. */
  readonly tableUuid: string
  readonly pipe: string
  readonly channel: string
  readonly offsetLowerBound: string | null
  readonly offsetUpperBound: string | null
  /** Snowflake's number of the error, where it is known. */
  readonly code: number | null
  readonly message: string
  readonly isTruncated: boolean
  /** The row as it came, cut to a few kilobytes. */
  readonly data: string
}

/** Where refused rows go. Never throws: a full log must not stop a commit that has already happened. */
export interface ErrorLog {
  append(table: string, entries: readonly ErrorEntry[]): Promise<void>
}

const FILE_BYTES_MAX = 64 * 1_024 * 1_024

/** Where the errors of a table are: the newer file first, either may be missing. */
export const errorFiles = (folder: string, table: string): readonly string[] =>
  ['.jsonl', '.1.jsonl'].map((end) => path.join(folder, encodeURIComponent(table) + end))

/** Files `<folder>/<table>.jsonl` and one older `.1.jsonl`, each of about 64 MB at most. */
export function fileErrorLog(folder: string, log: PluginLogger): ErrorLog {
  return {
    async append(table, entries) {
      if (entries.length === 0) return
      const [file = '', older = ''] = errorFiles(folder, table)
      try {
        await mkdir(folder, { recursive: true })
        const size = await stat(file).then(
          (stats) => stats.size,
          () => 0, // The first entry of this table: no file yet.
        )
        if (size > FILE_BYTES_MAX) await rename(file, older)
        await appendFile(file, entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''))
      } catch (error) {
        log.warn(
          { table, rows: entries.length, error: toMessage(error) },
          'Could not log bad rows.',
        )
      }
    },
  }
}
