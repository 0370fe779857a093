// VARIANT, OBJECT and ARRAY: JSON in the query engine. NULL inside JSON is not SQL's NULL.
import { unsupported } from '../../../errors.ts'
import { TokenReader } from '../../token-reader.ts'
import { sqlString } from '../../tokens.ts'
import { cast } from '../casts.ts'
import { jsonKeys, type PathKey, stepInto } from '../json-path.ts'
import {
  ARRAY,
  BINARY,
  BOOLEAN,
  DATE,
  fixed,
  isSemiStructured,
  isStructured,
  OBJECT,
  REAL,
  type SqlType,
  TEXT,
  type Typed,
  typeText,
  VARIANT,
} from '../sql-types.ts'
import {
  type CallInput,
  coerce,
  constantInteger,
  constantText,
  define,
  type FunctionDefinition,
  MANY,
} from './definition.ts'
import { toChar } from './time.ts'

const INT = fixed()
const special = (
  min: number,
  max: number,
  build: (input: CallInput) => Typed,
): FunctionDefinition => ({ min, max, build })

const first = ({ args: [value], name }: CallInput): Typed => {
  if (value === undefined) throw unsupported(`${name} without arguments`)
  return value
}

/** An object of keys and values; `keepNull` writes NULL as JSON's null instead of leaving the key out. */
export function objectOf(
  entries: readonly (readonly [Typed, Typed])[],
  keepNull: boolean,
  zone: string,
): Typed {
  if (entries.length === 0) return { sql: "CAST('{}' AS JSON)", type: OBJECT }
  const parts = entries.map(([key, value]) => {
    const name = cast(key, TEXT, { zone }).sql
    const json = coerce(value, 'variant', zone).sql
    const isLeft = keepNull ? `${name} IS NULL` : `${name} IS NULL OR ${json} IS NULL`
    return {
      name,
      used: `CASE WHEN ${isLeft} THEN NULL ELSE ${name} END`,
      entry: `CASE WHEN ${isLeft} THEN NULL ELSE CAST(to_json(${name}) AS VARCHAR) || ':' || coalesce(CAST(${json} AS VARCHAR), 'null') END`,
    }
  })
  const sql = `CAST('{' || array_to_string(list_sort(list_filter([${parts.map(({ entry }) => entry).join(', ')}], lambda e: e IS NOT NULL)), ',') || '}' AS JSON)`
  const names = new Set(parts.map(({ name }) => name))
  const isPlain = names.size === parts.length && [...names].every((name) => LITERAL.test(name))
  if (isPlain) return { sql, type: OBJECT }
  return { sql: uniqueKeys(`[${parts.map(({ used }) => used).join(', ')}]`, sql), type: OBJECT }
}

/** A text that the compiler wrote, so that texts that differ have values that differ. */
const LITERAL = /^'(?:[^']|'')*'$/

/** `sql`, or Snowflake's error when a text is twice in the list of keys; NULL is no key. */
export function uniqueKeys(keys: string, sql: string): string {
  const second = `list_filter(${keys}, lambda k, i: k IS NOT NULL AND list_position(${keys}, k) < i)`
  return `CASE WHEN len(${second}) > 0 THEN error('Duplicate field key ''' || ${second}[1] || '''') ELSE ${sql} END`
}

const construct = (keepNull: boolean): FunctionDefinition =>
  special(0, MANY, ({ args, zone, name }) => {
    if (args.length % 2 === 1) throw unsupported(`${name} of an odd number of arguments`)
    const entries: [Typed, Typed][] = []
    for (let index = 0; index < args.length; index += 2) {
      const [key, value] = [args[index], args[index + 1]]
      if (key !== undefined && value !== undefined) entries.push([key, value])
    }
    return objectOf(entries, keepNull, zone)
  })

export function arrayOf(items: readonly Typed[], zone: string): Typed {
  return {
    sql: `json_array(${items.map((item) => coerce(item, 'variant', zone).sql).join(', ')})`,
    type: ARRAY,
  }
}

const compact = (list: string): string => `to_json(list_filter([${list}], lambda e: e IS NOT NULL))`

/** A JSON array as a list of JSON, for the engine's list functions. */
const listOf = (sql: string): string => `CAST(json_extract(${sql}, '$[*]') AS JSON[])`
/** An element as the texts that lists are compared by. */
const onList = (
  parameters: string,
  result: SqlType,
  build: (...args: string[]) => string,
): FunctionDefinition =>
  define(parameters, result, (array, ...rest) => build(listOf(array ?? ''), ...rest))

