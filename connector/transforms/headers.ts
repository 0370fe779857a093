// The transformations of headers: DropHeaders, InsertHeader, HeaderFrom.
import { ConfigDef, type ConfigOf, oneOf, string } from '../api/config-def.ts'
import { ConfigError, DataError } from '../api/errors.ts'
import { newRecord } from '../api/new-record.ts'
import { parseString } from '../api/parse-value.ts'
import type { ConnectRecord, Header } from '../api/records.ts'
import type { Schema, SchemaAndValue } from '../api/schema.ts'
import type { Props } from '../api/task-context.ts'
import type { Transformation } from '../api/transformation.ts'
import { REPLACE_NULL_WITH_DEFAULT, requiredList, requiredText } from './config-keys.ts'
import {
  fieldNamed,
  fieldsOf,
  fieldValue,
  mapOf,
  perSchema,
  requireMap,
  requireStruct,
  schemaOf,
  type Struct,
  structLike,
  type Target,
  valueOf,
} from './field-values.ts'

const DROP = new ConfigDef({ headers: requiredList('The name of the headers to be removed.') })

/** org.apache.kafka.connect.transforms.DropHeaders. */
export class DropHeaders implements Transformation {
  #names: ReadonlySet<string> = new Set()

  configure(config: Props): void {
    this.#names = new Set(DROP.parse(config).headers)
  }

  config(): ConfigDef {
    return DROP
  }

  apply<R extends ConnectRecord>(record: R): R {
    return newRecord(record, { headers: record.headers.filter(({ key }) => !this.#names.has(key)) })
  }
}

const INSERT = new ConfigDef({
  header: requiredText('The name of the header.', 'HIGH'),
  'value.literal': requiredText(
    'The literal value that is to be set as the header value on all records.',
    'HIGH',
  ),
})

/** org.apache.kafka.connect.transforms.InsertHeader; the literal's type is what `Values` makes of it. */
export class InsertHeader implements Transformation {
  #header!: Header

  configure(config: Props): void {
    const { header, 'value.literal': literal } = INSERT.parse(config)
    this.#header = { key: header, ...parseString(literal) }
  }

  config(): ConfigDef {
    return INSERT
  }

  apply<R extends ConnectRecord>(record: R): R {
    return newRecord(record, { headers: [...record.headers, this.#header] })
  }
}

const FROM = new ConfigDef({
  fields: requiredList(
    'Field names in the record whose values are to be copied or moved to headers.',
  ),
  headers: requiredList(
    'Header names, in the same order as the field names listed in the fields configuration property.',
  ),
  operation: string({
    doc: 'Either <code>move</code> if the fields are to be moved to the headers (removed from the key/value), or <code>copy</code> if the fields are to be copied to the headers (retained in the key/value).',
    importance: 'HIGH',
    check: oneOf('move', 'copy'),
  }),
  ...REPLACE_NULL_WITH_DEFAULT,
})

/** org.apache.kafka.connect.transforms.HeaderFrom: fields of the key or value as headers. */
export class HeaderFrom implements Transformation {
  readonly #target: Target
  #config!: ConfigOf<typeof FROM>
  readonly #withoutFields = perSchema((schema) =>
    structLike(
      schema,
      fieldsOf(schema).flatMap((field) =>
        this.#config.fields.includes(field.name) ? [] : [[field.name, field.schema]],
      ),
    ),
  )

  constructor(target: Target) {
    this.#target = target
  }

  configure(config: Props): void {
    this.#config = FROM.parse(config)
    if (this.#config.fields.length !== this.#config.headers.length) {
      throw new ConfigError(
        "'fields' config must have the same number of elements as 'headers' config.",
      )
    }
  }

  config(): ConfigDef {
    return FROM
  }

  apply<R extends ConnectRecord>(record: R): R {
    const schema = schemaOf(record, this.#target)
    const value = valueOf(record, this.#target)
    const purpose = `header ${this.#config.operation}`
    return schema === null
      ? this.#schemaless(record, requireMap(value, purpose))
      : this.#withSchema(record, schema, requireStruct(schema, value, purpose))
  }

  #schemaless<R extends ConnectRecord>(record: R, map: Map<string, unknown>): R {
    const added = this.#headers((name) => ({ schema: null, value: map.get(name) ?? null }))
    if (this.#config.operation === 'move') for (const name of this.#config.fields) map.delete(name)
    return this.#changed(record, { schema: null, value: mapOf(map) }, added)
  }

  #withSchema<R extends ConnectRecord>(record: R, schema: Schema, struct: Struct): R {
    const isDefaultUsed = this.#config['replace.null.with.default']
    const added = this.#headers((name) => {
      const field = fieldNamed(schema, name)
      if (field === undefined) throw new DataError(`${name} is not a valid field name`)
      return { schema: field.schema, value: fieldValue(struct, field, isDefaultUsed) }
    })
    if (this.#config.operation === 'copy') {
      return newRecord(record, { headers: [...record.headers, ...added] })
    }
    const moved = this.#withoutFields(schema)
    const value = Object.fromEntries(
      moved.fields.map((field) => [field.name, fieldValue(struct, field, isDefaultUsed)]),
    )
    return this.#changed(record, { schema: moved, value }, added)
  }

  #headers(read: (field: string) => SchemaAndValue): readonly Header[] {
    return this.#config.fields.map((field, index) => ({
      key: this.#config.headers[index] ?? field,
      ...read(field),
    }))
  }

  #changed<R extends ConnectRecord>(
    record: R,
    { schema, value }: SchemaAndValue,
    added: readonly Header[],
  ): R {
    const headers = [...record.headers, ...added]
    return newRecord(
      record,
      this.#target === 'key'
        ? { keySchema: schema, key: value, headers }
        : { valueSchema: schema, value, headers },
    )
  }
}
