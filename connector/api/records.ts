import type { EncodedAvro } from './encoded-avro.ts'
import type { Schema, SchemaAndValue } from './schema.ts'

export interface Header {
  readonly key: string
  readonly schema: Schema | null
  readonly value: unknown
}

/** What source and sink records share. Immutable: a transformation returns another one, made by `newRecord`. */
export interface ConnectRecord {
  readonly topic: string
  /** Undefined: the producer's partitioner chooses, by key. */
  readonly kafkaPartition: number | undefined
  readonly keySchema: Schema | null
  readonly key: unknown
  readonly valueSchema: Schema | null
  readonly value: unknown
  /** Milliseconds since the Unix epoch. */
  readonly timestamp: number | undefined
  readonly headers: readonly Header[]
}

/** What a record was read from, e.g. `{ feed: 'mta-subway-l' }`. Values are JSON scalars. */
export type SourcePartition = Readonly<Record<string, string | number | boolean | null>>
/** How far a source partition was read. Values are JSON scalars. */
export type SourceOffset = Readonly<Record<string, string | number | boolean | null>>

/** One record on its way to Kafka, with where it came from. */
export interface SourceRecord extends ConnectRecord {
  readonly sourcePartition: SourcePartition
  /** Stored once this record and all before it of the same partition are acknowledged, never earlier. */
  readonly sourceOffset: SourceOffset
}

export type TimestampType = 'NoTimestampType' | 'CreateTime' | 'LogAppendTime'

/**
 * One record that was consumed. Key and value are converted at first use where their converter allows it
 * (see `encodedValue`); what cannot be converted never gets this far.
 */
export interface SinkRecord extends ConnectRecord {
  readonly kafkaPartition: number
  readonly kafkaOffset: number
  readonly timestampType: TimestampType
  /** Where the record was read, whatever transforms made of `topic`. Offsets are committed by these. */
  readonly originalTopic: string
  readonly originalKafkaPartition: number
  readonly originalKafkaOffset: number
  /** The value as Avro bytes, when it came as such and no transform has asked for the object. */
  readonly encodedValue: EncodedAvro | undefined
}

/** What Kafka answered for a produced record. */
export interface RecordMetadata {
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

export const keyOf = (record: ConnectRecord): SchemaAndValue => ({
  schema: record.keySchema,
  value: record.key,
})
