import { beforeAll, describe, expect, test } from 'vitest'
import type { NewField } from '../../../../../connector/local/iceberg/types.ts'
import { SqlError } from '../../../../../connector/local/snowflake/errors.ts'
import type { Bind, Session } from '../../../../../connector/local/snowflake/sql/session.ts'
import { makeSql, type SqlStage } from '../../../../support/snowflake-sql.ts'

const FIELDS: readonly NewField[] = [
  { name: 'ROUTE', required: false, type: 'string' },
  { name: 'N', required: false, type: 'long' },
  { name: 'lower', required: false, type: 'int' },
]

let stage: SqlStage
beforeAll(async () => {
  stage = await makeSql()
  await stage.warehouse.createTable({ database: 'DB', schema: 'S', table: 'T' }, FIELDS, {})
})

const translated = async (
  sql: string,
  binds: Readonly<Record<string, Bind>> = {},
  session?: Partial<Session>,
): Promise<string> => {
  stage.warehouse.queries.length = 0
  await stage.execute(sql, binds, session)
  return stage.warehouse.queries.join('\n').replaceAll(/\s+/g, ' ')
}

const codeOf = async (sql: string): Promise<string> => {
  try {
    await translated(sql)
    return 'accepted'
  } catch (error) {
    if (error instanceof SqlError) return error.code
    throw error
  }
}

const T = '"DB"."S"."T"'

describe('SELECT', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['select * from t', `select * from ${T}`],
    ['select * from s.t', `select * from ${T}`],
    ['select * from Db.s.T as x;', `select * from ${T} as x`],
    ['select n from t, s.t b where n = 1', `select n from ${T} , ${T} b where n = 1`],
    ['select count(*) from (select n from t) q', `select count( * ) from ( select n from ${T} ) q`],
    [
      'select a.n from (t a join t b on a.n = b.n)',
      `select a . "N" from ( ${T} a join ${T} b on a . "N" = b . "N" )`,
    ],
    ['with t as (select 1 as n) select * from t', 'with t as ( select 1 as n ) select * from "T"'],
    ['select n::string from t', `select n :: VARCHAR from ${T}`],
    ['select cast(n as number(10,2)) from t', `select CAST( n as DECIMAL(10,2) ) from ${T}`],
    ['select extract(day from d) from t', `select EXTRACT( day from d ) from ${T}`],
    ["select date_trunc('HOUR', ts) from t", `select date_trunc('hour', ts ) from ${T}`],
    ['select datediff(second, a, b) from t', `select date_diff('second', a , b ) from ${T}`],
    ['select pos:stop."Id" from t', `select pos ."stop" . "Id" from ${T}`],
    ['select flags[0] from t', `select flags [1] from ${T}`],
    ["select tags['a'] from t", `select tags ['a'] from ${T}`],
    ["select 'it''s' -- comment\n from t", `select 'it''s' from ${T}`],
    ['select iff(n > 1, 2, 3) from t', `select if( n > 1 , 2 , 3 ) from ${T}`],
    ['select n from t where n is distinct from 3', `select n from ${T} where n is distinct from 3`],
    ['select 1 minus select n from t', `select 1 EXCEPT select n from ${T}`],
    ['select current_version()', "select '9.99.0-embedded'"],
    ['select current_database(), current_user', "select 'DB' , 'ME'"],
  ]
  for (const [sql, expected] of cases)
    test(`${sql} becomes ${expected}`, async () => {
      expect(await translated(sql)).toBe(expected)
    })

  test('fills binds in by position and by number', async () => {
    const binds = {
      1: { type: 'TEXT', value: "o'clock" },
      2: { type: 'FIXED', value: '-7' },
      3: { type: 'TEXT', value: null },
    }
    expect(await translated('select ?, ?, ?', binds)).toBe("select 'o''clock' , -7 , NULL")
    expect(await translated('select :2, :1', binds)).toBe("select -7 , 'o''clock'")
  })

  test('takes no SQL from a bind', async () => {
    const bind = { 1: { type: 'FIXED', value: '1; drop table t' } }
    await expect(translated('select ?', bind)).rejects.toMatchObject({ code: '100038' })
    await expect(translated('select ?', {})).rejects.toMatchObject({ code: '002049' })
  })

  const refused: readonly (readonly [string, string])[] = [
    ["select * from 'file.parquet'", '001003'],
    ["select * from read_csv('/etc/passwd')", '000002'],
    ["select read_text('/etc/passwd')", '000002'],
    ["select getenv('HOME')", '000002'],
    ['select * from "file.parquet"', '002003'],
    ['select * from other.s.t', '002003'],
    ['select * from db.other.t', '002003'],
    ['select * from t at(offset => -60)', '000002'],
    ['select $1 from t', '000002'],
    ['select * from t sample (10)', '000002'],
    ['select * from table(flatten(x))', '000002'],
    ['select x -> x + 1 from t', '000002'],
    ["select t.n.list_transform('x') from t", '000002'],
    ['select 1; select 2', '000006'],
    ['select (1', '001003'],
    ['select 1)', '001003'],
    ["select 'open", '001003'],
    ['insert into t values (1)', '000002'],
    ['merge into t using x on 1 = 1', '000002'],
    ['copy into t from @stage', '000002'],
    ["attach 'x'", '000002'],
    ['pragma version', '000002'],
    ['', '000900'],
    ['-- nothing', '000900'],
  ]
  for (const [sql, code] of refused)
    test(`${sql === '' ? 'an empty text' : sql} is refused with ${code}`, async () => {
      expect(await codeOf(sql)).toBe(code)
    })

  test('names result columns in upper case unless they are quoted or a column is spelled so', async () => {
    stage.warehouse.answer = {
      columns: ['route', 'lower', 'Mixed', 'n'].map((name) => ({ name, type: 'VARCHAR' })),
      rows: [],
    }
    const result = await stage.execute('select route, t.*, n as "Mixed", n from t')
    stage.warehouse.answer = { columns: [], rows: [] }
    expect(result.columns.map(({ name }) => name)).toEqual(['ROUTE', 'lower', 'Mixed', 'N'])
  })
})
