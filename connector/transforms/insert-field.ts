import { ConfigDef } from '../api/config-def.ts'
import { ConfigError, DataError } from '../api/errors.ts'
import { isSinkRecord } from '../api/new-record.ts'
import type { ConnectRecord } from '../api/records.ts'
import { LOGICAL_TIMESTAMP, type Schema } from '../api/schema.ts'
import type { Props } from '../api/task-context.ts'
import type { Transformation } from '../api/transformation.ts'
import { optionalText, REPLACE_NULL_WITH_DEFAULT } from './config-keys.ts'
import {
  fieldsOf,
  fieldValue,
  mapOf,
  perSchema,
  requireMap,
  requireStruct,
  schemaOf,
  structLike,
  type Target,
  valueOf,
  withValue,
} from './field-values.ts'

const OPTIONALITY =
  'Suffix with <code>!</code> to make this a required field, or <code>?</code> to keep it optional (the default).'
const CONFIG = new ConfigDef({
  'topic.field': optionalText(`Field name for Kafka topic. ${OPTIONALITY}`, 'MEDIUM'),
  'partition.field': optionalText(`Field name for Kafka partition. ${OPTIONALITY}`, 'MEDIUM'),
  'offset.field': optionalText(
    `Field name for Kafka offset - only applicable to sink connectors.<br/>${OPTIONALITY}`,
    'MEDIUM',
  ),
  'timestamp.field': optionalText(`Field name for record timestamp. ${OPTIONALITY}`, 'MEDIUM'),
  'static.field': optionalText(`Field name for static data field. ${OPTIONALITY}`, 'MEDIUM'),
  'static.value': optionalText('Static field value, if field name configured.', 'MEDIUM'),
  ...REPLACE_NULL_WITH_DEFAULT,
})
const PURPOSE = 'field insertion'

/** A field to insert. */
interface Insertion {
  readonly name: string
  readonly schema: Schema
  /** Undefined: the record has none, and nothing is inserted. */
  readonly read: (record: ConnectRecord, hasSchema: boolean) => unknown
}

/** `name!` is required, `name?` and `name` are optional. */
function insertion(
  spec: string | undefined,
  schema: Omit<Schema, 'optional'>,
  read: Insertion['read'],
): readonly Insertion[] {
  if (spec === undefined) return []
  const name = /[!?]$/.test(spec) ? spec.slice(0, -1) : spec
  return [{ name, schema: { ...schema, optional: !spec.endsWith('!') }, read }]
}

const timestampOf = ({ timestamp }: ConnectRecord, hasSchema: boolean): unknown =>
  timestamp === undefined || !hasSchema ? timestamp : new Date(timestamp)

function offsetOf(record: ConnectRecord, hasSchema: boolean): unknown {
  if (isSinkRecord(record)) return hasSchema ? BigInt(record.kafkaOffset) : record.kafkaOffset
  throw new DataError(
    `Only SinkRecord supported for [${PURPOSE}], found: org.apache.kafka.connect.source.SourceRecord`,
  )
}

/** org.apache.kafka.connect.transforms.InsertField: topic, partition, offset, time or a fixed text as fields. */
export class InsertField implements Transformation {
  readonly #target: Target
  #insertions: readonly Insertion[] = []
  #isDefaultUsed = true
  readonly #updated = perSchema((schema) =>
    structLike(schema, [
      ...fieldsOf(schema).map((field): [string, Schema] => [field.name, field.schema]),
      ...this.#insertions.map((field): [string, Schema] => [field.name, field.schema]),
    ]),
  )

  constructor(target: Target) {
    this.#target = target
  }

  configure(config: Props): void {
    const parsed = CONFIG.parse(config)
    const fixed = parsed['static.value']
    if (parsed['static.field'] !== undefined && fixed === undefined) {
      throw new ConfigError(
        `Invalid value null for configuration static.value: No value specified for static field: ${parsed['static.field']}`,
      )
    }
    const timestamp = { type: 'INT64', name: LOGICAL_TIMESTAMP, version: 1 } as const
    this.#insertions = [
      ...insertion(parsed['topic.field'], { type: 'STRING' }, ({ topic }) => topic),
      ...insertion(parsed['partition.field'], { type: 'INT32' }, (record) => record.kafkaPartition),
      ...insertion(parsed['offset.field'], { type: 'INT64' }, offsetOf),
      ...insertion(parsed['timestamp.field'], timestamp, timestampOf),
      ...insertion(parsed['static.field'], { type: 'STRING' }, () => fixed),
    ]
    if (this.#insertions.length === 0) throw new ConfigError('No field insertion configured')
    this.#isDefaultUsed = parsed['replace.null.with.default']
  }

  config(): ConfigDef {
    return CONFIG
  }

  apply<R extends ConnectRecord>(record: R): R {
    const value = valueOf(record, this.#target)
    if (value === null) return record
    const schema = schemaOf(record, this.#target)
    const fields =
      schema === null ? requireMap(value, PURPOSE) : new Map(this.#structEntries(schema, value))
    const updated = schema && this.#updated(schema)
    for (const { name, read } of this.#insertions) {
      const inserted = read(record, schema !== null)
      if (inserted !== undefined) fields.set(name, inserted)
    }
    return withValue(record, this.#target, { schema: updated, value: mapOf(fields) })
  }

  #structEntries(schema: Schema, value: unknown): readonly (readonly [string, unknown])[] {
    const struct = requireStruct(schema, value, PURPOSE)
    return fieldsOf(schema).map((field) => [
      field.name,
      fieldValue(struct, field, this.#isDefaultUsed),
    ])
  }
}
