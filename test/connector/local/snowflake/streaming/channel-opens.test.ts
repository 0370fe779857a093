import { describe, expect, test } from 'vitest'
import { CHANNELS_MAX } from '../../../../../connector/local/snowflake/streaming/pipe-channels.ts'
import { append, codeOf, makeIngest, open } from '../../../../support/table-ingest.ts'

describe('ChannelOpens', () => {
  test('stores opens that come together by one commit, before it answers any', async () => {
    const stage = await makeIngest()
    const versionBefore = stage.table.version
    await Promise.all(Array.from({ length: 300 }, (_, index) => open(stage, `c${index}`)))
    expect(stage.table.version).toBe(versionBefore + 1)
    stage.restart()
    expect(stage.pipe.get('c299')?.record.clientSequencer).toBe(1)
  })

  test('refuses to open over uncommitted rows when asked to', async () => {
    const stage = await makeIngest()
    const channel = await open(stage)
    append(stage, { token: channel.nextToken() })
    await expect(open(stage, 'c', { failOnUncommittedRows: true })).rejects.toMatchObject({
      status: 409,
      code: 'ERR_CHANNEL_HAS_UNCOMMITTED_DATA',
    })
    await stage.ingest.flush()
    expect((await open(stage, 'c', { failOnUncommittedRows: true })).record.offsetToken).toBe('9')
  })

  test('commits the offset token that an open sets', async () => {
    const stage = await makeIngest()
    await open(stage, 'c', { offsetToken: '5000' })
    stage.restart()
    expect((await open(stage)).record.offsetToken).toBe('5000')
  })

  test('answers 503, keeps nobody writing and says so when an open cannot be stored', async () => {
    const stage = await makeIngest()
    const channel = await open(stage, 'c', { offsetToken: '7' })
    const token = channel.nextToken()
    const next = append(stage, { token })
    stage.warehouse.beforeCommit = () => Promise.reject(new Error('no space left on device'))
    await expect(open(stage, 'c', { offsetToken: '8' })).rejects.toMatchObject({ status: 503 })
    expect(channel.record).toMatchObject({ offsetToken: '7', clientSequencer: 1 })
    expect(channel.statusCode).toBe('ERR_CHANNEL_MUST_BE_REOPENED')
    for (const used of [token, next, channel.nextToken()])
      expect(codeOf(() => append(stage, { token: used }))).toBe(
        '400 STALE_CONTINUATION_TOKEN_SEQUENCER',
      )
    expect(stage.budget.used).toBe(0)
    stage.warehouse.beforeCommit = () => Promise.resolve()
    const again = await open(stage)
    append(stage, { token: again.nextToken() })
    await stage.ingest.flush()
    expect(stage.table.rows).toHaveLength(10)
  })

  test('knows no channel whose first open could not be stored', async () => {
    const stage = await makeIngest()
    stage.warehouse.beforeCommit = () => Promise.reject(new Error('no space left on device'))
    await expect(open(stage)).rejects.toMatchObject({ status: 503 })
    expect(stage.pipe.get('c')).toBeUndefined()
  })

  test('gives a channel to one of those who open it together, and 409 to the others', async () => {
    const stage = await makeIngest()
    const attempts = [open(stage), open(stage, 'C'), open(stage, 'other')]
    const inProgress = { status: 409, code: 'ERR_OPEN_CHANNEL_IN_PROGRESS' }
    await expect(attempts[1]).rejects.toMatchObject(inProgress)
    const channel = await attempts[0]
    await attempts[2]
    expect(channel?.record.clientSequencer).toBe(1)
    expect((await open(stage)).record.clientSequencer).toBe(2)
  })

  test('answers 409 to an open while another one is being stored, and takes the next', async () => {
    const stage = await makeIngest()
    let meanwhile: Promise<unknown> | undefined
    stage.warehouse.beforeCommit = () => {
      meanwhile ??= open(stage).catch((error: unknown) => error)
      return Promise.resolve()
    }
    const first = (await open(stage)).nextToken()
    expect(await meanwhile).toMatchObject({ status: 409, code: 'ERR_OPEN_CHANNEL_IN_PROGRESS' })
    const second = await open(stage)
    expect(second.nextToken()).not.toBe(first)
    expect(codeOf(() => append(stage, { token: first }))).toBe(
      '400 STALE_CONTINUATION_TOKEN_SEQUENCER',
    )
  })

  test('takes an open again after one that could not be stored', async () => {
    const stage = await makeIngest()
    stage.warehouse.beforeCommit = () => Promise.reject(new Error('no space left on device'))
    await expect(open(stage)).rejects.toMatchObject({ status: 503 })
    stage.warehouse.beforeCommit = () => Promise.resolve()
    expect((await open(stage)).statusCode).toBe('SUCCESS')
  })

  test('refuses to open over rows that came while the open waited for its turn', async () => {
    const stage = await makeIngest()
    const channel = await open(stage)
    const opening = stage.ingest.exclusive(() => {
      const result = open(stage, 'c', { failOnUncommittedRows: true })
      append(stage, { token: channel.nextToken() })
      return Promise.resolve({ result })
    })
    await expect((await opening).result).rejects.toMatchObject({
      status: 409,
      code: 'ERR_CHANNEL_HAS_UNCOMMITTED_DATA',
    })
    await stage.ingest.flush()
    expect(stage.table.rows).toHaveLength(10)
  })

  test('opens no more channels of a pipe than Snowflake, also together', async () => {
    const stage = await makeIngest()
    const opens = Array.from({ length: CHANNELS_MAX + 1 }, (_, index) => open(stage, `c${index}`))
    const results = await Promise.allSettled(opens)
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(CHANNELS_MAX)
    expect(results.at(-1)).toMatchObject({ reason: { status: 400, code: 'ERR_TOO_MANY_CHANNELS' } })
    expect(stage.pipe.all()).toHaveLength(CHANNELS_MAX)
  })
})
