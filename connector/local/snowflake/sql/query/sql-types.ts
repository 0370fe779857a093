// The types that expressions have, and which one two of them meet in.
import type { IcebergType } from '../../../iceberg/types.ts'
import { SqlError, unsupported } from '../../errors.ts'
import type { TypeName } from './ast.ts'

/**
 * Scalar kinds are Snowflake's. In the query engine: `fixed` is an integer or DECIMAL, `variant`, `object` and
 * `array` are JSON, `tz` is a struct of the instant and its offset in minutes; `struct`, `list` and `map` are the
 * structured columns of Iceberg tables.
 */
export type SqlType =
  | { readonly kind: 'fixed'; readonly precision: number; readonly scale: number }
  | { readonly kind: ScalarKind }
  | {
      readonly kind: 'struct'
      readonly fields: readonly { readonly name: string; readonly type: SqlType }[]
    }
  | { readonly kind: 'list'; readonly element: SqlType }
  | { readonly kind: 'map'; readonly key: SqlType; readonly value: SqlType }

export type ScalarKind =
  | 'real'
  | 'text'
  | 'boolean'
  | 'date'
  | 'time'
  | 'ntz'
  | 'ltz'
  | 'tz'
  | 'binary'
  | 'variant'
  | 'object'
  | 'array'
  | 'null'

/** An expression of the query engine with the type that Snowflake gives it. */
export interface Typed {
  readonly sql: string
  readonly type: SqlType
}

export const PRECISION_MAX = 38

export const fixed = (scale = 0, precision = PRECISION_MAX): SqlType => ({
  kind: 'fixed',
  precision: Math.min(precision, PRECISION_MAX),
  scale,
})
export const REAL: SqlType = { kind: 'real' }
export const TEXT: SqlType = { kind: 'text' }
export const BOOLEAN: SqlType = { kind: 'boolean' }
export const DATE: SqlType = { kind: 'date' }
export const TIME: SqlType = { kind: 'time' }
export const NTZ: SqlType = { kind: 'ntz' }
export const LTZ: SqlType = { kind: 'ltz' }
export const TZ: SqlType = { kind: 'tz' }
export const BINARY: SqlType = { kind: 'binary' }
export const VARIANT: SqlType = { kind: 'variant' }
export const OBJECT: SqlType = { kind: 'object' }
export const ARRAY: SqlType = { kind: 'array' }
export const NULL: SqlType = { kind: 'null' }

const NAMES: Readonly<Record<string, SqlType>> = {
  ...entries(['STRING', 'VARCHAR', 'TEXT', 'CHAR', 'CHARACTER', 'NVARCHAR'], TEXT),
  ...entries(['INT', 'INTEGER', 'BIGINT', 'SMALLINT', 'TINYINT', 'BYTEINT'], fixed()),
  ...entries(['FLOAT', 'DOUBLE', 'REAL', 'FLOAT4', 'FLOAT8'], REAL),
  ...entries(['TIMESTAMP', 'DATETIME', 'TIMESTAMP_NTZ', 'TIMESTAMPNTZ'], NTZ),
  ...entries(['TIMESTAMP_LTZ', 'TIMESTAMPLTZ'], LTZ),
  ...entries(['TIMESTAMP_TZ', 'TIMESTAMPTZ'], TZ),
  ...entries(['BINARY', 'VARBINARY'], BINARY),
  BOOLEAN,
  DATE,
  TIME,
  VARIANT,
  OBJECT,
  ARRAY,
}

function entries(names: readonly string[], type: SqlType): Readonly<Record<string, SqlType>> {
  return Object.fromEntries(names.map((name) => [name, type]))
}

/** The type of a cast. @throws SqlError 000002 for what is not supported. */
export function typeOfName({ name, parameters, element }: TypeName): SqlType {
  if (name === 'NUMBER' || name === 'DECIMAL' || name === 'NUMERIC') {
    const [precision = PRECISION_MAX, scale = 0] = parameters
    if (precision < 1 || precision > PRECISION_MAX || scale < 0 || scale > precision)
      throw new SqlError(
        '002262',
        '42601',
        `SQL compilation error:\nInvalid NUMBER(${precision},${scale}).`,
      )
    return fixed(scale, precision)
  }
  if (element !== undefined) throw unsupported('a cast to a structured ARRAY')
  const type = Object.hasOwn(NAMES, name) ? NAMES[name] : undefined
  if (type === undefined) throw unsupported(`a cast to ${name}`)
  return type
}

const ICEBERG: Readonly<Record<string, SqlType>> = {
  boolean: BOOLEAN,
  int: fixed(0, 10),
  long: fixed(0, 19),
  float: REAL,
  double: REAL,
  date: DATE,
  time: TIME,
  timestamp: NTZ,
  timestamptz: LTZ,
  string: TEXT,
  uuid: TEXT,
  binary: BINARY,
}

