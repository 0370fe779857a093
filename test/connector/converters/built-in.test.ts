import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Converter } from '../../../connector/api/converter.ts'
import { DataError } from '../../../connector/api/errors.ts'
import {
  fields,
  LOGICAL_DATE,
  LOGICAL_DECIMAL,
  LOGICAL_TIMESTAMP,
  type Schema,
} from '../../../connector/api/schema.ts'
import { ByteArrayConverter } from '../../../connector/converters/byte-array.ts'
import { JsonConverter } from '../../../connector/converters/json.ts'
import { BooleanConverter, numberConverter } from '../../../connector/converters/primitives.ts'
import { SimpleHeaderConverter } from '../../../connector/converters/simple-header.ts'
import { StringConverter } from '../../../connector/converters/string.ts'

const written = (converter: Converter, schema: Schema | null, value: unknown): string | null => {
  const bytes = converter.fromConnectData('t', [], schema, value) as Uint8Array | null
  return bytes && Buffer.from(bytes).toString()
}
const read = (converter: Converter, text: string) =>
  converter.toConnectData('t', [], Buffer.from(text)) as { schema: Schema | null; value: unknown }
const of = (type: Schema['type'], rest: Partial<Schema> = {}): Schema => ({
  type,
  optional: false,
  ...rest,
})
const json = (config: Record<string, string> = {}): JsonConverter => {
  const converter = new JsonConverter()
  converter.configure(config)
  return converter
}
const plain = (): JsonConverter => json({ 'schemas.enable': 'false' })

describe('JsonConverter with schemas', () => {
  const struct = of('STRUCT', {
    name: 'X',
    fields: fields([
      ['id', of('STRING')],
      ['n', of('INT64', { optional: true })],
      ['tags', of('ARRAY', { valueSchema: of('INT32') })],
      ['attrs', of('MAP', { keySchema: of('STRING'), valueSchema: of('BOOLEAN') })],
      ['raw', of('BYTES')],
      ['price', of('BYTES', { name: LOGICAL_DECIMAL, version: 1, parameters: { scale: '2' } })],
      ['at', of('INT64', { name: LOGICAL_TIMESTAMP, version: 1 })],
      ['day', of('INT32', { name: LOGICAL_DATE, version: 1 })],
    ]),
  })
  const value = {
    id: '1',
    n: 9_007_199_254_740_993n,
    tags: [1, 2],
    attrs: new Map([['a', true]]),
    raw: Buffer.from([1, 255]),
    price: { unscaled: -12_345n, scale: 2 },
    at: new Date(1_700_000_000_123),
    day: new Date(86_400_000 * 19_000),
  }

  test('writes Kafka Connect’s envelope', () => {
    const schema = of('STRUCT', { name: 'X', fields: fields([['id', of('STRING')]]) })
    expect(written(json(), schema, { id: '1' })).toBe(
      '{"schema":{"type":"struct","fields":[{"type":"string","optional":false,"field":"id"}],"optional":false,"name":"X"},"payload":{"id":"1"}}',
    )
  })

  test('keeps every digit of an INT64 and the bytes of a decimal', () => {
    const text = written(json(), struct, value) ?? ''
    expect(text).toContain('"n":9007199254740993')
    expect(text).toContain('"price":"z8c="')
    expect(text).toContain('"raw":"Af8="')
    expect(text).toContain('"at":1700000000123')
    expect(text).toContain('"day":19000')
    expect(written(json({ 'decimal.format': 'numeric' }), struct, value)).toContain(
      '"price":-123.45',
    )
  })

  test('reads back what it wrote', () => {
    const back = read(json(), written(json(), struct, value) ?? '')
    expect(back.schema).toEqual(struct)
    expect(back.value).toEqual(value)
  })

  test('refuses a message without the envelope, in Kafka Connect’s words', () => {
    expect(() => read(json(), '{"id":1}')).toThrow(
      'JsonConverter with schemas.enable requires "schema" and "payload" fields',
    )
    expect(() => read(json(), 'hello')).toThrow(DataError)
  })

  test('refuses null where the schema needs a value', () => {
    expect(() => written(json(), of('STRING'), null)).toThrow(DataError)
    expect(written(json(), of('STRING', { optional: true }), null)).toBe(
      '{"schema":{"type":"string","optional":true},"payload":null}',
    )
  })

  test('a tombstone stays one', () => {
    expect(json().fromConnectData('t', [], null, null)).toBeNull()
    expect(json().toConnectData('t', [], null)).toEqual({ schema: null, value: null })
  })
})

describe('JsonConverter without schemas', () => {
  test('reads any JSON back, with long integers as bigint', () => {
    expect(
      read(plain(), '{"a":[1,2.5,"1234567890123456789"],"b":12345678901234567890}').value,
    ).toEqual({
      a: [1, 2.5, '1234567890123456789'],
      b: 12_345_678_901_234_567_890n,
    })
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        if (value === null) return
        const text = written(plain(), null, value) ?? ''
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)))
        expect(written(plain(), null, read(plain(), text).value)).toBe(text)
      }),
    )
  })
})

describe('StringConverter', () => {
  test('writes texts as they are and everything else in digits or JSON', () => {
    const converter = new StringConverter()
    converter.configure({})
    expect(written(converter, null, 'é')).toBe('é')
    expect(written(converter, null, 12n)).toBe('12')
    expect(written(converter, null, { a: 1n })).toBe('{"a":"1"}')
    expect(written(converter, null, null)).toBeNull()
    expect(read(converter, 'é')).toEqual({ schema: of('STRING', { optional: true }), value: 'é' })
  })

  test('refuses bytes that are no UTF-8', () => {
    expect(() => new StringConverter().toConnectData('t', [], Buffer.from([0xff]))).toThrow(
      DataError,
    )
  })
})

