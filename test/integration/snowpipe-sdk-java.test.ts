// Snowflake's own Java SDK, unchanged, over HTTP.
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ensureJars } from '../../tools/java-env.mjs'
import { LineProgram } from '../support/line-program.ts'
import { describeWith, ROOT } from '../support/needs.ts'
import { makeSdkStage, type SdkStage } from '../support/snowpipe-sdk.ts'

const upTo = (end: number): readonly number[] => Array.from({ length: end + 1 }, (_, n) => n)

describeWith(['java'], 'the Java SDK', () => {
  let stage: SdkStage
  let sdk: LineProgram

  beforeAll(async () => {
    stage = await makeSdkStage()
    const program = path.join(ROOT, 'test/integration/java/snowpipe/Session.java')
    sdk = new LineProgram('java', ['-cp', `${ensureJars('snowpipe')}/*`, program], {
      SS_LOG_LEVEL: 'error',
    })
    await sdk.run({
      op: 'client',
      account: 'local',
      user: 'pipe',
      role: 'SYSADMIN',
      url: stage.snowflake.httpUrl,
      private_key: stage.privateKeyPem.replaceAll(/-----[^-]+-----|\s/g, ''),
    })
  }, 120_000)
  afterAll(async () => {
    await sdk.close()
    await stage.close()
  })

  const numbersOf = async (channel: string): Promise<readonly unknown[]> =>
    (await stage.driver.execute('SELECT N FROM T WHERE C = ? ORDER BY N', [channel])).map(
      (row) => row['N'],
    )

  test('opens, appends, commits, reopens at its token and drops', async () => {
    const channel = 'java0'
    expect(await sdk.run({ op: 'open', channel })).toMatchObject({ committed: null, inserted: 0 })
    await sdk.run({ op: 'append', channel, start: 0, end: 9_999, pad: 'p'.repeat(300) })
    await sdk.run({ op: 'commit', channel, token: '9999' })
    expect(await numbersOf(channel)).toEqual(upTo(9_999))
    await sdk.run({ op: 'close_channel', channel })
    const again = await sdk.run({ op: 'open', channel })
    expect(again).toMatchObject({ committed: '9999', inserted: 10_000, errors: 0 })
    await sdk.run({ op: 'close_channel', channel })
    await sdk.run({ op: 'drop', channel })
    expect(await sdk.run({ op: 'open', channel })).toMatchObject({ committed: null, inserted: 0 })
  }, 60_000)

  test('goes on after faults and a lost answer, every row in once', async () => {
    for (const [channel, fault] of [
      ['java1', { kind: 'status', status: 503 }],
      ['java2', { kind: 'lost' }],
      ['java3', { kind: 'status', status: 401, code: '390303' }],
    ] as const) {
      await sdk.run({ op: 'open', channel })
      await stage.fault({ ...fault, match: { channel, path: '/rows' } })
      await sdk.run({ op: 'append', channel, start: 0, end: 99 })
      await sdk.run({ op: 'commit', channel, token: '99' })
      expect([channel, await numbersOf(channel)]).toEqual([channel, upTo(99)])
    }
  }, 60_000)

  test('is fenced by another open and goes on from the committed token when it reopens', async () => {
    const channel = 'java4'
    await sdk.run({ op: 'open', channel })
    await sdk.run({ op: 'append', channel, start: 0, end: 9 })
    await sdk.run({ op: 'commit', channel, token: '9' })
    await stage.fault({ kind: 'zombie-open', match: { channel } })
    await sdk.run({ op: 'append', channel, start: 10, end: 19 })
    const waited = await sdk.ask({ op: 'commit', channel, token: '19' })
    expect(waited.error).toBeDefined()
    await sdk.run({ op: 'close_channel', channel })
    expect(await sdk.run({ op: 'open', channel })).toMatchObject({ committed: '9' })
    await sdk.run({ op: 'append', channel, start: 10, end: 19 })
    await sdk.run({ op: 'commit', channel, token: '19' })
    expect(await numbersOf(channel)).toEqual(upTo(19))
  }, 90_000)
})
