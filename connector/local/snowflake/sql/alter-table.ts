// ALTER [ICEBERG] TABLE: every change waits for the rows before it, and rows after it are checked anew.
import { ConnectError } from '../../../api/errors.ts'
import type {
  IcebergField,
  IcebergTable,
  IcebergType,
  NewField,
  NewType,
  SchemaChange,
} from '../../iceberg/types.ts'
import { doesNotExist, SqlError, unsupported } from '../errors.ts'
import { tableName } from '../identifiers.ts'
import { OPTION_PREFIX, readColumn, readOptions, type SqlContext } from './create-drop.ts'
import { recordOnTable } from './administration.ts'
import { existingTable, readName } from './object-name.ts'
import { type ResultSet, statusResult } from './result.ts'
import type { Statement } from './session.ts'
import type { TokenReader } from './token-reader.ts'
import { parseType, snowflakeType } from './types.ts'

const DONE = (): ResultSet => statusResult('Statement executed successfully.')

/** After `ALTER [ICEBERG] TABLE`. */
export async function alterTable(
  reader: TokenReader,
  statement: Statement,
  context: SqlContext,
): Promise<ResultSet> {
  const tolerant = reader.take('IF', 'EXISTS')
  let table: IcebergTable
  try {
    table = existingTable(context.warehouse, readName(reader, statement), statement.session)
  } catch (error) {
    if (tolerant && error instanceof SqlError && error.code === '002003') return DONE()
    throw error
  }
  if (isRecorded(reader))
    return recordOnTable(tableName(table.identifier), reader, statement, context)
  if (reader.take('CLUSTER', 'BY')) return clusterBy(reader, table, context)
  if (reader.take('DROP', 'CLUSTERING', 'KEY')) return setCluster(table, null, context)
  if (reader.sees('SET') || reader.sees('UNSET')) return setProperties(reader, table, context)
  const action = reader.next().value
  await context.ingests.exclusive(table, async () => {
    // Read when it is our turn: another statement may have changed the table meanwhile.
    const changes = readChanges(action, reader, table)
    if (changes.length === 0) return
    try {
      await table.updateSchema(changes)
    } catch (error) {
      if (!(error instanceof ConnectError) || error instanceof SqlError) throw error
      throw new SqlError('002108', '22000', `SQL compilation error:\n${error.message}`, {
        cause: error,
      })
    }
  })
  return DONE()
}

/** Tags, policies and reclustering: what the endpoint records and does not enforce. */
function isRecorded(reader: TokenReader): boolean {
  const words = reader.tokens.slice(reader.at, reader.at + 6).map(({ value }) => value)
  const [first = '', second = ''] = words
  if (['SET', 'UNSET'].includes(first) && second === 'TAG') return true
  if (['SUSPEND', 'RESUME'].includes(first) && second === 'RECLUSTER') return true
  if (['ADD', 'DROP'].includes(first) && second === 'ROW') return true
  if (first !== 'ALTER' && first !== 'MODIFY') return false
  const at = words.findIndex((word) => word === 'SET' || word === 'UNSET')
  return at !== -1 && ['MASKING', 'TAG', 'PROJECTION'].includes(words[at + 1] ?? '')
}

function clusterBy(
  reader: TokenReader,
  table: IcebergTable,
  context: SqlContext,
): Promise<ResultSet> {
  const { start } = reader.peek()
  reader.expect('(')
  const text = reader.sql.slice(start).trim()
  return setCluster(table, text, context)
}

async function setCluster(
  table: IcebergTable,
  text: string | null,
  context: SqlContext,
): Promise<ResultSet> {
  const properties = { [`${OPTION_PREFIX}cluster_by`]: text }
  await context.ingests.exclusive(table, () => table.commit({ properties }))
  return DONE()
}

function readChanges(
  action: string,
  reader: TokenReader,
  table: IcebergTable,
): readonly SchemaChange[] {
  if (action === 'ADD') return readAdd(reader, table)
  if (action === 'DROP') return readDrop(reader, table)
  if (action === 'RENAME') return readRename(reader, table)
  if (action === 'ALTER' || action === 'MODIFY') return readAlter(reader, table)
  throw unsupported(`ALTER TABLE … ${action}`)
}

async function setProperties(
  reader: TokenReader,
  table: IcebergTable,
  context: SqlContext,
): Promise<ResultSet> {
  const isSet = reader.take('SET')
  if (!isSet) reader.expect('UNSET')
  const properties: Record<string, string | null> = {}
  if (isSet) Object.assign(properties, readOptions(reader))
  else
    do properties[`${OPTION_PREFIX}${reader.expectName().toLowerCase()}`] = null
    while (reader.take(','))
  reader.expectEnd()
  await context.ingests.exclusive(table, () => table.commit({ properties }))
  return DONE()
}

