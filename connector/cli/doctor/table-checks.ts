// Whether database, schema and tables are there and of the right kind, and whether rows could be streamed into them.
import { randomUUID } from 'node:crypto'
import type { SnowpipeClient } from '../../snowflake/client.ts'
import type { SinkConfig } from '../../snowflake/config.ts'
import { isMissingObject } from '../../snowflake/errors.ts'
import { defaultPipe, qualified, quoted } from '../../snowflake/identifiers.ts'
import { isNotFound, type SqlRow, type SqlSession } from '../../snowflake/sql.ts'
import { bounded, type Finding, type Tell, wordsOf } from './finding.ts'
import { type Grants, readGrants } from './grants.ts'

export interface TableContext {
  readonly config: SinkConfig
  readonly session: SqlSession
  readonly client: SnowpipeClient
  readonly role: string
  readonly connector: string
  readonly topics: readonly string[]
  readonly timeoutMs: number
}

/** All of database, schema, grants, and each topic's table and pipe. */
export async function checkTables(context: TableContext, tell: Tell): Promise<void> {
  const { database, schema } = context.config
  const steps = [
    { check: 'database', name: qualified(database), kind: 'DATABASE' },
    { check: 'schema', name: qualified(database, schema), kind: 'SCHEMA' },
  ]
  for (const { check, name, kind } of steps) {
    const finding = await checkContainer(context, check, name, kind)
    tell(finding)
    if (finding.state === 'ok') continue
    for (const rest of ['grants', ...context.topics.map((topic) => `table of ${topic}`)])
      tell({ check: rest, state: 'skipped', says: `${name} is not there.` })
    return
  }
  const grants = await grantsOf(context, tell)
  for (const topic of context.topics) await checkTable(context, topic, grants, tell)
}

async function checkContainer(
  { config, session, role, timeoutMs }: TableContext,
  check: string,
  name: string,
  kind: string,
): Promise<Finding> {
  try {
    await bounded(timeoutMs, (signal) => session.execute(`USE ${kind} ${name}`, signal))
    return { check, state: 'ok', says: `${name} is there.` }
  } catch (error) {
    if (!isNotFound(error)) return { check, state: 'wrong', says: wordsOf(error) }
    const mayMake = config.values['snowflake.autocreate.table.type'] !== 'none'
    return {
      check,
      state: mayMake ? 'warning' : 'wrong',
      says: `${name} does not exist, or the role may not use it.${mayMake ? ' The connector will try to make it.' : ''}`,
      mend: `CREATE ${kind} IF NOT EXISTS ${name};\n${usage(kind, name, role)}`,
    }
  }
}

const usage = (kind: string, name: string, role: string): string =>
  `GRANT USAGE ON ${kind} ${name} TO ROLE ${quoted(role)};`

async function grantsOf(context: TableContext, tell: Tell): Promise<Grants | undefined> {
  const { config, session, role, timeoutMs } = context
  const { database, schema } = config
  const check = 'grants'
  let grants: Grants
  try {
    grants = await readGrants(session, role, timeoutMs)
  } catch (error) {
    tell({ check, state: 'warning', says: `Cannot be read: ${wordsOf(error)}` })
    return undefined
  }
  const isIceberg = config.values['snowflake.autocreate.table.type'] === 'iceberg'
  const create = isIceberg ? 'CREATE ICEBERG TABLE' : 'CREATE TABLE'
  const missing: string[] = []
  if (!grants.has(database, ['USAGE'])) missing.push(usage('DATABASE', qualified(database), role))
  if (!grants.has(`${database}.${schema}`, ['USAGE']))
    missing.push(usage('SCHEMA', qualified(database, schema), role))
  if (
    config.values['snowflake.autocreate.table.type'] !== 'none' &&
    !grants.has(`${database}.${schema}`, [create])
  )
    missing.push(
      `GRANT ${create} ON SCHEMA ${qualified(database, schema)} TO ROLE ${quoted(role)};`,
    )
  tell(grantFinding(context, check, missing))
  return grants
}

/** The local endpoint lets every role do everything, so there it is only worth knowing. */
function grantFinding(
  { config, role }: TableContext,
  check: string,
  missing: readonly string[],
): Finding {
  if (missing.length === 0) return { check, state: 'ok', says: `Role ${role} has what it needs.` }
  const isLocal = /^http:|\/\/(localhost|127\.0\.0\.1|\[::1\])[:/]?/.test(config.accountUrl)
  return {
    check,
    state: isLocal ? 'warning' : 'wrong',
    says: `Role ${role} lacks ${missing.length} ${missing.length === 1 ? 'privilege' : 'privileges'}${isLocal ? ', which the local endpoint does not enforce' : ''}.`,
    mend: missing.join('\n'),
  }
}

async function checkTable(
  context: TableContext,
  topic: string,
  grants: Grants | undefined,
  tell: Tell,
): Promise<void> {
  const { config } = context
  const { database, schema } = config
  const table = config.tableOf(topic)
  const name = qualified(database, schema, table)
  const check = `table of ${topic}`
  try {
    const row = await find(context, 'TABLES', table)
    if (row === undefined) {
      const view = await find(context, 'VIEWS', table)
      tell(view === undefined ? missingTable(config, check, name) : isAView(check, name))
      return
    }
    const kind = kindFinding(config, check, name, row)
    tell(kind)
    if (kind.state === 'wrong') return
    tell(await errorLogging(context, topic, name, row))
    if (grants !== undefined) tell(tableGrants(context, topic, table, grants))
    tell(await checkPipe(context, topic, table))
  } catch (error) {
    tell({ check, state: 'wrong', says: wordsOf(error) })
  }
}

