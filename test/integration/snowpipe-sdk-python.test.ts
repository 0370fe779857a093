// Snowflake's own Python SDK, unchanged, against the local endpoint.
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { LineProgram } from '../support/line-program.ts'
import { describeWithModule } from '../support/python-module.ts'
import { makeSdkStage, ROWSET_MODE, type SdkStage } from '../support/snowpipe-sdk.ts'

const upTo = (end: number): readonly number[] => Array.from({ length: end + 1 }, (_, n) => n)

describeWithModule('snowflake.ingest.streaming', 'the Python SDK', () => {
  let stage: SdkStage
  let sdk: LineProgram
  let channels = 0

  beforeAll(async () => {
    stage = await makeSdkStage()
    sdk = stage.program()
    await sdk.run(stage.client('main', ROWSET_MODE))
    await sdk.run(stage.client('files'))
  })
  afterAll(() => stage.close())
  afterEach(() => stage.clearFaults())

  const newChannel = (): string => `c${++channels}`
  const numbersOf = async (channel: string): Promise<readonly unknown[]> =>
    (await stage.driver.execute('SELECT N FROM T WHERE C = ? ORDER BY N', [channel])).map(
      (row) => row['N'],
    )
  const statusOf = async (client: string, channel: string): Promise<Record<string, unknown>> =>
    ((await sdk.run({ op: 'status', client, channels: [channel] })) as Record<string, never>)[
      channel
    ] ?? {}

  test('opens, appends, flushes, sees its commit and its status, and drops', async () => {
    const channel = newChannel()
    const opened = await sdk.run({ op: 'open', client: 'main', channels: [channel] })
    expect(opened).toMatchObject({ [channel]: { code: 'SUCCESS', committed: null, inserted: 0 } })
    await sdk.run({ op: 'append', client: 'main', channels: [channel], start: 0, end: 99 })
    await sdk.run({ op: 'flush', client: 'main' })
    await sdk.run({ op: 'commit', client: 'main', channels: [channel], token: '99' })
    expect(await statusOf('main', channel)).toMatchObject({
      code: 'SUCCESS',
      committed: '99',
      inserted: 100,
      parsed: 100,
      errors: 0,
    })
    expect(await numbersOf(channel)).toEqual(upTo(99))
    await sdk.run({ op: 'close_channel', client: 'main', channel })
    await sdk.run({ op: 'drop', client: 'main', channel })
    const again = await sdk.run({ op: 'open', client: 'main', channels: [channel] })
    expect(again).toMatchObject({ [channel]: { committed: null, inserted: 0 } })
  })

  test('reopens at its committed token, and an offset token given at open becomes it', async () => {
    const channel = newChannel()
    await sdk.run({ op: 'open', client: 'main', channels: [channel], offset_token: '41' })
    await sdk.run({ op: 'append', client: 'main', channels: [channel], start: 42, end: 50 })
    await sdk.run({ op: 'commit', client: 'main', channels: [channel], token: '50' })
    await sdk.run({ op: 'close_channel', client: 'main', channel })
    const again = await sdk.run({ op: 'open', client: 'main', channels: [channel] })
    expect(again).toMatchObject({ [channel]: { committed: '50', inserted: 9 } })
  })

  test('is fenced by another process that opens its channel', async () => {
    const channel = newChannel()
    await sdk.run(stage.client('fenced', ROWSET_MODE))
    const first = { client: 'fenced', channels: [channel] }
    await sdk.run({ op: 'open', ...first })
    await sdk.run({ op: 'append', ...first, start: 0, end: 9 })
    await sdk.run({ op: 'commit', ...first, token: '9' })
    const other = stage.program()
    await other.run(stage.client('other'))
    const second = { client: 'other', channels: [channel] }
    expect(await other.run({ op: 'open', ...second })).toMatchObject({
      [channel]: { committed: '9' },
    })
    await sdk.run({ op: 'append', ...first, start: 10, end: 19 })
    const flushed = await sdk.ask({ op: 'flush', client: 'fenced' })
    expect(flushed.error?.text).toContain('STALE_CONTINUATION_TOKEN_SEQUENCER')
    const refused = await sdk.ask({ op: 'append', ...first, start: 20, end: 29 })
    expect(refused.error).toMatchObject({ status: 409 })
    await other.run({ op: 'append', ...second, start: 10, end: 19 })
    await other.run({ op: 'commit', ...second, token: '19' })
    expect(await numbersOf(channel)).toEqual(upTo(19))
  })

  test('learns of refused rows from the status, while the token moves on', async () => {
    const channel = newChannel()
    await sdk.run({ op: 'open', client: 'main', channels: [channel] })
    const rows = [{ C: channel, N: 0 }, { N: 1 }, { C: channel, N: 'two' }, { C: channel, N: 3 }]
    const given = { client: 'main', channel, rows, start: '0', end: '3' }
    await sdk.run({ op: 'append_raw', ...given })
    await sdk.run({ op: 'commit', client: 'main', channels: [channel], token: '3' })
    expect(await statusOf('main', channel)).toMatchObject({
      inserted: 2,
      parsed: 4,
      errors: 2,
      last_error_bound: '3',
    })
    expect(await numbersOf(channel)).toEqual([0, 3])
  })

  test('uploads large flushes as files, every row in once, rowsets in between', async () => {
    const channel = newChannel()
    const main = { client: 'files', channels: [channel] }
    await sdk.run({ op: 'open', ...main })
    await sdk.run({ op: 'append', ...main, start: 0, end: 9 })
    await sdk.run({ op: 'flush', client: 'files' })
    const pad = 'x'.repeat(300)
    await sdk.run({ op: 'append', ...main, start: 10, end: 29_999, pad })
    await sdk.run({ op: 'flush', client: 'files' })
    await sdk.run({ op: 'append', ...main, start: 30_000, end: 30_009 })
    await sdk.run({ op: 'commit', ...main, token: '30009', timeout: 60 })
    const [row] = await stage.driver.execute(
      'SELECT COUNT(*) AS ROWS_IN, COUNT(DISTINCT N) AS NUMBERS, MAX(N) AS LAST FROM T WHERE C = ?',
      [channel],
    )
    expect(row).toEqual({ ROWS_IN: 30_010, NUMBERS: 30_010, LAST: 30_009 })
  }, 90_000)

  test('gets its rows in once though answers to files and rows are lost', async () => {
    const pad = 'y'.repeat(300)
    for (const [client, path] of [
      ['files', '/filebuffer'],
      ['main', '/rows'],
    ] as const) {
      const channel = newChannel()
      const target = { client, channels: [channel] }
      await sdk.run({ op: 'open', ...target })
      await stage.fault({ kind: 'lost', match: { channel, path } })
      await sdk.run({ op: 'append', ...target, start: 0, end: 4_999, pad })
      await sdk.run({ op: 'commit', ...target, token: '4999', timeout: 60 })
      expect(await numbersOf(channel)).toEqual(upTo(4_999))
      expect(await stage.faultsLeft()).toEqual([])
    }
  }, 90_000)

  test('writes 300 channels at once', async () => {
    const names = Array.from({ length: 300 }, (_, index) => `many${index}`)
    const many = { client: 'main', channels: names }
    await sdk.run({ op: 'open', ...many })
    await sdk.run({ op: 'append', ...many, start: 0, end: 9 })
    await sdk.run({ op: 'flush', client: 'main' })
    await sdk.run({ op: 'commit_all', ...many, token: '9', timeout: 60 })
    const rows = await stage.driver.execute(
      "SELECT COUNT(*) AS ROWS_IN, COUNT(DISTINCT C) AS CHANNELS FROM T WHERE C LIKE 'many%'",
    )
    expect(rows).toEqual([{ ROWS_IN: 3_000, CHANNELS: 300 }])
    expect(Object.keys((await sdk.run({ op: 'status', ...many })) as object)).toHaveLength(300)
  }, 120_000)

  test('goes on by itself after faults that pass', async () => {
    const faults: Readonly<Record<string, object>> = {
      throttled: { kind: 'status', status: 429, count: 2 },
      timedOut: { kind: 'status', status: 408 },
      serverError: { kind: 'status', status: 500 },
      unavailable: { kind: 'status', status: 503, count: 2 },
      badGateway: { kind: 'status', status: 502 },
      noRoute: { kind: 'not-found' },
      unauthorized: { kind: 'status', status: 401, code: '390303' },
      forbidden: { kind: 'status', status: 403, code: '390303' },
      slow: { kind: 'slow', ms: 500 },
    }
    const names = Object.keys(faults)
    const all = { client: 'main', channels: names }
    await sdk.run({ op: 'open', ...all })
    for (const channel of names)
      await stage.fault({ ...faults[channel], match: { channel, path: '/rows' } })
    await sdk.run({ op: 'append', ...all, start: 0, end: 9 })
    await sdk.run({ op: 'commit_all', ...all, token: '9' })
    expect(await stage.faultsLeft()).toEqual([])
    for (const channel of names)
      expect([channel, await numbersOf(channel)]).toEqual([channel, upTo(9)])
  }, 60_000)

  test('goes on by itself when its tokens expire', async () => {
    const channel = newChannel()
    const target = { client: 'main', channels: [channel] }
    await sdk.run({ op: 'open', ...target })
    await stage.fault({ kind: 'expire-tokens' })
    await sdk.run({ op: 'append', ...target, start: 0, end: 9 })
    await sdk.run({ op: 'commit', ...target, token: '9' })
    expect(await numbersOf(channel)).toEqual(upTo(9))
  })

  test('is told when a channel is no more, and loses nothing when it reopens it', async () => {
    const faults: Readonly<Record<string, object>> = {
      badRequest: { kind: 'status', status: 400, code: 'ERR_INVALID_PAYLOAD' },
      conflict: { kind: 'status', status: 409, code: 'ERR_CHANNEL_MUST_BE_REOPENED' },
      tooLarge: { kind: 'status', status: 413 },
      noChannel: {
        kind: 'status',
        status: 404,
        code: 'ERR_CHANNEL_DOES_NOT_EXIST_OR_IS_NOT_AUTHORIZED',
      },
      invalidated: { kind: 'invalidate' },
      zombie: { kind: 'zombie-open' },
    }
    const names = Object.keys(faults)
    const all = { client: 'main', channels: names }
    await sdk.run({ op: 'open', ...all })
    await sdk.run({ op: 'append', ...all, start: 0, end: 9 })
    await sdk.run({ op: 'commit_all', ...all, token: '9' })
    for (const channel of names)
      await stage.fault({ ...faults[channel], match: { channel, path: '/rows' } })
    await sdk.run({ op: 'append', ...all, start: 10, end: 19 })
    for (const channel of names) {
      const one = { client: 'main', channels: [channel] }
      const waited = await sdk.ask({ op: 'commit', ...one, token: '19', timeout: 15 })
      expect([channel, waited.error?.status]).toEqual([channel, 409])
      await sdk.run({ op: 'close_channel', client: 'main', channel })
      const again = await sdk.run({ op: 'open', ...one })
      expect(again).toMatchObject({ [channel]: { committed: '9' } })
    }
    await sdk.run({ op: 'append', ...all, start: 10, end: 19 })
    await sdk.run({ op: 'commit_all', ...all, token: '19' })
    for (const channel of names)
      expect([channel, await numbersOf(channel)]).toEqual([channel, upTo(19)])
  }, 60_000)

  test('takes a new client after a pipe failed over', async () => {
    const channel = newChannel()
    await sdk.run(stage.client('over'))
    const target = { client: 'over', channels: [channel] }
    await sdk.run({ op: 'open', ...target })
    await stage.fault({ kind: 'gone', match: { channel, path: '/rows' } })
    await sdk.run({ op: 'append', ...target, start: 0, end: 9 })
    const waited = await sdk.ask({ op: 'commit', ...target, token: '9', timeout: 15 })
    expect(waited.error).toBeDefined()
    await sdk.ask({ op: 'close', client: 'over' })
    await sdk.run(stage.client('after'))
    const after = { client: 'after', channels: [channel] }
    expect(await sdk.run({ op: 'open', ...after })).toMatchObject({
      [channel]: { committed: null },
    })
    await sdk.run({ op: 'append', ...after, start: 0, end: 9 })
    await sdk.run({ op: 'commit', ...after, token: '9' })
    expect(await numbersOf(channel)).toEqual(upTo(9))
  })

  test('waits for rows of its channel’s former life before it opens it', async () => {
    const channel = newChannel()
    const target = { client: 'main', channels: [channel] }
    await sdk.run({ op: 'open', ...target })
    await stage.fault({ kind: 'delay-commit', match: { table: 'DB.S.T' }, ms: 2_000 })
    await sdk.run({ op: 'append', ...target, start: 0, end: 9 })
    await sdk.run({ op: 'flush', client: 'main' })
    await sdk.run({ op: 'close_channel', client: 'main', channel })
    expect(await sdk.run({ op: 'open', ...target })).toMatchObject({
      [channel]: { committed: '9' },
    })
  }, 60_000)

  test('is refused a table that is not there at once', async () => {
    const answer = await sdk.ask({ ...stage.client('none'), pipe: 'NONE-STREAMING' })
    expect(answer.error?.text).toContain('ERR_PIPE_DOES_NOT_EXIST_OR_NOT_AUTHORIZED')
  })

  test('closes, its telemetry taken', async () => {
    expect(await sdk.run({ op: 'close', client: 'files', wait: true })).toBe(true)
  })
})
