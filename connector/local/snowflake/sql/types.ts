// Snowflake's type names for columns of Iceberg tables, and back.
import type { IcebergType, NewField, NewType } from '../../iceberg/types.ts'
import { SqlError, unsupported } from '../errors.ts'
import { quoteIfNeeded } from '../identifiers.ts'
import type { TokenReader } from './token-reader.ts'

const SIMPLE: Readonly<Record<string, string>> = {
  BOOLEAN: 'boolean',
  INT: 'int',
  INTEGER: 'int',
  SMALLINT: 'int',
  TINYINT: 'int',
  BYTEINT: 'int',
  LONG: 'long',
  BIGINT: 'long',
  FLOAT4: 'float',
  REAL: 'double',
  FLOAT: 'double',
  FLOAT8: 'double',
  DATE: 'date',
  UUID: 'uuid',
}
const TEXT = new Set(['STRING', 'VARCHAR', 'TEXT', 'CHAR', 'CHARACTER', 'NVARCHAR'])
const ZONELESS = new Set(['TIMESTAMP_NTZ', 'TIMESTAMPNTZ', 'DATETIME', 'TIMESTAMP'])
const ZONED = new Set(['TIMESTAMP_LTZ', 'TIMESTAMPLTZ'])
const STRING_LENGTH_MAX = 134_217_728

/** Reads a type, e.g. `NUMBER(10,2)`, `TIMESTAMP_LTZ(6)`, `OBJECT(a STRING NOT NULL, b ARRAY(INT))`. */
export function parseType(reader: TokenReader): NewType {
  const name = reader.expectName()
  const simple = SIMPLE[name]
  if (simple !== undefined) {
    // Iceberg's `float` has 4 bytes; Snowflake's FLOAT is a double everywhere else.
    return simple
  }
  if (name === 'DOUBLE') {
    reader.take('PRECISION')
    return 'double'
  }
  if (TEXT.has(name)) return textType(reader, name)
  if (name === 'BINARY' || name === 'VARBINARY') {
    parameters(reader)
    return 'binary'
  }
  if (name === 'FIXED') return `fixed[${parameters(reader)[0] ?? 1}]`
  if (['NUMBER', 'DECIMAL', 'NUMERIC'].includes(name)) return numberType(reader)
  if (ZONELESS.has(name)) return microseconds(reader, 'timestamp')
  if (ZONED.has(name)) return microseconds(reader, 'timestamptz')
  if (name === 'TIME') return microseconds(reader, 'time')
  if (name === 'OBJECT') return objectType(reader)
  if (name === 'ARRAY') return arrayType(reader)
  if (name === 'MAP') return mapType(reader)
  throw unsupportedType(name)
}

/** 091386-like: types that an Iceberg v2 table cannot have. */
const unsupportedType = (name: string): SqlError =>
  ['VARIANT', 'GEOGRAPHY', 'GEOMETRY', 'TIMESTAMP_TZ', 'TIMESTAMPTZ', 'VECTOR'].includes(name)
    ? new SqlError(
        '091386',
        '0A000',
        `SQL compilation error:\nUnsupported data type '${name}' for Iceberg tables of version 2.`,
      )
    : new SqlError('002040', '42601', `SQL compilation error:\nUnsupported data type '${name}'.`)

function parameters(reader: TokenReader): readonly number[] {
  const values: number[] = []
  if (!reader.take('(')) return values
  do values.push(reader.expectInteger())
  while (reader.take(','))
  reader.expect(')')
  return values
}

function textType(reader: TokenReader, name: string): NewType {
  const [length] = parameters(reader)
  if (length !== undefined && length !== STRING_LENGTH_MAX && length !== 16_777_216)
    throw new SqlError(
      '091386',
      '0A000',
      `SQL compilation error:\nAn Iceberg table has no ${name}(${length}); use STRING, or the maximum length.`,
    )
  return 'string'
}

