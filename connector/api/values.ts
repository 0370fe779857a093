// org.apache.kafka.connect.data.Values, as far as headers and transformations need it.
import { DataError } from './errors.ts'
import { connectDate, isDecimalValue, javaDecimal, javaFloat } from './java-text.ts'
import type { Schema } from './schema.ts'

/**
 * A value as a text, as Kafka Connect's `Values.convertToString` writes it: texts as they are, arrays, maps and structs
 * in a form like JSON, bytes in base64, dates in ISO form (UTC). Null stays null.
 */
export function convertToString(schema: Schema | null, value: unknown): string | null {
  return value === null || value === undefined ? null : textOf(schema, value, false)
}

function textOf(schema: Schema | null, value: unknown, isEmbedded: boolean): string {
  if (value === null || value === undefined) return 'null'
  if (typeof value === 'string') return isEmbedded ? quoted(value) : value
  if (typeof value === 'boolean' || typeof value === 'bigint') return String(value)
  if (typeof value === 'number') return numberText(schema, value)
  if (typeof value === 'object') return objectText(schema, value, isEmbedded)
  throw new DataError(`Failed to serialize unexpected value type ${typeof value}`)
}

function numberText(schema: Schema | null, value: number): string {
  if (schema?.type === 'FLOAT32' || schema?.type === 'FLOAT64') return javaFloat(value, schema.type)
  return Number.isInteger(value) ? String(value) : javaFloat(value, 'FLOAT64')
}

function objectText(schema: Schema | null, value: object, isEmbedded: boolean): string {
  if (value instanceof Uint8Array) {
    const base64 = Buffer.from(value).toString('base64')
    return isEmbedded ? `"${base64}"` : base64
  }
  if (value instanceof Date) return connectDate(value)
  if (isDecimalValue(value)) return javaDecimal(value)
  if (Array.isArray(value)) {
    const items = value.map((item) => textOf(schema?.valueSchema ?? null, item, true))
    return `[${items.join(',')}]`
  }
  if (schema?.type === 'STRUCT') return structText(schema, value as Record<string, unknown>)
  const entries = value instanceof Map ? [...value] : Object.entries(value)
  const pairs = entries.map(
    ([key, item]) =>
      `${textOf(schema?.keySchema ?? null, key, true)}:${textOf(schema?.valueSchema ?? null, item, true)}`,
  )
  return `{${pairs.join(',')}}`
}

function structText(schema: Schema, struct: Readonly<Record<string, unknown>>): string {
  const pairs = (schema.fields ?? []).map((field) => {
    const value = struct[field.name] ?? field.schema.defaultValue
    return `${quoted(field.name)}:${textOf(field.schema, value, true)}`
  })
  return `{${pairs.join(',')}}`
}

const quoted = (text: string): string => `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
