// CURRENT_…: who and where the session is, and when the statement began.
import { unsupported } from '../../errors.ts'
import { sqlString } from '../tokens.ts'
import type { Session } from '../session.ts'
import { VERSION } from '../session-functions.ts'
import { cast } from './casts.ts'
import { DATE, LTZ, type SqlType, TEXT, TIME, type Typed } from './sql-types.ts'

interface Moment {
  readonly session: Session
  readonly nowMs: number
  readonly zone: string
}

const NAMES: Readonly<Record<string, (session: Session) => string | undefined>> = {
  CURRENT_VERSION: () => VERSION,
  CURRENT_ACCOUNT: () => 'EMBEDDED',
  CURRENT_ACCOUNT_NAME: () => 'EMBEDDED',
  CURRENT_ORGANIZATION_NAME: () => 'LOCAL',
  CURRENT_REGION: () => 'LOCAL',
  CURRENT_CLIENT: () => undefined,
  CURRENT_USER: ({ user }) => user,
  CURRENT_ROLE: ({ role }) => role,
  CURRENT_WAREHOUSE: ({ warehouse }) => warehouse,
  CURRENT_DATABASE: ({ database }) => database,
  CURRENT_SCHEMA: ({ schema }) => schema,
  CURRENT_SESSION: ({ id }) => String(id),
}

const TIMES: Readonly<Record<string, SqlType>> = {
  CURRENT_TIMESTAMP: LTZ,
  CURRENT_DATE: DATE,
  CURRENT_TIME: TIME,
  LOCALTIMESTAMP: LTZ,
  LOCALTIME: TIME,
}

/** True for the names that mean something of the session, with or without parentheses. */
export const isCurrent = (name: string): boolean =>
  Object.hasOwn(NAMES, name) || Object.hasOwn(TIMES, name)

export function sessionValue(name: string, { session, nowMs, zone }: Moment): Typed {
  const time = TIMES[name]
  if (time !== undefined)
    return cast(
      { sql: `CAST('${new Date(nowMs).toISOString()}' AS TIMESTAMPTZ)`, type: LTZ },
      time,
      { zone },
    )
  const read = NAMES[name]
  if (read === undefined) throw unsupported(name)
  const value = read(session)
  return { sql: value === undefined ? 'CAST(NULL AS VARCHAR)' : sqlString(value), type: TEXT }
}
