import type { ConfigDef } from './config-def.ts'
import type { EncodedAvro } from './encoded-avro.ts'
import type { Header } from './records.ts'
import type { Schema, SchemaAndValue } from './schema.ts'
import type { Awaitable, Props } from './task-context.ts'

/** What `toConnectData` gives. `encoded` is set when the value is left as bytes; then `value` decodes on first use. */
export interface ConvertedData extends SchemaAndValue {
  readonly encoded?: EncodedAvro
}

/**
 * Turns Connect values into a message's bytes and back. Named in `key.converter` and `value.converter` of worker or connector;
 * each task has its own for keys and for values. Answers at once where it can (a cached schema id)
 * and with a promise only where it must ask somebody.
 *
 * @throws RetriableError when the registry does not answer, DataError when the data is wrong.
 */
export interface Converter {
  /** Called once. The keys below `key.converter.` or `value.converter.`, without that prefix. */
  configure(config: Props, isKey: boolean): Awaitable<void>
  /** Null is no bytes: a tombstone. */
  fromConnectData(
    topic: string,
    headers: readonly Header[],
    schema: Schema | null,
    value: unknown,
  ): Awaitable<Uint8Array | null>
  toConnectData(
    topic: string,
    headers: readonly Header[],
    bytes: Uint8Array | null,
  ): Awaitable<ConvertedData>
  config(): ConfigDef
  close?(): Awaitable<void>
}

/** Turns the values of headers into bytes and back, at once. Named in `header.converter`. @throws DataError. */
export interface HeaderConverter {
  /** Called once. The keys below `header.converter.`, without that prefix. */
  configure(config: Props): void
  toConnectHeader(topic: string, key: string, bytes: Uint8Array | null): SchemaAndValue
  fromConnectHeader(topic: string, header: Header): Uint8Array | null
  config(): ConfigDef
  close?(): void
}
