// Iceberg schemas: which types there are, how fields get their ids, and where a path leads.
import { ConnectError } from '../../api/errors.ts'
import type {
  IcebergField,
  IcebergList,
  IcebergMap,
  IcebergStruct,
  IcebergType,
  NewField,
  NewType,
} from './types.ts'

export type Primitive =
  | {
      readonly name:
        | 'boolean'
        | 'int'
        | 'long'
        | 'float'
        | 'double'
        | 'date'
        | 'time'
        | 'timestamp'
        | 'timestamptz'
        | 'string'
        | 'uuid'
        | 'binary'
    }
  | { readonly name: 'decimal'; readonly precision: number; readonly scale: number }
  | { readonly name: 'fixed'; readonly length: number }

const PLAIN = new Set([
  'boolean',
  'int',
  'long',
  'float',
  'double',
  'date',
  'time',
  'timestamp',
  'timestamptz',
  'string',
  'uuid',
  'binary',
])
const DECIMAL_PRECISION_MAX = 38
const NAME_CHARS_MAX = 255
/** Beyond these the spec reserves ids for metadata columns. */
const FIELD_ID_MAX = 2_147_483_447

/** Takes an Iceberg v2 primitive type apart. Throws for any other text. */
export function parsePrimitive(type: string): Primitive {
  if (PLAIN.has(type)) return { name: type } as Primitive
  const decimal = /^decimal\((\d+),\s*(\d+)\)$/.exec(type)
  if (decimal !== null) {
    const precision = Number(decimal[1])
    const scale = Number(decimal[2])
    if (precision >= 1 && precision <= DECIMAL_PRECISION_MAX && scale <= precision) {
      return { name: 'decimal', precision, scale }
    }
  }
  const fixed = /^fixed\[(\d+)\]$/.exec(type)
  if (fixed !== null && Number(fixed[1]) > 0) return { name: 'fixed', length: Number(fixed[1]) }
  throw new ConnectError(`Expected a primitive type of Iceberg v2, got ${JSON.stringify(type)}.`)
}

export const isStruct = (type: IcebergType): type is IcebergStruct =>
  typeof type === 'object' && type.type === 'struct'
export const isList = (type: IcebergType): type is IcebergList =>
  typeof type === 'object' && type.type === 'list'
export const isMap = (type: IcebergType): type is IcebergMap =>
  typeof type === 'object' && type.type === 'map'

/** Gives ids to new fields, level by level as Iceberg's own libraries do. */
export function assignIds(
  fields: readonly NewField[],
  lastId: number,
): { readonly fields: readonly IcebergField[]; readonly lastId: number } {
  const ids = new IdSource(lastId)
  return { fields: assignFields(fields, ids), lastId: ids.last }
}

class IdSource {
  last: number
  constructor(last: number) {
    this.last = last
  }
  next(): number {
    this.last++
    if (this.last > FIELD_ID_MAX) {
      throw new ConnectError(`Expected fewer than ${FIELD_ID_MAX} field ids in a table, got more.`)
    }
    return this.last
  }
}

function assignFields(fields: readonly NewField[], ids: IdSource): readonly IcebergField[] {
  checkNames(fields.map(({ name }) => name))
  const withIds = fields.map((field) => ({ field, id: ids.next() }))
  return withIds.map(({ field, id }) => ({
    id,
    name: field.name,
    required: field.required,
    type: assignType(field.type, ids),
    ...(field.doc === undefined ? {} : { doc: field.doc }),
  }))
}

function assignType(type: NewType, ids: IdSource): IcebergType {
  if (typeof type === 'string') {
    if (parsePrimitive(type).name !== 'fixed') return type
    // Iceberg wants Parquet's fixed_len_byte_array here, which DuckDB cannot write from bytes; PyIceberg
    // refuses to read a whole table for one such column.
    throw new ConnectError(`Expected a type that every engine reads back, got ${type}: use binary.`)
  }
  if (type.type === 'struct') return { type: 'struct', fields: assignFields(type.fields, ids) }
  if (type.type === 'list') {
    return {
      type: 'list',
      'element-id': ids.next(),
      'element-required': type.elementRequired,
      element: assignType(type.element, ids),
    }
  }
  const keyId = ids.next()
  const valueId = ids.next()
  return {
    type: 'map',
    'key-id': keyId,
    key: assignType(type.key, ids),
    'value-id': valueId,
    'value-required': type.valueRequired,
    value: assignType(type.value, ids),
  }
}

/** Names of one struct. Two that differ in case only are refused: the engines that query compare without it. */
export function checkNames(names: readonly string[]): void {
  const seen = new Map<string, string>()
  for (const name of names) {
    if (name === '' || name.length > NAME_CHARS_MAX || name.includes('\u0000')) {
      throw new ConnectError(
        `Expected a field name of 1 to ${NAME_CHARS_MAX} characters, got ${JSON.stringify(name)}.`,
      )
    }
    const other = seen.get(name.toLowerCase())
    if (other !== undefined) {
      throw new ConnectError(
        `Expected field names that differ in more than case, got ${other} and ${name}.`,
      )
    }
    seen.set(name.toLowerCase(), name)
  }
  if (names.length === 0) throw new ConnectError('Expected at least one field, got none.')
}

/** A primitive field as statistics see it. */
export interface Leaf {
  readonly id: number
  readonly type: string
  readonly path: readonly string[]
  /** Below a list or a map: there may be many values a row, and bounds say nothing. */
  readonly repeated: boolean
}

export function leaves(schema: IcebergStruct): readonly Leaf[] {
  const found: Leaf[] = []
  const visit = (type: IcebergType, at: Omit<Leaf, 'type'>): void => {
    const { path } = at
    if (typeof type === 'string') found.push({ ...at, type })
    else if (isStruct(type)) {
      for (const f of type.fields) visit(f.type, { ...at, id: f.id, path: [...path, f.name] })
    } else if (isList(type)) {
      visit(type.element, { id: type['element-id'], path: [...path, 'element'], repeated: true })
    } else {
      visit(type.key, { id: type['key-id'], path: [...path, 'key'], repeated: true })
      visit(type.value, { id: type['value-id'], path: [...path, 'value'], repeated: true })
    }
  }
  visit(schema, { id: 0, path: [], repeated: false })
  return found
}

/** The largest id anywhere in the schema. */
export function maxId(type: IcebergType): number {
  if (typeof type === 'string') return 0
  if (isStruct(type)) return Math.max(0, ...type.fields.flatMap((f) => [f.id, maxId(f.type)]))
  if (isList(type)) return Math.max(type['element-id'], maxId(type.element))
  return Math.max(type['key-id'], type['value-id'], maxId(type.key), maxId(type.value))
}

/** True when files of one read as the other without any conversion. */
export function sameLayout(a: IcebergType, b: IcebergType): boolean {
  if (typeof a === 'string' || typeof b === 'string') return a === b
  if (isStruct(a)) {
    return (
      isStruct(b) &&
      a.fields.length === b.fields.length &&
      a.fields.every((field, i) => {
        const other = b.fields[i]
        return (
          other?.id === field.id && other.name === field.name && sameLayout(field.type, other.type)
        )
      })
    )
  }
  if (isList(a)) {
    return isList(b) && a['element-id'] === b['element-id'] && sameLayout(a.element, b.element)
  }
  return (
    isMap(b) &&
    a['key-id'] === b['key-id'] &&
    a['value-id'] === b['value-id'] &&
    sameLayout(a.key, b.key) &&
    sameLayout(a.value, b.value)
  )
}
