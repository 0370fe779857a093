// Compiles an Iceberg type into a function that checks and converts one JSON value (snowpipe-streaming rules:
// strict booleans, base64 binary, structured objects with every declared field and no other).
import type { IcebergField, IcebergType } from '../../iceberg/types.ts'
import { NumberText, stringifyExact } from './exact-json.ts'
import { decimalCheck, floatCheck, integerCheck } from './numbers.ts'
import { NEEDS_EXACT_NUMBERS, ROW_ERROR_CODES, RowError, shown } from './row-error.ts'
import { dateCheck, timeCheck, timestampCheck } from './times.ts'

/**
 * Returns the very value when it can be stored as it is, else what to store instead; the value is never null.
 * @throws RowError when it does not fit; NeedsExactNumbers when the digits of a number matter.
 */
export type Check = (value: unknown) => unknown

const STRING_LENGTH_MAX = 16 * 1_024 * 1_024
const BINARY_BYTES_MAX = 8 * 1_024 * 1_024
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
const LONE_SURROGATE = /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/

/** The check of a column or nested field; `column` is how messages call it, e.g. `POS.LAT`. */
export function compileCheck(type: IcebergType, column: string): Check {
  if (typeof type === 'string') return primitiveCheck(type, column)
  if (type.type === 'struct') return structCheck(type.fields, column)
  if (type.type === 'list')
    return listCheck(
      compileItem(type.element, type['element-required'], `${column}.element`),
      column,
    )
  return mapCheck(
    compileItem(type.key, true, `${column}.key`),
    compileItem(type.value, type['value-required'], `${column}.value`),
    column,
  )
}

function primitiveCheck(type: string, column: string): Check {
  const decimal = /^decimal\((\d+), ?(\d+)\)$/.exec(type)
  if (decimal !== null) return decimalCheck(Number(decimal[1]), Number(decimal[2]), column)
  const fixed = /^fixed\[(\d+)\]$/.exec(type)
  if (fixed !== null) return binaryCheck(Number(fixed[1]), column)
  const make = PRIMITIVES[type]
  if (make === undefined) throw new TypeError(`Column ${column} has an unknown type ${type}.`)
  return make(column)
}

const PRIMITIVES: Readonly<Record<string, (column: string) => Check>> = {
  boolean: booleanCheck,
  int: (column) => integerCheck(32, column),
  long: (column) => integerCheck(64, column),
  float: (column) => floatCheck(32, column),
  double: (column) => floatCheck(64, column),
  string: stringCheck,
  binary: (column) => binaryCheck(undefined, column),
  date: dateCheck,
  time: timeCheck,
  timestamp: (column) => timestampCheck(false, column),
  timestamptz: (column) => timestampCheck(true, column),
  uuid: uuidCheck,
}

function booleanCheck(column: string): Check {
  return (value) => {
    if (typeof value === 'boolean') return value
    throw new RowError(`Boolean value ${shown(value)} is not recognized, column ${column}`, {
      code: ROW_ERROR_CODES.boolean,
    })
  }
}

function stringCheck(column: string): Check {
  return (value) => {
    const text = typeof value === 'string' ? value : castToText(value)
    if (text.length > STRING_LENGTH_MAX)
      throw new RowError(`String is too long (${text.length}), column ${column}`, {
        code: ROW_ERROR_CODES.tooLong,
      })
    if (LONE_SURROGATE.test(text))
      throw new RowError(`String holds half of a surrogate pair, column ${column}`)
    return text
  }
}

/** What casting a VARIANT to a string gives: scalars as their text, the rest as JSON. */
function castToText(value: unknown): string {
  if (typeof value === 'boolean') return String(value)
  if (value instanceof NumberText) return value.text
  if (typeof value === 'number') {
    if (Number.isSafeInteger(value)) return String(value)
    throw NEEDS_EXACT_NUMBERS
  }
  if (hasDoubles(value)) throw NEEDS_EXACT_NUMBERS
  return stringifyExact(value)
}

