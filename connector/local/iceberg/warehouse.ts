// The warehouse: a folder of Iceberg tables that this process alone writes.
import fs from 'node:fs/promises'
import path from 'node:path'
import { AlreadyExistsError, ConnectError, NotFoundError } from '../../api/errors.ts'
import { type LockFile, LockHeldError, takeLockFile } from '../lock-file.ts'
import { Catalog, checkName, checkUnique } from './catalog.ts'
import { isCode, sync } from './durable-files.ts'
import { ParquetEngine } from './parquet-engine.ts'
import { QueryEngine } from './query-engine.ts'
import { randomUuid } from './random-ids.ts'
import { Serial } from './serial.ts'
import type { LocalTable, TableContext } from './table.ts'
import { createTableFolder, openTableFolder, replaceTableInFolder } from './table-files.ts'
import type {
  IcebergTable,
  NewField,
  OpenWarehouse,
  QueryOptions,
  QueryResult,
  TableIdentifier,
  Warehouse,
  WarehouseOptions,
} from './types.ts'

const DEFAULT_THREADS = 2
const DEFAULT_MEMORY_MB = 512
const CHANGES_WAITING_MAX = 1000
const LOCK = '.lock'
const TEMPORARY = '.tmp'
const TRASH = '.trash'
/** Names that mean something else to DuckDB. */
const RESERVED_DATABASES = new Set(['memory', 'system', 'temp'])
const RESERVED_SCHEMAS = new Set(['information_schema', 'pg_catalog'])

/** Opens or makes the warehouse in a folder and clears up what a crash left behind. */
export const openWarehouse: OpenWarehouse = async (options) => {
  const folder = path.resolve(options.folder)
  await fs.mkdir(folder, { recursive: true })
  const lock = takeLock(folder, randomUuid(options.random))
  try {
    return await LocalWarehouse.open(folder, lock, options)
  } catch (error) {
    lock.release()
    throw error
  }
}

function takeLock(folder: string, token: string): LockFile {
  try {
    return takeLockFile(path.join(folder, LOCK), token)
  } catch (error) {
    if (!(error instanceof LockHeldError)) throw error
    throw new ConnectError(
      `Expected the warehouse ${folder} to be free, got it in use by process ${error.pid}. Stop that process, or use another folder.`,
      { cause: error },
    )
  }
}

interface Parts {
  readonly lock: LockFile
  readonly catalog: Catalog
  readonly context: TableContext
  readonly queries: QueryEngine
}

class LocalWarehouse implements Warehouse {
  readonly folder: string
  readonly #parts: Parts
  readonly #changes = new Serial(CHANGES_WAITING_MAX)
  readonly #tables = new Map<string, LocalTable>()
  #closed = false

  private constructor(folder: string, parts: Parts) {
    this.folder = folder
    this.#parts = parts
  }

  static async open(folder: string, lock: LockFile, options: WarehouseOptions): Promise<Warehouse> {
    const temporaryFolder = path.join(folder, TEMPORARY)
    for (const name of [TEMPORARY, TRASH]) {
      await fs.rm(path.join(folder, name), { recursive: true, force: true })
      await fs.mkdir(path.join(folder, name))
    }
    const { clock, random, log, maintenance, engine: limits = {} } = options
    const uuid = (): string => randomUuid(random)
    const threads = limits.threads ?? DEFAULT_THREADS
    const memoryMb = limits.writeMemoryMb ?? DEFAULT_MEMORY_MB
    const engine = new ParquetEngine({ temporaryFolder, threads, memoryMb, uuid })
    const catalog = await Catalog.open(folder, uuid)
    const queries = await QueryEngine.open({
      folder,
      temporaryFolder,
      threads,
      memoryMb: limits.queryMemoryMb ?? DEFAULT_MEMORY_MB,
      initSql: limits.initSql ?? [],
      clock,
    })
    const context = { clock, random, log, engine, maintenance }
    const warehouse = new LocalWarehouse(folder, { lock, catalog, context, queries })
    try {
      await warehouse.#openTables()
    } catch (error) {
      queries.close()
      await engine.close()
      throw error
    }
    return warehouse
  }

