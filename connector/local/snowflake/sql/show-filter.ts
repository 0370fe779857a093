// What SHOW's LIKE, IN, STARTS WITH and LIMIT leave over.
import type { IcebergTable } from '../../iceberg/types.ts'
import { unsupported } from '../errors.ts'
import type { SqlContext } from './create-drop.ts'
import {
  checkDatabase,
  checkSchema,
  existingTable,
  readName,
  visibleDatabases,
} from './object-name.ts'
import type { Statement } from './session.ts'
import type { TokenReader } from './token-reader.ts'

/** Where objects are looked for; undefined: everywhere. */
export interface Scope {
  readonly database: string | undefined
  readonly schema: string | undefined
  readonly table: IcebergTable | undefined
}
/** Which objects are shown. */
export interface Filter {
  readonly scope: Scope
  readonly like: RegExp | undefined
  readonly startsWith: string
  readonly limit: number
}

const ROWS_MAX = 10_000

/** Reads everything after the kind of object. */
export function readFilter(
  kind: string,
  reader: TokenReader,
  { statement, context }: { statement: Statement; context: SqlContext },
): Filter {
  reader.take('HISTORY')
  const like = reader.take('LIKE') ? likePattern(reader.expectString()) : undefined
  const scope = readScope(kind, reader, { statement, context })
  const startsWith = reader.take('STARTS', 'WITH') ? reader.expectString() : ''
  const limit = reader.take('LIMIT') ? reader.expectInteger() : ROWS_MAX
  if (reader.take('FROM')) throw unsupported('SHOW … LIMIT … FROM')
  reader.expectEnd()
  return { scope, like, startsWith, limit: Math.min(limit, ROWS_MAX) }
}

function readScope(
  kind: string,
  reader: TokenReader,
  { statement, context }: { statement: Statement; context: SqlContext },
): Scope {
  const { session } = statement
  const here = { database: session.database, schema: session.schema, table: undefined }
  if (!reader.take('IN'))
    return kind === 'SCHEMAS' || session.schema === undefined
      ? { ...here, schema: undefined }
      : here
  if (reader.take('ACCOUNT')) return { database: undefined, schema: undefined, table: undefined }
  const word = ['DATABASE', 'SCHEMA', 'TABLE', 'PIPE'].find((name) => reader.take(name))
  if (word === 'PIPE') throw unsupported('SHOW … IN PIPE')
  const parts = readName(reader, statement)
  if (word === 'TABLE' || (word === undefined && kind === 'COLUMNS')) {
    const table = existingTable(context.warehouse, parts, session)
    return { database: table.identifier.database, schema: table.identifier.schema, table }
  }
  const isDatabase = word === 'DATABASE' || (word === undefined && kind === 'SCHEMAS')
  if (
    isDatabase ||
    (word === undefined && parts.length === 1 && isKnownDatabase(parts[0], context))
  ) {
    const database = parts[0] ?? ''
    checkDatabase(context.warehouse, database)
    return { database, schema: undefined, table: undefined }
  }
  const { database, name } =
    parts.length > 1
      ? { database: parts[0] ?? '', name: parts[1] ?? '' }
      : { database: session.database ?? '', name: parts[0] ?? '' }
  checkSchema(context.warehouse, database, name)
  return { database, schema: name, table: undefined }
}

const isKnownDatabase = (name: string | undefined, { warehouse }: SqlContext): boolean =>
  name !== undefined && visibleDatabases(warehouse).includes(name)

/** LIKE of SHOW: any case, `%` and `_`, backslash escapes. */
function likePattern(pattern: string): RegExp {
  const source = pattern.replaceAll(/\\([\s\S])|[%_]|[\s\S]/g, (all, escaped?: string) => {
    if (all === '%') return '.*'
    if (all === '_') return '.'
    return (escaped ?? all).replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
  })
  return new RegExp(`^${source}$`, 'is')
}

/** The objects that the filter lets through, by name. */
export const select = <T>(
  items: readonly T[],
  { like, startsWith, limit }: Filter,
  nameOf: (item: T) => string,
): readonly T[] =>
  items
    .filter((item) => (like?.test(nameOf(item)) ?? true) && nameOf(item).startsWith(startsWith))
    .toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1))
    .slice(0, limit)

export const schemasIn = (
  { database, schema }: Scope,
  { warehouse }: SqlContext,
): readonly { database: string; schema: string }[] =>
  (database === undefined ? visibleDatabases(warehouse) : [database]).flatMap((name) =>
    warehouse
      .schemas(name)
      .filter((item) => schema === undefined || item === schema)
      .map((item) => ({ database: name, schema: item })),
  )

export const tablesIn = (scope: Scope, context: SqlContext): readonly IcebergTable[] =>
  scope.table === undefined
    ? schemasIn(scope, context).flatMap(({ database, schema }) =>
        context.warehouse.tables(database, schema),
      )
    : [scope.table]
