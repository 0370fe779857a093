import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { boundFromText } from '../../../../connector/local/iceberg/bounds.ts'

const hex = (type: string, text: string, side: 'lower' | 'upper' = 'lower') => {
  const bytes = boundFromText(type, text, side)
  return bytes === undefined ? undefined : Buffer.from(bytes).toString('hex')
}

describe('bounds', () => {
  // Iceberg spec, appendix D.
  test.each([
    ['boolean', '1', '01'],
    ['boolean', '0', '00'],
    ['int', '-2', 'feffffff'],
    ['long', '9007199254740993', '0100000000002000'],
    ['float', '1.5', '0000c03f'],
    ['double', '-inf', '000000000000f0ff'],
    ['date', '1970-01-02', '01000000'],
    ['date', '1969-12-31', 'ffffffff'],
    ['date', '0001-01-01', 'c606f5ff'],
    ['time', '00:00:01.5', '60e3160000000000'],
    ['timestamp', '1969-12-31 23:59:59.999999', 'ffffffffffffffff'],
    ['timestamptz', '1970-01-01 00:00:00.000001+00', '0100000000000000'],
    ['decimal(4,2)', '14.20', '058c'],
    ['decimal(4,2)', '-0.01', 'ff'],
    ['decimal(4,2)', '1.28', '0080'],
    ['decimal(38,0)', '-128', '80'],
    ['uuid', 'f79c3e09-677c-4bbd-a479-3f349cb785e7', 'f79c3e09677c4bbda4793f349cb785e7'],
    ['string', 'é', 'c3a9'],
    ['binary', '00FF', '00ff'],
  ])('%s %s is %s', (type, text, expected) => {
    expect(hex(type, text)).toBe(expected)
  })

  test('zero bounds hold both zeros', () => {
    expect(hex('double', '0.0', 'lower')).toBe('0000000000000080')
    expect(hex('double', '-0.0', 'upper')).toBe('0000000000000000')
  })

  test.each([
    ['date', 'infinity'],
    ['date', '0045-03-15 (BC)'],
    ['timestamp', '0045-03-15 (BC) 00:00:00'],
    ['double', 'nan'],
  ])('there is none for %s %s', (type, text) => {
    expect(hex(type, text)).toBeUndefined()
  })

  test('long texts are cut to bounds that still enclose them, at whole characters', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
        const value = Buffer.from(text)
        const lower = boundFromText('string', text, 'lower')
        const upper = boundFromText('string', text, 'upper')
        expect(Buffer.compare(lower ?? Buffer.of(0xff), value)).toBeLessThanOrEqual(0)
        // Without an upper bound everything is below it.
        expect(Buffer.compare(upper ?? value, value)).toBeGreaterThanOrEqual(0)
        for (const bound of [lower, upper].filter((found) => found !== undefined)) {
          const back = Buffer.from(bound).toString()
          expect(Array.from(back).length).toBeLessThanOrEqual(16)
          expect(Buffer.from(back)).toEqual(Buffer.from(bound))
        }
      }),
      { numRuns: 500 },
    )
  })

  test('the last character of a cut upper bound carries over', () => {
    const fifteen = 'a'.repeat(15)
    expect(hex('string', `${fifteen}zq`, 'upper')).toBe(Buffer.from(`${fifteen}{`).toString('hex'))
    expect(hex('string', `${fifteen}\u{d7ff}q`, 'upper')).toBe(
      Buffer.from(`${fifteen}\u{e000}`).toString('hex'),
    )
    expect(hex('string', `${fifteen}\u{10ffff}q`, 'upper')).toBe(
      Buffer.from(`${'a'.repeat(14)}b`).toString('hex'),
    )
    expect(hex('string', '\u{10ffff}'.repeat(17), 'upper')).toBeUndefined()
    expect(hex('binary', `${'ff'.repeat(15)}0000`, 'upper')).toBe(`${'ff'.repeat(15)}01`)
    expect(hex('binary', 'ff'.repeat(17), 'upper')).toBeUndefined()
  })
})
