// An Avro schema with its names resolved: what the codec, the byte checker and the mapping to Connect's
// schemas are all compiled from. The JSON form is read once here and nowhere else.
import { DataError } from '../api/errors.ts'

export type PrimitiveKind =
  | 'null'
  | 'boolean'
  | 'int'
  | 'long'
  | 'float'
  | 'double'
  | 'bytes'
  | 'string'

/** Every JSON attribute of a schema or field except those that the node holds itself. */
export type Attributes = Readonly<Record<string, unknown>>

export interface PrimitiveNode {
  readonly kind: PrimitiveKind
  readonly attributes: Attributes
}
export interface FieldNode {
  readonly name: string
  readonly type: AvroNode
  readonly attributes: Attributes
  /** Undefined: none. */
  readonly default: unknown
}
export interface RecordNode {
  readonly kind: 'record'
  readonly fullName: string
  readonly attributes: Attributes
  /** Filled after the node is made, since a record may contain itself. */
  readonly fields: FieldNode[]
}
export interface EnumNode {
  readonly kind: 'enum'
  readonly fullName: string
  readonly attributes: Attributes
  readonly symbols: readonly string[]
}
export interface FixedNode {
  readonly kind: 'fixed'
  readonly fullName: string
  readonly attributes: Attributes
  readonly size: number
}
export interface ArrayNode {
  readonly kind: 'array'
  readonly items: AvroNode
  readonly attributes: Attributes
}
export interface MapNode {
  readonly kind: 'map'
  readonly values: AvroNode
  readonly attributes: Attributes
}
export interface UnionNode {
  readonly kind: 'union'
  readonly branches: readonly AvroNode[]
  readonly attributes: Attributes
}
export type NamedNode = RecordNode | EnumNode | FixedNode
export type AvroNode = PrimitiveNode | NamedNode | ArrayNode | MapNode | UnionNode

/** Named types by full name. */
export type NamedTypes = Map<string, NamedNode>

const PRIMITIVES: ReadonlySet<string> = new Set([
  'null',
  'boolean',
  'int',
  'long',
  'float',
  'double',
  'bytes',
  'string',
])
const NONE: Attributes = {}
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/
const DEPTH_MAX = 200
/** A fixed this large is a mistake, and would let a few bytes of schema ask for any amount of memory. */
const FIXED_SIZE_MAX = 64 * 1024 * 1024

interface Scope {
  readonly names: NamedTypes
  readonly namespace: string
  readonly depth: number
}
type Json = Readonly<Record<string, unknown>>

export const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/**
 * Reads a parsed Avro schema. `names` are types defined elsewhere (a registry's references); those that
 * are defined here are added to it.
 *
 * @throws DataError saying what is wrong with the schema.
 */
export function parseAvro(schema: unknown, names: NamedTypes = new Map()): AvroNode {
  return parse(schema, { names, namespace: '', depth: 0 })
}

function parse(schema: unknown, scope: Scope): AvroNode {
  if (scope.depth > DEPTH_MAX) {
    throw new DataError(`The Avro schema nests deeper than ${DEPTH_MAX} levels.`)
  }
  const inner = { ...scope, depth: scope.depth + 1 }
  if (typeof schema === 'string') return reference(schema, scope, NONE)
  if (Array.isArray(schema)) return union(schema, inner)
  if (!isObject(schema)) {
    throw new DataError(`Expected an Avro schema, got ${JSON.stringify(schema)}.`)
  }
  const { type } = schema
  if (typeof type !== 'string') return parse(type, inner)
  switch (type) {
    case 'record':
    case 'error':
      return record(schema, inner)
    case 'enum':
      return enumeration(schema, inner)
    case 'fixed':
      return fixed(schema, inner)
    case 'array':
      return {
        kind: 'array',
        items: parse(schema['items'], inner),
        attributes: without(schema, ['type', 'items']),
      }
    case 'map':
      return {
        kind: 'map',
        values: parse(schema['values'], inner),
        attributes: without(schema, ['type', 'values']),
      }
    default:
      return reference(type, scope, without(schema, ['type']))
  }
}

function reference(name: string, scope: Scope, attributes: Attributes): AvroNode {
  if (PRIMITIVES.has(name)) return { kind: name as PrimitiveKind, attributes }
  const qualified =
    name.includes('.') || scope.namespace === '' ? name : `${scope.namespace}.${name}`
  const found = scope.names.get(qualified) ?? scope.names.get(name)
  if (found === undefined) throw new DataError(`The Avro schema names an unknown type "${name}".`)
  return found
}

function union(branches: readonly unknown[], scope: Scope): UnionNode {
  const nodes = branches.map((branch) => parse(branch, scope))
  const seen = new Set<string>()
  for (const node of nodes) {
    const key = branchName(node)
    if (node.kind === 'union') throw new DataError('An Avro union directly contains a union.')
    if (seen.has(key)) throw new DataError(`An Avro union has the branch ${key} twice.`)
    seen.add(key)
  }
  return { kind: 'union', branches: nodes, attributes: NONE }
}

