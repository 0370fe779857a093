import { ConfigDef, string } from '../api/config-def.ts'
import type { ConvertedData, Converter, HeaderConverter } from '../api/converter.ts'
import { DataError } from '../api/errors.ts'
import { javaFloat } from '../api/java-text.ts'
import type { Header } from '../api/records.ts'
import type { Schema, SchemaAndValue } from '../api/schema.ts'
import type { Props } from '../api/task-context.ts'
import { connectToText } from './connect-text.ts'
import { CONVERTER_TYPE, withType } from './converter-type.ts'

const CONFIG = new ConfigDef({
  ...CONVERTER_TYPE,
  'converter.encoding': string({
    doc: 'The name of the Java character set to use for encoding strings as byte arrays.',
    importance: 'HIGH',
    default: 'UTF-8',
    width: 'MEDIUM',
    displayName: 'Encoding',
    check: (value) => (/^utf-?8$/i.test(value) ? undefined : 'Only UTF-8 is supported.'),
  }),
})

const OPTIONAL_STRING: Schema = { type: 'STRING', optional: true }

/** org.apache.kafka.connect.storage.StringConverter: everything as text, UTF-8. */
export class StringConverter implements Converter, HeaderConverter {
  configure(config: Props, isKey = false): void {
    CONFIG.parse(withType(config, isKey))
  }

  config(): ConfigDef {
    return CONFIG
  }

  fromConnectData(
    _topic: string,
    _headers: readonly Header[],
    schema: Schema | null,
    value: unknown,
  ): Uint8Array | null {
    if (value === null || value === undefined) return null
    const isFloat = schema?.type === 'FLOAT32' || schema?.type === 'FLOAT64'
    return Buffer.from(
      isFloat && typeof value === 'number' ? javaFloat(value, schema.type) : connectToText(value),
    )
  }

  toConnectData(
    _topic: string,
    _headers: readonly Header[],
    bytes: Uint8Array | null,
  ): ConvertedData {
    return { schema: OPTIONAL_STRING, value: decode(bytes) }
  }

  toConnectHeader(_topic: string, _key: string, bytes: Uint8Array | null): SchemaAndValue {
    return { schema: OPTIONAL_STRING, value: decode(bytes) }
  }

  fromConnectHeader(_topic: string, header: Header): Uint8Array | null {
    return this.fromConnectData('', [], header.schema, header.value)
  }
}

const DECODER = new TextDecoder('utf-8', { fatal: true })

/** Texts up to this length are looked at byte by byte first: most keys are ASCII, which needs no decoder. */
const SHORT_BYTES = 64

function decode(bytes: Uint8Array | null): string | null {
  if (bytes === null) return null
  if (bytes.length <= SHORT_BYTES && isAscii(bytes)) {
    const { buffer, byteOffset, length } = bytes
    const text = bytes instanceof Buffer ? bytes : Buffer.from(buffer, byteOffset, length)
    return text.toString('latin1')
  }
  try {
    return DECODER.decode(bytes)
  } catch (error) {
    throw new DataError('Failed to deserialize to a string: the bytes are not UTF-8.', {
      cause: error,
    })
  }
}

function isAscii(bytes: Uint8Array): boolean {
  for (let i = 0; i < bytes.length; i++) if ((bytes[i] as number) >= 0x80) return false
  return true
}