/** The type that a column of an Iceberg table has. */
export function typeOfIceberg(type: IcebergType): SqlType {
  if (typeof type === 'string') {
    const decimal = /^decimal\((\d+), ?(\d+)\)$/.exec(type)
    if (decimal !== null) return fixed(Number(decimal[2]), Number(decimal[1]))
    return ICEBERG[type] ?? BINARY
  }
  if (type.type === 'struct')
    return {
      kind: 'struct',
      fields: type.fields.map((field) => ({ name: field.name, type: typeOfIceberg(field.type) })),
    }
  if (type.type === 'list') return { kind: 'list', element: typeOfIceberg(type.element) }
  return { kind: 'map', key: typeOfIceberg(type.key), value: typeOfIceberg(type.value) }
}

export const isStructured = ({ kind }: SqlType): boolean =>
  kind === 'struct' || kind === 'list' || kind === 'map'
export const isSemiStructured = ({ kind }: SqlType): boolean =>
  kind === 'variant' || kind === 'object' || kind === 'array'
export const isTimestamp = ({ kind }: SqlType): boolean =>
  kind === 'ntz' || kind === 'ltz' || kind === 'tz'
export const isNumber = ({ kind }: SqlType): boolean => kind === 'fixed' || kind === 'real'

/** As Snowflake names it, e.g. in errors. */
export function typeText(type: SqlType): string {
  if (type.kind === 'fixed') return `NUMBER(${type.precision},${type.scale})`
  return TYPE_TEXTS[type.kind]
}

const TYPE_TEXTS: Readonly<Record<Exclude<SqlType['kind'], 'fixed'>, string>> = {
  real: 'FLOAT',
  text: 'VARCHAR(16777216)',
  boolean: 'BOOLEAN',
  date: 'DATE',
  time: 'TIME(9)',
  ntz: 'TIMESTAMP_NTZ(9)',
  ltz: 'TIMESTAMP_LTZ(9)',
  tz: 'TIMESTAMP_TZ(9)',
  binary: 'BINARY(8388608)',
  variant: 'VARIANT',
  object: 'OBJECT',
  array: 'ARRAY',
  null: 'NULL',
  struct: 'OBJECT',
  list: 'ARRAY',
  map: 'MAP',
}

/** Later kinds win when a text meets a value of that kind. */
const FROM_TEXT = new Set([
  'fixed',
  'real',
  'boolean',
  'date',
  'time',
  'ntz',
  'ltz',
  'tz',
  'binary',
])
const TEMPORAL = ['date', 'ntz', 'ltz', 'tz']
/** Wide enough for what JSON numbers are compared with. */
const VARIANT_NUMBER = fixed(12)

/**
 * The type in which values of two types are compared or put into one column. @throws SqlError 001065 when there
 * is none.
 */
export function commonType(a: SqlType, b: SqlType): SqlType {
  if (a.kind === 'null') return b
  if (b.kind === 'null') return a
  if (a.kind === 'fixed' && b.kind === 'fixed') {
    const scale = Math.max(a.scale, b.scale)
    return fixed(scale, Math.max(a.precision - a.scale, b.precision - b.scale) + scale)
  }
  if (isNumber(a) && isNumber(b)) return REAL
  if (isStructured(a) && isStructured(b) && a.kind === b.kind) return sameStructure(a, b)
  if (a.kind === b.kind) return a
  const [first, second] = [semi(a), semi(b)]
  if (isSemiStructured(first) && isSemiStructured(second)) return VARIANT
  if (isSemiStructured(first)) return fromVariant(b)
  if (isSemiStructured(second)) return fromVariant(a)
  if (a.kind === 'text' && FROM_TEXT.has(b.kind)) return b.kind === 'fixed' ? textNumber(b) : b
  if (b.kind === 'text' && FROM_TEXT.has(a.kind)) return a.kind === 'fixed' ? textNumber(a) : a
  const [left, right] = [TEMPORAL.indexOf(a.kind), TEMPORAL.indexOf(b.kind)]
  if (left !== -1 && right !== -1) return left > right ? a : b
  if (a.kind === 'boolean' && isNumber(b)) return a
  if (b.kind === 'boolean' && isNumber(a)) return b
  throw new SqlError(
    '001065',
    '22023',
    `SQL compilation error:\nCan not convert parameter of type [${typeText(b)}] into expected type [${typeText(a)}]`,
  )
}

const semi = (type: SqlType): SqlType => (isStructured(type) ? VARIANT : type)

/** Structured values that are not laid out alike meet as JSON. */
const sameStructure = (a: SqlType, b: SqlType): SqlType =>
  JSON.stringify(a) === JSON.stringify(b) ? a : VARIANT

const fromVariant = (type: SqlType): SqlType =>
  type.kind === 'fixed' && type.scale <= 12 ? VARIANT_NUMBER : type

/** A text that is compared with a number: its digits after the point count. */
const textNumber = (type: SqlType): SqlType =>
  type.kind === 'fixed' ? fixed(Math.max(type.scale, 12)) : type
