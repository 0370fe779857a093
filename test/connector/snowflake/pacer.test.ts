import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Pacer } from '../../../connector/snowflake/pacer.ts'

interface Sent {
  readonly atMs: number
  readonly amount: number
}

/** Sends all amounts as early as the pacer lets them, with pauses between. */
function schedule(perSecond: number, steps: readonly (readonly [number, number])[]): Sent[] {
  const pacer = new Pacer(perSecond)
  const sent: Sent[] = []
  let nowMs = 1_700_000_000_000
  for (const [pauseMs, amount] of steps) {
    nowMs += pauseMs
    nowMs += pacer.waitMs(nowMs, amount)
    pacer.spend(amount, nowMs)
    sent.push({ atMs: nowMs, amount })
  }
  return sent
}

describe('Pacer', () => {
  test('no second, wherever it begins, sees more than the rate or one larger request alone', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 50 }),
        fc.array(fc.tuple(fc.integer({ min: 0, max: 700 }), fc.integer({ min: 1, max: 80 })), {
          maxLength: 60,
        }),
        (perSecond, steps) => {
          const sent = schedule(perSecond, steps)
          for (const [at, first] of sent.entries()) {
            const within = sent.slice(at).filter(({ atMs }) => atMs < first.atMs + 1_000)
            const amount = within.reduce((sum, { amount: one }) => sum + one, 0)
            expect(within.length === 1 || amount <= perSecond).toBe(true)
          }
        },
      ),
    )
  })

  test('lets the whole rate through, and never waits without need', () => {
    const sent = schedule(
      10,
      Array.from({ length: 30 }, () => [0, 1] as const),
    )
    const [first] = sent
    expect(sent.map(({ atMs }) => atMs - (first?.atMs ?? 0))).toEqual([
      ...Array.from({ length: 10 }, () => 0),
      ...Array.from({ length: 10 }, () => 1_000),
      ...Array.from({ length: 10 }, () => 2_000),
    ])
  })

  test('what is larger than a second’s share is followed by nothing for as long as it takes', () => {
    const pacer = new Pacer(10)
    pacer.spend(35, 0)
    expect(pacer.waitMs(0, 1)).toBe(3_500)
    expect(pacer.waitMs(3_500, 1)).toBe(0)
  })
})
