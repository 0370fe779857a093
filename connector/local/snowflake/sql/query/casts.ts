// Values of one type as values of another, the way Snowflake casts them. `zone` is the session's time zone.
import { SqlError, unsupported } from '../../errors.ts'
import { sqlString } from '../tokens.ts'
import { never } from './never.ts'
import {
  isNumber,
  isSemiStructured,
  isStructured,
  isTimestamp,
  type SqlType,
  type Typed,
  typeText,
} from './sql-types.ts'

export interface CastOptions {
  readonly zone: string
  /** TRY_CAST: NULL where the value cannot be cast. */
  readonly tolerant?: boolean
}

const OFFSET_PATTERN = String.raw`:\d\d(\.\d+)?\s*(Z|[+-]\d\d(:?\d\d)?)$`

const sameType = (a: SqlType, b: SqlType): boolean => JSON.stringify(a) === JSON.stringify(b)

/** The value as the type. @throws SqlError 001065 when there is no such cast. */
export function cast(value: Typed, to: SqlType, options: CastOptions): Typed {
  const from = value.type
  if (sameType(from, to)) return value
  if (from.kind === 'null') return { sql: `CAST(NULL AS ${engineType(to)})`, type: to }
  if (isStructured(to)) throw unsupported('a cast to a structured type')
  const sql = castTo(value, to, options)
  if (sql === undefined)
    throw new SqlError(
      '001065',
      '22023',
      `SQL compilation error:\ninvalid type [CAST(… AS ${typeText(to)})] for a value of type ${typeText(from)}`,
    )
  return { sql, type: to }
}

function castTo(value: Typed, to: SqlType, options: CastOptions): string | undefined {
  if (isStructured(value.type)) {
    const json = toJson(value)
    return to.kind === 'variant' || to.kind === 'object' || to.kind === 'array'
      ? json
      : castTo({ sql: json, type: { kind: 'variant' } }, to, options)
  }
  switch (to.kind) {
    case 'text':
      return toText(value, options)
    case 'fixed':
    case 'real':
      return toNumber(value, to, options)
    case 'boolean':
      return toBoolean(value, options)
    case 'date':
      return toDate(value, options)
    case 'time':
      return toTime(value, options)
    case 'ntz':
    case 'ltz':
    case 'tz':
      return toTimestamp(value, to, options)
    case 'binary':
      return value.type.kind === 'text' ? `unhex(${value.sql})` : undefined
    case 'variant':
      return toVariant(value)
    case 'array':
      return value.type.kind === 'variant'
        ? `CASE WHEN json_type(${value.sql}) = 'ARRAY' THEN ${value.sql} WHEN json_type(${value.sql}) <> 'NULL' THEN json_array(${value.sql}) END`
        : isSemiStructured(value.type)
          ? undefined
          : `json_array(${toVariant(value)})`
    case 'object':
      return value.type.kind === 'variant'
        ? `CASE WHEN json_type(${value.sql}) = 'OBJECT' THEN ${value.sql} WHEN json_type(${value.sql}) <> 'NULL' THEN error('Failed to cast variant value to OBJECT') END`
        : undefined
    case 'null':
    case 'struct':
    case 'list':
    case 'map':
      return undefined
    default:
      return never(to)
  }
}

/** The query engine's type that values of this type have. */
export function engineType(type: SqlType): string {
  switch (type.kind) {
    case 'fixed':
      return `DECIMAL(38,${type.scale})`
    case 'real':
      return 'DOUBLE'
    case 'boolean':
      return 'BOOLEAN'
    case 'date':
      return 'DATE'
    case 'time':
      return 'TIME'
    case 'ntz':
      return 'TIMESTAMP'
    case 'ltz':
      return 'TIMESTAMPTZ'
    case 'tz':
      return 'STRUCT(t TIMESTAMPTZ, o INTEGER)'
    case 'binary':
      return 'BLOB'
    case 'variant':
    case 'object':
    case 'array':
      return 'JSON'
    case 'text':
    case 'null':
      return 'VARCHAR'
    case 'list':
      return `${engineType(type.element)}[]`
    case 'map':
      return `MAP(${engineType(type.key)}, ${engineType(type.value)})`
    case 'struct':
      return `STRUCT(${type.fields.map((field) => `"${field.name.replaceAll('"', '""')}" ${engineType(field.type)}`).join(', ')})`
    default:
      return never(type)
  }
}

