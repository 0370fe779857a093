// The sink under faults of two sorts: kill -9 of processes on a real Kafka, and faults within one process, four for each kill.
import { runSinkFaults } from './sink-faults.ts'
import { runSinkKills } from './sink-kills.ts'

export interface SinkChaosOptions {
  readonly rounds: number
  readonly seed: number
  /** The round to begin with; each has random numbers of its own. */
  readonly from: number
  /** auto: a real Kafka where Java and Maven are, else the embedded broker. */
  readonly broker: 'auto' | 'kafka' | 'embedded'
  /** Keep the folder with logs and table afterwards. */
  readonly keep: boolean
  readonly say: (text: string) => void
}

export interface ChaosCount {
  readonly records: number
  readonly lost: number
  readonly doubled: number
  /** Rows whose payload is not the one that was sent at their offset. */
  readonly wrong: number
}

const KILL_SHARE = 1 / 5

/** How many of the rounds, the first ones, kill processes: a fifth, and at least one. */
export const killRounds = (rounds: number): number => Math.max(1, Math.round(rounds * KILL_SHARE))

/** Plays the rounds and counts. Rejects when the pipeline does not recover within two minutes. */
export async function runSinkChaos(options: SinkChaosOptions): Promise<ChaosCount> {
  const { rounds, from } = options
  const kills = killRounds(rounds)
  const counts = [
    await runSinkKills({ ...options, first: from, last: Math.min(kills, rounds) }),
    await runSinkFaults({ ...options, first: Math.max(from, kills + 1), last: rounds }),
  ]
  const sum = (key: keyof ChaosCount): number => counts.reduce((all, count) => all + count[key], 0)
  return {
    records: sum('records'),
    lost: sum('lost'),
    doubled: sum('doubled'),
    wrong: sum('wrong'),
  }
}
