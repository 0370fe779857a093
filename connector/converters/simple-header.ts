import { ConfigDef } from '../api/config-def.ts'
import type { HeaderConverter } from '../api/converter.ts'
import { parseString } from '../api/parse-value.ts'
import type { Header } from '../api/records.ts'
import { NULL_VALUE, type SchemaAndValue } from '../api/schema.ts'
import { convertToString } from '../api/values.ts'

const CONFIG = new ConfigDef({})

/**
 * org.apache.kafka.connect.storage.SimpleHeaderConverter: headers as texts; a text that looks like a boolean, a
 * number, a date, an array or a map is read as such, as Kafka's `Values` does.
 */
export class SimpleHeaderConverter implements HeaderConverter {
  configure(): void {}

  config(): ConfigDef {
    return CONFIG
  }

  toConnectHeader(_topic: string, _key: string, bytes: Uint8Array | null): SchemaAndValue {
    if (bytes === null) return NULL_VALUE
    return parseString(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8'))
  }

  fromConnectHeader(_topic: string, header: Header): Uint8Array | null {
    const text = convertToString(header.schema, header.value)
    return text === null ? null : Buffer.from(text)
  }
}
