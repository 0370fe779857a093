import { SqlError } from '../errors.ts'
import type { Bind } from './session.ts'
import { sqlString } from './tokens.ts'

const NUMBER = /^-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/

/** A bound value as a literal of the query engine. */
export function bindLiteral({ type, value }: Bind): string {
  if (value === null || value === undefined) return 'NULL'
  if (typeof value !== 'string')
    throw new SqlError(
      '002049',
      '42601',
      'SQL compilation error:\nOnly single values can be bound.',
    )
  switch (type.toUpperCase()) {
    case 'FIXED':
    case 'REAL':
      if (NUMBER.test(value)) return value
      throw new SqlError('100038', '22018', `Numeric value '${value}' is not recognized`)
    case 'BOOLEAN':
      return value === 'true' || value === '1' ? 'TRUE' : 'FALSE'
    case 'DATE':
      return `make_timestamp(${integer(value)} * 1000)::DATE`
    case 'TIMESTAMP_NTZ':
      return `make_timestamp_ns(${integer(value)})::TIMESTAMP`
    case 'TIMESTAMP_LTZ':
    case 'TIMESTAMP_TZ':
      return `make_timestamp_ns(${integer(value.split(' ')[0] ?? '')})::TIMESTAMP::TIMESTAMPTZ`
    default:
      return sqlString(value)
  }
}

function integer(value: string): string {
  if (/^-?\d{1,19}$/.test(value)) return value
  throw new SqlError('100035', '22007', `Timestamp '${value}' is not recognized`)
}
