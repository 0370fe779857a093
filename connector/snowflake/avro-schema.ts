// Avro schemas (parsed JSON) as a tree with names resolved, and the column types that they ask for.
// https://avro.apache.org/docs/1.12.0/specification/
import { DataError } from '../api/errors.ts'
import { type ColumnType, fit, INT, LONG, sqlType } from './column-type.ts'

export interface AvroField {
  readonly name: string
  readonly node: AvroNode
  /** As JSON; undefined: none. */
  readonly defaultValue?: unknown
}

export type Primitive =
  | 'null'
  | 'boolean'
  | 'int'
  | 'long'
  | 'float'
  | 'double'
  | 'bytes'
  | 'string'

export type Logical =
  | 'date'
  | 'time-millis'
  | 'time-micros'
  | 'timestamp-millis'
  | 'timestamp-micros'
  | 'timestamp-nanos'
  | 'local-timestamp-millis'
  | 'local-timestamp-micros'
  | 'local-timestamp-nanos'
  | 'uuid'
  | 'decimal'

export type AvroNode =
  | {
      readonly kind: Primitive
      readonly logical?: Logical | undefined
      readonly precision?: number
      readonly scale?: number
    }
  | {
      readonly kind: 'fixed'
      readonly size: number
      readonly logical?: Logical | undefined
      readonly precision?: number
      readonly scale?: number
    }
  | { readonly kind: 'enum'; readonly symbols: readonly string[] }
  | { readonly kind: 'record'; readonly name: string; readonly fields: readonly AvroField[] }
  | { readonly kind: 'array'; readonly items: AvroNode }
  | { readonly kind: 'map'; readonly values: AvroNode }
  | { readonly kind: 'union'; readonly branches: readonly AvroNode[] }

export type AvroRecord = Extract<AvroNode, { kind: 'record' }>
type Json = Readonly<Record<string, unknown>>

const PRIMITIVES: ReadonlySet<string> = new Set<Primitive>([
  'null',
  'boolean',
  'int',
  'long',
  'float',
  'double',
  'bytes',
  'string',
])
/** Which logical types are known on which type; unknown ones are passed over, as the specification says. */
const LOGICALS: Readonly<Record<string, readonly Logical[]>> = {
  int: ['date', 'time-millis'],
  long: [
    'time-micros',
    'timestamp-millis',
    'timestamp-micros',
    'timestamp-nanos',
    'local-timestamp-millis',
    'local-timestamp-micros',
    'local-timestamp-nanos',
  ],
  string: ['uuid'],
  bytes: ['decimal'],
  fixed: ['decimal', 'uuid'],
}

/** @throws DataError for a schema that is not a record, is recursive, or is not Avro. */
export function parseAvroRecord(schema: unknown): AvroRecord {
  const node = new Reader().read(schema, '')
  if (node.kind !== 'record') {
    throw new DataError(`Expected an Avro record as the value's schema, got ${node.kind}`)
  }
  return node
}

class Reader {
  readonly #named = new Map<string, AvroNode>()
  readonly #open = new Set<string>()

  read(schema: unknown, namespace: string): AvroNode {
    if (typeof schema === 'string') return this.#reference(schema, namespace)
    if (Array.isArray(schema)) {
      return { kind: 'union', branches: schema.map((branch) => this.read(branch, namespace)) }
    }
    if (typeof schema !== 'object' || schema === null) {
      throw new DataError(`Not an Avro schema: ${JSON.stringify(schema)}`)
    }
    return this.#complex(schema as Json, namespace)
  }

  #reference(name: string, namespace: string): AvroNode {
    if (PRIMITIVES.has(name)) return { kind: name as Primitive }
    const full = fullName(name, namespace)
    const node = this.#named.get(full) ?? this.#named.get(name)
    if (node !== undefined) return node
    throw new DataError(
      this.#open.has(full)
        ? `Avro type ${full} contains itself, which no column type can hold`
        : `Avro type ${full} is not defined`,
    )
  }

  #complex(schema: Json, namespace: string): AvroNode {
    const { type } = schema
    if (typeof type !== 'string') return this.read(type, namespace)
    switch (type) {
      case 'array':
        return { kind: 'array', items: this.read(schema['items'], namespace) }
      case 'map':
        return { kind: 'map', values: this.read(schema['values'], namespace) }
      case 'record':
      case 'error':
      case 'enum':
      case 'fixed':
        return this.#define(type, schema, namespace)
      default:
        if (!PRIMITIVES.has(type)) return this.#reference(type, namespace)
        return { kind: type as Primitive, ...logicalOf(type, schema) }
    }
  }

  #define(type: string, schema: Json, outer: string): AvroNode {
    const { name } = schema
    if (typeof name !== 'string') throw new DataError(`An Avro ${type} without a name`)
    const own = typeof schema['namespace'] === 'string' ? schema['namespace'] : outer
    const full = fullName(name, own)
    this.#open.add(full)
    const namespace = full.includes('.') ? full.slice(0, full.lastIndexOf('.')) : ''
    const node = this.#body(type, schema, namespace)
    this.#open.delete(full)
    this.#named.set(full, node)
    return node
  }

  #body(type: string, schema: Json, namespace: string): AvroNode {
    if (type === 'enum') return { kind: 'enum', symbols: schema['symbols'] as readonly string[] }
    if (type === 'fixed') {
      return { kind: 'fixed', size: Number(schema['size']), ...logicalOf('fixed', schema) }
    }
    const fields = (schema['fields'] as readonly Json[]).map((field) => ({
      name: String(field['name']),
      node: this.read(field['type'], namespace),
      defaultValue: field['default'],
    }))
    return { kind: 'record', name: String(schema['name']), fields }
  }
}

