// Texts and regular expressions. Positions count from 1, and a position of 0 means 1.
import { SqlError, unsupported } from '../../../errors.ts'
import { sqlString } from '../../tokens.ts'
import { cast } from '../casts.ts'
import { ARRAY, BINARY, BOOLEAN, fixed, TEXT, type Typed } from '../sql-types.ts'
import {
  type CallInput,
  coerce,
  constantInteger,
  constantText,
  define,
  type FunctionDefinition,
  MANY,
} from './definition.ts'

const INT = fixed()
const big = (sql: string): string => `CAST(${sql} AS BIGINT)`
/** NULL stays NULL: the engine's greatest() would pass over it. */
const atLeast = (sql: string, min: number): string =>
  `CASE WHEN ${sql} < ${min} THEN ${min} ELSE ${sql} END`

const substring = define('text int int?', TEXT, (s, from, length) => {
  const start = `CASE WHEN ${big(from ?? '1')} = 0 THEN 1 ELSE ${big(from ?? '1')} END`
  const count = length === undefined ? '' : `, ${atLeast(big(length), 0)}`
  return `CASE WHEN ${big(from ?? '1')} < -length(${s}) THEN '' ELSE substr(${s}, ${start}${count}) END`
})

const trim = (name: string): FunctionDefinition =>
  define('text text?', TEXT, (s, characters) => `${name}(${s}, ${characters ?? "' '"})`)

const pad = (name: string): FunctionDefinition =>
  define(
    'text int text?',
    TEXT,
    (s, n, fill) => `${name}(${s}, CAST(${atLeast(n ?? '0', 0)} AS INTEGER), ${fill ?? "' '"})`,
  )

const positionOf = define('text text int?', INT, (part, s, from) => {
  if (from === undefined) return `instr(${s}, ${part})`
  const start = `(${atLeast(big(from), 1)})`
  return `CASE instr(substr(${s}, ${start}), ${part}) WHEN 0 THEN 0 ELSE instr(substr(${s}, ${start}), ${part}) + ${start} - 1 END`
})

/** Strings joined; NULL when any is. Binary with binary stays binary. */
export function concat(args: readonly Typed[], zone: string): Typed {
  const isBinary = args.length > 0 && args.every(({ type }) => type.kind === 'binary')
  if (isBinary) return { sql: `(${args.map(({ sql }) => sql).join(' || ')})`, type: BINARY }
  return { sql: `(${args.map((arg) => cast(arg, TEXT, { zone }).sql).join(' || ')})`, type: TEXT }
}

function concatWith({ args, zone }: CallInput): Typed {
  const texts = args.map((arg) => cast(arg, TEXT, { zone }).sql)
  const [separator = "''", ...rest] = texts
  return {
    sql: `CASE WHEN ${texts.map((sql) => `${sql} IS NULL`).join(' OR ')} THEN NULL ELSE concat_ws(${separator}, ${rest.join(', ')}) END`,
    type: TEXT,
  }
}

const FLAGS: Readonly<Record<string, string>> = { c: 'c', i: 'i', m: 'm', s: 's' }

/** Flags of regular expressions; the last of `c` and `i` counts. `e` is read by who knows groups. */
function flags(input: CallInput, index: number): string {
  if (input.args.length <= index) return ''
  return Array.from(constantText(input, index).replaceAll('e', ''))
    .map((flag) => FLAGS[flag] ?? refuseFlag(input.name, flag))
    .join('')
}

function refuseFlag(name: string, flag: string): never {
  throw unsupported(`${name} with the parameter '${flag}'`)
}

/** The arguments as texts, from the beginning. */
const texts = ({ args, zone }: CallInput, count: number): readonly string[] =>
  args.slice(0, count).map((arg) => coerce(arg, 'text', zone).sql)

function regexpLike(input: CallInput): Typed {
  const [subject, pattern] = texts(input, 2)
  return {
    sql: `regexp_full_match(${subject}, ${pattern}, ${sqlString(flags(input, 2))})`,
    type: BOOLEAN,
  }
}

