import { describe, expect, test } from 'vitest'
import { parseSchema } from '../../../../connector/local/registry/avro-parser.ts'
import { printSchema } from '../../../../connector/local/registry/avro-printer.ts'
import { SchemaParseError } from '../../../../connector/local/registry/avro-schema.ts'

const print = (text: string, normalize = false): string =>
  printSchema(parseSchema(text), { normalize })

describe('a schema’s kept text', () => {
  test.each([
    [
      'white space and the order of attributes',
      '{ "name":"F", "type":"fixed", "size":2 }',
      '{"type":"fixed","name":"F","size":2}',
    ],
    ['a primitive in its long form', '{"type":"string"}', '"string"'],
    [
      'a primitive with attributes',
      '{"logicalType":"date","type":"int"}',
      '{"type":"int","logicalType":"date"}',
    ],
    [
      'a full name',
      '{"type":"enum","name":"a.b.E","symbols":["X"],"default":"X"}',
      '{"type":"enum","name":"E","namespace":"a.b","symbols":["X"],"default":"X"}',
    ],
    [
      'the namespace of an inner type, given only where it differs, and a second use by name',
      '{"type":"record","name":"n.R","fields":[{"name":"a","type":{"type":"fixed","name":"F","namespace":"n","size":1}},{"name":"b","type":"n.F"},{"name":"c","type":{"type":"fixed","name":"m.G","size":1}},{"name":"d","type":["null","m.G"],"default":null}]}',
      '{"type":"record","name":"R","namespace":"n","fields":[{"name":"a","type":{"type":"fixed","name":"F","size":1}},{"name":"b","type":"F"},{"name":"c","type":{"type":"fixed","name":"G","namespace":"m","size":1}},{"name":"d","type":["null","m.G"],"default":null}]}',
    ],
    [
      'docs, aliases, orders and other attributes',
      '{"type":"record","name":"R","aliases":["Old","x.Older"],"x":1.50,"doc":"d","fields":[{"aliases":["z"],"order":"ignore","default":1.0,"doc":"f","name":"a","type":"double","y":[true,null]}]}',
      '{"type":"record","name":"R","doc":"d","fields":[{"name":"a","type":"double","doc":"f","default":1.0,"order":"ignore","aliases":["z"],"y":[true,null]}],"x":1.5,"aliases":["Old","x.Older"]}',
    ],
    [
      'numbers beyond a double',
      '{"type":"array","items":"long","x":9223372036854775807,"y":1e20}',
      '{"type":"array","items":"long","x":9223372036854775807,"y":1.0E20}',
    ],
  ])('%s', (_name, given, kept) => {
    expect(print(given)).toBe(kept)
    expect(print(kept)).toBe(kept)
  })

  test('normalising sorts what Avro gives no meaning to', () => {
    expect(print('{"type":"int","b":1,"a":2}')).toBe('{"type":"int","b":1,"a":2}')
    expect(print('{"type":"int","b":1,"a":2}', true)).toBe('{"type":"int","a":2,"b":1}')
  })
})

function isRefused(text: string): boolean {
  try {
    parseSchema(text)
    return false
  } catch (error) {
    return /Invalid default for field a/.test((error as Error).message)
  }
}

const record = (fields: string): string => `{"type":"record","name":"R","fields":[${fields}]}`

const field = (fallback: string): string =>
  record(`{"name":"a","type":["null",{"type":"array","items":"int"}],"default":${fallback}}`)

describe('what is not a schema', () => {
  test.each([
    ['an unknown type', '{"type":"nosuch"}', 'Type not supported: nosuch'],
    ['an unknown name', '"nosuch"', 'Undefined name: "nosuch"'],
    [
      'a name twice',
      `[{"type":"fixed","name":"F","size":1},{"type":"fixed","name":"F","size":1}]`,
      "Can't redefine: F",
    ],
    ['a branch twice', '["int","int"]', 'Duplicate in union:int'],
    ['a union in a union', '["int",["string"]]', 'Nested union'],
    [
      'a field twice',
      record('{"name":"a","type":"int"},{"name":"a","type":"int"}'),
      'Duplicate field a',
    ],
    ['a bad name', '{"type":"fixed","name":"1F","size":1}', 'Illegal initial character: 1F'],
    [
      'a symbol twice',
      '{"type":"enum","name":"E","symbols":["A","A"]}',
      'Duplicate enum symbol: A',
    ],
    [
      'an enum default that is no symbol',
      '{"type":"enum","name":"E","symbols":["A"],"default":"B"}',
      'not in the enum symbol set',
    ],
    ['a negative size', '{"type":"fixed","name":"F","size":-1}', 'Invalid or no size'],
    ['no JSON', '{not json', 'expected a string at character 1'],
    ['more after the end', '"int" "int"', 'more after the end'],
    ['endless nesting', `${'['.repeat(5000)}${']'.repeat(5000)}`, 'levels'],
  ])('%s', (_name, text, message) => {
    expect(() => parseSchema(text)).toThrow(SchemaParseError)
    expect(() => parseSchema(text)).toThrow(message)
  })

  test.each([
    ['int', '1', true],
    ['int', '2147483648', false],
    ['int', '1.0', false],
    ['long', '9223372036854775807', true],
    ['long', '9223372036854775808', false],
    ['double', '1', true],
    ['double', '"1"', false],
    ['bytes', '"\\u00ff"', true],
    ['null', 'null', true],
  ])('a default of type %s: %s fits: %s', (type, fallback, fits) => {
    const text = record(`{"name":"a","type":"${type}","default":${fallback}}`)
    expect(isRefused(text)).toBe(!fits)
    expect(() => parseSchema(text, { validateDefaults: false })).not.toThrow()
  })

  test('the default of a union fits its first branch, inside of a default any', () => {
    expect(() => parseSchema(field('null'))).not.toThrow()
    expect(() => parseSchema(field('[1]'))).toThrow(/Invalid default/)
    const inner = '{"type":"record","name":"I","fields":[{"name":"u","type":["null","int"]}]}'
    expect(() =>
      parseSchema(record(`{"name":"a","type":${inner},"default":{"u":5}}`)),
    ).not.toThrow()
  })
})
