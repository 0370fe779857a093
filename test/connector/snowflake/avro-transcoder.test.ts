// The transcoder against avsc and a slow, plain implementation that shares no code with it.
import { createRequire } from 'node:module'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { SinkRecord } from '../../../connector/api/records.ts'
import { avroShape, type TableColumns } from '../../../connector/snowflake/record-shape.ts'
import { parseType } from '../../../connector/snowflake/parse-type.ts'
import { Tape } from '../../../connector/snowflake/tape.ts'

const avsc = createRequire(import.meta.url)('avsc') as typeof import('avsc')
type Json = Record<string, unknown>
interface Sample {
  readonly schema: unknown
  /** Values with what their JSON must be. */
  readonly value: fc.Arbitrary<readonly [value: unknown, json: unknown]>
}

const DAY_MS = 86_400_000
const same = <T>(value: fc.Arbitrary<T>): Sample['value'] => value.map((v) => [v, v] as const)
const mapped = <T>(value: fc.Arbitrary<T>, json: (v: T) => unknown): Sample['value'] =>
  value.map((v) => [v, json(v)] as const)
const special = (n: number): unknown => (Number.isFinite(n) ? n : String(n))
const text = fc.string({ unit: 'grapheme', maxLength: 20 })

const SCALARS: readonly Sample[] = [
  { schema: 'boolean', value: same(fc.boolean()) },
  { schema: 'int', value: same(fc.integer()) },
  // avsc itself writes longs beyond 2^52 wrongly; the exact test is below.
  { schema: 'long', value: same(fc.integer({ min: -(2 ** 52), max: 2 ** 52 })) },
  { schema: 'double', value: mapped(fc.double(), special) },
  {
    schema: 'double',
    value: same(fc.integer({ min: -1e9, max: 1e9 }).map((n) => n / 1e6)),
  },
  {
    schema: 'float',
    value: mapped(fc.float(), (n) => (Number.isFinite(n) ? { float: n } : String(n))),
  },
  { schema: 'string', value: same(text) },
  {
    schema: 'string',
    value: same(fc.string({ unit: fc.constantFrom('"', '\\', '\n', '\u0001', 'é', '😀', 'a') })),
  },
  {
    schema: 'bytes',
    value: fc
      .uint8Array({ maxLength: 20 })
      .map((b) => [Buffer.from(b), Buffer.from(b).toString('base64')] as const),
  },
  {
    schema: { type: 'int', logicalType: 'date' },
    value: mapped(fc.integer({ min: -700_000, max: 2_900_000 }), (days) =>
      new Date(days * DAY_MS).toISOString().slice(0, 10),
    ),
  },
  {
    schema: { type: 'long', logicalType: 'timestamp-millis' },
    value: mapped(fc.integer({ min: -60_000_000_000_000, max: 250_000_000_000_000 }), (ms) =>
      new Date(ms).toISOString(),
    ),
  },
  {
    schema: { type: 'long', logicalType: 'timestamp-micros' },
    value: mapped(fc.integer({ min: -6e14, max: 6e15 }), (us) => micros(us, 'Z')),
  },
  {
    schema: { type: 'long', logicalType: 'local-timestamp-micros' },
    value: mapped(fc.integer({ min: -6e14, max: 6e15 }), (us) => micros(us, '')),
  },
  {
    schema: { type: 'int', logicalType: 'time-millis' },
    value: mapped(fc.integer({ min: 0, max: DAY_MS - 1 }), (ms) =>
      new Date(ms).toISOString().slice(11, 23),
    ),
  },
  {
    schema: { type: 'bytes', logicalType: 'decimal', precision: 20, scale: 3 },
    value: fc
      .bigInt({ min: -(10n ** 20n), max: 10n ** 20n })
      .map((n) => [bytesOf(n), decimal(n)] as const),
  },
]

function micros(us: number, zone: string): string {
  const ms = Math.floor(us / 1_000)
  return `${new Date(ms).toISOString().slice(0, -1)}${String(us - ms * 1_000).padStart(3, '0')}${zone}`
}

function decimal(n: bigint): string {
  const digits = String(n < 0n ? -n : n).padStart(4, '0')
  return `${n < 0n ? '-' : ''}${digits.slice(0, -3)}.${digits.slice(-3)}`
}

