// DuckDB as the writer of Parquet files: rows in, a file on disk and its metrics out.
import fs from 'node:fs/promises'
import path from 'node:path'
import { DuckDBInstance, type DuckDBMapValue, type DuckDBValue } from '@duckdb/node-api'
import { ConnectError, RetriableError } from '../../api/errors.ts'
import { boundFromText } from './bounds.ts'
import { fieldIds, identifier, literal, selectFromNdjson } from './duck-sql.ts'
import { removeQuietly, sync } from './durable-files.ts'
import type { MeasuredFile } from './manifests.ts'
import { type Leaf, leaves } from './schema.ts'
import { type IcebergStruct, type RowBatch, RowRejectedError } from './types.ts'

export interface ParquetEngineOptions {
  /** For NDJSON on its way in and for what DuckDB spills. Its content is nobody else's. */
  readonly temporaryFolder: string
  readonly threads: number
  readonly memoryMb: number
  readonly uuid: () => string
}

/** Writes Parquet files. One DuckDB instance, any number of calls at a time. */
export class ParquetEngine {
  readonly #options: ParquetEngineOptions
  #instance: Promise<DuckDBInstance> | undefined

  constructor(options: ParquetEngineOptions) {
    this.#options = options
  }

  /**
   * Writes a batch as one file, on the disk once this resolves.
   * @throws RowRejectedError when a value does not fit its column. No file is left then.
   */
  async writeRows(batch: RowBatch, schema: IcebergStruct, target: string): Promise<MeasuredFile> {
    const { temporaryFolder, uuid } = this.#options
    const ndjson = path.join(temporaryFolder, `${uuid()}.ndjson`)
    try {
      await writeChunks(ndjson, batch.ndjson)
      const file = await this.writeSelect(selectFromNdjson(schema, ndjson), schema, target)
      if (file.rows === batch.rows) return file
      await removeQuietly(target)
      throw new RowRejectedError(`Expected ${batch.rows} rows in a batch, got ${file.rows}.`)
    } finally {
      await removeQuietly(ndjson)
    }
  }

  /** Writes what a SELECT over the schema's columns gives as one file, on the disk once this resolves. */
  async writeSelect(select: string, schema: IcebergStruct, target: string): Promise<MeasuredFile> {
    try {
      const row = await this.#run(
        `COPY (${select}) TO ${literal(target)} (FORMAT parquet, COMPRESSION zstd, FIELD_IDS ${fieldIds(schema)}, RETURN_STATS)`,
      )
      await sync(target)
      return measured(target, row, schema)
    } catch (error) {
      await removeQuietly(target)
      throw error
    }
  }

  async close(): Promise<void> {
    const instance = await this.#instance
    this.#instance = undefined
    instance?.closeSync()
  }

  async #run(sql: string): Promise<readonly DuckDBValue[]> {
    this.#instance ??= this.#open()
    const instance = await this.#instance
    const connection = await instance.connect()
    try {
      const result = await connection.runAndReadAll(sql)
      return result.getRows()[0] ?? []
    } catch (error) {
      throw this.#classify(error)
    } finally {
      connection.closeSync()
    }
  }

  async #open(): Promise<DuckDBInstance> {
    const { threads, memoryMb, temporaryFolder } = this.#options
    const instance = await DuckDBInstance.create(':memory:', {
      threads: String(threads),
      memory_limit: `${memoryMb}MB`,
      temp_directory: path.join(temporaryFolder, 'spill'),
      autoinstall_known_extensions: 'false',
      autoload_known_extensions: 'false',
    })
    const connection = await instance.connect()
    await connection.run("SET GLOBAL TimeZone = 'UTC'")
    connection.closeSync()
    return instance
  }

  /** DuckDB's client reports the kind of an error only as the start of its text; this is the one place that reads it. */
  #classify(error: unknown): Error {
    const text = error instanceof Error ? error.message : String(error)
    if (/^(Conversion|Invalid Input|Out of Range|Constraint) Error/.test(text)) {
      return new RowRejectedError(text, { cause: error })
    }
    // After these DuckDB answers nothing any more until it is opened anew. It holds no data of ours.
    if (/^(FATAL|INTERNAL)/i.test(text)) this.#instance = undefined
    if (/^(IO|Out of Memory|FATAL) Error/i.test(text)) {
      return new RetriableError('The rows could not be written to a Parquet file.', {
        cause: error,
      })
    }
    return new ConnectError('DuckDB refused to write a Parquet file.', { cause: error })
  }
}

