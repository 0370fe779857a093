import type { IcebergStruct } from '../../iceberg/types.ts'
import { type Check, compileCheck } from './column-check.ts'
import { parseExact, stringifyExact } from './exact-json.ts'
import { NeedsExactNumbers, ROW_ERROR_CODES, RowError } from './row-error.ts'
import type { SchemaWishes } from './schema-wishes.ts'

interface Column {
  readonly name: string
  readonly check: Check
  /** Position among the columns, to notice a column given twice. */
  readonly index: number
}

type Row = Readonly<Record<string, unknown>>

/** Checks rows against one schema. `undefined`: the line's bytes can be stored as they are. */
export class RowChecker {
  readonly #exact = new Map<string, Column>()
  readonly #folded = new Map<string, Column>()
  readonly #required: readonly string[]
  readonly #wishes: SchemaWishes | undefined

  /** `wishes` collects what refused rows would need the table to be. */
  constructor(schema: IcebergStruct, wishes?: SchemaWishes) {
    this.#wishes = wishes
    for (const [index, field] of schema.fields.entries()) {
      const column = { name: field.name, check: compileCheck(field.type, field.name), index }
      this.#exact.set(field.name, column)
      this.#folded.set(field.name.toUpperCase(), column)
    }
    this.#required = schema.fields.filter(({ required }) => required).map(({ name }) => name)
  }

  /** @throws RowError saying why the row is refused. */
  check(line: string): string | undefined {
    try {
      const row: unknown = JSON.parse(line)
      const stored = this.#row(row)
      return stored === row ? undefined : stringifyExact(stored)
    } catch (error) {
      if (error instanceof NeedsExactNumbers) return this.#exactly(line)
      throw asRowError(error)
    }
  }

  #exactly(line: string): string | undefined {
    try {
      const row = parseExact(line)
      const stored = this.#row(row)
      return stored === row ? undefined : stringifyExact(stored)
    } catch (error) {
      throw asRowError(error)
    }
  }

  #row(value: unknown): Row {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw new RowError('The row is not a JSON object')
    const row = value as Row
    for (const key in row) {
      const column = this.#exact.get(key)
      const item = row[key]
      // Anything but a known key with a value to keep takes the slower way through the same row.
      if (column === undefined) return this.#rewritten(row)
      if (item !== null && column.check(item) !== item) return this.#rewritten(row)
    }
    for (const name of this.#required) if ((row[name] ?? null) === null) throw this.#isNull(name)
    return row
  }

  #rewritten(row: Row): Row {
    const stored = new Map<string, unknown>()
    let unknown: string | undefined
    for (const [key, item] of Object.entries(row)) {
      const column = this.#columnOf(key)
      if (column === undefined) {
        // With schema evolution a null asks for no column, and the other keys may ask for more.
        if (this.#wishes === undefined || item !== null) unknown ??= key
        if (item !== null) this.#wishes?.column(foldKey(key), item)
        continue
      }
      if (stored.has(column.name))
        throw new RowError(`The row has column ${column.name} twice, the second as '${key}'`)
      stored.set(column.name, item === null ? null : column.check(item))
    }
    if (unknown !== undefined && this.#wishes === undefined) throw noColumn(unknown)
    for (const name of this.#required)
      if ((stored.get(name) ?? null) === null) throw this.#isNull(name)
    if (unknown !== undefined) throw noColumn(unknown)
    return Object.fromEntries(stored)
  }

  /** By its very name, by the name that quotes in the key give, or whatever its case. */
  #columnOf(key: string): Column | undefined {
    const folded = foldKey(key)
    return this.#exact.get(key) ?? this.#exact.get(folded) ?? this.#folded.get(folded)
  }

  #isNull(name: string): RowError {
    this.#wishes?.nullable(name)
    return new RowError(`NULL result in a non-nullable column ${name}`, {
      code: ROW_ERROR_CODES.nullInRequired,
    })
  }
}

const noColumn = (key: string): RowError =>
  new RowError(`The table has no column for the key '${key}'`)

const foldKey = (key: string): string =>
  key.length >= 2 && key.startsWith('"') && key.endsWith('"')
    ? key.slice(1, -1).replaceAll('""', '"')
    : key.toUpperCase()

/** What may come of a line that somebody sent: not JSON, nested too deeply, or not fitting. The rest is a bug. */
function asRowError(error: unknown): unknown {
  if (error instanceof SyntaxError || error instanceof RangeError)
    return new RowError(`Error parsing JSON: ${error.message}`, {
      cause: error,
      code: ROW_ERROR_CODES.json,
    })
  return error
}
