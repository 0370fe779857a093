// The SQL engine of the local Snowflake over a real warehouse with one table of every kind of column.
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import type { IcebergTable, NewField, Warehouse } from '../../connector/local/iceberg/types.ts'
import { openWarehouse } from '../../connector/local/iceberg/warehouse.ts'
import { SqlObjects } from '../../connector/local/snowflake/sql/objects.ts'
import type { ResultSet } from '../../connector/local/snowflake/sql/result.ts'
import type { Bind, Session } from '../../connector/local/snowflake/sql/session.ts'
import { SqlEngine } from '../../connector/local/snowflake/sql/sql-engine.ts'
import { ByteBudget } from '../../connector/local/snowflake/streaming/byte-budget.ts'
import { PROFILES } from '../../connector/local/snowflake/streaming/commit-loop.ts'
import { Ingests } from '../../connector/local/snowflake/streaming/ingests.ts'
import { FakeClock } from './fake-clock.ts'
import { recordingLog } from './recording-log.ts'

const field = (name: string, type: NewField['type']): NewField => ({ name, type, required: false })

export const QUERY_FIELDS: readonly NewField[] = [
  field('ID', 'long'),
  field('ROUTE', 'string'),
  field('AMT', 'decimal(10,2)'),
  field('F', 'double'),
  field('TS', 'timestamp'),
  field('TZ', 'timestamptz'),
  field('O', { type: 'struct', fields: [field('a', 'int'), field('s', 'string')] }),
  field('L', { type: 'list', element: 'int', elementRequired: false }),
  field('J', 'string'),
]

export const QUERY_ROWS: readonly Readonly<Record<string, unknown>>[] = [
  {
    ID: 1,
    ROUTE: 'A',
    AMT: '1.50',
    F: 0.5,
    TS: '2024-01-31T10:20:30.123456',
    TZ: '2024-01-31T10:20:30Z',
    O: { a: 1, s: 'x' },
    L: [1, 2],
    J: '{"k":[1,{"z":"q"}],"n":null}',
  },
  {
    ID: 2,
    ROUTE: 'A',
    AMT: '2.25',
    F: 1e10,
    TS: '2024-02-01T00:00:00',
    O: { a: 2 },
    L: [],
    J: '{}',
  },
  { ID: 3 },
]

/** When statements run: 2026-03-04 05:06:07.89 UTC. */
export const QUERY_NOW_MS = Date.parse('2026-03-04T05:06:07.890Z')

export interface QueryStage {
  readonly folder: string
  readonly warehouse: Warehouse
  readonly table: IcebergTable
  readonly session: Session
  readonly clock: FakeClock
  execute(sql: string, binds?: Readonly<Record<string, Bind>>): Promise<ResultSet>
  /** Rows as one text: cells by `|`, rows by ` ; `, NULL as nothing. */
  answer(sql: string, binds?: Readonly<Record<string, Bind>>): Promise<string>
  close(): Promise<void>
}

/** With table T of three rows in DB.S, which the session works in. */
export async function openQueryStage(): Promise<QueryStage> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'snowflake-query-'))
  const clock = new FakeClock({ nowMs: QUERY_NOW_MS })
  const log = recordingLog()
  const warehouse = await openWarehouse({
    folder: path.join(folder, 'warehouse'),
    clock,
    random: Math.random,
    log,
    maintenance: {
      compactFiles: 16,
      smallFileBytes: 1_000,
      keepSnapshots: 100,
      keepMs: 1e9,
      orphanMs: 1e9,
    },
  })
  await warehouse.createDatabase('DB')
  await warehouse.createSchema('DB', 'S')
  const table = await warehouse.createTable(
    { database: 'DB', schema: 'S', table: 'T' },
    QUERY_FIELDS,
    {},
  )
  const ndjson = QUERY_ROWS.map((row) => `${JSON.stringify(row)}\n`).join('')
  await table.commit({ batch: { rows: QUERY_ROWS.length, ndjson: [Buffer.from(ndjson)] } })
  const ingests = new Ingests(
    {
      warehouse,
      clock,
      log,
      limits: undefined,
      budget: new ByteBudget(1_000_000),
      tableBudget: () => new ByteBudget(1_000_000),
      beforeCommit: () => Promise.resolve(),
      errorLog: { append: () => Promise.resolve() },
    },
    { random: () => 0.5, timing: PROFILES.fast },
  )
  const objects = await SqlObjects.open(
    path.join(folder, 'warehouse', '.snowflake', 'objects.json'),
  )
  const engine = new SqlEngine(
    { warehouse, ingests, clock, objects },
    { timeoutMs: 30_000, rowsMax: 1_000 },
  )
  const session: Session = {
    id: 1,
    user: 'ME',
    database: 'DB',
    schema: 'S',
    role: 'SYSADMIN',
    warehouse: undefined,
  }
  const execute = (sql: string, binds: Readonly<Record<string, Bind>> = {}): Promise<ResultSet> =>
    engine.execute({ sql, binds, session, signal: new AbortController().signal })
  return {
    folder,
    warehouse,
    table,
    session,
    clock,
    execute,
    answer: async (sql, binds) => {
      const { rows } = await execute(sql, binds)
      return rows.map((row) => row.map((cell) => cell ?? '').join('|')).join(' ; ')
    },
    async close() {
      await ingests.close()
      await warehouse.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
