// Connect schema → Avro schema, as Confluent's AvroData maps them. A part that was made from Avro is
// written as it was.
import { DataError } from '../api/errors.ts'
import {
  type Field,
  LOGICAL_DATE,
  LOGICAL_DECIMAL,
  LOGICAL_TIME,
  LOGICAL_TIMESTAMP,
  type Schema,
} from '../api/schema.ts'
import { toJsonDefault } from './avro-json.ts'
import { AVRO_NAMESPACE, ENUM_PARAMETER, MAP_ENTRY, NO_NAME, UNION_STRUCT } from './avro-names.ts'
import { isObject, type NamedTypes, nameParts, parseAvro, printAvro } from './avro-node.ts'
import type { AvroDataOptions } from './avro-to-connect.ts'

/** Confluent's, where the schema does not say: the digits that 33 bytes hold. */
const DECIMAL_PRECISION = 64

type Json = Record<string, unknown>

/**
 * The Avro schema (JSON) that a Connect schema is written with.
 *
 * @throws DataError where Avro cannot say it: an illegal name, two structs of one name that differ.
 */
export function fromConnectSchema(schema: Schema, options: AvroDataOptions): unknown {
  return schema.avro ?? new Mapper(options).map(schema)
}

class Mapper {
  readonly #options: AvroDataOptions
  /** Definitions by name; the second use of a name must mean the same. */
  readonly #defined = new Map<string, string>()
  readonly #open = new Map<Schema['fields'] | undefined, string>()
  constructor(options: AvroDataOptions) {
    this.#options = options
  }

  map(schema: Schema): unknown {
    if (schema.avro !== undefined) return this.#original(schema.avro)
    const base = this.#base(schema)
    if (!schema.optional) return base
    if (Array.isArray(base)) return base
    return schema.defaultValue == null ? ['null', base] : [base, 'null']
  }