function slice([array, from = '0', to = '0']: readonly string[]): string {
  const size = `json_array_length(${array})`
  const bound = (n: string): string =>
    `CASE WHEN ${n} < 0 THEN greatest(CAST(${size} AS BIGINT) + CAST(${n} AS BIGINT), 0) ELSE CAST(${n} AS BIGINT) END`
  return `to_json(coalesce(list_slice(${listOf(array ?? '')}, ${bound(from)} + 1, ${bound(to)}), CAST([] AS JSON[])))`
}

/** Keys of a path text such as `a.b[0]["c d"]`. */
function pathKeys(text: string): readonly PathKey[] {
  const reader = new TokenReader(text)
  const keys: PathKey[] = []
  while (!reader.isAtEnd) {
    if (reader.take('[')) {
      const token = reader.next()
      keys.push(token.kind === 'number' ? Number(token.text) : token.value)
      reader.expect(']')
      continue
    }
    if (keys.length > 0) reader.expect('.')
    const token = reader.next()
    if (token.kind !== 'word' && token.kind !== 'quoted') throw reader.unexpected('a key', token)
    keys.push(token.kind === 'word' ? token.text : token.value)
  }
  return keys
}

function get(input: CallInput): Typed {
  const key = input.args[1]
  if (key === undefined) throw unsupported('GET of one argument')
  const constant = input.expressions[1]
  if (constant?.kind === 'string') return stepInto(first(input), constant.text, input.zone)
  return dynamicStep(first(input), key, input.zone)
}

/** `base[key]` for a key that is computed. */
export function dynamicStep(base: Typed, key: Typed, zone: string): Typed {
  const json = coerce(base, 'variant', zone).sql
  if (key.type.kind === 'fixed')
    return {
      sql: `CASE WHEN ${key.sql} >= 0 AND json_type(${json}) = 'ARRAY' THEN json_extract(${json}, CAST(${key.sql} AS BIGINT)) END`,
      type: VARIANT,
    }
  const name = cast(key, TEXT, { zone }).sql
  return {
    sql: `CASE WHEN json_type(${json}) = 'OBJECT' THEN json_extract(${json}, '/' || replace(replace(${name}, '~', '~0'), '/', '~1')) END`,
    type: VARIANT,
  }
}

const TYPE_NAMES =
  "CASE json_type(#) WHEN 'VARCHAR' THEN 'VARCHAR' WHEN 'NULL' THEN 'NULL_VALUE' WHEN 'BIGINT' THEN 'INTEGER' WHEN 'UBIGINT' THEN 'INTEGER' WHEN 'HUGEINT' THEN 'INTEGER' WHEN 'DOUBLE' THEN CASE WHEN regexp_matches(CAST(# AS VARCHAR), '[eE]') THEN 'DOUBLE' WHEN regexp_matches(CAST(# AS VARCHAR), '[.]') THEN 'DECIMAL' ELSE 'INTEGER' END ELSE json_type(#) END"
const typeOf = (sql: string | undefined): string => TYPE_NAMES.replaceAll('#', sql ?? 'NULL')

const isType = (...names: readonly string[]): FunctionDefinition =>
  define('variant', BOOLEAN, (v) => `${typeOf(v)} IN (${names.map(sqlString).join(', ')})`)

const asType = (names: readonly string[], type: SqlType): FunctionDefinition =>
  special(1, 1, (input) => {
    const value = coerce(first(input), 'variant', input.zone)
    const is = `${typeOf(value.sql)} IN (${names.map(sqlString).join(', ')})`
    return {
      sql: `CASE WHEN ${is} THEN ${cast({ sql: value.sql, type: VARIANT }, type, { zone: input.zone, tolerant: true }).sql} END`,
      type,
    }
  })

const castTo = (type: SqlType, tolerant = false): FunctionDefinition =>
  special(1, 1, (input) => cast(first(input), type, { zone: input.zone, tolerant }))

/** TO_NUMBER(value [, precision, scale]). */
const toNumber = (tolerant: boolean): FunctionDefinition =>
  special(1, 3, (input) => {
    if (input.args.length > 1 && input.args[1]?.type.kind === 'text')
      throw unsupported(`${input.name} with a format`)
    const precision = input.args.length > 1 ? constantInteger(input, 1) : 38
    const scale = input.args.length > 2 ? constantInteger(input, 2) : 0
    return cast(first(input), fixed(scale, precision), { zone: input.zone, tolerant })
  })

/** True when an object of valid JSON, at any depth, has two values of one key. */
const repeatsKey = (text: string): string =>
  `len(list_filter(list_prepend(json(${text}), json_extract(${text}, '$..*')), lambda e: len(json_keys(e)) > len(list_distinct(json_keys(e))))) > 0`

