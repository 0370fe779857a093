import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { FeedClock } from '../../ui/src/map/feed-clock.ts'

const EPOCH = Date.parse('2026-09-23T12:20:00Z')

/** Reports of a feed that runs `speed` times as fast, each `lateMs` after it was made. */
function after(
  speed: number,
  reports: number,
  options: { readonly everyMs?: number; readonly lateMs?: (n: number) => number } = {},
): { readonly clock: FeedClock; readonly lastWallMs: number } {
  const { everyMs = 15_000, lateMs = () => 0 } = options
  const clock = new FeedClock()
  let lastWallMs = 0
  for (let n = 0; n < reports; n++) {
    lastWallMs = n * everyMs + lateMs(n)
    clock.report(EPOCH + n * everyMs * speed, lastWallMs)
  }
  return { clock, lastWallMs }
}

describe('FeedClock', () => {
  test('knows nothing before the first report', () => {
    expect(new FeedClock().now(5)).toBeUndefined()
    expect(new FeedClock().ageSeconds(5, 5)).toBe(0)
  })

  test('takes a feed for as fast as our clock until it knows better', () => {
    const { clock } = after(30, 2)
    expect(clock.rate).toBe(1)
    expect(clock.now(15_000 + 500)).toBe(EPOCH + 30 * 15_000 + 500)
  })

  test('finds out at which speed a feed is simulated, though reports come at uneven times', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 120 }),
        fc.array(fc.integer({ min: 0, max: 1_000 }), { minLength: 40, maxLength: 40 }),
        (speed, late) => {
          const { clock } = after(speed, 40, { everyMs: 1_500, lateMs: (n) => late[n] ?? 0 })
          expect(Math.abs(clock.rate - speed) / speed).toBeLessThan(0.04)
        },
      ),
    )
  })

  test('takes a live feed for a live one, however late its reports come', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 10_000 }), { minLength: 12, maxLength: 12 }),
        (late) => {
          expect(after(1, 12, { lateMs: (n) => late[n] ?? 0 }).clock.rate).toBe(1)
        },
      ),
    )
  })

  test('is not misled by the old reports that a page catches up with at its start', () => {
    const clock = new FeedClock()
    clock.report(EPOCH - 3_600_000, 0)
    clock.report(EPOCH - 1_800_000, 1_000)
    for (let n = 0; n < 8; n++) clock.report(EPOCH + n * 15_000, 2_000 + n * 15_000)
    expect(clock.rate).toBe(1)
  })

  test('measures the interval of the reports, within a second and a minute', () => {
    expect(after(1, 5).clock.intervalMs).toBe(15_000)
    expect(after(1, 5, { everyMs: 300_000 }).clock.intervalMs).toBe(60_000)
    expect(after(1, 5, { everyMs: 10 }).clock.intervalMs).toBe(1_000)
  })

  test('never runs backwards, whatever is reported, unless the feed begins anew', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            waitMs: fc.integer({ min: 0, max: 20_000 }),
            stepMs: fc.integer({ min: -200_000, max: 60_000 }),
          }),
          { maxLength: 40 },
        ),
        (steps) => {
          const clock = new FeedClock()
          let wallMs = 0
          let newest = EPOCH
          let shown = Number.NEGATIVE_INFINITY
          for (const { waitMs, stepMs } of steps) {
            wallMs += waitMs
            clock.report(newest + stepMs, wallMs)
            newest = Math.max(newest, newest + stepMs)
            const now = clock.now(wallMs) ?? shown
            expect(now).toBeGreaterThanOrEqual(shown)
            shown = now
          }
        },
      ),
    )
  })

  test('stops a few intervals after the last report, while ages go on', () => {
    const { clock, lastWallMs } = after(1, 5)
    const stopped = clock.now(lastWallMs + 45_000)
    expect(clock.now(lastWallMs + 600_000)).toBe(stopped)
    expect(clock.ageSeconds(EPOCH + 60_000, lastWallMs + 600_000)).toBeCloseTo(600)
  })

  test('follows a recording that is played again from its beginning', () => {
    const { clock, lastWallMs } = after(1, 60)
    clock.report(EPOCH, lastWallMs + 15_000)
    expect(clock.now(lastWallMs + 15_000)).toBe(EPOCH)
  })
})
