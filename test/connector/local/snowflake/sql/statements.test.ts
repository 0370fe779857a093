import { beforeEach, describe, expect, test } from 'vitest'
import type { ResultSet } from '../../../../../connector/local/snowflake/sql/result.ts'
import { makeSql, type SqlStage } from '../../../../support/snowflake-sql.ts'

let stage: SqlStage
beforeEach(async () => {
  stage = await makeSql()
})

const T = { database: 'DB', schema: 'S', table: 'T' }
const objects = ({ columns, rows }: ResultSet): readonly Record<string, unknown>[] =>
  rows.map((row) => Object.fromEntries(columns.map(({ name }, index) => [name, row[index]])))
const describeT = async (): Promise<readonly unknown[]> =>
  objects(await stage.execute('DESCRIBE TABLE t')).map(({ name, type }) => [name, type].join(' '))

const names = async (sql: string): Promise<readonly unknown[]> =>
  objects(await stage.execute(sql)).map((row) => row['name'] ?? row['column_name'])

describe('CREATE TABLE', () => {
  test('gives every type that an Iceberg table has, and DESCRIBE shows them', async () => {
    await stage.execute(`create or replace iceberg table t (
      a boolean, b int, c number(19, 0), d number(38,0), e decimal(10,2) not null, f float, g double,
      h string comment 'it''s h', i varchar, j binary, k date, l time(6), m timestamp_ntz, n timestamp_ltz(6),
      "o" object(shape_id string not null, "d0 m" double, t0 timestamp_ltz(6)), p array(int not null),
      q map(varchar, object(x int)))
      external_volume = 'v' catalog = 'SNOWFLAKE' base_location = 'b/t' enable_schema_evolution = false comment = 'c'`)
    expect(await describeT()).toEqual([
      'A BOOLEAN',
      'B NUMBER(10,0)',
      'C NUMBER(19,0)',
      'D NUMBER(38,0)',
      'E NUMBER(10,2)',
      'F FLOAT',
      'G FLOAT',
      'H VARCHAR(134217728)',
      'I VARCHAR(134217728)',
      'J BINARY(67108864)',
      'K DATE',
      'L TIME(6)',
      'M TIMESTAMP_NTZ(6)',
      'N TIMESTAMP_LTZ(6)',
      'o OBJECT(shape_id VARCHAR(134217728) NOT NULL, "d0 m" FLOAT, t0 TIMESTAMP_LTZ(6))',
      'P ARRAY(NUMBER(10,0) NOT NULL)',
      'Q MAP(VARCHAR(134217728), OBJECT(x NUMBER(10,0)))',
    ])
    expect(stage.warehouse.table(T)?.properties).toMatchObject({
      'snowflake.base_location': 'b/t',
      'snowflake.external_volume': 'v',
      comment: 'c',
    })
  })

  test('says what Snowflake says to a second table of the name', async () => {
    await stage.execute('create iceberg table t (a int)')
    await expect(stage.execute('create table t (a int)')).rejects.toMatchObject({ code: '002002' })
    const again = await stage.execute('create iceberg table if not exists t (b int)')
    expect(again.rows).toEqual([['T already exists, statement succeeded.']])
    expect(await describeT()).toEqual(['A NUMBER(10,0)'])
    await stage.execute('create or replace table t (b int)')
    expect(await describeT()).toEqual(['B NUMBER(10,0)'])
  })

  const refused: readonly (readonly [string, string])[] = [
    ['create table t (a variant)', '091386'],
    ['create table t (a timestamp_tz)', '091386'],
    ['create table t (a varchar(10))', '091386'],
    ['create table t (a timestamp_ntz(9))', '091386'],
    ['create table t (a object)', '000002'],
    ['create table t (a int default 1)', '000002'],
    ['create table t (a int, A string)', '002025'],
    ['create table t (a nonsense)', '002040'],
    ['create table t as select 1', '000002'],
    ["create iceberg table t (a int) catalog = 'GLUE'", '000002'],
    ['create database d from share other.share', '000002'],
    ['create table other.s.t (a int)', '002003'],
    ['create table t (a int', '001003'],
    ['create table t (a number(39,0))', '002262'],
    ['create dynamic table t (a int)', '000002'],
    ['create stage s', '000002'],
  ]
  for (const [sql, code] of refused)
    test(`${sql} is refused with ${code}`, async () => {
      await expect(stage.execute(sql)).rejects.toMatchObject({ code })
    })
})

