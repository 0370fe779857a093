import { describe, expect, test } from 'vitest'
import { ByteBudget } from '../../../connector/runtime/byte-budget.ts'
import { TimeLimitError, untilAborted, withLimit } from '../../../connector/runtime/limits.ts'
import { FakeClock, settled } from '../../support/fake-clock.ts'

describe('withLimit', () => {
  test('gives the result, and leaves no timer behind', async () => {
    const clock = new FakeClock()
    expect(await withLimit('It', Promise.resolve(1), { clock, limitMs: 100 })).toBe(1)
    await settled()
    expect(clock.sleeping).toBe(0)
  })

  test('rejects after the limit, and ignores what comes later', async () => {
    const clock = new FakeClock()
    const late = withLimit('It', clock.sleep(200), { clock, limitMs: 100 })
    const outcome = late.catch((error: unknown) => error)
    await clock.advance(100)
    expect(await outcome).toBeInstanceOf(TimeLimitError)
    await clock.advance(200)
  })

  test('rejects with the signal’s reason', async () => {
    const controller = new AbortController()
    const waiting = withLimit('It', new Promise(() => {}), {
      clock: new FakeClock(),
      limitMs: 100,
      signal: controller.signal,
    })
    controller.abort(new Error('enough'))
    await expect(waiting).rejects.toThrow('enough')
    await expect(untilAborted(new Promise(() => {}), controller.signal)).rejects.toThrow('enough')
  })
})

describe('ByteBudget', () => {
  test('shares never add up to more than the budget while it lasts, and come back', () => {
    const budget = new ByteBudget(64_000_000)
    const shares = Array.from({ length: 6 }, () => budget.claim(6))
    const total = shares.reduce((sum, { bytes }) => sum + bytes, 0)
    expect(total).toBeLessThanOrEqual(32_000_001)
    expect(total).toBeGreaterThan(31_000_000)
    expect(budget.claim(1).bytes).toBeLessThanOrEqual(32_000_000)
    for (const share of shares) {
      share.release()
      share.release()
    }
    expect(budget.freeBytes).toBeGreaterThan(45_000_000)
    expect(budget.freeBytes).toBeLessThanOrEqual(64_000_000)
  })

  test('always gives enough to work with', () => {
    const budget = new ByteBudget(1_000_000)
    for (let i = 0; i < 50; i++) expect(budget.claim(1).bytes).toBeGreaterThanOrEqual(512 * 1024)
    expect(budget.freeBytes).toBe(0)
  })
})