function readAdd(reader: TokenReader, table: IcebergTable): readonly SchemaChange[] {
  const changes: SchemaChange[] = []
  do {
    reader.take('COLUMN')
    const tolerant = reader.take('IF', 'NOT', 'EXISTS')
    const field = readColumn(reader)
    const exists = table.schema.fields.some(({ name }) => name === field.name)
    if (exists && tolerant) continue
    if (exists)
      throw new SqlError(
        '001430',
        '42601',
        `SQL compilation error:\ncolumn '${field.name}' already exists`,
      )
    if (field.required)
      throw new SqlError(
        '002009',
        '42601',
        `SQL compilation error:\nA column added to rows that exist cannot be NOT NULL: '${field.name}'.`,
      )
    changes.push({ kind: 'add', parent: [], field })
  } while (reader.take(','))
  reader.expectEnd()
  return changes
}

function readDrop(reader: TokenReader, table: IcebergTable): readonly SchemaChange[] {
  const changes: SchemaChange[] = []
  reader.expect('COLUMN')
  const tolerant = reader.take('IF', 'EXISTS')
  do {
    const name = reader.expectName()
    const exists = table.schema.fields.some((field) => field.name === name)
    if (exists) changes.push({ kind: 'drop', path: [name] })
    else if (!tolerant) throw noColumn(table, name)
  } while (reader.take(','))
  reader.expectEnd()
  return changes
}

function readRename(reader: TokenReader, table: IcebergTable): readonly SchemaChange[] {
  if (!reader.take('COLUMN')) throw unsupported('ALTER TABLE … RENAME TO')
  const name = columnOf(table, reader.expectName()).name
  reader.expect('TO')
  const to = reader.expectName()
  reader.expectEnd()
  return [{ kind: 'rename', path: [name], name: to }]
}

function readAlter(reader: TokenReader, table: IcebergTable): readonly SchemaChange[] {
  const changes: SchemaChange[] = []
  const isParenthesised = reader.take('(')
  do changes.push(...readColumnChange(reader, table))
  while (reader.take(','))
  if (isParenthesised) reader.expect(')')
  reader.expectEnd()
  return changes
}

function readColumnChange(reader: TokenReader, table: IcebergTable): readonly SchemaChange[] {
  reader.take('COLUMN')
  const column = columnOf(table, reader.expectName())
  if (reader.take('DROP', 'NOT', 'NULL'))
    return column.required ? [{ kind: 'optional', path: [column.name] }] : []
  if (!reader.take('SET', 'DATA') && !reader.sees('TYPE'))
    throw unsupported(`ALTER COLUMN … ${reader.peek().value} ${reader.peek(1).value}`)
  reader.expect('TYPE')
  return typeChanges(column.type, parseType(reader), [column.name])
}

const noColumn = (table: IcebergTable, name: string): SqlError =>
  doesNotExist('Column', `${tableName(table.identifier)}.${name}`)

function columnOf(table: IcebergTable, name: string): IcebergField {
  const column = table.schema.fields.find((field) => field.name === name)
  if (column === undefined) throw noColumn(table, name)
  return column
}

/** What makes `from` into `to`: wider numbers, and keys added to or taken from objects at any depth. */
function typeChanges(
  from: IcebergType,
  to: NewType,
  path: readonly string[],
): readonly SchemaChange[] {
  if (typeof from === 'string' && typeof to === 'string')
    return from === to ? [] : [{ kind: 'promote', path, type: to }]
  if (typeof from !== 'string' && typeof to !== 'string') {
    if (from.type === 'struct' && to.type === 'struct')
      return structChanges(from.fields, to.fields, path)
    if (from.type === 'list' && to.type === 'list')
      return typeChanges(from.element, to.element, [...path, 'element'])
    if (from.type === 'map' && to.type === 'map')
      return [
        ...typeChanges(from.key, to.key, [...path, 'key']),
        ...typeChanges(from.value, to.value, [...path, 'value']),
      ]
  }
  throw new SqlError(
    '002108',
    '22000',
    `SQL compilation error:\ncannot change column ${path.join('.')} from type ${snowflakeType(from)} to a type of another kind`,
  )
}

function structChanges(
  from: readonly IcebergField[],
  to: readonly NewField[],
  path: readonly string[],
): readonly SchemaChange[] {
  const kept = from.filter((field) => to.some(({ name }) => name === field.name))
  const wanted = new Map(to.map((field) => [field.name, field]))
  return [
    ...kept.flatMap((field) => {
      const next = wanted.get(field.name)
      if (next === undefined) return []
      const inner = [...path, field.name]
      const optional: readonly SchemaChange[] =
        field.required && !next.required ? [{ kind: 'optional', path: inner }] : []
      return [...optional, ...typeChanges(field.type, next.type, inner)]
    }),
    ...from
      .filter((field) => !wanted.has(field.name))
      .map((field): SchemaChange => ({ kind: 'drop', path: [...path, field.name] })),
    ...to
      .filter(({ name }) => !from.some((field) => field.name === name))
      .map((field): SchemaChange => ({ kind: 'add', parent: path, field })),
  ]
}
