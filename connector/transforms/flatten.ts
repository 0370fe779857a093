import { ConfigDef, string } from '../api/config-def.ts'
import { DataError } from '../api/errors.ts'
import { javaClassOf } from '../api/java-text.ts'
import type { ConnectRecord } from '../api/records.ts'
import type { Schema } from '../api/schema.ts'
import type { Props } from '../api/task-context.ts'
import type { Transformation } from '../api/transformation.ts'
import {
  basicsOf,
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
  withValue,
} from './field-values.ts'
import { inferredType } from './java-casts.ts'

const CONFIG = new ConfigDef({
  delimiter: string({
    doc: 'Delimiter to insert between field names from the input record when generating field names for the output record',
    importance: 'MEDIUM',
    default: '.',
  }),
})
const PURPOSE = 'flattening'
const DEPTH_MAX = 100

/** What the fields of a nested struct take over from it. */
interface Parent {
  readonly prefix: string
  readonly optional: boolean
  readonly defaultValue: Struct | null
  readonly depth: number
}

/** org.apache.kafka.connect.transforms.Flatten: nested structs or maps as one, names joined by the delimiter. Arrays stay. */
export class Flatten implements Transformation {
  readonly #target: Target
  #delimiter = '.'
  readonly #updated = perSchema((schema) => {
    const pairs: [string, Schema][] = []
    const defaultValue = (schema.defaultValue ?? null) as Struct | null
    this.#addSchemas(
      schema,
      { prefix: '', optional: schema.optional, defaultValue, depth: 0 },
      pairs,
    )
    return structLike(schema, pairs)
  })

  constructor(target: Target) {
    this.#target = target
  }

  configure(config: Props): void {
    this.#delimiter = CONFIG.parse(config).delimiter
  }

  config(): ConfigDef {
    return CONFIG
  }

  apply<R extends ConnectRecord>(record: R): R {
    const value = valueOf(record, this.#target)
    if (value === null) return record
    const schema = schemaOf(record, this.#target)
    const flat = new Map<string, unknown>()
    if (schema === null) {
      this.#addMap(requireMap(value, PURPOSE), { prefix: '', depth: 0 }, flat)
      return withValue(record, this.#target, { schema: null, value: mapOf(flat) })
    }
    const struct = requireStruct(schema, value, PURPOSE)
    const updated = this.#updated(schema)
    this.#addStruct(schema, struct, { prefix: '', flat })
    return withValue(record, this.#target, { schema: updated, value: mapOf(flat) })
  }

  #name(prefix: string, name: string): string {
    return prefix === '' ? name : prefix + this.#delimiter + name
  }

  #addMap(
    map: ReadonlyMap<string, unknown>,
    { prefix, depth }: { readonly prefix: string; readonly depth: number },
    flat: Map<string, unknown>,
  ): void {
    if (depth > DEPTH_MAX) throw new DataError(`Cannot flatten a map deeper than ${DEPTH_MAX}`)
    for (const [key, value] of map) {
      const name = this.#name(prefix, key)
      const type = value === null || value === undefined ? 'STRING' : inferredType(value)
      if (type === undefined) {
        throw new DataError(
          `Flatten transformation was passed a value of type class ${javaClassOf(value)} which is not supported by Connect's data API`,
        )
      }
      if (type === 'MAP') {
        this.#addMap(requireMap(value, PURPOSE), { prefix: name, depth: depth + 1 }, flat)
      } else flat.set(name, value ?? null)
    }
  }

  #addSchemas(schema: Schema, parent: Parent, pairs: [string, Schema][]): void {
    if (parent.depth > DEPTH_MAX) {
      throw new DataError('Flatten transformation does not support recursive schemas')
    }
    for (const field of fieldsOf(schema)) {
      const name = this.#name(parent.prefix, field.name)
      const optional = parent.optional || field.schema.optional
      const inherited = parent.defaultValue && fieldValue(parent.defaultValue, field, true)
      const defaultValue = field.schema.defaultValue ?? inherited ?? null
      if (field.schema.type === 'STRUCT') {
        const next = { prefix: name, optional, defaultValue: defaultValue as Struct | null }
        this.#addSchemas(field.schema, { ...next, depth: parent.depth + 1 }, pairs)
        continue
      }
      if (field.schema.type === 'MAP') throw unsupported(name)
      pairs.push([name, leaf(field.schema, optional, defaultValue)])
    }
  }

  #addStruct(
    schema: Schema,
    struct: Struct,
    { prefix, flat }: { readonly prefix: string; readonly flat: Map<string, unknown> },
  ): void {
    for (const field of fieldsOf(schema)) {
      const name = this.#name(prefix, field.name)
      const value = fieldValue(struct, field, true)
      if (field.schema.type !== 'STRUCT') flat.set(name, value)
      else if (value !== null) {
        const nested = requireStruct(field.schema, value, PURPOSE)
        this.#addStruct(field.schema, nested, { prefix: name, flat })
      }
    }
  }
}

const unsupported = (name: string): DataError =>
  new DataError(
    `Flatten transformation does not support MAP for record with schemas (for field ${name}).`,
  )

const leaf = (schema: Schema, optional: boolean, defaultValue: unknown): Schema => ({
  ...basicsOf(schema),
  type: schema.type,
  optional,
  ...(schema.valueSchema !== undefined && { valueSchema: schema.valueSchema }),
  ...(defaultValue !== null && { defaultValue }),
})
