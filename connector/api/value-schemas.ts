import { DataError } from './errors.ts'
import type { Schema, SchemaAndValue, SchemaType } from './schema.ts'
import { convertToString } from './values.ts'

const NUMERIC: readonly SchemaType[] = ['INT8', 'INT16', 'INT32', 'INT64', 'FLOAT32', 'FLOAT64']

/** Finds the schema that several parsed values have in common: the widest of numbers, else the one that all have. */
export class SchemaMerger {
  #common: Schema | undefined
  #isCompatible = true

  merge(latest: SchemaAndValue | undefined): void {
    const schema = latest?.schema
    if (schema === null || schema === undefined || !this.#isCompatible) return
    this.#common = this.#common === undefined ? schema : merged(this.#common, schema)
    this.#isCompatible = this.#common !== undefined
  }

  /** Undefined: all were null, or they have nothing in common. */
  get schema(): Schema | undefined {
    return this.#common
  }
}

function merged(previous: Schema, next: Schema): Schema | undefined {
  if (previous.type === next.type) return next
  const [a, b] = [NUMERIC.indexOf(previous.type), NUMERIC.indexOf(next.type)]
  if (a < 0 || b < 0) return undefined
  return a > b ? previous : next
}

/** The items as the schema that they have in common says. @throws DataError for an item that cannot be. */
export const alignItems = (schema: Schema, items: readonly unknown[]): readonly unknown[] =>
  items.map((item) => aligned(schema, item))

/** The entries as the map's schemas say. @throws DataError for one that cannot be. */
export function alignEntries(
  { keySchema, valueSchema }: Schema,
  entries: ReadonlyMap<unknown, unknown>,
): ReadonlyMap<unknown, unknown> {
  return new Map(
    [...entries].map(([key, value]) => [
      keySchema === undefined ? key : aligned(keySchema, key),
      valueSchema === undefined ? value : aligned(valueSchema, value),
    ]),
  )
}

function aligned(schema: Schema, value: unknown): unknown {
  if (value === null) {
    throw new DataError('Unable to convert a null value to a schema that requires a value')
  }
  if (schema.name !== undefined) return value
  const { type } = schema
  if (type === 'INT64' && typeof value === 'number') return BigInt(value)
  if (type === 'FLOAT32' || type === 'FLOAT64') return Number(value)
  return type === 'STRING' ? convertToString(null, value) : value
}
