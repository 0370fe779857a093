import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseProperties } from '../../../connector/runtime/properties.ts'

const escape = (value: string): string =>
  value
    .replaceAll(/[\\=:#! ]/g, '\\$&')
    .replaceAll('\n', '\\n')
    .replaceAll('\t', '\\t')

// Expected values are what java.util.Properties.load documents and reads.
describe('parseProperties', () => {
  test.each([
    ['a=b', { a: 'b' }],
    ['a = b ', { a: 'b ' }],
    ['a:b', { a: 'b' }],
    ['a b', { a: 'b' }],
    ['a \t = \t b', { a: 'b' }],
    ['a==b', { a: '=b' }],
    ['a=b=c:d', { a: 'b=c:d' }],
    ['a', { a: '' }],
    ['=b', { '': 'b' }],
    ['# no\n! no\n  # no\na=1', { a: '1' }],
    ['a=1 # part of it', { a: '1 # part of it' }],
    ['a=1\\\n   2\\\n\t3', { a: '123' }],
    ['a=1\\\\\nb=2', { a: '1\\', b: '2' }],
    ['a=1\\\n# part of it', { a: '1# part of it' }],
    ['a=1\r\nb=2\rc=3', { a: '1', b: '2', c: '3' }],
    ['a\\ b\\=c\\:d=e', { 'a b=c:d': 'e' }],
    ['a=\\t\\n\\r\\f\\q\\u00e9', { a: '\t\n\r\fqé' }],
    ['a=\\ x', { a: ' x' }],
    ['a=1\na=2', { a: '2' }],
    ['a=1\\', { a: '1' }],
    ['\\\n# no\n \f\na=1', { a: '1' }],
    ['\\\n\\\na=1', { a: '1' }],
    ['a=1\n\\', { a: '1', '': '' }],
    ['a=1\n\\\n', { a: '1', '': '' }],
    ['a=1\n\\\r\n', { a: '1' }],
    ['a=1\\\n\nb=2', { a: '1', b: '2' }],
    ['__proto__=x', JSON.parse('{"__proto__":"x"}')],
  ])('%j', (text, expected) => {
    expect(parseProperties(text)).toEqual(expected)
  })

  test('refuses a broken unicode escape, as Java does', () => {
    expect(() => parseProperties('a=\\u12')).toThrow('Malformed \\uxxxx encoding')
  })

  test('reads back whatever is written with every special character escaped', () => {
    const text = fc.string({
      unit: fc.constantFrom('a', ' ', '=', ':', '#', '!', '\\', 'é', '\n', '\t'),
    })
    fc.assert(
      fc.property(
        fc.dictionary(
          text.filter((key) => key !== ''),
          text,
        ),
        (properties) => {
          const lines = Object.entries(properties).map(
            ([key, value]) => `${escape(key)}=${escape(value)}`,
          )
          expect(parseProperties(lines.join('\n'))).toEqual({ ...properties })
        },
      ),
    )
  })
})
