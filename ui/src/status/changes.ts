import type { ConnectorStatus } from '../../../connector/api/rest-extension.ts'
import { rootCause } from './summary.ts'

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
  const old = statesOf(before)
  const now = statesOf(after)
  const changed = Array.from(now).filter(([subject, text]) => old.get(subject) !== text)
  const gone = Array.from(old.keys()).filter((subject) => !now.has(subject))
  return [
    ...changed.map(([subject, text]) => ({ atMs, subject, text })),
    ...gone.map((subject) => ({ atMs, subject, text: 'gone' })),
  ]
}

function statesOf(list: readonly ConnectorStatus[]): ReadonlyMap<string, string> {
  const states = new Map<string, string>()
  for (const { name, state, trace, tasks } of list) {
    states.set(name, withReason(state, trace === undefined ? undefined : rootCause(trace)))
    for (const task of tasks) {
      const health = task.health?.state === 'DEGRADED' ? task.health.message : undefined
      const reason = task.trace === undefined ? health : rootCause(task.trace)
      states.set(`${name} task ${task.id}`, withReason(task.state, reason))
    }
  }
  return states
}

const withReason = (state: string, reason: string | undefined): string =>
  reason === undefined ? state : `${state}: ${reason}`
