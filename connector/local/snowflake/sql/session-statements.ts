// ALTER SESSION, SHOW PARAMETERS and transactions, of which there are none.
import { SqlError, unsupported } from '../errors.ts'
import { listResult, type ResultSet, statusResult } from './result.ts'
import type { Statement } from './session.ts'
import type { TokenReader } from './token-reader.ts'

const DONE = 'Statement executed successfully.'
const PARAMETERS_MAX = 200

/** After `ALTER SESSION`. TIMEZONE has an effect; the others are kept and shown. */
export function alterSession(reader: TokenReader, { session }: Statement): ResultSet {
  const parameters = (session.parameters ??= new Map<string, string>())
  const isUnset = reader.take('UNSET')
  if (!isUnset) reader.expect('SET')
  do {
    const name = reader.expectName()
    if (isUnset) {
      parameters.delete(name)
      continue
    }
    reader.expect('=')
    const sign = reader.take('-') ? '-' : ''
    const value = `${sign}${reader.next().value}`
    check(name, value)
    if (parameters.size >= PARAMETERS_MAX && !parameters.has(name))
      throw new SqlError('000002', '0A000', `More than ${PARAMETERS_MAX} session parameters.`)
    parameters.set(name, value)
  } while (reader.take(',') || !reader.isAtEnd)
  return statusResult(DONE)
}

function check(name: string, value: string): void {
  if (name === 'TIMEZONE' && !isTimeZone(value))
    throw new SqlError(
      '001008',
      '22023',
      `SQL compilation error:\ninvalid value [${value}] for parameter 'TIMEZONE'`,
    )
  const wanted = FIXED_VALUES[name]
  if (wanted !== undefined && !wanted.includes(value.toUpperCase()))
    throw unsupported(`${name} = ${value}`)
}

/** Parameters that change answers, with the values that are theirs here. */
const FIXED_VALUES: Readonly<Record<string, readonly string[]>> = {
  AUTOCOMMIT: ['TRUE'],
  TIMESTAMP_TYPE_MAPPING: ['TIMESTAMP_NTZ'],
  WEEK_START: ['0'],
  WEEK_OF_YEAR_POLICY: ['0'],
  QUOTED_IDENTIFIERS_IGNORE_CASE: ['FALSE'],
  BINARY_OUTPUT_FORMAT: ['HEX'],
}

function isTimeZone(value: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: value }).resolvedOptions().timeZone !== ''
  } catch {
    // RangeError: there is no such zone.
    return false
  }
}

/** After `SHOW PARAMETERS`. */
export function showParameters(reader: TokenReader, { session }: Statement): ResultSet {
  const like = reader.take('LIKE') ? reader.expectString().toUpperCase().replaceAll('%', '') : ''
  const known = new Map([['TIMEZONE', 'UTC'], ...(session.parameters ?? [])])
  const rows = [...known]
    .filter(([name]) => name.includes(like))
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
  return listResult(
    ['key', 'value', 'default', 'level', 'description', 'type'],
    rows.map(([name, value]) => [
      name,
      value,
      name === 'TIMEZONE' ? 'UTC' : '',
      session.parameters?.has(name) === true ? 'SESSION' : '',
      '',
      'STRING',
    ]),
  )
}
