import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { DataError, RetriableError, toTrace } from '../../../connector/api/errors.ts'
import type { Props } from '../../../connector/api/task-context.ts'
import type { WorkerTask } from '../../../connector/runtime/worker-task.ts'
import { FakeClock, settled } from '../../support/fake-clock.ts'
import { FakeKafka } from '../../support/fake-kafka.ts'
import { Script } from '../../support/test-plugins.ts'
import { makeTask, type Told, testServices } from '../../support/test-services.ts'

const COMMIT_MS = 10_000
let kafka: FakeKafka
let script: Script
let clock: FakeClock
let task: WorkerTask
let told: Told

beforeEach(() => {
  kafka = new FakeKafka({ topics: { t: 2 } })
  script = new Script()
  clock = new FakeClock()
})
afterEach(() => task.cancel())

const write = (value: string, partition = 0): void => {
  kafka.cluster.append({ topic: 't', partition, key: null, value: Buffer.from(value) })
}
const values = (): unknown[] => script.put.map(({ value }) => value)
const committed = (): unknown =>
  Object.fromEntries(
    [...kafka.cluster.group('connect-x').offsets].map(([key, { offset }]) => [key, offset]),
  )

async function start(props: Props = {}): Promise<void> {
  const made = await makeTask('sink', testServices({ kafka, script, clock }), props)
  task = made.task
  told = made.told
  await task.initialize()
}
async function turns(count = 1): Promise<void> {
  for (let turn = 0; turn < count; turn++) await task.iteration()
}
/** Runs the loop until `check` holds. */
async function until(check: () => boolean): Promise<void> {
  for (let turn = 0; turn < 50 && !check(); turn++) await turns()
  expect(check()).toBe(true)
}
/** Ends the task as its worker does, time passing where it has to. */
async function stop(): Promise<void> {
  task.stop()
  const run = task.run()
  await clock.advance(10_000)
  await run
}

