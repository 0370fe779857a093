import type { Session } from './session.ts'
import { sqlString } from './tokens.ts'

/** What `CURRENT_VERSION()` answers, so that nobody takes this for the real one. */
export const VERSION = '9.99.0-embedded'

const text = (value: string | undefined): string =>
  value === undefined ? 'NULL::VARCHAR' : sqlString(value)

const FUNCTIONS: Readonly<Record<string, (session: Session) => string>> = {
  CURRENT_VERSION: () => text(VERSION),
  CURRENT_ACCOUNT: () => text('EMBEDDED'),
  CURRENT_ACCOUNT_NAME: () => text('EMBEDDED'),
  CURRENT_ORGANIZATION_NAME: () => text('LOCAL'),
  CURRENT_REGION: () => text('LOCAL'),
  CURRENT_CLIENT: () => text(undefined),
  CURRENT_USER: ({ user }) => text(user),
  CURRENT_ROLE: ({ role }) => text(role),
  CURRENT_WAREHOUSE: ({ warehouse }) => text(warehouse),
  CURRENT_DATABASE: ({ database }) => text(database),
  CURRENT_SCHEMA: ({ schema }) => text(schema),
  CURRENT_SESSION: ({ id }) => text(String(id)),
  CURRENT_TIMESTAMP: () => 'now()',
  CURRENT_DATE: () => 'current_date',
  SYSDATE: () => "(now() AT TIME ZONE 'UTC')",
}

/** A function of the session's state as an expression, or undefined when the name is none. */
export const sessionFunction = (name: string, session: Session): string | undefined =>
  FUNCTIONS[name]?.(session)
