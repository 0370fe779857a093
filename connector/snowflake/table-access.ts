import { RetriableError } from '../api/errors.ts'
import type { RecordShape, TableColumns } from './record-shape.ts'

/** A channel that writes to a table. */
export interface TableWriter {
  /** It has made no row that Snowflake has not committed. */
  readonly isQuiet: boolean
}

const LOOK_AGAIN_MS = 5_000

/**
 * A schema asks for what the table cannot become. Its partition stands still, the others go on; the table is looked at
 * again now and then, since an operator may mend it.
 */
export class TableMismatchError extends RetriableError {
  constructor(message: string) {
    super(message, { retryAfterMs: LOOK_AGAIN_MS })
  }
}

/** A table as its channels see it. One object per table and process, so that several tasks make one DDL statement. */
export interface TableAccess {
  /** What rows of this shape are written with; undefined when the table must be looked at or changed first. */
  columnsFor(
    shape: RecordShape,
  ): { readonly columns: TableColumns; readonly version: number } | undefined
  /** Makes or changes the table for rows of this shape. What is not committed of the own partition is waited for first. */
  prepare(shape: RecordShape, signal: AbortSignal): Promise<void>
  /** Makes `writer` known, so that changes wait for it; the result makes it unknown. */
  join(writer: TableWriter): () => void
  /** The table is about to be changed: nothing new may become a row, and what did must be sent. */
  readonly isHeld: boolean
  /** The table was found to be missing: what is known of it does not hold any more. */
  forget(): void
  /** True when a table that is missing may be made. */
  readonly mayCreate: boolean
}
