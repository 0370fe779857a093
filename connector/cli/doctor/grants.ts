// What a role may do, from SHOW GRANTS, with what it has by the roles that were granted to it.
import { quoted } from '../../snowflake/identifiers.ts'
import type { SqlSession } from '../../snowflake/sql.ts'
import { bounded } from './finding.ts'

/** Roles that are followed; a hierarchy that is larger is asked for no further. */
const ROLES_MAX = 50
const ALL_POWERFUL = new Set(['ACCOUNTADMIN'])

export interface Grants {
  /** Whether the role has one of the privileges on the object, named `DB`, `DB.SCHEMA` or `DB.SCHEMA.TABLE`. */
  has(object: string, privileges: readonly string[]): boolean
}

const nameOf = (value: unknown): string => String(value).replaceAll('"', '')

/** @throws SqlError, ConnectError when it cannot be asked. */
export async function readGrants(
  session: SqlSession,
  role: string,
  timeoutMs: number,
): Promise<Grants> {
  const found = new Set<string>()
  // Every role has what PUBLIC has.
  const roles = [role, 'PUBLIC']
  for (const one of roles) {
    const rows = await bounded(timeoutMs, (signal) =>
      session.execute(`SHOW GRANTS TO ROLE ${quoted(one)}`, signal),
    )
    for (const row of rows) {
      const [privilege, on] = [String(row['privilege']), String(row['granted_on'])]
      const name = nameOf(row['name'])
      if (
        on === 'ROLE' &&
        privilege === 'USAGE' &&
        !roles.includes(name) &&
        roles.length < ROLES_MAX
      )
        roles.push(name)
      else for (const single of privilege.split(/, */)) found.add(`${single} ${name}`)
    }
  }
  const isAll = roles.some((name) => ALL_POWERFUL.has(name))
  return {
    has: (object, privileges) =>
      isAll ||
      [...privileges, 'OWNERSHIP', 'ALL PRIVILEGES', 'ALL'].some((privilege) =>
        found.has(`${privilege} ${object.replaceAll('"', '')}`),
      ),
  }
}
