// SQL text for DuckDB: how NDJSON becomes typed columns, and how files of older schemas read as the newest.
import { isList, isMap, isStruct, parsePrimitive, sameLayout } from './schema.ts'
import type { IcebergField, IcebergMap, IcebergStruct, IcebergType } from './types.ts'

export const identifier = (name: string): string => `"${name.replaceAll('"', '""')}"`
export const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`

const PRIMITIVES: Readonly<Record<string, string>> = {
  boolean: 'BOOLEAN',
  int: 'INTEGER',
  long: 'BIGINT',
  float: 'FLOAT',
  double: 'DOUBLE',
  date: 'DATE',
  time: 'TIME',
  timestamp: 'TIMESTAMP',
  timestamptz: 'TIMESTAMPTZ',
  string: 'VARCHAR',
  uuid: 'UUID',
  binary: 'BLOB',
}

/** The type that a column of this Iceberg type has in DuckDB. */
export function duckType(type: IcebergType): string {
  if (typeof type === 'string') {
    const primitive = parsePrimitive(type)
    return primitive.name === 'decimal'
      ? `DECIMAL(${primitive.precision},${primitive.scale})`
      : (PRIMITIVES[primitive.name] ?? 'VARCHAR')
  }
  if (isStruct(type)) {
    return `STRUCT(${type.fields.map((f) => `${identifier(f.name)} ${duckType(f.type)}`).join(', ')})`
  }
  if (isList(type)) return `${duckType(type.element)}[]`
  return `MAP(${duckType(type.key)}, ${duckType(type.value)})`
}

const isBytes = (type: IcebergType): boolean => type === 'binary'

/** The type as which `read_json` reads a value of this type: bytes are base64 text, maps are lists of pairs. */
function jsonType(type: IcebergType): string {
  if (isBytes(type)) return 'VARCHAR'
  if (typeof type === 'string') return duckType(type)
  if (isStruct(type)) {
    return `STRUCT(${type.fields.map((f) => `${identifier(f.name)} ${jsonType(f.type)}`).join(', ')})`
  }
  return isList(type) ? `${jsonType(type.element)}[]` : 'JSON[][]'
}

interface Source {
  readonly sql: string
  readonly depth: number
}

/** From a value as `read_json` gives it to the column's value. Returns `sql` itself where they are the same. */
function fromJson({ sql, depth }: Source, type: IcebergType): string {
  if (typeof type === 'string') return primitiveFromJson(sql, type)
  const inner = { sql: `x${depth}`, depth: depth + 1 }
  if (isStruct(type)) {
    const parts = type.fields.map((f) => {
      const raw = `struct_extract(${sql}, ${literal(f.name)})`
      const required = f.required ? f.name : undefined
      return {
        f,
        raw,
        sql: checked(required, `${raw} IS NULL`, fromJson({ sql: raw, depth }, f.type)),
      }
    })
    if (parts.every((part) => part.sql === part.raw)) return sql
    return structOf(
      `${sql} IS NULL`,
      parts.map((part) => [part.f.name, part.sql]),
    )
  }
  if (isMap(type)) return mapOf({ sql, depth }, type)
  const required = type['element-required'] ? 'element' : undefined
  const element = checked(required, `${inner.sql} IS NULL`, fromJson(inner, type.element))
  return element === inner.sql ? sql : `list_transform(${sql}, lambda ${inner.sql}: ${element})`
}

/** From a value of type JSON[][], a list of pairs. Below it the keys and values are JSON, whose types differ. */
function mapOf({ sql, depth }: Source, type: IcebergMap): string {
  const pair = `x${depth}`
  const part = (index: number, of: IcebergType, required: string | undefined): string => {
    const raw = `${pair}[${index}]`
    return checked(required, isNullJson(raw), fromJsonValue({ sql: raw, depth: depth + 1 }, of))
  }
  const key = part(1, type.key, 'key')
  const value = part(2, type.value, type['value-required'] ? 'value' : undefined)
  return `map_from_entries(list_transform(${sql}, lambda ${pair}: {'k': ${key}, 'v': ${value}}))`
}

/** From a value of type JSON to the column's value. */
function fromJsonValue({ sql, depth }: Source, type: IcebergType): string {
  const strict = (structure: string) => `json_transform_strict(${sql}, ${literal(structure)})`
  if (typeof type === 'string') {
    return primitiveFromJson(strict(JSON.stringify(jsonType(type))), type)
  }
  if (isStruct(type)) {
    return structOf(
      isNullJson(sql),
      type.fields.map((f) => {
        const pointer = `/${f.name.replaceAll('~', '~0').replaceAll('/', '~1')}`
        const raw = `json_extract(${sql}, ${literal(pointer)})`
        const required = f.required ? f.name : undefined
        const value = fromJsonValue({ sql: raw, depth }, f.type)
        return [f.name, checked(required, isNullJson(raw), value)]
      }),
    )
  }
  if (isMap(type)) return mapOf({ sql: strict('[["JSON"]]'), depth }, type)
  const inner = { sql: `x${depth}`, depth: depth + 1 }
  const required = type['element-required'] ? 'element' : undefined
  const element = checked(required, isNullJson(inner.sql), fromJsonValue(inner, type.element))
  return `list_transform(${strict('["JSON"]')}, lambda ${inner.sql}: ${element})`
}

const isNullJson = (sql: string): string => `coalesce(json_type(${sql}) = 'NULL', true)`

const structOf = (isNull: string, fields: readonly (readonly [string, string])[]): string =>
  `CASE WHEN ${isNull} THEN NULL ELSE {${fields.map(([name, sql]) => `${literal(name)}: ${sql}`).join(', ')}} END`

/** The value, or an error where something required is null. */
function checked(required: string | undefined, isNull: string, value: string): string {
  if (required === undefined) return value
  return `CASE WHEN ${isNull} THEN error(${literal(`${required} is required and was null`)}) ELSE ${value} END`
}

const primitiveFromJson = (sql: string, type: string): string =>
  isBytes(type) ? `from_base64(${sql})` : sql

/** SELECT over an NDJSON file, typed as the schema; fails on the first value that does not fit. */
export function selectFromNdjson(schema: IcebergStruct, file: string): string {
  const columns = schema.fields.map((f) => `${literal(f.name)}: ${literal(jsonType(f.type))}`)
  const select = schema.fields.map((f) => {
    const name = identifier(f.name)
    const value = fromJson({ sql: name, depth: 0 }, f.type)
    return `${checked(f.required ? f.name : undefined, `${name} IS NULL`, value)} AS ${name}`
  })
  const options = `format='newline_delimited', auto_detect=false, records='true', maximum_object_size=${OBJECT_BYTES_MAX}`
  return `SELECT ${select.join(', ')} FROM read_json(${literal(file)}, ${options}, columns={${columns.join(', ')}})`
}
const OBJECT_BYTES_MAX = 16 * 1024 * 1024

/** What `FIELD_IDS` of COPY takes for the schema. */
export function fieldIds(schema: IcebergStruct): string {
  return `{${schema.fields.map((f) => `${literal(f.name)}: ${idsOf(f.id, f.type)}`).join(', ')}}`
}

function idsOf(id: number, type: IcebergType): string {
  if (typeof type === 'string') return String(id)
  const own = `__duckdb_field_id: ${id}`
  if (isStruct(type)) {
    const fields = type.fields.map((f) => `${literal(f.name)}: ${idsOf(f.id, f.type)}`)
    return `{${[own, ...fields].join(', ')}}`
  }
  if (isList(type)) return `{${own}, element: ${idsOf(type['element-id'], type.element)}}`
  return `{${own}, key: ${idsOf(type['key-id'], type.key)}, value: ${idsOf(type['value-id'], type.value)}}`
}

/** A value of a file's type, found by field id, as a value of the wanted type. */
function project({ sql, depth }: Source, from: IcebergType, to: IcebergType): string {
  if (sameLayout(from, to)) return sql
  const inner = { sql: `x${depth}`, depth: depth + 1 }
  if (isStruct(from) && isStruct(to)) {
    const fields = to.fields.map((field) => {
      const source = from.fields.find(({ id }) => id === field.id)
      const value = fieldOf(source, field, (f) => ({
        sql: `struct_extract(${sql}, ${literal(f.name)})`,
        depth,
      }))
      return `${literal(field.name)}: ${value}`
    })
    return `CASE WHEN ${sql} IS NULL THEN NULL ELSE {${fields.join(', ')}} END`
  }
  if (isList(from) && isList(to)) {
    return `list_transform(${sql}, lambda ${inner.sql}: ${project(inner, from.element, to.element)})`
  }
  if (isMap(from) && isMap(to)) {
    const key = project({ ...inner, sql: `${inner.sql}.key` }, from.key, to.key)
    const value = project({ ...inner, sql: `${inner.sql}.value` }, from.value, to.value)
    return `map_from_entries(list_transform(map_entries(${sql}), lambda ${inner.sql}: {'k': ${key}, 'v': ${value}}))`
  }
  return `CAST(${sql} AS ${duckType(to)})`
}

function fieldOf(
  source: IcebergField | undefined,
  field: IcebergField,
  locate: (source: IcebergField) => Source,
): string {
  if (source === undefined) return `CAST(NULL AS ${duckType(field.type)})`
  return project(locate(source), source.type, field.type)
}

/** Files written under one schema. */
export interface FileGroup {
  readonly schema: IcebergStruct
  readonly paths: readonly string[]
}

/** SELECT over Parquet files of several schemas, read by field id, columns named and typed as in `schema`. */
export function selectFromFiles(schema: IcebergStruct, groups: readonly FileGroup[]): string {
  const selects = groups.map((group) => {
    const columns = schema.fields.map((field) => {
      const source = group.schema.fields.find(({ id }) => id === field.id)
      const value = fieldOf(source, field, (f) => ({ sql: identifier(f.name), depth: 0 }))
      return `${value} AS ${identifier(field.name)}`
    })
    const files = group.paths.map(literal).join(', ')
    return `SELECT ${columns.join(', ')} FROM read_parquet([${files}], hive_partitioning=false)`
  })
  if (selects.length > 0) return selects.join(' UNION ALL ')
  const columns = schema.fields.map(
    (f) => `CAST(NULL AS ${duckType(f.type)}) AS ${identifier(f.name)}`,
  )
  return `SELECT ${columns.join(', ')} WHERE false`
}
