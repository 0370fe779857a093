import type { Random } from '../../../api/clock.ts'
import type { IcebergTable, TableIdentifier, Warehouse } from '../../iceberg/types.ts'
import { ApiError } from '../errors.ts'
import { defaultPipeOf, qualifiedName, tableOfDefaultPipe } from '../identifiers.ts'
import { CommitLoop, type CommitTiming } from './commit-loop.ts'
import { PipeChannels } from './pipe-channels.ts'
import { type IngestContext, TableIngest } from './table-ingest.ts'

/** A pipe with the table that it fills. */
export interface Pipe {
  readonly ingest: TableIngest
  readonly channels: PipeChannels
}

export interface PipeIdentifier {
  readonly database: string
  readonly schema: string
  readonly pipe: string
}

interface Running {
  readonly ingest: TableIngest
  readonly loop: CommitLoop
}

/** Where a table keeps its pipes made by CREATE PIPE: `snowpipe.pipe.<NAME>` = its definition. */
export const PIPE_PROPERTY = 'snowpipe.pipe.'

/** The ingest of every table that anybody streams into, made on demand. */
export class Ingests {
  readonly #context: IngestContext
  readonly #options: { readonly random: Random; readonly timing: CommitTiming }
  readonly #running = new Map<string, Running>()

  constructor(context: IngestContext, options: { random: Random; timing: CommitTiming }) {
    this.#context = context
    this.#options = options
  }

  /** A pipe by its name; a default pipe needs only its table. @throws ApiError 404 as Snowflake words it. */
  pipe(identifier: PipeIdentifier): Pipe {
    const { database, schema, pipe } = identifier
    this.#checkSchema(database, schema)
    const ofDefault = tableOfDefaultPipe(pipe)
    const table =
      (ofDefault === undefined
        ? undefined
        : this.#context.warehouse.table({ database, schema, table: ofDefault })) ??
      this.#tableOfNamedPipe(identifier)
    if (table === undefined)
      throw new ApiError(
        404,
        'ERR_PIPE_DOES_NOT_EXIST_OR_NOT_AUTHORIZED',
        `Pipe ${qualifiedName(database, schema, pipe)} does not exist or is not authorized.`,
      )
    return this.#pipeOf(table, pipe)
  }

  #tableOfNamedPipe({ database, schema, pipe }: PipeIdentifier): IcebergTable | undefined {
    const tables: Warehouse['tables'] = (...names) => this.#context.warehouse.tables(...names)
    return tables(database, schema).find(
      ({ properties }) => properties[PIPE_PROPERTY + pipe] !== undefined,
    )
  }

  #checkSchema(database: string, schema: string): void {
    const { warehouse } = this.#context
    if (!warehouse.databases().includes(database))
      throw new ApiError(
        404,
        'ERR_DATABASE_DOES_NOT_EXIST_OR_NOT_AUTHORIZED',
        `Database ${qualifiedName(database)} does not exist or is not authorized.`,
      )
    if (!warehouse.schemas(database).includes(schema))
      throw new ApiError(
        404,
        'ERR_SCHEMA_DOES_NOT_EXIST_OR_NOT_AUTHORIZED',
        `Schema ${qualifiedName(database, schema)} does not exist or is not authorized.`,
      )
  }

  /** A table's default pipe. @throws ApiError 404. */
  tablePipe(identifier: TableIdentifier): Pipe {
    this.#checkSchema(identifier.database, identifier.schema)
    const table = this.#context.warehouse.table(identifier)
    if (table === undefined)
      throw new ApiError(
        404,
        'ERR_TABLE_DOES_NOT_EXIST_NOT_AUTHORIZED',
        `Table ${qualifiedName(identifier.table)} does not exist or is not authorized.`,
      )
    return this.#pipeOf(table, defaultPipeOf(identifier.table))
  }

  #pipeOf(table: IcebergTable, pipe: string): Pipe {
    const ingest = this.of(table)
    const channels = ingest.pipe(
      pipe,
      () =>
        new PipeChannels(pipe, pipe === defaultPipeOf(table.identifier.table), table.properties),
    )
    return { ingest, channels }
  }

  /** The one ingest of a table in this process. */
  of(table: IcebergTable): TableIngest {
    const known = this.#running.get(table.uuid)
    if (known !== undefined) return known.ingest
    const ingest = new TableIngest(table, this.#context)
    this.#running.set(table.uuid, { ingest, loop: this.#loop(ingest) })
    return ingest
  }

  #loop(ingest: TableIngest): CommitLoop {
    const { clock, log } = this.#context
    return new CommitLoop(ingest, { clock, log, ...this.#options })
  }

  /** Runs a change of the table after its rows are flushed and before any new one is written. */
  exclusive<T>(table: IcebergTable, work: () => Promise<T>): Promise<T> {
    return this.of(table).exclusive(work)
  }

  /**
   * Throws away what waits for a table, then runs `work`, which drops it. When that fails the table goes on
   * with its channels, which must be opened again.
   */
  async drop(table: IcebergTable, work: () => Promise<void>): Promise<void> {
    const ingest = this.of(table)
    this.#running.get(table.uuid)?.loop.abandon()
    try {
      await ingest.dropTable(work)
      this.#running.delete(table.uuid)
    } catch (error) {
      this.#running.set(table.uuid, { ingest, loop: this.#loop(ingest) })
      throw error
    }
  }

  /** The pipes of a table that were streamed into or created, the default one first. */
  pipesOf(table: IcebergTable): readonly PipeChannels[] {
    const names = [
      defaultPipeOf(table.identifier.table),
      ...Object.keys(table.properties)
        .filter((key) => key.startsWith(PIPE_PROPERTY))
        .map((key) => key.slice(PIPE_PROPERTY.length)),
    ]
    return names.map((name) => this.#pipeOf(table, name).channels)
  }

  /** Commits what waits everywhere. */
  async close(): Promise<void> {
    const all = [...this.#running.values()]
    this.#running.clear()
    const results = await Promise.allSettled(all.map(({ loop }) => loop.close()))
    const failed = results.find((result) => result.status === 'rejected')
    if (failed !== undefined) throw failed.reason
  }
}
