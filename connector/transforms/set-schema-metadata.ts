import { ConfigDef, type ConfigKey, int } from '../api/config-def.ts'
import { ConfigError, DataError } from '../api/errors.ts'
import type { ConnectRecord } from '../api/records.ts'
import type { Schema } from '../api/schema.ts'
import type { Props } from '../api/task-context.ts'
import type { Transformation } from '../api/transformation.ts'
import { optionalText, REPLACE_NULL_WITH_DEFAULT } from './config-keys.ts'
import {
  fieldsOf,
  fieldValue,
  isMap,
  perSchema,
  schemaOf,
  type Struct,
  type Target,
  valueOf,
  withValue,
} from './field-values.ts'

const SCHEMA_VERSION = {
  ...int({ doc: 'Schema version to set.', importance: 'HIGH' }),
  default: undefined,
  required: false,
} as ConfigKey<number | undefined>
const CONFIG = new ConfigDef({
  'schema.name': optionalText('Schema name to set.', 'HIGH'),
  'schema.version': SCHEMA_VERSION,
  ...REPLACE_NULL_WITH_DEFAULT,
})

/** org.apache.kafka.connect.transforms.SetSchemaMetadata: another name or version of the key's or value's schema. */
export class SetSchemaMetadata implements Transformation {
  readonly #target: Target
  #name: string | undefined
  #version: number | undefined
  #isDefaultUsed = true
  readonly #updated = perSchema((schema): Schema => {
    const { avro: _madeFrom, ...rest } = schema
    return {
      ...rest,
      ...(this.#name !== undefined && { name: this.#name }),
      ...(this.#version !== undefined && { version: this.#version }),
    }
  })

  constructor(target: Target) {
    this.#target = target
  }

  configure(config: Props): void {
    const parsed = CONFIG.parse(config)
    this.#name = parsed['schema.name']
    this.#version = parsed['schema.version']
    this.#isDefaultUsed = parsed['replace.null.with.default']
    if (this.#name === undefined && this.#version === undefined) {
      throw new ConfigError('Neither schema name nor version configured')
    }
  }

  config(): ConfigDef {
    return CONFIG
  }

  apply<R extends ConnectRecord>(record: R): R {
    const schema = schemaOf(record, this.#target)
    const value = valueOf(record, this.#target)
    if (schema === null) {
      if (value === null) return record
      throw new DataError('Schema required for [updating schema metadata]')
    }
    const updated = this.#updated(schema)
    const isStruct = schema.type === 'STRUCT' && isMap(value)
    const copied = isStruct ? this.#copy(schema, value as Struct) : value
    return withValue(record, this.#target, { schema: updated, value: copied })
  }

  #copy(schema: Schema, struct: Struct): Struct {
    return Object.fromEntries(
      fieldsOf(schema).map((field) => [field.name, fieldValue(struct, field, this.#isDefaultUsed)]),
    )
  }
}