function matches(input: CallInput, flagIndex: number, group: number): string {
  const [subject, pattern] = texts(input, 2)
  const from =
    input.args[2] === undefined ? undefined : coerce(input.args[2], 'int', input.zone).sql
  const rest = from === undefined ? subject : `substr(${subject}, ${big(from)})`
  return `regexp_extract_all(${rest}, ${pattern}, ${group}, ${sqlString(flags(input, flagIndex))})`
}

function regexpSubstr(input: CallInput): Typed {
  const hasE = input.args.length > 4 && constantText(input, 4).includes('e')
  const group = input.args.length > 5 ? constantInteger(input, 5) : hasE ? 1 : 0
  const occurrence = input.args.length > 3 ? constantInteger(input, 3) : 1
  if (occurrence < 1)
    throw new SqlError(
      '100009',
      '22023',
      `Invalid occurrence ${occurrence}; it has to be at least 1.`,
    )
  return { sql: `(${matches(input, 4, group)})[${occurrence}]`, type: TEXT }
}

function regexpReplace(input: CallInput): Typed {
  const [subject, pattern, replacement = "''"] = texts(input, 3)
  if (input.args.length > 3 && constantInteger(input, 3) !== 1)
    throw unsupported('REGEXP_REPLACE from another position')
  const occurrence = input.args.length > 4 ? constantInteger(input, 4) : 0
  if (occurrence > 1)
    throw unsupported('REGEXP_REPLACE of another occurrence than all or the first')
  const options = `${occurrence === 0 ? 'g' : ''}${flags(input, 5)}`
  return {
    sql: `regexp_replace(${subject}, ${pattern}, ${replacement}, ${sqlString(options)})`,
    type: TEXT,
  }
}

const special = (
  min: number,
  max: number,
  build: (input: CallInput) => Typed,
): FunctionDefinition => ({ min, max, build })

function sha2({ args, zone, name, expressions }: CallInput): Typed {
  const [first] = args
  if (first === undefined) throw unsupported(name)
  if (
    args.length > 1 &&
    (expressions[1]?.kind !== 'number' || !['256', '0'].includes(expressions[1].text))
  )
    throw unsupported(`${name} of another size than 256`)
  return { sql: `sha256(${coerce(first, 'text', zone).sql})`, type: TEXT }
}

