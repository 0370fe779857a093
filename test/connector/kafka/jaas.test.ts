import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseJaas } from '../../../connector/kafka/jaas.ts'

describe('parseJaas', () => {
  test('reads back whatever was quoted', () => {
    const name = fc.stringMatching(/^[A-Za-z]\w{0,10}$/)
    fc.assert(
      fc.property(fc.dictionary(name, fc.string()), (options) => {
        const quoted = Object.entries(options).map(
          ([key, value]) => `${key}="${value.replaceAll(/["\\]/g, '\\$&')}"`,
        )
        const found = parseJaas(`a.b.SomeLoginModule REQUIRED\n  ${quoted.join('\n  ')} ;`)
        expect(found?.module).toBe('SomeLoginModule')
        expect(Object.fromEntries(found?.options ?? [])).toEqual({ ...options })
      }),
    )
  })

  test('takes bare and single-quoted values', () => {
    expect(parseJaas("M optional a=b c = 'd e';")?.options).toEqual(
      new Map([
        ['a', 'b'],
        ['c', 'd e'],
      ]),
    )
  })

  test.each([
    '',
    ';',
    'M;',
    'M required',
    'M maybe;',
    'M required a=;',
    'M required a b c;',
    'M required a="x;',
  ])('refuses %j', (text) => {
    expect(parseJaas(text)).toBeUndefined()
  })
})
