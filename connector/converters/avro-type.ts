// avsc types that read and write Connect's values: INT64 is a bigint, a map is a Map, logical types are
// what Connect makes of them. avsc does records, arrays, enums and the plain primitives; types of our own
// replace the rest through its type hook.
import avsc, { type Type } from 'avsc'
import { type Codec, type TypeCodec, codecOf, CustomType } from './avro-custom-type.ts'
import { decimalOf } from './avro-decimal.ts'
import { defaultOf } from './avro-default.ts'
import {
  type AvroNode,
  type FieldNode,
  type MapNode,
  type NamedNode,
  nullableBranch,
  textAttribute,
  type UnionNode,
} from './avro-node.ts'
import { mapType, optionalType, unionType } from './avro-type-containers.ts'
import { bytesType, fixedType, INT_TYPES, longType, STRING } from './avro-type-leaves.ts'
import { unionFieldNames } from './avro-union.ts'

export type AvroType = Type

const MAKE = Symbol('makes its own type')
interface Maker {
  readonly [MAKE]: (opts: object) => Type
}
const maker = (make: (opts: object) => Type): Maker => ({ [MAKE]: make })

/** Compiles a node to an avsc type whose values are Connect's. */
export function compileType(node: AvroNode, enhanced = false): AvroType {
  return avsc.Type.forSchema(new Emitter(enhanced).emit(node) as never, {
    registry: {},
    omitRecordMethods: true,
    typeHook: (schema, opts) =>
      typeof schema === 'object' && MAKE in schema
        ? (schema as unknown as Maker)[MAKE](opts)
        : undefined,
  })
}

class Emitter {
  /** avsc gets names of its own: ours could mean something else in its generated code or scopes. */
  readonly #names = new Map<NamedNode, string>()
  readonly #enhanced: boolean
  constructor(enhanced: boolean) {
    this.#enhanced = enhanced
  }

  // oxlint-disable-next-line typescript/consistent-return -- the switch is exhaustive, and TypeScript checks it
  emit(node: AvroNode): unknown {
    switch (node.kind) {
      case 'null':
      case 'boolean':
      case 'float':
      case 'double':
        return node.kind
      case 'int':
        return this.#int(textAttribute(node.attributes, 'logicalType'))
      case 'long':
        return leaf(longType(textAttribute(node.attributes, 'logicalType')))
      case 'string':
        return leaf(STRING)
      case 'bytes':
        return leaf(bytesType(decimalOf(node.attributes)))
      case 'array':
        return { type: 'array', items: this.emit(node.items) }
      case 'map':
        return this.#map(node)
      case 'union':
        return this.#union(node)
      case 'record':
      case 'enum':
      case 'fixed':
        return this.#named(node)
    }
  }

  #int(logical: string | undefined): unknown {
    const custom = INT_TYPES.get(logical ?? '')
    return custom === undefined ? 'int' : leaf(custom)
  }

  #named(node: NamedNode): unknown {
    const known = this.#names.get(node)
    if (known !== undefined) return known
    if (node.kind === 'fixed') return leaf(fixedType(node.size, decimalOf(node.attributes)))
    const name = `N${this.#names.size}`
    this.#names.set(node, name)
    return node.kind === 'enum'
      ? { type: 'enum', name, symbols: node.symbols }
      : { type: 'record', name, fields: node.fields.map((field) => this.#field(field)) }
  }

  #field(field: FieldNode): unknown {
    const type = this.emit(field.type)
    if (field.default === undefined) return { name: field.name, type }
    const enhanced = this.#enhanced
    return {
      name: field.name,
      type: container((opts) => {
        const inner = forSchema(type, opts)
        let fallback: unknown
        const orDefault = (value: unknown): unknown =>
          value === undefined ? (fallback ??= defaultOf(field, enhanced)) : value
        return {
          expects: inner.expects,
          read: (tap) => inner.read(tap),
          write: (tap, value) => inner.write(tap, orDefault(value)),
          check: (value, flags, hook, path) => inner.check(orDefault(value), flags, hook, path),
        }
      }),
    }
  }

  #map(node: MapNode): Maker {
    const values = this.emit(node.values)
    return container((opts) => mapType(forSchema(values, opts)))
  }

  #union(node: UnionNode): Maker {
    const branches = node.branches.map((branch) => this.emit(branch))
    const names = unionFieldNames(node, this.#enhanced)
    const single = nullableBranch(node) !== undefined || node.branches.length === 1
    return container((opts) => {
      const types = branches.map((branch) => forSchema(branch, opts))
      return single ? optionalType(types, names) : unionType(types, names)
    })
  }
}

const forSchema = (schema: unknown, opts: object): TypeCodec =>
  codecOf(avsc.Type.forSchema(schema as never, opts))
const leaf = (custom: Codec): Maker => maker(() => new CustomType(custom))
const container = (make: (opts: object) => Codec): Maker =>
  maker((opts) => new CustomType(make(opts)))
