import { describe, expect, test } from 'vitest'
import { UnconfirmedCommitError } from '../../../../../connector/local/iceberg/types.ts'
import { append, makeIngest, open, rowsOf } from '../../../../support/table-ingest.ts'

const unconfirmed = (): Promise<never> =>
  Promise.reject(new UnconfirmedCommitError('Visible, but the disk did not confirm it.'))

describe('TableIngest, when the disk does not confirm a commit that is visible,', () => {
  test('reports it and does not write the rows again', async () => {
    const stage = await makeIngest()
    const channel = await open(stage)
    append(stage, { token: channel.nextToken(), end: '9' })
    stage.warehouse.afterCommit = unconfirmed
    await expect(stage.ingest.flush()).rejects.toThrow(UnconfirmedCommitError)
    expect(channel.record).toMatchObject({ offsetToken: '9', rowsInserted: 10 })
    expect(channel.hasUncommittedRows).toBe(false)
    expect(stage.budget.used).toBe(0)
    stage.warehouse.afterCommit = () => Promise.resolve()
    await stage.ingest.flush()
    append(stage, { token: channel.nextToken(), end: '19', bytes: rowsOf('c', 10, 19) })
    await stage.ingest.flush()
    expect(stage.table.rows.map((row) => row['N'])).toEqual(Array.from({ length: 20 }, (_, n) => n))
  })

  test('has the channel opened again, with the token that the table has', async () => {
    const stage = await makeIngest()
    await open(stage, 'c', { offsetToken: '7' })
    stage.warehouse.afterCommit = unconfirmed
    await expect(open(stage, 'c', { offsetToken: '8' })).rejects.toMatchObject({ status: 503 })
    stage.warehouse.afterCommit = () => Promise.resolve()
    expect(stage.pipe.get('c')?.statusCode).toBe('ERR_CHANNEL_MUST_BE_REOPENED')
    expect((await open(stage)).record).toMatchObject({ offsetToken: '8', clientSequencer: 3 })
  })

  test('has forgotten the dropped channel', async () => {
    const stage = await makeIngest()
    await open(stage)
    stage.warehouse.afterCommit = unconfirmed
    await expect(stage.ingest.drop(stage.pipe, 'c', false)).rejects.toMatchObject({ status: 503 })
    expect(stage.pipe.get('c')).toBeUndefined()
  })
})
