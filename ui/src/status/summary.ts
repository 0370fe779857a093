import type { ConnectorStatus } from '../../../connector/api/rest-extension.ts'

export type Shown =
  | 'RUNNING'
  | 'PAUSED'
  | 'STOPPED'
  | 'FAILED'
  | 'DEGRADED'
  | 'UNASSIGNED'
  | 'RESTARTING'

/** What the badge says: Kafka Connect's state, or DEGRADED when it runs but a task does not, or not well. */
export function shownState(connector: ConnectorStatus): Shown {
  const state = connector.state as Shown
  if (state !== 'RUNNING') return state
  const tasks = connector.tasks
  if (tasks.length > 0 && tasks.every((task) => task.state === 'FAILED')) return 'FAILED'
  const isDegraded = tasks.some(
    (task) => task.state === 'FAILED' || task.health?.state === 'DEGRADED',
  )
  return isDegraded ? 'DEGRADED' : 'RUNNING'
}

const ORDER: readonly Shown[] = [
  'FAILED',
  'DEGRADED',
  'RESTARTING',
  'UNASSIGNED',
  'PAUSED',
  'STOPPED',
  'RUNNING',
]

/** Trouble first, then by name. */
export const inOrder = (list: readonly ConnectorStatus[]): readonly ConnectorStatus[] =>
  [...list].sort(
    (a, b) =>
      ORDER.indexOf(shownState(a)) - ORDER.indexOf(shownState(b)) || a.name.localeCompare(b.name),
  )

export interface Counters {
  readonly connectors: number
  readonly failedConnectors: number
  readonly tasks: number
  readonly failedTasks: number
}

export function counters(list: readonly ConnectorStatus[]): Counters {
  const tasks = list.flatMap((connector) => connector.tasks)
  return {
    connectors: list.length,
    failedConnectors: list.filter((connector) => shownState(connector) === 'FAILED').length,
    tasks: tasks.length,
    failedTasks: tasks.filter((task) => task.state === 'FAILED').length,
  }
}

export const problemCount = (list: readonly ConnectorStatus[]): number =>
  list.filter((connector) => ['FAILED', 'DEGRADED'].includes(shownState(connector))).length
