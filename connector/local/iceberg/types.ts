// What the local Iceberg warehouse promises to the endpoint that writes through it. The format module knows
// nothing of Snowflake.
import type { PluginLogger } from '../../api/plugin-metrics.ts'
import { ConnectError } from '../../api/errors.ts'
import type { Clock, Random } from '../../api/clock.ts'

/** Primitive types as the Iceberg spec spells them, e.g. `long`, `decimal(38,4)`, `timestamptz`, `fixed[16]`. */
export type IcebergPrimitive = string
export interface IcebergField {
  readonly id: number
  readonly name: string
  readonly required: boolean
  readonly type: IcebergType
  readonly doc?: string
}
export interface IcebergStruct {
  readonly type: 'struct'
  readonly fields: readonly IcebergField[]
}
export interface IcebergList {
  readonly type: 'list'
  readonly 'element-id': number
  readonly element: IcebergType
  readonly 'element-required': boolean
}
export interface IcebergMap {
  readonly type: 'map'
  readonly 'key-id': number
  readonly key: IcebergType
  readonly 'value-id': number
  readonly value: IcebergType
  readonly 'value-required': boolean
}
export type IcebergType = IcebergPrimitive | IcebergStruct | IcebergList | IcebergMap

/** A field before ids are given. */
export interface NewField {
  readonly name: string
  readonly required: boolean
  readonly type: NewType
  readonly doc?: string
}
export type NewType =
  | IcebergPrimitive
  | { readonly type: 'struct'; readonly fields: readonly NewField[] }
  | { readonly type: 'list'; readonly element: NewType; readonly elementRequired: boolean }
  | {
      readonly type: 'map'
      readonly key: NewType
      readonly value: NewType
      readonly valueRequired: boolean
    }

/** Paths name nested fields: `['POS', 'LAT']`; list elements `element`, map values `value`. */
export type SchemaChange =
  | { readonly kind: 'add'; readonly parent: readonly string[]; readonly field: NewField }
  | { readonly kind: 'drop'; readonly path: readonly string[] }
  | { readonly kind: 'rename'; readonly path: readonly string[]; readonly name: string }
  | { readonly kind: 'promote'; readonly path: readonly string[]; readonly type: IcebergPrimitive }
  | { readonly kind: 'optional'; readonly path: readonly string[] }

export interface SnapshotInfo {
  /** Fits 53 bits, so that it is exact as a JSON number. */
  readonly snapshotId: number
  readonly parentId: number | null
  readonly sequenceNumber: number
  readonly timestampMs: number
  readonly operation: 'append' | 'replace' | 'delete' | 'overwrite'
  readonly summary: Readonly<Record<string, string>>
  readonly schemaId: number
}

export interface DataFile {
  /** Absolute path on this machine. */
  readonly path: string
  readonly rows: number
  readonly bytes: number
}

/**
 * Rows to append: UTF-8 NDJSON whose keys are the table's column names exactly as spelled there and whose
 * values already fit the columns (checked by who parsed them). A key that is absent is NULL; no other keys.
 * Values: integers and floats as JSON numbers (`"NaN"`, `"Infinity"`, `"-Infinity"` as strings), decimals,
 * dates (`YYYY-MM-DD`), timestamps (ISO, `Z` for timestamptz), times and uuids as strings, binary and fixed
 * as base64 strings, structs as objects, lists as arrays, maps as `[[key, value], …]`.
 */
export interface RowBatch {
  readonly ndjson: readonly Uint8Array[]
  readonly rows: number
}

export interface Commit {
  /** Empty or absent: a commit of properties only, which makes no snapshot. */
  readonly batch?: RowBatch
  /** Merged into the table's properties in the same metadata file as the rows; null removes a key. */
  readonly properties?: Readonly<Record<string, string | null>>
  /** Added to the snapshot's summary. */
  readonly summary?: Readonly<Record<string, string>>
}

export interface TableIdentifier {
  readonly database: string
  readonly schema: string
  readonly table: string
}

