// Snowflake's error tables: which rows of a channel were rejected, and why. The rows say their own offsets, since each
// carries RECORD_METADATA, so that what was rejected is known exactly and not only by the bounds of its request.
// https://docs.snowflake.com/en/user-guide/snowpipe-streaming/snowpipe-streaming-high-performance-error-handling
import { qualified } from './identifiers.ts'
import { METADATA_COLUMN } from './metadata.ts'
import { parseToken } from './offset-token.ts'
import type { SqlConnect, SqlRow } from './sql.ts'
import type { TableName } from './table-ddl.ts'

/** A row that Snowflake rejected. */
export interface RejectedRow {
  readonly offset: number
  /** Snowflake's words, which name the column where it knows it. */
  readonly message: string
}

export interface RejectedQuestion {
  readonly channel: string
  readonly topicId: string | undefined
  /** The first offset of interest. */
  readonly from: number
  /** So many of the first ones are known already. */
  readonly skip: number
}

/** Looks up a channel's rejected rows, oldest first. @throws SqlError when Snowflake refuses, RetriableError when it does not answer. */
export type FindRejected = (
  question: RejectedQuestion,
  signal: AbortSignal,
) => Promise<readonly RejectedRow[]>

/** More are not looked up at once. */
export const REJECTED_MAX = 10_000

/** The statement that lists what was rejected of a channel from an offset on. */
export function rejectedSql(
  { database, schema, table }: TableName,
  { channel, from, skip }: RejectedQuestion,
): string {
  const details = 'ERROR_METADATA:details'
  const upper = `SPLIT_PART(${details}:offset_token_upper_bound::STRING, ':', -1)`
  return `SELECT ERROR_METADATA:error_message::STRING AS MESSAGE, ${details}:offset_token_lower_bound::STRING AS LOWER_BOUND, ${details}:offset_token_upper_bound::STRING AS UPPER_BOUND, ERROR_DATA FROM ERROR_TABLE(${qualified(database, schema, table)}) WHERE ${details}:channel_name::STRING = ${literal(channel)} AND TRY_TO_NUMBER(${upper}) >= ${from} ORDER BY TRY_TO_NUMBER(${upper}), TIMESTAMP LIMIT ${REJECTED_MAX} OFFSET ${skip}`
}

const literal = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`

/** Asks the error table of one table. */
export function errorTable(name: TableName, connect: SqlConnect): FindRejected {
  return async (question, signal) => {
    const session = await connect(signal)
    try {
      const rows = await session.execute(rejectedSql(name, question), signal)
      const found = new Map<number, RejectedRow>()
      for (const row of rows) {
        const rejected = rejectedRow(row, question)
        if (rejected !== undefined) found.set(rejected.offset, rejected)
      }
      return [...found.values()].toSorted((a, b) => a.offset - b.offset)
    } finally {
      await session.close()
    }
  }
}

/** Undefined for one of another topic of that name, from before, and for one that does not tell its offset. */
function rejectedRow(row: SqlRow, { from, topicId }: RejectedQuestion): RejectedRow | undefined {
  const offset = offsetIn(row['ERROR_DATA']) ?? onlyOffset(row)
  const upper = parseToken(textOf(row['UPPER_BOUND']) ?? null)
  const isOther = upper?.topicId !== undefined && upper.topicId !== topicId
  if (offset === undefined || offset < from || isOther) return undefined
  return { offset, message: textOf(row['MESSAGE']) ?? 'no reason given' }
}

/** Rows begin with RECORD_METADATA, and that with the offset; of a payload that was cut or is no JSON the beginning is enough. */
const OFFSET = new RegExp(String.raw`"${METADATA_COLUMN}"\s*:\s*\{[^{}]*?"offset"\s*:\s*(\d{1,16})`)

function offsetIn(data: unknown): number | undefined {
  const text = typeof data === 'string' ? data : JSON.stringify(data ?? null)
  const digits = OFFSET.exec(text)?.[1]
  return digits === undefined ? undefined : Number(digits)
}

/** The request had this one row only. */
function onlyOffset(row: SqlRow): number | undefined {
  const lower = textOf(row['LOWER_BOUND'])
  if (lower === undefined || lower !== textOf(row['UPPER_BOUND'])) return undefined
  return parseToken(lower)?.offset
}

const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined
