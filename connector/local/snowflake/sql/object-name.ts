import type { IcebergTable, TableIdentifier, Warehouse } from '../../iceberg/types.ts'
import { doesNotExist, SqlError, syntaxError } from '../errors.ts'
import { qualifiedName, SCRATCH_DATABASE } from '../identifiers.ts'
import { bindOf, type Session, type Statement } from './session.ts'
import { TokenReader } from './token-reader.ts'

/** `a`, `a.b`, `a.b.c`, or `IDENTIFIER('…' | ?)`, each part folded. */
export function readName(reader: TokenReader, statement: Statement): readonly string[] {
  if (reader.sees('IDENTIFIER', '(')) return readIdentifierCall(reader, statement)
  const parts = [reader.expectName()]
  while (parts.length < 3 && reader.take('.')) parts.push(reader.expectName())
  return parts
}

function readIdentifierCall(reader: TokenReader, statement: Statement): readonly string[] {
  reader.expect('IDENTIFIER', '(')
  const token = reader.next()
  if (token.kind !== 'string' && token.kind !== 'bind') throw reader.unexpected('a name', token)
  const text =
    token.kind === 'string' ? token.value : String(bindOf(statement.binds, token.value).value)
  reader.expect(')')
  const inner = new TokenReader(text)
  const parts = readName(inner, statement)
  inner.expectEnd()
  return parts
}

/** The database and schema that a session works in. @throws SqlError 090105 when it has none. */
export function currentSchema(session: Session): { database: string; schema: string } {
  return { database: currentDatabase(session), schema: session.schema ?? noCurrent('schema') }
}

export const currentDatabase = (session: Session): string =>
  session.database ?? noCurrent('database')

function noCurrent(what: string): never {
  throw new SqlError(
    '090105',
    '22000',
    `Cannot perform operation. This session does not have a current ${what}. Call 'USE ${what.toUpperCase()}', or use a qualified name.`,
  )
}

/** The full name of an object in a schema. */
export function inSchema(
  parts: readonly string[],
  session: Session,
): { database: string; schema: string; name: string } {
  const name = parts.at(-1)
  if (name === undefined) throw syntaxError('a name is missing')
  return {
    database: parts.length > 2 ? (parts[0] ?? '') : currentDatabase(session),
    schema: parts.length > 1 ? (parts.at(-2) ?? '') : (session.schema ?? noCurrent('schema')),
    name,
  }
}

export function tableIdentifier(parts: readonly string[], session: Session): TableIdentifier {
  const { database, schema, name } = inSchema(parts, session)
  return { database, schema, table: name }
}

/** A table that is there. @throws SqlError 002003 naming what is not. */
export function existingTable(
  warehouse: Warehouse,
  parts: readonly string[],
  session: Session,
): IcebergTable {
  const identifier = tableIdentifier(parts, session)
  const { database, schema, table } = identifier
  checkSchema(warehouse, database, schema)
  const found = warehouse.table(identifier)
  if (found === undefined) throw doesNotExist('Table', qualifiedName(database, schema, table))
  return found
}

/** The databases that clients see. */
export const visibleDatabases = (warehouse: Warehouse): readonly string[] =>
  warehouse.databases().filter((name) => name !== SCRATCH_DATABASE)

export function checkDatabase(warehouse: Warehouse, database: string): void {
  if (!visibleDatabases(warehouse).includes(database))
    throw doesNotExist('Database', qualifiedName(database))
}

export function checkSchema(warehouse: Warehouse, database: string, schema: string): void {
  checkDatabase(warehouse, database)
  if (!warehouse.schemas(database).includes(schema))
    throw doesNotExist('Schema', qualifiedName(database, schema))
}
