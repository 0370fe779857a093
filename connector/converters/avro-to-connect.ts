// Avro schema → Connect schema, as Confluent's AvroData maps them.
import { DataError, toMessage } from '../api/errors.ts'
import {
  fields as numbered,
  type Field,
  LOGICAL_DATE,
  LOGICAL_DECIMAL,
  LOGICAL_TIME,
  LOGICAL_TIMESTAMP,
  type Schema,
} from '../api/schema.ts'
import { decimalOf } from './avro-decimal.ts'
import { defaultOf } from './avro-default.ts'
import {
  type AvroNode,
  type Attributes,
  branchName,
  type EnumNode,
  type FieldNode,
  isObject,
  nullableBranch,
  type PrimitiveNode,
  printAvro,
  type RecordNode,
  textAttribute,
  type UnionNode,
} from './avro-node.ts'
import {
  ENUM_PARAMETER,
  FIXED_SIZE_PARAMETER,
  MAP_ENTRY,
  NO_NAME,
  UNION_STRUCT,
} from './avro-names.ts'
import { unionFieldNames } from './avro-union.ts'

export interface AvroDataOptions {
  /** `enhanced.avro.schema.support`: unions name their fields by full names, enums stay enums. */
  readonly enhanced: boolean
  /** `connect.meta.data`: names, versions, docs and parameters of Connect are kept in Avro and read from it. */
  readonly metaData: boolean
}

type Parts = Partial<Schema> & Pick<Schema, 'type'>

/** The Connect schema of an Avro one; null for Avro's null, which Connect has no schema for. */
export function toConnectSchema(node: AvroNode, options: AvroDataOptions): Schema | null {
  return node.kind === 'null' ? null : new Mapper(options).map(node)
}

class Mapper {
  readonly #records = new Map<RecordNode, Schema>()
  readonly #options: AvroDataOptions
  constructor(options: AvroDataOptions) {
    this.#options = options
  }

