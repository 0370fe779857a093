import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ConnectorStatus } from '../../../connector/api/rest-extension.ts'
import type { Props } from '../../../connector/api/task-context.ts'
import { TaskRestarts } from '../../../connector/runtime/task-restarts.ts'
import type { Status } from '../../../connector/storage/status-backing-store.ts'
import { FakeClock, settled } from '../../support/fake-clock.ts'
import { recordingLog } from '../../support/recording-log.ts'

let clock: FakeClock
let restarts: TaskRestarts
let restarted: number[]
let state: Status['state']
const ignore = (): void => {}
let listener: (status: ConnectorStatus) => void
const log = recordingLog()

function watch(props: Props, config: Props = {}): void {
  restarts = new TaskRestarts({
    props,
    clock,
    random: () => 1,
    log,
    herder: {
      onStatus: (callback) => {
        listener = callback
        return ignore
      },
      connectorConfig: () => Promise.resolve(config),
      taskStatus: () => ({ state, workerId: '', trace: undefined, version: undefined, sinceMs: 0 }),
      restartTask: () => {
        restarted.push(clock.now())
        return Promise.resolve()
      },
    },
  })
}

async function tell(next: Status['state'], connector: ConnectorStatus['state'] = 'RUNNING') {
  state = next
  const task = { id: 0, state: next, workerId: '', trace: undefined, health: null }
  const tasks = connector === 'DESTROYED' ? [] : [{ ...task, sinceMs: clock.now() }]
  const shared = { name: 'a', type: 'sink', workerId: '', trace: undefined } as const
  listener({ ...shared, state: connector, tasks })
  await settled()
}

beforeEach(() => {
  clock = new FakeClock()
  restarted = []
})
afterEach(() => restarts.stop())

const THREE = {
  'task.restart.attempts.max': '3',
  'task.restart.backoff.ms': '1000',
  'task.restart.backoff.max.ms': '60000',
}

describe('TaskRestarts', () => {
  test('does nothing unless it was asked for', async () => {
    watch({})
    await tell('FAILED')
    await clock.advance(86_400_000)
    expect(restarted).toEqual([])
  })

  test('restarts with growing waits, and gives up after the last attempt', async () => {
    watch(THREE)
    for (let failure = 0; failure < 5; failure++) {
      await tell('FAILED')
      await clock.advance(100_000)
      await tell('RESTARTING')
      await tell('RUNNING')
    }
    expect(restarted).toEqual([1_000, 102_000, 204_000])
    expect(log.lines.at(-1)?.message).toContain('stays FAILED')
  })

  test('counts anew for a task that ran for long', async () => {
    watch({ ...THREE, 'task.restart.attempts.max': '1' })
    await tell('FAILED')
    await clock.advance(1_000)
    await tell('RUNNING')
    await clock.advance(60_001)
    await tell('FAILED')
    await clock.advance(1_000)
    await tell('RUNNING')
    await clock.advance(59_000)
    await tell('FAILED')
    await clock.advance(1_000)
    expect(restarted).toEqual([1_000, 62_001])
  })

  test('takes the connector’s own settings before the worker’s', async () => {
    watch(THREE, { 'task.restart.attempts.max': '0' })
    await tell('FAILED')
    await clock.advance(10_000)
    expect(restarted).toEqual([])
  })

  test.each([
    ['was restarted by somebody', 'RUNNING', 'RUNNING'],
    ['was paused', 'PAUSED', 'PAUSED'],
    ['is gone', 'FAILED', 'DESTROYED'],
  ] as const)('leaves alone a task that %s meanwhile', async (_name, next, connector) => {
    watch(THREE)
    await tell('FAILED')
    await clock.advance(500)
    await tell(next, connector)
    await clock.advance(100_000)
    expect(restarted).toEqual([])
  })

  test('says what is wrong with the settings', async () => {
    watch({ 'task.restart.attempts.max': 'many' })
    await tell('FAILED')
    expect(log.lines.at(-1)?.message).toContain('task.restart.attempts.max')
  })
})