describe('ByteArrayConverter', () => {
  test('passes bytes through and refuses other schemas', () => {
    const bytes = Buffer.from([1, 2])
    const converter = new ByteArrayConverter()
    expect(converter.fromConnectData('t', [], of('BYTES'), bytes)).toBe(bytes)
    expect(converter.toConnectData('t', [], bytes).value).toBe(bytes)
    expect(() => converter.fromConnectData('t', [], of('STRING'), 'x')).toThrow(
      'Invalid schema type for ByteArrayConverter: STRING',
    )
  })
})

describe('SimpleHeaderConverter', () => {
  test.each([
    ['true', of('BOOLEAN'), true],
    ['12', of('INT8'), 12],
    ['-300', of('INT16'), -300],
    ['70000', of('INT32'), 70_000],
    ['9007199254740993', of('INT64'), 9_007_199_254_740_993n],
    ['1.5', of('FLOAT32'), 1.5],
    ['1e39', of('FLOAT64'), 1e39],
    ['"quoted"', of('STRING'), '"quoted"'],
    ['some text', of('STRING'), 'some text'],
    [
      '99999999999999999999',
      of('BYTES', { name: LOGICAL_DECIMAL, version: 1, parameters: { scale: '0' } }),
      { unscaled: 99_999_999_999_999_999_999n, scale: 0 },
    ],
  ])('reads %s', (text, schema, value) => {
    expect(new SimpleHeaderConverter().toConnectHeader('t', 'k', Buffer.from(text))).toEqual({
      schema,
      value,
    })
  })

  test('reads JSON, null and no bytes', () => {
    const converter = new SimpleHeaderConverter()
    expect(converter.toConnectHeader('t', 'k', Buffer.from('{"a":[1]}')).value).toEqual(
      new Map([['a', [1]]]),
    )
    expect(converter.toConnectHeader('t', 'k', Buffer.from('{a')).value).toBe('{a')
    expect(converter.toConnectHeader('t', 'k', null).value).toBeNull()
  })

  test('writes texts', () => {
    const header = { key: 'k', schema: null, value: 5 }
    expect(
      Buffer.from(new SimpleHeaderConverter().fromConnectHeader('t', header) ?? []).toString(),
    ).toBe('5')
  })
})

describe('the converters of primitives', () => {
  test.each([
    ['short', 'INT16', -2, 'fffe'],
    ['integer', 'INT32', 70_000, '00011170'],
    ['long', 'INT64', -5_000_000_000n, 'fffffffed5fa0e00'],
    ['float', 'FLOAT32', 1.5, '3fc00000'],
    ['double', 'FLOAT64', -0.1, 'bfb999999999999a'],
  ] as const)('%s: big-endian as Kafka’s serializers write it', (name, type, value, hex) => {
    const converter = numberConverter(name)
    const bytes = converter.fromConnectData('t', [], of(type), value) as Uint8Array
    expect(Buffer.from(bytes).toString('hex')).toBe(hex)
    const optional = of(type, { optional: true })
    expect(converter.toConnectData('t', [], bytes)).toEqual({ schema: optional, value })
    expect(converter.toConnectHeader('t', 'k', null)).toEqual({ schema: optional, value: null })
    expect(() => converter.toConnectData('t', [], bytes.subarray(1))).toThrow(
      `Failed to deserialize ${name}: expected ${bytes.length} bytes, got ${bytes.length - 1}`,
    )
    expect(() => converter.fromConnectData('t', [], null, 'x')).toThrow(
      `Failed to serialize to ${name} (was class java.lang.String)`,
    )
  })

  test('a number that its bytes cannot hold is refused', () => {
    expect(() => numberConverter('short').fromConnectData('t', [], null, 40_000)).toThrow(DataError)
    expect(() => numberConverter('integer').fromConnectData('t', [], null, 1.5)).toThrow(DataError)
    expect(() => numberConverter('long').fromConnectData('t', [], null, 2n ** 63n)).toThrow(
      DataError,
    )
  })

  test('booleans are one byte', () => {
    const converter = new BooleanConverter()
    expect(converter.fromConnectData('t', [], of('BOOLEAN'), true)).toEqual(Uint8Array.of(1))
    expect(converter.toConnectData('t', [], Uint8Array.of(0)).value).toBe(false)
    expect(converter.toConnectData('t', [], null).value).toBeNull()
    expect(() => converter.toConnectData('t', [], Uint8Array.of(2))).toThrow('expected 0 or 1')
    expect(() => converter.toConnectData('t', [], Uint8Array.of(0, 1))).toThrow('expected 1 byte')
    expect(() => converter.fromConnectData('t', [], of('STRING'), 'x')).toThrow(
      'Invalid schema type for BooleanConverter: STRING',
    )
  })
})

describe('JsonConverter’s schema.content', () => {
  test('is the schema of every message, which then holds only the payload', () => {
    const content = '{"type":"int64","optional":false}'
    expect(read(json({ 'schema.content': content }), '5')).toEqual({
      schema: of('INT64'),
      value: 5n,
    })
    expect(() => json({ 'schema.content': '{"type":"none"}' })).toThrow('schema.content')
  })
})
