// The engine that answers queries: a DuckDB instance of its own that can read files of the warehouse and do
// nothing else. One attached in-memory database per database, a view per table.
import path from 'node:path'
import {
  type DuckDBConnection,
  DuckDBInstance,
  type DuckDBResult,
  StatementType,
} from '@duckdb/node-api'
import type { Clock } from '../../api/clock.ts'
import { ConnectError, RetriableError } from '../../api/errors.ts'
import { identifier, literal } from './duck-sql.ts'
import { Serial } from './serial.ts'
import type { IcebergTable, QueryOptions, QueryResult } from './types.ts'

const INTERRUPT_AGAIN_MS = 100
const QUERIES_MAX = 64

/** What the engine shows: the warehouse's own lists. */
export interface QueryCatalog {
  databases(): readonly string[]
  schemas(database: string): readonly string[]
  tables(database: string, schema: string): readonly IcebergTable[]
}

export interface QueryEngineOptions {
  readonly folder: string
  readonly temporaryFolder: string
  readonly threads: number
  readonly memoryMb: number
  /** Run once before the engine is locked: macros in `memory.main`, say. */
  readonly initSql: readonly string[]
  readonly clock: Clock
}

/** The query ran longer than it was given, and was stopped. */
export class QueryTimeoutError extends ConnectError {}

/** Answers SELECT statements over the current versions of all tables. */
export class QueryEngine {
  readonly #options: QueryEngineOptions
  readonly #instance: DuckDBInstance
  readonly #admin: DuckDBConnection
  readonly #refreshes = new Serial(QUERIES_MAX)
  /** Made schemas as `"DB"."SCHEMA"`, and the versions of tables that views were made for. */
  readonly #databases = new Set<string>()
  readonly #schemas = new Set<string>()
  readonly #views = new Map<string, string>()
  #running = 0

  private constructor(
    options: QueryEngineOptions,
    duck: { readonly instance: DuckDBInstance; readonly admin: DuckDBConnection },
  ) {
    this.#options = options
    this.#instance = duck.instance
    this.#admin = duck.admin
  }

  static async open(options: QueryEngineOptions): Promise<QueryEngine> {
    const instance = await DuckDBInstance.create(':memory:', {
      threads: String(options.threads),
      memory_limit: `${options.memoryMb}MB`,
      temp_directory: path.join(options.temporaryFolder, 'spill-read'),
      autoinstall_known_extensions: 'false',
      autoload_known_extensions: 'false',
    })
    const admin = await instance.connect()
    for (const sql of [
      ...options.initSql,
      "SET GLOBAL TimeZone = 'UTC'",
      `SET GLOBAL allowed_directories = [${literal(options.folder)}]`,
      'SET GLOBAL enable_external_access = false',
      'SET GLOBAL lock_configuration = true',
    ]) {
      await admin.run(sql)
    }
    return new QueryEngine(options, { instance, admin })
  }

  /** Runs one SELECT over the catalog as it is now. Throws when it is another statement, takes too long, or has more rows than asked for. */
  async query(catalog: QueryCatalog, sql: string, options: QueryOptions): Promise<QueryResult> {
    if (this.#running >= QUERIES_MAX) {
      throw new RetriableError(`Expected at most ${QUERIES_MAX} queries at a time, got one more.`)
    }
    this.#running++
    try {
      await this.#refreshes.run(() => this.#refresh(catalog))
      options.signal.throwIfAborted()
      const connection = await this.#instance.connect()
      try {
        return await this.#guarded(connection, sql, options)
      } finally {
        connection.closeSync()
      }
    } finally {
      this.#running--
    }
  }

  close(): void {
    this.#admin.closeSync()
    this.#instance.closeSync()
  }

