import type { TrainRun, TrainState } from './train-run.ts'

export interface StopPrediction {
  /** Index into the pattern's stops. */
  readonly stop: number
  /** Unix seconds. */
  readonly arrival: number
  readonly departure: number
}

export interface PredictionRules {
  /** The next arrival is never announced for sooner than this many seconds from now. */
  readonly nextAtLeastS: number
  /** A train at a platform still lists that stop. */
  readonly listsStandingStop: boolean
}

/**
 * What a dispatcher who knows the timetable and the past, but not the future, announces at `time` for the
 * stops ahead. Announced times change when a train does something, not with every second that passes.
 */
export function predict(
  run: TrainRun,
  state: TrainState,
  time: number,
  rules: PredictionRules,
): readonly StopPrediction[] {
  const out: StopPrediction[] = []
  const count = run.arrivals.length
  let stop = state.stop
  let departure: number
  if (state.phase === 'arrived') return out
  if (state.phase === 'moving') {
    departure = run.departures[stop] ?? time
  } else {
    const arrival = run.arrivals[stop] ?? time
    departure =
      stop === 0
        ? (run.departures[0] ?? time)
        : Math.max(arrival + planned(run, stop), ceil15(time))
    if (stop === 0 || rules.listsStandingStop) out.push({ stop, arrival, departure })
  }
  let floor = ceil15(time + rules.nextAtLeastS)
  for (stop++; stop < count; stop++) {
    const arrival = Math.max(departure + Math.round(run.plannedTravel[stop - 1] ?? 0), floor)
    departure = arrival + planned(run, stop)
    floor = 0
    out.push({ stop, arrival, departure })
  }
  return out
}

function planned(run: TrainRun, stop: number): number {
  return Math.round(run.plannedDwell[stop] ?? 0)
}

/** Late trains are put off by a quarter of a minute at a time. */
function ceil15(time: number): number {
  return Math.ceil(time / 15) * 15
}
