import type { AvroSchema } from './avro-schema.ts'
import { type Json, JsonNumber, type JsonObject } from './json.ts'

/**
 * Whether a field of this type may have this default, by Java's `Schema.isValidDefault`: for a union the
 * first branch counts, for a union inside of the default any.
 */
export function isValidDefault(schema: AvroSchema, json: Json): boolean {
  const [first] = schema.type === 'UNION' ? schema.branches : [schema]
  return first !== undefined && isValidValue(first, json)
}

// oxlint-disable-next-line typescript/consistent-return -- the switch is exhaustive, and TypeScript checks it
function isValidValue(schema: AvroSchema, json: Json): boolean {
  switch (schema.type) {
    case 'STRING':
    case 'BYTES':
    case 'ENUM':
    case 'FIXED':
      return typeof json === 'string'
    case 'INT':
      return isWhole(json, 31n)
    case 'LONG':
      return isWhole(json, 63n)
    case 'FLOAT':
    case 'DOUBLE':
      return json instanceof JsonNumber
    case 'BOOLEAN':
      return typeof json === 'boolean'
    case 'NULL':
      return json === null
    case 'ARRAY':
      return (
        Array.isArray(json) &&
        (json as readonly Json[]).every((item) => isValidDefault(schema.items, item))
      )
    case 'MAP':
      return (
        json instanceof Map &&
        [...(json as JsonObject).values()].every((item) => isValidDefault(schema.values, item))
      )
    case 'UNION':
      return schema.branches.some((branch) => isValidValue(branch, json))
    case 'RECORD':
      return (
        json instanceof Map &&
        schema.fields.every((field) => {
          const value = (json as JsonObject).get(field.name) ?? field.default
          return value !== undefined && isValidValue(field.schema, value)
        })
      )
  }
}

function isWhole(json: Json, bits: bigint): boolean {
  if (!(json instanceof JsonNumber) || !json.isInteger) return false
  const value = BigInt(json.text)
  return value >= -(2n ** bits) && value < 2n ** bits
}
