import { describe, expect, test } from 'vitest'
import type { ChannelStatus } from '../../../connector/snowflake/client.ts'
import { CommitTracker } from '../../../connector/snowflake/commit-tracker.ts'

const status = (committedToken: string | null, rowsInserted: number): ChannelStatus => ({
  code: 'SUCCESS',
  committedToken,
  rowsInserted,
  rowsError: 0,
  lastErrorMessage: null,
  lastErrorTokenUpperBound: null,
})

/** Opened at `token`, then rows up to `token + 10` accepted and committed. */
function committed(token: string | null, at: number | undefined): CommitTracker {
  const tracker = new CommitTracker({
    opened: status(token, 0),
    topicId: 'T',
    committed: at,
    nowMs: 0,
    previous: undefined,
  })
  const firstOffset = (at ?? -1) + 1
  const offsets = Array.from({ length: 10 }, (_, i) => firstOffset + i)
  const lastOffset = firstOffset + 9
  tracker.accepted(
    { rawBytes: 10, ends: offsets, offsets, firstOffset, lastOffset, oldestMs: 0 },
    0,
  )
  const seen = tracker.observe(status(`T:${lastOffset}`, 10), 1, () => false)
  expect(seen).toMatchObject({ kind: 'valid', hasProgressed: true })
  return tracker
}

describe('CommitTracker', () => {
  test.each([
    ['T:4', 4],
    [null, undefined],
  ])('notices a token that goes back to exactly %s, where the channel was opened', (token, at) => {
    const seen = committed(token, at).observe(status(token, 10), 2, () => false)
    expect(seen).toMatchObject({ kind: 'invalid', reason: expect.stringContaining('went back') })
  })

  test('takes the token of the opening for what it is as long as nothing was committed', () => {
    const tracker = new CommitTracker({
      opened: status('T:4', 0),
      topicId: 'T',
      committed: 4,
      nowMs: 0,
      previous: undefined,
    })
    expect(tracker.observe(status('T:4', 0), 1, () => false)).toMatchObject({ kind: 'valid' })
  })
})
