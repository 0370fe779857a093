import { ConfigDef } from '../api/config-def.ts'
import type { ConnectRecord } from '../api/records.ts'
import { fields, type Schema } from '../api/schema.ts'
import type { Props } from '../api/task-context.ts'
import type { Transformation } from '../api/transformation.ts'
import { requiredText } from './config-keys.ts'
import { perSchema, schemaOf, type Target, valueOf, withValue } from './field-values.ts'

const CONFIG = new ConfigDef({
  field: requiredText(
    'Field name for the single field that will be created in the resulting Struct or Map.',
    'MEDIUM',
  ),
})

/** org.apache.kafka.connect.transforms.HoistField: the whole key or value as the one field of a struct or map. */
export class HoistField implements Transformation {
  readonly #target: Target
  #field = ''
  readonly #updated = perSchema(
    (schema): Schema => ({
      type: 'STRUCT',
      optional: false,
      fields: fields([[this.#field, schema]]),
    }),
  )

  constructor(target: Target) {
    this.#target = target
  }

  configure(config: Props): void {
    this.#field = CONFIG.parse(config).field
  }

  config(): ConfigDef {
    return CONFIG
  }

  apply<R extends ConnectRecord>(record: R): R {
    const schema = schemaOf(record, this.#target)
    const value = Object.fromEntries([[this.#field, valueOf(record, this.#target)]])
    return withValue(record, this.#target, { schema: schema && this.#updated(schema), value })
  }
}
