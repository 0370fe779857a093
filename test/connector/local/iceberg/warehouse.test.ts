import { mkdir, readdir, readFile, rename, writeFile, stat } from 'node:fs/promises'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  AlreadyExistsError,
  ConnectError,
  NotFoundError,
  RetriableError,
} from '../../../../connector/api/errors.ts'
import { readManifestList } from '../../../../connector/local/iceberg/snapshot-files.ts'
import { RowRejectedError } from '../../../../connector/local/iceberg/types.ts'
import { batch, column, IDENTIFIER, select, TemporaryWarehouse } from './temporary-warehouse.ts'

const FIELDS = [column('N', 'long', true), column('S', 'string')]
let place: TemporaryWarehouse
beforeEach(async () => {
  place = await TemporaryWarehouse.make()
})
afterEach(() => place.remove())

const numbers = (rows: readonly (readonly unknown[])[]): number[] => rows.map(([n]) => Number(n))
const filesBelow = async (folder: string): Promise<string[]> =>
  (await readdir(folder, { withFileTypes: true, recursive: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => entry.name)

describe('a table', () => {
  test('shows rows, properties and summary of a commit together, also after a restart', async () => {
    const { warehouse, table } = await place.openWithTable(FIELDS)
    const snapshot = await table.commit({
      batch: batch({ N: 1, S: 'a' }, { N: 2 }),
      properties: { token: '2', other: 'x' },
      summary: { token: '2' },
    })
    await table.commit({ properties: { other: null } })
    expect(snapshot).toMatchObject({ operation: 'append', sequenceNumber: 1, parentId: null })
    expect(snapshot?.summary).toMatchObject({ token: '2', 'total-records': '2' })
    await warehouse.close()

    const again = (await place.open()).table(IDENTIFIER)
    expect(again?.properties).toEqual({ token: '2' })
    expect(again?.version).toBe(3)
    expect(again?.totalRows()).toBe(2)
    expect(again?.currentSnapshot()).toEqual(snapshot)
    expect(again?.schema).toEqual(table.schema)
    expect(again?.uuid).toBe(table.uuid)
  })

  test('keeps every commit of callers that do not wait for each other', async () => {
    const { warehouse, table } = await place.openWithTable(FIELDS)
    await Promise.all(Array.from({ length: 8 }, (_, n) => table.commit({ batch: batch({ N: n }) })))
    const { rows } = await select(warehouse, 'SELECT N FROM T ORDER BY N')
    expect(numbers(rows)).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
    expect(table.snapshots.map(({ sequenceNumber }) => sequenceNumber)).toEqual([
      1, 2, 3, 4, 5, 6, 7, 8,
    ])
  })

  test.each([
    ['a text for a number', { N: 'x' }],
    ['a required column left out', { S: 'a' }],
    ['a number beyond 64 bits', { N: 1e30 }],
  ])('rejects a batch with %s whole and leaves no file', async (_name, bad) => {
    const { table } = await place.openWithTable(FIELDS)
    await table.commit({ batch: batch({ N: 1 }), properties: { token: '1' } })
    const before = await filesBelow(place.folder)
    await expect(
      table.commit({ batch: batch({ N: 2 }, bad), properties: { token: '2' } }),
    ).rejects.toThrow(RowRejectedError)
    expect(await filesBelow(place.folder)).toEqual(before)
    expect(table.properties).toEqual({ token: '1' })
    expect(table.version).toBe(2)
    await table.commit({ batch: batch({ N: 3 }) })
    expect(table.totalRows()).toBe(2)
  })

  test('rejects a batch whose row count is another than it says', async () => {
    const { table } = await place.openWithTable(FIELDS)
    await expect(table.commit({ batch: { ...batch({ N: 1 }), rows: 2 } })).rejects.toThrow(
      RowRejectedError,
    )
    expect(await table.files()).toEqual([])
  })

  test.each(['MTA/RAW/T/data', 'MTA/RAW/T/metadata', '.tmp'])(
    'is as before when the disk does not take a commit in %s, and takes the next one',
    async (name) => {
      const { warehouse, table } = await place.openWithTable(FIELDS)
      await table.commit({ batch: batch({ N: 1 }), properties: { token: '1' } })
      const folder = path.join(place.folder, name)
      await rename(folder, `${folder}.away`)
      await expect(
        table.commit({ batch: batch({ N: 2 }), properties: { token: '2' } }),
      ).rejects.toThrow(RetriableError)
      await rename(`${folder}.away`, folder)
      expect(table.properties).toEqual({ token: '1' })
      await table.commit({ batch: batch({ N: 3 }), properties: { token: '3' } })
      expect(numbers((await select(warehouse, 'SELECT N FROM T ORDER BY 1')).rows)).toEqual([1, 3])
      expect(await readdir(path.join(table.location, 'data'))).toHaveLength(2)
    },
  )

  test('does not overwrite a version that another writer made', async () => {
    const { table } = await place.openWithTable(FIELDS)
    const other = path.join(table.location, 'metadata/v2.metadata.json')
    await writeFile(other, 'of another writer')
    await expect(table.commit({ batch: batch({ N: 1 }) })).rejects.toThrow(ConnectError)
    expect(await readFile(other, 'utf8')).toBe('of another writer')
    expect(table.version).toBe(1)
    expect(await table.files()).toEqual([])
  })

  test('reads an older snapshot under the newest schema', async () => {
    const { warehouse, table } = await place.openWithTable(FIELDS)
    const first = await table.commit({ batch: batch({ N: 1, S: 'a' }) })
    await table.updateSchema([{ kind: 'rename', path: ['S'], name: 'S2' }])
    await table.commit({ batch: batch({ N: 2, S2: 'b' }) })
    const { columns, rows } = await select(warehouse, await table.scanSql(first?.snapshotId))
    expect(columns.map(({ name }) => name)).toEqual(['N', 'S2'])
    expect(rows).toEqual([[1n, 'a']])
  })
})

describe('maintenance', () => {
  test('compaction keeps the rows in one file, and clean-up takes the old ones away', async () => {
    const { warehouse, table } = await place.openWithTable(FIELDS, { keepSnapshots: 1 })
    for (let n = 0; n < 3; n++) await table.commit({ batch: batch({ N: n }) })
    expect(await table.compact()).toBe(false)
    await table.commit({ batch: batch({ N: 3 }), properties: { token: '3' } })
    expect(await table.compact()).toBe(true)
    expect(table.currentSnapshot()?.operation).toBe('replace')
    expect(table.properties).toEqual({ token: '3' })
    await table.maintain()
    const [file, ...others] = await table.files()
    expect(others).toEqual([])
    expect(await readdir(path.join(table.location, 'data'))).toEqual([
      path.basename(file?.path ?? ''),
    ])
    expect(numbers((await select(warehouse, 'SELECT N FROM T')).rows)).toEqual([0, 1, 2, 3])
  })

  test('compaction beside commits loses neither', async () => {
    const { warehouse, table } = await place.openWithTable(FIELDS)
    for (let n = 0; n < 4; n++) await table.commit({ batch: batch({ N: n }) })
    const [done] = await Promise.all([
      table.compact(),
      table.commit({ batch: batch({ N: 4 }) }),
      table.updateSchema([{ kind: 'add', parent: [], field: column('X', 'int') }]),
      table.maintain(),
      table.commit({ batch: batch({ N: 5, X: 5 }) }),
    ])
    expect(done).toBe(true)
    expect((await select(warehouse, 'SELECT N, X FROM T ORDER BY N')).rows).toEqual([
      [0n, null],
      [1n, null],
      [2n, null],
      [3n, null],
      [4n, null],
      [5n, 5],
    ])
  })

  test('files, manifests and metadata stay bounded under many small commits', async () => {
    const { table } = await place.openWithTable(FIELDS, { keepSnapshots: 5 })
    let early = 0
    for (let n = 0; n < 130; n++) {
      await table.commit({ batch: batch({ N: n }) })
      await table.compact()
      if (n === 100) early = (await stat(table.metadataLocation())).size
    }
    // What is listed is bounded by count, so only the digits of numbers and versions grow.
    expect((await stat(table.metadataLocation())).size).toBeLessThan(early * 1.02)
    await table.maintain()
    expect(table.totalRows()).toBe(130)
    expect((await table.files()).length).toBeLessThanOrEqual(4)
    expect(table.snapshots).toHaveLength(5)
    const names = await readdir(path.join(table.location, 'metadata'))
    expect(names.filter((name) => name.endsWith('.metadata.json'))).toHaveLength(101)
    expect(names.filter((name) => name.endsWith('.avro')).length).toBeLessThan(40)
    expect((await readdir(path.join(table.location, 'data'))).length).toBeLessThan(15)
  })

  test('merges manifests so that a list of them stays short', async () => {
    const { warehouse, table } = await place.openWithTable(FIELDS, { compactFiles: 1000 })
    for (let n = 0; n < 25; n++) await table.commit({ batch: batch({ N: n }) })
    expect(await table.files()).toHaveLength(25)
    const [current] = (table.metadata()['snapshots'] as { 'manifest-list': string }[]).slice(-1)
    expect(await readManifestList(current?.['manifest-list'] ?? '')).toHaveLength(6)
    expect(table.totalRows()).toBe(25)
    await warehouse.close()
    const again = await place.open()
    expect(again.table(IDENTIFIER)?.totalRows()).toBe(25)
    expect((await select(again, 'SELECT count(DISTINCT N) FROM T')).rows).toEqual([[25n]])
  })

  test('leaves a file that readers may hold until it was unneeded for long enough', async () => {
    const { table } = await place.openWithTable(FIELDS, { keepSnapshots: 1, keepMs: 60_000 })
    for (let n = 0; n < 4; n++) await table.commit({ batch: batch({ N: n }) })
    await table.compact()
    const count = async () => (await readdir(path.join(table.location, 'data'))).length
    await table.maintain()
    expect(await count()).toBe(5)
    place.clock.offsetMs = 59_000
    await table.maintain()
    expect(await count()).toBe(5)
    place.clock.offsetMs = 61_000
    await table.maintain()
    expect(await count()).toBe(1)
  })

  test('deletes what other programs left, when it is old enough', async () => {
    const { table } = await place.openWithTable(FIELDS, { orphanMs: 60_000 })
    await table.commit({ batch: batch({ N: 1 }) })
    const strange = ['data/duckdb-x.parquet', 'metadata/.x.avro.crc', 'metadata/x-m0.avro']
    for (const name of strange) await writeFile(path.join(table.location, name), 'x')
    const left = async () =>
      (await filesBelow(table.location)).filter((name) =>
        strange.some((other) => path.basename(other) === name),
      )
    await table.maintain()
    expect(await left()).toHaveLength(3)
    place.clock.offsetMs = 61_000
    await table.maintain()
    expect(await left()).toEqual([])
    expect(table.totalRows()).toBe(1)
  })
})

describe('opening', () => {
  test('is refused while a process holds the folder, and possible after it is gone', async () => {
    const first = await place.open()
    await expect(place.open()).rejects.toThrow(`process ${process.pid}`)
    await first.close()
    await writeFile(
      path.join(place.folder, '.lock'),
      JSON.stringify({ pid: process.pid, started: 'another boot', token: 'x' }),
    )
    await expect(place.open()).resolves.toBeDefined()
  })

  test('takes the highest version, repairs the hint and removes what a crash left', async () => {
    const { warehouse, table } = await place.openWithTable(FIELDS)
    for (let n = 0; n < 10; n++) await table.commit({ batch: batch({ N: n }) })
    await warehouse.close()
    const metadata = path.join(table.location, 'metadata')
    await writeFile(path.join(metadata, 'version-hint.text'), '9')
    await writeFile(path.join(metadata, '.x.tmp'), '{')
    await writeFile(path.join(table.location, 'data/0-x.parquet'), 'half')
    await mkdir(path.join(place.folder, 'MTA/RAW/HALF/data'), { recursive: true })
    const again = await place.open()
    expect(again.table(IDENTIFIER)?.version).toBe(11)
    expect(await readFile(path.join(metadata, 'version-hint.text'), 'utf8')).toBe('11')
    expect(await filesBelow(table.location)).not.toContain('.x.tmp')
    expect(await filesBelow(table.location)).not.toContain('0-x.parquet')
    expect(again.tables('MTA', 'RAW').map(({ identifier }) => identifier.table)).toEqual(['T'])
    expect(await readdir(path.join(place.folder, 'MTA/RAW'))).toEqual(['T'])
  })

  test.each([
    [
      'a 64-bit snapshot id',
      '"snapshots":[]',
      '"snapshots":[],"x":3055729675574597004',
      '3055729675574597004',
    ],
    ['another format', '"format-version":2', '"format-version":3', 'format-version 3'],
    ['a moved table', '"location":"', '"location":"/elsewhere', '/elsewhere'],
  ])('refuses a table with %s by name', async (_name, from, to, expected) => {
    const { warehouse, table } = await place.openWithTable(FIELDS)
    await warehouse.close()
    const file = table.metadataLocation()
    const text = await readFile(file, 'utf8')
    expect(text).toContain(from)
    await writeFile(file, text.replace(from, to))
    await expect(place.open()).rejects.toThrow(expected)
    await writeFile(file, text)
    await expect(place.open()).resolves.toBeDefined()
  })

  test('refuses a folder that is something else', async () => {
    await writeFile(path.join(place.folder, 'holiday.jpg'), 'x')
    await expect(place.open()).rejects.toThrow('holiday.jpg')
  })
})

describe('the catalog', () => {
  test('keeps databases, schemas and tables with their names as spelled', async () => {
    const { warehouse } = await place.openWithTable(FIELDS)
    await warehouse.createSchema('MTA', 'lower case')
    await warehouse.close()
    const again = await place.open()
    expect(again.databases()).toEqual(['MTA'])
    expect(again.schemas('MTA')).toEqual(['RAW', 'lower case'])
    expect(again.tables('MTA', 'RAW')).toHaveLength(1)
  })

  test.each(['', '.', '..', 'a/b', 'a\\b', '.hidden', 'a\u0000b', 'x'.repeat(300), ' a', '%2e'])(
    'takes no name like %j',
    async (name) => {
      const warehouse = await place.open()
      await warehouse.createDatabase('MTA')
      await warehouse.createSchema('MTA', 'RAW')
      await expect(warehouse.createDatabase(name)).rejects.toThrow(ConnectError)
      await expect(warehouse.createSchema('MTA', name)).rejects.toThrow(ConnectError)
      const identifier = { database: 'MTA', schema: 'RAW', table: name }
      await expect(warehouse.createTable(identifier, FIELDS, {})).rejects.toThrow(ConnectError)
      expect(await readdir(path.join(place.folder, 'MTA/RAW'))).toEqual([])
    },
  )

  test('refuses what exists, what differs in case only, and what is missing', async () => {
    const { warehouse } = await place.openWithTable(FIELDS)
    await expect(warehouse.createDatabase('MTA')).rejects.toThrow(AlreadyExistsError)
    await expect(warehouse.createDatabase('mta')).rejects.toThrow(ConnectError)
    await expect(warehouse.createTable(IDENTIFIER, FIELDS, {})).rejects.toThrow(AlreadyExistsError)
    await expect(warehouse.createSchema('X', 'RAW')).rejects.toThrow(NotFoundError)
    await expect(warehouse.dropTable({ ...IDENTIFIER, table: 'X' })).rejects.toThrow(NotFoundError)
  })

  test('drops for good: a table of the same name starts empty', async () => {
    const { warehouse, table } = await place.openWithTable(FIELDS)
    await table.commit({ batch: batch({ N: 1 }) })
    await select(warehouse, 'SELECT * FROM T')
    await warehouse.dropTable(IDENTIFIER)
    await expect(table.commit({ batch: batch({ N: 2 }) })).rejects.toThrow('dropped')
    await expect(select(warehouse, 'SELECT * FROM T')).rejects.toThrow('Table with name T')
    const next = await warehouse.createTable(IDENTIFIER, FIELDS, {})
    expect((await select(warehouse, 'SELECT * FROM T')).rows).toEqual([])
    expect(next.uuid).not.toBe(table.uuid)
    await warehouse.dropDatabase('MTA')
    expect(warehouse.databases()).toEqual([])
    await warehouse.createDatabase('MTA')
    expect(warehouse.schemas('MTA')).toEqual([])
  })

  test('refuses columns that engines cannot all read', async () => {
    const { warehouse } = await place.openWithTable(FIELDS)
    const make = (...fields: Parameters<typeof column>[]) =>
      warehouse.createTable(
        { ...IDENTIFIER, table: 'U' },
        fields.map((f) => column(...f)),
        {},
      )
    await expect(make(['A', 'fixed[16]'])).rejects.toThrow('binary')
    await expect(make(['A', 'int'], ['a', 'int'])).rejects.toThrow('case')
    await expect(make(['A', 'varchar'])).rejects.toThrow('varchar')
    await expect(make()).rejects.toThrow('at least one')
    expect(await readdir(path.join(place.folder, 'MTA/RAW'))).toEqual(['T'])
  })
})

describe('queries', () => {
  test('see each commit, by three-part name and by namespace', async () => {
    const { warehouse, table } = await place.openWithTable(FIELDS)
    expect((await select(warehouse, 'SELECT * FROM "MTA"."RAW"."T"')).rows).toEqual([])
    await table.commit({ batch: batch({ N: 9_007_199_254_740_991, S: '😀' }) })
    expect(await select(warehouse, 'SELECT * FROM T')).toEqual({
      columns: [
        { name: 'N', type: 'BIGINT' },
        { name: 'S', type: 'VARCHAR' },
      ],
      rows: [[9_007_199_254_740_991n, '😀']],
    })
  })

  test.each([
    ["SELECT * FROM read_text('/etc/hostname')", 'file system operations are disabled'],
    ["COPY (SELECT 1) TO 'x.csv'", 'file system operations are disabled'],
    ["ATTACH '/etc/x.db' AS x", 'got ATTACH'],
    ['CREATE TABLE x (i int)', 'got CREATE'],
    ['INSTALL httpfs', 'got LOAD'],
    ["SET memory_limit = '9GB'", 'got SET'],
    ['SELECT 1; SELECT 2', 'got 2'],
    ['DROP VIEW T', 'got DROP'],
    ["SELECT * FROM query('DROP VIEW T')", 'single SELECT'],
  ])('cannot do anything but read the warehouse: %s', async (sql, refusal) => {
    const { warehouse } = await place.openWithTable(FIELDS)
    await expect(select(warehouse, sql)).rejects.toThrow(refusal)
    expect((await select(warehouse, 'SELECT count(*) FROM T')).rows).toEqual([[0n]])
  })

  test('cannot write inside the warehouse either', async () => {
    const { warehouse } = await place.openWithTable(FIELDS)
    const target = path.join(place.folder, 'x.csv')
    await expect(select(warehouse, `COPY (SELECT 1) TO '${target}'`)).rejects.toThrow('got COPY')
    expect(await readdir(place.folder)).not.toContain('x.csv')
  })

  test('end with their signal, and with too many rows', async () => {
    const { warehouse } = await place.openWithTable(FIELDS)
    const controller = new AbortController()
    const endless = warehouse.query(
      'SELECT sum(a.range) FROM range(10000000) a, range(10000000) b',
      {
        signal: controller.signal,
        timeoutMs: 60_000,
        rowsMax: 10,
      },
    )
    controller.abort(new Error('enough'))
    await expect(endless).rejects.toThrow('enough')
    await expect(select(warehouse, 'SELECT * FROM range(11)', 10)).rejects.toThrow('10 rows')
    expect((await select(warehouse, 'SELECT * FROM range(10)', 10)).rows).toHaveLength(10)
  })

  test('may use macros that were there before the lock', async () => {
    const warehouse = await place.open(
      {},
      {
        engine: { initSql: ['CREATE MACRO memory.main.twice(x) AS x * 2'] },
      },
    )
    await warehouse.createDatabase('MTA')
    await warehouse.createSchema('MTA', 'RAW')
    expect((await select(warehouse, 'SELECT twice(21) AS a')).rows).toEqual([[42]])
  })
})
