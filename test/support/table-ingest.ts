// A TableIngest over the fake warehouse, whose commits a test drives by hand.
import type { NewField } from '../../connector/local/iceberg/types.ts'
import { defaultPipeOf } from '../../connector/local/snowflake/identifiers.ts'
import { ApiError } from '../../connector/local/snowflake/errors.ts'
import { ByteBudget } from '../../connector/local/snowflake/streaming/byte-budget.ts'
import type { Channel } from '../../connector/local/snowflake/streaming/channel.ts'
import type { ErrorEntry } from '../../connector/local/snowflake/streaming/error-log.ts'
import { PipeChannels } from '../../connector/local/snowflake/streaming/pipe-channels.ts'
import {
  type IngestContext,
  TableIngest,
} from '../../connector/local/snowflake/streaming/table-ingest.ts'
import { FakeClock } from './fake-clock.ts'
import { type FakeTable, FakeWarehouse } from './fake-warehouse.ts'
import { recordingLog } from './recording-log.ts'

export const TABLE = { database: 'DB', schema: 'S', table: 'T' }
export const FIELDS: readonly NewField[] = [
  { name: 'C', required: true, type: 'string' },
  { name: 'N', required: false, type: 'long' },
]

export interface IngestStage {
  readonly warehouse: FakeWarehouse
  readonly table: FakeTable
  readonly clock: FakeClock
  readonly budget: ByteBudget
  readonly errors: ErrorEntry[]
  ingest: TableIngest
  pipe: PipeChannels
  /** What a kill -9 and a new start do: everything in memory is gone. */
  restart(): void
}

export async function makeIngest(options: Partial<IngestContext> = {}): Promise<IngestStage> {
  const warehouse = new FakeWarehouse()
  await warehouse.createDatabase(TABLE.database)
  await warehouse.createSchema(TABLE.database, TABLE.schema)
  const table = await warehouse.createTable(TABLE, FIELDS, {})
  const clock = new FakeClock({ nowMs: 1_000_000 })
  const errors: ErrorEntry[] = []
  const budget = new ByteBudget(1_000_000)
  const start = (): { ingest: TableIngest; pipe: PipeChannels } => {
    const ingest = new TableIngest(table, {
      warehouse,
      clock,
      log: recordingLog(),
      limits: undefined,
      budget,
      tableBudget: () => new ByteBudget(1_000_000),
      beforeCommit: () => Promise.resolve(),
      errorLog: {
        append: (_table, entries) => {
          errors.push(...entries)
          return Promise.resolve()
        },
      },
      ...options,
    })
    const name = defaultPipeOf(TABLE.table)
    const pipe = ingest.pipe(name, () => new PipeChannels(name, true, table.properties))
    return { ingest, pipe }
  }
  const stage: IngestStage = {
    warehouse,
    table,
    clock,
    errors,
    budget,
    ...start(),
    restart: () => Object.assign(stage, start()),
  }
  return stage
}

/** Rows `{"C":channel,"N":n}` for n in [from, to]. */
export const rowsOf = (channel: string, from: number, to: number): Uint8Array =>
  Buffer.from(
    Array.from(
      { length: to - from + 1 },
      (_, index) => `${JSON.stringify({ C: channel, N: from + index })}\n`,
    ).join(''),
  )

/** Opens the channel, `c` unless named, over rows that wait unless told. */
export const open = (
  stage: IngestStage,
  name = 'c',
  options: { offsetToken?: string; failOnUncommittedRows?: boolean } = {},
): Promise<Channel> =>
  stage.ingest.open(stage.pipe, name, {
    offsetToken: options.offsetToken,
    failOnUncommittedRows: options.failOnUncommittedRows ?? false,
  })

/** Appends ten rows that end at token 9, unless told otherwise. */
export const append = (
  stage: IngestStage,
  options: { token: string; name?: string; bytes?: Uint8Array; end?: string | null },
): string =>
  stage.ingest.append(stage.pipe, options.name ?? 'c', {
    continuationToken: options.token,
    startToken: null,
    endToken: options.end === undefined ? '9' : options.end,
    bytes: options.bytes ?? rowsOf(options.name ?? 'c', 0, 9),
  })

/** `<status> <code>` of what the call is refused with, or `none`. */
export const codeOf = (call: () => unknown): string => {
  try {
    call()
    return 'none'
  } catch (error) {
    if (error instanceof ApiError) return `${error.status} ${error.code}`
    throw error
  }
}
