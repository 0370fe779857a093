import type { Network } from './network.ts'
import { type ServiceDay, serviceDaysAround } from './service-day.ts'
import { type Departure, departuresOf, type ServicePlan } from './timetable.ts'
import { type Pace, TrainRun } from './train-run.ts'

const DAYS_KEPT = 6
/** No trip takes longer; earlier departures need not be looked at. */
const TRIP_MAX_S = 5 * 3600

/** A departure and, once somebody asked for it, its run. */
interface Entry {
  readonly departure: Departure
  readonly leavesAt: number
  run: TrainRun | undefined
}

/** All trains of a network on any day. A pure function of seed and time that remembers what it worked out. */
export class TrainRoster {
  readonly #network: Network
  readonly #plan: ServicePlan
  readonly #pace: Pace
  readonly #seed: number
  readonly #days = new Map<string, Entry[]>()

  constructor(options: { network: Network; plan: ServicePlan; pace: Pace; seed: number }) {
    this.#network = options.network
    this.#plan = options.plan
    this.#pace = options.pace
    this.#seed = options.seed
  }

  /**
   * The runs that have not ended at `time` (Unix seconds) and begin within the next `aheadS` seconds, in
   * the order of their routes, directions and departures.
   */
  runsAt(time: number, aheadS: number): readonly TrainRun[] {
    const out: TrainRun[] = []
    for (const day of serviceDaysAround(time)) {
      for (const entry of this.#entries(day)) {
        if (entry.leavesAt > time + aheadS || entry.leavesAt < time - TRIP_MAX_S) continue
        entry.run ??= new TrainRun(entry.departure, this.#pace, this.#seed)
        if (entry.run.endsAt > time) out.push(entry.run)
      }
    }
    return out
  }

  #entries(day: ServiceDay): Entry[] {
    const known = this.#days.get(day.date)
    if (known !== undefined) return known
    const entries = departuresOf(this.#network.patterns, this.#plan, day, this.#seed).map(
      (departure): Entry => ({ departure, leavesAt: day.start + departure.at, run: undefined }),
    )
    this.#days.set(day.date, entries)
    const oldest = this.#days.keys().next().value
    if (this.#days.size > DAYS_KEPT && oldest !== undefined) this.#days.delete(oldest)
    return entries
  }
}
