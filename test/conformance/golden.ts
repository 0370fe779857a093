// Compares our worker with recorded exchanges of Apache Kafka Connect.
import { isEqual } from './comparison.ts'
import { type Deviation, deviation } from './deviations.ts'
import { type Exchange, questionOf } from './exchanges.ts'
import { History } from './history.ts'
import { type Replayed, replay } from './replay.ts'
import { workerOptions } from './worker-options.ts'

export interface GoldenResult {
  readonly compared: number
  readonly equal: number
  /** By reason, how many exchanges. */
  readonly deviating: ReadonlyMap<Deviation, readonly Replayed[]>
  readonly unexplained: readonly Replayed[]
  /** Exchanges that were not compared: recorded with more than one worker, without a broker, or where the modes differ. */
  readonly leftOut: number
}

/**
 * Replays the exchanges, each recorded worker's on a new one of ours. `known` are exchanges that tell where the two modes
 * of a worker agree: what a distributed worker answers otherwise than a standalone one is not compared.
 */
export async function compareGolden(
  exchanges: readonly Exchange[],
  known: readonly Exchange[],
): Promise<GoldenResult> {
  const standalone = new Map(
    [...known, ...exchanges]
      .filter(({ worker }) => worker === 'standalone')
      .map((exchange) => [questionOf(exchange), exchange]),
  )
  const replayed: Replayed[] = []
  let leftOut = 0
  for (const group of groups(exchanges)) {
    const { canReplay, mode } = workerOptions(group[0]?.worker ?? '')
    if (!canReplay) {
      leftOut += group.length
      continue
    }
    for (const each of await replay(group)) {
      const twin = standalone.get(questionOf(each.exchange))
      const isComparable =
        mode === 'standalone' || (twin !== undefined && isEqual(twin.answer, each.exchange.answer))
      if (isComparable) replayed.push(each)
      else leftOut++
    }
  }
  return { ...judge(replayed), leftOut }
}

function judge(replayed: readonly Replayed[]): Omit<GoldenResult, 'leftOut'> {
  const deviating = new Map<Deviation, Replayed[]>()
  const unexplained: Replayed[] = []
  let equal = 0
  const history = new History()
  for (const each of replayed) {
    const { exchange, answer } = each
    const isSame = isEqual(exchange.answer, answer)
    const listed = isSame
      ? undefined
      : deviation({ exchange, expected: exchange.answer, ours: answer, history })
    history.add(exchange, answer, listed !== undefined)
    if (isSame) equal++
    else if (listed === undefined) unexplained.push(each)
    else deviating.set(listed, [...(deviating.get(listed) ?? []), each])
  }
  return { compared: replayed.length, equal, deviating, unexplained }
}

/** By worker, an admin listener with its worker, in the order of the recording. */
function groups(exchanges: readonly Exchange[]): readonly (readonly Exchange[])[] {
  const byWorker = new Map<string, Exchange[]>()
  for (const exchange of exchanges) {
    const key = exchange.worker.replace(/ \(admin listener\)$/, '')
    byWorker.set(key, [...(byWorker.get(key) ?? []), exchange])
  }
  return [...byWorker.values()]
}

/** Of what is not a mistake of the JVM worker, the part that is equal. */
export function equalPart({ compared, deviating, equal }: GoldenResult): number {
  let bugs = 0
  for (const [{ isJvmBug }, each] of deviating) if (isJvmBug) bugs += each.length
  return compared === bugs ? 1 : equal / (compared - bugs)
}

/** The one line of figures. */
export function summary({ compared, deviating, equal, unexplained }: GoldenResult): string {
  const listed = [...deviating.values()].reduce((count, each) => count + each.length, 0)
  return `golden: ${compared} compared, ${equal} equal, ${listed} deviate as listed, ${unexplained.length} unexplained`
}
