// Runs a recorded case of Apache Kafka's own transformations on ours.
import { KAFKA_PLUGINS } from '../../connector/cli/kafka-plugins.ts'
import { JsonConverter } from '../../connector/converters/json.ts'
import type { Header, SinkRecord } from '../../connector/api/records.ts'
import type { Schema, SchemaAndValue } from '../../connector/api/schema.ts'
import { FakeClock } from './fake-clock.ts'
import { recordingLog } from './recording-log.ts'

export interface TransformCase {
  readonly class: string
  readonly config: Readonly<Record<string, string>>
  readonly record: {
    readonly topic: string
    readonly partition: number
    readonly timestamp: number | null
    readonly offset: number
    readonly key: unknown
    readonly value: unknown
    readonly headers: readonly { readonly key: string; readonly value: unknown }[]
  }
  readonly expect: Readonly<Record<string, unknown>>
}

const converter = new JsonConverter()
converter.configure({ 'replace.null.with.default': 'false' })

/** When the recording was made, for two-digit years. */
const RECORDED_MS = Date.UTC(2026, 10, 23)
const environment = {
  clock: new FakeClock({ nowMs: RECORDED_MS }),
  random: () => 0,
  log: recordingLog(),
  environment: {},
}

const read = (json: unknown): SchemaAndValue =>
  converter.toConnectData('t', [], Buffer.from(JSON.stringify(json)))

function written(schema: Schema | null, value: unknown): unknown {
  const bytes = converter.fromConnectData('t', [], schema, value)
  return bytes === null ? null : (JSON.parse(Buffer.from(bytes).toString()) as unknown)
}

function recordOf({ record }: TransformCase): SinkRecord {
  const key = read(record.key)
  const value = read(record.value)
  return {
    topic: record.topic,
    kafkaPartition: record.partition,
    kafkaOffset: record.offset,
    keySchema: key.schema,
    key: key.value,
    valueSchema: value.schema,
    value: value.value,
    timestamp: record.timestamp ?? undefined,
    timestampType: 'CreateTime',
    headers: record.headers.map((header): Header => ({ key: header.key, ...read(header.value) })),
    originalTopic: record.topic,
    originalKafkaPartition: record.partition,
    originalKafkaOffset: record.offset,
    encodedValue: undefined,
  }
}

/** What our class of that name does, in the form of the recording. */
export async function runTransformCase(given: TransformCase): Promise<Record<string, unknown>> {
  const descriptor = KAFKA_PLUGINS.find((plugin) => plugin.className === given.class)
  if (descriptor === undefined) throw new Error(`No plugin ${given.class}`)
  const record = recordOf(given)
  const plugin = await descriptor.create(environment)
  try {
    if (descriptor.kind === 'predicate' && 'test' in plugin) {
      plugin.configure(given.config)
      return { test: plugin.test(record) }
    }
    if (!('apply' in plugin)) throw new Error(`${given.class} is no transformation`)
    plugin.configure(given.config)
    const result = plugin.apply(record)
    if (result === null) return { dropped: true }
    return {
      topic: result.topic,
      key: written(result.keySchema, result.key),
      value: written(result.valueSchema, result.value),
      headers: result.headers.map(({ key, schema, value }) => ({
        key,
        value: written(schema, value),
      })),
    }
  } catch (error) {
    if (!(error instanceof Error)) throw error
    const { javaClassName } = error.constructor as { javaClassName?: string }
    return { error: javaClassName ?? error.name, message: error.message }
  }
}

const CONFIG_EXCEPTION = 'org.apache.kafka.common.config.ConfigException'
const DATA_EXCEPTION = 'org.apache.kafka.connect.errors.DataException'

/**
 * A result as far as it can be the same here as in Java: Java's own exceptions (`IndexOutOfBoundsException`) may be any of
 * Kafka's, and a message counts only where the recording has one.
 */
export function comparable(
  result: Readonly<Record<string, unknown>>,
  recorded: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const { error, message } = result
  if (typeof error !== 'string') return result
  return {
    error: errorOf(error, String(recorded['error'])),
    ...(recorded['message'] !== undefined && { message }),
  }
}

function errorOf(error: string, recorded: string): string {
  if (recorded.startsWith('java.')) {
    return /^(java|org\.apache\.kafka)\./.test(error) ? 'an error for the user' : error
  }
  if (error.endsWith('.SchemaBuilderException')) return DATA_EXCEPTION
  return error.includes('ConfigException') ? CONFIG_EXCEPTION : error
}
