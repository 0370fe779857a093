// A warehouse in a folder of its own, for tests.
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import type { Clock } from '../../../../connector/api/clock.ts'
import type {
  IcebergTable,
  NewField,
  NewType,
  QueryResult,
  RowBatch,
  Warehouse,
  WarehouseOptions,
} from '../../../../connector/local/iceberg/types.ts'
import { openWarehouse } from '../../../../connector/local/iceberg/warehouse.ts'

export const IDENTIFIER = { database: 'MTA', schema: 'RAW', table: 'T' }

export const column = (name: string, type: NewType, required = false): NewField => ({
  name,
  type,
  required,
})

export const batch = (...rows: readonly object[]): RowBatch => ({
  ndjson: rows.map((row) => Buffer.from(`${JSON.stringify(row)}\n`)),
  rows: rows.length,
})

/** Real time, moved by `offsetMs`: files get theirs from the kernel. Sleeps end only with their signal. */
export class ShiftedClock implements Clock {
  offsetMs = 0
  now(): number {
    return Date.now() + this.offsetMs
  }
  sleep(_ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((_resolve, reject) => {
      signal?.addEventListener('abort', () => reject(signal.reason as Error))
    })
  }
}

const silent = (): void => {
  // Tests look at results, not at the log.
}

export const DEFAULTS: WarehouseOptions['maintenance'] = {
  compactFiles: 4,
  smallFileBytes: 1_000_000,
  keepSnapshots: 100,
  keepMs: 0,
  orphanMs: 0,
}

/** Opens and closes warehouses on one temporary folder. */
export class TemporaryWarehouse {
  readonly folder: string
  readonly clock = new ShiftedClock()
  #open: Warehouse[] = []

  private constructor(folder: string) {
    this.folder = folder
  }

  static async make(): Promise<TemporaryWarehouse> {
    return new TemporaryWarehouse(await mkdtemp(path.join(os.tmpdir(), 'iceberg-')))
  }

  async open(
    maintenance: Partial<WarehouseOptions['maintenance']> = {},
    more: Partial<WarehouseOptions> = {},
  ): Promise<Warehouse> {
    const warehouse = await openWarehouse({
      folder: this.folder,
      clock: this.clock,
      random: Math.random,
      log: { trace: silent, debug: silent, info: silent, warn: silent, error: silent },
      maintenance: { ...DEFAULTS, ...maintenance },
      ...more,
    })
    this.#open.push(warehouse)
    return warehouse
  }

  async openWithTable(
    fields: readonly NewField[],
    maintenance: Partial<WarehouseOptions['maintenance']> = {},
  ): Promise<{ warehouse: Warehouse; table: IcebergTable }> {
    const warehouse = await this.open(maintenance)
    await warehouse.createDatabase(IDENTIFIER.database)
    await warehouse.createSchema(IDENTIFIER.database, IDENTIFIER.schema)
    return { warehouse, table: await warehouse.createTable(IDENTIFIER, fields, {}) }
  }

  async remove(): Promise<void> {
    await Promise.all(this.#open.map((warehouse) => warehouse.close()))
    await rm(this.folder, { recursive: true, force: true })
  }
}

export const select = (warehouse: Warehouse, sql: string, rowsMax = 10_000): Promise<QueryResult> =>
  warehouse.query(sql, {
    signal: new AbortController().signal,
    timeoutMs: 10_000,
    rowsMax,
    namespace: { database: IDENTIFIER.database, schema: IDENTIFIER.schema },
  })