export const TEXTS: Readonly<Record<string, FunctionDefinition>> = {
  ASCII: define('text', INT, (s) => `CASE WHEN ${s} = '' THEN 0 ELSE unicode(${s}) END`),
  BASE64_DECODE_STRING: define('text', TEXT, (s) => `decode(from_base64(${s}))`),
  BASE64_ENCODE: define('text', TEXT, (s) => `to_base64(encode(${s}))`),
  BIT_LENGTH: define('text', INT, (s) => `strlen(${s}) * 8`),
  CHAR: define('int', TEXT, (n) => `chr(CAST(${n} AS INTEGER))`),
  CHARINDEX: positionOf,
  CHAR_LENGTH: define('text', INT, (s) => `length(${s})`),
  CHR: define('int', TEXT, (n) => `chr(CAST(${n} AS INTEGER))`),
  CONCAT: special(1, MANY, ({ args, zone }) => concat(args, zone)),
  CONCAT_WS: special(2, MANY, concatWith),
  CONTAINS: define('text text', BOOLEAN, (s, part) => `contains(${s}, ${part})`),
  EDITDISTANCE: define('text text', INT, (a, b) => `levenshtein(${a}, ${b})`),
  ENDSWITH: define('text text', BOOLEAN, (s, part) => `ends_with(${s}, ${part})`),
  HEX_ENCODE: define('text', TEXT, (s) => `hex(encode(${s}))`),
  INITCAP: define(
    'text',
    TEXT,
    (s) =>
      `array_to_string(list_transform(regexp_extract_all(lower(${s}), '[\\p{L}\\p{N}]+|[^\\p{L}\\p{N}]+'), lambda w: upper(w[1]) || w[2:]), '')`,
  ),
  JAROWINKLER_SIMILARITY: define(
    'text text',
    INT,
    (a, b) => `CAST(floor(jaro_winkler_similarity(upper(${a}), upper(${b})) * 100) AS INTEGER)`,
  ),
  LEFT: define('text int', TEXT, (s, n) => `left(${s}, ${atLeast(big(n ?? '0'), 0)})`),
  LEN: define('text', INT, (s) => `length(${s})`),
  LENGTH: special(1, 1, ({ args: [first], zone, name }) => {
    if (first === undefined) throw unsupported(name)
    if (first.type.kind === 'binary') return { sql: `octet_length(${first.sql})`, type: INT }
    return { sql: `length(${coerce(first, 'text', zone).sql})`, type: INT }
  }),
  LOWER: define('text', TEXT, (s) => `lower(${s})`),
  LPAD: pad('lpad'),
  LTRIM: trim('ltrim'),
  MD5: define('text', TEXT, (s) => `md5(${s})`),
  MD5_HEX: define('text', TEXT, (s) => `md5(${s})`),
  OCTET_LENGTH: define('text', INT, (s) => `strlen(${s})`),
  POSITION: positionOf,
  REGEXP_COUNT: special(2, 4, (input) => ({ sql: `len(${matches(input, 3, 0)})`, type: INT })),
  REGEXP_LIKE: special(2, 3, regexpLike),
  REGEXP_REPLACE: special(2, 6, regexpReplace),
  REGEXP_SUBSTR: special(2, 6, regexpSubstr),
  REPEAT: define('text int', TEXT, (s, n) => `repeat(${s}, ${atLeast(big(n ?? '0'), 0)})`),
  REPLACE: define(
    'text text text?',
    TEXT,
    (s, part, by) => `replace(${s}, ${part}, ${by ?? "''"})`,
  ),
  REVERSE: define('text', TEXT, (s) => `reverse(${s})`),
  RIGHT: define('text int', TEXT, (s, n) => `right(${s}, ${atLeast(big(n ?? '0'), 0)})`),
  RLIKE: special(2, 3, regexpLike),
  RPAD: pad('rpad'),
  RTRIM: trim('rtrim'),
  SHA1: define('text', TEXT, (s) => `sha1(${s})`),
  SHA1_HEX: define('text', TEXT, (s) => `sha1(${s})`),
  SHA2: special(1, 2, sha2),
  SHA2_HEX: special(1, 2, sha2),
  SPACE: define('int', TEXT, (n) => `repeat(' ', ${atLeast(big(n), 0)})`),
  // Nothing stands between any two characters, so an empty separator splits nothing.
  SPLIT: define(
    'text text',
    ARRAY,
    (s, by) =>
      `CASE WHEN ${by} = '' AND ${s} IS NOT NULL THEN json_array(${s}) ELSE to_json(string_split(${s}, ${by})) END`,
  ),
  SPLIT_PART: define(
    'text text int',
    TEXT,
    (s, by, n) =>
      `CASE WHEN ${by} = '' THEN CASE WHEN ${n} IN (-1, 0, 1) THEN ${s} WHEN ${n} IS NOT NULL AND ${s} IS NOT NULL THEN '' END ELSE split_part(${s}, ${by}, CASE WHEN ${n} = 0 THEN 1 ELSE ${big(n ?? '1')} END) END`,
  ),
  STARTSWITH: define('text text', BOOLEAN, (s, part) => `starts_with(${s}, ${part})`),
  SUBSTR: substring,
  SUBSTRING: substring,
  TRANSLATE: define('text text text', TEXT, (s, from, to) => `translate(${s}, ${from}, ${to})`),
  TRIM: trim('trim'),
  UNICODE: define('text', INT, (s) => `CASE WHEN ${s} = '' THEN 0 ELSE unicode(${s}) END`),
  UPPER: define('text', TEXT, (s) => `upper(${s})`),
  UUID_STRING: define('', TEXT, () => 'CAST(uuid() AS VARCHAR)'),
}
