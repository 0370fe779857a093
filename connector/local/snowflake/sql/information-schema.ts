// INFORMATION_SCHEMA: what the catalog holds, as rows of the query itself.
import { unsupported } from '../errors.ts'
import { CREATED_PROPERTY, type SqlContext } from './create-drop.ts'
import { checkDatabase, currentDatabase, visibleDatabases } from './object-name.ts'
import type { CatalogTable } from './query/compile-from.ts'
import { engineType } from './query/casts.ts'
import { fixed, LTZ, type SqlType, TEXT, typeOfIceberg } from './query/sql-types.ts'
import type { Session } from './session.ts'
import { sqlName, sqlString } from './tokens.ts'
import { snowflakeType } from './types.ts'

type Value = string | number | null
interface SystemView {
  readonly columns: Readonly<Record<string, SqlType>>
  readonly rows: (database: string, context: SqlContext) => readonly (readonly Value[])[]
}

const SCHEMA = 'INFORMATION_SCHEMA'
const INT = fixed()
const OWNER = 'SYSADMIN'

const tablesOf = (database: string, { warehouse }: SqlContext) =>
  warehouse.schemas(database).flatMap((schema) => warehouse.tables(database, schema))

const VIEWS: Readonly<Record<string, SystemView>> = {
  DATABASES: {
    columns: { DATABASE_NAME: TEXT, DATABASE_OWNER: TEXT, TYPE: TEXT },
    rows: (_, { warehouse }) =>
      visibleDatabases(warehouse).map((name) => [name, OWNER, 'STANDARD']),
  },
  SCHEMATA: {
    columns: { CATALOG_NAME: TEXT, SCHEMA_NAME: TEXT, SCHEMA_OWNER: TEXT },
    rows: (database, { warehouse }) =>
      [...warehouse.schemas(database), SCHEMA].map((name) => [database, name, OWNER]),
  },
  TABLES: {
    columns: {
      TABLE_CATALOG: TEXT,
      TABLE_SCHEMA: TEXT,
      TABLE_NAME: TEXT,
      TABLE_OWNER: TEXT,
      TABLE_TYPE: TEXT,
      IS_ICEBERG: TEXT,
      CLUSTERING_KEY: TEXT,
      ROW_COUNT: INT,
      CREATED: LTZ,
      COMMENT: TEXT,
    },
    rows: (database, context) => [
      ...tablesOf(database, context).map((table) => [
        database,
        table.identifier.schema,
        table.identifier.table,
        OWNER,
        'BASE TABLE',
        'YES',
        table.properties['snowflake.cluster_by'] ?? null,
        table.totalRows(),
        isoTime(table.properties[CREATED_PROPERTY]),
        table.properties['comment'] ?? null,
      ]),
      ...context.objects
        .views()
        .filter((view) => view.database === database)
        .map((view) => [
          database,
          view.schema,
          view.name,
          OWNER,
          'VIEW',
          'NO',
          null,
          null,
          isoTime(String(view.createdMs)),
          view.comment ?? null,
        ]),
    ],
  },
  VIEWS: {
    columns: {
      TABLE_CATALOG: TEXT,
      TABLE_SCHEMA: TEXT,
      TABLE_NAME: TEXT,
      TABLE_OWNER: TEXT,
      VIEW_DEFINITION: TEXT,
      IS_SECURE: TEXT,
      CREATED: LTZ,
      COMMENT: TEXT,
    },
    rows: (database, context) =>
      context.objects
        .views()
        .filter((view) => view.database === database)
        .map((view) => [
          database,
          view.schema,
          view.name,
          OWNER,
          view.text,
          view.secure ? 'YES' : 'NO',
          isoTime(String(view.createdMs)),
          view.comment ?? null,
        ]),
  },
  COLUMNS: {
    columns: {
      TABLE_CATALOG: TEXT,
      TABLE_SCHEMA: TEXT,
      TABLE_NAME: TEXT,
      COLUMN_NAME: TEXT,
      ORDINAL_POSITION: INT,
      IS_NULLABLE: TEXT,
      DATA_TYPE: TEXT,
      NUMERIC_PRECISION: INT,
      NUMERIC_SCALE: INT,
      COMMENT: TEXT,
    },
    rows: (database, context) =>
      tablesOf(database, context).flatMap(({ identifier, schema }) =>
        schema.fields.map((field, index) => {
          const type = typeOfIceberg(field.type)
          const isNumber = type.kind === 'fixed'
          return [
            database,
            identifier.schema,
            identifier.table,
            field.name,
            index + 1,
            field.required ? 'NO' : 'YES',
            dataType(snowflakeType(field.type)),
            isNumber ? type.precision : null,
            isNumber ? type.scale : null,
            field.doc ?? null,
          ]
        }),
      ),
  },
  PIPES: {
    columns: { PIPE_CATALOG: TEXT, PIPE_SCHEMA: TEXT, PIPE_NAME: TEXT, PIPE_OWNER: TEXT },
    rows: (database, context) =>
      tablesOf(database, context).flatMap((table) =>
        context.ingests
          .pipesOf(table)
          .map((pipe) => [database, table.identifier.schema, pipe.name, OWNER]),
      ),
  },
}

/** `VARCHAR(134217728)` → `TEXT`, as INFORMATION_SCHEMA names types. */
function dataType(shown: string): string {
  const name = shown.split('(')[0] ?? shown
  return name === 'VARCHAR' ? 'TEXT' : name
}

const isoTime = (ms: string | undefined): string | null =>
  ms === undefined || !Number.isFinite(Number(ms)) ? null : new Date(Number(ms)).toISOString()

/** A view of INFORMATION_SCHEMA, or undefined when the name is none. @throws SqlError 000002 for one that is not there. */
export function informationSchema(
  parts: readonly string[],
  session: Session,
  context: SqlContext,
): CatalogTable | undefined {
  const name = parts.at(-1) ?? ''
  const schema = parts.length > 1 ? parts.at(-2) : session.schema
  if (schema !== SCHEMA) return undefined
  const database = parts.length > 2 ? (parts[0] ?? '') : currentDatabase(session)
  checkDatabase(context.warehouse, database)
  const view = Object.hasOwn(VIEWS, name) ? VIEWS[name] : undefined
  if (view === undefined) throw unsupported(`${SCHEMA}.${name}`)
  const columns = Object.entries(view.columns).map(([column, type]) => ({
    name: column,
    type,
    sqlName: column,
  }))
  const rows = view.rows(database, context)
  const selects = rows.map(
    (row) =>
      `SELECT ${columns.map(({ name: column, type }, index) => `CAST(${literal(row[index] ?? null)} AS ${engineType(type)}) AS ${sqlName(column)}`).join(', ')}`,
  )
  const nothing = `SELECT ${columns.map(({ name: column, type }) => `CAST(NULL AS ${engineType(type)}) AS ${sqlName(column)}`).join(', ')} WHERE false`
  return {
    sql: `(${rows.length === 0 ? nothing : selects.join(' UNION ALL ')})`,
    columns,
    names: [database, SCHEMA, name],
  }
}

const literal = (value: Value): string =>
  value === null ? 'NULL' : typeof value === 'number' ? String(value) : sqlString(value)
