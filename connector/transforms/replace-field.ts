import { ConfigDef, list } from '../api/config-def.ts'
import { ConfigError } from '../api/errors.ts'
import type { ConnectRecord } from '../api/records.ts'
import type { Schema } from '../api/schema.ts'
import type { Props } from '../api/task-context.ts'
import type { Transformation } from '../api/transformation.ts'
import { REPLACE_NULL_WITH_DEFAULT } from './config-keys.ts'
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

const fieldList = (doc: string, check?: (value: readonly string[]) => string | undefined) =>
  list({ doc, importance: 'MEDIUM', default: [], ...(check !== undefined && { check }) })

const CONFIG = new ConfigDef({
  exclude: fieldList('Fields to exclude. This takes precedence over the fields to include.'),
  include: fieldList('Fields to include. If specified, only these fields will be used.'),
  renames: fieldList('Field rename mappings.', (mappings) => {
    parseRenames(mappings)
    return undefined
  }),
  ...REPLACE_NULL_WITH_DEFAULT,
})
const PURPOSE = 'field replacement'

function parseRenames(mappings: readonly string[]): ReadonlyMap<string, string> {
  return new Map(
    mappings.map((mapping): [string, string] => {
      const [from, to, ...rest] = mapping.split(':')
      if (from !== undefined && to !== undefined && to !== '' && rest.length === 0) {
        return [from, to]
      }
      throw new ConfigError(
        `Invalid value [${mappings.join(', ')}] for configuration renames: Invalid rename mapping: ${mapping}`,
      )
    }),
  )
}

/** org.apache.kafka.connect.transforms.ReplaceField: fields left out or renamed. */
export class ReplaceField implements Transformation {
  readonly #target: Target
  #exclude: ReadonlySet<string> = new Set()
  #include: ReadonlySet<string> = new Set()
  #renames: ReadonlyMap<string, string> = new Map()
  #isDefaultUsed = true
  readonly #updated = perSchema((schema) =>
    structLike(
      schema,
      fieldsOf(schema).flatMap((field): [string, Schema][] =>
        this.#isKept(field.name) ? [[this.#renamed(field.name), field.schema]] : [],
      ),
    ),
  )

  constructor(target: Target) {
    this.#target = target
  }

  configure(config: Props): void {
    const parsed = CONFIG.parse(config)
    this.#exclude = new Set(parsed.exclude)
    this.#include = new Set(parsed.include)
    this.#renames = parseRenames(parsed.renames)
    this.#isDefaultUsed = parsed['replace.null.with.default']
  }

  config(): ConfigDef {
    return CONFIG
  }

  apply<R extends ConnectRecord>(record: R): R {
    const value = valueOf(record, this.#target)
    if (value === null) return record
    const schema = schemaOf(record, this.#target)
    const replaced = new Map<string, unknown>()
    if (schema === null) {
      for (const [name, item] of requireMap(value, PURPOSE)) {
        if (this.#isKept(name)) replaced.set(this.#renamed(name), item)
      }
      return withValue(record, this.#target, { schema: null, value: mapOf(replaced) })
    }
    const struct = requireStruct(schema, value, PURPOSE)
    const updated = this.#updated(schema)
    for (const field of fieldsOf(schema)) {
      if (!this.#isKept(field.name)) continue
      replaced.set(this.#renamed(field.name), fieldValue(struct, field, this.#isDefaultUsed))
    }
    return withValue(record, this.#target, { schema: updated, value: mapOf(replaced) })
  }

  #isKept(name: string): boolean {
    return !this.#exclude.has(name) && (this.#include.size === 0 || this.#include.has(name))
  }

  #renamed(name: string): string {
    return this.#renames.get(name) ?? name
  }
}
