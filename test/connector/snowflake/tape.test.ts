import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Tape } from '../../../connector/snowflake/tape.ts'

function written(write: (tape: Tape) => void): string {
  const tape = new Tape(1)
  tape.reserve(1)
  tape.out[tape.at++] = 0x3e
  write(tape)
  return tape.out.toString('utf8', 1, tape.at)
}

describe('Tape', () => {
  test('writes every integer that is exact in its own digits', () => {
    const exact = fc.oneof(
      fc.maxSafeInteger(),
      fc.integer(),
      fc.constantFrom(0, 999_999_999, 1e9, 2 ** 31, 1_700_000_000_000, -1e9, 2 ** 53 - 1),
    )
    fc.assert(
      fc.property(exact, (n) => {
        expect(written((tape) => tape.integer(n))).toBe(String(n))
      }),
    )
  })

  test('writes any text as JSON.stringify does', () => {
    const texts = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.string({ unit: fc.constantFrom('a', '"', '\\', '\n', '\u0001', '\u007F', 'é') }),
      fc.string({ unit: 'grapheme-ascii', minLength: 190, maxLength: 210 }),
    )
    fc.assert(
      fc.property(texts, (text) => {
        expect(written((tape) => tape.jsonText(text))).toBe(JSON.stringify(text))
      }),
    )
  })
})
