// The SQL engine of the local Snowflake over the fake warehouse.

import type { ResultSet } from '../../connector/local/snowflake/sql/result.ts'
import type { Bind, Session } from '../../connector/local/snowflake/sql/session.ts'
import { SqlObjects } from '../../connector/local/snowflake/sql/objects.ts'
import { SqlEngine } from '../../connector/local/snowflake/sql/sql-engine.ts'
import { ByteBudget } from '../../connector/local/snowflake/streaming/byte-budget.ts'
import { PROFILES } from '../../connector/local/snowflake/streaming/commit-loop.ts'
import { Ingests } from '../../connector/local/snowflake/streaming/ingests.ts'
import { FakeClock } from './fake-clock.ts'
import { FakeWarehouse } from './fake-warehouse.ts'
import { recordingLog } from './recording-log.ts'

export interface SqlStage {
  readonly warehouse: FakeWarehouse
  readonly ingests: Ingests
  readonly session: Session
  execute(
    sql: string,
    binds?: Readonly<Record<string, Bind>>,
    session?: Partial<Session>,
  ): Promise<ResultSet>
}

/** With database DB and schema S, which the session works in. */
export async function makeSql(): Promise<SqlStage> {
  const warehouse = new FakeWarehouse()
  await warehouse.createDatabase('DB')
  await warehouse.createSchema('DB', 'S')
  const clock = new FakeClock({ nowMs: 1_000_000 })
  const log = recordingLog()
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
  const engine = new SqlEngine(
    { warehouse, ingests, clock, objects: SqlObjects.inMemory() },
    { timeoutMs: 1_000, rowsMax: 100 },
  )
  const session: Session = {
    id: 1,
    user: 'ME',
    database: 'DB',
    schema: 'S',
    role: 'SYSADMIN',
    warehouse: undefined,
  }
  return {
    warehouse,
    ingests,
    session,
    execute: (sql, binds = {}, changes = {}) =>
      engine.execute({
        sql,
        binds,
        session: Object.assign(session, changes),
        signal: new AbortController().signal,
      }),
  }
}
