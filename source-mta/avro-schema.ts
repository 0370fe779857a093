// Connect's schema of an Avro record, for the types that our own schemas use; the mapping is the Avro converter's.
import {
  type Field,
  LOGICAL_DATE,
  LOGICAL_TIMESTAMP,
  type Schema,
  type SchemaType,
} from '../connector/api/schema.ts'

const PRIMITIVES: Readonly<Record<string, SchemaType>> = {
  int: 'INT32',
  long: 'INT64',
  float: 'FLOAT32',
  double: 'FLOAT64',
  boolean: 'BOOLEAN',
  string: 'STRING',
  bytes: 'BYTES',
}
const LOGICAL: Readonly<Record<string, string>> = {
  date: LOGICAL_DATE,
  'timestamp-millis': LOGICAL_TIMESTAMP,
}

interface AvroField {
  readonly name: string
  readonly type: unknown
  readonly doc?: string
  readonly default?: unknown
}
interface AvroType {
  readonly type: string
  readonly logicalType?: string
  readonly items?: unknown
  readonly name?: string
  readonly namespace?: string
  readonly doc?: string
  readonly fields?: readonly AvroField[]
}

/** The schema of a parsed `.avsc`, which it keeps as `avro`. Throws a `TypeError` for a type that ours do not use. */
export function schemaFromAvro(avro: unknown): Schema {
  return { ...fromType(avro, { namespace: '', named: new Map() }), avro }
}

/** Where a type stands: the namespace around it, and the records before it by name. */
interface Scope {
  readonly namespace: string
  readonly named: Map<string, Schema>
}

function fromType(avro: unknown, scope: Scope): Schema {
  if (typeof avro === 'string') {
    return scope.named.get(avro) ?? { type: primitive(avro), optional: false }
  }
  if (Array.isArray(avro)) {
    const [first, second]: unknown[] = avro
    if (avro.length !== 2 || first !== 'null') throw unsupported(avro)
    return { ...fromType(second, scope), optional: true }
  }
  const type = avro as AvroType
  if (type.type === 'record')
    return struct(type, { ...scope, namespace: type.namespace ?? scope.namespace })
  if (type.type === 'array') {
    return { type: 'ARRAY', optional: false, valueSchema: fromType(type.items, scope) }
  }
  const logical = type.logicalType === undefined ? undefined : LOGICAL[type.logicalType]
  return {
    type: primitive(type.type),
    optional: false,
    ...(logical === undefined ? {} : { name: logical, version: 1 }),
  }
}

function struct(type: AvroType, scope: Scope): Schema {
  const { namespace, named } = scope
  const fields = (type.fields ?? []).map((field, index): Field => {
    const schema = fromType(field.type, scope)
    return {
      name: field.name,
      index,
      schema: {
        ...schema,
        ...(field.doc === undefined ? {} : { doc: field.doc }),
        ...(field.default == null ? {} : { defaultValue: field.default }),
      },
    }
  })
  const schema: Schema = {
    type: 'STRUCT',
    optional: false,
    name: namespace === '' ? (type.name ?? '') : `${namespace}.${type.name}`,
    ...(type.doc === undefined ? {} : { doc: type.doc }),
    fields,
  }
  if (type.name !== undefined) named.set(type.name, schema)
  return schema
}

function primitive(name: string): SchemaType {
  const type = PRIMITIVES[name]
  if (type === undefined) throw unsupported(name)
  return type
}

const unsupported = (avro: unknown): TypeError =>
  new TypeError(`Unsupported Avro type ${JSON.stringify(avro)}`)