  databases(): readonly string[] {
    return this.#parts.catalog.databases()
  }

  schemas(database: string): readonly string[] {
    return this.#parts.catalog.schemas(database)
  }

  tables(database: string, schema: string): readonly IcebergTable[] {
    return this.#tablesOf(database, schema)
  }

  table(identifier: TableIdentifier): IcebergTable | undefined {
    return this.#tables.get(keyOf(identifier))
  }

  createDatabase(name: string): Promise<void> {
    return this.#change(async () => {
      checkName('database', name)
      if (RESERVED_DATABASES.has(name.toLowerCase())) throw reserved('database', name)
      this.#checkNew('database', name, this.databases())
      await this.#makeFolder(path.join(this.folder, name))
      await this.#parts.catalog.set(name, [])
    })
  }

  dropDatabase(name: string): Promise<void> {
    return this.#change(async () => {
      this.#checkDatabase(name)
      await this.#endTables((table) => table.identifier.database === name)
      await this.#parts.catalog.set(name, undefined)
      await this.#discard(path.join(this.folder, name))
    })
  }

  createSchema(database: string, name: string): Promise<void> {
    return this.#change(async () => {
      this.#checkDatabase(database)
      checkName('schema', name)
      if (RESERVED_SCHEMAS.has(name.toLowerCase())) throw reserved('schema', name)
      this.#checkNew('schema', name, this.schemas(database))
      await this.#makeFolder(path.join(this.folder, database, name))
      await this.#parts.catalog.set(database, [...this.schemas(database), name])
    })
  }

  dropSchema(database: string, name: string): Promise<void> {
    return this.#change(async () => {
      this.#checkSchema(database, name)
      await this.#endTables(
        ({ identifier }) => identifier.database === database && identifier.schema === name,
      )
      const others = this.schemas(database).filter((schema) => schema !== name)
      await this.#parts.catalog.set(database, others)
      await this.#discard(path.join(this.folder, database, name))
    })
  }

  createTable(
    identifier: TableIdentifier,
    fields: readonly NewField[],
    properties: Readonly<Record<string, string>>,
  ): Promise<IcebergTable> {
    return this.#change(async () => {
      const { database, schema, table } = identifier
      this.#checkSchema(database, schema)
      checkName('table', table)
      const taken = this.#tablesOf(database, schema).map((other) => other.identifier.table)
      this.#checkNew('table', table, taken)
      const location = path.join(this.folder, database, schema, table)
      const made = await createTableFolder(
        { identifier, location, fields, properties },
        this.#parts.context,
      )
      this.#tables.set(keyOf(identifier), made)
      return made
    })
  }

  replaceTable(
    identifier: TableIdentifier,
    fields: readonly NewField[],
    properties: Readonly<Record<string, string>>,
  ): Promise<IcebergTable> {
    return this.#change(async () => {
      const old = this.#existing(identifier)
      await old.end('was replaced')
      let fresh: Awaited<ReturnType<typeof replaceTableInFolder>>
      try {
        fresh = await replaceTableInFolder(old, { fields, properties }, this.#parts.context)
      } catch (error) {
        old.resume()
        throw error
      }
      this.#tables.set(keyOf(identifier), fresh.table)
      await fresh.settle()
      return fresh.table
    })
  }

  dropTable(identifier: TableIdentifier): Promise<void> {
    return this.#change(async () => {
      const key = keyOf(identifier)
      const ending = this.#existing(identifier)
      await ending.end('was dropped')
      const { database, schema, table } = identifier
      const folder = path.join(this.folder, database, schema, table)
      let trash: string
      try {
        trash = await this.#moveToTrash(folder)
      } catch (error) {
        ending.resume()
        throw error
      }
      this.#tables.delete(key)
      await this.#settleDiscard(folder, trash)
    })
  }

  async query(sql: string, options: QueryOptions): Promise<QueryResult> {
    this.#checkOpen()
    return this.#parts.queries.query(this, sql, options)
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.#changes.idle()
    await Promise.all(
      [...this.#tables.values()].map((table) => table.end('is closed with its warehouse')),
    )
    this.#parts.queries.close()
    await this.#parts.context.engine.close()
    this.#parts.lock.release()
  }

  async #openTables(): Promise<void> {
    for (const database of this.databases()) {
      for (const schema of this.schemas(database)) {
        const folder = path.join(this.folder, database, schema)
        const entries = await fs.readdir(folder, { withFileTypes: true })
        for (const entry of entries) {
          if (!entry.isDirectory()) continue
          const identifier = { database, schema, table: entry.name }
          const location = path.join(folder, entry.name)
          const table = await openTableFolder(identifier, location, this.#parts.context)
          if (table !== undefined) this.#tables.set(keyOf(identifier), table)
        }
      }
    }
  }

  #tablesOf(database: string, schema: string): readonly LocalTable[] {
    return [...this.#tables.values()].filter(
      ({ identifier }) => identifier.database === database && identifier.schema === schema,
    )
  }

  #existing(identifier: TableIdentifier): LocalTable {
    const key = keyOf(identifier)
    const table = this.#tables.get(key)
    if (table !== undefined) return table
    throw new NotFoundError(`Expected a table of the warehouse, got ${key}, which is none.`)
  }

  async #endTables(which: (table: LocalTable) => boolean): Promise<void> {
    for (const [key, table] of this.#tables) {
      if (!which(table)) continue
      await table.end('was dropped')
      this.#tables.delete(key)
    }
  }

  async #change<T>(job: () => Promise<T>): Promise<T> {
    this.#checkOpen()
    return this.#changes.run(job)
  }

  #checkOpen(): void {
    if (this.#closed)
      throw new ConnectError(`Expected an open warehouse, got ${this.folder} closed.`)
  }

  #checkDatabase(name: string): void {
    if (this.databases().includes(name)) return
    throw new NotFoundError(`Expected a database of the warehouse, got ${name}, which is none.`)
  }

  #checkSchema(database: string, name: string): void {
    this.#checkDatabase(database)
    if (this.schemas(database).includes(name)) return
    throw new NotFoundError(`Expected a schema of ${database}, got ${name}, which is none.`)
  }

  #checkNew(kind: string, name: string, taken: readonly string[]): void {
    if (taken.includes(name)) {
      throw new AlreadyExistsError(`Expected a new ${kind}, got ${name}, which exists.`)
    }
    checkUnique(kind, name, taken)
  }

  /** What the catalog does not name is left from a drop or a creation that a crash cut short. */
  async #makeFolder(folder: string): Promise<void> {
    await this.#discard(folder)
    await fs.mkdir(folder)
    await sync(path.dirname(folder))
  }

  async #discard(folder: string): Promise<void> {
    await this.#settleDiscard(folder, await this.#moveToTrash(folder))
  }

  /** Takes a folder away in one step, so that a crash cannot leave half of it. Gives its new name. */
  async #moveToTrash(folder: string): Promise<string> {
    const trash = path.join(this.folder, TRASH, randomUuid(this.#parts.context.random))
    try {
      await fs.rename(folder, trash)
    } catch (error) {
      if (!isCode(error, 'ENOENT')) throw error
    }
    return trash
  }

  async #settleDiscard(folder: string, trash: string): Promise<void> {
    await sync(path.dirname(folder))
    await fs.rm(trash, { recursive: true, force: true })
  }
}

const keyOf = ({ database, schema, table }: TableIdentifier): string =>
  `${database}.${schema}.${table}`

const reserved = (kind: string, name: string): ConnectError =>
  new ConnectError(`Expected a ${kind} name that the query engine does not keep, got ${name}.`)
