import avsc from 'avsc'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DataError } from '../../../connector/api/errors.ts'
import { fromTwosComplement, toTwosComplement } from '../../../connector/converters/avro-decimal.ts'
import { parseAvro } from '../../../connector/converters/avro-node.ts'
import { compileType } from '../../../connector/converters/avro-type.ts'
import { compileWalker } from '../../../connector/converters/avro-walker.ts'
import { AvroWriter } from '../../../connector/converters/avro-writer.ts'
import { avroPair } from '../../support/avro-arbitrary.ts'

const writer = new AvroWriter()
const encode = (schema: unknown, value: unknown): Buffer =>
  Buffer.from(writer.write(compileType(parseAvro(schema)), 1, value).subarray(5))
const decode = (schema: unknown, bytes: Buffer): unknown =>
  compileType(parseAvro(schema)).fromBuffer(bytes)
const walk = (schema: unknown, bytes: Uint8Array): void =>
  compileWalker(parseAvro(schema))(bytes, 0)
const problem = (run: () => void): string | undefined => {
  try {
    run()
    return undefined
  } catch (error) {
    expect(error).toBeInstanceOf(DataError)
    return (error as Error).message
  }
}

describe('writing and reading', () => {
  test('gives back every value of every type, and the walker takes what was written', () => {
    fc.assert(
      fc.property(avroPair, ({ schema, value }) => {
        const bytes = encode(schema, value)
        walk(schema, bytes)
        expect(decode(schema, bytes)).toEqual(value)
      }),
      { numRuns: 2_000 },
    )
  })

  test('longs at the edges of every width of varint', () => {
    fc.assert(
      fc.property(
        fc.nat({ max: 63 }),
        fc.constantFrom(-1n, 0n, 1n),
        fc.boolean(),
        (bit, add, minus) => {
          const value = BigInt.asIntN(64, (minus ? -1n : 1n) * 2n ** BigInt(bit) + add)
          const bytes = encode('long', value)
          walk('long', bytes)
          expect(decode('long', bytes)).toBe(value)
          // Avro's own rule, without our code: zigzag, then seven bits at a time.
          let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n))
          const expected: number[] = []
          for (; rest > 127n; rest >>= 7n) expected.push(Number(rest & 127n) | 128)
          expect([...bytes]).toEqual([...expected, Number(rest)])
        },
      ),
    )
  })

  test('decimals are the shortest two’s complement', () => {
    expect(toTwosComplement(127n)).toEqual(Buffer.from([0x7f]))
    expect(toTwosComplement(128n)).toEqual(Buffer.from([0x00, 0x80]))
    expect(toTwosComplement(-128n)).toEqual(Buffer.from([0x80]))
    expect(toTwosComplement(-129n)).toEqual(Buffer.from([0xff, 0x7f]))
    expect(toTwosComplement(0n)).toEqual(Buffer.from([0]))
    fc.assert(
      fc.property(fc.bigInt(), (n) => {
        expect(fromTwosComplement(toTwosComplement(n))).toBe(n)
      }),
    )
  })

  test('a decimal of another scale is written where no digit is lost, and refused where one is', () => {
    const schema = { type: 'bytes', logicalType: 'decimal', precision: 5, scale: 2 }
    expect(decode(schema, encode(schema, { unscaled: 15n, scale: 1 }))).toEqual({
      unscaled: 150n,
      scale: 2,
    })
    expect(decode(schema, encode(schema, { unscaled: 1500n, scale: 3 }))).toEqual({
      unscaled: 150n,
      scale: 2,
    })
    expect(() => encode(schema, { unscaled: 1501n, scale: 3 })).toThrow(DataError)
    expect(() => encode(schema, { unscaled: 100_000n, scale: 2 })).toThrow(DataError)
  })

  test('a missing field takes its default, or null', () => {
    const schema = {
      type: 'record',
      name: 'R',
      fields: [
        { name: 'n', type: 'long', default: 7 },
        { name: 'list', type: { type: 'array', items: 'string' }, default: ['x'] },
        { name: 'raw', type: 'bytes', default: '\u00ff' },
        { name: 'opt', type: ['null', 'string'] },
        { name: 'named', type: ['string', 'null'], default: 'd' },
      ],
    }
    const expected = { n: 7n, list: ['x'], raw: Buffer.from([255]), opt: null, named: 'd' }
    expect(decode(schema, encode(schema, {}))).toEqual(expected)
  })

  test('a recursive record goes round', () => {
    const schema = {
      type: 'record',
      name: 'n.List',
      fields: [
        { name: 'value', type: 'int' },
        { name: 'next', type: ['null', 'List'] },
      ],
    }
    const value = { value: 1, next: { value: 2, next: { value: 3, next: null } } }
    const bytes = encode(schema, value)
    walk(schema, bytes)
    expect(decode(schema, bytes)).toEqual(value)
  })

  test.each([
    ['long', 1.5],
    ['long', 2n ** 63n],
    ['int', 2 ** 31],
    ['string', 5],
    ['bytes', 'text'],
    ['boolean', 1],
    [{ type: 'enum', name: 'E', symbols: ['A'] }, 'B'],
    [{ type: 'fixed', name: 'F', size: 2 }, Buffer.alloc(3)],
    [{ type: 'map', values: 'int' }, new Map([[1, 1]])],
    [['null', 'string', 'int'], { string: 'a', int: 1 }],
    [{ type: 'long', logicalType: 'timestamp-millis' }, new Date(Number.NaN)],
  ])('refuses what does not fit %j', (schema, value) => {
    expect(() => encode(schema, value)).toThrow(DataError)
  })

  test('names the field that does not fit', () => {
    const inner = { type: 'record', name: 'I', fields: [{ name: 'b', type: 'long' }] }
    const schema = { type: 'record', name: 'R', fields: [{ name: 'a', type: ['null', inner] }] }
    expect(() => encode(schema, { a: { b: 'x' } })).toThrow(/"a\.b": expected a long.*'x'/)
  })

  test('a value larger than the buffer is written whole', () => {
    const text = 'ä'.repeat(200_000)
    expect(decode('string', encode('string', text))).toBe(text)
  })

  test('half a surrogate pair becomes the replacement character, as it has no UTF-8', () => {
    const bytes = encode('string', `a\ud800b`)
    walk('string', bytes)
    expect(decode('string', bytes)).toBe('a\ufffdb')
  })
})

