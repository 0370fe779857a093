// CREATE and DROP of databases, schemas, tables and pipes.

import type { Clock } from '../../../api/clock.ts'
import {
  type IcebergTable,
  type NewField,
  UnconfirmedCommitError,
  type Warehouse,
} from '../../iceberg/types.ts'
import { alreadyExists, doesNotExist, SqlError, unsupported } from '../errors.ts'
import { defaultPipeOf, qualifiedName } from '../identifiers.ts'
import { type Ingests, PIPE_PROPERTY } from '../streaming/ingests.ts'
import {
  checkDatabase,
  checkSchema,
  currentDatabase,
  existingTable,
  inSchema,
  readName,
  tableIdentifier,
} from './object-name.ts'
import { type ResultSet, statusResult } from './result.ts'
import type { SqlObjects } from './objects.ts'
import type { CompiledQuery } from './query/compiled.ts'
import type { Session, Statement } from './session.ts'
import type { TokenReader } from './token-reader.ts'
import { parseType } from './types.ts'

/** What statements work on. */
export interface SqlContext {
  readonly warehouse: Warehouse
  readonly ingests: Ingests
  readonly clock: Clock
  readonly objects: SqlObjects
  /** Registers the key of ALTER USER … SET RSA_PUBLIC_KEY; undefined where nobody logs in. */
  readonly registerKey?: (user: string, publicKey: string) => void
  /** Table functions of the endpoint's own, e.g. ERROR_TABLE; undefined when there is none of the name. */
  readonly tableFunction?: (
    name: string,
    args: readonly string[],
    session: Session,
  ) => CompiledQuery | undefined
}

/** Table properties that carry Snowflake's options, e.g. `snowflake.base_location`. */
export const OPTION_PREFIX = 'snowflake.'
/** When the table was made, in milliseconds since the epoch. */
export const CREATED_PROPERTY = 'snowflake.created_ms'
const SCHEMA_OF_NEW_DATABASE = 'PUBLIC'

const ifNotExists = (reader: TokenReader): boolean => reader.take('IF', 'NOT', 'EXISTS')
const ifExists = (reader: TokenReader): boolean => reader.take('IF', 'EXISTS')
const succeeded = (name: string): ResultSet =>
  statusResult(`${name} already exists, statement succeeded.`)
const dropped = (name: string): ResultSet => statusResult(`${name} successfully dropped.`)
const nothingDropped = (): ResultSet =>
  statusResult('Drop statement executed successfully (object already dropped).')

/** After `CREATE [OR REPLACE] [TRANSIENT] DATABASE`. */
export async function createDatabase(
  reader: TokenReader,
  statement: Statement,
  context: SqlContext & { replace: boolean },
): Promise<ResultSet> {
  const { warehouse, replace } = context
  const tolerant = ifNotExists(reader)
  const [name = ''] = readName(reader, statement)
  readOptions(reader)
  if (warehouse.databases().includes(name)) {
    if (tolerant) return succeeded(name)
    if (!replace) throw alreadyExists('Database', name)
    await dropTables(context, name)
    await warehouse.dropDatabase(name)
  }
  await warehouse.createDatabase(name)
  await warehouse.createSchema(name, SCHEMA_OF_NEW_DATABASE)
  statement.session.database = name
  statement.session.schema = SCHEMA_OF_NEW_DATABASE
  return statusResult(`Database ${name} successfully created.`)
}

/** After `CREATE [OR REPLACE] [TRANSIENT] SCHEMA`. */
export async function createSchema(
  reader: TokenReader,
  statement: Statement,
  context: SqlContext & { replace: boolean },
): Promise<ResultSet> {
  const { warehouse, replace } = context
  const tolerant = ifNotExists(reader)
  const [database, name] = databaseAndName(readName(reader, statement), statement)
  readOptions(reader)
  checkDatabase(warehouse, database)
  if (warehouse.schemas(database).includes(name)) {
    if (tolerant) return succeeded(name)
    if (!replace) throw alreadyExists('Schema', name)
    await dropTables(context, database, name)
    await warehouse.dropSchema(database, name)
  }
  await warehouse.createSchema(database, name)
  statement.session.database = database
  statement.session.schema = name
  return statusResult(`Schema ${name} successfully created.`)
}

const databaseAndName = (
  parts: readonly string[],
  { session }: Statement,
): readonly [string, string] => [
  parts.length > 1 ? (parts[0] ?? '') : currentDatabase(session),
  parts.at(-1) ?? '',
]

