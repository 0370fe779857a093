// Reads texts as org.apache.kafka.connect.data.Values.parseString does.
import { DataError } from './errors.ts'
import {
  type DecimalValue,
  LOGICAL_DATE,
  LOGICAL_DECIMAL,
  LOGICAL_TIME,
  LOGICAL_TIMESTAMP,
  NULL_VALUE,
  type Schema,
  type SchemaAndValue,
} from './schema.ts'
import { TextTokens } from './text-tokens.ts'
import { alignEntries, alignItems, SchemaMerger } from './value-schemas.ts'

const plain = (type: Schema['type']): Schema => ({ type, optional: false })
const BOOLEAN = plain('BOOLEAN')
const STRING = plain('STRING')
const INT8 = plain('INT8')
const INT16 = plain('INT16')
const INT32 = plain('INT32')
const INT64 = plain('INT64')
const FLOAT32 = plain('FLOAT32')
const FLOAT64 = plain('FLOAT64')
const logical = (type: Schema['type'], name: string): Schema => ({
  ...plain(type),
  name,
  version: 1,
})
const DATE = logical('INT32', LOGICAL_DATE)
const TIME = logical('INT32', LOGICAL_TIME)
const TIMESTAMP = logical('INT64', LOGICAL_TIMESTAMP)

/** A text nested deeper than this is taken as a text. */
const DEPTH_MAX = 100

/**
 * The value that a text looks like, with its schema: null, booleans, the smallest integer type that holds the number,
 * floats, decimals, ISO dates, times and timestamps (UTC), arrays `[…]` and maps `{…}` of these. Everything else is a STRING.
 */
export function parseString(text: string | null): SchemaAndValue {
  if (text === null) return NULL_VALUE
  if (text === '') return { schema: STRING, value: text }
  return new ValueParser(text).parse(0) ?? NULL_VALUE
}

class ValueParser {
  readonly #tokens: TextTokens
  constructor(text: string) {
    this.#tokens = new TextTokens(text)
  }

  /** Undefined: null. `depth` 0 is the whole text. */
  parse(depth: number): SchemaAndValue | undefined {
    const tokens = this.#tokens
    const isEmbedded = depth > 0
    if (!tokens.hasNext()) return undefined
    if (isEmbedded && tokens.consume('"')) return this.#quoted()
    if (this.#literal(isEmbedded, 'null')) return undefined
    if (this.#literal(isEmbedded, 'true')) return { schema: BOOLEAN, value: true }
    if (this.#literal(isEmbedded, 'false')) return { schema: BOOLEAN, value: false }
    const start = tokens.mark()
    try {
      if (tokens.consume('[')) return this.#array(depth + 1)
      if (tokens.consume('{')) return this.#map(depth + 1)
    } catch (error) {
      if (!(error instanceof DataError)) throw error
      tokens.rewind(start) // Neither an array nor a map: a text like any other.
    }
    const token = tokens.next()
    return token.trim() === ''
      ? { schema: STRING, value: token }
      : this.#scalar(isEmbedded, token.trim())
  }

  /** A literal is one only as the whole text, or inside of an array or a map. */
  #literal(isEmbedded: boolean, literal: string): boolean {
    const start = this.#tokens.mark()
    if (this.#tokens.consume(literal) && (isEmbedded || !this.#tokens.hasNext())) return true
    this.#tokens.rewind(start)
    return false
  }

  #scalar(isEmbedded: boolean, token: string): SchemaAndValue {
    const isDigit = /^\d/.test(token)
    if (isDigit) {
      const temporal = this.#temporal(token)
      if (temporal !== undefined) return temporal
    }
    const number = isDigit || /^[+-]/.test(token) ? parseNumber(token) : undefined
    // What follows a number is dropped, as Java does it: `1,2` is 1.
    if (number !== undefined) return number
    if (isEmbedded) throw new DataError('Failed to parse embedded value')
    return { schema: STRING, value: this.#tokens.text }
  }

  /** Times hold colons, which part tokens. */
  #temporal(token: string): SchemaAndValue | undefined {
    const start = this.#tokens.mark()
    const rest = this.#tokens.take(4)
    const temporal = rest === undefined ? undefined : parseTemporal(token + rest)
    if (temporal !== undefined) return temporal
    this.#tokens.rewind(start)
    return parseTemporal(token)
  }

  #quoted(): SchemaAndValue {
    let content = ''
    while (this.#tokens.hasNext()) {
      if (this.#tokens.consume('"')) break
      content += this.#tokens.next()
    }
    return parseTemporal(content) ?? { schema: STRING, value: content }
  }

  #array(depth: number): SchemaAndValue {
    const tokens = this.#tokens
    const items: unknown[] = []
    const merger = new SchemaMerger()
    this.#checkDepth(depth)
    while (tokens.hasNext()) {
      if (tokens.consume(']')) {
        const valueSchema = merger.schema
        if (valueSchema === undefined) return { schema: plain('ARRAY'), value: items }
        return {
          schema: { ...plain('ARRAY'), valueSchema },
          value: alignItems(valueSchema, items),
        }
      }
      if (tokens.consume(',')) throw this.#wrong('Unable to parse an empty array element')
      const item = this.parse(depth)
      merger.merge(item)
      items.push(item?.value ?? null)
      const position = tokens.mark()
      if (tokens.consume(']')) tokens.rewind(position)
      else if (!tokens.consume(',')) throw this.#wrong("Array elements missing ',' delimiter")
    }
    throw this.#wrong("Array is missing terminating ']'")
  }

  #map(depth: number): SchemaAndValue {
    const tokens = this.#tokens
    const entries = new Map<unknown, unknown>()
    const keys = new SchemaMerger()
    const values = new SchemaMerger()
    this.#checkDepth(depth)
    while (tokens.hasNext()) {
      if (tokens.consume('}')) return mapOf(keys.schema, values.schema, entries)
      if (tokens.consume(',')) throw this.#wrong('Unable to parse a map entry with no key or value')
      const key = this.parse(depth)
      if (key === undefined || key.value === null) {
        throw this.#wrong('Map entry may not have a null key')
      }
      if (!tokens.consume(':')) throw this.#wrong("Map entry is missing ':'")
      const value = this.parse(depth)
      entries.set(key.value, value?.value ?? null)
      tokens.consume(',')
      keys.merge(key)
      values.merge(value)
    }
    throw this.#wrong("Map is missing terminating '}'")
  }