const plainCast = (sql: string, type: string, { tolerant }: CastOptions): string =>
  `${tolerant === true ? 'TRY_CAST' : 'CAST'}(${sql} AS ${type})`

/** Nested values as JSON: as DESCRIBE shows their keys, times as text. */
export const toJson = ({ sql }: Typed): string => `to_json(${sql})`

/** A JSON value's text: strings without quotes, decimals without zeros at the end, NULL for JSON's null. */
const variantText = (sql: string): string =>
  `CASE json_type(${sql}) WHEN 'VARCHAR' THEN json_extract_string(${sql}, '$') WHEN 'NULL' THEN NULL WHEN 'DOUBLE' THEN ${decimalText(`CAST(${sql} AS VARCHAR)`)} ELSE CAST(${sql} AS VARCHAR) END`

const decimalText = (text: string): string =>
  `CASE WHEN regexp_full_match(${text}, '-?\\d+') THEN ${text} WHEN regexp_full_match(${text}, '-?\\d+[.]\\d+') THEN rtrim(rtrim(${text}, '0'), '.') ELSE ${realText(`CAST(${text} AS DOUBLE)`)} END`

const realText = (sql: string): string =>
  `CASE WHEN isnan(${sql}) THEN 'NaN' WHEN isfinite(${sql}) AND ${sql} = trunc(${sql}) AND abs(${sql}) < 1e15 THEN CAST(CAST(${sql} AS BIGINT) AS VARCHAR) ELSE CAST(${sql} AS VARCHAR) END`

function toText({ sql, type }: Typed, options: CastOptions): string {
  switch (type.kind) {
    case 'real':
      return realText(sql)
    case 'fixed':
      return `CAST(CAST(${sql} AS DECIMAL(38,${type.scale})) AS VARCHAR)`
    case 'ntz':
      return `strftime(${sql}, '%Y-%m-%d %H:%M:%S.%g')`
    case 'ltz':
      return zonedText(
        `(${sql} AT TIME ZONE ${sqlString(options.zone)})`,
        offsetMinutes(sql, options.zone),
      )
    case 'tz':
      return zonedText(tzLocal(sql), `${sql}.o`)
    case 'time':
      return `strftime(DATE '1970-01-01' + ${sql}, '%H:%M:%S')`
    case 'binary':
      return `hex(${sql})`
    case 'variant':
      return variantText(sql)
    case 'boolean':
    case 'date':
    case 'text':
    case 'object':
    case 'array':
    case 'null':
    case 'struct':
    case 'list':
    case 'map':
      return `CAST(${sql} AS VARCHAR)`
    default:
      return never(type)
  }
}

/** Minutes east of UTC that a zone has at an instant. */
export const offsetMinutes = (instant: string, zone: string): string =>
  `CAST(date_diff('minute', ${instant} AT TIME ZONE 'UTC', ${instant} AT TIME ZONE ${sqlString(zone)}) AS INTEGER)`

/** The wall clock that a TIMESTAMP_TZ shows. */
export const tzLocal = (sql: string): string =>
  `(${sql}.t AT TIME ZONE 'UTC' + to_minutes(${sql}.o))`

const zonedText = (local: string, offset: string): string =>
  `(strftime(${local}, '%Y-%m-%d %H:%M:%S.%g') || printf(' %s%02d%02d', CASE WHEN ${offset} < 0 THEN '-' ELSE '+' END, abs(${offset}) // 60, abs(${offset}) % 60))`

function toNumber({ sql, type }: Typed, to: SqlType, options: CastOptions): string | undefined {
  const target = to.kind === 'fixed' ? `DECIMAL(${to.precision},${to.scale})` : 'DOUBLE'
  if (isNumber(type)) return plainCast(sql, target, options)
  if (type.kind === 'text') return plainCast(`trim(${sql})`, target, options)
  if (type.kind === 'boolean') return `CAST(CAST(${sql} AS INTEGER) AS ${target})`
  if (type.kind === 'variant')
    return `CASE json_type(${sql}) WHEN 'BOOLEAN' THEN CAST(CAST(CAST(${sql} AS BOOLEAN) AS INTEGER) AS ${target}) ELSE ${plainCast(variantText(sql), target, options)} END`
  return undefined
}

