import { ConfigDef } from '../api/config-def.ts'
import type { HeaderConverter } from '../api/converter.ts'
import type { Header } from '../api/records.ts'
import { NULL_VALUE, type Schema, type SchemaAndValue } from '../api/schema.ts'
import { connectToText } from './connect-text.ts'

const CONFIG = new ConfigDef({})
const schema = (type: Schema['type']): Schema => ({ type, optional: false })
const BOOLEAN = schema('BOOLEAN')
const STRING = schema('STRING')
const INT8 = schema('INT8')
const INT16 = schema('INT16')
const INT32 = schema('INT32')
const INT64 = schema('INT64')
const FLOAT64 = schema('FLOAT64')

/**
 * org.apache.kafka.connect.storage.SimpleHeaderConverter: headers as texts; a text that looks like a boolean, a
 * number or JSON is read as such, with the smallest integer type that holds it, as Kafka's `Values` does.
 */
export class SimpleHeaderConverter implements HeaderConverter {
  configure(): void {}

  config(): ConfigDef {
    return CONFIG
  }

  toConnectHeader(_topic: string, _key: string, bytes: Uint8Array | null): SchemaAndValue {
    if (bytes === null) return NULL_VALUE
    return parse(Buffer.from(bytes).toString('utf8'))
  }

  fromConnectHeader(_topic: string, header: Header): Uint8Array | null {
    return header.value === null || header.value === undefined
      ? null
      : Buffer.from(connectToText(header.value))
  }
}

function parse(text: string): SchemaAndValue {
  const trimmed = text.trim()
  if (trimmed === 'null') return NULL_VALUE
  if (trimmed === 'true' || trimmed === 'false') {
    return { schema: BOOLEAN, value: trimmed === 'true' }
  }
  if (/^[+-]?\d{1,19}$/.test(trimmed))
    return parseInteger(trimmed) ?? { schema: STRING, value: text }
  if (/^[+-]?(\d+\.\d*|\.\d+|\d+)([eE][+-]?\d+)?$/.test(trimmed)) {
    return { schema: FLOAT64, value: Number(trimmed) }
  }
  if (trimmed.startsWith('{') || trimmed.startsWith('[')) return parseJson(trimmed, text)
  const quoted = /^"(.*)"$/s.exec(trimmed)?.[1]
  return { schema: STRING, value: quoted ?? text }
}

function parseInteger(text: string): SchemaAndValue | undefined {
  const value = BigInt(text.replace(/^\+/, ''))
  if (BigInt.asIntN(64, value) !== value) return undefined
  if (BigInt.asIntN(8, value) === value) return { schema: INT8, value: Number(value) }
  if (BigInt.asIntN(16, value) === value) return { schema: INT16, value: Number(value) }
  if (BigInt.asIntN(32, value) === value) return { schema: INT32, value: Number(value) }
  return { schema: INT64, value }
}

function parseJson(json: string, text: string): SchemaAndValue {
  try {
    return { schema: null, value: JSON.parse(json) as unknown }
  } catch {
    return { schema: STRING, value: text } // Not JSON: a text like any other.
  }
}
