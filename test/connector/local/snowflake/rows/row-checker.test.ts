import { describe, expect, test } from 'vitest'
import type { IcebergStruct, IcebergType } from '../../../../../connector/local/iceberg/types.ts'
import { checkRows } from '../../../../../connector/local/snowflake/rows/check-rows.ts'
import { RowChecker } from '../../../../../connector/local/snowflake/rows/row-checker.ts'
import { RowError } from '../../../../../connector/local/snowflake/rows/row-error.ts'

const schemaOf = (columns: Readonly<Record<string, IcebergType>>): IcebergStruct => ({
  type: 'struct',
  fields: Object.entries(columns).map(([name, type], id) => ({ id, name, type, required: false })),
})

/** What is stored of one value: the same text when nothing changes, or the error. */
function stored(type: IcebergType, json: string): string {
  const line = `{"V":${json}}`
  try {
    const rewritten = new RowChecker(schemaOf({ V: type })).check(line)
    return rewritten === undefined ? 'as it is' : rewritten.slice(5, -1)
  } catch (error) {
    if (error instanceof RowError) return 'refused'
    throw error
  }
}

const POINT: IcebergType = {
  type: 'struct',
  fields: [
    { id: 2, name: 'lat', required: false, type: 'double' },
    { id: 3, name: 'id', required: true, type: 'long' },
  ],
}
const LIST: IcebergType = {
  type: 'list',
  'element-id': 2,
  element: 'string',
  'element-required': false,
}
const MAP: IcebergType = {
  type: 'map',
  'key-id': 2,
  key: 'string',
  'value-id': 3,
  value: 'int',
  'value-required': false,
}

const CASES: readonly (readonly [IcebergType, string, string])[] = [
  ['boolean', 'true', 'as it is'],
  ['boolean', '1', 'refused'],
  ['boolean', '"true"', 'refused'],
  ['int', '-2147483648', 'as it is'],
  ['int', '2147483648', 'refused'],
  ['int', '"42"', '42'],
  ['int', '2.5', '3'],
  ['int', '-2.5', '-3'],
  ['int', '"x"', 'refused'],
  ['int', 'true', 'refused'],
  ['int', '{}', 'refused'],
  ['long', '9223372036854775807', 'as it is'],
  ['long', '9223372036854775808', 'refused'],
  ['long', '-9223372036854775808', 'as it is'],
  ['long', '"9007199254740993"', '9007199254740993'],
  ['long', '1e400', 'refused'],
  ['decimal(5,2)', '"123.45"', 'as it is'],
  ['decimal(5,2)', '"1234.5"', 'refused'],
  ['decimal(5,2)', '"999.995"', 'refused'],
  ['decimal(5,2)', '"1.005"', '"1.01"'],
  ['decimal(5,2)', '1.1', '"1.10"'],
  ['decimal(5,2)', '-7', '"-7.00"'],
  [
    'decimal(38,0)',
    '12345678901234567890123456789012345678',
    '"12345678901234567890123456789012345678"',
  ],
  ['decimal(2,2)', '"0.25"', 'as it is'],
  ['decimal(5,2)', '"1e2"', '"100.00"'],
  ['double', '1e308', 'as it is'],
  ['double', '1e309', 'refused'],
  ['double', '"NaN"', 'as it is'],
  ['double', '"-inf"', '"-Infinity"'],
  ['double', '"1.5"', '1.5'],
  ['double', '"0x10"', 'refused'],
  ['float', '3.5e38', 'refused'],
  ['string', '"é"', 'as it is'],
  ['string', '7', '"7"'],
  ['string', '12345678901234567890', '"12345678901234567890"'],
  ['string', 'true', '"true"'],
  ['string', '{"a":[1,2.50]}', String.raw`"{\"a\":[1,2.50]}"`],
  ['string', String.raw`"\ud800"`, 'refused'],
  ['binary', '"AQID"', 'as it is'],
  ['binary', '"0102f"', 'refused'],
  ['fixed[3]', '"AQID"', 'as it is'],
  ['fixed[2]', '"AQID"', 'refused'],
  ['uuid', '"f79c3e09-677c-4bbd-a479-3f349cb785e7"', 'as it is'],
  ['date', '"2024-02-29"', 'as it is'],
  ['date', '"2023-02-29"', 'refused'],
  ['date', '"2024-02-29T23:00:00Z"', '"2024-02-29"'],
  ['date', '19000', 'refused'],
  ['time', '"23:59:59.1234567"', '"23:59:59.123456"'],
  ['time', '"24:00:00"', 'refused'],
  ['timestamp', '"2024-02-08T12:00:00.000001"', 'as it is'],
  ['timestamp', '"2024-02-08 12:00:00"', '"2024-02-08T12:00:00"'],
  ['timestamp', '"2024-02-08T12:00:00-05:00"', '"2024-02-08T12:00:00"'],
  ['timestamp', '1707393600', 'refused'],
  ['timestamptz', '"2024-02-08T12:00:00Z"', 'as it is'],
  ['timestamptz', '"2024-02-08T12:00:00"', '"2024-02-08T12:00:00Z"'],
  ['timestamptz', '"2024-02-08T12:00:00.1234567+00:00"', '"2024-02-08T12:00:00.123456Z"'],
  ['timestamptz', '"2024-02-08T23:30:00.5-0500"', '"2024-02-09T04:30:00.5Z"'],
  ['timestamptz', '"2024-02-08T12:60:00Z"', 'refused'],
  ['timestamptz', '"2024-02-30T12:00:00Z"', 'refused'],
  ['timestamptz', '"2024-02-08T12:00:0xZ"', 'refused'],
  [POINT, '{"lat":1.5,"id":3}', 'as it is'],
  [POINT, '{"id":"3","lat":null}', '{"id":3,"lat":null}'],
  [POINT, '{"id":3}', 'refused'],
  [POINT, '{"lat":1,"id":null}', 'refused'],
  [POINT, '{"lat":1,"id":3,"x":1}', 'refused'],
  [POINT, '{"LAT":1,"id":3}', 'refused'],
  [POINT, '"{}"', 'refused'],
  [LIST, '["a",null]', 'as it is'],
  [LIST, '["a",1]', '["a","1"]'],
  [LIST, '"a"', 'refused'],
  [MAP, '{"a":1,"b":null}', '[["a",1],["b",null]]'],
  [MAP, '[["a","1"]]', '[["a",1]]'],
  [MAP, '[["a",1],["a",2]]', 'refused'],
  [MAP, '[1]', 'refused'],
]

