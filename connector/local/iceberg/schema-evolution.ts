// Schema changes that need no data to be rewritten (https://iceberg.apache.org/spec/#schema-evolution): fields
// keep their ids for life, and an id is never given twice.
import { ConnectError } from '../../api/errors.ts'
import { assignIds, checkNames, isList, isMap, isStruct, parsePrimitive } from './schema.ts'
import type { IcebergField, IcebergStruct, IcebergType, SchemaChange } from './types.ts'

interface Evolution {
  readonly fields: readonly IcebergField[]
  readonly lastId: number
}

/** The schema after all changes, applied in order. Throws when one is not allowed; nothing is half done. */
export function evolveSchema(
  schema: IcebergStruct,
  lastId: number,
  changes: readonly SchemaChange[],
): Evolution {
  let current: Evolution = { fields: schema.fields, lastId }
  for (const change of changes) current = apply(current, change)
  return current
}

function apply({ fields, lastId }: Evolution, change: SchemaChange): Evolution {
  const root: IcebergStruct = { type: 'struct', fields }
  if (change.kind === 'add') {
    if (change.field.required) {
      throw new ConnectError(
        `Expected an added field to be optional, since rows that are there have none, got ${change.field.name} required.`,
      )
    }
    const added = assignIds([change.field], lastId)
    const next = editStruct(root, change.parent, (siblings) => [...siblings, ...added.fields])
    return { fields: next.fields, lastId: added.lastId }
  }
  const parent = change.path.slice(0, -1)
  const name = change.path.at(-1) ?? ''
  if (change.kind === 'promote' || change.kind === 'optional') {
    return { fields: editValue(root, change.path, change).fields, lastId }
  }
  const next = editStruct(root, parent, (siblings) => {
    if (!siblings.some((field) => field.name === name)) throw unknown(change.path)
    return change.kind === 'drop'
      ? siblings.filter((field) => field.name !== name)
      : siblings.map((field) => (field.name === name ? { ...field, name: change.name } : field))
  })
  return { fields: next.fields, lastId }
}

const unknown = (path: readonly string[]): ConnectError =>
  new ConnectError(`Expected the path of a field, got ${path.join('.')}, which is none.`)

/** Edits the fields of the struct at `path`, which may lie below lists and maps. */
function editStruct(
  root: IcebergStruct,
  path: readonly string[],
  edit: (fields: readonly IcebergField[]) => readonly IcebergField[],
): IcebergStruct {
  const visit = (type: IcebergType, rest: readonly string[]): IcebergType => {
    const [head, ...tail] = rest
    if (head !== undefined) return descend(type, head, path, (child) => visit(child, tail))
    if (!isStruct(type)) throw unknown(path)
    const fields = edit(type.fields)
    checkNames(fields.map(({ name }) => name))
    return { ...type, fields }
  }
  return visit(root, path) as IcebergStruct
}

/** The type with its child `name` replaced by what `edit` makes of it. */
function descend(
  type: IcebergType,
  name: string,
  path: readonly string[],
  edit: (child: IcebergType) => IcebergType,
): IcebergType {
  if (isList(type) && name === 'element') return { ...type, element: edit(type.element) }
  if (isMap(type) && name === 'value') return { ...type, value: edit(type.value) }
  if (!isStruct(type) || !type.fields.some((field) => field.name === name)) throw unknown(path)
  return {
    ...type,
    fields: type.fields.map((field) =>
      field.name === name ? { ...field, type: edit(field.type) } : field,
    ),
  }
}

type ValueChange = Extract<SchemaChange, { readonly kind: 'promote' | 'optional' }>

/** Promotes the type at a path, or lets it be null. */
function editValue(
  root: IcebergStruct,
  path: readonly string[],
  change: ValueChange,
): IcebergStruct {
  const visit = (type: IcebergType, rest: readonly string[]): IcebergType => {
    const [head, ...tail] = rest
    if (head === undefined) {
      return change.kind === 'promote' ? promoted(type, change.type, path) : type
    }
    const next = descend(type, head, path, (child) => visit(child, tail))
    return change.kind === 'optional' && tail.length === 0 ? optional(next, head) : next
  }
  if (path.length === 0) throw unknown(path)
  return visit(root, path) as IcebergStruct
}

function optional(type: IcebergType, name: string): IcebergType {
  if (isList(type)) return { ...type, 'element-required': false }
  if (isMap(type)) return { ...type, 'value-required': false }
  if (!isStruct(type)) return type
  return {
    ...type,
    fields: type.fields.map((field) =>
      field.name === name ? { ...field, required: false } : field,
    ),
  }
}

function promoted(from: IcebergType, to: string, path: readonly string[]): IcebergType {
  const refused = new ConnectError(
    `Expected a promotion that Iceberg allows (int to long, float to double, a decimal to more digits of the same scale), got ${typeof from === 'string' ? from : from.type} to ${to} for ${path.join('.')}.`,
  )
  if (typeof from !== 'string') throw refused
  const a = parsePrimitive(from)
  const b = parsePrimitive(to)
  const allowed =
    from === to ||
    (a.name === 'int' && b.name === 'long') ||
    (a.name === 'float' && b.name === 'double') ||
    (a.name === 'decimal' &&
      b.name === 'decimal' &&
      a.scale === b.scale &&
      a.precision <= b.precision)
  if (!allowed) throw refused
  return to
}
