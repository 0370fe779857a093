import { boolean, ConfigDef, type ConfigOf, int, string } from '../api/config-def.ts'
import type { ConvertedData, Converter, HeaderConverter } from '../api/converter.ts'
import { ConfigError, DataError, toMessage } from '../api/errors.ts'
import type { Header } from '../api/records.ts'
import { NULL_VALUE, type Schema, type SchemaAndValue } from '../api/schema.ts'
import type { Props } from '../api/task-context.ts'
import { CONVERTER_TYPE, withType } from './converter-type.ts'
import { parseJson, stringifyJson } from './json-text.ts'
import { schemaFromJson, schemaToJson } from './json-schema.ts'
import { type DecimalFormat, valueFromJson, valueToJson } from './json-value.ts'

const CONFIG = new ConfigDef({
  ...CONVERTER_TYPE,
  'schemas.enable': boolean({
    doc: 'Include schemas within each of the serialized values and keys.',
    importance: 'HIGH',
    default: true,
    group: 'Schemas',
    order: 0,
    width: 'MEDIUM',
    displayName: 'Enable Schemas',
  }),
  'schemas.cache.size': int({
    doc: 'The maximum number of schemas that can be cached in this converter instance.',
    importance: 'HIGH',
    default: 1000,
    group: 'Schemas',
    order: 1,
    width: 'MEDIUM',
    displayName: 'Schema Cache Size',
  }),
  'schema.content': string<string | undefined>({
    doc: "When set, this is used as the schema for all messages, and the schemas within each of the message will be ignored.Otherwise, the schema will be included in the content of each message. This configuration applies only 'schemas.enable' is true, and it exclusively affects the sink connector.",
    importance: 'HIGH',
    default: undefined,
    group: 'Schemas',
    order: 2,
    width: 'MEDIUM',
    displayName: 'Schema Content',
  }),
  'decimal.format': string({
    doc: "Controls which format this converter will serialize decimals in. This value is case insensitive and can be either 'BASE64' (default) or 'NUMERIC'",
    importance: 'LOW',
    default: 'BASE64',
    group: 'Serialization',
    order: 0,
    width: 'MEDIUM',
    displayName: 'Decimal Format',
    check: (value) =>
      ['BASE64', 'NUMERIC'].includes(value.toUpperCase())
        ? undefined
        : 'String must be one of (case insensitive): NUMERIC, BASE64',
  }),
  'replace.null.with.default': boolean({
    doc: 'Whether to replace fields that have a default value and that are null to the default value. When set to true, the default value is used, otherwise null is used.',
    importance: 'LOW',
    default: true,
    group: 'Serialization',
    order: 1,
    width: 'MEDIUM',
    displayName: 'Replace null with default',
  }),
})

const ENVELOPE =
  'JsonConverter with schemas.enable requires "schema" and "payload" fields and may not contain additional fields. If you are trying to deserialize plain JSON data, set schemas.enable=false in your converter configuration.'

/** org.apache.kafka.connect.json.JsonConverter: JSON with its schema in each message, or without any. */
export class JsonConverter implements Converter, HeaderConverter {
  #config: ConfigOf<typeof CONFIG> = CONFIG.parse(withType({}))
  /** The schema of all messages, when it is configured. */
  #content: Schema | undefined
  readonly #written = new Map<Schema, unknown>()
  readonly #read = new Map<string, Schema | null>()

  configure(config: Props, isKey = false): void {
    this.#config = CONFIG.parse(withType(config, isKey))
    this.#content = this.#schemaContent()
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
    const isDefaultUsed = this.#config['replace.null.with.default']
    if (this.#content !== undefined) {
      return { schema: this.#content, value: valueFromJson(this.#content, json, isDefaultUsed) }
    }
    const envelope = json as Record<string, unknown> | null
    const isEnvelope =
      typeof envelope === 'object' &&
      envelope !== null &&
      Object.keys(envelope).length === 2 &&
      'schema' in envelope &&
      'payload' in envelope
    if (!isEnvelope) throw new DataError(ENVELOPE)
    const schema = this.#schemaFromJson(envelope['schema'])
    return { schema, value: valueFromJson(schema, envelope['payload'], isDefaultUsed) }
  }

  toConnectHeader(topic: string, _key: string, bytes: Uint8Array | null): SchemaAndValue {
    return this.toConnectData(topic, [], bytes)
  }

  fromConnectHeader(topic: string, header: Header): Uint8Array | null {
    return this.fromConnectData(topic, [], header.schema, header.value)
  }

  #schemaContent(): Schema | undefined {
    const text = this.#config['schema.content']
    if (text === undefined || text === '' || !this.#config['schemas.enable']) return undefined
    try {
      return schemaFromJson(parseJson(text)) ?? undefined
    } catch (error) {
      throw new ConfigError(`Invalid value for configuration schema.content: ${toMessage(error)}`, {
        cause: error,
      })
    }
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