const parse = (tolerant: boolean): FunctionDefinition =>
  special(1, 1, (input) => {
    const value = first(input)
    if (isSemiStructured(value.type)) return { sql: value.sql, type: VARIANT }
    const text = cast(value, TEXT, { zone: input.zone }).sql
    const repeated = tolerant
      ? 'NULL'
      : `error('Error parsing JSON: duplicate object attribute in ' || left(${text}, 80))`
    const otherwise = tolerant ? 'NULL' : `error('Error parsing JSON: ' || left(${text}, 80))`
    return {
      sql: `CASE WHEN trim(${text}) = '' THEN NULL WHEN json_valid(${text}) THEN CASE WHEN ${repeatsKey(text)} THEN ${repeated} ELSE json(${text}) END WHEN ${text} IS NULL THEN NULL ELSE ${otherwise} END`,
      type: VARIANT,
    }
  })

/** Aliases of Snowflake's for `IS_…` and `AS_…`. */
const INTEGERS = ['INTEGER']
const NUMBERS = ['INTEGER', 'DECIMAL']

function edit(input: CallInput): Typed {
  const [object, key, value] = input.args
  if (object === undefined || key === undefined || value === undefined)
    throw unsupported(input.name)
  const json = coerce(object, 'object', input.zone).sql
  const added = objectOf([[key, value]], false, input.zone).sql
  return { sql: `json_merge_patch(${json}, ${added})`, type: OBJECT }
}

