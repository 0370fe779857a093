// Steps into nested values: `col:key`, `col[0]`, `col['key']`.
import { sqlString } from '../tokens.ts'
import { cast, toJson } from './casts.ts'
import { isSemiStructured, isStructured, type SqlType, type Typed, VARIANT } from './sql-types.ts'

export type PathKey = string | number

/** The value at a key or an index; NULL where there is none. Structured columns keep their types. */
export function stepInto(base: Typed, key: PathKey, zone: string): Typed {
  const structured = structuredStep(base, key)
  if (structured !== undefined) return structured
  const json = isStructured(base.type)
    ? toJson(base)
    : isSemiStructured(base.type)
      ? base.sql
      : cast(base, VARIANT, { zone }).sql
  if (typeof key === 'number') return { sql: `json_extract(${json}, '$[${key}]')`, type: VARIANT }
  return { sql: `json_extract(${json}, ${sqlString(keyPath(key))})`, type: VARIANT }
}

const keyPath = (key: string): string =>
  /["\\*]/.test(key) || key === ''
    ? `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`
    : `$."${key}"`

function structuredStep({ sql, type }: Typed, key: PathKey): Typed | undefined {
  if (type.kind === 'struct' && typeof key === 'string') {
    const field = type.fields.find(({ name }) => name === key)
    return field === undefined
      ? undefined
      : { sql: `struct_extract(${sql}, ${sqlString(key)})`, type: field.type }
  }
  if (type.kind === 'list' && typeof key === 'number')
    return { sql: `${sql}[${key + 1}]`, type: type.element }
  return undefined
}

/** An object's keys in the order of their characters. */
export const jsonKeys = (object: string): string => `list_sort(json_keys(${object}))`

/** The value of a map at a key. */
export function mapValue(
  { sql, type }: Typed,
  key: Typed,
  zone: string,
): { sql: string; type: SqlType } | undefined {
  if (type.kind !== 'map') return undefined
  return { sql: `${sql}[${cast(key, type.key, { zone }).sql}]`, type: type.value }
}
