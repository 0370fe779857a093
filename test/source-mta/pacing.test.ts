import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { FeedHealth } from '../../source-mta/feed-health.ts'
import type { PollOutcome } from '../../source-mta/outcome.ts'
import { PollSchedule } from '../../source-mta/poll-schedule.ts'

const newSchedule = (jitter = 0, random = () => 0.5): PollSchedule =>
  new PollSchedule({ pollIntervalMs: 15_000, backoffMaxMs: 60_000, jitter, random }, 0)

/** Waits after each outcome, for polls that take no time. */
function waits(schedule: PollSchedule, outcomes: readonly PollOutcome[], retryAfterMs = 0) {
  return outcomes.map((outcome) => {
    const at = schedule.dueAtMs
    schedule.done(outcome, { startedAtMs: at, endedAtMs: at }, retryAfterMs)
    return schedule.dueAtMs - at
  })
}

const failure = (count: number, outcome: PollOutcome = 'TIMEOUT') => ({
  outcome,
  reason: 'because',
  count,
})

describe('PollSchedule', () => {
  test('doubles the wait with each failure up to the most, and forgets them after a good poll', () => {
    const outcomes = ['OK', 'TIMEOUT', 'HTTP_ERROR', 'EMPTY', 'NETWORK', 'UNCHANGED'] as const
    expect(waits(newSchedule(), outcomes)).toEqual([15_000, 15_000, 30_000, 60_000, 60_000, 15_000])
  })

  test('asks a wrong address seldom from the start', () => {
    expect(waits(newSchedule(), ['CONFIG'])).toEqual([60_000])
  })

  test('takes Retry-After as a floor', () => {
    expect(waits(newSchedule(), ['THROTTLED', 'OK'], 40_000)).toEqual([40_000, 40_000])
  })

  test('measures the interval from the start of a poll, not from its end', () => {
    const schedule = newSchedule()
    schedule.done('OK', { startedAtMs: 0, endedAtMs: 4_000 })
    expect(schedule.dueAtMs).toBe(15_000)
  })

  test('varies each wait by no more than the jitter', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (random) => {
        const [wait = 0] = waits(
          newSchedule(0.1, () => random),
          ['OK'],
        )
        return wait >= 13_500 && wait <= 16_500
      }),
    )
  })
})

describe('FeedHealth', () => {
  test('is DEGRADED after so many failures, by name, and OK when they are over', () => {
    const health = new FeedHealth(3)
    health.failed('a', failure(2))
    expect(health.health().state).toBe('OK')
    health.failed('a', failure(3))
    expect(health.health()).toEqual({
      state: 'DEGRADED',
      message: 'a failed 3 times in a row: TIMEOUT, because.',
    })
    health.succeeded('a')
    expect(health.health().state).toBe('OK')
  })

  test('is DEGRADED at once for a wrong configuration', () => {
    const health = new FeedHealth(3)
    health.failed('a', failure(1, 'CONFIG'))
    expect(health.health().message).toBe('a failed 1 time in a row: CONFIG, because.')
  })
})
