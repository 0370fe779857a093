import { ConfigDef, list } from '../api/config-def.ts'
import { ConfigError } from '../api/errors.ts'
import type { ConnectRecord } from '../api/records.ts'
import type { Schema } from '../api/schema.ts'
import type { Props } from '../api/task-context.ts'
import type { Transformation } from '../api/transformation.ts'
import { REPLACE_NULL_WITH_DEFAULT } from './config-keys.ts'
import {
  basicsOf,
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
import { cast, CAST_OUTPUTS, type CastType } from './java-casts.ts'

const CONFIG = new ConfigDef({
  spec: list({
    doc: 'List of fields and the type to cast them to of the form field1:type,field2:type to cast fields of Maps or Structs. A single type to cast the entire value. Valid types are int8, int16, int32, int64, float32, float64, boolean, and string. Note that binary fields can only be cast to string.',
    importance: 'HIGH',
    check: (spec) => {
      if (spec.length === 0) throw new ConfigError('Must specify at least one field to cast.')
      parseSpec(spec)
      return undefined
    },
  }),
  ...REPLACE_NULL_WITH_DEFAULT,
})
const PURPOSE = 'cast types'
const ALL_TYPES = [...CAST_OUTPUTS, 'BYTES', 'ARRAY', 'MAP', 'STRUCT']

interface Spec {
  /** Undefined: fields are cast. */
  readonly whole: CastType | undefined
  readonly fields: ReadonlyMap<string, CastType>
}

function parseSpec(mappings: readonly string[]): Spec {
  const fields = new Map<string, CastType>()
  let whole: CastType | undefined
  for (const mapping of mappings) {
    const parts = mapping.split(':')
    const [first = '', second] = parts
    if (parts.length > 2) {
      throw new ConfigError(
        `Invalid value [${mappings.join(', ')}] for configuration spec: Invalid rename mapping: ${mapping}`,
      )
    }
    if (second === undefined) whole = typeNamed(first)
    else fields.set(first.trim(), typeNamed(second))
  }
  if (whole !== undefined && mappings.length > 1) {
    throw new ConfigError(
      'Cast transformations that specify a type to cast the entire value to may only specify a single cast in their spec',
    )
  }
  return { whole, fields }
}

function typeNamed(text: string): CastType {
  const name = text.trim().toUpperCase()
  const type = CAST_OUTPUTS.find((output) => output === name)
  if (type !== undefined) return type
  if (ALL_TYPES.includes(name)) {
    throw new ConfigError(
      `Cast transformation does not support casting to ${name}; supported types are [${CAST_OUTPUTS.join(', ')}]`,
    )
  }
  throw new ConfigError(`Invalid type found in casting spec: ${text.trim()}`)
}

/** org.apache.kafka.connect.transforms.Cast: fields, or the whole key or value, as another primitive type. */
export class Cast implements Transformation {
  readonly #target: Target
  #spec: Spec = { whole: undefined, fields: new Map() }
  #isDefaultUsed = true
  readonly #updated = perSchema((schema) => this.#updatedSchema(schema))

  constructor(target: Target) {
    this.#target = target
  }

  configure(config: Props): void {
    const parsed = CONFIG.parse(config)
    this.#spec = parseSpec(parsed.spec)
    this.#isDefaultUsed = parsed['replace.null.with.default']
  }

  config(): ConfigDef {
    return CONFIG
  }

  apply<R extends ConnectRecord>(record: R): R {
    const value = valueOf(record, this.#target)
    if (value === null) return record
    const schema = schemaOf(record, this.#target)
    const { whole } = this.#spec
    const updated = schema && this.#updated(schema)
    const result =
      whole === undefined ? this.#castFields(schema, updated, value) : cast(schema, value, whole)
    return withValue(record, this.#target, { schema: updated, value: result })
  }

  #castFields(schema: Schema | null, updated: Schema | null, value: unknown): unknown {
    const { fields } = this.#spec
    if (schema === null || updated === null) {
      const map = requireMap(value, PURPOSE)
      for (const [name, type] of fields) map.set(name, cast(null, map.get(name), type))
      return mapOf(map)
    }
    const struct = requireStruct(schema, value, PURPOSE)
    return Object.fromEntries(
      fieldsOf(schema).map((field) => {
        const original = fieldValue(struct, field, this.#isDefaultUsed)
        const type = fields.get(field.name)
        return [field.name, type === undefined ? original : cast(field.schema, original, type)]
      }),
    )
  }

  #updatedSchema(schema: Schema): Schema {
    const { whole, fields } = this.#spec
    if (whole !== undefined) return { ...basicsOf(schema), ...castSchema(schema, whole) }
    const struct = structLike(
      schema,
      fieldsOf(schema).map((field) => {
        const type = fields.get(field.name)
        return [field.name, type === undefined ? field.schema : castSchema(field.schema, type)]
      }),
    )
    return { ...struct, optional: schema.optional }
  }
}

const castSchema = (schema: Schema, type: CastType): Schema => ({
  type,
  optional: schema.optional,
  ...(schema.defaultValue !== undefined &&
    schema.defaultValue !== null && { defaultValue: cast(schema, schema.defaultValue, type) }),
})
