import { between, chance } from './chance.ts'
import type { Departure } from './timetable.ts'

/** The share of a leg that a train spends speeding up, and again slowing down. */
const EASE = 0.12
const HOLD_CHANCE = 0.012
const HOLD_S: readonly [number, number] = [45, 240]

export interface Pace {
  /** Seconds at a platform, less where the timetable leaves no room. */
  readonly dwellS: number
  /** How much slower or quicker than the timetable a leg may be, as a factor. */
  readonly spread: readonly [number, number]
  /** No leg is run faster than this, whatever the timetable says. */
  readonly speedMaxMps: number
}

/** Where a train is and what it does at one instant. */
export interface TrainState {
  readonly phase: 'waiting' | 'standing' | 'moving' | 'arrived'
  /** The stop where it stands or that it left last, counted from 0. */
  readonly stop: number
  /** Metres along the pattern's track. */
  readonly distanceM: number
  /** Metres a second, averaged over the leg's middle. */
  readonly speedMps: number
  /** How much of the leg's distance is behind it, 0 at a platform. */
  readonly legShare: number
  /** Unix seconds since when it stands between stations; undefined while it does not. */
  readonly heldSince: number | undefined
}

interface Leg {
  readonly travelS: number
  /** It stops for so long, halfway. */
  readonly holdS: number
}

/**
 * One trip from its first stop to its last: exact times of every arrival and departure, made up from the
 * timetable and the seed. Nothing in it changes, so its state at any instant can be asked in any order.
 */
export class TrainRun {
  readonly departure: Departure
  /** Unix seconds, per stop: what will really happen. For the first stop, when it is put on the platform. */
  readonly arrivals: readonly number[]
  readonly departures: readonly number[]
  /** Seconds from leaving a stop to reaching the next one as planned, without holds. */
  readonly plannedTravel: readonly number[]
  readonly plannedDwell: readonly number[]
  readonly #legs: readonly Leg[]

  constructor(departure: Departure, pace: Pace, seed: number) {
    this.departure = departure
    const { pattern, day, at, ordinal } = departure
    const keys = [pattern.id, day.date, ordinal] as const
    const arrivals: number[] = []
    const departures: number[] = []
    const plannedTravel: number[] = []
    const plannedDwell: number[] = []
    const legs: Leg[] = []
    let now = day.start + at + Math.round(between([0, 25], seed, 'late', ...keys))
    for (let i = 0; i < pattern.stops.length; i++) {
      const next = pattern.runs[i + 1] ?? 0
      const dwell = Math.min(pace.dwellS, next * 0.35)
      plannedDwell.push(dwell)
      arrivals.push(i === 0 ? now - 180 : now)
      if (i > 0) now += Math.round(dwell * between([0.8, 1.5], seed, 'dwell', ...keys, i))
      departures.push(now)
      if (i === pattern.stops.length - 1) break
      const lengthM = (pattern.distancesM[i + 1] ?? 0) - (pattern.distancesM[i] ?? 0)
      const quickest = (lengthM / pace.speedMaxMps) * (1 + EASE)
      const planned = Math.max(next - dwell, quickest, 5)
      const travelS = Math.round(
        Math.max(planned * between(pace.spread, seed, 'leg', ...keys, i), quickest),
      )
      const holdS =
        chance(seed, 'hold?', ...keys, i) < HOLD_CHANCE
          ? Math.round(between(HOLD_S, seed, 'hold', ...keys, i))
          : 0
      plannedTravel.push(planned)
      legs.push({ travelS, holdS })
      now += travelS + holdS
    }
    this.arrivals = arrivals
    this.departures = departures
    this.plannedTravel = plannedTravel
    this.plannedDwell = plannedDwell
    this.#legs = legs
  }

  get endsAt(): number {
    return this.arrivals.at(-1) ?? 0
  }

  /** The train at `time`, Unix seconds, fractions allowed. */
  at(time: number): TrainState {
    const { distancesM } = this.departure.pattern
    const standing = (phase: TrainState['phase'], stop: number): TrainState => ({
      phase,
      stop,
      distanceM: distancesM[stop] ?? 0,
      speedMps: 0,
      legShare: 0,
      heldSince: undefined,
    })
    if (time < (this.departures[0] ?? 0)) return standing('waiting', 0)
    if (time >= this.endsAt) return standing('arrived', distancesM.length - 1)
    let stop = 0
    while (stop + 1 < this.arrivals.length && (this.arrivals[stop + 1] ?? 0) <= time) stop++
    if (time < (this.departures[stop] ?? 0)) return standing('standing', stop)
    return this.#moving(stop, time)
  }

  #moving(stop: number, time: number): TrainState {
    const { distancesM } = this.departure.pattern
    const left = this.departures[stop] ?? 0
    const elapsed = time - left
    const { travelS, holdS } = this.#legs[stop] ?? { travelS: 1, holdS: 0 }
    const half = travelS / 2
    const held = elapsed >= half && elapsed < half + holdS
    const rolling = elapsed < half ? elapsed : held ? half : elapsed - holdS
    const share = easedShare(Math.min(rolling / travelS, 1))
    const from = distancesM[stop] ?? 0
    const lengthM = (distancesM[stop + 1] ?? from) - from
    return {
      phase: 'moving',
      stop,
      distanceM: from + share * lengthM,
      speedMps: held ? 0 : lengthM / travelS / (1 - EASE),
      legShare: share,
      heldSince: held ? Math.round(left + half) : undefined,
    }
  }
}

/** Share of the distance after a share of the time: steady in the middle, gentle at both ends. */
function easedShare(time: number): number {
  const top = 1 / (1 - EASE)
  if (time < EASE) return (top * time * time) / (2 * EASE)
  if (time > 1 - EASE) return 1 - (top * (1 - time) * (1 - time)) / (2 * EASE)
  return top * (time - EASE / 2)
}
