// ALTER SESSION, SHOW PARAMETERS and transactions, of which there are none.
import { SqlError, unsupported } from '../errors.ts'
import { listResult, type ResultSet, statusResult } from './result.ts'
import type { Statement } from './session.ts'
import type { TokenReader } from './token-reader.ts'

const DONE = 'Statement executed successfully.'
const PARAMETERS_MAX = 200

/** After `ALTER SESSION`: all of it or, when one parameter is refused, nothing. Only what is obeyed, or changes no answer, is taken. */
export function alterSession(reader: TokenReader, { session }: Statement): ResultSet {
  const parameters = (session.parameters ??= new Map<string, string>())
  const isUnset = reader.take('UNSET')
  if (!isUnset) reader.expect('SET')
  const changes = new Map<string, string>()
  do {
    const name = reader.expectName()
    if (!isKnown(name)) throw unsupported(`session parameter ${name}`)
    if (isUnset) {
      parameters.delete(name)
      continue
    }
    reader.expect('=')
    const sign = reader.take('-') ? '-' : ''
    if (reader.isAtEnd) throw reader.unexpected('a value')
    const value = `${sign}${reader.next().value}`
    check(name, value)
    changes.set(name, value)
  } while (reader.take(',') || !reader.isAtEnd)
  if (new Set([...parameters.keys(), ...changes.keys()]).size > PARAMETERS_MAX)
    throw new SqlError('000002', '0A000', `More than ${PARAMETERS_MAX} session parameters.`)
  for (const [name, value] of changes) parameters.set(name, value)
  return statusResult(DONE)
}

function check(name: string, value: string): void {
  const isValid =
    name === 'TIMEZONE' ? isTimeZone(value) : !SECONDS.has(name) || /^\d+$/.test(value)
  if (!isValid)
    throw new SqlError(
      '001008',
      '22023',
      `SQL compilation error:\ninvalid value [${value}] for parameter '${name}'`,
    )
  const wanted = FIXED_VALUES[name]
  if (wanted !== undefined && !wanted.includes(value.toUpperCase()))
    throw unsupported(`${name} = ${value}`)
}

const isKnown = (name: string): boolean =>
  FREE.has(name) || SECONDS.has(name) || Object.hasOwn(FIXED_VALUES, name) || OF_DRIVERS.test(name)

/** What drivers set for themselves; the server's answers do not depend on it. */
const OF_DRIVERS = /^(?:CLIENT|JDBC|ODBC|PYTHON|GO|NODEJS|DOTNET|SNOWPARK)_/
const SECONDS = new Set([
  'LOCK_TIMEOUT',
  'STATEMENT_QUEUED_TIMEOUT_IN_SECONDS',
  'STATEMENT_TIMEOUT_IN_SECONDS',
])
/** TIMEZONE has an effect; the others change no answer. */
const FREE = new Set([
  'ABORT_DETACHED_QUERY',
  'LOG_LEVEL',
  'METRIC_LEVEL',
  'MULTI_STATEMENT_COUNT',
  'QUERY_TAG',
  'TIMEZONE',
  'TRACE_LEVEL',
  'USE_CACHED_RESULT',
])

/** Parameters that change answers, with the values that are theirs here. */
const FIXED_VALUES: Readonly<Record<string, readonly string[]>> = {
  AUTOCOMMIT: ['TRUE'],
  BINARY_INPUT_FORMAT: ['HEX'],
  BINARY_OUTPUT_FORMAT: ['HEX'],
  DATE_INPUT_FORMAT: ['AUTO'],
  DATE_OUTPUT_FORMAT: ['AUTO', 'YYYY-MM-DD'],
  ERROR_ON_NONDETERMINISTIC_MERGE: ['TRUE'],
  ERROR_ON_NONDETERMINISTIC_UPDATE: ['FALSE'],
  JSON_INDENT: ['0'],
  QUOTED_IDENTIFIERS_IGNORE_CASE: ['FALSE'],
  ROWS_PER_RESULTSET: ['0'],
  STRICT_JSON_OUTPUT: ['FALSE'],
  TIMESTAMP_INPUT_FORMAT: ['AUTO'],
  TIMESTAMP_LTZ_OUTPUT_FORMAT: [''],
  TIMESTAMP_NTZ_OUTPUT_FORMAT: ['YYYY-MM-DD HH24:MI:SS.FF3'],
  TIMESTAMP_OUTPUT_FORMAT: ['YYYY-MM-DD HH24:MI:SS.FF3 TZHTZM'],
  TIMESTAMP_TYPE_MAPPING: ['TIMESTAMP_NTZ'],
  TIMESTAMP_TZ_OUTPUT_FORMAT: [''],
  TIME_INPUT_FORMAT: ['AUTO'],
  TIME_OUTPUT_FORMAT: ['AUTO', 'HH24:MI:SS'],
  TRANSACTION_ABORT_ON_ERROR: ['FALSE'],
  TRANSACTION_DEFAULT_ISOLATION_LEVEL: ['READ COMMITTED'],
  TWO_DIGIT_CENTURY_START: ['1970'],
  WEEK_OF_YEAR_POLICY: ['0'],
  WEEK_START: ['0'],
}

/** After BEGIN, START, COMMIT or ROLLBACK: done, and said to do nothing; undefined for another word. */
export function transaction(word: string, reader: TokenReader): ResultSet | undefined {
  if (!TRANSACTION_WORDS.has(word)) return undefined
  if (word === 'START') reader.expect('TRANSACTION')
  else if (!reader.take('WORK') && word === 'BEGIN') reader.take('TRANSACTION')
  if ((word === 'BEGIN' || word === 'START') && reader.take('NAME')) reader.expectName()
  reader.expectEnd()
  return statusResult(NO_TRANSACTIONS)
}

const NO_TRANSACTIONS =
  'Statement executed successfully. Every statement commits by itself in the embedded endpoint.'
const TRANSACTION_WORDS = new Set(['BEGIN', 'START', 'COMMIT', 'ROLLBACK'])

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