function numberType(reader: TokenReader): NewType {
  const [precision = 38, scale = 0] = parameters(reader)
  if (precision < 1 || precision > 38 || scale < 0 || scale > precision)
    throw new SqlError(
      '002262',
      '42601',
      `SQL compilation error:\nInvalid NUMBER(${precision},${scale}).`,
    )
  if (scale === 0 && precision === 10) return 'int'
  return scale === 0 && precision === 19 ? 'long' : `decimal(${precision},${scale})`
}

function microseconds(reader: TokenReader, type: string): NewType {
  const [precision = 6] = parameters(reader)
  if (precision !== 6)
    throw new SqlError(
      '091386',
      '0A000',
      `SQL compilation error:\nIceberg stores microseconds: precision 6, not ${precision}.`,
    )
  return type
}

function objectType(reader: TokenReader): NewType {
  if (!reader.take('(')) throw unsupported('OBJECT without declared keys in an Iceberg table')
  const fields: NewField[] = []
  do {
    // Keys of structured objects keep their case, quoted or not.
    const token = reader.next()
    if (token.kind !== 'word' && token.kind !== 'quoted') throw reader.unexpected('a key', token)
    const name = token.kind === 'word' ? token.text : token.value
    const type = parseType(reader)
    fields.push({ name, type, required: notNull(reader) })
  } while (reader.take(','))
  reader.expect(')')
  return { type: 'struct', fields }
}

function arrayType(reader: TokenReader): NewType {
  if (!reader.take('(')) throw unsupported('ARRAY without an element type in an Iceberg table')
  const element = parseType(reader)
  const elementRequired = notNull(reader)
  reader.expect(')')
  return { type: 'list', element, elementRequired }
}

function mapType(reader: TokenReader): NewType {
  reader.expect('(')
  const key = parseType(reader)
  reader.expect(',')
  const value = parseType(reader)
  const valueRequired = notNull(reader)
  reader.expect(')')
  return { type: 'map', key, value, valueRequired }
}

const notNull = (reader: TokenReader): boolean => {
  if (reader.take('NOT', 'NULL')) return true
  reader.take('NULL')
  return false
}

const SHOWN: Readonly<Record<string, string>> = {
  boolean: 'BOOLEAN',
  int: 'NUMBER(10,0)',
  long: 'NUMBER(19,0)',
  float: 'FLOAT',
  double: 'FLOAT',
  string: `VARCHAR(${STRING_LENGTH_MAX})`,
  binary: 'BINARY(67108864)',
  date: 'DATE',
  time: 'TIME(6)',
  timestamp: 'TIMESTAMP_NTZ(6)',
  timestamptz: 'TIMESTAMP_LTZ(6)',
  uuid: 'BINARY(16)',
}

/** A column's type as DESCRIBE shows it. */
export function snowflakeType(type: IcebergType): string {
  if (typeof type === 'string') {
    const decimal = /^decimal\((\d+), ?(\d+)\)$/.exec(type)
    if (decimal !== null) return `NUMBER(${decimal[1]},${decimal[2]})`
    const fixed = /^fixed\[(\d+)\]$/.exec(type)
    return fixed === null ? (SHOWN[type] ?? type.toUpperCase()) : `BINARY(${fixed[1]})`
  }
  const item = (of: IcebergType, required: boolean): string =>
    `${snowflakeType(of)}${required ? ' NOT NULL' : ''}`
  if (type.type === 'struct')
    return `OBJECT(${type.fields
      .map(({ name, type: of, required }) => `${keyText(name)} ${item(of, required)}`)
      .join(', ')})`
  if (type.type === 'list') return `ARRAY(${item(type.element, type['element-required'])})`
  return `MAP(${snowflakeType(type.key)}, ${item(type.value, type['value-required'])})`
}

const keyText = (name: string): string => (/^[A-Za-z_]\w*$/.test(name) ? name : quoteIfNeeded(name))