/** After `CREATE [OR REPLACE] [ICEBERG] TABLE`. Every table is an Iceberg table. */
export async function createTable(
  reader: TokenReader,
  statement: Statement,
  context: SqlContext & { replace: boolean },
): Promise<ResultSet> {
  const { warehouse, replace } = context
  let tolerant = ifNotExists(reader)
  const identifier = tableIdentifier(readName(reader, statement), statement.session)
  tolerant = ifNotExists(reader) || tolerant
  const { database, schema, table } = identifier
  checkSchema(warehouse, database, schema)
  if (!reader.take('(')) throw unsupported('CREATE TABLE without a list of columns')
  const fields = readColumns(reader)
  const options = readOptions(reader)
  if (context.objects.view({ database, schema, name: table }) !== undefined)
    throw alreadyExists('View', qualifiedName(database, schema, table))
  const existing = warehouse.table(identifier)
  if (existing !== undefined) {
    if (tolerant) return succeeded(table)
    if (!replace) throw alreadyExists('Table', qualifiedName(database, schema, table))
  }
  const properties = { ...options, [CREATED_PROPERTY]: String(context.clock.now()) }
  if (existing === undefined) await warehouse.createTable(identifier, fields, properties)
  else await replaceTable(existing, { fields, properties }, context)
  return statusResult(`Table ${table} successfully created.`)
}

/** The old table's channels and rows that wait go with it, once the new table is there. */
async function replaceTable(
  old: IcebergTable,
  fresh: {
    readonly fields: readonly NewField[]
    readonly properties: Readonly<Record<string, string>>
  },
  { ingests, warehouse }: SqlContext,
): Promise<void> {
  let unconfirmed: UnconfirmedCommitError | undefined
  await ingests.drop(old, async () => {
    try {
      await warehouse.replaceTable(old.identifier, fresh.fields, fresh.properties)
    } catch (error) {
      // It is replaced all the same, so the old table's channels must go.
      if (!(error instanceof UnconfirmedCommitError)) throw error
      unconfirmed = error
    }
  })
  if (unconfirmed !== undefined) throw unconfirmed
}

function readColumns(reader: TokenReader): readonly NewField[] {
  const fields: NewField[] = []
  do {
    const field = readColumn(reader)
    if (fields.some(({ name }) => name === field.name))
      throw new SqlError(
        '002025',
        '42S21',
        `SQL compilation error:\nduplicate column name '${field.name}'`,
      )
    fields.push(field)
  } while (reader.take(','))
  reader.expect(')')
  return fields
}

/** A column's definition: name, type, NOT NULL, COMMENT. What else Snowflake takes there is refused. */
export function readColumn(reader: TokenReader): NewField {
  const name = reader.expectName()
  const type = parseType(reader)
  let required = false
  let doc: string | undefined
  for (;;) {
    if (reader.take('NOT', 'NULL')) required = true
    else if (reader.take('COMMENT')) doc = reader.expectString()
    else if (!reader.take('NULL')) break
  }
  if (!reader.sees(',') && !reader.sees(')') && !reader.isAtEnd)
    throw unsupported(`${reader.peek().value} in the definition of column ${name}`)
  return { name, type, required, ...(doc !== undefined && { doc }) }
}

/** `KEY = value …` up to the end, as table properties. Values that are lists are kept as their text. */
export function readOptions(reader: TokenReader): Readonly<Record<string, string>> {
  const options: Record<string, string> = {}
  while (!reader.isAtEnd) {
    reader.take(',')
    if (reader.take('CLUSTER', 'BY')) {
      options[`${OPTION_PREFIX}cluster_by`] = readParenthesised(reader)
      continue
    }
    const key = reader.expectName().toLowerCase()
    if (['partition', 'as', 'like', 'clone', 'from'].includes(key))
      throw unsupported(`CREATE … ${key.toUpperCase()}`)
    reader.take('=')
    const isList = reader.sees('(')
    const value = isList ? readParenthesised(reader) : reader.next().value
    if (key === 'catalog' && value.toUpperCase() !== 'SNOWFLAKE')
      throw unsupported(`CATALOG = ${value}`)
    options[key === 'comment' ? 'comment' : `${OPTION_PREFIX}${key}`] = value
  }
  return options
}

function readParenthesised(reader: TokenReader): string {
  const start = reader.peek().start
  let depth = 0
  do {
    const token = reader.next()
    if (token.kind === 'end') throw reader.unexpected(')', token)
    if (token.text === '(') depth++
    if (token.text === ')') depth--
  } while (depth > 0)
  return reader.sql.slice(start, reader.peek(-1).end)
}

