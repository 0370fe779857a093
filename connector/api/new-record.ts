import type { EncodedAvro } from './encoded-avro.ts'
import type { ConnectRecord, Header, SinkRecord, TimestampType } from './records.ts'
import type { Schema } from './schema.ts'

/** What a transformation may change of a record. */
export type RecordChanges = Partial<ConnectRecord>

/**
 * The record with some fields changed: what every transformation returns. Where the record came from stays: a
 * source record's partition and offset, a sink record's original topic, partition and offset. A value that is
 * not changed is not decoded either.
 *
 * Do not copy a record by spreading it: a sink record's fields are looked up when they are asked for, and a
 * spread does not see them.
 */
export function newRecord<R extends ConnectRecord>(record: R, changes: RecordChanges): R {
  if (!isSinkRecord(record)) return { ...record, ...changes }
  return new ChangedSinkRecord(record, changes) as SinkRecord as typeof record
}

/** Whether the record was consumed, not read from a source. */
export const isSinkRecord = (record: ConnectRecord): record is SinkRecord => 'kafkaOffset' in record

class ChangedSinkRecord implements SinkRecord {
  readonly #base: SinkRecord
  readonly #changes: RecordChanges

  constructor(base: SinkRecord, changes: RecordChanges) {
    this.#base = base
    this.#changes = changes
  }

  get topic(): string {
    return this.#changes.topic ?? this.#base.topic
  }
  get kafkaPartition(): number {
    return this.#changes.kafkaPartition ?? this.#base.kafkaPartition
  }
  get keySchema(): Schema | null {
    return this.#pick('keySchema')
  }
  get key(): unknown {
    return this.#pick('key')
  }
  get valueSchema(): Schema | null {
    return this.#pick('valueSchema')
  }
  get value(): unknown {
    return this.#pick('value')
  }
  get timestamp(): number | undefined {
    return this.#pick('timestamp')
  }
  get headers(): readonly Header[] {
    return this.#pick('headers')
  }
  get encodedValue(): EncodedAvro | undefined {
    const isChanged = 'value' in this.#changes || 'valueSchema' in this.#changes
    return isChanged ? undefined : this.#base.encodedValue
  }
  get kafkaOffset(): number {
    return this.#base.kafkaOffset
  }
  get timestampType(): TimestampType {
    return this.#base.timestampType
  }
  get originalTopic(): string {
    return this.#base.originalTopic
  }
  get originalKafkaPartition(): number {
    return this.#base.originalKafkaPartition
  }
  get originalKafkaOffset(): number {
    return this.#base.originalKafkaOffset
  }

  #pick<K extends keyof ConnectRecord>(key: K): ConnectRecord[K] {
    return key in this.#changes ? (this.#changes[key] as ConnectRecord[K]) : this.#base[key]
  }
}