describe('ALTER TABLE', () => {
  beforeEach(async () => {
    await stage.execute('create table t (a int, b string)')
  })

  test('adds columns, unless they are there and that is fine', async () => {
    await stage.execute('alter iceberg table t add column if not exists a int, c array(string)')
    expect(await describeT()).toEqual([
      'A NUMBER(10,0)',
      'B VARCHAR(134217728)',
      'C ARRAY(VARCHAR(134217728))',
    ])
    await expect(stage.execute('alter table t add column a int')).rejects.toMatchObject({
      code: '001430',
    })
    await expect(stage.execute('alter table t add d int not null')).rejects.toMatchObject({
      code: '002009',
    })
  })

  test('drops columns', async () => {
    await stage.execute('alter table t drop column if exists z, b')
    expect(await describeT()).toEqual(['A NUMBER(10,0)'])
    await expect(stage.execute('alter table t drop column z')).rejects.toMatchObject({
      code: '002003',
    })
  })

  test('sets and unsets properties', async () => {
    await stage.execute('alter iceberg table t set error_logging = true')
    expect(stage.warehouse.table(T)?.properties['snowflake.error_logging']).toBe('TRUE')
    await stage.execute('alter iceberg table t unset error_logging')
    expect(stage.warehouse.table(T)?.properties['snowflake.error_logging']).toBeUndefined()
  })

  test('leaves a missing table alone when asked to', async () => {
    await stage.execute('alter table if exists nope add column a int')
    await expect(stage.execute('alter table nope add column a int')).rejects.toMatchObject({
      code: '002003',
      sqlState: '42S02',
    })
  })

  test('commits the rows that wait before it changes the columns', async () => {
    const table = stage.warehouse.table(T)
    if (table === undefined) throw new Error('Table T is missing.')
    const { ingest, channels } = stage.ingests.pipe({ ...T, pipe: 'T-STREAMING' })
    const channel = await ingest.open(channels, 'c', {
      offsetToken: undefined,
      failOnUncommittedRows: false,
    })
    ingest.append(channels, 'c', {
      continuationToken: channel.nextToken(),
      startToken: null,
      endToken: '0',
      bytes: Buffer.from('{"B":"x"}\n'),
    })
    await stage.execute('alter table t drop column b')
    expect(table.rows).toEqual([{ B: 'x' }])
    expect(channel.record.offsetToken).toBe('0')
  })
})

describe('databases, schemas and names', () => {
  test('are made, used and dropped as Snowflake does', async () => {
    await stage.execute('create database if not exists "mixed"')
    expect(stage.session).toMatchObject({ database: 'mixed', schema: 'PUBLIC' })
    await stage.execute('create schema raw')
    await stage.execute('create table t (a int)')
    expect(stage.warehouse.table({ database: 'mixed', schema: 'RAW', table: 'T' })).toBeDefined()
    await stage.execute('use schema db.s')
    expect(stage.session).toMatchObject({ database: 'DB', schema: 'S' })
    await stage.execute('drop database "mixed"')
    expect(stage.warehouse.databases()).toEqual(['DB'])
    const again = await stage.execute('drop database if exists "mixed"')
    expect(again.rows[0]?.[0]).toContain('already dropped')
    await expect(stage.execute('drop table nope')).rejects.toMatchObject({ code: '002003' })
  })

  test('take IDENTIFIER with a text and with a bind', async () => {
    await stage.execute("create table identifier('db.s.t') (a int)")
    const bind = { 1: { type: 'TEXT', value: 'S.T' } }
    expect((await stage.execute('describe table identifier(?)', bind)).rows).toHaveLength(1)
  })

  test('need a current schema when they are not qualified', async () => {
    await expect(
      stage.execute('create table t (a int)', {}, { schema: undefined }),
    ).rejects.toMatchObject({ code: '090105' })
  })
})

describe('SHOW', () => {
  beforeEach(async () => {
    await stage.execute('create table t (a int)')
    await stage.execute('create iceberg table other (b string) external_volume = v')
    await stage.execute('create database d2')
    await stage.execute('use schema db.s')
  })

  test('lists what LIKE, IN, STARTS WITH and LIMIT leave', async () => {
    expect(await names('show databases')).toEqual(['D2', 'DB'])
    expect(await names("show databases like 'd_'")).toEqual(['D2', 'DB'])
    expect(await names("show databases like 'db%'")).toEqual(['DB'])
    expect(await names('show schemas in database d2')).toEqual(['PUBLIC'])
    expect(await names('show tables')).toEqual(['OTHER', 'T'])
    expect(await names("show iceberg tables like 'T' in schema db.s")).toEqual(['T'])
    expect(await names('show tables in account limit 1')).toEqual(['OTHER'])
    expect(await names("show tables in db starts with 'O'")).toEqual(['OTHER'])
    expect(await names('show columns in table t')).toEqual(['A'])
    await expect(stage.execute('show tables in d9')).rejects.toMatchObject({ code: '002003' })
    await expect(stage.execute('show stages')).rejects.toMatchObject({ code: '000002' })
  })

  test('shows default pipes, made pipes, and their channels', async () => {
    await stage.execute(
      "create pipe p as copy into t from table(data_source(type => 'STREAMING')) match_by_column_name = case_insensitive",
    )
    expect(await names('show pipes')).toEqual(['OTHER-STREAMING', 'P', 'T-STREAMING'])
    const { ingest, channels } = stage.ingests.pipe({ database: 'DB', schema: 'S', pipe: 'P' })
    await ingest.open(channels, 'c1', { offsetToken: '7', failOnUncommittedRows: false })
    expect(objects(await stage.execute('show channels in table t'))).toMatchObject([
      { name: 'c1', pipe_name: 'P', offset_token: '7', client_sequencer: '1', table_name: 'T' },
    ])
    expect(objects(await stage.execute('describe pipe p'))[0]).toMatchObject({ name: 'P' })
    await stage.execute('drop pipe p')
    expect(await names('show pipes in schema s')).toEqual(['OTHER-STREAMING', 'T-STREAMING'])
  })
})

