import type { ConnectorStatus, TaskStatus } from '../../../connector/api/rest-extension.ts'
import type { Action } from '../rest.ts'

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

export const taskShown = ({ state, health }: TaskStatus): Shown =>
  state === 'RUNNING' && health?.state === 'DEGRADED' ? 'DEGRADED' : (state as Shown)

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

/** Which connectors a counter stands for. */
export type Only = 'all' | 'failed-connectors' | 'tasks' | 'failed-tasks'

const MEANT: Readonly<Record<Only, (connector: ConnectorStatus) => boolean>> = {
  all: () => true,
  'failed-connectors': (connector) => shownState(connector) === 'FAILED',
  tasks: ({ tasks }) => tasks.length > 0,
  'failed-tasks': ({ tasks }) => tasks.some((task) => task.state === 'FAILED'),
}

export const isMeant = (connector: ConnectorStatus, only: Only): boolean => MEANT[only](connector)

export const problemCount = (list: readonly ConnectorStatus[]): number =>
  list.filter((connector) => ['FAILED', 'DEGRADED'].includes(shownState(connector))).length

export interface Problem {
  readonly subject: string
  readonly isFailure: boolean
  readonly text: string
}

/** What is wrong with a connector, a sentence each: failures with their root cause, then what only limps. */
export function problemsOf(connector: ConnectorStatus): readonly Problem[] {
  const failed: Problem[] = []
  const degraded: Problem[] = []
  if (connector.trace !== undefined) {
    failed.push({ subject: 'connector', isFailure: true, text: rootCause(connector.trace) })
  }
  for (const { id, trace, health } of connector.tasks) {
    const subject = `task ${id}`
    if (trace !== undefined) failed.push({ subject, isFailure: true, text: rootCause(trace) })
    else if (health?.state === 'DEGRADED') {
      degraded.push({ subject, isFailure: false, text: health.message })
    }
  }
  return [...failed, ...degraded]
}

/** Of a trace with causes the last one, without its stack. */
export function rootCause(trace: string): string {
  const lines = trace.split('\n')
  const cause = lines.filter((line) => line.startsWith('Caused by: ')).at(-1)
  return cause?.slice('Caused by: '.length) ?? lines[0] ?? ''
}

/** What makes sense in a state; what one most likely wants comes first. */
export function actionsFor(connector: ConnectorStatus): readonly Action[] {
  const hasFailed =
    connector.state === 'FAILED' || connector.tasks.some((task) => task.state === 'FAILED')
  const failed: readonly Action[] = hasFailed ? ['restart-failed'] : []
  switch (connector.state) {
    case 'PAUSED':
      return [...failed, 'resume', 'stop', 'delete']
    case 'STOPPED':
      return ['resume', 'delete']
    default:
      return [...failed, 'restart-all', 'pause', 'stop', 'delete']
  }
}
