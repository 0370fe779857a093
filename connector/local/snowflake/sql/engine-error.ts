// What the query engine complains of, in Snowflake's codes.
import { ConnectError, toMessage } from '../../../api/errors.ts'
import { SqlError } from '../errors.ts'

const KNOWN: readonly (readonly [RegExp, string, string, (match: RegExpExecArray) => string])[] = [
  [/Division by zero/i, '100051', '22012', () => 'Division by zero'],
  [
    /Error parsing JSON: (.*)/,
    '100069',
    '22P02',
    ([, text]) => `Error parsing JSON: ${text ?? ''}`,
  ],
  [
    /Duplicate field key '(.*)'/,
    '100103',
    '22000',
    ([, key]) => `Duplicate field key '${key ?? ''}'`,
  ],
  [/Boolean value '(.*)' is not recognized/, '100037', '22018', ([text]) => text],
  [
    /Could not convert string ["'](.*?)["'] to (?:DECIMAL|DOUBLE|INT|BIGINT|HUGEINT)/,
    '100038',
    '22018',
    ([, text]) => `Numeric value '${text ?? ''}' is not recognized`,
  ],
  [
    /(?:timestamp|date|time) field value out of range: "(.*?)"|invalid (?:timestamp|date|time) field format: "(.*?)"|Could not parse string "(.*?)"/i,
    '100035',
    '22007',
    ([, a, b, c]) => `Timestamp '${a ?? b ?? c ?? ''}' is not recognized`,
  ],
  [/out of range|Overflow/i, '100046', '22003', () => 'Number out of representable range'],
  [
    /must appear in the GROUP BY|cannot contain (?:aggregates|window)/i,
    '000979',
    '42601',
    ([text]) => text,
  ],
  [
    /More than one row returned by a subquery/i,
    '090150',
    '22000',
    () => 'Single-row subquery returns more than one row.',
  ],
]

/** The engine's error as Snowflake would say it; what has no such form says that it comes from the engine. */
export function engineError(error: unknown): SqlError {
  const message = toMessage(error).split('\n')[0] ?? ''
  for (const [pattern, code, state, text] of KNOWN) {
    const match = pattern.exec(message)
    if (match !== null) return new SqlError(code, state, text(match), { cause: error })
  }
  return new SqlError('000904', '42000', `SQL compilation error:\n${message}`, { cause: error })
}

/** True for errors that already say what is wrong in words of ours. */
export const isOwnError = (error: unknown): boolean => error instanceof ConnectError
