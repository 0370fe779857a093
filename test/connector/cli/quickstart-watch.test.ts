import { describe, expect, test } from 'vitest'
import { troublesOf } from '../../../connector/cli/quickstart-watch.ts'

describe('troubles on the terminal', () => {
  test('are tasks that failed, with the root cause, and tasks that wait', () => {
    const trace =
      'ConnectError: Exiting.\n    at x\nCaused by: ConnectError: first\nCaused by: Error: root'
    const found = troublesOf([
      {
        name: 'sink',
        connector: { state: 'RUNNING' },
        tasks: [
          { id: 0, state: 'FAILED', trace },
          { id: 1, state: 'UNASSIGNED' },
          { id: 2, state: 'RUNNING' },
        ],
      },
    ])
    expect(Object.fromEntries(found)).toEqual({
      'Task 0 of sink': 'is FAILED: Error: root',
      'Task 1 of sink': 'waits for what it needs to start',
    })
  })

  test('are not what somebody paused or stopped', () => {
    const tasks = [{ id: 0, state: 'PAUSED' }]
    expect(troublesOf([{ name: 'a', connector: { state: 'STOPPED' }, tasks }]).size).toBe(0)
  })
})
