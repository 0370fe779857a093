import { expect, test, vi } from 'vitest'
import { RetriableError } from '../../../../../connector/api/errors.ts'
import { UnconfirmedCommitError } from '../../../../../connector/local/iceberg/types.ts'
import { makeSql, type SqlStage } from '../../../../support/snowflake-sql.ts'

const T = { database: 'DB', schema: 'S', table: 'T' }
const columns = ({ warehouse }: SqlStage): readonly string[] | undefined =>
  warehouse.table(T)?.schema.fields.map(({ name }) => name)

test('CREATE OR REPLACE TABLE that cannot be written leaves the old table', async () => {
  const stage = await makeSql()
  await stage.execute('create table t (a int)')
  vi.spyOn(stage.warehouse, 'replaceTable').mockRejectedValueOnce(new RetriableError('Disk full.'))
  await expect(stage.execute('create or replace table t (b int)')).rejects.toThrow('Disk full.')
  expect(columns(stage)).toEqual(['A'])
  await stage.execute('create or replace table t (b int)')
  expect(columns(stage)).toEqual(['B'])
})

test('CREATE OR REPLACE TABLE that the disk did not confirm fails, and the new table is in its place', async () => {
  const stage = await makeSql()
  await stage.execute('create table t (a int)')
  const replace = stage.warehouse.replaceTable.bind(stage.warehouse)
  vi.spyOn(stage.warehouse, 'replaceTable').mockImplementationOnce(async (...args) => {
    await replace(...args)
    throw new UnconfirmedCommitError('Not confirmed.')
  })
  await expect(stage.execute('create or replace table t (b int)')).rejects.toThrow('Not confirmed.')
  expect(columns(stage)).toEqual(['B'])
})
