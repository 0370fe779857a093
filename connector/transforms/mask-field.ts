import { ConfigDef, type ConfigOf, string } from '../api/config-def.ts'
import { DataError } from '../api/errors.ts'
import { isDecimalValue, javaClassOf } from '../api/java-text.ts'
import type { ConnectRecord } from '../api/records.ts'
import type { Schema } from '../api/schema.ts'
import type { Props } from '../api/task-context.ts'
import type { Transformation } from '../api/transformation.ts'
import { checkNonEmpty, REPLACE_NULL_WITH_DEFAULT, requiredList } from './config-keys.ts'
import {
  fieldsOf,
  fieldValue,
  isMap,
  mapOf,
  requireMap,
  requireStruct,
  schemaOf,
  type Target,
  valueOf,
  withValue,
} from './field-values.ts'
import { inferredType } from './java-casts.ts'

const CONFIG = new ConfigDef({
  fields: requiredList('Names of fields to mask.'),
  replacement: string<string | undefined>({
    doc: "Custom value replacement, that will be applied to all 'fields' values (numeric or non-empty string values only).",
    importance: 'LOW',
    default: undefined,
    check: checkNonEmpty,
  }),
  ...REPLACE_NULL_WITH_DEFAULT,
})
const PURPOSE = 'mask fields'

/** org.apache.kafka.connect.transforms.MaskField: fields' values replaced by zero, '' or a given text; nulls stay. */
export class MaskField implements Transformation {
  readonly #target: Target
  #config!: ConfigOf<typeof CONFIG>

  constructor(target: Target) {
    this.#target = target
  }

  configure(config: Props): void {
    this.#config = CONFIG.parse(config)
  }

  config(): ConfigDef {
    return CONFIG
  }

  apply<R extends ConnectRecord>(record: R): R {
    const schema = schemaOf(record, this.#target)
    const value = valueOf(record, this.#target)
    const { fields, 'replace.null.with.default': isDefaultUsed } = this.#config
    if (schema === null) {
      const map = requireMap(value, PURPOSE)
      for (const name of fields) map.set(name, this.#masked(null, map.get(name)))
      return withValue(record, this.#target, { schema: null, value: mapOf(map) })
    }
    const struct = requireStruct(schema, value, PURPOSE)
    const masked = fieldsOf(schema).map((field): [string, unknown] => {
      const original = fieldValue(struct, field, isDefaultUsed)
      const isMasked = fields.includes(field.name)
      return [field.name, isMasked ? this.#masked(field.schema, original) : original]
    })
    return withValue(record, this.#target, { schema, value: Object.fromEntries(masked) })
  }

  #masked(schema: Schema | null, value: unknown): unknown {
    if (value === null || value === undefined) return null
    const { replacement } = this.#config
    return replacement === undefined ? zeroOf(schema, value) : replaced(schema, value, replacement)
  }
}

function zeroOf(schema: Schema | null, value: unknown): unknown {
  if (typeof value === 'boolean') return false
  if (typeof value === 'number') return 0
  if (typeof value === 'bigint') return 0n
  if (typeof value === 'string') return ''
  if (value instanceof Date) return new Date(0)
  if (isDecimalValue(value)) return { unscaled: 0n, scale: value.scale }
  if (Array.isArray(value)) return []
  if (isMap(value) && schema?.type !== 'STRUCT') return value instanceof Map ? new Map() : {}
  const struct = 'org.apache.kafka.connect.data.Struct'
  const javaClass = schema?.type === 'STRUCT' ? struct : javaClassOf(value)
  throw new DataError(`Cannot mask value of type: class ${javaClass}`)
}

function replaced(schema: Schema | null, value: unknown, replacement: string): unknown {
  if (typeof value === 'string') return replacement
  if (isDecimalValue(value)) return decimalOf(replacement, value.scale)
  const type = schema?.type ?? inferredType(value)
  if (typeof value !== 'number' && typeof value !== 'bigint') {
    throw new DataError(
      `Cannot mask value of type class ${javaClassOf(value)} with custom replacement.`,
    )
  }
  const number = numberOf(replacement)
  const bits = BITS[type ?? '']
  if (bits === undefined) return type === 'FLOAT32' ? Math.fround(number.double) : number.double
  const integer = BigInt.asIntN(bits, number.integer)
  return typeof value === 'bigint' ? integer : Number(integer)
}

const BITS: Readonly<Record<string, number>> = { INT8: 8, INT16: 16, INT32: 32, INT64: 64 }

const NUMBER = /^([+-]?)(\d+\.?\d*|\.\d+)(?:[eE]([+-]?\d{1,3}))?$/

/** A replacement as `java.math.BigDecimal` reads it. */
function numberOf(text: string): { readonly integer: bigint; readonly double: number } {
  const { unscaled, scale } = parseDecimal(text)
  const power = 10n ** BigInt(Math.abs(scale))
  return { integer: scale > 0 ? unscaled / power : unscaled * power, double: Number(text) }
}

function parseDecimal(text: string): { readonly unscaled: bigint; readonly scale: number } {
  const match = NUMBER.exec(text)
  if (match === null) {
    throw new DataError(`Unable to convert ${text} (class java.lang.String) to a number`)
  }
  const [, sign = '', digits = '', exponent = '0'] = match
  const [whole = '', fraction = ''] = digits.split('.')
  const unscaled = BigInt(`${sign === '-' ? '-' : ''}${whole}${fraction}`)
  return { unscaled, scale: fraction.length - Number(exponent) }
}

/** With the scale that the field's schema has. */
function decimalOf(text: string, scale: number) {
  const parsed = parseDecimal(text)
  const shift = scale - parsed.scale
  if (shift >= 0) return { unscaled: parsed.unscaled * 10n ** BigInt(shift), scale }
  const power = 10n ** BigInt(-shift)
  if (parsed.unscaled % power === 0n) return { unscaled: parsed.unscaled / power, scale }
  throw new DataError(`Replacement ${text} has more than the ${scale} decimals of the field`)
}
