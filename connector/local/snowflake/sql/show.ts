// SHOW and DESCRIBE, with the columns that Snowflake's have.
import type { IcebergTable } from '../../iceberg/types.ts'
import { SqlError, unsupported } from '../errors.ts'
import { defaultPipeOf, qualifiedName } from '../identifiers.ts'
import { PIPE_PROPERTY } from '../streaming/ingests.ts'
import type { PipeChannels } from '../streaming/pipe-channels.ts'
import { CREATED_PROPERTY, OPTION_PREFIX, type SqlContext } from './create-drop.ts'
import { checkSchema, existingTable, inSchema, readName, visibleDatabases } from './object-name.ts'
import { type Cell, listResult, type ResultSet, timestampCell } from './result.ts'
import type { Session, Statement } from './session.ts'
import { type Filter, readFilter, schemasIn, select, tablesIn } from './show-filter.ts'
import type { TokenReader } from './token-reader.ts'
import { snowflakeType } from './types.ts'
import { describeView, showViews } from './views.ts'

const OWNER = 'SYSADMIN'

/** After `SHOW`. */
export function show(reader: TokenReader, statement: Statement, context: SqlContext): ResultSet {
  reader.take('TERSE')
  const isIceberg = reader.take('ICEBERG')
  const kind = reader.expectName()
  const makers: Readonly<Record<string, (filter: Filter) => ResultSet>> = {
    DATABASES: (filter) => showDatabases(filter, statement.session, context),
    SCHEMAS: (filter) => showSchemas(filter, statement.session, context),
    TABLES: (filter) =>
      isIceberg ? showIcebergTables(filter, context) : showTables(filter, context),
    COLUMNS: (filter) => showColumns(filter, context),
    VIEWS: (filter) => showViews(filter, context),
    PIPES: (filter) => showPipes(filter, context),
    CHANNELS: (filter) => showChannels(filter, context),
  }
  const make = makers[kind]
  if (make === undefined || (isIceberg && kind !== 'TABLES')) throw unsupported(`SHOW ${kind}`)
  return make(readFilter(kind, reader, { statement, context }))
}

const createdOn = (table: IcebergTable): Cell => {
  const ms = table.properties[CREATED_PROPERTY]
  return timestampCell(ms === undefined ? undefined : Number(ms))
}

const option = (table: IcebergTable, name: string): Cell =>
  table.properties[`${OPTION_PREFIX}${name}`] ?? null

const yes = (value: boolean): Cell => (value ? 'Y' : 'N')

function showDatabases(filter: Filter, session: Session, context: SqlContext): ResultSet {
  const names = select(visibleDatabases(context.warehouse), filter, (name) => name)
  return listResult(
    [
      'created_on:timestamp_ltz',
      'name',
      'is_default',
      'is_current',
      'origin',
      'owner',
      'comment',
      'options',
      'retention_time',
      'kind',
    ],
    names.map((name) => [
      null,
      name,
      'N',
      yes(name === session.database),
      '',
      OWNER,
      '',
      '',
      '1',
      'STANDARD',
    ]),
  )
}

function showSchemas(filter: Filter, session: Session, context: SqlContext): ResultSet {
  const schemas = select(schemasIn(filter.scope, context), filter, ({ schema }) => schema)
  return listResult(
    [
      'created_on:timestamp_ltz',
      'name',
      'is_default',
      'is_current',
      'database_name',
      'owner',
      'comment',
      'options',
      'retention_time',
    ],
    schemas.map(({ database, schema }) => [
      null,
      schema,
      'N',
      yes(database === session.database && schema === session.schema),
      database,
      OWNER,
      '',
      '',
      '1',
    ]),
  )
}

function showTables(filter: Filter, context: SqlContext): ResultSet {
  const tables = select(
    tablesIn(filter.scope, context),
    filter,
    ({ identifier }) => identifier.table,
  )
  return listResult(
    [
      'created_on:timestamp_ltz',
      'name',
      'database_name',
      'schema_name',
      'kind',
      'comment',
      'cluster_by',
      'rows:fixed',
      'bytes:fixed',
      'owner',
      'retention_time',
      'enable_schema_evolution',
      'is_iceberg',
      'is_dynamic',
      'error_logging',
    ],
    tables.map((table) => [
      createdOn(table),
      table.identifier.table,
      table.identifier.database,
      table.identifier.schema,
      'TABLE',
      table.properties['comment'] ?? '',
      option(table, 'cluster_by') ?? '',
      String(table.totalRows()),
      null,
      OWNER,
      '1',
      yes(option(table, 'enable_schema_evolution')?.toUpperCase() === 'TRUE'),
      'Y',
      'N',
      option(table, 'error_logging')?.toUpperCase() === 'TRUE' ? 'ON' : 'OFF',
    ]),
  )
}

function showIcebergTables(filter: Filter, context: SqlContext): ResultSet {
  const tables = select(
    tablesIn(filter.scope, context),
    filter,
    ({ identifier }) => identifier.table,
  )
  return listResult(
    [
      'created_on:timestamp_ltz',
      'name',
      'database_name',
      'schema_name',
      'owner',
      'external_volume_name',
      'catalog_name',
      'iceberg_table_type',
      'catalog_table_name',
      'catalog_namespace',
      'base_location',
      'can_write_metadata',
      'comment',
      'owner_role_type',
    ],
    tables.map((table) => [
      createdOn(table),
      table.identifier.table,
      table.identifier.database,
      table.identifier.schema,
      OWNER,
      option(table, 'external_volume') ?? 'SNOWFLAKE_MANAGED',
      option(table, 'catalog') ?? 'SNOWFLAKE',
      'MANAGED',
      null,
      null,
      table.location,
      'Y',
      table.properties['comment'] ?? '',
      'ROLE',
    ]),
  )
}