  #checkDepth(depth: number): void {
    if (depth > DEPTH_MAX) throw this.#wrong(`Nested deeper than ${DEPTH_MAX}`)
  }

  #wrong(what: string): DataError {
    return new DataError(`${what}: ${this.#tokens.text}`)
  }
}

function mapOf(
  keySchema: Schema | undefined,
  valueSchema: Schema | undefined,
  entries: ReadonlyMap<unknown, unknown>,
): SchemaAndValue {
  const schema: Schema = {
    ...plain('MAP'),
    ...(keySchema !== undefined && { keySchema }),
    ...(keySchema !== undefined && valueSchema !== undefined && { valueSchema }),
  }
  return { schema, value: alignEntries(schema, entries) }
}

const NUMBER = /^([+-]?)(\d+\.?\d*|\.\d+)(?:[eE]([+-]?\d+))?$/
const EXPONENT_MAX = 1_000

/** Undefined: no number that `java.math.BigDecimal` would read. */
function parseNumber(token: string): SchemaAndValue | undefined {
  const match = NUMBER.exec(token)
  const [, sign = '', digits = '', exponent = '0'] = match ?? []
  if (match === null || Math.abs(Number(exponent)) > EXPONENT_MAX) return undefined
  const [whole = '', fraction = ''] = digits.split('.')
  const unscaled = BigInt(`${sign === '-' ? '-' : ''}${whole}${fraction}`)
  const decimal = { unscaled, scale: fraction.length - Number(exponent) }
  const integer = exactInteger(decimal)
  if (integer !== undefined && BigInt.asIntN(64, integer) === integer) return integral(integer)
  const double = Number(token)
  if (decimal.scale !== 0 && Number.isFinite(Math.fround(double))) {
    return { schema: FLOAT32, value: Math.fround(double) }
  }
  if (decimal.scale !== 0 && Number.isFinite(double)) return { schema: FLOAT64, value: double }
  const schema = {
    ...logical('BYTES', LOGICAL_DECIMAL),
    parameters: { scale: String(decimal.scale) },
  }
  return { schema, value: decimal }
}

function exactInteger({ unscaled, scale }: DecimalValue): bigint | undefined {
  if (scale <= 0) return unscaled * 10n ** BigInt(-scale)
  const power = 10n ** BigInt(scale)
  return unscaled % power === 0n ? unscaled / power : undefined
}

function integral(value: bigint): SchemaAndValue {
  if (BigInt.asIntN(8, value) === value) return { schema: INT8, value: Number(value) }
  if (BigInt.asIntN(16, value) === value) return { schema: INT16, value: Number(value) }
  if (BigInt.asIntN(32, value) === value) return { schema: INT32, value: Number(value) }
  return { schema: INT64, value }
}

function parseTemporal(text: string): SchemaAndValue | undefined {
  const token = text.replaceAll('\\:', ':')
  if (/^\d{4}-\d{2}-\d{2}$/.test(token)) return dated(DATE, `${token}T00:00:00.000Z`)
  if (/^\d{2}:\d{2}:\d{2}\.\d{3}Z$/.test(token)) return dated(TIME, `1970-01-01T${token}`)
  if (/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/.test(token)) return dated(TIMESTAMP, token)
  return undefined
}

/** Java's formats are lenient: the 31st of April is the 1st of May. */
function dated(schema: Schema, iso: string): SchemaAndValue {
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, ms = 0] = iso
    .split(/[-T:.Z]/)
    .map(Number)
  const date = new Date(Date.UTC(year, month - 1, day, hour, minute, second, ms))
  if (year < 100) date.setUTCFullYear(date.getUTCFullYear() - 1900)
  return { schema, value: date }
}