async function writeChunks(file: string, chunks: readonly Uint8Array[]): Promise<void> {
  const handle = await fs.open(file, 'wx').catch((error: unknown) => {
    throw new RetriableError(`The file ${file} could not be made.`, { cause: error })
  })
  try {
    // Unlike writev, writeFile goes on after a part was written: on a full disk a cut file would look like
    // rows that do not parse.
    for (const chunk of chunks) await handle.writeFile(chunk)
  } catch (error) {
    throw new RetriableError(`The rows could not be written to ${file}.`, { cause: error })
  } finally {
    await handle.close()
  }
}

/** From the one row that `RETURN_STATS` gives: file name, rows, bytes, footer bytes, statistics by column. */
function measured(
  target: string,
  row: readonly DuckDBValue[],
  schema: IcebergStruct,
): MeasuredFile {
  const [, rows, bytes, , statistics] = row
  const file = {
    path: target,
    rows: Number(rows),
    bytes: Number(bytes),
    columnSizes: new Map<number, number>(),
    valueCounts: new Map<number, number>(),
    nullValueCounts: new Map<number, number>(),
    nanValueCounts: new Map<number, number>(),
    lowerBounds: new Map<number, Uint8Array>(),
    upperBounds: new Map<number, Uint8Array>(),
  }
  const byColumn = asMap(statistics)
  for (const leaf of leaves(schema)) {
    const found = byColumn.get(leaf.path.map(identifier).join('.'))
    if (found !== undefined) addLeaf(file, leaf, asMap(found))
  }
  return file
}

type MutableMetrics = {
  readonly [K in keyof MeasuredFile]: MeasuredFile[K] extends ReadonlyMap<infer A, infer B>
    ? Map<A, B>
    : MeasuredFile[K]
}

function addLeaf(
  file: MutableMetrics,
  leaf: Leaf,
  statistics: ReadonlyMap<string, DuckDBValue>,
): void {
  const text = (name: string): string | undefined => {
    const value = statistics.get(name)
    return typeof value === 'string' ? value : undefined
  }
  const count = (into: Map<number, number>, name: string): void => {
    const value = text(name)
    if (value !== undefined) into.set(leaf.id, Number(value))
  }
  count(file.columnSizes, 'column_size_bytes')
  count(file.valueCounts, 'num_values')
  count(file.nullValueCounts, 'null_count')
  const nan = text('has_nan')
  if (nan === 'false') file.nanValueCounts.set(leaf.id, 0)
  // A NaN sorts nowhere, and DuckDB's minimum may not know of it.
  if (leaf.repeated || nan === 'true') return
  const min = text('min')
  const max = text('max')
  const lower = min === undefined ? undefined : boundFromText(leaf.type, min, 'lower')
  const upper = max === undefined ? undefined : boundFromText(leaf.type, max, 'upper')
  if (lower !== undefined) file.lowerBounds.set(leaf.id, lower)
  if (upper !== undefined) file.upperBounds.set(leaf.id, upper)
}

const asMap = (value: DuckDBValue | undefined): ReadonlyMap<string, DuckDBValue> =>
  new Map(
    ((value ?? { entries: [] }) as DuckDBMapValue).entries.map((entry) => [
      String(entry.key),
      entry.value,
    ]),
  )
