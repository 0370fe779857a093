import fs from 'node:fs/promises'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { RetriableError } from '../../../../connector/api/errors.ts'
import { UnconfirmedCommitError } from '../../../../connector/local/iceberg/types.ts'
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

describe('the disk', () => {
  test('has the rows and all that names them before a version is visible, and the version before it counts', async () => {
    const { table } = await place.openWithTable(FIELDS)
    const steps = watchDisk(() => false)
    await table.commit({ batch: batch({ N: 1 }) })
    const shown = steps.map(({ kind, file }) => `${kind} ${path.relative(table.location, file)}`)
    const link = shown.indexOf('link metadata/v2.metadata.json')
    expect(link).toBeGreaterThan(0)
    const before = shown.slice(0, link)
    for (const folder of ['data', 'metadata']) {
      const last = before.lastIndexOf(`sync ${folder}`)
      expect(last).toBeGreaterThan(0)
      const files = before.flatMap((step, index) =>
        step.startsWith(`sync ${folder}/`) && /\.(parquet|avro)$/.test(step) ? [index] : [],
      )
      expect(files.length).toBeGreaterThan(0)
      expect(Math.max(...files)).toBeLessThan(last)
    }
    expect(shown.slice(link + 1)).toContain('sync metadata')
  })

  test('that does not confirm a visible version has the commit reported as such, with its rows in the table', async () => {
    const { table } = await place.openWithTable(FIELDS)
    watchDisk(
      ({ kind, file }, before) =>
        kind === 'sync' && file.endsWith('metadata') && before.at(-1)?.kind === 'link',
    )
    const commit = { batch: batch({ N: 1 }), properties: { token: '1' } }
    await expect(table.commit(commit)).rejects.toThrow(UnconfirmedCommitError)
    vi.restoreAllMocks()
    expect(table.totalRows()).toBe(1)
    expect(table.properties['token']).toBe('1')
    await table.commit({ batch: batch({ N: 2 }) })
    expect(table.totalRows()).toBe(2)
  })

  test('that fails before a version is visible leaves the table as it was', async () => {
    const { table } = await place.openWithTable(FIELDS)
    watchDisk(({ kind, file }) => kind === 'sync' && file.endsWith('metadata'))
    const failed = table.commit({ batch: batch({ N: 1 }) })
    await expect(failed).rejects.toThrow(RetriableError)
    vi.restoreAllMocks()
    expect([table.version, table.totalRows()]).toEqual([1, 0])
    await table.commit({ batch: batch({ N: 2 }) })
    expect(table.totalRows()).toBe(1)
  })

  test('that refuses to move a table away leaves it to be written', async () => {
    const { warehouse, table } = await place.openWithTable(FIELDS)
    vi.spyOn(fs, 'rename').mockRejectedValueOnce(new Error('EIO: i/o error'))
    await expect(warehouse.dropTable(IDENTIFIER)).rejects.toThrow('EIO')
    expect(warehouse.table(IDENTIFIER)).toBe(table)
    await table.commit({ batch: batch({ N: 1 }) })
    expect(table.totalRows()).toBe(1)
    await warehouse.dropTable(IDENTIFIER)
    expect(warehouse.table(IDENTIFIER)).toBeUndefined()
  })
})