function bytesOf(n: bigint): Buffer {
  return Buffer.from(BigInt.asUintN(80, n).toString(16).padStart(20, '0'), 'hex')
}

let names = 0
const name = (): string => `N${names++}`

const enumSample: fc.Arbitrary<Sample> = fc.constant(null).map(() => ({
  schema: { type: 'enum', name: name(), symbols: ['RED', 'GREEN'] },
  value: same(fc.constantFrom('RED', 'GREEN')),
}))
const fixedSample: fc.Arbitrary<Sample> = fc.integer({ min: 1, max: 9 }).map((size) => ({
  schema: { type: 'fixed', name: name(), size },
  value: fc
    .uint8Array({ minLength: size, maxLength: size })
    .map((b) => [Buffer.from(b), Buffer.from(b).toString('base64')] as const),
}))

const { node } = fc.letrec<{ node: Sample; record: Sample }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 3, depthIdentifier: 'avro' },
    fc.constantFrom(...SCALARS),
    enumSample,
    fixedSample,
    tie('node').map((items) => ({
      schema: { type: 'array', items: items.schema },
      value: fc
        .array(items.value, { maxLength: 4 })
        .map((list) => [list.map(([v]) => v), list.map(([, j]) => j)] as const),
    })),
    tie('node').map((values) => ({
      schema: { type: 'map', values: values.schema },
      value: fc
        .dictionary(
          text.filter((key) => key !== '__proto__'),
          values.value,
          { maxKeys: 3 },
        )
        .map(
          (entries) =>
            [
              Object.fromEntries(Object.entries(entries).map(([k, [v]]) => [k, v])),
              Object.fromEntries(Object.entries(entries).map(([k, [, j]]) => [k, j])),
            ] as const,
        ),
    })),
    tie('record'),
  ),
  record: fc
    .array(fc.tuple(tie('node'), fc.boolean()), { minLength: 1, maxLength: 5 })
    .map((members) => recordOf(members)),
}))

/** A record of required and nullable members. */
function recordOf(members: readonly (readonly [Sample, boolean])[]): Sample {
  const fields = members.map(([member, isNullable], i) => ({
    name: `f${i}`,
    type: isNullable && !Array.isArray(member.schema) ? ['null', member.schema] : member.schema,
  }))
  const values = members.map(([member, isNullable]) =>
    isNullable ? fc.option(member.value, { nil: [null, null] as const }) : member.value,
  )
  return {
    schema: { type: 'record', name: name(), fields },
    value: fc
      .tuple(...values)
      .map((list) => [
        Object.fromEntries(list.map(([v], i) => [`f${i}`, v])),
        Object.fromEntries(list.map(([, j], i) => [`f${i}`, j])),
      ]),
  }
}

function transcode(schema: unknown, bytes: Uint8Array, table?: TableColumns): string {
  const tape = new Tape(16)
  const record = { encodedValue: { bytes, writerSchema: schema, schemaId: 1, decode: () => null } }
  avroShape(schema, 1).compile(table)(record as unknown as SinkRecord, tape)
  return `{${tape.out.toString('utf8', 0, tape.at).slice(1)}}`
}

/** The parsed JSON with its floats marked as `expected` has them: the shortest form of a float is another double. */
function markFloats(actual: unknown, expected: unknown): unknown {
  if (typeof expected !== 'object' || expected === null) return actual
  if ('float' in expected) return { float: Math.fround(Number(actual)) }
  if (typeof actual !== 'object' || actual === null) return actual
  if (Array.isArray(actual)) {
    return actual.map((item: unknown, i) => markFloats(item, (expected as unknown[])[i]))
  }
  return Object.fromEntries(
    Object.entries(actual).map(([key, item]) => [key, markFloats(item, (expected as Json)[key])]),
  )
}

/** A long as Avro writes it. */
function varint(value: bigint): Uint8Array {
  let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n))
  const bytes: number[] = []
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128)
  return Uint8Array.from([...bytes, Number(rest)])
}

function float(x: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeFloatLE(x)
  return bytes
}

