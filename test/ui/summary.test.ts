import { describe, expect, test } from 'vitest'
import type { ConnectorStatus, TaskStatus } from '../../connector/api/rest-extension.ts'
import { changesBetween } from '../../ui/src/status/changes.ts'
import {
  actionsFor,
  counters,
  inOrder,
  isMeant,
  problemCount,
  problemsOf,
  shownState,
  taskShown,
} from '../../ui/src/status/summary.ts'
import { taskStatus } from '../support/fake-worker.ts'

const connector = (
  name: string,
  tasks: readonly TaskStatus[],
  extra: Partial<ConnectorStatus> = {},
): ConnectorStatus => ({
  name,
  type: 'sink',
  state: 'RUNNING',
  workerId: '127.0.0.1:8083',
  trace: undefined,
  tasks,
  ...extra,
})
const TRACE =
  'ConnectException: Exiting.\n\tat x.ts:1\nCaused by: DataError: Row 7 is bad.\n\tat y.ts:2'
const failed = taskStatus(0, { state: 'FAILED', trace: TRACE })
const limping = taskStatus(1, { health: { state: 'DEGRADED', message: 'Feed l answers 503.' } })
const good = connector('good', [taskStatus(0)])
const down = connector('down', [failed])
const half = connector('half', [failed, taskStatus(1)])
const limps = connector('limps', [taskStatus(0), limping])
const paused = connector('paused', [taskStatus(0, { state: 'PAUSED' })], { state: 'PAUSED' })

const says = (message: string, state = 'RUNNING') =>
  connector('c', [taskStatus(0, { state, health: { state: 'DEGRADED', message } })])
const told = (before: ConnectorStatus, after: ConnectorStatus): readonly string[] =>
  changesBetween([before], [after], 5).map(({ text }) => text)

describe('shownState', () => {
  test('is worse than RUNNING when tasks are', () => {
    expect([good, down, half, limps, paused].map(shownState)).toEqual([
      'RUNNING',
      'FAILED',
      'DEGRADED',
      'DEGRADED',
      'PAUSED',
    ])
    expect(shownState(connector('none', []))).toBe('RUNNING')
    expect([failed, limping, taskStatus(2)].map(taskShown)).toEqual([
      'FAILED',
      'DEGRADED',
      'RUNNING',
    ])
  })
})

describe('the overview', () => {
  const list = [good, down, half, limps, paused]

  test('counts what the four counters say, and each shows what it counts', () => {
    expect(counters(list)).toEqual({ connectors: 5, failedConnectors: 1, tasks: 7, failedTasks: 2 })
    expect(problemCount(list)).toBe(3)
    expect(list.filter((one) => isMeant(one, 'failed-connectors'))).toEqual([down])
    expect(list.filter((one) => isMeant(one, 'failed-tasks'))).toEqual([down, half])
    expect(list.filter((one) => isMeant(one, 'all'))).toEqual(list)
    expect([connector('none', []), good].filter((one) => isMeant(one, 'tasks'))).toEqual([good])
  })

  test('has trouble first', () => {
    expect(inOrder(list).map(({ name }) => name)).toEqual([
      'down',
      'half',
      'limps',
      'paused',
      'good',
    ])
  })

  test('says what is wrong: the root cause of failures first, then what a task says of itself', () => {
    const both = connector('both', [limping, failed])
    expect(problemsOf(both)).toEqual([
      { subject: 'task 0', isFailure: true, text: 'DataError: Row 7 is bad.' },
      { subject: 'task 1', isFailure: false, text: 'Feed l answers 503.' },
    ])
    expect(problemsOf(good)).toEqual([])
    expect(
      problemsOf(connector('c', [], { state: 'FAILED', trace: 'ConfigError: no url' })),
    ).toEqual([{ subject: 'connector', isFailure: true, text: 'ConfigError: no url' }])
  })

  test('offers what makes sense in a state', () => {
    expect(actionsFor(good)).toEqual(['restart-all', 'pause', 'stop', 'delete'])
    expect(actionsFor(half)[0]).toBe('restart-failed')
    expect(actionsFor(paused)).toEqual(['resume', 'stop', 'delete'])
    expect(actionsFor(connector('s', [], { state: 'STOPPED' }))).toEqual(['resume', 'delete'])
  })
})

describe('changesBetween', () => {
  test('has nothing to say of the first status', () => {
    expect(changesBetween([], [good], 1)).toEqual([])
  })

  test('tells states, reasons, and who came and went', () => {
    const worse = connector('good', [taskStatus(0, { state: 'FAILED', trace: TRACE })])
    expect(changesBetween([good, paused], [worse, limps], 5)).toEqual([
      { atMs: 5, subject: 'good task 0', text: 'FAILED: DataError: Row 7 is bad.' },
      { atMs: 5, subject: 'limps', text: 'RUNNING' },
      { atMs: 5, subject: 'limps task 0', text: 'RUNNING' },
      { atMs: 5, subject: 'limps task 1', text: 'DEGRADED: Feed l answers 503.' },
      { atMs: 5, subject: 'paused', text: 'gone' },
      { atMs: 5, subject: 'paused task 0', text: 'gone' },
    ])
    expect(changesBetween([good], [good], 5)).toEqual([])
  })

  test('is silent while only counters change, or the order of reasons', () => {
    const once = says(
      'a failed 1 time in a row: HTTP_STATUS, 503; b failed 7 times in a row: DECODE, x.',
    )
    const later = says(
      'b failed 8 times in a row: DECODE, x; a failed 2 times in a row: HTTP_STATUS, 503.',
    )
    expect(told(once, later)).toEqual([])
    expect(told(later, says('b failed 9 times in a row: DECODE, x.'))).toEqual([
      'DEGRADED: b failed 9 times in a row: DECODE, x.',
    ])
  })

  test('tells a pause as a pause, and the end of trouble as that', () => {
    const limp = says('b failed 8 times in a row.')
    expect(told(limp, says('b failed 8 times in a row.', 'PAUSED'))).toEqual(['PAUSED'])
    expect(told(limp, connector('c', [taskStatus(0)]))).toEqual(['OK again'])
    const halted = connector('c', [taskStatus(0, { state: 'PAUSED' })])
    expect(told(halted, connector('c', [taskStatus(0)]))).toEqual(['RUNNING'])
  })
})
