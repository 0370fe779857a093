import { readdir } from 'node:fs/promises'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { NotFoundError, RetriableError } from '../../../../connector/api/errors.ts'
import {
  UnconfirmedCommitError,
  type Warehouse,
} from '../../../../connector/local/iceberg/types.ts'
import { batch, column, IDENTIFIER, TemporaryWarehouse } from './temporary-warehouse.ts'
import { watchDisk } from './watched-disk.ts'

const FIELDS = [column('N', 'long', true)]
let place: TemporaryWarehouse
beforeEach(async () => {
  place = await TemporaryWarehouse.make()
})
afterEach(async () => {
  vi.restoreAllMocks()
  await place.remove()
})

const filesBelow = async (folder: string): Promise<string[]> =>
  (await readdir(folder, { withFileTypes: true, recursive: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => entry.name)

const select = async (warehouse: Warehouse, sql: string): Promise<readonly unknown[]> => {
  const options = { signal: new AbortController().signal, timeoutMs: 10_000, rowsMax: 100 }
  const namespace = { database: IDENTIFIER.database, schema: IDENTIFIER.schema }
  return (await warehouse.query(sql, { ...options, namespace })).rows
}

describe('replacing a table', () => {
  test('takes one version: another table, empty, with ids from 1, in the same folder', async () => {
    const { warehouse, table } = await place.openWithTable(FIELDS, { keepMs: 1_000 })
    await table.commit({ batch: batch({ N: 1 }), properties: { token: '1' } })
    await select(warehouse, 'SELECT * FROM T')
    const before = await filesBelow(table.location)
    const next = await warehouse.replaceTable(IDENTIFIER, [column('S', 'string')], { made: 'anew' })
    expect([next.location, next.version]).toEqual([table.location, table.version + 1])
    expect(next.uuid).not.toBe(table.uuid)
    expect(next.schema.fields).toMatchObject([{ id: 1, name: 'S', type: 'string' }])
    expect([next.properties, next.snapshots]).toEqual([{ made: 'anew' }, []])
    expect(await select(warehouse, 'SELECT * FROM T')).toEqual([])
    await expect(table.commit({ batch: batch({ N: 2 }) })).rejects.toThrow('replaced')
    // Whoever reads the old table still can.
    expect(await filesBelow(table.location)).toEqual(expect.arrayContaining([...before]))
    await next.commit({ batch: batch({ S: 'x' }) })
    await warehouse.close()
    place.clock.offsetMs = 2_000
    const reopened = await place.open({ keepMs: 1_000 })
    expect(reopened.table(IDENTIFIER)?.uuid).toBe(next.uuid)
    expect(await select(reopened, 'SELECT S FROM T')).toEqual([['x']])
    const after = await filesBelow(table.location)
    expect(before.filter((name) => name !== 'version-hint.text' && after.includes(name))).toEqual(
      [],
    )
  })

  test('is refused where there is none', async () => {
    const { warehouse } = await place.openWithTable(FIELDS)
    const missing = { ...IDENTIFIER, table: 'X' }
    await expect(warehouse.replaceTable(missing, FIELDS, {})).rejects.toThrow(NotFoundError)
  })

  test('that the disk refuses leaves the old one to be written', async () => {
    const { warehouse, table } = await place.openWithTable(FIELDS)
    await table.commit({ batch: batch({ N: 1 }) })
    watchDisk(({ kind }) => kind === 'link')
    await expect(warehouse.replaceTable(IDENTIFIER, FIELDS, {})).rejects.toThrow(RetriableError)
    vi.restoreAllMocks()
    expect(warehouse.table(IDENTIFIER)).toBe(table)
    await table.commit({ batch: batch({ N: 2 }) })
    expect(table.totalRows()).toBe(2)
  })

  test('that the disk does not confirm is reported as such, with the new table in place', async () => {
    const { warehouse, table } = await place.openWithTable(FIELDS)
    watchDisk(
      ({ kind, file }, before) =>
        kind === 'sync' && file.endsWith('metadata') && before.at(-1)?.kind === 'link',
    )
    const replaced = warehouse.replaceTable(IDENTIFIER, FIELDS, {})
    await expect(replaced).rejects.toThrow(UnconfirmedCommitError)
    vi.restoreAllMocks()
    const fresh = warehouse.table(IDENTIFIER)
    expect(fresh?.uuid).not.toBe(table.uuid)
    await fresh?.commit({ batch: batch({ N: 1 }) })
    expect(fresh?.totalRows()).toBe(1)
  })
})
