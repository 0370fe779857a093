import { describe, expect, test } from 'vitest'
import { ByteBudget } from '../../../../../connector/local/snowflake/streaming/byte-budget.ts'
import { settled } from '../../../../support/fake-clock.ts'
import { append, codeOf, makeIngest, open, rowsOf } from '../../../../support/table-ingest.ts'

describe('TableIngest', () => {
  test('makes rows and tokens of all channels visible by one commit', async () => {
    const stage = await makeIngest()
    const [a, b] = await Promise.all([open(stage, 'a'), open(stage, 'b')])
    append(stage, { name: 'a', token: a.nextToken(), end: '9' })
    append(stage, { name: 'b', token: b.nextToken(), end: '19', bytes: rowsOf('b', 10, 19) })
    const versionBefore = stage.table.version
    await stage.ingest.flush()
    expect(stage.table.version).toBe(versionBefore + 1)
    expect(stage.table.rows).toHaveLength(20)
    expect(stage.table.currentSnapshot()?.summary).toEqual({
      'snowpipe.offsets': '{"a":"9","b":"19"}',
    })
    expect(a.record).toMatchObject({ offsetToken: '9', rowsInserted: 10, rowsParsed: 10 })
  })

  test('tells a client after a restart, by the status, that it must open its channel again', async () => {
    const stage = await makeIngest()
    const channel = await open(stage)
    append(stage, { token: channel.nextToken() })
    stage.restart()
    expect(stage.pipe.get('c')?.statusCode).toBe('ERR_CHANNEL_MUST_BE_REOPENED')
    expect((await open(stage)).statusCode).toBe('SUCCESS')
  })

  test('takes a repeated append once', async () => {
    const stage = await makeIngest()
    const channel = await open(stage)
    const token = channel.nextToken()
    const next = append(stage, { token })
    expect(append(stage, { token })).toBe(next)
    await stage.ingest.flush()
    expect(append(stage, { token })).toBe(next)
    await stage.ingest.flush()
    expect(stage.table.rows).toHaveLength(10)
  })

  test('invalidates the channel of an append that skips another', async () => {
    const stage = await makeIngest()
    const before = await makeIngest()
    const channel = await open(stage)
    const ahead = await open(before)
    append(before, { token: ahead.nextToken() })
    expect(codeOf(() => append(stage, { token: ahead.nextToken() }))).toBe(
      '400 STALE_CONTINUATION_TOKEN_SEQUENCER',
    )
    const [, , , nonce] = JSON.parse(
      Buffer.from(channel.nextToken(), 'base64url').toString('utf8'),
    ) as readonly unknown[]
    const skipping = Buffer.from(JSON.stringify(['c', 1, 5, nonce])).toString('base64url')
    expect(codeOf(() => append(stage, { token: skipping }))).toBe(
      '400 ERR_CHANNEL_MUST_BE_REOPENED_DUE_TO_ROW_SEQ_GAP',
    )
    expect(channel.statusCode).toBe('ERR_CHANNEL_MUST_BE_REOPENED_DUE_TO_ROW_SEQ_GAP')
    expect(codeOf(() => append(stage, { token: channel.nextToken() }))).toBe(
      '400 STALE_CONTINUATION_TOKEN_SEQUENCER',
    )
    await open(stage)
    expect(channel.statusCode).toBe('SUCCESS')
  })

  test('lets a reopen wait for the commit under way, and discards only what came later', async () => {
    const stage = await makeIngest()
    const channel = await open(stage)
    let release: (() => void) | undefined
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    append(stage, { token: channel.nextToken(), end: '9' })
    stage.warehouse.beforeCommit = () => held
    const flushed = stage.ingest.flush()
    await settled()
    append(stage, { token: channel.nextToken(), end: '19', bytes: rowsOf('c', 10, 19) })
    const reopened = open(stage)
    release?.()
    await flushed
    expect((await reopened).record.offsetToken).toBe('9')
    await stage.ingest.flush()
    expect(stage.table.rows).toHaveLength(10)
    expect(stage.budget.used).toBe(0)
  })

  test('keeps the committed token when an append names none', async () => {
    const stage = await makeIngest()
    const channel = await open(stage, 'c', { offsetToken: '3' })
    append(stage, { token: channel.nextToken(), end: null })
    await stage.ingest.flush()
    expect(channel.record).toMatchObject({ offsetToken: '3', rowsInserted: 10 })
  })

  test('advances the token over bad rows, counts them and logs them', async () => {
    const stage = await makeIngest()
    const channel = await open(stage)
    const lines = ['{"C":"c","N":1}', '{"N":2}', 'no json', '{"C":"c","M":1}', '{"C":"c","N":2}']
    append(stage, { token: channel.nextToken(), bytes: Buffer.from(lines.join('\n')), end: '4' })
    await stage.ingest.flush()
    expect(stage.table.rows).toEqual([
      { C: 'c', N: 1 },
      { C: 'c', N: 2 },
    ])
    expect(channel.record).toMatchObject({
      offsetToken: '4',
      rowsParsed: 5,
      rowsInserted: 2,
      rowsErrors: 3,
      lastError: {
        message: "The table has no column for the key 'M'",
        offsetUpperBound: '4',
        timestampMs: 1_000_000,
      },
    })
    expect(stage.errors.map(({ message, data }) => [message, data])).toEqual([
      ['NULL result in a non-nullable column C', '{"N":2}'],
      [expect.stringContaining('Error parsing JSON'), 'no json'],
      ["The table has no column for the key 'M'", '{"C":"c","M":1}'],
    ])
  })

  test('commits the token of a request whose rows are all bad', async () => {
    const stage = await makeIngest()
    const channel = await open(stage)
    append(stage, { token: channel.nextToken(), bytes: Buffer.from('{}\n'), end: '0' })
    await stage.ingest.flush()
    expect(stage.table.snapshots).toHaveLength(0)
    stage.restart()
    expect((await open(stage)).record).toMatchObject({ offsetToken: '0', rowsErrors: 1 })
  })

  test('finds the rows that only the engine refuses, and commits the others', async () => {
    const stage = await makeIngest()
    const [a, b] = await Promise.all([open(stage, 'a'), open(stage, 'b')])
    stage.warehouse.rejects = (row) => row['N'] === 3 || row['N'] === 17
    append(stage, { name: 'a', token: a.nextToken(), end: '9', bytes: rowsOf('a', 0, 9) })
    append(stage, { name: 'b', token: b.nextToken(), end: '19', bytes: rowsOf('b', 10, 19) })
    await stage.ingest.flush()
    expect(stage.table.rows.map((row) => row['N'])).toEqual(
      Array.from({ length: 20 }, (_, n) => n).filter((n) => n !== 3 && n !== 17),
    )
    expect(a.record).toMatchObject({ offsetToken: '9', rowsInserted: 9, rowsErrors: 1 })
    expect(b.record).toMatchObject({ offsetToken: '19', rowsInserted: 9, rowsErrors: 1 })
    expect(stage.errors.map(({ data }) => data)).toEqual([
      '{"C":"a","N":3}\n',
      '{"C":"b","N":17}\n',
    ])
    const scratch = stage.warehouse
      .schemas('_SNOWPIPE_SCRATCH')
      .flatMap((schema) => stage.warehouse.tables('_SNOWPIPE_SCRATCH', schema))
    expect(scratch).toEqual([])
  })

  test('ends even when the engine refuses rows that it took alone', async () => {
    const stage = await makeIngest()
    const channel = await open(stage)
    append(stage, { token: channel.nextToken() })
    let first = true
    stage.warehouse.rejects = () => {
      const table = first
      first = false
      return table
    }
    stage.warehouse.beforeCommit = (table, rows) => {
      if (table.identifier.table === 'T' && rows.length > 0) first = true
      return Promise.resolve()
    }
    await stage.ingest.flush()
    expect(channel.record).toMatchObject({ offsetToken: '9', rowsInserted: 0, rowsErrors: 10 })
  })

  test('tries the same rows again, in their order, after a commit that failed', async () => {
    const stage = await makeIngest()
    const channel = await open(stage)
    append(stage, { token: channel.nextToken(), end: '4', bytes: rowsOf('c', 0, 4) })
    stage.warehouse.beforeCommit = () => {
      // While the commit is under way, so that the next rows wait behind those that it gives back.
      append(stage, { token: channel.nextToken(), end: '9', bytes: rowsOf('c', 5, 9) })
      return Promise.reject(new Error('no space left on device'))
    }
    await expect(stage.ingest.flush()).rejects.toThrow('no space')
    expect(channel.record.offsetToken).toBeNull()
    stage.warehouse.beforeCommit = () => Promise.resolve()
    await stage.ingest.flush()
    expect(stage.table.rows.map((row) => row['N'])).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    expect(channel.record.offsetToken).toBe('9')
  })

  test('refuses an append older than the last instead of acknowledging rows that it does not take', async () => {
    const stage = await makeIngest()
    const channel = await open(stage)
    const token = channel.nextToken()
    append(stage, { token })
    const next = append(stage, { token: channel.nextToken(), bytes: rowsOf('c', 10, 19) })
    expect(codeOf(() => append(stage, { token, bytes: rowsOf('c', 90, 99) }))).toBe(
      '400 STALE_CONTINUATION_TOKEN_SEQUENCER',
    )
    // A request that was on its way for long must not stop the writer that went on.
    append(stage, { token: next, bytes: rowsOf('c', 20, 29) })
    await stage.ingest.flush()
    expect(stage.table.rows).toHaveLength(30)
  })

  test('refuses what it cannot hold with 429, without using up the token', async () => {
    const stage = await makeIngest({ tableBudget: () => new ByteBudget(300) })
    const channel = await open(stage)
    append(stage, { token: channel.nextToken(), end: '9' })
    const token = channel.nextToken()
    expect(codeOf(() => append(stage, { token, end: '19', bytes: rowsOf('c', 10, 29) }))).toBe(
      '429 ERR_TOO_MANY_UNCOMMITTED_BYTES',
    )
    await stage.ingest.flush()
    append(stage, { token, end: '29', bytes: rowsOf('c', 10, 29) })
    await stage.ingest.flush()
    expect(stage.table.rows).toHaveLength(30)
    expect(stage.budget.used).toBe(0)
  })

  test('paces a channel at its requests a second', async () => {
    const stage = await makeIngest({ limits: { requestsPerSecond: 2, bytesPerSecond: 10_000 } })
    const channel = await open(stage)
    append(stage, { token: channel.nextToken() })
    append(stage, { token: channel.nextToken() })
    const token = channel.nextToken()
    expect(codeOf(() => append(stage, { token }))).toBe('429 ERR_CHANNEL_THROTTLED')
    await stage.clock.advance(500)
    expect(append(stage, { token })).not.toBe(token)
  })

  test('paces repeats of one token too, and refused tokens, each call once', async () => {
    const stage = await makeIngest({ limits: { requestsPerSecond: 3, bytesPerSecond: 10_000 } })
    const channel = await open(stage)
    const first = channel.nextToken()
    const call = (continuationToken: string): string | undefined =>
      stage.ingest.repeatOf(stage.pipe, 'c', { continuationToken, bytes: 1 })
    expect(call(first)).toBeUndefined()
    const next = append(stage, { token: first })
    expect(call(first)).toBe(next)
    expect(codeOf(() => call('none'))).toBe('400 ERR_INVALID_CONTINUATION_TOKEN')
    expect(codeOf(() => call(first))).toBe('429 ERR_CHANNEL_THROTTLED')
    expect(codeOf(() => call('none'))).toBe('429 ERR_CHANNEL_THROTTLED')
    await stage.clock.advance(1_000)
    expect(call(first)).toBe(next)
  })

  test('forgets a dropped channel with its token', async () => {
    const stage = await makeIngest()
    const channel = await open(stage, 'c', { offsetToken: '7' })
    const token = channel.nextToken()
    await stage.ingest.drop(stage.pipe, 'c', false)
    expect(codeOf(() => append(stage, { token }))).toBe(
      '404 ERR_CHANNEL_DOES_NOT_EXIST_OR_IS_NOT_AUTHORIZED',
    )
    const again = await open(stage)
    expect(again.record).toMatchObject({ offsetToken: null, clientSequencer: 1 })
    expect(codeOf(() => append(stage, { token }))).toBe('400 STALE_CONTINUATION_TOKEN_SEQUENCER')
  })

  test('flushes before a change of the table and checks later rows against the new columns', async () => {
    const stage = await makeIngest()
    const channel = await open(stage)
    append(stage, { token: channel.nextToken(), end: '9' })
    await stage.ingest.exclusive(() => {
      expect(stage.table.rows).toHaveLength(10)
      return stage.table.updateSchema([
        { kind: 'add', parent: [], field: { name: 'M', required: false, type: 'int' } },
      ])
    })
    append(stage, { token: channel.nextToken(), bytes: Buffer.from('{"C":"c","M":1}\n') })
    await stage.ingest.flush()
    expect(stage.table.rows.at(-1)).toEqual({ C: 'c', M: 1 })
  })

  test('takes rows of the elastic channel without tokens', async () => {
    const stage = await makeIngest()
    stage.ingest.appendElastic(stage.pipe, rowsOf('e', 0, 4))
    await stage.ingest.flush()
    expect(stage.table.rows).toHaveLength(5)
    expect(stage.pipe.get('ELASTIC')?.record).toMatchObject({ rowsInserted: 5, offsetToken: null })
  })
})
