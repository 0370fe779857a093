import { describe, expect, test, vi } from 'vitest'
import type { Channel } from '../../../../../connector/local/snowflake/streaming/channel.ts'
import {
  CommitLoop,
  type CommitTiming,
  PROFILES,
} from '../../../../../connector/local/snowflake/streaming/commit-loop.ts'
import { settled } from '../../../../support/fake-clock.ts'
import { type RecordingLog, recordingLog } from '../../../../support/recording-log.ts'
import { type IngestStage, makeIngest, rowsOf } from '../../../../support/table-ingest.ts'

async function setUp(timing: CommitTiming): Promise<{
  stage: IngestStage
  log: RecordingLog
  loop: CommitLoop
  channel: Channel
  append: () => void
}> {
  const stage = await makeIngest()
  const log = recordingLog()
  const loop = new CommitLoop(stage.ingest, {
    clock: stage.clock,
    random: () => 0.5,
    log,
    timing,
  })
  const channel = await stage.ingest.open(stage.pipe, 'c', {
    offsetToken: undefined,
    failOnUncommittedRows: false,
  })
  const append = (): void => {
    stage.ingest.append(stage.pipe, 'c', {
      continuationToken: channel.nextToken(),
      startToken: null,
      endToken: '0',
      bytes: rowsOf('c', 0, 0),
    })
  }
  return { stage, log, loop, channel, append }
}

describe('CommitLoop', () => {
  test('commits within a second, and at most once a second', async () => {
    const { stage, append } = await setUp(PROFILES.fast)
    append()
    await stage.clock.advance(199)
    expect(stage.table.rows).toHaveLength(0)
    await stage.clock.advance(1)
    expect(stage.table.rows).toHaveLength(1)
    append()
    await stage.clock.advance(999)
    append()
    expect(stage.table.rows).toHaveLength(1)
    await stage.clock.advance(1)
    expect(stage.table.rows).toHaveLength(3)
  })

  test('takes 5 to 9 seconds when it is realistic', async () => {
    const { stage, append } = await setUp(PROFILES.realistic)
    append()
    await stage.clock.advance(6_999)
    expect(stage.table.rows).toHaveLength(0)
    await stage.clock.advance(1)
    expect(stage.table.rows).toHaveLength(1)
  })

  test('tries again after a failure, with a growing wait, and asks for no time when nothing waits', async () => {
    const { stage, append } = await setUp(PROFILES.fast)
    let failures = 0
    stage.warehouse.beforeCommit = () => {
      failures++
      return failures <= 3
        ? Promise.reject(new Error('no space left on device'))
        : Promise.resolve()
    }
    append()
    await stage.clock.advance(1_000)
    expect(stage.ingest.trouble).toEqual(new Error('no space left on device'))
    await stage.clock.advance(59_000)
    expect(stage.ingest.trouble).toBeUndefined()
    expect(stage.table.rows).toHaveLength(1)
    expect(stage.clock.sleepsMs).toEqual([200, 1_000, 2_000, 4_000])
    expect(stage.clock.sleeping).toBe(0)
  })

  test('compacts after every sixteenth commit and maintains after every sixty-fourth', async () => {
    const { stage, append } = await setUp(PROFILES.fast)
    const compact = vi.spyOn(stage.table, 'compact')
    const maintain = vi.spyOn(stage.table, 'maintain')
    const counts: string[] = []
    for (let commit = 1; commit <= 64; commit++) {
      append()
      await stage.clock.advance(1_000)
      if ([15, 16, 63, 64].includes(commit))
        counts.push(`${compact.mock.calls.length} ${maintain.mock.calls.length}`)
    }
    expect(stage.table.rows).toHaveLength(64)
    expect(counts).toEqual(['0 0', '1 0', '3 0', '4 1'])
  })

  test('goes on committing while a compaction takes its time, and ends after it', async () => {
    const { stage, loop, append } = await setUp(PROFILES.fast)
    const ends: ((merged: boolean) => void)[] = []
    const compact = vi.spyOn(stage.table, 'compact').mockImplementation(
      () =>
        new Promise((resolve) => {
          ends.push(resolve)
        }),
    )
    for (let commit = 1; commit <= 40; commit++) {
      append()
      await stage.clock.advance(1_000)
    }
    expect(stage.table.rows).toHaveLength(40)
    expect(compact).toHaveBeenCalledTimes(1)
    const ended = vi.fn<() => void>()
    const closed = loop.close().finally(ended)
    await settled()
    expect(ended).not.toHaveBeenCalled()
    for (const end of ends) end(true)
    await closed
  })

  test('says that a compaction failed, holds no commit against it and compacts again', async () => {
    const { stage, log, append } = await setUp(PROFILES.fast)
    const compact = vi.spyOn(stage.table, 'compact').mockRejectedValue(new Error('no space left'))
    for (let commit = 1; commit <= 32; commit++) {
      append()
      await stage.clock.advance(1_000)
    }
    expect(stage.ingest.trouble).toBeUndefined()
    expect(stage.table.rows).toHaveLength(32)
    expect(compact).toHaveBeenCalledTimes(2)
    expect(JSON.stringify(log.lines.map(({ fields }) => fields))).toContain('no space left')
  })

  test('commits what waits when it is closed', async () => {
    const { stage, loop, append } = await setUp(PROFILES.realistic)
    append()
    await loop.close()
    expect(stage.table.rows).toHaveLength(1)
  })
})