function toBoolean({ sql, type }: Typed, options: CastOptions): string | undefined {
  if (isNumber(type)) return `(${sql} <> 0)`
  if (type.kind !== 'text' && type.kind !== 'variant') return undefined
  const text = type.kind === 'variant' ? variantText(sql) : sql
  const otherwise =
    options.tolerant === true
      ? 'NULL'
      : `error('Boolean value ''' || ${text} || ''' is not recognized')`
  const number =
    type.kind === 'variant'
      ? ` WHEN json_type(${sql}) NOT IN ('VARCHAR', 'BOOLEAN', 'NULL') THEN CAST(${sql} AS DOUBLE) <> 0`
      : ''
  return `CASE${number} WHEN ${text} IS NULL THEN NULL WHEN lower(trim(${text})) IN ('true', 't', 'yes', 'y', 'on', '1') THEN true WHEN lower(trim(${text})) IN ('false', 'f', 'no', 'n', 'off', '0') THEN false ELSE ${otherwise} END`
}

/** A text's date and time without its offset. */
const localPart = (sql: string): string =>
  `regexp_replace(${sql}, ${sqlString(String.raw`(:\d\d(\.\d+)?)\s*(Z|[+-]\d\d(:?\d\d)?)$`)}, '\\1')`

/** Seconds, or milliseconds, microseconds, nanoseconds when the number is too large to be that. */
const epochToTimestamp = (number: string): string =>
  `CASE WHEN abs(${number}) < 31536000000 THEN make_timestamp(CAST(${number} * 1000000 AS BIGINT)) WHEN abs(${number}) < 31536000000000 THEN make_timestamp(CAST(${number} * 1000 AS BIGINT)) WHEN abs(${number}) < 31536000000000000 THEN make_timestamp(CAST(${number} AS BIGINT)) ELSE make_timestamp(CAST(${number} // 1000 AS BIGINT)) END`

const textToNtz = (sql: string, options: CastOptions): string =>
  `CASE WHEN regexp_full_match(${sql}, '-?\\d+') THEN ${epochToTimestamp(`TRY_CAST(${sql} AS HUGEINT)`)} ELSE ${plainCast(localPart(sql), 'TIMESTAMP', options)} END`

function toDate({ sql, type }: Typed, options: CastOptions): string | undefined {
  if (type.kind === 'text') return plainCast(textToNtz(sql, options), 'DATE', options)
  if (type.kind === 'variant')
    return toDate({ sql: variantText(sql), type: { kind: 'text' } }, options)
  if (!isTimestamp(type)) return undefined
  return `CAST(${wallClock({ sql, type }, options)} AS DATE)`
}

/** A timestamp as what a clock on the wall shows: in the session's zone, or its own. */
export function wallClock({ sql, type }: Typed, { zone }: CastOptions): string {
  if (type.kind === 'ltz') return `(${sql} AT TIME ZONE ${sqlString(zone)})`
  if (type.kind === 'tz') return tzLocal(sql)
  return type.kind === 'date' ? `CAST(${sql} AS TIMESTAMP)` : sql
}

function toTime({ sql, type }: Typed, options: CastOptions): string | undefined {
  if (type.kind === 'text') return plainCast(sql, 'TIME', options)
  if (type.kind === 'variant') return plainCast(variantText(sql), 'TIME', options)
  return isTimestamp(type) ? `CAST(${wallClock({ sql, type }, options)} AS TIME)` : undefined
}

