import { ConfigDef, type ConfigOf } from '../api/config-def.ts'
import { DataError } from '../api/errors.ts'
import { newRecord } from '../api/new-record.ts'
import type { ConnectRecord } from '../api/records.ts'
import { type Field, fields, type Schema } from '../api/schema.ts'
import type { Props } from '../api/task-context.ts'
import type { Transformation } from '../api/transformation.ts'
import { REPLACE_NULL_WITH_DEFAULT, requiredList } from './config-keys.ts'
import {
  fieldNamed,
  fieldValue,
  perSchema,
  requireMap,
  requireStruct,
  valueOf,
} from './field-values.ts'

const CONFIG = new ConfigDef({
  fields: requiredList('Field names on the record value to extract as the record key.'),
  ...REPLACE_NULL_WITH_DEFAULT,
})
const PURPOSE = 'copying fields from value to key'

/** org.apache.kafka.connect.transforms.ValueToKey: a key of some of the value's fields. */
export class ValueToKey implements Transformation {
  #config!: ConfigOf<typeof CONFIG>
  readonly #key = perSchema((schema) => {
    const chosen = this.#config.fields.map((name): Field => {
      const field = fieldNamed(schema, name)
      if (field === undefined) throw new DataError(`Field does not exist: ${name}`)
      return field
    })
    const keySchema: Schema = {
      type: 'STRUCT',
      optional: false,
      fields: fields(chosen.map((field) => [field.name, field.schema])),
    }
    return { keySchema, chosen }
  })

  configure(config: Props): void {
    this.#config = CONFIG.parse(config)
  }

  config(): ConfigDef {
    return CONFIG
  }

  apply<R extends ConnectRecord>(record: R): R {
    const { valueSchema } = record
    const value = valueOf(record, 'value')
    if (valueSchema === null) {
      const map = requireMap(value, PURPOSE)
      const key = Object.fromEntries(
        this.#config.fields.map((name) => [name, map.get(name) ?? null]),
      )
      return newRecord(record, { keySchema: null, key })
    }
    const struct = requireStruct(valueSchema, value, PURPOSE)
    const { keySchema, chosen } = this.#key(valueSchema)
    const isDefaultUsed = this.#config['replace.null.with.default']
    const key = Object.fromEntries(
      chosen.map((field) => [field.name, fieldValue(struct, field, isDefaultUsed)]),
    )
    return newRecord(record, { keySchema, key })
  }
}
