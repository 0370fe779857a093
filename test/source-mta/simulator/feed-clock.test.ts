import { describe, expect, test } from 'vitest'
import { FeedClock } from '../../../source-mta/simulator/feed-clock.ts'
import { FakeClock } from '../../support/fake-clock.ts'

const START = 1_781_094_300_000

describe('FeedClock', () => {
  test('is the wall clock at speed 1', async () => {
    const clock = new FakeClock({ nowMs: START })
    const feeds = new FeedClock({ clock, speed: 1 })
    await clock.advance(90_500)
    expect(feeds.now()).toBe(START / 1000 + 90.5)
  })

  test('leaves the wall clock at the epoch and runs so many times as fast', async () => {
    const clock = new FakeClock({ nowMs: START })
    const feeds = new FeedClock({ clock, speed: 60, startMs: START - 3_600_000 })
    await clock.advance(10_000)
    expect(feeds.now()).toBe(START / 1000 - 3600 + 600)
  })

  test('agrees with another one that was started later with the same epoch', async () => {
    const clock = new FakeClock({ nowMs: START })
    const first = new FeedClock({ clock, speed: 30, epochMs: START })
    await clock.advance(77_000)
    const second = new FeedClock({ clock, speed: 30, epochMs: START })
    expect(second.now()).toBe(first.now())
    expect(second.generation(15)).toBe(first.generation(15))
  })

  test('makes bodies in the feed’s own steps, or every second and a half of real time', async () => {
    const clock = new FakeClock({ nowMs: START })
    const generations = async (speed: number): Promise<number[]> => {
      const feeds = new FeedClock({ clock, speed, epochMs: clock.now(), startMs: START })
      const seen = new Set<number>()
      for (let i = 0; i < 60; i++) {
        seen.add(feeds.generation(15))
        await clock.advance(500)
      }
      return [...seen].map((time, i, all) => (i === 0 ? 0 : time - (all[i - 1] ?? 0)))
    }
    expect(await generations(1)).toEqual([0, 15])
    const quick = await generations(60)
    expect(new Set(quick.slice(1))).toEqual(new Set([90]))
    expect([20, 21]).toContain(quick.length)
  })
})