describe('avro transcoder', () => {
  test('writes what avsc decodes, for any schema and value', () => {
    const top = fc.array(fc.tuple(node, fc.boolean()), { minLength: 1, maxLength: 6 }).map(recordOf)
    fc.assert(
      fc.property(
        top.chain((sample) => fc.tuple(fc.constant(sample.schema), sample.value)),
        ([schema, [value, json]]) => {
          const type = avsc.Type.forSchema(schema as Parameters<typeof avsc.Type.forSchema>[0], {
            logicalTypes: {},
            wrapUnions: false,
          })
          const bytes = type.toBuffer(value)
          const columns = Object.entries(json as Json)
            .filter(([, item]) => item !== null)
            .map(([key, item]) => [key.toUpperCase(), item])
          const expected = Object.fromEntries(columns) as Json
          expect(markFloats(JSON.parse(transcode(schema, bytes)), expected)).toEqual(expected)
        },
      ),
      { numRuns: 400 },
    )
  })

  test('never reads or writes out of bounds, whatever the bytes', () => {
    const schema = {
      type: 'record',
      name: 'R',
      fields: [
        { name: 's', type: 'string' },
        { name: 'a', type: { type: 'array', items: ['null', 'bytes'] } },
        { name: 'm', type: { type: 'map', values: 'long' } },
        { name: 'e', type: { type: 'enum', name: 'E', symbols: ['A'] } },
        { name: 'd', type: { type: 'long', logicalType: 'timestamp-millis' } },
        { name: 'n', type: { type: 'array', items: 'null' } },
      ],
    }
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        let json: string
        try {
          json = transcode(schema, bytes)
        } catch (error) {
          return (error as Error).constructor.name === 'DataError'
        }
        return typeof JSON.parse(json) === 'object'
      }),
      { numRuns: 2_000 },
    )
  })

  test('writes longs beyond 2^53 in their exact digits', () => {
    const schema = { type: 'record', name: 'L', fields: [{ name: 'n', type: 'long' }] }
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (n) => {
        expect(transcode(schema, varint(n))).toBe(`{"N":${n}}`)
      }),
    )
  })

  test('writes every field that the table declares, and refuses one that it does not', () => {
    const schema = {
      type: 'record',
      name: 'R',
      fields: [
        {
          name: 'pos',
          type: { type: 'record', name: 'P', fields: [{ name: 'lat', type: 'double' }] },
        },
      ],
    }
    const bytes = Buffer.alloc(8)
    const wide = new Map([['POS', parseType('OBJECT(lat FLOAT, lon FLOAT, note VARCHAR)')]])
    expect(transcode(schema, bytes, wide)).toBe('{"POS":{"lat":0,"lon":null,"note":null}}')
    const other = new Map([['POS', parseType('OBJECT(lon FLOAT)')]])
    expect(() => transcode(schema, bytes, other)).toThrow('no field lat')
  })

  test('writes floats in the shortest form that is the same float', () => {
    const schema = { type: 'record', name: 'F', fields: [{ name: 'x', type: 'float' }] }
    expect(transcode(schema, float(40.7))).toBe('{"X":40.7}')
    expect(transcode(schema, float(1e-7))).toBe('{"X":1e-7}')
    expect(transcode(schema, float(16_777_216))).toBe('{"X":16777216}')
  })

  test('puts U+FFFD in place of bytes that are not UTF-8', () => {
    const schema = { type: 'record', name: 'S', fields: [{ name: 's', type: 'string' }] }
    expect(transcode(schema, Buffer.from([4, 0x61, 0xff]))).toBe('{"S":"a\uFFFD"}')
  })

  test.each([
    [
      { type: 'record', name: 'T', fields: [{ name: 'next', type: ['null', 'T'] }] },
      'contains itself',
    ],
    ['string', 'Expected an Avro record'],
    [
      {
        type: 'record',
        name: 'C',
        fields: [
          { name: 'id', type: 'int' },
          { name: 'ID', type: 'int' },
        ],
      },
      'two fields that become column ID',
    ],
    [
      { type: 'record', name: 'U', fields: [{ name: 'u', type: ['int', 'string'] }] },
      'no column type that holds all of it',
    ],
  ])('refuses %j', (schema, message) => {
    expect(() => avroShape(schema, 1)).toThrow(message)
  })
})