/** What the walker refuses beyond avsc, by its own message: see the head of avro-walker.ts. */
const STRICTER = /not UTF-8|a boolean at|more than (32|64) bits|out of range/

describe('the walker against avsc', () => {
  test('takes nothing that avsc refuses, and refuses nothing else without a listed reason', () => {
    const counts = new Map<string, number>()
    const edits = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { minLength: 1, maxLength: 3 })
    fc.assert(
      fc.property(avroPair, edits, fc.integer({ min: -3, max: 3 }), (pair, changes, grow) => {
        const found = compare(pair.schema, mutate(encode(pair.schema, pair.value), changes, grow))
        counts.set(found, (counts.get(found) ?? 0) + 1)
        expect(found).not.toMatch(/^wrong/)
      }),
      { numRuns: 5_000 },
    )
    // The mutations reach all of these; else the comparison says little.
    expect(counts.get('both take it')).toBeGreaterThan(100)
    expect(counts.get('both refuse it')).toBeGreaterThan(100)
    expect(counts.get('the walker alone refuses it, for a listed reason')).toBeGreaterThan(10)
  })

  test.each([
    ['a negative length', 'string', [1]],
    ['a length past the end', 'string', [8, 65]],
    ['text that is not UTF-8', 'string', [4, 0xc3, 0x28]],
    ['a boolean of 2', 'boolean', [2]],
    ['a branch that is not there', ['null', 'int'], [4]],
    ['a negative branch', ['null', 'int'], [1]],
    ['a symbol that is not there', { type: 'enum', name: 'E', symbols: ['A'] }, [2]],
    ['bytes behind the end', 'int', [2, 0]],
    ['nothing at all', 'int', []],
    ['an int of 33 bits', 'int', [0x80, 0x80, 0x80, 0x80, 0x10]],
    ['a long of 65 bits', 'long', [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 2]],
    ['a varint without an end', 'long', Array.from({ length: 11 }, () => 0x80)],
    ['a wrong block size', { type: 'array', items: 'int' }, [1, 4, 2, 0]],
    ['billions of nulls', { type: 'array', items: 'null' }, [0xfe, 0xff, 0xff, 0xff, 0x0f, 0]],
    ['a date beyond Date', { type: 'int', logicalType: 'date' }, [0xfe, 0xff, 0xff, 0xff, 0x0f]],
    ['a cut double', 'double', [0, 0, 0, 0, 0, 0, 0]],
  ])('refuses %s', (_name, schema, bytes) => {
    expect(() => walk(schema, Uint8Array.from(bytes))).toThrow(DataError)
  })

  test('takes blocks with their byte size, and several of them', () => {
    const schema = { type: 'array', items: 'int' }
    const bytes = Buffer.from([1, 2, 2, 2, 4, 0])
    walk(schema, bytes)
    expect(decode(schema, bytes)).toEqual([1, 2])
  })

  test('refuses a value that nests without end, before the stack does', () => {
    const schema = { type: 'record', name: 'L', fields: [{ name: 'next', type: ['null', 'L'] }] }
    const bytes = Buffer.alloc(100_001, 2)
    bytes[100_000] = 0
    expect(problem(() => walk(schema, bytes))).toMatch(/nests deeper than 500/)
  })
})