const hasDoubles = (value: unknown): boolean =>
  typeof value === 'number'
    ? !Number.isSafeInteger(value)
    : typeof value === 'object' &&
      value !== null &&
      !(value instanceof NumberText) &&
      Object.values(value).some(hasDoubles)

function binaryCheck(length: number | undefined, column: string): Check {
  return (value) => {
    if (typeof value !== 'string' || !BASE64.test(value))
      throw new RowError(`Binary value ${shown(value)} is not base64, column ${column}`)
    const padding = value.endsWith('==') ? 2 : value.endsWith('=') ? 1 : 0
    const bytes = (value.length / 4) * 3 - padding
    if (bytes > BINARY_BYTES_MAX || (length !== undefined && bytes !== length))
      throw new RowError(
        `Binary value has ${bytes} bytes, expected ${length ?? `at most ${BINARY_BYTES_MAX}`}, column ${column}`,
      )
    return value
  }
}

function uuidCheck(column: string): Check {
  return (value) => {
    if (typeof value === 'string' && UUID.test(value)) return value
    throw new RowError(`UUID value ${shown(value)} is not recognized, column ${column}`)
  }
}

/** As `Check`, for a place that may hold null. */
function compileItem(type: IcebergType, required: boolean, column: string): Check {
  const check = compileCheck(type, column)
  return (value) => {
    if (value !== null) return check(value)
    if (required)
      throw new RowError(`NULL result in a non-nullable column ${column}`, {
        code: ROW_ERROR_CODES.nullInRequired,
      })
    return null
  }
}

function structCheck(fields: readonly IcebergField[], column: string): Check {
  const checks = fields.map(
    ({ name, type, required }) => [name, compileItem(type, required, `${column}.${name}`)] as const,
  )
  const names = new Set(fields.map(({ name }) => name))
  return (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw new RowError(`Value ${shown(value)} is not an OBJECT, column ${column}`)
    const source = value as Readonly<Record<string, unknown>>
    let changed: Record<string, unknown> | undefined
    for (const [name, check] of checks) {
      const item = source[name]
      if (item === undefined || !Object.hasOwn(source, name))
        throw new RowError(`OBJECT lacks the key '${name}', column ${column}`)
      const stored = check(item)
      if (stored === item) continue
      changed ??= { ...source }
      changed[name] = stored
    }
    if (Object.keys(source).length !== checks.length)
      for (const name of Object.keys(source))
        if (!names.has(name))
          throw new RowError(`OBJECT has an unknown key '${name}', column ${column}`)
    return changed ?? value
  }
}

function listCheck(check: Check, column: string): Check {
  return (value) => {
    if (!Array.isArray(value))
      throw new RowError(`Value ${shown(value)} is not an ARRAY, column ${column}`)
    let changed: unknown[] | undefined
    for (const [index, item] of value.entries()) {
      const stored = check(item)
      if (stored === item) continue
      changed ??= [...(value as readonly unknown[])]
      changed[index] = stored
    }
    return changed ?? value
  }
}

/** JSON objects, or `[[key, value], …]` for keys that are not strings; stored as pairs. */
function mapCheck(key: Check, item: Check, column: string): Check {
  return (value) => {
    if (typeof value !== 'object' || value === null)
      throw new RowError(`Value ${shown(value)} is not a MAP, column ${column}`)
    const pairs: readonly unknown[] = Array.isArray(value) ? value : Object.entries(value)
    const seen = new Set<string>()
    return pairs.map((pair) => {
      if (!Array.isArray(pair) || pair.length !== 2)
        throw new RowError(`MAP entry ${shown(pair)} is not a pair, column ${column}`)
      const [name, content] = pair as readonly unknown[]
      const stored = [key(name), item(content)] as const
      const id = stringifyExact(stored[0])
      if (seen.has(id)) throw new RowError(`MAP has the key ${shown(id)} twice, column ${column}`)
      seen.add(id)
      return stored
    })
  }
}
