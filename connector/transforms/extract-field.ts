import { ConfigDef, type ConfigOf } from '../api/config-def.ts'
import { DataError } from '../api/errors.ts'
import type { ConnectRecord } from '../api/records.ts'
import type { Props } from '../api/task-context.ts'
import type { Transformation } from '../api/transformation.ts'
import { REPLACE_NULL_WITH_DEFAULT, requiredText } from './config-keys.ts'
import { FIELD_SYNTAX_VERSION, FieldPath } from './field-path.ts'
import {
  requireMapOrNull,
  requireStructOrNull,
  schemaOf,
  type Target,
  valueOf,
  withValue,
} from './field-values.ts'

const CONFIG = new ConfigDef({
  field: requiredText('Field name to extract.', 'MEDIUM'),
  ...REPLACE_NULL_WITH_DEFAULT,
  ...FIELD_SYNTAX_VERSION,
})
const PURPOSE = 'field extraction'

/** org.apache.kafka.connect.transforms.ExtractField: one field in place of the whole key or value. */
export class ExtractField implements Transformation {
  readonly #target: Target
  #config!: ConfigOf<typeof CONFIG>
  #path!: FieldPath

  constructor(target: Target) {
    this.#target = target
  }

  configure(config: Props): void {
    this.#config = CONFIG.parse(config)
    this.#path = new FieldPath(this.#config.field, this.#config['field.syntax.version'])
  }

  config(): ConfigDef {
    return CONFIG
  }

  apply<R extends ConnectRecord>(record: R): R {
    const schema = schemaOf(record, this.#target)
    const value = valueOf(record, this.#target)
    if (schema === null) {
      const map = requireMapOrNull(value, PURPOSE)
      const extracted = map === null ? null : this.#path.valueOfMap(map)
      return withValue(record, this.#target, { schema: null, value: extracted })
    }
    const struct = requireStructOrNull(schema, value, PURPOSE)
    const field = this.#path.fieldOf(schema)
    if (field === undefined) throw new DataError(`Unknown field: ${this.#config.field}`)
    const isDefaultUsed = this.#config['replace.null.with.default']
    const extracted = struct === null ? null : this.#path.valueIn(schema, struct, isDefaultUsed)
    return withValue(record, this.#target, { schema: field.schema, value: extracted })
  }
}