function mutate(
  bytes: Buffer,
  changes: readonly (readonly [number, number])[],
  grow: number,
): Buffer {
  const kept = bytes.subarray(0, Math.max(0, bytes.length + Math.min(grow, 0)))
  const mutated = Buffer.concat([kept, Buffer.alloc(Math.max(grow, 0))])
  for (const [at, byte] of changes) if (mutated.length > 0) mutated[at % mutated.length] = byte
  return mutated
}

function compare(schema: unknown, bytes: Buffer): string {
  const refused = problem(() => walk(schema, bytes))
  if (refused === undefined) {
    if (!decodes(() => plainType(schema).fromBuffer(bytes))) return 'wrong: avsc refuses it'
    return decodes(() => decode(schema, bytes)) ? 'both take it' : 'wrong: decode() throws'
  }
  // avsc believes any count, and would spend minutes on billions of items that are not there.
  if (/"(array|map)"/.test(JSON.stringify(schema))) return 'not asked'
  if (!decodes(() => plainType(schema).fromBuffer(bytes))) return 'both refuse it'
  return STRICTER.test(refused)
    ? 'the walker alone refuses it, for a listed reason'
    : `wrong: ${refused}`
}

function decodes(run: () => unknown): boolean {
  try {
    run()
    return true
  } catch {
    return false // avsc throws errors of many kinds; that it throws is all that is asked.
  }
}

/** avsc as it comes, with its own public way to read longs of 64 bits. */
// oxlint-disable-next-line no-underscore-dangle -- the name of avsc's public method
const LONG = avsc.types.LongType.__with({
  fromBuffer: (bytes: Buffer) => bytes.readBigInt64LE(),
  toBuffer: (n: bigint) => {
    const bytes = Buffer.alloc(8)
    bytes.writeBigInt64LE(n)
    return bytes
  },
  fromJSON: BigInt,
  toJSON: Number,
  isValid: (n: unknown) => typeof n === 'bigint',
  compare: (a: bigint, b: bigint) => Number(a - b),
})
const plainType = (schema: unknown): avsc.Type =>
  avsc.Type.forSchema(schema as never, {
    wrapUnions: 'always',
    typeHook: (each) =>
      each === 'long' || (each as { type?: unknown }).type === 'long' ? LONG : undefined,
  })
