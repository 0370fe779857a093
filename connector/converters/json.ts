import { boolean, ConfigDef, type ConfigOf, int, string } from '../api/config-def.ts'
import type { ConvertedData, Converter, HeaderConverter } from '../api/converter.ts'
import { DataError, toMessage } from '../api/errors.ts'
import type { Header } from '../api/records.ts'
import { NULL_VALUE, type Schema, type SchemaAndValue } from '../api/schema.ts'
import type { Props } from '../api/task-context.ts'
import { parseJson, stringifyJson } from './json-text.ts'
import { schemaFromJson, schemaToJson } from './json-schema.ts'
import { type DecimalFormat, valueFromJson, valueToJson } from './json-value.ts'

const CONFIG = new ConfigDef({
  'schemas.enable': boolean({
    doc: 'Whether messages carry their schema, as {"schema":…,"payload":…}.',
    importance: 'HIGH',
    default: true,
  }),
  'schemas.cache.size': int({
    doc: 'How many schemas are remembered.',
    importance: 'HIGH',
    default: 1000,
    range: [0, 1_000_000],
  }),
  'decimal.format': string({
    doc: 'How decimals are written: BASE64 or NUMERIC.',
    importance: 'LOW',
    default: 'BASE64',
    check: (value) =>
      ['BASE64', 'NUMERIC'].includes(value.toUpperCase())
        ? undefined
        : 'String must be one of (case insensitive): BASE64, NUMERIC',
  }),
  'replace.null.with.default': boolean({
    doc: 'Whether a null field that has a default is written as that.',
    importance: 'LOW',
    default: true,
  }),
})

const ENVELOPE =
  'JsonConverter with schemas.enable requires "schema" and "payload" fields and may not contain additional fields. If you are trying to deserialize plain JSON data, set schemas.enable=false in your converter configuration.'

/** org.apache.kafka.connect.json.JsonConverter: JSON with its schema in each message, or without any. */
export class JsonConverter implements Converter, HeaderConverter {
  #config: ConfigOf<typeof CONFIG> = CONFIG.parse({})
  readonly #written = new Map<Schema, unknown>()
  readonly #read = new Map<string, Schema | null>()

  configure(config: Props): void {
    this.#config = CONFIG.parse(config)
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
    const isNull = value === null || value === undefined
    if (schema === null && isNull) return null
    const payload = valueToJson(schema, value ?? null, {
      decimals: this.#config['decimal.format'].toUpperCase() as DecimalFormat,
      replaceNullWithDefault: this.#config['replace.null.with.default'],
    })
    const json = this.#config['schemas.enable']
      ? { schema: this.#schemaToJson(schema), payload }
      : payload
    return Buffer.from(stringifyJson(json))
  }

  toConnectData(
    _topic: string,
    _headers: readonly Header[],
    bytes: Uint8Array | null,
  ): ConvertedData {
    if (bytes === null) return NULL_VALUE
    let json: unknown
    try {
      json = parseJson(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8'))
    } catch (error) {
      throw new DataError(
        `Converting byte[] to Kafka Connect data failed due to serialization error: ${toMessage(error)}`,
        { cause: error },
      )
    }
    if (!this.#config['schemas.enable']) return { schema: null, value: valueFromJson(null, json) }
    const envelope = json as Record<string, unknown> | null
    const isEnvelope =
      typeof envelope === 'object' &&
      envelope !== null &&
      Object.keys(envelope).length === 2 &&
      'schema' in envelope &&
      'payload' in envelope
    if (!isEnvelope) throw new DataError(ENVELOPE)
    const schema = this.#schemaFromJson(envelope['schema'])
    return { schema, value: valueFromJson(schema, envelope['payload']) }
  }

  toConnectHeader(topic: string, _key: string, bytes: Uint8Array | null): SchemaAndValue {
    return this.toConnectData(topic, [], bytes)
  }

  fromConnectHeader(topic: string, header: Header): Uint8Array | null {
    return this.fromConnectData(topic, [], header.schema, header.value)
  }

  #schemaToJson(schema: Schema | null): unknown {
    if (schema === null) return null
    let json = this.#written.get(schema)
    if (json === undefined) {
      json = schemaToJson(schema)
      this.#remember(this.#written, schema, json)
    }
    return json
  }

  #schemaFromJson(json: unknown): Schema | null {
    const key = stringifyJson(json)
    let schema = this.#read.get(key)
    if (schema === undefined) {
      schema = json === null ? null : schemaFromJson(json)
      this.#remember(this.#read, key, schema)
    }
    return schema
  }

  #remember<K, V>(cache: Map<K, V>, key: K, value: V): void {
    if (cache.size >= this.#config['schemas.cache.size']) cache.clear()
    cache.set(key, value)
  }
}
