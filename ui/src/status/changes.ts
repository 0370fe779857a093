import type { ConnectorStatus } from '../../../connector/api/rest-extension.ts'
import { rootCause, type Shown, taskShown } from './summary.ts'

/** A line of the timeline: a connector's or a task's new state. */
export interface StatusEvent {
  readonly atMs: number
  readonly subject: string
  readonly text: string
}

/** What changed from one status of everything to the next; nothing for the first. */
export function changesBetween(
  before: readonly ConnectorStatus[],
  after: readonly ConnectorStatus[],
  atMs: number,
): readonly StatusEvent[] {
  if (before.length === 0) return []
  const old = conditionsOf(before)
  const now = conditionsOf(after)
  const changed = Array.from(now).flatMap(([subject, condition]) => {
    const earlier = old.get(subject)
    return isSame(earlier, condition) ? [] : [{ atMs, subject, text: textOf(condition, earlier) }]
  })
  const gone = Array.from(old.keys()).filter((subject) => !now.has(subject))
  return [...changed, ...gone.map((subject) => ({ atMs, subject, text: 'gone' }))]
}

interface Condition {
  readonly state: Shown
  /** Why it has failed or limps; empty when it does neither. */
  readonly reason: string
}

function conditionsOf(list: readonly ConnectorStatus[]): ReadonlyMap<string, Condition> {
  const conditions = new Map<string, Condition>()
  for (const { name, state, trace, tasks } of list) {
    conditions.set(name, { state: state as Shown, reason: causeOf(trace) })
    for (const task of tasks) {
      const shown = taskShown(task)
      const reason = shown === 'DEGRADED' ? (task.health?.message ?? '') : causeOf(task.trace)
      conditions.set(`${name} task ${task.id}`, { state: shown, reason })
    }
  }
  return conditions
}

const causeOf = (trace: string | undefined): string => (trace === undefined ? '' : rootCause(trace))

const isSame = (a: Condition | undefined, b: Condition): boolean =>
  a !== undefined && a.state === b.state && gistOf(a.reason) === gistOf(b.reason)

/** What stays the same while a fault lasts: not its counters, and not the order in which several are told. */
const gistOf = (reason: string): string =>
  reason
    .replace(/\.$/, '')
    .replaceAll(/\d+( times?\b)?/g, '#')
    .split('; ')
    .sort()
    .join('; ')

/** Headed with what is new. */
function textOf({ state, reason }: Condition, earlier: Condition | undefined): string {
  if (state === 'RUNNING' && earlier?.state === 'DEGRADED') return 'OK again'
  return reason === '' ? state : `${state}: ${reason}`
}