describe('WorkerSinkTask', () => {
  test('opens what it is assigned, puts records in order and an empty batch when there is none', async () => {
    const batches: number[] = []
    script.onPut = (records) => void batches.push(records.length)
    write('a')
    write('b')
    await start()
    await turns(2)
    expect(script.calls).toEqual(['task start', 'open 0,1'])
    expect(values()).toEqual(['a', 'b'])
    expect(batches).toEqual([2, 0])
    expect(told.states).toEqual(['RUNNING'])
    expect(told.topics).toEqual(['t'])
  })

  test('commits every offset.flush.interval.ms what preCommit allows', async () => {
    write('a')
    write('b')
    script.onPreCommit = (current) =>
      current.filter(({ partition }) => partition === 0).map((tpo) => ({ ...tpo, offset: 1 }))
    await start()
    await turns(2)
    expect(committed()).toEqual({})
    await clock.advance(COMMIT_MS)
    await turns()
    await settled()
    expect(committed()).toEqual({ 't/0': 1 })
  })

  test('commits soon when the task asks for it, and never beyond what was put', async () => {
    write('a')
    script.onPreCommit = (current) => current.map((tpo) => ({ ...tpo, offset: tpo.offset + 7 }))
    await start()
    await turns()
    script.sinkTasks[0]?.taskContext.requestCommit()
    await turns()
    expect(script.calls).toContain('preCommit')
    await settled()
    expect(committed()).toEqual({})
  })

  test('begins where the task says in open, whatever the group has committed', async () => {
    for (const value of ['a', 'b', 'c', 'd']) write(value)
    script.onOpen = (partitions, { taskContext }) => {
      for (const tp of partitions) if (tp.partition === 0) taskContext.offset(tp, 2)
    }
    await start()
    await until(() => script.put.length === 2)
    expect(values()).toEqual(['c', 'd'])
  })

  test('fails when the task seeks where it has nothing', async () => {
    script.onOpen = (_partitions, { taskContext }) =>
      taskContext.offset({ topic: 't', partition: 9 }, 0)
    await start()
    await expect(turns(2)).rejects.toThrow('t/9, which is not assigned')
  })

  test('puts the same records again after a RetriableError, when the task wants it, all paused meanwhile', async () => {
    const attempts: string[] = []
    script.onPut = (records, { taskContext }) => {
      attempts.push(records.map(({ value }) => value).join())
      if (attempts.length < 3) {
        taskContext.timeout(1_000)
        throw new RetriableError('not now')
      }
    }
    write('a')
    await start()
    await turns()
    write('b')
    await turns(5)
    expect(attempts).toEqual(['a'])
    expect(told.health.at(-1)).toEqual({
      state: 'DEGRADED',
      message: 'Put failed and is tried again: not now',
    })
    await clock.advance(1_000)
    await turns(3)
    expect(attempts).toEqual(['a', 'a'])
    await clock.advance(1_000)
    await until(() => script.put.length === 2)
    expect(attempts.filter((batch) => batch !== '')).toEqual(['a', 'a', 'a', 'b'])
    expect(told.health.at(-1)).toBeNull()
  })

  test('drops from a batch to be put again what was taken away meanwhile', async () => {
    let isBusy = true
    script.onPut = () => {
      if (isBusy) throw new RetriableError('not now')
    }
    write('a', 0)
    write('b', 1)
    await start()
    await turns()
    const other = kafka.consumer(
      { 'group.id': 'connect-x' },
      { log: () => {}, statistics: () => {} },
    )
    await other.connect(new AbortController().signal)
    other.subscribe(['t'], {
      onAssigned: () => Promise.resolve(),
      onRevoked: () => Promise.resolve(),
      onLost: () => Promise.resolve(),
    })
    await turns(3)
    expect(script.calls.filter((call) => call.startsWith('close'))).toHaveLength(1)
    isBusy = false
    await clock.advance(20_000)
    await until(() => script.put.length > 0)
    expect(values()).toHaveLength(1)
  })

  test('fails with the cause in its trace when put throws anything else, and still stops the plugin', async () => {
    script.onPut = (records) => {
      if (records.length > 0) throw new DataError('no such column')
    }
    write('a')
    const made = await makeTask('sink', testServices({ kafka, script, clock }))
    task = made.task
    const run = task.run()
    await settled()
    await clock.advance(10)
    await run
    expect(made.told.states).toEqual(['RUNNING', 'FAILED'])
    expect(toTrace(made.told.errors[0])).toMatch(
      /Exiting WorkerSinkTask due to unrecoverable exception\.[^]*Caused by: DataError: no such column/,
    )
    expect(script.calls.at(-1)).toBe('task stop')
    expect(committed()).toEqual({})
  })

  test('goes back to what is committed when preCommit fails', async () => {
    write('a')
    await start()
    await turns()
    script.onPreCommit = () => {
      throw new RetriableError('unknown')
    }
    await clock.advance(COMMIT_MS)
    await turns()
    script.onPreCommit = (current) => current
    await until(() => script.put.length === 2)
    expect(values()).toEqual(['a', 'a'])
  })

  test('commits nothing that was put before it went back, until it is put again', async () => {
    write('a')
    await start()
    await turns()
    script.onPreCommit = () => {
      throw new RetriableError('unknown')
    }
    script.onPut = () => {
      throw new RetriableError('not now')
    }
    await clock.advance(COMMIT_MS)
    await turns()
    const asked: number[] = []
    script.onPreCommit = (current) => {
      asked.push(...current.filter((tpo) => tpo.partition === 0).map(({ offset }) => offset))
      return current
    }
    script.sinkTasks[0]?.taskContext.requestCommit()
    await turns(2)
    await settled()
    expect(asked).toEqual([0])
    expect(committed()).toEqual({})
  })

  test('stops in order: commits, closes, stops', async () => {
    write('a')
    await start()
    await turns()
    script.calls.length = 0
    await stop()
    expect(script.calls).toEqual(['preCommit', 'close 0,1', 'task stop'])
    expect(committed()).toEqual({ 't/0': 1 })
    expect(told.states).toEqual(['RUNNING', 'UNASSIGNED'])
  })

  test('leaves its group only when the last commit is answered', async () => {
    write('a')
    await start()
    await turns()
    const [consumer] = kafka.consumers
    if (consumer === undefined) throw new Error('The task has no consumer.')
    const events: string[] = []
    let answer: (() => void) | undefined
    consumer.commit = (_offsets, options) => {
      events.push(`commit ${options?.isAwaited}`)
      return new Promise<void>((resolve) => {
        answer = resolve
      })
    }
    consumer.close = () => {
      events.push('close')
      return Promise.resolve()
    }
    task.stop()
    const run = task.run()
    await settled()
    expect(events).toEqual(['commit true'])
    answer?.()
    await clock.advance(0)
    await run
    expect(events).toEqual(['commit true', 'close'])
  })

  test('while paused reads nothing but calls put, and goes on where it was', async () => {
    let puts = 0
    script.onPut = () => void puts++
    await start()
    await turns()
    task.setPaused(true)
    await turns(2)
    expect(told.states).toEqual(['RUNNING', 'PAUSED'])
    write('a')
    const before = puts
    await turns(3)
    expect(values()).toEqual([])
    expect(puts).toBe(before + 3)
    task.setPaused(false)
    await until(() => script.put.length === 1)
    expect(told.states).toEqual(['RUNNING', 'PAUSED', 'RUNNING'])
  })

  test('commits what was put as soon as it is paused', async () => {
    write('a')
    await start()
    await turns()
    task.setPaused(true)
    await turns()
    await settled()
    expect(committed()).toEqual({ 't/0': 1 })
  })

  test('tells its worker of a topic with every batch of it, for the worker may have been told to forget it', async () => {
    write('a')
    write('b')
    await start()
    await turns()
    write('c')
    await turns(2)
    expect(told.topics).toEqual(['t', 't'])
  })

  test('closes partitions that were lost, commits nothing of them and opens them again when they come back', async () => {
    write('a')
    await start()
    await turns()
    script.calls.length = 0
    kafka.consumers[0]?.expel()
    await turns(2)
    expect(script.calls).toEqual(['close 0,1', 'open 0,1'])
    expect(committed()).toEqual({})
  })

  test('keeps what the task itself has paused', async () => {
    write('a', 0)
    write('b', 1)
    script.onOpen = (partitions, { taskContext }) => taskContext.pause(...partitions.slice(0, 1))
    await start()
    await turns(5)
    expect(values()).toEqual(['b'])
    task.setPaused(true)
    await turns()
    task.setPaused(false)
    await turns(5)
    expect(values()).toEqual(['b'])
    script.sinkTasks[0]?.taskContext.resume({ topic: 't', partition: 0 })
    await until(() => script.put.length === 2)
  })

  test('refuses to pause what is not assigned', async () => {
    await start()
    await turns()
    expect(() => script.sinkTasks[0]?.taskContext.pause({ topic: 't', partition: 7 })).toThrow(
      'SinkTasks may not pause partitions that are not currently assigned to them.',
    )
  })

  test('tries to open again while the destination is down, stays in its group and shows it', async () => {
    let isDown = true
    script.onOpen = () => {
      if (isDown) throw new RetriableError('endpoint is down')
    }
    write('a')
    await start()
    await turns(3)
    expect(values()).toEqual([])
    expect(told.health.at(-1)?.message).toContain('endpoint is down')
    isDown = false
    await clock.advance(20_000)
    await until(() => script.put.length === 1)
    expect(told.health.at(-1)).toBeNull()
    expect(task.state).toBe('RUNNING')
  })

  test('waits for a broker that is down at the start, with back-off, and shows it', async () => {
    kafka.faults.isDown = true
    const made = await makeTask('sink', testServices({ kafka, script, clock }))
    task = made.task
    const started = task.initialize()
    await clock.advance(5_000)
    expect(made.told.states).toEqual([])
    expect(made.told.health.at(-1)?.message).toContain('Connecting to Kafka failed')
    expect(clock.sleepsMs.length).toBeGreaterThan(2)
    kafka.faults.isDown = false
    await clock.advance(10_000)
    await started
    expect(made.told.states).toEqual(['RUNNING'])
  })

  test('that is told to stop while it waits for a broker ends without having failed', async () => {
    kafka.faults.isDown = true
    const made = await makeTask('sink', testServices({ kafka, script, clock }))
    task = made.task
    const run = task.run()
    await settled()
    task.stop()
    await clock.advance(10_000)
    await run
    expect(made.told.states).toEqual([])
    expect(made.told.errors).toEqual([])
  })

  test('starts a new instance when start throws a RetriableError', async () => {
    let failures = 2
    script.onTaskStart = () => {
      if (failures-- > 0) throw new RetriableError('registry is down')
    }
    const made = await makeTask('sink', testServices({ kafka, script, clock }))
    task = made.task
    const started = task.initialize()
    await clock.advance(20_000)
    await started
    expect(script.sinkTasks).toHaveLength(3)
    expect(script.calls).toEqual([
      'task start',
      'task stop',
      'task start',
      'task stop',
      'task start',
    ])
  })

  test('a put that never ends does not outlive a cancel', async () => {
    script.onPut = () => new Promise(() => {})
    const made = await makeTask('sink', testServices({ kafka, script, clock }))
    task = made.task
    const run = task.run()
    await settled()
    task.stop()
    await settled()
    task.cancel()
    await clock.advance(10_000)
    await run
    expect(made.told.states).toEqual(['RUNNING'])
  })
})
