import { describe, expect, test } from 'vitest'
import { formatResult, type Result } from '../../../../connector/cli/sql/output.ts'

const RESULT: Result = {
  columns: [
    { name: 'N', kind: 'number' },
    { name: 'T', kind: 'text' },
    { name: 'B', kind: 'boolean' },
    { name: 'V', kind: 'json' },
  ],
  rows: [
    ['12345678901234567890.10', 'a,"b"\nc', 'true', '{"x":1}'],
    [null, '', 'FALSE', null],
  ],
  isCut: false,
}
const WIDE = { cellMax: undefined }

describe('formatResult', () => {
  test('a table aligns numbers to the right and shows control characters instead of obeying them', () => {
    expect(formatResult(RESULT, 'table', WIDE)).toBe(
      [
        '+-------------------------+----------+-------+---------+',
        '|                       N | T        | B     | V       |',
        '+-------------------------+----------+-------+---------+',
        String.raw`| 12345678901234567890.10 | a,"b"\nc | true  | {"x":1} |`,
        '|                    NULL |          | FALSE | NULL    |',
        '+-------------------------+----------+-------+---------+',
        '2 rows',
        '',
      ].join('\n'),
    )
  })

  test('a table cuts wide cells on a screen, between what people see as characters', () => {
    const result: Result = {
      columns: [{ name: 'X', kind: 'text' }],
      rows: [['👩‍🚀👩‍🚀👩‍🚀👩‍🚀'], ['\u001b[31m']],
      isCut: true,
    }
    const text = formatResult(result, 'table', { cellMax: 3 })
    expect(text).toContain('| 👩‍🚀👩‍🚀… |')
    expect(text).not.toContain('\u001b')
    expect(text).toContain('2 rows, and there are more (--max-rows)')
  })

  test('CSV quotes what has to be quoted, and tells NULL from the empty text', () => {
    expect(formatResult(RESULT, 'csv', WIDE)).toBe(
      'N,T,B,V\n12345678901234567890.10,"a,""b""\nc",true,"{""x"":1}"\n,"",FALSE,\n',
    )
  })

  test('JSON keeps all digits of numbers, and semi-structured values as they are', () => {
    const text = formatResult(RESULT, 'json', WIDE)
    expect(text).toContain('"N":12345678901234567890.10,')
    expect(JSON.parse(text)).toEqual([
      { N: 12345678901234567000, T: 'a,"b"\nc', B: true, V: { x: 1 } },
      { N: null, T: '', B: false, V: null },
    ])
  })

  test('JSON writes what is no JSON number as text, and gives columns of one name different ones', () => {
    const result: Result = {
      columns: [
        { name: 'A', kind: 'number' },
        { name: 'A', kind: 'number' },
        { name: 'A', kind: 'json' },
      ],
      rows: [['NaN', '1e5', 'undefined']],
      isCut: false,
    }
    expect(JSON.parse(formatResult(result, 'json', WIDE))).toEqual([
      { A: 'NaN', A_2: 1e5, A_3: 'undefined' },
    ])
  })

  test('nothing is an empty array', () => {
    expect(formatResult({ columns: [], rows: [], isCut: false }, 'json', WIDE)).toBe('[]\n')
  })
})
