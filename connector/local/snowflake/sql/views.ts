// Views: the text is stored, checked when it is made, and run anew by every SELECT.
import { alreadyExists, doesNotExist, SqlError, syntaxError, unsupported } from '../errors.ts'
import { qualifiedName } from '../identifiers.ts'
import type { SqlContext } from './create-drop.ts'
import { checkSchema, inSchema, readName } from './object-name.ts'
import type { ObjectName, StoredView } from './objects.ts'
import { typeText } from './query/sql-types.ts'
import { listResult, type ResultSet, statusResult, timestampCell } from './result.ts'
import { translateSelect } from './select.ts'
import type { Statement } from './session.ts'
import type { Filter } from './show-filter.ts'
import { schemasIn, select } from './show-filter.ts'
import type { TokenReader } from './token-reader.ts'

const OWNER = 'SYSADMIN'

/** After `CREATE [OR REPLACE] [SECURE] VIEW`. The query has to be one that can run now. */
export async function createView(
  reader: TokenReader,
  statement: Statement,
  context: SqlContext & { readonly replace: boolean; readonly secure: boolean },
): Promise<ResultSet> {
  const tolerant = reader.take('IF', 'NOT', 'EXISTS')
  const view = inSchema(readName(reader, statement), statement.session)
  checkSchema(context.warehouse, view.database, view.schema)
  const columns = readColumnNames(reader)
  const comment = readViewOptions(reader)
  reader.expect('AS')
  const query = reader.sql.slice(reader.peek().start)
  if (
    context.warehouse.table({ database: view.database, schema: view.schema, table: view.name }) !==
    undefined
  )
    throw alreadyExists('Table', view.name)
  if (context.objects.view(view) !== undefined && !context.replace) {
    if (tolerant) return statusResult(`${view.name} already exists, statement succeeded.`)
    throw alreadyExists('View', view.name)
  }
  if (Object.keys(statement.binds).length > 0) throw unsupported('binds in a view')
  const session = { ...statement.session, database: view.database, schema: view.schema }
  const compiled = await translateSelect({ ...statement, session, sql: query }, context)
  const names = compiled.columns.map(({ name }, index) => columns[index] ?? name)
  if (columns.length > 0 && columns.length !== names.length)
    throw syntaxError(`${columns.length} column names for a query of ${names.length} columns`)
  if (new Set(names).size !== names.length)
    throw new SqlError(
      '002025',
      '42S21',
      `SQL compilation error:\nduplicate column name in view '${view.name}'`,
    )
  const { secure } = context
  await context.objects.putView({
    ...view,
    text: statement.sql,
    query,
    columns,
    secure,
    comment,
    createdMs: context.clock.now(),
  })
  return statusResult(`View ${view.name} successfully created.`)
}

/** `(a COMMENT '…', b)`; comments of columns are not kept. */
function readColumnNames(reader: TokenReader): readonly string[] {
  const names: string[] = []
  if (!reader.take('(')) return names
  do {
    names.push(reader.expectName())
    if (reader.take('COMMENT')) reader.expectString()
  } while (reader.take(','))
  reader.expect(')')
  return names
}

function readViewOptions(reader: TokenReader): string | undefined {
  let comment: string | undefined
  for (;;) {
    if (reader.take('COMMENT')) {
      reader.take('=')
      comment = reader.expectString()
    } else if (!reader.take('COPY', 'GRANTS')) return comment
  }
}

/** After `DROP VIEW`. */
export async function dropView(
  reader: TokenReader,
  statement: Statement,
  context: SqlContext,
): Promise<ResultSet> {
  const tolerant = reader.take('IF', 'EXISTS')
  const name = inSchema(readName(reader, statement), statement.session)
  reader.expectEnd()
  const dropped = await context.objects.dropViews((view) => isSame(view, name))
  if (dropped === 0 && !tolerant)
    throw doesNotExist('View', qualifiedName(name.database, name.schema, name.name))
  return statusResult(
    dropped === 0
      ? 'Drop statement executed successfully (object already dropped).'
      : `${name.name} successfully dropped.`,
  )
}

/** After `ALTER VIEW`: RENAME TO, SET or UNSET SECURE and COMMENT. */
export async function alterView(
  reader: TokenReader,
  statement: Statement,
  context: SqlContext,
): Promise<ResultSet> {
  const tolerant = reader.take('IF', 'EXISTS')
  const name = inSchema(readName(reader, statement), statement.session)
  const view = context.objects.view(name)
  const done = statusResult('Statement executed successfully.')
  if (view === undefined) {
    if (tolerant) return done
    throw doesNotExist('View', qualifiedName(name.database, name.schema, name.name))
  }
  if (reader.take('RENAME', 'TO')) {
    const next = inSchema(readName(reader, statement), statement.session)
    checkSchema(context.warehouse, next.database, next.schema)
    if (context.objects.view(next) !== undefined) throw alreadyExists('View', next.name)
    await context.objects.putView({ ...view, ...next })
    await context.objects.dropViews((other) => isSame(other, name))
    return done
  }
  await context.objects.putView(changed(reader, view))
  return done
}

function changed(reader: TokenReader, view: StoredView): StoredView {
  if (reader.take('SET', 'SECURE')) return { ...view, secure: true }
  if (reader.take('UNSET', 'SECURE')) return { ...view, secure: false }
  if (reader.take('UNSET', 'COMMENT')) return { ...view, comment: undefined }
  if (reader.take('SET', 'COMMENT')) {
    reader.take('=')
    return { ...view, comment: reader.expectString() }
  }
  throw unsupported(`ALTER VIEW … ${reader.peek().value}`)
}

const isSame = (view: ObjectName, { database, schema, name }: ObjectName): boolean =>
  view.database === database && view.schema === schema && view.name === name

export function showViews(filter: Filter, context: SqlContext): ResultSet {
  const scopes = schemasIn(filter.scope, context)
  const views = context.objects
    .views()
    .filter((view) =>
      scopes.some(({ database, schema }) => view.database === database && view.schema === schema),
    )
  return listResult(
    [
      'created_on:timestamp_ltz',
      'name',
      'reserved',
      'database_name',
      'schema_name',
      'owner',
      'comment',
      'text',
      'is_secure',
      'is_materialized',
      'owner_role_type',
      'change_tracking',
    ],
    select(views, filter, ({ name }) => name).map((view) => [
      timestampCell(view.createdMs),
      view.name,
      '',
      view.database,
      view.schema,
      OWNER,
      view.comment ?? '',
      view.text,
      String(view.secure),
      'false',
      'ROLE',
      'OFF',
    ]),
  )
}

/** The columns of a view, as DESCRIBE shows them. */
export async function describeView(
  view: StoredView,
  statement: Statement,
  context: SqlContext,
): Promise<ResultSet> {
  const session = { ...statement.session, database: view.database, schema: view.schema }
  const { columns } = await translateSelect({ ...statement, session, sql: view.query }, context)
  return listResult(
    [
      'name',
      'type',
      'kind',
      'null?',
      'default',
      'primary key',
      'unique key',
      'check',
      'expression',
      'comment',
      'policy name',
      'privacy domain',
    ],
    columns.map(({ name, type }, index) => [
      view.columns[index] ?? name,
      typeText(type),
      'COLUMN',
      'Y',
      null,
      'N',
      'N',
      null,
      null,
      null,
      null,
      null,
    ]),
  )
}