  /** Names that are defined already are only named. */
  #original(avro: unknown): unknown {
    const names: NamedTypes = new Map()
    const node = parseAvro(avro, names)
    const known = new Set<string>()
    for (const [name, type] of names) {
      const text = JSON.stringify(printAvro(type))
      const other = this.#defined.get(name)
      if (other !== undefined && other !== text) throw redefined(name)
      if (other === undefined) this.#defined.set(name, text)
      else known.add(name)
    }
    return printAvro(node, known)
  }

  // oxlint-disable-next-line typescript/consistent-return -- the switch is exhaustive, and TypeScript checks it
  #base(schema: Schema): unknown {
    switch (schema.type) {
      case 'INT8':
      case 'INT16':
        return { type: 'int', 'connect.type': schema.type.toLowerCase() }
      case 'INT32':
        return this.#int(schema)
      case 'INT64':
        return schema.name === LOGICAL_TIMESTAMP
          ? this.#meta(schema, { type: 'long', logicalType: 'timestamp-millis' })
          : this.#meta(schema, { type: 'long' })
      case 'FLOAT32':
        return this.#meta(schema, { type: 'float' })
      case 'FLOAT64':
        return this.#meta(schema, { type: 'double' })
      case 'BOOLEAN':
        return this.#meta(schema, { type: 'boolean' })
      case 'STRING':
        return this.#string(schema)
      case 'BYTES':
        return this.#bytes(schema)
      case 'ARRAY':
        return this.#meta(schema, { type: 'array', items: this.map(part(schema, 'valueSchema')) })
      case 'MAP':
        return this.#map(schema)
      case 'STRUCT':
        return schema.name === UNION_STRUCT ? this.#union(schema) : this.#record(schema)
    }
  }

  #int(schema: Schema): unknown {
    if (schema.name === LOGICAL_DATE)
      return this.#meta(schema, { type: 'int', logicalType: 'date' })
    if (schema.name === LOGICAL_TIME) {
      return this.#meta(schema, { type: 'int', logicalType: 'time-millis' })
    }
    return this.#meta(schema, { type: 'int' })
  }

  #string(schema: Schema): unknown {
    const fullName = schema.parameters?.[ENUM_PARAMETER]
    if (!this.#options.enhanced || fullName === undefined) {
      return this.#meta(schema, { type: 'string' })
    }
    const prefix = `${ENUM_PARAMETER}.`
    const symbols = Object.entries(schema.parameters ?? {}).flatMap(([key, value]) =>
      key.startsWith(prefix) ? [value] : [],
    )
    return this.#define(fullName, { type: 'enum', ...nameParts(fullName), symbols })
  }

  #bytes(schema: Schema): unknown {
    if (schema.name !== LOGICAL_DECIMAL) return this.#meta(schema, { type: 'bytes' })
    const { scale, 'connect.decimal.precision': precision } = schema.parameters ?? {}
    if (scale === undefined || !/^\d+$/.test(scale)) {
      throw new DataError(`A Decimal needs a scale that Avro can say, not "${scale ?? ''}".`)
    }
    const digits = precision === undefined ? DECIMAL_PRECISION : Number(precision)
    const type = { type: 'bytes', logicalType: 'decimal', precision: digits, scale: Number(scale) }
    return this.#meta(schema, type)
  }

  #map(schema: Schema): unknown {
    const key = part(schema, 'keySchema')
    const value = part(schema, 'valueSchema')
    if (key.type === 'STRING' && !key.optional) {
      return this.#meta(schema, { type: 'map', values: this.map(value) })
    }
    const name = schema.name ?? MAP_ENTRY
    const fields = [
      { name: 'key', type: this.map(key) },
      { name: 'value', type: this.map(value) },
    ]
    const entry = {
      type: 'record',
      ...nameParts(name),
      fields,
      'connect.internal.type': 'MapEntry',
    }
    return { type: 'array', items: this.#define(name, entry) }
  }

  #union(schema: Schema): unknown {
    const branches = (schema.fields ?? []).map((field) =>
      this.map({ ...field.schema, optional: false }),
    )
    return schema.optional ? ['null', ...branches] : branches
  }

  #record(schema: Schema): unknown {
    const open = this.#open.get(schema.fields)
    if (open !== undefined) return open
    const fullName = schema.name ?? NO_NAME
    this.#open.set(schema.fields, fullName)
    const fields = (schema.fields ?? []).map((field) => this.#field(field))
    this.#open.delete(schema.fields)
    const doc = schema.doc === undefined ? {} : { doc: schema.doc }
    const record = { type: 'record', ...nameParts(fullName), ...doc, fields }
    return this.#define(fullName, this.#meta(schema, record) as Json)
  }

  #field(field: Field): unknown {
    const { schema } = field
    const type = this.map(schema)
    const doc = schema.doc === undefined ? {} : { doc: schema.doc }
    if (schema.defaultValue != null) {
      return {
        name: field.name,
        type,
        ...doc,
        default: toJsonDefault(schema.defaultValue, schema.name === LOGICAL_DATE),
      }
    }
    const nullFirst = Array.isArray(type) && type[0] === 'null'
    return { name: field.name, type, ...doc, ...(nullFirst ? { default: null } : {}) }
  }

  #define(fullName: string, definition: Json): unknown {
    const text = JSON.stringify(definition)
    const known = this.#defined.get(fullName)
    if (known === undefined) {
      this.#defined.set(fullName, text)
      return definition
    }
    if (known === text) return fullName
    throw redefined(fullName)
  }

  #meta(schema: Schema, base: Json): unknown {
    if (!this.#options.metaData) return plain(base)
    const { name, version, doc, parameters } = schema
    const extra: Json = { ...base }
    if (name !== undefined) extra['connect.name'] = name
    if (version !== undefined) extra['connect.version'] = version
    if (doc !== undefined && base['type'] !== 'record') extra['connect.doc'] = doc
    if (parameters !== undefined) extra['connect.parameters'] = parameters
    return plain(extra)
  }
}

/** A primitive without attributes in its short form. */
const plain = (type: Json): unknown => (Object.keys(type).length === 1 ? type['type'] : type)

function part(schema: Schema, key: 'keySchema' | 'valueSchema'): Schema {
  const inner = schema[key]
  if (!isObject(inner)) throw new DataError(`A Connect ${schema.type} schema has no ${key}.`)
  return inner
}

const redefined = (name: string): DataError =>
  new DataError(
    `Two different schemas of one record use the Avro name ${name}${
      name.startsWith(AVRO_NAMESPACE) ? ', which stands for a struct without a name' : ''
    }.`,
  )
