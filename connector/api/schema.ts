// Connect's schemas, as org.apache.kafka.connect.data.Schema has them.

export type SchemaType =
  | 'INT8'
  | 'INT16'
  | 'INT32'
  | 'INT64'
  | 'FLOAT32'
  | 'FLOAT64'
  | 'BOOLEAN'
  | 'STRING'
  | 'BYTES'
  | 'ARRAY'
  | 'MAP'
  | 'STRUCT'

/** Names of the logical types that Kafka Connect knows; set as `Schema.name`. */
export const LOGICAL_DECIMAL = 'org.apache.kafka.connect.data.Decimal'
export const LOGICAL_DATE = 'org.apache.kafka.connect.data.Date'
export const LOGICAL_TIME = 'org.apache.kafka.connect.data.Time'
export const LOGICAL_TIMESTAMP = 'org.apache.kafka.connect.data.Timestamp'

export interface Field {
  readonly name: string
  readonly index: number
  readonly schema: Schema
}

/**
 * The type of a value. Values follow the type: INT8–INT32 and floats are `number`, INT64 is `bigint`,
 * BYTES is `Uint8Array`, ARRAY an array, MAP a `Map` (string keys: a plain object is accepted too),
 * STRUCT a plain object. Logical types (by `name`): Decimal is a `DecimalValue`, Date, Time and
 * Timestamp are a `Date` in UTC.
 */
export interface Schema {
  readonly type: SchemaType
  readonly optional: boolean
  readonly defaultValue?: unknown
  readonly name?: string
  readonly version?: number
  readonly doc?: string
  readonly parameters?: Readonly<Record<string, string>>
  /** STRUCT only, in order. */
  readonly fields?: readonly Field[]
  /** MAP only. */
  readonly keySchema?: Schema
  /** ARRAY and MAP only. */
  readonly valueSchema?: Schema
  /**
   * The Avro schema (parsed JSON) that this one was made from, so that writing it again loses nothing
   * that Connect's types cannot say. A transform that changes the schema makes a new one without it.
   */
  readonly avro?: unknown
}

/** `unscaled · 10^-scale`, exactly. */
export interface DecimalValue {
  readonly unscaled: bigint
  readonly scale: number
}

export interface SchemaAndValue {
  /** Null: the value has no schema. */
  readonly schema: Schema | null
  readonly value: unknown
}

export const NULL_VALUE: SchemaAndValue = { schema: null, value: null }

/** Makes a STRUCT's fields from `[name, schema]` pairs, numbered in order. */
export const fields = (pairs: readonly (readonly [string, Schema])[]): readonly Field[] =>
  pairs.map(([name, schema], index) => ({ name, index, schema }))