export const SEMI_STRUCTURED: Readonly<Record<string, FunctionDefinition>> = {
  ARRAYS_OVERLAP: define(
    'array array',
    BOOLEAN,
    (a, b) =>
      `list_has_any(CAST(${listOf(a ?? '')} AS VARCHAR[]), CAST(${listOf(b ?? '')} AS VARCHAR[]))`,
  ),
  ARRAY_APPEND: onList(
    'array variant',
    ARRAY,
    (list, value) => `to_json(list_append(${list}, ${value}))`,
  ),
  ARRAY_CAT: define(
    'array array',
    ARRAY,
    (a, b) =>
      `CASE WHEN ${a} IS NULL OR ${b} IS NULL THEN NULL ELSE to_json(list_concat(${listOf(a ?? '')}, ${listOf(b ?? '')})) END`,
  ),
  ARRAY_COMPACT: onList(
    'array',
    ARRAY,
    (list) => `to_json(list_filter(${list}, lambda e: json_type(e) <> 'NULL'))`,
  ),
  ARRAY_CONSTRUCT: special(0, MANY, ({ args, zone }) => arrayOf(args, zone)),
  ARRAY_CONSTRUCT_COMPACT: special(0, MANY, ({ args, zone }) => ({
    sql:
      args.length === 0
        ? 'json_array()'
        : compact(args.map((arg) => coerce(arg, 'variant', zone).sql).join(', ')),
    type: ARRAY,
  })),
  ARRAY_CONTAINS: define(
    'variant array',
    BOOLEAN,
    (value, array) =>
      `list_contains(CAST(${listOf(array ?? '')} AS VARCHAR[]), CAST(${value} AS VARCHAR))`,
  ),
  ARRAY_DISTINCT: onList(
    'array',
    ARRAY,
    (list) =>
      `to_json(list_filter(${list}, lambda e, i: list_position(CAST(${list} AS VARCHAR[]), CAST(e AS VARCHAR)) = i))`,
  ),
  ARRAY_POSITION: define(
    'variant array',
    INT,
    (value, array) =>
      `list_position(CAST(${listOf(array ?? '')} AS VARCHAR[]), CAST(${value} AS VARCHAR)) - 1`,
  ),
  ARRAY_PREPEND: onList(
    'array variant',
    ARRAY,
    (list, value) => `to_json(list_prepend(${value}, ${list}))`,
  ),
  ARRAY_SIZE: special(1, 1, (input) => {
    const value = first(input)
    if (value.type.kind === 'list') return { sql: `len(${value.sql})`, type: INT }
    const json = coerce(value, 'variant', input.zone).sql
    return {
      sql: `CASE WHEN json_type(${json}) = 'ARRAY' THEN json_array_length(${json}) END`,
      type: INT,
    }
  }),
  ARRAY_SLICE: define('array int int', ARRAY, (...args) => slice(args)),
  ARRAY_TO_STRING: define(
    'array text',
    TEXT,
    (array, by) =>
      `array_to_string(list_transform(${listOf(array ?? '')}, lambda e: coalesce(json_extract_string(e, '$'), '')), ${by})`,
  ),
  AS_ARRAY: asType(['ARRAY'], ARRAY),
  AS_BOOLEAN: asType(['BOOLEAN'], BOOLEAN),
  AS_CHAR: asType(['VARCHAR'], TEXT),
  AS_DOUBLE: asType(['DOUBLE', ...NUMBERS], REAL),
  AS_INTEGER: asType(INTEGERS, INT),
  AS_OBJECT: asType(['OBJECT'], OBJECT),
  AS_VARCHAR: asType(['VARCHAR'], TEXT),
  CHECK_JSON: define(
    'text',
    TEXT,
    (s) =>
      `CASE WHEN ${s} IS NULL OR trim(${s}) = '' OR json_valid(${s}) THEN NULL ELSE 'not JSON' END`,
  ),
  GET: special(2, 2, get),
  GET_PATH: special(2, 2, (input) =>
    pathKeys(constantText(input, 1)).reduce<Typed>(
      (value, key) => stepInto(value, key, input.zone),
      first(input),
    ),
  ),
  IS_ARRAY: isType('ARRAY'),
  IS_BOOLEAN: isType('BOOLEAN'),
  IS_CHAR: isType('VARCHAR'),
  IS_DECIMAL: isType(...NUMBERS),
  IS_DOUBLE: isType('DOUBLE', ...NUMBERS),
  IS_INTEGER: isType(...INTEGERS),
  IS_NULL_VALUE: define('variant', BOOLEAN, (v) => `json_type(${v}) = 'NULL'`),
  IS_OBJECT: isType('OBJECT'),
  IS_REAL: isType('DOUBLE', ...NUMBERS),
  IS_VARCHAR: isType('VARCHAR'),
  MAP_KEYS: special(1, 1, (input) =>
    first(input).type.kind === 'map'
      ? { sql: `to_json(map_keys(${first(input).sql}))`, type: ARRAY }
      : refuseMap(input),
  ),
  MAP_SIZE: special(1, 1, (input) =>
    first(input).type.kind === 'map'
      ? { sql: `cardinality(${first(input).sql})`, type: INT }
      : refuseMap(input),
  ),
  OBJECT_CONSTRUCT: construct(false),
  OBJECT_CONSTRUCT_KEEP_NULL: construct(true),
  OBJECT_INSERT: special(3, 4, edit),
  OBJECT_KEYS: define('object', ARRAY, (o) => `to_json(${jsonKeys(o ?? '')})`),
  PARSE_JSON: parse(false),
  STRIP_NULL_VALUE: define(
    'variant',
    VARIANT,
    (v) => `CASE WHEN json_type(${v}) <> 'NULL' THEN ${v} END`,
  ),
  STRTOK_TO_ARRAY: define(
    'text text?',
    ARRAY,
    (s, by) =>
      `to_json(list_filter(string_split(translate(${s}, ${by ?? "' '"}, repeat(' ', length(${by ?? "' '"}))), ' '), lambda e: e <> ''))`,
  ),
  SYSTEM$TYPEOF: special(1, 1, (input) => ({
    sql: sqlString(typeText(first(input).type)),
    type: TEXT,
  })),
  TO_ARRAY: castTo(ARRAY),
  TO_BINARY: castTo(BINARY),
  TO_BOOLEAN: castTo(BOOLEAN),
  TO_CHAR: special(1, 2, toChar),
  TO_DECIMAL: toNumber(false),
  TO_DOUBLE: castTo(REAL),
  TO_JSON: special(1, 1, (input) => ({
    sql: `CAST(${coerce(first(input), 'variant', input.zone).sql} AS VARCHAR)`,
    type: TEXT,
  })),
  TO_NUMBER: toNumber(false),
  TO_NUMERIC: toNumber(false),
  TO_OBJECT: castTo(OBJECT),
  TO_VARCHAR: special(1, 2, toChar),
  TO_VARIANT: special(1, 1, (input) => ({
    sql: coerce(first(input), 'variant', input.zone).sql,
    type: VARIANT,
  })),
  TRY_PARSE_JSON: parse(true),
  TRY_TO_BOOLEAN: castTo(BOOLEAN, true),
  TRY_TO_DECIMAL: toNumber(true),
  TRY_TO_DOUBLE: castTo(REAL, true),
  TRY_TO_NUMBER: toNumber(true),
  TRY_TO_NUMERIC: toNumber(true),
  TYPEOF: special(1, 1, (input) => {
    const value = first(input)
    if (!isSemiStructured(value.type) && !isStructured(value.type) && value.type.kind === DATE.kind)
      throw unsupported('TYPEOF of a DATE')
    return { sql: typeOf(coerce(value, 'variant', input.zone).sql), type: TEXT }
  }),
}

const refuseMap = ({ name, args: [value] }: CallInput): never => {
  throw unsupported(`${name} of ${value === undefined ? 'nothing' : typeText(value.type)}`)
}
