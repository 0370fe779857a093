// A model of a table: rows as values by field id. Made by fast-check, written as NDJSON, compared with what the
// engine reads.
import {
  DuckDBBlobValue,
  DuckDBDateValue,
  DuckDBDecimalValue,
  DuckDBListValue,
  DuckDBMapValue,
  DuckDBStructValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
  DuckDBTimeValue,
  DuckDBUUIDValue,
} from '@duckdb/node-api'
import * as fc from 'fast-check'
import type {
  IcebergField,
  IcebergType,
  NewField,
  NewType,
} from '../../../../connector/local/iceberg/types.ts'

/** A value by field ids; primitives as the text of `show`. */
export type Modelled =
  | string
  | null
  | readonly Modelled[]
  | { readonly fields: ReadonlyMap<number, Modelled> }
  | { readonly pairs: readonly (readonly [Modelled, Modelled])[] }

/** A value as it is sent, and as it has to be found again. */
interface Made {
  readonly json: unknown
  readonly model: Modelled
}

const PRIMITIVES = [
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
  'decimal(9,2)',
  'decimal(38,10)',
]

const primitiveType = fc.constantFrom(...PRIMITIVES)
const fieldsOf = (type: fc.Arbitrary<NewType>): fc.Arbitrary<NewField[]> =>
  fc
    .uniqueArray(
      fc.tuple(fc.constantFrom('A', 'b', "it's", 'a "b"', 'x.y', 'ü', '/~', 'key'), type),
      { minLength: 1, maxLength: 4, selector: ([name]) => name.toLowerCase() },
    )
    .map((all) => all.map(([name, of]) => ({ name, required: false, type: of })))

const { type: newType } = fc.letrec<{ type: NewType }>((tie) => ({
  type: fc.oneof(
    { maxDepth: 2, depthSize: 'small' },
    { weight: 4, arbitrary: primitiveType },
    {
      weight: 1,
      arbitrary: fieldsOf(tie('type')).map((fields) => ({ type: 'struct' as const, fields })),
    },
    {
      weight: 1,
      arbitrary: tie('type').map((element) => ({
        type: 'list' as const,
        element,
        elementRequired: false,
      })),
    },
    {
      weight: 1,
      arbitrary: fc
        .tuple(fc.constantFrom('string', 'int', 'date', 'binary'), tie('type'))
        .map(([key, value]) => ({ type: 'map' as const, key, value, valueRequired: false })),
    },
  ),
}))

export const tableFields: fc.Arbitrary<NewField[]> = fieldsOf(newType)
export const anyType = newType

const DAY_MS = 86_400_000
const iso = (ms: number): string => new Date(ms).toISOString().slice(0, 19)
const micros = fc.integer({ min: 0, max: 999_999 })
const instant = fc.integer({ min: -62_000_000_000, max: 250_000_000_000 })
const fraction = (n: number): string => String(n).padStart(6, '0')

function special(value: number): unknown {
  return Number.isFinite(value) ? value : String(value)
}

const decimal = (digits: number, scale: number): fc.Arbitrary<Made> =>
  fc
    .bigInt({ min: -(10n ** BigInt(digits)) + 1n, max: 10n ** BigInt(digits) - 1n })
    .map((unscaled) => {
      const text = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, '0')
      const shown = `${unscaled < 0n ? '-' : ''}${text.slice(0, -scale)}.${text.slice(-scale)}`
      return { json: shown, model: shown }
    })

const plain = (json: unknown, model: string = String(json)): Made => ({ json, model })

function primitive(type: string): fc.Arbitrary<Made> {
  switch (type) {
    case 'boolean':
      return fc.boolean().map((b) => plain(b))
    case 'int':
      return fc.integer().map((n) => plain(n))
    case 'long':
      return fc
        .bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
        .map((n) => ({ json: new BigNumber(n), model: String(n) }))
    case 'float':
      return fc.float().map((n) => plain(special(n), String(n + 0)))
    case 'double':
      return fc.double().map((n) => plain(special(n), String(n + 0)))
    case 'date':
      return instant.map((s) =>
        plain(iso(s * 1000).slice(0, 10), String(Math.floor((s * 1000) / DAY_MS))),
      )
    case 'time':
      return fc
        .tuple(fc.integer({ min: 0, max: 86_399 }), micros)
        .map(([s, us]) => plain(`${iso(s * 1000).slice(11)}.${fraction(us)}`, String(s * 1e6 + us)))
    case 'timestamp':
    case 'timestamptz':
      return fc.tuple(instant, micros).map(([s, us]) => {
        const text = `${iso(s * 1000)}.${fraction(us)}${type === 'timestamptz' ? 'Z' : ''}`
        return plain(text, String(BigInt(s) * 1_000_000n + BigInt(us)))
      })
    case 'uuid':
      return fc.uuid().map((text) => plain(text))
    case 'binary':
      return fc.uint8Array({ maxLength: 20 }).map((bytes) => {
        const buffer = Buffer.from(bytes)
        return plain(buffer.toString('base64'), buffer.toString('hex'))
      })
    case 'decimal(9,2)':
      return decimal(9, 2)
    case 'decimal(38,10)':
    case 'decimal(38,2)':
      return decimal(38, type.endsWith('10)') ? 10 : 2)
    default:
      return fc.string({ unit: 'binary', maxLength: 20 }).map((text) => plain(text))
  }
}

