import { beforeEach, describe, expect, test } from 'vitest'
import { EventLoopWatch } from '../../../connector/runtime/event-loop-watch.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { type RecordingLog, recordingLog } from '../../support/recording-log.ts'

/** Time also passes while nothing else runs. */
class BlockableClock extends FakeClock {
  #blockedMs = 0
  block(ms: number): void {
    this.#blockedMs += ms
  }
  override now(): number {
    return super.now() + this.#blockedMs
  }
}

let clock: BlockableClock
let log: RecordingLog
let outside: string[]
let watch: EventLoopWatch

beforeEach(() => {
  clock = new BlockableClock()
  log = recordingLog()
  outside = []
  watch = new EventLoopWatch({
    clock,
    log,
    limitMs: 5_000,
    outside: {
      beat: () => void outside.push('beat'),
      running: (callback) => void outside.push(callback ?? 'nothing'),
      close: () => Promise.resolve(void outside.push('close')),
    },
  })
})

describe('EventLoopWatch', () => {
  test('names the callback that let nothing else run, for half a minute', async () => {
    expect(watch.run('put of task a-0', () => 7)).toBe(7)
    expect(watch.reason).toBeUndefined()
    watch.run('put of task a-0', () => clock.block(6_000))
    await clock.advance(2_000)
    expect(watch.reason).toBe(
      'The event loop stood still for 6000 ms until 2 s ago: put of task a-0 did not let anything else run.',
    )
    expect(log.lines[0]).toMatchObject({
      level: 'error',
      fields: { callback: 'put of task a-0', tookMs: 6_000 },
    })
    await clock.advance(29_000)
    expect(watch.reason).toBeUndefined()
  })

  test('blames the inner callback, also when it threw, and is back in the outer one then', () => {
    watch.run('taskConfigs of connector a', () => {
      expect(() =>
        watch.run('put of task b-0', () => {
          clock.block(5_000)
          throw new Error('broken')
        }),
      ).toThrow('broken')
    })
    expect(outside).toEqual([
      'taskConfigs of connector a',
      'put of task b-0',
      'taskConfigs of connector a',
      'nothing',
    ])
    expect(log.lines[0]?.message).toContain('put of task b-0')
  })

  test('after a wait of the callback names those that had not answered, and once', async () => {
    watch.start()
    await clock.advance(1_000)
    const answered = watch.await('poll of task a-0')
    clock.block(7_000)
    await clock.advance(500)
    expect(watch.reason).toContain('one of these that had not answered, or the worker itself: poll')
    expect(log.lines).toHaveLength(1)
    answered()
    clock.block(7_000)
    await clock.advance(500)
    expect(watch.reason).toContain('no plugin’s callback was running')
    await watch.stop()
    expect(outside.at(-1)).toBe('close')
  })

  test('does not tell of a named blockage twice, nor of a short one', async () => {
    watch.start()
    await clock.advance(1_000)
    watch.run('put of task a-0', () => clock.block(6_000))
    await clock.advance(1_000)
    clock.block(4_000)
    await clock.advance(1_000)
    expect(log.lines).toHaveLength(1)
    await watch.stop()
  })
})
