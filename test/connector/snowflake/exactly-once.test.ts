// Exactly once, whatever the schedule: a task, its zombies and a service that fails in every way that is known, driven in
// any order; at the end each record is in the table once, in the order of its partition.
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Fault } from '../../support/fake-snowpipe.ts'
import { SINK_TOPIC, SinkWorld } from '../../support/sink-world.ts'
import type { FakeSinkWorker } from '../../support/fake-sink-worker.ts'

type Command =
  | {
      readonly do: 'produce'
      readonly partition: number
      readonly count: number
      readonly gap: number
    }
  | { readonly do: 'turn'; readonly ms: number; readonly times: number }
  | { readonly do: 'fault'; readonly match: string; readonly fault: Fault }
  | {
      readonly do:
        | 'commit'
        | 'freeze'
        | 'thaw'
        | 'release'
        | 'restart'
        | 'down'
        | 'up'
        | 'crash'
        | 'zombie'
        | 'rebalance'
        | 'group-commit'
        | 'rewind'
    }
  | { readonly do: 'invalidate'; readonly partition: number }

const PARTITIONS = 2
/** Of a tenth of a second; less than a channel that commits nothing is left alone. */
const QUIET_TURNS = 100
const COMMIT_EVERY_MS = 5_000
const produce: fc.Arbitrary<Command> = fc.record({
  do: fc.constant('produce' as const),
  partition: fc.nat(PARTITIONS - 1),
  count: fc.integer({ min: 1, max: 60 }),
  gap: fc.constantFrom(0, 0, 0, 1, 7),
})
const turn: fc.Arbitrary<Command> = fc.record({
  do: fc.constant('turn' as const),
  ms: fc.constantFrom(10, 60, 250, 1_500),
  times: fc.integer({ min: 1, max: 4 }),
})
const quiet: fc.Arbitrary<Command> = fc.oneof(
  { weight: 6, arbitrary: produce },
  { weight: 10, arbitrary: turn },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('commit' as const, 'group-commit') }) },
)
const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 6, arbitrary: produce },
  { weight: 10, arbitrary: turn },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('fault' as const),
      match: fc.constantFrom('/rows', '/rows', '/channels/', ':bulk', 'hostname', 'token'),
      fault: fc.oneof(
        fc.constantFrom<Fault>({ kind: 'lost' }, { kind: 'unsent' }, { kind: 'slow' }),
        fc
          .constantFrom(500, 503, 429, 408, 404, 410, 401)
          .map((status): Fault => ({ kind: 'status', status })),
      ),
    }),
  },
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constantFrom(
        'commit' as const,
        'commit' as const,
        'commit' as const,
        'freeze' as const,
        'thaw' as const,
        'release' as const,
        'restart' as const,
        'down' as const,
        'up' as const,
        'crash' as const,
        'zombie' as const,
        'rebalance' as const,
        'group-commit' as const,
        'rewind' as const,
      ),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('invalidate' as const),
      partition: fc.nat(PARTITIONS - 1),
    }),
  },
)

class Run {
  readonly world: SinkWorld
  worker: FakeSinkWorker
  /** Tasks that were replaced and do not know it. */
  zombies: FakeSinkWorker[] = []

  constructor(seed: number) {
    let state = seed
    const random = (): number => {
      state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
      return state / 2_147_483_648
    }
    this.world = new SinkWorld({ partitions: PARTITIONS, random })
    this.worker = this.world.worker()
  }

  async execute(step: Command): Promise<void> {
    const { world } = this
    const { snowpipe } = world
    if (step.do === 'produce') world.produce(step.partition, step.count, step.gap)
    else if (step.do === 'turn') {
      for (let i = 0; i < step.times; i++) await this.#turn(step.ms)
    } else if (step.do === 'fault') snowpipe.faults.push(step)
    else if (step.do === 'invalidate') snowpipe.invalidate(`sink_${SINK_TOPIC}_${step.partition}`)
    else if (step.do === 'commit') snowpipe.commit()
    else if (step.do === 'freeze') snowpipe.isFrozen = true
    else if (step.do === 'thaw') snowpipe.isFrozen = false
    else if (step.do === 'release') snowpipe.release()
    else if (step.do === 'restart') snowpipe.restart()
    else if (step.do === 'down') snowpipe.isDown = true
    else if (step.do === 'up') snowpipe.isDown = false
    else if (step.do === 'group-commit') await this.worker.commit()
    else if (step.do === 'rewind') this.worker.rewind()
    else if (step.do === 'rebalance') {
      const [tp] = world.partitions
      if (tp === undefined) return
      await this.worker.revoke([tp])
      await this.worker.assign([tp])
    } else await this.#replace(step.do === 'zombie')
  }

  /** The old task is gone without a word, or goes on as if nothing had happened. */
  async #replace(staysAlive: boolean): Promise<void> {
    if (staysAlive && this.zombies.length < 2) this.zombies.push(this.worker)
    this.worker = this.world.worker()
    await this.worker.start(this.world.partitions)
  }

  async #turn(ms: number): Promise<void> {
    await this.world.turn(this.worker, ms)
    for (const zombie of this.zombies) await this.world.turn(zombie, 0)
  }

  async heal(): Promise<void> {
    const { snowpipe } = this.world
    this.zombies = []
    snowpipe.isDown = false
    snowpipe.isFrozen = false
    snowpipe.faults = []
    snowpipe.release()
    await Promise.resolve()
  }
}

describe('exactly once', () => {
  test('every record is stored once and in order, whatever goes wrong in between', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(command, { minLength: 5, maxLength: 60 }),
        fc.integer({ min: 1, max: 1e6 }),
        async (commands, seed) => {
          const run = new Run(seed)
          await run.worker.start(run.world.partitions)
          for (const step of commands) {
            await run.execute(step)
            for (const { partition } of run.world.partitions) {
              const stored = run.world.offsetsStored(partition)
              expect(stored).toEqual(run.world.offsetsProduced(partition).slice(0, stored.length))
              const committed = run.world.topics.committed.get(`${SINK_TOPIC}/${partition}`) ?? 0
              expect(committed).toBeLessThanOrEqual((stored.at(-1) ?? -1) + 1)
            }
          }
          await run.heal()
          expect(await run.world.drains(run.worker)).toBe(true)
          for (const { partition } of run.world.partitions) {
            expect(run.world.offsetsStored(partition)).toEqual(run.world.offsetsProduced(partition))
          }
        },
      ),
      { numRuns: 150 },
    )
  }, 120_000)

  test('while nothing goes wrong no channel is opened twice, and nothing is waited for', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(quiet, { minLength: 5, maxLength: 40 }), async (commands) => {
        const run = new Run(1)
        await run.worker.start(run.world.partitions)
        let sinceCommitMs = 0
        for (const step of commands) {
          await run.execute(step)
          sinceCommitMs += step.do === 'turn' ? step.ms * step.times : 0
          if (step.do !== 'commit' && sinceCommitMs < COMMIT_EVERY_MS) continue
          // Snowflake commits within seconds; without any commit for longer a channel counts as stalled, rightly.
          await run.execute({ do: 'commit' })
          sinceCommitMs = 0
        }
        expect(await run.world.drains(run.worker, QUIET_TURNS)).toBe(true)
        for (const { partition } of run.world.partitions) {
          expect(run.world.offsetsStored(partition)).toEqual(run.world.offsetsProduced(partition))
        }
        const opened = run.world.snowpipe.requests.filter((line) => line.startsWith('PUT'))
        expect(opened).toHaveLength(PARTITIONS)
      }),
      { numRuns: 40 },
    )
  }, 60_000)
})
