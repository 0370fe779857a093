// Rounds of faults in one process: real sink tasks against the real local endpoint, on topics in memory that can do
// what a group does. After each round the table holds each record once.
import { seededRound } from './random.ts'
import { planRound } from './sink-fault-plan.ts'
import { FAULT_PARTITIONS, FaultScene } from './sink-fault-scene.ts'
import { type FaultStage, setFaultStage } from './sink-fault-stage.ts'
import type { ChaosCount } from './sink.ts'

export interface FaultRounds {
  readonly seed: number
  readonly first: number
  readonly last: number
  readonly say: (text: string) => void
}

/** Plays rounds `first` to `last` and counts. @throws Error when a task fails or does not recover, with the round's log. */
export async function runSinkFaults(options: FaultRounds): Promise<ChaosCount> {
  const total = { records: 0, lost: 0, doubled: 0, wrong: 0 }
  if (options.first > options.last) return total
  const stage = await setFaultStage()
  try {
    for (let round = options.first; round <= options.last; round++) {
      const count = await playRound(stage, round, options)
      for (const key of ['records', 'lost', 'doubled', 'wrong'] as const) total[key] += count[key]
    }
  } finally {
    await stage.close()
  }
  return total
}

async function playRound(
  stage: FaultStage,
  round: number,
  { seed, say }: FaultRounds,
): Promise<ChaosCount> {
  const random = seededRound(seed, round)
  const plan = planRound(round, FAULT_PARTITIONS, random)
  const scene = new FaultScene(stage, round, random)
  const startedMs = Date.now()
  const told = (): string => [...scene.log, ...scene.logged()].map((line) => `  ${line}\n`).join('')
  try {
    await scene.start()
    for (const step of plan) await scene.play(step)
    await scene.heal()
    const count = await countRound(stage, scene)
    const ms = Date.now() - startedMs
    say(
      `round ${round}: ${plan.map(({ action }) => action).join(', ')}: records ${count.records}, lost ${count.lost}, doubled ${count.doubled}, wrong ${count.wrong}, ${ms} ms`,
    )
    if (count.lost + count.doubled + count.wrong > 0) say(told())
    return count
  } catch (error) {
    say(`round ${round} failed:\n${told()}`)
    throw error
  } finally {
    await scene.close()
    await stage.clearFaults()
  }
}

async function countRound(stage: FaultStage, scene: FaultScene): Promise<ChaosCount> {
  const { ends } = scene
  const count = { records: ends.reduce((sum, end) => sum + end, 0), lost: 0, doubled: 0, wrong: 0 }
  if (count.records === 0) return count
  const found = await stage.count(scene.table)
  ends.forEach((end, partition) => {
    const own = found.find((entry) => entry.partition === partition)
    count.lost += end - (own?.distinct ?? 0)
    count.doubled += (own?.rows ?? 0) - (own?.distinct ?? 0)
    count.wrong += (own?.rows ?? 0) - (own?.right ?? 0)
  })
  for (const [field, records] of scene.produced) {
    if (records > 0)
      count.wrong += Math.abs(records - (await stage.filled(scene.table, `ADDED_${field}`)))
  }
  return count
}
