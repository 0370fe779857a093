import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import path from 'node:path'
import { SqlObjects } from '../../../../../connector/local/snowflake/sql/objects.ts'
import { openQueryStage, type QueryStage } from '../../../../support/snowflake-query.ts'

let stage: QueryStage
beforeAll(async () => {
  stage = await openQueryStage()
})
afterAll(() => stage.close())

test('a view answers what its query answers now', async () => {
  await stage.execute(
    "create or replace secure view v (i, r) comment = 'fleet' as select id, route from t where id < 3",
  )
  expect(await stage.answer('select r, i from v order by i desc')).toBe('A|2 ; A|1')
  expect(await stage.answer('select count(*) from db.s.v x join t on t.id = x.i')).toBe('2')
  const { rows, columns } = await stage.execute("show views like 'v'")
  const shown = Object.fromEntries(columns.map(({ name }, index) => [name, rows[0]?.[index]]))
  expect(shown).toMatchObject({ name: 'V', is_secure: 'true', comment: 'fleet', schema_name: 'S' })
  const described = await stage.execute('describe view v')
  expect(described.rows.map((row) => `${row[0]} ${row[1]}`)).toEqual([
    'I NUMBER(19,0)',
    'R VARCHAR(16777216)',
  ])
  expect(
    await stage.answer("select table_type from information_schema.tables where table_name = 'V'"),
  ).toBe('VIEW')
})

test('a view runs in its own schema, wherever the session is', async () => {
  await stage.execute('create view own as select count(*) n from t')
  await stage.execute('create schema db.elsewhere')
  expect(await stage.answer('select n from db.s.own')).toBe('3')
  await stage.execute('use schema db.s')
})

test('a view is refused when its query cannot run, and stays what it was', async () => {
  await stage.execute('create view kept as select 1 as one')
  await expect(
    stage.execute('create or replace view kept as select nosuch from t'),
  ).rejects.toMatchObject({ code: '000904' })
  await expect(stage.execute('create view kept as select 2')).rejects.toMatchObject({
    code: '002002',
  })
  await expect(stage.execute('create view w as select id, id from t')).rejects.toMatchObject({
    code: '002025',
  })
  await expect(stage.execute('create view w (a) as select 1, 2')).rejects.toMatchObject({
    code: '001003',
  })
  await expect(stage.execute('create view t as select 1')).rejects.toMatchObject({ code: '002002' })
  await expect(stage.execute('create table kept (a int)')).rejects.toMatchObject({ code: '002002' })
  expect(await stage.answer('select one from kept')).toBe('1')
})

test('a view that comes to name itself is refused', async () => {
  await stage.execute('create view a1 as select 1 as x')
  await stage.execute('create view b1 as select x from a1')
  await stage.execute('create or replace view a1 as select x from b1')
  await expect(stage.execute('select * from a1')).rejects.toMatchObject({ code: '002037' })
})

describe('time travel', () => {
  beforeAll(async () => {
    await stage.execute('create table h (a int)')
    const h = stage.warehouse.table({ database: 'DB', schema: 'S', table: 'H' })
    await h?.commit({ batch: { rows: 1, ndjson: [Buffer.from('{"A":1}\n')] } })
    await stage.clock.advance(2_000)
    await h?.commit({ batch: { rows: 1, ndjson: [Buffer.from('{"A":2}\n')] } })
  })

  test('of a table in a view is of the time that the view names', async () => {
    await stage.execute('create view past as select count(*) n from h at(offset => -1)')
    await stage.execute('create view nested as select n from (select n from past) x')
    expect(await stage.answer('select n from past')).toBe('1')
    expect(await stage.answer('select (select count(*) from h), n from nested')).toBe('2|1')
    await stage.execute('create schema db.other')
    expect(await stage.answer('select n from db.s.past')).toBe('1')
    await stage.execute('use schema db.s')
  })

  test('of a view, of the system’s views and to times that are none is refused', async () => {
    await stage.execute('create view now_only as select a from h')
    for (const [sql, code] of [
      ['select * from now_only at(offset => -1)', '000002'],
      ['select * from information_schema.tables at(offset => 0)', '000002'],
      ["select * from h at(timestamp => 'garbage')", '100035'],
      ['select * from h at(offset => 60)', '000707'],
      ["select * from h before(timestamp => '2999-01-01'::timestamp_ltz)", '000707'],
      ['select * from h at(offset => null)', '000707'],
      ['select * from h at(offset => -1e9)', '000707'],
    ] as const)
      await expect(stage.execute(sql)).rejects.toMatchObject({ code })
  })
})

test('views are renamed, dropped, go with their schema, and are found again after a restart', async () => {
  await stage.execute('create schema db.gone')
  await stage.execute('create view db.gone.x as select 1 as one')
  await stage.execute('alter view db.gone.x rename to db.s.y')
  await stage.execute('create view db.gone.z as select 1 as one')
  await stage.execute('drop schema db.gone')
  await stage.execute('use schema db.s')
  await stage.execute('drop view if exists nope')
  const again = await SqlObjects.open(
    path.join(stage.warehouse.folder, '.snowflake', 'objects.json'),
  )
  const found = again.views().map(({ schema, name }) => `${schema}.${name}`)
  expect(found).toContain('S.Y')
  expect(found).not.toContain('GONE.Z')
  await stage.execute('drop view y')
  await expect(stage.execute('select * from y')).rejects.toMatchObject({ code: '002003' })
})