  async #guarded(
    connection: DuckDBConnection,
    sql: string,
    options: QueryOptions,
  ): Promise<QueryResult> {
    const done = new AbortController()
    let timedOut = false
    const interrupt = async (): Promise<void> => {
      // An interrupt between two steps of a query is lost, so it is repeated until the query has ended.
      while (!done.signal.aborted) {
        connection.interrupt()
        await this.#options.clock.sleep(INTERRUPT_AGAIN_MS, done.signal)
      }
    }
    const onAbort = (): void => void interrupt().catch(ignore)
    options.signal.addEventListener('abort', onAbort)
    const timer = this.#options.clock.sleep(options.timeoutMs, done.signal).then(() => {
      timedOut = true
      return interrupt()
    })
    timer.catch(ignore)
    try {
      return await run(connection, sql, options, () => timedOut || options.signal.aborted)
    } catch (error) {
      options.signal.throwIfAborted()
      if (timedOut) {
        throw new QueryTimeoutError(
          `Expected the query to end within ${options.timeoutMs} ms, but it ran on and was stopped.`,
          { cause: error },
        )
      }
      throw error
    } finally {
      done.abort()
      options.signal.removeEventListener('abort', onAbort)
    }
  }

  /** Makes DuckDB's catalog what the warehouse is now. */
  async #refresh(catalog: QueryCatalog): Promise<void> {
    const databases = new Set(catalog.databases())
    for (const name of this.#databases) {
      if (databases.has(name)) continue
      await this.#admin.run(`DETACH ${identifier(name)}`)
      this.#databases.delete(name)
      this.#forget(`${identifier(name)}.`)
    }
    for (const name of databases) {
      if (!this.#databases.has(name)) {
        await this.#admin.run(`ATTACH ':memory:' AS ${identifier(name)}`)
        this.#databases.add(name)
      }
      await this.#refreshDatabase(catalog, name)
    }
  }

  async #refreshDatabase(catalog: QueryCatalog, database: string): Promise<void> {
    const prefix = `${identifier(database)}.`
    const names = catalog.schemas(database)
    const wanted = new Set(names.map((name) => `${prefix}${identifier(name)}`))
    for (const schema of [...this.#schemas].filter((name) => name.startsWith(prefix))) {
      if (wanted.has(schema)) continue
      await this.#admin.run(`DROP SCHEMA IF EXISTS ${schema} CASCADE`)
      this.#schemas.delete(schema)
      this.#forget(`${schema}.`)
    }
    for (const name of names) {
      const schema = `${prefix}${identifier(name)}`
      if (!this.#schemas.has(schema)) {
        await this.#admin.run(`CREATE SCHEMA IF NOT EXISTS ${schema}`)
        this.#schemas.add(schema)
      }
      await this.#refreshViews(`${schema}.`, catalog.tables(database, name))
    }
  }

  async #refreshViews(prefix: string, tables: readonly IcebergTable[]): Promise<void> {
    const wanted = new Map(
      tables.map((table) => [`${prefix}${identifier(table.identifier.table)}`, table]),
    )
    for (const view of [...this.#views.keys()].filter((name) => name.startsWith(prefix))) {
      if (wanted.has(view)) continue
      await this.#admin.run(`DROP VIEW IF EXISTS ${view}`)
      this.#views.delete(view)
    }
    for (const [view, table] of wanted) {
      const version = `${table.uuid}:${table.version}`
      if (this.#views.get(view) === version) continue
      await this.#admin.run(`CREATE OR REPLACE VIEW ${view} AS ${await table.scanSql()}`)
      this.#views.set(view, version)
    }
  }

  #forget(prefix: string): void {
    for (const name of this.#schemas) if (name.startsWith(prefix)) this.#schemas.delete(name)
    for (const name of this.#views.keys()) {
      if (name.startsWith(prefix)) this.#views.delete(name)
    }
  }
}

const ignore = (): void => {
  // A sleep was cut short because its query has ended.
}

async function run(
  connection: DuckDBConnection,
  sql: string,
  options: QueryOptions,
  stopped: () => boolean,
): Promise<QueryResult> {
  if (options.namespace !== undefined) {
    const { database, schema } = options.namespace
    const names = `${identifier(database)}.${identifier(schema)},memory.main`
    await connection.run(`SET search_path = ${literal(names)}`)
  }
  const statements = await connection.extractStatements(sql)
  if (statements.count !== 1) {
    throw new ConnectError(`Expected one statement, got ${statements.count}.`)
  }
  const prepared = await statements.prepare(0)
  // DuckDB would let COPY write inside the warehouse, whatever else the sandbox forbids.
  if (prepared.statementType !== StatementType.SELECT) {
    throw new ConnectError(
      `Expected a SELECT statement, got ${StatementType[prepared.statementType]}.`,
    )
  }
  const result = await prepared.stream()
  const rows = await fetchRows(result, options.rowsMax, stopped)
  const names = result.columnNames()
  const types = result.columnTypes()
  return { columns: names.map((name, i) => ({ name, type: String(types[i]) })), rows }
}

async function fetchRows(
  result: DuckDBResult,
  rowsMax: number,
  stopped: () => boolean,
): Promise<readonly (readonly unknown[])[]> {
  const rows: (readonly unknown[])[] = []
  for (;;) {
    const chunk = await result.fetchChunk()
    // A query that was interrupted between two chunks looks as if it had ended.
    if (stopped()) throw new ConnectError('The query was stopped.')
    if (chunk === null || chunk.rowCount === 0) return rows
    if (rows.length + chunk.rowCount > rowsMax) {
      throw new ConnectError(
        `Expected at most ${rowsMax} rows from a query, got more. Add a LIMIT.`,
      )
    }
    for (const row of chunk.getRows()) rows.push(row)
  }
}
