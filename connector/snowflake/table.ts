import type { Clock } from '../api/clock.ts'
import { ConnectError, RetriableError } from '../api/errors.ts'
import type { PluginLogger } from '../api/plugin-metrics.ts'
import { type ColumnType, diffColumns, type TableDiff } from './column-type.ts'
import { parseType } from './parse-type.ts'
import type { RecordShape, TableColumns } from './record-shape.ts'
import { isNotFound, type SqlConnect, SqlError, type SqlSession } from './sql.ts'
import { type TableAccess, TableMismatchError, type TableWriter } from './table-access.ts'
import {
  addColumn,
  createDatabase,
  createSchema,
  createTable,
  describeTable,
  type TableName,
  widenColumn,
} from './table-ddl.ts'

export interface TableSettings {
  readonly autocreate: 'iceberg' | 'snowflake' | 'none'
  readonly icebergOptions: string
  readonly evolution: 'add' | 'none'
}

/** How long a change waits for the rows of other partitions; then they go on for a while. */
const QUIET_MS = 30_000
const QUIET_STEP_MS = 20

/**
 * One table: what its columns are, and the statements that make and change it. Statements run one after another, and
 * a shape that the table already has the columns for needs none.
 */
export class Table implements TableAccess {
  readonly #name: TableName
  readonly #settings: TableSettings
  readonly #connect: SqlConnect
  readonly #log: PluginLogger
  #columns: ReadonlyMap<string, ColumnType> | undefined
  #version = 0
  /** Shapes that fit the columns of `#version`. */
  #fitting = new WeakSet<RecordShape>()
  #running: Promise<void> = Promise.resolve()
  readonly #clock: Clock
  readonly #writers = new Set<TableWriter>()
  #isHeld = false

  constructor(
    name: TableName,
    options: {
      readonly settings: TableSettings
      readonly connect: SqlConnect
      readonly log: PluginLogger
      readonly clock: Clock
    },
  ) {
    this.#name = name
    this.#settings = options.settings
    this.#connect = options.connect
    this.#log = options.log
    this.#clock = options.clock
  }

  join(writer: TableWriter): () => void {
    this.#writers.add(writer)
    return () => void this.#writers.delete(writer)
  }

  get isHeld(): boolean {
    return this.#isHeld
  }

  get mayCreate(): boolean {
    return this.#settings.autocreate !== 'none'
  }

