// What the transformations share: the part of a record that they work on, and its fields.
import { DataError } from '../api/errors.ts'
import { javaClassOf } from '../api/java-text.ts'
import { newRecord } from '../api/new-record.ts'
import type { ConnectRecord } from '../api/records.ts'
import type { Field, Schema } from '../api/schema.ts'

/** The part of a record that a `$Key` or `$Value` transformation works on. */
export type Target = 'key' | 'value'

/** A STRUCT's value. */
export type Struct = Readonly<Record<string, unknown>>

export const schemaOf = (record: ConnectRecord, target: Target): Schema | null =>
  target === 'key' ? record.keySchema : record.valueSchema

/** Null where Java has null. */
export const valueOf = (record: ConnectRecord, target: Target): unknown =>
  (target === 'key' ? record.key : record.value) ?? null

/** The record with another key or value. */
export const withValue = <R extends ConnectRecord>(
  record: R,
  target: Target,
  { schema, value }: { readonly schema: Schema | null; readonly value: unknown },
): R =>
  newRecord(
    record,
    target === 'key' ? { keySchema: schema, key: value } : { valueSchema: schema, value },
  )

/** A schemaless value's entries, in order. @throws DataError with Kafka Connect's text when it is no map. */
export function requireMap(value: unknown, purpose: string): Map<string, unknown> {
  if (!isMap(value)) {
    throw new DataError(
      `Only Map objects supported in absence of schema for [${purpose}], found: ${javaClassOf(value)}`,
    )
  }
  return value instanceof Map
    ? new Map([...value].map(([key, item]): [string, unknown] => [String(key), item]))
    : new Map(Object.entries(value))
}

/** As `requireMap`, for a value that may be null. */
export const requireMapOrNull = (value: unknown, purpose: string): Map<string, unknown> | null =>
  value === null || value === undefined ? null : requireMap(value, purpose)

/** Whether Java would hold the value in a `Map`. */
export const isMap = (value: unknown): value is object => javaClassOf(value) === 'java.util.HashMap'

/** A schemaless map of these entries. */
export const mapOf = (entries: ReadonlyMap<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(entries)

/** @throws DataError with Kafka Connect's text when it is no struct. */
export function requireStruct(schema: Schema, value: unknown, purpose: string): Struct {
  const isStruct = schema.type === 'STRUCT' && isMap(value)
  if (isStruct) return value as Struct
  throw new DataError(
    `Only Struct objects supported for [${purpose}], found: ${javaClassOf(value)}`,
  )
}

/** As `requireStruct`, for a value that may be null. */
export const requireStructOrNull = (
  schema: Schema,
  value: unknown,
  purpose: string,
): Struct | null =>
  value === null || value === undefined ? null : requireStruct(schema, value, purpose)

export const fieldsOf = (schema: Schema): readonly Field[] => schema.fields ?? []

export const fieldNamed = (schema: Schema, name: string): Field | undefined =>
  fieldsOf(schema).find((field) => field.name === name)

/** A field's value, its default in place of null where that is asked for. */
export function fieldValue(struct: Struct, field: Field, isDefaultUsed: boolean): unknown {
  const value = Object.hasOwn(struct, field.name) ? (struct[field.name] ?? null) : null
  return value === null && isDefaultUsed ? (field.schema.defaultValue ?? null) : value
}

/** A STRUCT of these fields under the name, version, doc and parameters of `from`, neither optional nor with a default. */
export function structLike(
  from: Schema,
  pairs: readonly (readonly [string, Schema])[],
): Schema & { readonly fields: readonly Field[] } {
  const seen = new Set<string>()
  for (const [name] of pairs) {
    if (seen.has(name)) {
      throw new DataError(`Cannot create field because of field name duplication ${name}`)
    }
    seen.add(name)
  }
  return {
    ...basicsOf(from),
    type: 'STRUCT',
    optional: false,
    fields: pairs.map(([name, schema], index) => ({ name, index, schema })),
  }
}

/** Name, version, doc and parameters of a schema. */
export const basicsOf = ({ name, version, doc, parameters }: Schema) => ({
  ...(name !== undefined && { name }),
  ...(version !== undefined && { version }),
  ...(doc !== undefined && { doc }),
  ...(parameters !== undefined && { parameters }),
})

/** Remembers what was made of each schema, as long as that schema lives. */
export function perSchema<T>(make: (schema: Schema) => T): (schema: Schema) => T {
  const made = new WeakMap<Schema, { readonly result: T }>()
  return (schema) => {
    let entry = made.get(schema)
    if (entry === undefined) {
      entry = { result: make(schema) }
      made.set(schema, entry)
    }
    return entry.result
  }
}