/** `_` and `%` are wildcards in LIKE, so the name is compared as well. */
async function find(
  { config: { database, schema }, session, timeoutMs }: TableContext,
  what: 'TABLES' | 'VIEWS',
  table: string,
): Promise<SqlRow | undefined> {
  const pattern = table.replaceAll('\\', '\\\\').replaceAll("'", "''")
  const sql = `SHOW ${what} LIKE '${pattern}' IN SCHEMA ${qualified(database, schema)}`
  const rows = await bounded(timeoutMs, (signal) => session.execute(sql, signal))
  return rows.find((row) => row['name'] === table)
}

const isAView = (check: string, name: string): Finding => ({
  check,
  state: 'wrong',
  says: `${name} is a view; rows can be streamed into tables only.`,
  mend: `DROP VIEW ${name};\nor another table in snowflake.topic2table.map`,
})

function missingTable(config: SinkConfig, check: string, name: string): Finding {
  if (config.values['snowflake.autocreate.table.type'] !== 'none')
    return { check, state: 'ok', says: `${name} does not exist yet; the first record makes it.` }
  return {
    check,
    state: 'wrong',
    says: `${name} does not exist, and snowflake.autocreate.table.type is none.`,
    mend: 'snowflake.autocreate.table.type=iceberg, or the table of sql/setup/004_tables.sql',
  }
}

function kindFinding(config: SinkConfig, check: string, name: string, row: SqlRow): Finding {
  const wanted = config.values['snowflake.autocreate.table.type']
  const found = row['is_iceberg'] === 'Y' ? 'iceberg' : 'snowflake'
  const text = found === 'iceberg' ? 'an Iceberg table' : "a table of Snowflake's own format"
  if (wanted === 'none' || wanted === found)
    return { check, state: 'ok', says: `${name} is ${text}.` }
  return {
    check,
    state: 'wrong',
    says: `${name} is ${text}, and snowflake.autocreate.table.type is ${wanted}: changes of the schema would fail.`,
    mend: `snowflake.autocreate.table.type=${found}`,
  }
}

/** From SHOW TABLES where it says so, else by reading the error table. */
async function errorLogging(
  { session, timeoutMs }: TableContext,
  topic: string,
  name: string,
  row: SqlRow,
): Promise<Finding> {
  const check = `error logging of ${topic}`
  const off: Finding = {
    check,
    state: 'warning',
    says: `${name} keeps no rejected rows: what Snowflake refuses is counted, and gone.`,
    mend: `ALTER ${row['is_iceberg'] === 'Y' ? 'ICEBERG ' : ''}TABLE ${name} SET ERROR_LOGGING = TRUE;`,
  }
  const on: Finding = {
    check,
    state: 'ok',
    says: `Rejected rows are kept in ERROR_TABLE(${name}).`,
  }
  const told = row['error_logging']
  if (typeof told === 'string') return /^(on|y|true)$/i.test(told) ? on : off
  try {
    await bounded(timeoutMs, (signal) =>
      session.execute(`SELECT * FROM ERROR_TABLE(${name}) LIMIT 0`, signal),
    )
    return on
  } catch (error) {
    return { ...off, says: `${off.says} (${wordsOf(error)})` }
  }
}

function tableGrants(context: TableContext, topic: string, table: string, grants: Grants): Finding {
  const { config, role } = context
  const { database, schema } = config
  const object = `${database}.${schema}.${table}`
  const needed = ['INSERT', 'SELECT']
  if (config.values['snowflake.schema.evolution'] === 'add') needed.push('EVOLVE SCHEMA')
  const missing = needed.filter((privilege) => !grants.has(object, [privilege]))
  const name = qualified(database, schema, table)
  return grantFinding(
    context,
    `grants on the table of ${topic}`,
    missing.map((privilege) => `GRANT ${privilege} ON TABLE ${name} TO ROLE ${quoted(role)};`),
  )
}

/** Asks for the state of a channel, which needs host, token, role and pipe, and changes nothing. */
async function checkPipe(
  { config, client, connector, role, timeoutMs }: TableContext,
  topic: string,
  table: string,
): Promise<Finding> {
  const { database, schema } = config
  const pipe = { database, schema, pipe: defaultPipe(table) }
  const channel = `${connector}_${topic}_0`
  const check = `pipe of ${topic}`
  try {
    const found = await bounded(timeoutMs, (signal) =>
      client.statuses(pipe, [channel], { attempt: { id: randomUUID(), retries: 0 }, signal }),
    )
    const status = found.get(channel)
    const position = status?.committedToken
    return {
      check,
      state: status === undefined || status.code === 'SUCCESS' ? 'ok' : 'warning',
      says:
        status === undefined
          ? `${pipe.pipe} takes rows; no channel of this connector is there yet.`
          : `${pipe.pipe} takes rows; channel ${channel} is ${status.code} at ${position ?? 'no position'}.`,
    }
  } catch (error) {
    return {
      check,
      state: 'wrong',
      says: wordsOf(error),
      mend: isMissingObject(error)
        ? `GRANT INSERT, SELECT ON TABLE ${qualified(database, schema, table)} TO ROLE ${quoted(role)};`
        : undefined,
    }
  }
}
