// Avro schemas and values that fit them, for property tests.
import * as fc from 'fast-check'

export interface SchemaAndValue {
  readonly schema: unknown
  /** As Connect has it. */
  readonly value: unknown
}
type Pair = SchemaAndValue

const leaf = <T>(schema: unknown, value: fc.Arbitrary<T>): fc.Arbitrary<Pair> =>
  value.map((each) => ({ schema, value: each }))

const longs = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
const ints = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })
const decimal = fc
  .bigInt({ min: -(10n ** 12n) + 1n, max: 10n ** 12n - 1n })
  .map((unscaled) => ({ unscaled, scale: 3 }))
const bytes = fc.uint8Array({ maxLength: 40 }).map((each) => Buffer.from(each))

let serial = 0
/** Named types must differ within one schema, and shrinking keeps the names. */
const nextName = (prefix: string): string => `${prefix}${serial++}`

const leaves: fc.Arbitrary<Pair> = fc.oneof(
  leaf('boolean', fc.boolean()),
  leaf('int', ints),
  leaf('long', longs),
  leaf('float', fc.float({ noNaN: true })),
  leaf('double', fc.double()),
  leaf('string', fc.string({ unit: 'binary', maxLength: 80 })),
  leaf('bytes', bytes),
  leaf({ type: 'int', 'connect.type': 'int8' }, fc.integer({ min: -128, max: 127 })),
  leaf(
    { type: 'int', logicalType: 'date' },
    fc.integer({ min: -100_000, max: 100_000 }).map((day) => new Date(day * 86_400_000)),
  ),
  leaf(
    { type: 'int', logicalType: 'time-millis' },
    fc.integer({ min: 0, max: 86_399_999 }).map((ms) => new Date(ms)),
  ),
  leaf(
    { type: 'long', logicalType: 'timestamp-millis' },
    fc.integer({ min: -8.64e15, max: 8.64e15 }).map((ms) => new Date(ms)),
  ),
  leaf({ type: 'long', logicalType: 'timestamp-micros' }, longs),
  leaf({ type: 'long', logicalType: 'time-micros' }, longs),
  leaf({ type: 'string', logicalType: 'uuid' }, fc.uuid()),
  leaf({ type: 'bytes', logicalType: 'decimal', precision: 12, scale: 3 }, decimal),
  decimal.map((value) => ({
    schema: {
      type: 'fixed',
      name: nextName('D'),
      size: 8,
      logicalType: 'decimal',
      precision: 12,
      scale: 3,
    },
    value,
  })),
  fc.uint8Array({ minLength: 5, maxLength: 5 }).map((value) => ({
    schema: { type: 'fixed', name: nextName('F'), size: 5 },
    value: Buffer.from(value),
  })),
  fc.constantFrom('A', 'B', 'C').map((value) => ({
    schema: { type: 'enum', name: nextName('E'), symbols: ['A', 'B', 'C'] },
    value,
  })),
)

const keys = fc.oneof(fc.string({ maxLength: 8 }), fc.constantFrom('__proto__', 'constructor', '1'))

/** A schema of any shape with a value of it. */
export const avroPair: fc.Arbitrary<Pair> = fc.letrec<{ pair: Pair }>((tie) => ({
  pair: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaves,
    // An optional one: null or the value.
    fc
      .tuple(tie('pair'), fc.boolean(), fc.boolean())
      .filter(([{ schema }]) => !Array.isArray(schema))
      .map(([inner, isNull, nullFirst]) => ({
        schema: nullFirst ? ['null', inner.schema] : [inner.schema, 'null'],
        value: isNull ? null : inner.value,
      })),
    // All items are the same value: another one of the same schema cannot be drawn here.
    fc.tuple(tie('pair'), fc.nat({ max: 3 })).map(([inner, count]) => ({
      schema: { type: 'array', items: inner.schema },
      value: Array.from({ length: count }, () => inner.value),
    })),
    fc.tuple(tie('pair'), fc.uniqueArray(keys, { maxLength: 3 })).map(([inner, names]) => ({
      schema: { type: 'map', values: inner.schema },
      value: new Map(names.map((name) => [name, inner.value])),
    })),
    fc.array(tie('pair'), { maxLength: 4 }).map((parts) => ({
      schema: {
        type: 'record',
        name: nextName('R'),
        namespace: 'n.s',
        fields: parts.map(({ schema }, i) => ({ name: `f${i}`, type: schema })),
      },
      value: Object.fromEntries(parts.map(({ value }, i) => [`f${i}`, value])),
    })),
    fc.tuple(fc.string({ maxLength: 5 }), longs, fc.nat({ max: 2 })).map(([text, n, branch]) => ({
      schema: ['null', 'string', 'long'],
      value: [null, { string: text }, { long: n }][branch],
    })),
  ),
})).pair
