import { SqlError } from '../errors.ts'

/** What a login leaves behind: who, and where names without a database or schema are looked for. */
export interface Session {
  readonly id: number
  readonly user: string
  database: string | undefined
  schema: string | undefined
  role: string
  warehouse: string | undefined
  /** What ALTER SESSION SET changed, by the name in upper case. */
  parameters?: Map<string, string>
}

/** A value for `?` or `:1`, as drivers send it: always text, with its type beside it. */
export interface Bind {
  readonly type: string
  readonly value: unknown
}

/** One statement to run. */
export interface Statement {
  readonly sql: string
  readonly binds: Readonly<Record<string, Bind>>
  readonly session: Session
  readonly signal: AbortSignal
}

/** The bind of a key, or the error that Snowflake gives for a missing one. */
export function bindOf(binds: Readonly<Record<string, Bind>>, key: string): Bind {
  const bind = binds[key]
  if (bind !== undefined) return bind
  throw new SqlError('002049', '42601', `SQL compilation error:\nBind variable ${key} not set.`)
}
