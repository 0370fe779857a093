import type { RecordShape, TableColumns } from './record-shape.ts'

/** A table as its channels see it. One object per table and process, so that several tasks make one DDL statement. */
export interface TableAccess {
  /** What rows of this shape are written with; undefined when the table must be looked at or changed first. */
  columnsFor(
    shape: RecordShape,
  ): { readonly columns: TableColumns; readonly version: number } | undefined
  /** Makes or changes the table for rows of this shape. What is not committed of the own partition is waited for first. */
  prepare(shape: RecordShape, signal: AbortSignal): Promise<void>
  /** The table was found to be missing: what is known of it does not hold any more. */
  forget(): void
  /** True when a table that is missing may be made. */
  readonly mayCreate: boolean
}
