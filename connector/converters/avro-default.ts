import { decimalOf, fromTwosComplement } from './avro-decimal.ts'
import {
  type AvroNode,
  type FieldNode,
  isObject,
  nullableBranch,
  textAttribute,
} from './avro-node.ts'
import { DataError } from '../api/errors.ts'
import { unionFieldNames } from './avro-union.ts'

/** A default is written in a schema; one that needs more levels than this is a loop. */
const DEPTH_MAX = 64
const DAY_MS = 86_400_000

/**
 * The Connect value of a field's default, or undefined where the field has none. Throws a `DataError` when
 * the default does not fit the field's type: such schemas exist, since old registries let them pass.
 */
export function defaultOf(field: FieldNode, enhanced: boolean): unknown {
  if (field.default === undefined) return undefined
  return fromJson(field.type, field.default, { enhanced, depth: 0 })
}

interface Context {
  readonly enhanced: boolean
  readonly depth: number
}

// oxlint-disable-next-line typescript/consistent-return -- the switch is exhaustive, and TypeScript checks it
function fromJson(node: AvroNode, json: unknown, context: Context): unknown {
  const inner = { ...context, depth: context.depth + 1 }
  if (inner.depth > DEPTH_MAX) throw new DataError('A default in the Avro schema contains itself.')
  switch (node.kind) {
    case 'null':
      return json === null ? null : misfit(node, json)
    case 'boolean':
      return typeof json === 'boolean' ? json : misfit(node, json)
    case 'int':
      return fromInt(node, json)
    case 'long':
      return fromLong(node, json)
    case 'float':
    case 'double':
      return typeof json === 'number' ? json : misfit(node, json)
    case 'string':
      return typeof json === 'string' ? json : misfit(node, json)
    case 'enum':
      return typeof json === 'string' && node.symbols.includes(json) ? json : misfit(node, json)
    case 'bytes':
    case 'fixed': {
      if (typeof json !== 'string') return misfit(node, json)
      // A byte is written as the character of that number.
      const bytes = new Uint8Array(Buffer.from(json, 'latin1'))
      const decimal = decimalOf(node.attributes)
      return decimal === undefined
        ? bytes
        : { unscaled: fromTwosComplement(bytes), scale: decimal.scale }
    }
    case 'array':
      if (!Array.isArray(json)) return misfit(node, json)
      return json.map((item: unknown) => fromJson(node.items, item, inner))
    case 'map':
      if (!isObject(json)) return misfit(node, json)
      return new Map(Object.entries(json).map(([k, v]) => [k, fromJson(node.values, v, inner)]))
    case 'record': {
      if (!isObject(json)) return misfit(node, json)
      const pairs = node.fields.map((field) => {
        const value = json[field.name] ?? field.default
        return [field.name, fromJson(field.type, value, inner)] as const
      })
      return Object.fromEntries(pairs)
    }
    case 'union': {
      // By the specification the first branch; Avro's newer libraries take any, as long as it fits.
      const [branch] = node.branches
      if (branch === undefined) return misfit(node, json)
      const value = fromJson(branch, json, inner)
      const name = unionFieldNames(node, context.enhanced)[0]
      return nullableBranch(node) !== undefined || name === undefined ? value : { [name]: value }
    }
  }
}

function fromInt(node: AvroNode, json: unknown): unknown {
  if (typeof json !== 'number' || !Number.isInteger(json)) return misfit(node, json)
  const logical = textAttribute(node.attributes, 'logicalType')
  if (logical === 'date') return new Date(json * DAY_MS)
  return logical === 'time-millis' ? new Date(json) : json
}

function fromLong(node: AvroNode, json: unknown): unknown {
  if (typeof json !== 'number' || !Number.isInteger(json)) return misfit(node, json)
  const logical = textAttribute(node.attributes, 'logicalType')
  return logical === 'timestamp-millis' ? new Date(json) : BigInt(json)
}

function misfit(node: AvroNode, json: unknown): never {
  throw new DataError(
    `The default ${JSON.stringify(json)} does not fit the Avro type ${node.kind}.`,
  )
}