/** An integer that JSON.stringify of `ndjsonOf` writes without rounding it. */
class BigNumber {
  readonly value: bigint
  constructor(value: bigint) {
    this.value = value
  }
  toJSON(): string {
    return `@@${this.value}@@`
  }
}

export const ndjsonOf = (rows: readonly unknown[]): Uint8Array =>
  Buffer.from(
    rows.map((row) => `${JSON.stringify(row).replaceAll(/"@@(-?\d+)@@"/g, '$1')}\n`).join(''),
  )

/** Null, left out, or a value of the type. */
export function valueOf(type: IcebergType): fc.Arbitrary<Made> {
  const nothing = fc.constant<Made>({ json: null, model: null })
  return fc.oneof({ weight: 1, arbitrary: nothing }, { weight: 5, arbitrary: present(type) })
}

function present(type: IcebergType): fc.Arbitrary<Made> {
  if (typeof type === 'string') return primitive(type)
  if (type.type === 'struct') return structOf(type.fields)
  if (type.type === 'list') {
    return fc.array(valueOf(type.element), { maxLength: 3 }).map((items) => ({
      json: items.map(({ json }) => json),
      model: items.map(({ model }) => model),
    }))
  }
  return fc
    .uniqueArray(fc.tuple(present(type.key), valueOf(type.value)), {
      maxLength: 3,
      selector: ([key]) => key.model,
    })
    .map((pairs) => ({
      json: pairs.map(([key, value]) => [key.json, value.json]),
      model: { pairs: pairs.map(([key, value]) => [key.model, value.model] as const) },
    }))
}

export function structOf(fields: readonly IcebergField[]): fc.Arbitrary<Made> {
  return fc.tuple(...fields.map((field) => valueOf(field.type))).map((values) => ({
    json: Object.fromEntries(
      // A null may be left out, which is the same.
      fields.flatMap(({ name }, i) =>
        values[i]?.model === null && i % 2 === 0 ? [] : [[name, values[i]?.json]],
      ),
    ),
    model: { fields: new Map(fields.map(({ id }, i) => [id, values[i]?.model ?? null])) },
  }))
}

/** What the model's value has to look like under a later type of the same field. */
export function expected(value: Modelled, type: IcebergType): unknown {
  if (value === null || typeof type === 'string') return value
  if (type.type === 'struct') {
    const { fields } = value as { readonly fields: ReadonlyMap<number, Modelled> }
    return type.fields.map((f) => [f.name, expected(fields.get(f.id) ?? null, f.type)])
  }
  if (type.type === 'list') {
    return (value as readonly Modelled[]).map((item) => expected(item, type.element))
  }
  const { pairs } = value as { readonly pairs: readonly (readonly [Modelled, Modelled])[] }
  return sorted(pairs.map(([key, item]) => [expected(key, type.key), expected(item, type.value)]))
}

const sorted = (pairs: readonly (readonly unknown[])[]) =>
  pairs.toSorted((a, b) => (String(a[0]) < String(b[0]) ? -1 : 1))

/** What DuckDB gives, in the same form. */
export function show(value: unknown): unknown {
  if (value === null || typeof value === 'string') return value
  if (typeof value === 'bigint' || typeof value === 'boolean') return String(value)
  if (typeof value === 'number') return String(value + 0)
  if (value instanceof DuckDBStructValue) {
    return Object.entries(value.entries).map(([name, item]) => [name, show(item)])
  }
  if (value instanceof DuckDBListValue) return value.items.map(show)
  if (value instanceof DuckDBMapValue) {
    return sorted(value.entries.map((pair) => [show(pair.key), show(pair.value)]))
  }
  if (value instanceof DuckDBBlobValue) return Buffer.from(value.bytes).toString('hex')
  if (value instanceof DuckDBDateValue) return String(value.days)
  if (value instanceof DuckDBTimeValue) return String(value.micros)
  if (value instanceof DuckDBTimestampValue) return String(value.micros)
  if (value instanceof DuckDBTimestampTZValue) return String(value.micros)
  if (value instanceof DuckDBDecimalValue || value instanceof DuckDBUUIDValue)
    return value.toString()
  throw new Error(`Expected a value that the model knows, got ${typeof value}.`)
}
