import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DataError, RetriableError } from '../../../connector/api/errors.ts'
import { backOffMs, retry, type RetryPolicy } from '../../../connector/runtime/retry.ts'
import { retryDelayMs } from '../../../connector/runtime/tolerance.ts'
import { FakeClock } from '../../support/fake-clock.ts'

const policy = (options: Partial<RetryPolicy> = {}): RetryPolicy & { clock: FakeClock } => ({
  signal: new AbortController().signal,
  timeoutMs: -1,
  delayMsMin: 100,
  delayMsMax: 1_000,
  random: () => 1,
  ...options,
  clock: new FakeClock({ auto: true }),
})

describe('retry', () => {
  test('tries again after growing waits until it succeeds', async () => {
    const p = policy()
    const result = await retry(
      (attempt) =>
        attempt < 6 ? Promise.reject(new RetriableError('busy')) : Promise.resolve(attempt),
      p,
    )
    expect(result).toBe(6)
    expect(p.clock.sleepsMs).toEqual([100, 200, 400, 800, 1_000])
  })

  test('takes Retry-After as a floor, above the cap too', async () => {
    const p = policy()
    const errors = [new RetriableError('throttled', { retryAfterMs: 20_000 })]
    await retry(() => {
      const error = errors.shift()
      return error === undefined ? Promise.resolve() : Promise.reject(error)
    }, p)
    expect(p.clock.sleepsMs).toEqual([20_000])
  })

  test('does not retry an error that is not retriable', async () => {
    const p = policy()
    await expect(retry(() => Promise.reject(new DataError('bad')), p)).rejects.toThrow('bad')
    expect(p.clock.sleepsMs).toEqual([])
  })

  test('gives up when the next wait would pass the deadline', async () => {
    const p = policy({ timeoutMs: 250 })
    await expect(retry(() => Promise.reject(new RetriableError('busy')), p)).rejects.toThrow('busy')
    expect(p.clock.sleepsMs).toEqual([100])
  })

  test('ends with the last error when the signal aborts', async () => {
    const controller = new AbortController()
    const p = policy({ signal: controller.signal })
    const result = retry(() => {
      controller.abort()
      return Promise.reject(new RetriableError('busy'))
    }, p)
    await expect(result).rejects.toThrow('busy')
  })

  test('never waits less than half the minimum or more than the cap', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 200 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (n, r) => {
          const ms = backOffMs(n, undefined, {
            delayMsMin: 100,
            delayMsMax: 5_000,
            random: () => r,
          })
          return ms >= 50 && ms <= 5_000
        },
      ),
    )
  })
})

const delay = (attempt: number, untilDeadlineMs = 1e9): number =>
  retryDelayMs(attempt, { maxMs: 1_000, untilDeadlineMs, random: () => 0.25 })

describe('retryDelayMs', () => {
  test('doubles from 300 ms, is random beyond the maximum and ends at the deadline, as in Kafka Connect', () => {
    expect([1, 2, 3, 4].map((attempt) => delay(attempt))).toEqual([300, 600, 250, 250])
    expect(delay(2, 10)).toBe(10)
  })
})
