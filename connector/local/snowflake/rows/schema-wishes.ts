// What rows would need a table to be, for tables with ENABLE_SCHEMA_EVOLUTION: columns for keys that it has none for,
// with types inferred from their values as Snowflake infers them for Iceberg tables, and columns that may be null.
import type { NewType, SchemaChange } from '../../iceberg/types.ts'
import { NumberText } from './exact-json.ts'

/** More new columns than this in one batch of rows are not made. */
export const NEW_COLUMNS_MAX = 100
const PRECISION_MAX = 38
const SCALE_MAX = 37

type Wish = 'boolean' | 'string' | 'double' | { readonly scale: number }

/** See the head of this file. */
export class SchemaWishes {
  readonly #columns = new Map<string, Wish>()
  readonly #nullable = new Set<string>()

  get isEmpty(): boolean {
    return this.#columns.size === 0 && this.#nullable.size === 0
  }

  /** False for a value that no column of an Iceberg v2 table can be made for: objects and arrays would be VARIANT. */
  column(name: string, value: unknown): boolean {
    const wish = wishOf(value)
    if (wish === undefined) return false
    const known = this.#columns.get(name)
    if (known === undefined && this.#columns.size > NEW_COLUMNS_MAX) return false
    this.#columns.set(name, known === undefined ? wish : both(known, wish))
    return true
  }

  /** Rows have no value for a column that must have one. */
  nullable(name: string): void {
    this.#nullable.add(name)
  }

  /** None when there would be too many new columns at once. */
  changes(): readonly SchemaChange[] {
    const isTooMuch = this.#columns.size > NEW_COLUMNS_MAX
    const columns = isTooMuch ? [] : [...this.#columns]
    return [
      ...[...this.#nullable].map((name): SchemaChange => ({ kind: 'optional', path: [name] })),
      ...columns.map(
        ([name, wish]): SchemaChange => ({
          kind: 'add',
          parent: [],
          field: { name, required: false, type: typeOf(wish) },
        }),
      ),
    ]
  }
}

function wishOf(value: unknown): Wish | undefined {
  if (typeof value === 'boolean') return 'boolean'
  if (typeof value === 'string') return 'string'
  if (typeof value === 'number') return numberWish(String(value))
  return value instanceof NumberText ? numberWish(value.text) : undefined
}

/** NUMBER(38, digits behind the point); what has an exponent or does not fit is a DOUBLE. */
function numberWish(text: string): Wish {
  const [, whole = '', fraction = ''] = /^-?(\d+)(?:\.(\d+))?$/.exec(text) ?? []
  const fits = whole !== '' && fraction.length <= SCALE_MAX
  return fits && whole.length + fraction.length <= PRECISION_MAX
    ? { scale: fraction.length }
    : 'double'
}

function both(left: Wish, right: Wish): Wish {
  if (typeof left === 'object' && typeof right === 'object')
    return { scale: Math.max(left.scale, right.scale) }
  if (left === right) return left
  const areNumbers = [left, right].every((wish) => typeof wish === 'object' || wish === 'double')
  return areNumbers ? 'double' : 'string'
}

const typeOf = (wish: Wish): NewType =>
  typeof wish === 'object' ? `decimal(${PRECISION_MAX},${wish.scale})` : wish