/** One table. Its writes are serialised inside; every method that writes resolves once durable, or changes nothing. */
export interface IcebergTable {
  readonly identifier: TableIdentifier
  readonly uuid: string
  /** Absolute folder; `metadata/version-hint.text` below it. */
  readonly location: string
  readonly schema: IcebergStruct
  readonly schemaId: number
  readonly properties: Readonly<Record<string, string>>
  /** N of the current vN.metadata.json. */
  readonly version: number
  readonly snapshots: readonly SnapshotInfo[]
  currentSnapshot(): SnapshotInfo | undefined
  /** Live files of a snapshot, default the current one. */
  files(snapshotId?: number): Promise<readonly DataFile[]>
  totalRows(): number
  /**
   * The one commit point: rows, properties and summary become visible together or not at all.
   * @throws RowRejectedError when a row does not fit after all, any other error when it could not be written:
   * nothing is changed. But for `UnconfirmedCommitError`: all of it is in the table.
   */
  commit(commit: Commit): Promise<SnapshotInfo | undefined>
  updateSchema(changes: readonly SchemaChange[]): Promise<void>
  /** SELECT text that DuckDB runs over a snapshot's files, read by field id, columns named as in `schema`. */
  scanSql(snapshotId?: number): Promise<string>
  /** Merges small files when there are enough of them; `replace` snapshot. True when it did. */
  compact(): Promise<boolean>
  /** Expires snapshots beyond the policy and deletes what no retained snapshot needs, orphans of others too. */
  maintain(): Promise<void>
  /** The current metadata.json, for the REST catalog. */
  metadata(): Readonly<Record<string, unknown>>
  metadataLocation(): string
}

/**
 * A change of a table that everybody sees and later ones build on, but the disk did not confirm it: it is
 * done, must not be done again, and may be gone after a loss of power.
 */
export class UnconfirmedCommitError extends ConnectError {}

/** The engine could not take a row although its values were checked: which it cannot say. */
export class RowRejectedError extends Error {}

export interface Warehouse {
  readonly folder: string
  databases(): readonly string[]
  schemas(database: string): readonly string[]
  tables(database: string, schema: string): readonly IcebergTable[]
  table(identifier: TableIdentifier): IcebergTable | undefined
  createDatabase(name: string): Promise<void>
  dropDatabase(name: string): Promise<void>
  createSchema(database: string, name: string): Promise<void>
  dropSchema(database: string, name: string): Promise<void>
  createTable(
    identifier: TableIdentifier,
    fields: readonly NewField[],
    properties: Readonly<Record<string, string>>,
  ): Promise<IcebergTable>
  /**
   * Puts a new, empty table in a table's place in one step: readers and a start after a crash find the old one
   * or the new one. Nothing is changed when it rejects, but for `UnconfirmedCommitError`: it is replaced then.
   */
  replaceTable(
    identifier: TableIdentifier,
    fields: readonly NewField[],
    properties: Readonly<Record<string, string>>,
  ): Promise<IcebergTable>
  dropTable(identifier: TableIdentifier): Promise<void>
  /** Runs `sql` on the read-only query engine, which can reach nothing outside the warehouse. */
  query(sql: string, options: QueryOptions): Promise<QueryResult>
  /** Waits for writes under way, then releases the lock. */
  close(): Promise<void>
}

export interface QueryOptions {
  readonly signal: AbortSignal
  readonly timeoutMs: number
  /** A query with more rows fails. */
  readonly rowsMax: number
  /** Where names without database and schema are looked for. */
  readonly namespace?: { readonly database: string; readonly schema: string }
}

export interface QueryResult {
  readonly columns: readonly { readonly name: string; readonly type: string }[]
  /** DuckDB values, one array per row, in column order. */
  readonly rows: readonly (readonly unknown[])[]
}

export interface WarehouseOptions {
  readonly folder: string
  readonly clock: Clock
  readonly random: Random
  readonly log: PluginLogger
  readonly maintenance: {
    /** Compact once so many live files of one size class are smaller than `smallFileBytes`. */
    readonly compactFiles: number
    readonly smallFileBytes: number
    /** Older snapshots leave the table with the next version, so that its metadata does not grow. */
    readonly keepSnapshots: number
    /** A file that no snapshot needs any more stays so long for readers that opened the table before. */
    readonly keepMs: number
    /** Delete unreferenced files only when older than this. */
    readonly orphanMs: number
  }
  /** DuckDB's limits, each for the writing and for the querying instance. Default: 2 threads, 512 MB each. */
  readonly engine?: {
    readonly threads?: number
    readonly writeMemoryMb?: number
    readonly queryMemoryMb?: number
    /** Run once in the querying instance before it is locked, e.g. `CREATE MACRO memory.main.f(x) AS …`. */
    readonly initSql?: readonly string[]
  }
}

/** `openWarehouse(options)`: throws when another process holds the folder, naming its pid. */
export type OpenWarehouse = (options: WarehouseOptions) => Promise<Warehouse>
