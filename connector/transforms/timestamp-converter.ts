import { ConfigDef, type ConfigOf, oneOf, string } from '../api/config-def.ts'
import { ConfigError, ConnectError, toMessage } from '../api/errors.ts'
import type { Clock } from '../api/clock.ts'
import type { ConnectRecord } from '../api/records.ts'
import { LOGICAL_DATE, LOGICAL_TIME, LOGICAL_TIMESTAMP, type Schema } from '../api/schema.ts'
import type { Props } from '../api/task-context.ts'
import type { Transformation } from '../api/transformation.ts'
import { REPLACE_NULL_WITH_DEFAULT } from './config-keys.ts'
import {
  fieldsOf,
  fieldValue,
  mapOf,
  perSchema,
  requireMap,
  requireStructOrNull,
  schemaOf,
  type Struct,
  structLike,
  type Target,
  valueOf,
  withValue,
} from './field-values.ts'
import { SimpleDateFormat } from './simple-date-format.ts'
import {
  inferTimestampType,
  TIMESTAMP_TYPES,
  type TimestampForm,
  type TimestampType,
  timestampSchema,
  toMillis,
  toTimestamp,
  UNIX_PRECISIONS,
  type UnixPrecision,
} from './timestamp-types.ts'

const CONFIG = new ConfigDef({
  field: string({
    doc: 'The field containing the timestamp, or empty if the entire value is a timestamp',
    importance: 'HIGH',
    default: '',
  }),
  'target.type': string<TimestampType>({
    doc: 'The desired timestamp representation: string, unix, Date, Time, or Timestamp',
    importance: 'HIGH',
    check: oneOf(...TIMESTAMP_TYPES),
  }),
  format: string({
    doc: 'A SimpleDateFormat-compatible format for the timestamp. Used to generate the output when type=string or used to parse the input if the input is a string.',
    importance: 'MEDIUM',
    default: '',
  }),
  'unix.precision': string<UnixPrecision>({
    doc: 'The desired Unix precision for the timestamp: seconds, milliseconds, microseconds, or nanoseconds. Used to generate the output when type=unix or used to parse the input if the input is a Long.Note: This SMT will cause precision loss during conversions from, and to, values with sub-millisecond components.',
    importance: 'LOW',
    default: 'milliseconds',
    check: oneOf(...UNIX_PRECISIONS),
  }),
  ...REPLACE_NULL_WITH_DEFAULT,
})
const PURPOSE = 'converting timestamp formats'

/** org.apache.kafka.connect.transforms.TimestampConverter: a time as text, Unix time, Date, Time or Timestamp; UTC. */
export class TimestampConverter implements Transformation {
  readonly #target: Target
  readonly #clock: Clock
  #config!: ConfigOf<typeof CONFIG>
  #form!: TimestampForm
  readonly #updated = perSchema((schema) => this.#updatedSchema(schema))

  constructor(target: Target, clock: Clock) {
    this.#target = target
    this.#clock = clock
  }

  configure(config: Props): void {
    this.#config = CONFIG.parse(config)
    const { format, 'target.type': type, 'unix.precision': precision } = this.#config
    const hasFormat = format.trim() !== ''
    if (type === 'string' && !hasFormat) {
      throw new ConfigError(
        'TimestampConverter requires format option to be specified when using string timestamps',
      )
    }
    this.#form = { type, precision, format: hasFormat ? this.#format(format, type) : undefined }
  }

  config(): ConfigDef {
    return CONFIG
  }

  apply<R extends ConnectRecord>(record: R): R {
    const schema = schemaOf(record, this.#target)
    const value = valueOf(record, this.#target)
    const { field: name } = this.#config
    if (schema === null) {
      if (value === null || name === '') return this.#with(record, null, this.#convert(value, null))
      const map = requireMap(value, PURPOSE)
      map.set(name, this.#convert(map.get(name), null))
      return this.#with(record, null, mapOf(map))
    }
    if (name === '') {
      const updated = timestampSchema(this.#form.type, schema.optional)
      return this.#with(record, updated, this.#convert(value, schema))
    }
    const struct = requireStructOrNull(schema, value, PURPOSE)
    return this.#with(record, this.#updated(schema), struct && this.#convertStruct(schema, struct))
  }

  #with<R extends ConnectRecord>(record: R, schema: Schema | null, value: unknown): R {
    return withValue(record, this.#target, { schema, value })
  }

  #format(pattern: string, type: TimestampType): SimpleDateFormat {
    try {
      const format = new SimpleDateFormat(pattern, this.#clock.now())
      const [letter] = format.unreadable
      if (type !== 'string' && letter !== undefined) {
        throw new ConfigError(`This runtime writes '${letter}', but cannot read it`)
      }
      return format
    } catch (error) {
      throw new ConfigError(
        `TimestampConverter requires a SimpleDateFormat-compatible pattern for string timestamps: ${pattern}: ${toMessage(error)}`,
        { cause: error },
      )
    }
  }

  #convert(value: unknown, schema: Schema | null): unknown {
    if (value === null || value === undefined) return null
    const from = schema === null ? inferTimestampType(value) : timestampTypeOf(schema)
    return toTimestamp(toMillis(value, from, this.#form), this.#form, schema !== null)
  }

  #convertStruct(schema: Schema, struct: Struct): Struct {
    return Object.fromEntries(
      fieldsOf(schema).map((field) => {
        const original = fieldValue(struct, field, this.#config['replace.null.with.default'])
        const isTimestamp = field.name === this.#config.field
        return [field.name, isTimestamp ? this.#convert(original, field.schema) : original]
      }),
    )
  }

  #updatedSchema(schema: Schema): Schema {
    const struct = structLike(
      schema,
      fieldsOf(schema).map((field) => [
        field.name,
        field.name === this.#config.field
          ? timestampSchema(this.#form.type, field.schema.optional)
          : field.schema,
      ]),
    )
    const defaultValue = (schema.defaultValue ?? null) as Struct | null
    return {
      ...struct,
      optional: schema.optional,
      ...(defaultValue !== null && { defaultValue: this.#convertStruct(schema, defaultValue) }),
    }
  }
}

function timestampTypeOf(schema: Schema): TimestampType {
  if (schema.name === LOGICAL_TIMESTAMP) return 'Timestamp'
  if (schema.name === LOGICAL_DATE) return 'Date'
  if (schema.name === LOGICAL_TIME) return 'Time'
  if (schema.type === 'STRING') return 'string'
  if (schema.type === 'INT64') return 'unix'
  throw new ConnectError(
    `Schema Schema{${schema.name ?? schema.type}} does not correspond to a known timestamp type format`,
  )
}