  columnsFor(
    shape: RecordShape,
  ): { readonly columns: TableColumns; readonly version: number } | undefined {
    // Nobody wants the table changed: rows are sent as they are, and no SQL is needed at all.
    if (this.#isHandsOff) return { columns: undefined, version: 0 }
    const columns = this.#columns
    if (columns === undefined) return undefined
    if (!this.#fitting.has(shape)) {
      const { added, widened, conflicts } = diffColumns(columns, shape.columns)
      if (added.length + widened.length + conflicts.length > 0) return undefined
      this.#fitting.add(shape)
    }
    return { columns, version: this.#version }
  }

  get #isHandsOff(): boolean {
    return this.#settings.autocreate === 'none' && this.#settings.evolution === 'none'
  }

  forget(): void {
    this.#columns = undefined
  }

  async prepare(shape: RecordShape, signal: AbortSignal): Promise<void> {
    if (this.#isHandsOff) return
    const before = this.#running
    const mine = (async () => {
      await before.catch(() => {}) // Its own caller sees that failure.
      // Whoever came before may have done it.
      if (this.columnsFor(shape) !== undefined) return
      const session = await this.#connect(signal)
      try {
        await this.#change(session, shape, signal)
      } finally {
        await session.close()
      }
    })()
    this.#running = mine
    await mine
  }

  async #change(session: SqlSession, shape: RecordShape, signal: AbortSignal): Promise<void> {
    const existing = await this.#describe(session, signal)
    if (existing === undefined) {
      await this.#create(session, shape, signal)
    } else {
      const diff = diffColumns(existing, shape.columns)
      this.#check(diff, shape)
      if (diff.widened.length > 0) await this.#alterQuietly(session, diff, signal)
      else await this.#alter(session, diff, signal)
    }
    const columns = await this.#describe(session, signal)
    if (columns === undefined) {
      throw new ConnectError(`Table ${this.#text} is not there after it was made`)
    }
    const rest = diffColumns(columns, shape.columns)
    this.#check(rest, shape)
    if (rest.added.length + rest.widened.length > 0) {
      throw new ConnectError(
        `Table ${this.#text} has not changed as it was told to: ${[...rest.added, ...rest.widened].map((c) => c.name).join(', ')}`,
      )
    }
    this.#columns = columns
    this.#version++
    this.#fitting = new WeakSet()
  }

  async #describe(
    session: SqlSession,
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, ColumnType> | undefined> {
    try {
      const rows = await session.execute(describeTable(this.#name), signal)
      const columns = rows.map(
        (row) => [String(row['name']), parseType(String(row['type']))] as const,
      )
      return new Map(columns)
    } catch (error) {
      if (isNotFound(error)) return undefined
      throw error
    }
  }

  async #create(session: SqlSession, shape: RecordShape, signal: AbortSignal): Promise<void> {
    const { autocreate, icebergOptions } = this.#settings
    if (autocreate === 'none') {
      throw new ConnectError(
        `Table ${this.#text} does not exist or is not accessible, and snowflake.autocreate.table.type is none`,
      )
    }
    await this.#createSchema(session, signal)
    const sql = createTable(this.#name, autocreate, shape.columns, icebergOptions)
    await session.execute(sql, signal)
    this.#log.info(
      { table: this.#text, columns: shape.columns.length, schema: shape.name },
      'Table was made.',
    )
  }

  /** A role that may use a schema need not be allowed to make one, so a refusal counts only if the table fails too. */
  async #createSchema(session: SqlSession, signal: AbortSignal): Promise<void> {
    for (const sql of [createDatabase(this.#name), createSchema(this.#name)]) {
      try {
        await session.execute(sql, signal)
      } catch (error) {
        if (!(error instanceof SqlError)) throw error
        this.#log.debug({ sql, err: error }, 'Was refused; it may exist already.')
      }
    }
  }

  #check({ added, widened, conflicts }: TableDiff, shape: RecordShape): void {
    if (conflicts.length > 0) {
      const list = conflicts
        .map((c) => `${c.name} is ${c.table} in the table and ${c.record} in the schema`)
        .join('; ')
      throw new TableMismatchError(`${shape.name} does not fit table ${this.#text}: ${list}`)
    }
    if (this.#settings.evolution === 'add' || added.length + widened.length === 0) return
    throw new TableMismatchError(
      `${shape.name} needs columns that table ${this.#text} does not have, and snowflake.schema.evolution is none: ${[...added, ...widened].map((c) => c.name).join(', ')}`,
    )
  }

  /**
   * A column's type changes under rows that are on their way, and an OBJECT takes only rows with all of its fields: all
   * partitions of the table have their rows committed first, whichever task they are of.
   */
  async #alterQuietly(session: SqlSession, diff: TableDiff, signal: AbortSignal): Promise<void> {
    this.#isHeld = true
    try {
      await this.#quiet(signal)
      await this.#alter(session, diff, signal)
      // Rows that are made from now on must have the new fields.
      this.#columns = undefined
    } finally {
      this.#isHeld = false
    }
  }

  async #quiet(signal: AbortSignal): Promise<void> {
    const endMs = this.#clock.now() + QUIET_MS
    for (;;) {
      const busy = [...this.#writers].filter((writer) => !writer.isQuiet).length
      if (busy === 0) return
      if (this.#clock.now() >= endMs) {
        throw new RetriableError(
          `Table ${this.#text} is to be changed, but ${busy} of its ${this.#writers.size} channels have rows that were not committed for ${QUIET_MS} ms`,
        )
      }
      await this.#clock.sleep(QUIET_STEP_MS, signal)
    }
  }

  async #alter(session: SqlSession, diff: TableDiff, signal: AbortSignal): Promise<void> {
    const { autocreate } = this.#settings
    const kind = autocreate === 'snowflake' ? 'snowflake' : 'iceberg'
    const statements = [
      ...diff.widened.map((column) => widenColumn(this.#name, kind, column)),
      ...diff.added.map((column) => addColumn(this.#name, kind, column)),
    ]
    for (const sql of statements) {
      await session.execute(sql, signal)
      this.#log.info({ table: this.#text, sql }, 'Table was changed for a new schema version.')
    }
  }

  get #text(): string {
    return `${this.#name.database}.${this.#name.schema}.${this.#name.table}`
  }
}

/** A table that several tasks use; `release` it when it is not needed any more. */
export interface SharedTable {
  readonly table: TableAccess
  release(): void
}

/** Tables by account and name: the tasks of one process share what they know and do. */
const tables = new Map<string, { readonly table: Table; users: number }>()

/**
 * The process's object for a table, until all who have it release it: a connector that is started again looks at the
 * table anew. `key` says everything that makes two of them differ.
 */
export function shareTable(key: string, make: () => Table): SharedTable {
  const entry = tables.get(key) ?? { table: make(), users: 0 }
  tables.set(key, entry)
  entry.users++
  let isReleased = false
  return {
    table: entry.table,
    release: () => {
      if (isReleased) return
      isReleased = true
      entry.users--
      if (entry.users === 0) tables.delete(key)
    },
  }
}