const textOf = (pieces: readonly Uint8Array[]): string => Buffer.concat(pieces).toString('utf8')

describe('RowChecker', () => {
  for (const [type, json, expected] of CASES)
    test(`${typeof type === 'string' ? type : type.type} ${json} is stored: ${expected}`, () => {
      expect(stored(type, json)).toBe(expected)
    })

  test('matches keys in any case, unless they are spelled as the column is', () => {
    const checker = new RowChecker(schemaOf({ ROUTE_ID: 'string', lower: 'int' }))
    expect(checker.check('{"route_id":"A","LOWER":1}')).toBe('{"ROUTE_ID":"A","lower":1}')
    expect(checker.check('{"ROUTE_ID":"A","lower":1}')).toBeUndefined()
    expect(() => checker.check('{"ROUTE_ID":"A","Route_Id":"B"}')).toThrow(RowError)
    expect(() => checker.check('{"ROUTE":"A"}')).toThrow("no column for the key 'ROUTE'")
  })

  test('keeps every digit of numbers that it does not change', () => {
    const checker = new RowChecker(schemaOf({ A: 'long', B: 'double', C: 'int' }))
    expect(checker.check('{"A":9007199254740993,"B":0.10000000000000000555,"C":"1"}')).toBe(
      '{"A":9007199254740993,"B":0.10000000000000000555,"C":1}',
    )
  })

  test('refuses what is no object, and JSON nested beyond reason, as a bad row', () => {
    const checker = new RowChecker(schemaOf({ S: 'string' }))
    for (const line of [
      '[]',
      '1',
      'null',
      '{"S":',
      `{"S":${'['.repeat(50_000)}${']'.repeat(50_000)}}`,
    ])
      expect(() => checker.check(line)).toThrow(RowError)
  })
})

describe('checkRows', () => {
  const checker = new RowChecker(schemaOf({ N: 'int', S: 'string' }))
  const check = (text: string | Buffer): ReturnType<typeof checkRows> =>
    checkRows(Buffer.from(text), checker, () => Promise.resolve())

  test('passes runs of good rows on as the bytes that came', async () => {
    const text = '{"N":1}\n{"N":2}\n{"N":3}\n'
    const { pieces, rows } = await check(text)
    expect(pieces.map((piece) => Buffer.from(piece).toString('utf8'))).toEqual([text])
    expect(rows).toBe(3)
  })

  test('leaves blank lines and bad rows out, and ends every row with a newline', async () => {
    const result = await check('\n{"N":1}\n\n{"N":"x"}\n \r\n{"N":"2"}\r\n{"S":"é"}')
    expect(textOf(result.pieces)).toBe('{"N":1}\n{"N":2}\n{"S":"é"}\n')
    expect(result).toMatchObject({ rows: 3, parsed: 4, errors: 1 })
    expect(result.refused.map(({ index }) => index)).toEqual([1])
  })

  test('refuses a line that is not UTF-8, and only that', async () => {
    const bytes = Buffer.concat([
      Buffer.from('{"S":"a"}\n{"S":"'),
      Buffer.from([0xff, 0xfe]),
      Buffer.from('"}\n{"S":"b"}\n'),
    ])
    const result = await check(bytes)
    expect(textOf(result.pieces)).toBe('{"S":"a"}\n{"S":"b"}\n')
    expect(result.lastMessage).toBe('Invalid UTF-8 detected')
  })

  test('gives way between slices of a long request', async () => {
    let pauses = 0
    const text = '{"N":1}\n'.repeat(5_500)
    const result = await checkRows(Buffer.from(text), checker, () => {
      pauses++
      return Promise.resolve()
    })
    expect(result.rows).toBe(5_500)
    expect(pauses).toBe(5)
  })

  test('keeps the first ten thousand of many bad rows, and counts all', async () => {
    const result = await check('{"N":"x"}\n'.repeat(10_250))
    expect(result.errors).toBe(10_250)
    expect(result.refused).toHaveLength(10_000)
  })
})