/** After `CREATE [OR REPLACE] PIPE`: kept with its table. Only pipes that match columns by name. */
export async function createPipe(
  reader: TokenReader,
  statement: Statement,
  context: SqlContext & { replace: boolean },
): Promise<ResultSet> {
  const tolerant = ifNotExists(reader)
  const { database, schema, name } = inSchema(readName(reader, statement), statement.session)
  const rest = reader.tokens.slice(reader.at).map(({ value }) => value)
  const into = rest.indexOf('INTO')
  const match = rest.indexOf('MATCH_BY_COLUMN_NAME')
  if (!rest.includes('DATA_SOURCE') || into === -1)
    throw unsupported('CREATE PIPE other than streaming')
  if (match === -1 || rest[match + 2] !== 'CASE_INSENSITIVE' || rest.includes('SELECT'))
    throw unsupported('CREATE PIPE without MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE')
  reader.at += into + 1
  const table = existingTable(context.warehouse, readName(reader, statement), statement.session)
  if (table.identifier.database !== database || table.identifier.schema !== schema)
    throw unsupported('CREATE PIPE in another schema than its table')
  const known = findPipe(context, { database, schema, name })
  if (known !== undefined || name === defaultPipeOf(table.identifier.table)) {
    if (tolerant) return succeeded(name)
    if (!context.replace || known === undefined) throw alreadyExists('Pipe', name)
  }
  const definition = statement.sql.slice(statement.sql.search(/\bcopy\b/i))
  await context.ingests.exclusive(table, () =>
    table.commit({ properties: { [PIPE_PROPERTY + name]: definition } }),
  )
  return statusResult(`Pipe ${name} successfully created.`)
}

function findPipe(
  { warehouse }: SqlContext,
  { database, schema, name }: { database: string; schema: string; name: string },
): IcebergTable | undefined {
  return warehouse
    .tables(database, schema)
    .find(({ properties }) => properties[PIPE_PROPERTY + name] !== undefined)
}

/** After `DROP`, with the kind of object. */
export async function dropObject(
  kind: 'DATABASE' | 'SCHEMA' | 'TABLE' | 'PIPE',
  reader: TokenReader,
  statement: Statement,
  context: SqlContext,
): Promise<ResultSet> {
  const tolerant = ifExists(reader)
  const parts = readName(reader, statement)
  if (!reader.take('CASCADE')) reader.take('RESTRICT')
  reader.expectEnd()
  const name = parts.at(-1) ?? ''
  try {
    if (kind === 'DATABASE') await dropDatabase(context, name, statement)
    else if (kind === 'SCHEMA') await dropSchema(context, parts, statement)
    else if (kind === 'TABLE')
      await dropTable(context, existingTable(context.warehouse, parts, statement.session))
    else await dropPipe(context, parts, statement)
  } catch (error) {
    if (tolerant && error instanceof SqlError && error.code === '002003') return nothingDropped()
    throw error
  }
  return dropped(name)
}

async function dropDatabase(
  context: SqlContext,
  name: string,
  { session }: Statement,
): Promise<void> {
  checkDatabase(context.warehouse, name)
  await dropTables(context, name)
  await context.objects.dropViews(({ database }) => database === name)
  await context.warehouse.dropDatabase(name)
  if (session.database !== name) return
  session.database = undefined
  session.schema = undefined
}

async function dropSchema(
  context: SqlContext,
  parts: readonly string[],
  statement: Statement,
): Promise<void> {
  const [database, name] = databaseAndName(parts, statement)
  checkSchema(context.warehouse, database, name)
  await dropTables(context, database, name)
  await context.objects.dropViews((view) => view.database === database && view.schema === name)
  await context.warehouse.dropSchema(database, name)
  const { session } = statement
  if (session.database === database && session.schema === name) session.schema = undefined
}

const dropTable = (context: SqlContext, table: IcebergTable): Promise<void> =>
  context.ingests.drop(table, () => context.warehouse.dropTable(table.identifier))

async function dropTables(context: SqlContext, database: string, schema?: string): Promise<void> {
  const schemas = schema === undefined ? context.warehouse.schemas(database) : [schema]
  for (const name of schemas)
    for (const table of context.warehouse.tables(database, name)) await dropTable(context, table)
}

async function dropPipe(
  context: SqlContext,
  parts: readonly string[],
  { session }: Statement,
): Promise<void> {
  const pipe = inSchema(parts, session)
  const table = findPipe(context, pipe)
  if (table === undefined)
    throw doesNotExist('Pipe', qualifiedName(pipe.database, pipe.schema, pipe.name))
  await context.ingests.exclusive(table, () =>
    table.commit({
      properties: {
        [PIPE_PROPERTY + pipe.name]: null,
        [`snowpipe.channels.${pipe.name}`]: null,
      },
    }),
  )
  context.ingests.of(table).forgetPipe(pipe.name)
}