const fullName = (name: string, namespace: string): string =>
  name.includes('.') || namespace === '' ? name : `${namespace}.${name}`

function logicalOf(
  type: string,
  schema: Json,
): { logical?: Logical; precision?: number; scale?: number } {
  const logical = LOGICALS[type]?.find((known) => known === schema['logicalType'])
  if (logical === undefined) return {}
  if (logical !== 'decimal') return { logical }
  const precision = Number(schema['precision'])
  const scale = Number(schema['scale'] ?? 0)
  // An invalid decimal is read as its bytes, as the specification says.
  if (!Number.isInteger(precision) || precision < 1 || scale < 0 || scale > precision) return {}
  return { logical, precision, scale }
}

/** Snowflake's longest NUMBER. */
const PRECISION_MAX = 38

/** The column type for values of `node`; undefined for one that is always null. @throws DataError when there is none. */
export function columnTypeOf(node: AvroNode): ColumnType | undefined {
  if (node.kind === 'null') return undefined
  if (node.kind === 'union') return unionType(node.branches)
  if (node.kind === 'enum') return TEXT
  if (node.kind === 'array') return { kind: 'array', element: columnTypeOf(node.items) ?? TEXT }
  if (node.kind === 'map') return { kind: 'map', value: columnTypeOf(node.values) ?? TEXT }
  if (node.kind === 'record') {
    const fields = node.fields.map((f) => ({ name: f.name, type: columnTypeOf(f.node) ?? TEXT }))
    return { kind: 'object', fields }
  }
  if (node.logical === 'decimal') return decimalType(node.precision, node.scale)
  return node.logical === undefined ? PLAIN[node.kind] : LOGICAL[node.logical]
}

const TEXT: ColumnType = { kind: 'string' }
const NTZ: ColumnType = { kind: 'timestamp', zone: 'ntz' }
const LTZ: ColumnType = { kind: 'timestamp', zone: 'ltz' }

const PLAIN: Readonly<Record<Exclude<Primitive, 'null'> | 'fixed', ColumnType>> = {
  boolean: { kind: 'boolean' },
  int: INT,
  long: LONG,
  float: { kind: 'float' },
  double: { kind: 'double' },
  bytes: { kind: 'binary' },
  fixed: { kind: 'binary' },
  string: TEXT,
}

const LOGICAL: Readonly<Record<Exclude<Logical, 'decimal'>, ColumnType>> = {
  date: { kind: 'date' },
  // An Iceberg `time` column keeps Spark from reading the table at all, so times are texts.
  'time-millis': TEXT,
  'time-micros': TEXT,
  uuid: TEXT,
  'timestamp-millis': LTZ,
  'timestamp-micros': LTZ,
  'timestamp-nanos': LTZ,
  'local-timestamp-millis': NTZ,
  'local-timestamp-micros': NTZ,
  'local-timestamp-nanos': NTZ,
}

/** Digits beyond 38 fit no NUMBER; as text they are at least kept. */
const decimalType = (precision = PRECISION_MAX, scale = 0): ColumnType =>
  precision > PRECISION_MAX ? TEXT : { kind: 'number', precision, scale }

/** Several branches share a column when one type holds them all, e.g. int and long, or string and an enum. */
function unionType(branches: readonly AvroNode[]): ColumnType | undefined {
  let result: ColumnType | undefined
  for (const branch of branches) {
    const type = columnTypeOf(branch)
    if (type === undefined) continue
    const merged = result === undefined ? type : wider(result, type)
    if (merged === undefined) {
      throw new DataError(
        `An Avro union of ${branches.map((b) => b.kind).join(', ')} has no column type that holds all of it`,
      )
    }
    result = merged
  }
  return result
}

function wider(a: ColumnType, b: ColumnType): ColumnType | undefined {
  if (sqlType(a) === sqlType(b)) return a
  const ab = fit(a, b)
  if (ab.kind === 'fits') return a
  if (ab.kind === 'widen') return ab.type
  const ba = fit(b, a)
  return ba.kind === 'fits' ? b : ba.kind === 'widen' ? ba.type : undefined
}
