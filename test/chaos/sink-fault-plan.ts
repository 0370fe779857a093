// What goes wrong in one round of in-process faults: a pure function of the round and its random numbers.
export const THEMES = [
  'lost-answer',
  'stale-token',
  'invalidate',
  'fail-over',
  'freeze-commit',
  'rebalance',
  'evolve',
] as const
const OTHERS = [
  'lost-open',
  'truncated-answer',
  'fenced',
  'vanish',
  'slow-commit',
  'hang',
  'busy',
  'no-route',
  'expired-tokens',
  'steal',
  'crash',
  'thaw',
] as const

export type FaultAction = (typeof THEMES)[number] | (typeof OTHERS)[number]

export interface FaultStep {
  readonly action: FaultAction
  /** Records for each partition, before the fault. */
  readonly records: readonly number[]
  /** Between the records and the fault, and after it. */
  readonly waitMs: readonly [number, number]
  /** How often, or how long in tens of milliseconds. */
  readonly size: number
}

const THEME_STEPS = 2
const OTHER_STEPS_MIN = 4
const RECORDS_MAX = 300

/** Two steps of the round's theme, the themes taking turns, among others by chance. */
export function planRound(
  round: number,
  partitions: number,
  random: () => number,
): readonly FaultStep[] {
  const below = (limit: number): number => Math.floor(random() * limit)
  const theme = THEMES[round % THEMES.length] ?? 'lost-answer'
  const all = [...THEMES, ...OTHERS]
  const actions: FaultAction[] = Array.from(
    { length: OTHER_STEPS_MIN + below(5) },
    () => all[below(all.length)] ?? theme,
  )
  for (let i = 0; i < THEME_STEPS; i++) actions.splice(below(actions.length + 1), 0, theme)
  return actions.map((action) => ({
    action,
    records: Array.from({ length: partitions }, () => below(3) * below(RECORDS_MAX)),
    waitMs: [below(60), below(150)],
    size: 1 + below(3),
  }))
}
