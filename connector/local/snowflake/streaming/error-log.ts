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

/** What is put together before it is written. */
const SLICE_BYTES = 1_024 * 1_024
const FILE_BYTES_MAX = 64 * 1_024 * 1_024

/** Where the errors of a table are: the newer file first, either may be missing. */
export const errorFiles = (folder: string, table: string): readonly string[] =>
  ['.jsonl', '.1.jsonl'].map((end) => path.join(folder, encodeURIComponent(table) + end))

/** Files `<folder>/<table>.jsonl` and one older `.1.jsonl`, each of about `fileBytesMax` at most. */
export function fileErrorLog(
  folder: string,
  log: PluginLogger,
  fileBytesMax = FILE_BYTES_MAX,
): ErrorLog {
  return {
    async append(table, entries) {
      if (entries.length === 0) return
      const [file = '', older = ''] = errorFiles(folder, table)
      try {
        await mkdir(folder, { recursive: true })
        let size = await stat(file).then(
          (stats) => stats.size,
          () => 0, // The first entry of this table: no file yet.
        )
        for (const slice of slicesOf(entries)) {
          if (size > fileBytesMax) {
            await rename(file, older)
            size = 0
          }
          await appendFile(file, slice)
          size += slice.byteLength
        }
      } catch (error) {
        log.warn(
          { table, rows: entries.length, error: toMessage(error) },
          'Could not log bad rows.',
        )
      }
    },
  }
}

/** The lines of the entries, a slice of them at a time: all in one text may be more than a string can hold. */
function* slicesOf(entries: readonly ErrorEntry[]): Generator<Buffer> {
  let lines: Buffer[] = []
  let bytes = 0
  for (const entry of entries) {
    const line = Buffer.from(`${JSON.stringify(entry)}\n`)
    lines.push(line)
    bytes += line.byteLength
    if (bytes < SLICE_BYTES) continue
    yield Buffer.concat(lines)
    lines = []
    bytes = 0
  }
  if (lines.length > 0) yield Buffer.concat(lines)
}