function showColumns(filter: Filter, context: SqlContext): ResultSet {
  const columns = tablesIn(filter.scope, context).flatMap((table) =>
    table.schema.fields.map((field) => ({ table, field })),
  )
  return listResult(
    [
      'table_name',
      'schema_name',
      'column_name',
      'data_type',
      'null?',
      'default',
      'kind',
      'expression',
      'comment',
      'database_name',
      'autoincrement',
    ],
    select(columns, filter, ({ field }) => field.name).map(({ table, field }) => [
      table.identifier.table,
      table.identifier.schema,
      field.name,
      JSON.stringify({ type: snowflakeType(field.type), nullable: !field.required }),
      String(!field.required),
      '',
      'COLUMN',
      '',
      field.doc ?? '',
      table.identifier.database,
      '',
    ]),
  )
}

const PIPE_COLUMNS = [
  'created_on:timestamp_ltz',
  'name',
  'database_name',
  'schema_name',
  'definition',
  'owner',
  'notification_channel',
  'comment',
  'integration',
  'pattern',
  'error_integration',
  'owner_role_type',
  'invalid_reason',
  'kind',
]

function pipeRow(table: IcebergTable, pipe: PipeChannels): readonly Cell[] {
  const { database, schema, table: name } = table.identifier
  const definition =
    table.properties[PIPE_PROPERTY + pipe.name] ??
    `COPY INTO ${qualifiedName(name)} FROM (TABLE(DATA_SOURCE(TYPE => 'STREAMING'))) MATCH_BY_COLUMN_NAME=CASE_INSENSITIVE`
  return [
    createdOn(table),
    pipe.name,
    database,
    schema,
    definition,
    pipe.isDefault ? null : OWNER,
    null,
    '',
    null,
    null,
    null,
    pipe.isDefault ? '' : 'ROLE',
    null,
    'STREAMING',
  ]
}

function showPipes(filter: Filter, context: SqlContext): ResultSet {
  const pipes = tablesIn(filter.scope, context).flatMap((table) =>
    context.ingests.pipesOf(table).map((pipe) => ({ table, pipe })),
  )
  return listResult(
    PIPE_COLUMNS,
    select(pipes, filter, ({ pipe }) => pipe.name).map(({ table, pipe }) => pipeRow(table, pipe)),
  )
}

function showChannels(filter: Filter, context: SqlContext): ResultSet {
  const channels = tablesIn(filter.scope, context).flatMap((table) =>
    context.ingests
      .pipesOf(table)
      .flatMap((pipe) => pipe.all().map((channel) => ({ table, pipe, channel }))),
  )
  return listResult(
    [
      'created_on:timestamp_ltz',
      'name',
      'database_name',
      'schema_name',
      'table_name',
      'pipe_name',
      'client_sequencer',
      'row_sequencer',
      'offset_token',
      'rows_inserted:fixed',
      'rows_parsed:fixed',
      'rows_error_count:fixed',
      'status_code',
    ],
    select(channels, filter, ({ channel }) => channel.record.name).map(
      ({ table, pipe, channel }) => [
        timestampCell(channel.record.createdMs),
        channel.record.name,
        table.identifier.database,
        table.identifier.schema,
        table.identifier.table,
        pipe.name,
        String(channel.record.clientSequencer),
        null,
        channel.record.offsetToken,
        String(channel.record.rowsInserted),
        String(channel.record.rowsParsed),
        String(channel.record.rowsErrors),
        channel.statusCode,
      ],
    ),
  )
}

/** After `DESCRIBE` or `DESC`: tables and pipes. */
export function describe(
  reader: TokenReader,
  statement: Statement,
  context: SqlContext,
): ResultSet | Promise<ResultSet> {
  if (reader.take('PIPE')) return describePipe(reader, statement, context)
  reader.take('ICEBERG')
  if (!reader.take('TABLE') && !reader.take('VIEW'))
    throw unsupported(`DESCRIBE ${reader.peek().value}`)
  const parts = readName(reader, statement)
  const view = context.objects.view(inSchema(parts, statement.session))
  if (view !== undefined) return describeView(view, statement, context)
  const table = existingTable(context.warehouse, parts, statement.session)
  if (reader.take('TYPE')) reader.take('=', 'COLUMNS')
  reader.expectEnd()
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
    table.schema.fields.map(({ name, type, required, doc }) => [
      name,
      snowflakeType(type),
      'COLUMN',
      required ? 'N' : 'Y',
      null,
      'N',
      'N',
      null,
      null,
      doc ?? null,
      null,
      null,
    ]),
  )
}

function describePipe(reader: TokenReader, statement: Statement, context: SqlContext): ResultSet {
  const { database, schema, name } = inSchema(readName(reader, statement), statement.session)
  reader.expectEnd()
  checkSchema(context.warehouse, database, schema)
  for (const table of context.warehouse.tables(database, schema)) {
    const isDefault = name === defaultPipeOf(table.identifier.table)
    if (!isDefault && table.properties[PIPE_PROPERTY + name] === undefined) continue
    const pipe = context.ingests.pipesOf(table).find((item) => item.name === name)
    if (pipe !== undefined) return listResult(PIPE_COLUMNS, [pipeRow(table, pipe)])
  }
  throw new SqlError(
    '002003',
    '02000',
    `SQL compilation error:\nPipe '${qualifiedName(database, schema, name)}' does not exist or not authorized.`,
  )
}
