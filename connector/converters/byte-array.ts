import { ConfigDef } from '../api/config-def.ts'
import type { ConvertedData, Converter, HeaderConverter } from '../api/converter.ts'
import { DataError } from '../api/errors.ts'
import type { Header } from '../api/records.ts'
import type { Schema, SchemaAndValue } from '../api/schema.ts'
import { CONVERTER_TYPE } from './converter-type.ts'

const CONFIG = new ConfigDef({ ...CONVERTER_TYPE })
const OPTIONAL_BYTES: Schema = { type: 'BYTES', optional: true }

/** org.apache.kafka.connect.converters.ByteArrayConverter: bytes pass through. */
export class ByteArrayConverter implements Converter, HeaderConverter {
  configure(): void {}

  config(): ConfigDef {
    return CONFIG
  }

  fromConnectData(
    _topic: string,
    _headers: readonly Header[],
    schema: Schema | null,
    value: unknown,
  ): Uint8Array | null {
    if (schema !== null && schema.type !== 'BYTES') {
      throw new DataError(`Invalid schema type for ByteArrayConverter: ${schema.type}`)
    }
    if (value === null || value === undefined) return null
    if (value instanceof Uint8Array) return value
    throw new DataError(`ByteArrayConverter is not compatible with objects of type ${typeof value}`)
  }

  toConnectData(
    _topic: string,
    _headers: readonly Header[],
    bytes: Uint8Array | null,
  ): ConvertedData {
    return { schema: OPTIONAL_BYTES, value: bytes }
  }

  toConnectHeader(_topic: string, _key: string, bytes: Uint8Array | null): SchemaAndValue {
    return { schema: OPTIONAL_BYTES, value: bytes }
  }

  fromConnectHeader(_topic: string, header: Header): Uint8Array | null {
    return this.fromConnectData('', [], header.schema, header.value)
  }
}
