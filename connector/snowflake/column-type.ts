// Column types as Snowflake-managed Iceberg tables have them, their SQL, and which may stand for which.
import { fieldName } from './identifiers.ts'

export interface ObjectField {
  readonly name: string
  readonly type: ColumnType
}

export type ColumnType =
  | {
      readonly kind:
        | 'boolean'
        | 'float'
        | 'double'
        | 'string'
        | 'binary'
        | 'date'
        | 'time'
        | 'variant'
    }
  | { readonly kind: 'number'; readonly precision: number; readonly scale: number }
  | { readonly kind: 'timestamp'; readonly zone: 'ltz' | 'ntz' | 'tz' }
  | { readonly kind: 'object'; readonly fields: readonly ObjectField[] }
  | { readonly kind: 'array'; readonly element: ColumnType }
  | { readonly kind: 'map'; readonly value: ColumnType }
  /** A type that this connector does not know; it passes values on and leaves the judgement to Snowflake. */
  | { readonly kind: 'other'; readonly sql: string }

export interface Column {
  /** The stored name. */
  readonly name: string
  readonly type: ColumnType
}

export const INT: ColumnType = { kind: 'number', precision: 10, scale: 0 }
export const LONG: ColumnType = { kind: 'number', precision: 19, scale: 0 }

const SIMPLE = {
  boolean: 'BOOLEAN',
  float: 'FLOAT',
  double: 'DOUBLE',
  string: 'STRING',
  binary: 'BINARY',
  date: 'DATE',
  time: 'TIME(6)',
  variant: 'VARIANT',
} as const

/** The type as SQL. Iceberg keeps microseconds, and has INT and BIGINT beside decimals. */
export function sqlType(type: ColumnType): string {
  if (type.kind === 'number') return numberType(type.precision, type.scale)
  if (type.kind === 'timestamp') return `TIMESTAMP_${type.zone.toUpperCase()}(6)`
  if (type.kind === 'object') {
    return `OBJECT(${type.fields.map((f) => `${fieldName(f.name)} ${sqlType(f.type)}`).join(', ')})`
  }
  if (type.kind === 'array') return `ARRAY(${sqlType(type.element)})`
  if (type.kind === 'map') return `MAP(VARCHAR, ${sqlType(type.value)})`
  return type.kind === 'other' ? type.sql : SIMPLE[type.kind]
}

function numberType(precision: number, scale: number): string {
  if (scale === 0 && precision === 10) return 'INT'
  if (scale === 0 && precision === 19) return 'BIGINT'
  return `NUMBER(${precision},${scale})`
}

/** How a column's type has to change so that values of `wanted` fit. */
export type Fit =
  | { readonly kind: 'fits' }
  /** Iceberg-legal: a wider number, or more fields in an OBJECT. */
  | { readonly kind: 'widen'; readonly type: ColumnType }
  | { readonly kind: 'conflict' }

const FITS: Fit = { kind: 'fits' }
const CONFLICT: Fit = { kind: 'conflict' }

/** Whether values of type `wanted` can be stored in a column of type `column`, as it is or widened. */
export function fit(column: ColumnType, wanted: ColumnType): Fit {
  if (column.kind === 'other' || column.kind === 'variant') return FITS
  if (wanted.kind === 'number') {
    return column.kind === 'number' ? fitNumber(column, wanted) : fitFloat(column)
  }
  if (wanted.kind === 'float') return fitFloat(column)
  if (wanted.kind === 'double') {
    return column.kind === 'float' ? { kind: 'widen', type: wanted } : fitFloat(column)
  }
  if (wanted.kind === 'object' && column.kind === 'object') return fitObject(column, wanted)
  if (wanted.kind === 'array' && column.kind === 'array') {
    return inner(column.element, wanted.element, (element) => ({ kind: 'array', element }))
  }
  if (wanted.kind === 'map' && column.kind === 'map') {
    return inner(column.value, wanted.value, (value) => ({ kind: 'map', value }))
  }
  if (wanted.kind === 'timestamp' && column.kind === 'timestamp') {
    return (column.zone === 'ntz') === (wanted.zone === 'ntz') ? FITS : CONFLICT
  }
  return column.kind === wanted.kind ? FITS : CONFLICT
}

function fitFloat(column: ColumnType): Fit {
  return column.kind === 'double' || column.kind === 'float' ? FITS : CONFLICT
}

type NumberType = Extract<ColumnType, { kind: 'number' }>
type ObjectType = Extract<ColumnType, { kind: 'object' }>

/** Iceberg widens int to long, and a decimal's precision; never the scale. */
function fitNumber(column: NumberType, wanted: NumberType): Fit {
  const digits = (t: NumberType): number => t.precision - t.scale
  if (column.scale >= wanted.scale && digits(column) >= digits(wanted)) return FITS
  return column.scale === wanted.scale ? { kind: 'widen', type: wanted } : CONFLICT
}

function fitObject(column: ObjectType, wanted: ObjectType): Fit {
  const fields = [...column.fields]
  let widened = false
  for (const field of wanted.fields) {
    const at = fields.findIndex((candidate) => candidate.name === field.name)
    const existing = fields[at]
    if (existing === undefined) {
      fields.push(field)
      widened = true
      continue
    }
    const result = fit(existing.type, field.type)
    if (result.kind === 'conflict') return CONFLICT
    if (result.kind === 'widen') {
      fields[at] = { name: existing.name, type: result.type }
      widened = true
    }
  }
  return widened ? { kind: 'widen', type: { kind: 'object', fields } } : FITS
}

function inner(
  column: ColumnType,
  wanted: ColumnType,
  wrap: (type: ColumnType) => ColumnType,
): Fit {
  const result = fit(column, wanted)
  return result.kind === 'widen' ? { kind: 'widen', type: wrap(result.type) } : result
}

/** What a table lacks for rows with these columns. */
export interface TableDiff {
  readonly added: readonly Column[]
  readonly widened: readonly Column[]
  readonly conflicts: readonly {
    readonly name: string
    readonly table: string
    readonly record: string
  }[]
}

/** Compares a table's columns, by stored name, with those that rows need. */
export function diffColumns(
  table: ReadonlyMap<string, ColumnType>,
  wanted: readonly Column[],
): TableDiff {
  const added: Column[] = []
  const widened: Column[] = []
  const conflicts: { name: string; table: string; record: string }[] = []
  for (const column of wanted) {
    const existing = table.get(column.name)
    if (existing === undefined) {
      added.push(column)
      continue
    }
    const result = fit(existing, column.type)
    if (result.kind === 'widen') widened.push({ name: column.name, type: result.type })
    if (result.kind === 'conflict') {
      conflicts.push({
        name: column.name,
        table: sqlType(existing),
        record: sqlType(column.type),
      })
    }
  }
  return { added, widened, conflicts }
}