  // oxlint-disable-next-line typescript/consistent-return -- the switch is exhaustive, and TypeScript checks it
  map(node: AvroNode): Schema {
    switch (node.kind) {
      case 'null':
        throw new DataError('Connect has no type for an Avro null outside of a union.')
      case 'record':
        return this.#record(node)
      case 'union':
        return this.#union(node)
      case 'enum':
        return this.#schema(node, { type: 'STRING', parameters: enumParameters(node) })
      case 'fixed': {
        const decimal = decimalParts(node.attributes)
        const parameters = { [FIXED_SIZE_PARAMETER]: String(node.size) }
        return this.#schema(node, decimal ?? { type: 'BYTES', name: node.fullName, parameters })
      }
      case 'array':
        return this.#array(node.items, node)
      case 'map':
        return this.#schema(node, {
          type: 'MAP',
          keySchema: { type: 'STRING', optional: false },
          valueSchema: this.map(node.values),
        })
      case 'boolean':
      case 'int':
      case 'long':
      case 'float':
      case 'double':
      case 'string':
      case 'bytes':
        return this.#schema(node, primitiveParts(node))
    }
  }

  #array(items: AvroNode, node: AvroNode): Schema {
    const pair = mapEntry(items)
    if (pair === undefined) {
      return this.#schema(node, { type: 'ARRAY', valueSchema: this.map(items) })
    }
    const [keySchema, valueSchema] = pair.fields.map((field) => this.map(field.type))
    return this.#schema(node, { type: 'MAP', ...defined({ keySchema, valueSchema }) })
  }

  #record(node: RecordNode): Schema {
    const known = this.#records.get(node)
    if (known !== undefined) return known
    const list: Field[] = []
    const name = node.fullName === NO_NAME ? {} : { name: node.fullName }
    const schema = this.#schema(node, { type: 'STRUCT', ...name, fields: list })
    this.#records.set(node, schema)
    list.push(...numbered(node.fields.map((field) => [field.name, this.#field(field)] as const)))
    return schema
  }

  #field(field: FieldNode): Schema {
    const schema = this.map(field.type)
    let defaultValue: unknown
    try {
      defaultValue = defaultOf(field, this.#options.enhanced)
    } catch (error) {
      throw new DataError(`The Avro field "${field.name}": ${toMessage(error)}`, { cause: error })
    }
    const doc = this.#options.metaData ? textAttribute(field.attributes, 'doc') : undefined
    if (doc === undefined && defaultValue == null) return schema
    return { ...schema, ...defined({ doc, defaultValue: defaultValue ?? undefined }) }
  }

  #union(node: UnionNode): Schema {
    const [first] = node.branches
    const only = nullableBranch(node) ?? (node.branches.length === 1 ? first : undefined)
    const optional = node.branches.some((branch) => branch.kind === 'null')
    if (only !== undefined && only.kind !== 'null') {
      return { ...this.map(only), optional, avro: printAvro(node) }
    }
    const names = unionFieldNames(node, this.#options.enhanced)
    const pairs = node.branches.flatMap((branch, i) => {
      const name = names[i]
      return name === undefined ? [] : [[name, { ...this.map(branch), optional: true }] as const]
    })
    const schema = {
      type: 'STRUCT',
      name: UNION_STRUCT,
      optional,
      fields: numbered(pairs),
    } as const
    return { ...schema, avro: printAvro(node) }
  }

  #schema(node: AvroNode, parts: Parts): Schema {
    const { metaData } = this.#options
    const { attributes } = node
    const version = attributes['connect.version']
    const extra = attributes['connect.parameters']
    const parameters = {
      ...parts.parameters,
      ...(metaData && isObject(extra) ? mapValues(extra) : {}),
    }
    return {
      optional: false,
      ...parts,
      ...defined({
        name: textAttribute(attributes, 'connect.name') ?? parts.name,
        version: typeof version === 'number' ? version : parts.version,
        doc: metaData
          ? (textAttribute(attributes, 'connect.doc') ?? textAttribute(attributes, 'doc'))
          : undefined,
        parameters: Object.keys(parameters).length > 0 ? parameters : undefined,
      }),
      avro: printAvro(node),
    }
  }
}

// oxlint-disable-next-line typescript/consistent-return -- the switch is exhaustive, and TypeScript checks it
function primitiveParts(node: PrimitiveNode): Parts {
  const logical = textAttribute(node.attributes, 'logicalType')
  const connectType = textAttribute(node.attributes, 'connect.type')
  switch (node.kind) {
    case 'boolean':
      return { type: 'BOOLEAN' }
    case 'int':
      if (logical === 'date') return { type: 'INT32', name: LOGICAL_DATE, version: 1 }
      if (logical === 'time-millis') return { type: 'INT32', name: LOGICAL_TIME, version: 1 }
      if (connectType === 'int8') return { type: 'INT8' }
      return { type: connectType === 'int16' ? 'INT16' : 'INT32' }
    case 'long':
      // Connect's Timestamp has milliseconds: microseconds stay a number, and nothing is lost.
      return logical === 'timestamp-millis'
        ? { type: 'INT64', name: LOGICAL_TIMESTAMP, version: 1 }
        : { type: 'INT64' }
    case 'float':
      return { type: 'FLOAT32' }
    case 'double':
      return { type: 'FLOAT64' }
    case 'string':
      return { type: 'STRING' }
    case 'null':
    case 'bytes':
      return decimalParts(node.attributes) ?? { type: 'BYTES' }
  }
}

function decimalParts(attributes: Attributes): Parts | undefined {
  const decimal = decimalOf(attributes)
  if (decimal === undefined) return undefined
  return {
    type: 'BYTES',
    name: LOGICAL_DECIMAL,
    version: 1,
    parameters: {
      scale: String(decimal.scale),
      'connect.decimal.precision': String(decimal.precision),
    },
  }
}

const enumParameters = (node: EnumNode): Readonly<Record<string, string>> => ({
  [ENUM_PARAMETER]: node.fullName,
  ...Object.fromEntries(node.symbols.map((symbol) => [`${ENUM_PARAMETER}.${symbol}`, symbol])),
})

/** The record that Connect writes for one entry of a map whose keys are not text. */
function mapEntry(items: AvroNode): RecordNode | undefined {
  if (items.kind !== 'record' || items.fields.length !== 2) return undefined
  const marked = items.attributes['connect.internal.type'] === 'MapEntry'
  return marked || branchName(items) === MAP_ENTRY ? items : undefined
}

const mapValues = (record: Readonly<Record<string, unknown>>): Record<string, string> =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => [key, String(value)]))

function defined<T extends object>(parts: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(parts).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>
  }
}
