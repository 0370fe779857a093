import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  CONNECTOR_TRANSITIONS,
  type ConnectorEvent,
  type ConnectorState,
  nextConnectorState,
  nextTaskState,
  TASK_TRANSITIONS,
  type TaskEvent,
  type TaskState,
} from '../../../connector/runtime/task-state.ts'

const taskEvents = Object.keys(TASK_TRANSITIONS.RUNNING) as TaskEvent[]
const connectorEvents = Object.keys(CONNECTOR_TRANSITIONS.RUNNING) as ConnectorEvent[]
const run = (events: readonly TaskEvent[], from: TaskState = 'UNASSIGNED'): TaskState =>
  events.reduce(nextTaskState, from)
const runConnector = (events: readonly ConnectorEvent[], from: ConnectorState): ConnectorState =>
  events.reduce(nextConnectorState, from)

describe('the task state table', () => {
  test('a failed task only leaves FAILED by restart or destroy', () => {
    const others = taskEvents.filter((event) => event !== 'restart' && event !== 'destroy')
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...others)),
        (events) => run(['fail', ...events]) === 'FAILED',
      ),
    )
  })

  test('a destroyed task stays destroyed', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...taskEvents)),
        (events) => run(['destroy', ...events]) === 'DESTROYED',
      ),
    )
  })

  test('start, pause, resume and stop lead through the states of a normal life', () => {
    expect(run(['start'])).toBe('RUNNING')
    expect(run(['start', 'pause'])).toBe('PAUSED')
    expect(run(['start', 'pause', 'resume'])).toBe('RUNNING')
    expect(run(['start', 'pause', 'resume', 'stop'])).toBe('UNASSIGNED')
    expect(run(['start', 'restart', 'start'])).toBe('RUNNING')
  })

  test('an event that comes twice changes nothing more', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...taskEvents)),
        fc.constantFrom(...taskEvents),
        (events, event) => run([...events, event]) === run([...events, event, event]),
      ),
    )
  })
})

describe('the connector state table', () => {
  test('a failed connector leaves FAILED by stop, restart or destroy only', () => {
    const others = connectorEvents.filter(
      (event) => event !== 'restart' && event !== 'destroy' && event !== 'stop',
    )
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...others)),
        (events) => runConnector(events, 'FAILED') === 'FAILED',
      ),
    )
    expect(runConnector(['stop'], 'FAILED')).toBe('STOPPED')
    expect(runConnector(['pause', 'stop', 'start'], 'RUNNING')).toBe('RUNNING')
  })
})