function toTimestamp(value: Typed, to: SqlType, options: CastOptions): string | undefined {
  const { sql, type } = value
  if (type.kind === 'variant')
    return toTimestamp({ sql: variantText(sql), type: { kind: 'text' } }, to, options)
  if (to.kind === 'ntz') return toNtz(value, options)
  if (to.kind === 'ltz') return toLtz(value, options)
  if (type.kind === 'ltz') return tzOf(sql, offsetMinutes(sql, options.zone))
  if (type.kind === 'text') {
    const instant = textToLtz(sql, options)
    const written = `CASE WHEN ${sql} LIKE '%Z' THEN 0 ELSE TRY_CAST(regexp_extract(${sql}, '([+-])(\\d\\d):?(\\d\\d)?$', 1) || '1' AS INTEGER) * (TRY_CAST(regexp_extract(${sql}, '([+-])(\\d\\d):?(\\d\\d)?$', 2) AS INTEGER) * 60 + coalesce(TRY_CAST(regexp_extract(${sql}, '([+-])(\\d\\d):?(\\d\\d)?$', 3) AS INTEGER), 0)) END`
    return tzOf(
      instant,
      `CASE WHEN ${hasOffset(sql)} THEN ${written} ELSE ${offsetMinutes(instant, options.zone)} END`,
    )
  }
  const instant = toLtz(value, options)
  return instant === undefined ? undefined : tzOf(instant, offsetMinutes(instant, options.zone))
}

/** A TIMESTAMP_TZ of an instant and its offset in minutes. */
export const tzOf = (instant: string, offset: string): string =>
  `CASE WHEN ${instant} IS NULL THEN NULL ELSE struct_pack(t := ${instant}, o := CAST(${offset} AS INTEGER)) END`

const hasOffset = (sql: string): string => `regexp_matches(${sql}, ${sqlString(OFFSET_PATTERN)})`

function toNtz(value: Typed, options: CastOptions): string | undefined {
  const { sql, type } = value
  if (type.kind === 'text') return textToNtz(sql, options)
  if (type.kind === 'fixed' && type.scale === 0) return epochToTimestamp(sql)
  if (type.kind === 'fixed' || type.kind === 'real')
    return `make_timestamp(CAST(${sql} * 1000000 AS BIGINT))`
  return isTimestamp(type) || type.kind === 'date' ? wallClock(value, options) : undefined
}

/** The engine reads offsets as `+05:30`, without a blank before them. */
const withColon = (sql: string): string =>
  `regexp_replace(regexp_replace(${sql}, '\\s+([+-]|Z$)', '\\1'), '([+-]\\d\\d)(\\d\\d)$', '\\1:\\2')`

const textToLtz = (sql: string, options: CastOptions): string =>
  `CASE WHEN ${hasOffset(sql)} THEN ${plainCast(withColon(sql), 'TIMESTAMPTZ', options)} WHEN regexp_full_match(${sql}, '-?\\d+') THEN ${textToNtz(sql, options)} AT TIME ZONE 'UTC' ELSE ${textToNtz(sql, options)} AT TIME ZONE ${sqlString(options.zone)} END`

function toLtz(value: Typed, options: CastOptions): string | undefined {
  const { sql, type } = value
  if (type.kind === 'tz') return `${sql}.t`
  if (type.kind === 'text') return textToLtz(sql, options)
  if (isNumber(type)) return `(${toNtz(value, options) ?? ''} AT TIME ZONE 'UTC')`
  if (type.kind === 'ntz' || type.kind === 'date')
    return `(${wallClock(value, options)} AT TIME ZONE ${sqlString(options.zone)})`
  return undefined
}

/** A scalar as JSON; times as text. */
function toVariant(value: Typed): string {
  const { sql, type } = value
  if (isSemiStructured(type)) return sql
  switch (type.kind) {
    case 'fixed':
      // As a number of JSON: the engine would write a large DECIMAL as a double.
      return `CAST(CAST(CAST(${sql} AS DECIMAL(38,${type.scale})) AS VARCHAR) AS JSON)`
    case 'real':
      return `CASE WHEN isfinite(${sql}) THEN CAST(${realText(sql)} AS JSON) ELSE to_json(${realText(sql)}) END`
    case 'boolean':
    case 'text':
    case 'null':
      return `to_json(${sql})`
    case 'date':
    case 'time':
    case 'ntz':
    case 'ltz':
    case 'tz':
    case 'binary':
      return `to_json(${toText(value, { zone: 'UTC' })})`
    case 'variant':
    case 'object':
    case 'array':
    case 'struct':
    case 'list':
    case 'map':
      return toJson(value)
    default:
      return never(type)
  }
}
