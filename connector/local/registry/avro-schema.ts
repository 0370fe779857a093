// A strict Avro schema as Apache Avro's Java parser sees it: what compatibility and identity are defined on.
import type { Json } from './json.ts'

export type PrimitiveType =
  | 'NULL'
  | 'BOOLEAN'
  | 'INT'
  | 'LONG'
  | 'FLOAT'
  | 'DOUBLE'
  | 'BYTES'
  | 'STRING'

/** Attributes that Avro gives no meaning to, in their order. */
export type Properties = ReadonlyMap<string, Json>

interface Named {
  /** With its namespace. */
  readonly fullName: string
  readonly doc: string | undefined
  /** Full names. */
  readonly aliases: readonly string[]
  readonly properties: Properties
}
export interface PrimitiveSchema {
  readonly type: PrimitiveType
  readonly properties: Properties
}
export interface RecordField {
  readonly name: string
  readonly schema: AvroSchema
  readonly doc: string | undefined
  readonly default: Json | undefined
  readonly order: 'ascending' | 'descending' | 'ignore'
  readonly aliases: readonly string[]
  readonly properties: Properties
}
export interface RecordSchema extends Named {
  readonly type: 'RECORD'
  readonly isError: boolean
  /** Filled after the schema is made, since a record may contain itself. */
  readonly fields: RecordField[]
}
export interface EnumSchema extends Named {
  readonly type: 'ENUM'
  readonly symbols: readonly string[]
  readonly default: string | undefined
}
export interface FixedSchema extends Named {
  readonly type: 'FIXED'
  readonly size: number
}
export interface ArraySchema {
  readonly type: 'ARRAY'
  readonly items: AvroSchema
  readonly properties: Properties
}
export interface MapSchema {
  readonly type: 'MAP'
  readonly values: AvroSchema
  readonly properties: Properties
}
export interface UnionSchema {
  readonly type: 'UNION'
  readonly branches: readonly AvroSchema[]
}
export type NamedSchema = RecordSchema | EnumSchema | FixedSchema
export type AvroSchema = PrimitiveSchema | NamedSchema | ArraySchema | MapSchema | UnionSchema

/** Named types by full name. */
export type NamedSchemas = Map<string, NamedSchema>

export interface FullName {
  readonly simple: string
  /** Empty: none. */
  readonly space: string
}

export function splitName(fullName: string): FullName {
  const dot = fullName.lastIndexOf('.')
  return { simple: fullName.slice(dot + 1), space: dot < 0 ? '' : fullName.slice(0, dot) }
}

/** Why a text is not an Avro schema. */
export class SchemaParseError extends Error {}
