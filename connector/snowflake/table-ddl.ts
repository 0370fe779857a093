// The SQL that makes tables and changes them (pure text).
import { type Column, sqlType } from './column-type.ts'
import { qualified, quoted } from './identifiers.ts'
import { METADATA_COLUMN, METADATA_TYPE } from './metadata.ts'

export interface TableName {
  readonly database: string
  readonly schema: string
  readonly table: string
}

export type TableKind = 'iceberg' | 'snowflake'

const nameOf = ({ database, schema, table }: TableName): string =>
  qualified(database, schema, table)

/** Every table has this first. */
const METADATA: Column = { name: METADATA_COLUMN, type: METADATA_TYPE }

/** Rows that do not fit are kept in the error table, so that they can be looked at. Evolution is ours: by the schema, not by what JSON looks like. */
export function createTable(
  name: TableName,
  kind: TableKind,
  columns: readonly Column[],
  options: string,
): string {
  const list = [METADATA, ...columns].map((c) => `${quoted(c.name)} ${sqlType(c.type)}`).join(', ')
  const catalog = kind === 'iceberg' ? ` ${options} CATALOG = 'SNOWFLAKE'` : ''
  return `CREATE ${word(kind)}TABLE IF NOT EXISTS ${nameOf(name)} (${list})${catalog.replaceAll(/ +/g, ' ')} ERROR_LOGGING = TRUE`
}

/** IF NOT EXISTS: another worker may have been faster. */
export const addColumn = (name: TableName, kind: TableKind, column: Column): string =>
  `ALTER ${word(kind)}TABLE ${nameOf(name)} ADD COLUMN IF NOT EXISTS ${quoted(column.name)} ${sqlType(column.type)}`

export const widenColumn = (name: TableName, kind: TableKind, column: Column): string =>
  `ALTER ${word(kind)}TABLE ${nameOf(name)} ALTER COLUMN ${quoted(column.name)} SET DATA TYPE ${sqlType(column.type)}`

export const describeTable = (name: TableName): string => `DESCRIBE TABLE ${nameOf(name)}`

export const createSchema = ({ database, schema }: TableName): string =>
  `CREATE SCHEMA IF NOT EXISTS ${qualified(database, schema)}`

export const createDatabase = ({ database }: TableName): string =>
  `CREATE DATABASE IF NOT EXISTS ${quoted(database)}`

const word = (kind: TableKind): string => (kind === 'iceberg' ? 'ICEBERG ' : '')
