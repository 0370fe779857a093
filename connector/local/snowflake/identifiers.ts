// Names as Snowflake folds them: unquoted ones to upper case, quoted ones kept.
import type { TableIdentifier } from '../iceberg/types.ts'

/** The stored form of a name as a client wrote it, e.g. `raw` → `RAW`, `"raw"` → `raw`. */
export function foldName(text: string): string {
  return text.length >= 2 && text.startsWith('"') && text.endsWith('"')
    ? text.slice(1, -1).replaceAll('""', '"')
    : text.toUpperCase()
}

/** `DB.SCHEMA.NAME`, quoting what would not survive unquoted. */
export const qualifiedName = (...parts: readonly string[]): string =>
  parts.map(quoteIfNeeded).join('.')

export const quoteIfNeeded = (name: string): string =>
  /^[A-Z_][A-Z0-9_$]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`

export const tableName = (identifier: TableIdentifier): string =>
  qualifiedName(identifier.database, identifier.schema, identifier.table)

const DEFAULT_PIPE_SUFFIX = '-STREAMING'

/** The pipe that every table has without asking. */
export const defaultPipeOf = (table: string): string => `${table}${DEFAULT_PIPE_SUFFIX}`

/** The table of a default pipe's name, or undefined for other names. */
export const tableOfDefaultPipe = (pipe: string): string | undefined =>
  pipe.endsWith(DEFAULT_PIPE_SUFFIX) && pipe.length > DEFAULT_PIPE_SUFFIX.length
    ? pipe.slice(0, -DEFAULT_PIPE_SUFFIX.length)
    : undefined

/** Where rows are probed that the engine refused; no client sees it. */
export const SCRATCH_DATABASE = '_SNOWPIPE_SCRATCH'
