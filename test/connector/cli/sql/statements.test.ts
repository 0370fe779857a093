import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { splitScript } from '../../../../connector/cli/sql/statements.ts'

const texts = (script: string): readonly string[] =>
  splitScript(script).statements.map(({ text }) => text)

describe('splitScript', () => {
  test.each([
    ['SELECT 1; SELECT 2;', ['SELECT 1', 'SELECT 2']],
    ["SELECT ';';", ["SELECT ';'"]],
    ["SELECT 'it''s; so';", ["SELECT 'it''s; so'"]],
    [String.raw`SELECT 'a\';b';`, [String.raw`SELECT 'a\';b'`]],
    ['SELECT ";""x;";', ['SELECT ";""x;"']],
    ['SELECT $$a;b$$;', ['SELECT $$a;b$$']],
    ['SELECT $1, a$b; SELECT 2;', ['SELECT $1, a$b', 'SELECT 2']],
    ['-- no; not this\nSELECT 1;', ['SELECT 1']],
    ['// no; not this\nSELECT 1;', ['SELECT 1']],
    ['/* a; b */ SELECT 1 /* c; */ + 1;', ['SELECT 1 /* c; */ + 1']],
    ['SELECT 6 / 2 - 1; SELECT 4;', ['SELECT 6 / 2 - 1', 'SELECT 4']],
    [';;  ; SELECT 1;;', ['SELECT 1']],
  ])('%s', (script, statements) => {
    expect(texts(script)).toEqual(statements)
    expect(splitScript(script).rest).toBeUndefined()
  })

  test('says in which line a statement begins, after blanks and comments', () => {
    const { statements } = splitScript('-- head\n\nSELECT\n1;\n/* a\nb */\n  SELECT 2;')
    expect(statements.map(({ line }) => line)).toEqual([3, 7])
  })

  test('gives what follows the last semicolon as the rest', () => {
    expect(splitScript('SELECT 1;\nSELECT 2').rest).toEqual({ text: 'SELECT 2', line: 2 })
    expect(splitScript('SELECT 1; -- the end').rest).toBeUndefined()
  })

  test.each(["SELECT 'a;", 'SELECT "a;', 'SELECT $$a;$', 'SELECT 1 /* a;', "SELECT 'a'';"])(
    'does not end a statement inside what is not closed: %s',
    (script) => {
      const { statements, rest, isOpen } = splitScript(script)
      expect(statements).toEqual([])
      expect(rest?.text).toBe(script)
      expect(isOpen).toBe(true)
    },
  )

  test('loses no text of any script', () => {
    const piece = fc.constantFrom(
      "'",
      '"',
      '$$',
      '--',
      '/*',
      '*/',
      '//',
      ';',
      '\n',
      ' ',
      'a',
      '\\',
      '1',
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        const script = pieces.join('')
        const { statements, rest } = splitScript(script)
        const all = [...statements, ...(rest === undefined ? [] : [rest])]
        let from = 0
        for (const { text } of all) {
          const at = script.indexOf(text, from)
          expect(at).toBeGreaterThanOrEqual(from)
          from = at + text.length
        }
      }),
    )
  })
})