function record(schema: Json, scope: Scope): RecordNode {
  const { fullName, namespace } = nameOf(schema, scope)
  const node: RecordNode = {
    kind: 'record',
    fullName,
    attributes: without(schema, ['type', 'name', 'namespace', 'fields']),
    fields: [],
  }
  define(node, scope)
  const list = schema['fields']
  if (!Array.isArray(list)) throw new DataError(`The Avro record ${fullName} has no fields.`)
  const inner = { ...scope, namespace }
  const seen = new Set<string>()
  for (const field of list as readonly unknown[]) {
    const name = isObject(field) ? field['name'] : undefined
    if (!isObject(field) || typeof name !== 'string' || !NAME.test(name)) {
      throw new DataError(`The Avro record ${fullName} has a field without a legal name.`)
    }
    // An object cannot have an own field of this name without tricks; nobody means it.
    if (name === '__proto__' || seen.has(name)) {
      throw new DataError(`The Avro record ${fullName} cannot have (another) field "${name}".`)
    }
    seen.add(name)
    node.fields.push({
      name,
      type: parse(field['type'], inner),
      attributes: without(field, ['name', 'type', 'default']),
      default: field['default'],
    })
  }
  return node
}

function enumeration(schema: Json, scope: Scope): EnumNode {
  const { fullName } = nameOf(schema, scope)
  const { symbols } = schema
  if (!Array.isArray(symbols) || !symbols.every((s) => typeof s === 'string' && NAME.test(s))) {
    throw new DataError(`The Avro enum ${fullName} has no legal symbols.`)
  }
  const node: EnumNode = {
    kind: 'enum',
    fullName,
    attributes: without(schema, ['type', 'name', 'namespace', 'symbols']),
    symbols: symbols as readonly string[],
  }
  define(node, scope)
  return node
}

function fixed(schema: Json, scope: Scope): FixedNode {
  const { fullName } = nameOf(schema, scope)
  const { size } = schema
  if (typeof size !== 'number' || !Number.isInteger(size) || size < 0 || size > FIXED_SIZE_MAX) {
    throw new DataError(`The Avro fixed ${fullName} has no legal size: ${JSON.stringify(size)}.`)
  }
  const node: FixedNode = {
    kind: 'fixed',
    fullName,
    attributes: without(schema, ['type', 'name', 'namespace', 'size']),
    size,
  }
  define(node, scope)
  return node
}

function define(node: NamedNode, scope: Scope): void {
  if (scope.names.has(node.fullName)) {
    throw new DataError(`The Avro schema defines ${node.fullName} twice.`)
  }
  scope.names.set(node.fullName, node)
}

function nameOf(schema: Json, scope: Scope): { fullName: string; namespace: string } {
  const { name, namespace: given } = schema
  const parts = typeof name === 'string' ? name.split('.') : []
  const own = typeof given === 'string' ? given : scope.namespace
  const namespace = parts.length > 1 ? parts.slice(0, -1).join('.') : own
  const simple = parts.at(-1) ?? ''
  const whole = namespace === '' ? [simple] : [...namespace.split('.'), simple]
  if (!whole.every((part) => NAME.test(part)) || PRIMITIVES.has(simple)) {
    throw new DataError(`Illegal Avro name ${JSON.stringify(name)} in "${namespace}".`)
  }
  return { fullName: whole.join('.'), namespace }
}

function without(schema: Json, keys: readonly string[]): Attributes {
  const rest = Object.entries(schema).filter(([key]) => !keys.includes(key))
  return rest.length === 0 ? NONE : Object.fromEntries(rest)
}

/** What a union calls this branch: the full name of a named type, else its kind. */
export const branchName = (node: AvroNode): string =>
  'fullName' in node ? node.fullName : node.kind

/** The text attribute `key`, or undefined. */
export function textAttribute(attributes: Attributes, key: string): string | undefined {
  const value = attributes[key]
  return typeof value === 'string' ? value : undefined
}

/** The branch of a union of null and one other type; undefined for every other node. */
export function nullableBranch(node: AvroNode): AvroNode | undefined {
  if (node.kind !== 'union' || node.branches.length !== 2) return undefined
  if (!node.branches.some((branch) => branch.kind === 'null')) return undefined
  return node.branches.find((branch) => branch.kind !== 'null')
}

/**
 * The schema as JSON that stands alone: every name is a full one, and a named type is defined where it
 * is met first.
 */
export function printAvro(node: AvroNode, names: Set<string> = new Set()): unknown {
  if (node.kind === 'union') return node.branches.map((branch) => printAvro(branch, names))
  if ('fullName' in node) {
    if (names.has(node.fullName)) return node.fullName
    names.add(node.fullName)
    return {
      type: node.kind,
      ...nameParts(node.fullName),
      ...node.attributes,
      ...body(node, names),
    }
  }
  if (node.kind === 'array') {
    return { type: 'array', items: printAvro(node.items, names), ...node.attributes }
  }
  if (node.kind === 'map') {
    return { type: 'map', values: printAvro(node.values, names), ...node.attributes }
  }
  return node.attributes === NONE ? node.kind : { type: node.kind, ...node.attributes }
}

function body(node: NamedNode, names: Set<string>): Json {
  if (node.kind === 'enum') return { symbols: node.symbols }
  if (node.kind === 'fixed') return { size: node.size }
  return {
    fields: node.fields.map((field) => ({
      name: field.name,
      type: printAvro(field.type, names),
      ...field.attributes,
      ...(field.default === undefined ? {} : { default: field.default }),
    })),
  }
}

/** A full name as the attributes `name` and `namespace` that mean it wherever they stand. */
export function nameParts(fullName: string): { name: string; namespace: string } {
  const dot = fullName.lastIndexOf('.')
  return { name: fullName.slice(dot + 1), namespace: dot < 0 ? '' : fullName.slice(0, dot) }
}
