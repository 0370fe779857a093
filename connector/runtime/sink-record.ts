import type { ConvertedData } from '../api/converter.ts'
import type { EncodedAvro } from '../api/encoded-avro.ts'
import type { Header, SinkRecord, TimestampType } from '../api/records.ts'
import type { Schema } from '../api/schema.ts'
import type { ConsumerMessage } from '../kafka/client.ts'

/** A consumed message as a sink task sees it. Cheap to make: key and value are looked up when asked for. */
export class ConsumedRecord implements SinkRecord {
  /** The message itself, for dead-letter queues. */
  readonly message: ConsumerMessage
  readonly headers: readonly Header[]
  readonly #key: ConvertedData
  readonly #value: ConvertedData

  constructor(
    message: ConsumerMessage,
    key: ConvertedData,
    value: ConvertedData,
    headers: readonly Header[],
  ) {
    this.message = message
    this.headers = headers
    this.#key = key
    this.#value = value
  }

  get topic(): string {
    return this.message.topic
  }
  get kafkaPartition(): number {
    return this.message.partition
  }
  get kafkaOffset(): number {
    return this.message.offset
  }
  get keySchema(): Schema | null {
    return this.#key.schema
  }
  get key(): unknown {
    return this.#key.value
  }
  get valueSchema(): Schema | null {
    return this.#value.schema
  }
  get value(): unknown {
    return this.#value.value
  }
  get encodedValue(): EncodedAvro | undefined {
    return this.#value.encoded
  }
  get timestamp(): number | undefined {
    return this.message.timestamp
  }
  get timestampType(): TimestampType {
    return this.message.timestampType
  }
  get originalTopic(): string {
    return this.message.topic
  }
  get originalKafkaPartition(): number {
    return this.message.partition
  }
  get originalKafkaOffset(): number {
    return this.message.offset
  }
}