describe('statements of administration', () => {
  test('are recorded, shown and said not to be enforced', async () => {
    for (const sql of [
      'create role if not exists loader',
      "create warehouse wh with warehouse_size = 'SMALL' auto_suspend = 60 comment = 'c'",
      "create external volume v storage_locations = ((name = 'l' storage_provider = 'S3'))",
      "create tag pii allowed_values 'yes', 'no'",
      "create masking policy mask as (val string) returns string -> case when current_role() = 'X' then val else '*' end",
      'create resource monitor rm with credit_quota = 10',
      'grant usage on database db to role loader',
      'grant role loader to user me',
      'alter warehouse wh set warehouse_size = medium',
      "alter database db set comment = 'x'",
    ])
      expect((await stage.execute(sql)).rows[0]?.[0]).toContain('Not enforced')
    expect(objects(await stage.execute("show warehouses like 'w%'"))).toMatchObject([
      { name: 'WH', size: 'MEDIUM', auto_suspend: '60', comment: 'c', is_enforced: 'false' },
    ])
    expect(await names('show roles')).toEqual(['LOADER'])
    expect(await names('show external volumes')).toEqual(['V'])
    expect(await names('show masking policies')).toEqual(['MASK'])
    expect((await stage.execute('describe masking policy mask')).rows).toContainEqual([
      'IS_ENFORCED',
      'false',
    ])
    expect(objects(await stage.execute('show grants to role loader'))).toMatchObject([
      { privilege: 'USAGE', granted_on: 'DATABASE', name: 'DB', grantee_name: 'LOADER' },
    ])
    expect(objects(await stage.execute('show grants of role loader'))).toMatchObject([
      { grantee_name: 'ME', granted_to: 'USER' },
    ])
    await stage.execute('revoke usage on database db from role loader')
    expect(await names('show grants to role loader')).toEqual([])
    await expect(stage.execute('create role loader')).rejects.toMatchObject({ code: '002002' })
    await stage.execute('drop role loader')
    await expect(stage.execute('drop role loader')).rejects.toMatchObject({ code: '002003' })
    await expect(stage.execute('create stage s')).rejects.toMatchObject({ code: '000002' })
  })

  test('say that every statement commits by itself', async () => {
    expect((await stage.execute('begin')).rows[0]?.[0]).toContain('commits by itself')
  })

  test('keep policies, tags and clustering with the table', async () => {
    await stage.execute('create table t (a int, b string)')
    await stage.execute('alter table t modify column b set masking policy mask')
    await stage.execute("alter table t set tag pii = 'yes'")
    await stage.execute('alter iceberg table t cluster by (a)')
    expect(objects(await stage.execute('show tables'))).toMatchObject([{ cluster_by: '(a)' }])
  })

  test('change the parameters of the session', async () => {
    await stage.execute("alter session set timezone = 'America/New_York', query_tag = 'x'")
    expect(objects(await stage.execute("show parameters like 'TIMEZONE'"))).toMatchObject([
      { key: 'TIMEZONE', value: 'America/New_York', level: 'SESSION' },
    ])
    await expect(stage.execute("alter session set timezone = 'Nowhere'")).rejects.toMatchObject({
      code: '001008',
    })
    await expect(stage.execute('alter session set week_start = 7')).rejects.toMatchObject({
      code: '000002',
    })
    await stage.execute('alter session unset timezone')
  })

  test('take what drivers set of a session, and refuse by name what is not obeyed', async () => {
    for (const sql of [
      'alter session /* JDBC */ set autocommit=true',
      "alter session set python_connector_query_result_format = 'JSON'",
      "alter session set timestamp_input_format = 'auto', date_output_format = 'YYYY-MM-DD'",
      'alter session set client_session_keep_alive = true, use_cached_result = false',
      'begin work',
      'begin transaction name t1',
      'start transaction',
      'commit work',
      'rollback',
    ])
      await stage.execute(sql)
    for (const [sql, code] of [
      ["alter session set query_tag = 'half', date_output_format = 'DD.MM.YYYY'", '000002'],
      ["alter session set timestamp_input_format = 'DD/MM/YYYY'", '000002'],
      ["alter session set no_such_thing = 'x'", '000002'],
      ['alter session unset no_such_thing', '000002'],
      ["alter session set statement_timeout_in_seconds = 'soon'", '001008'],
      ['alter session set query_tag =', '001003'],
      ['begin garbage here', '001003'],
      ['commit and explode', '001003'],
      ['start', '001003'],
    ] as const)
      await expect(stage.execute(sql)).rejects.toMatchObject({ code })
    expect(objects(await stage.execute("show parameters like 'QUERY_TAG'"))).toEqual([])
  })
})
