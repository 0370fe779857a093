import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ConnectError, RetriableError, toTrace } from '../../../connector/api/errors.ts'
import type { SourceRecord } from '../../../connector/api/records.ts'
import type { Props } from '../../../connector/api/task-context.ts'
import type { WorkerServices } from '../../../connector/runtime/worker-services.ts'
import type { WorkerTask } from '../../../connector/runtime/worker-task.ts'
import { FakeClock, settled } from '../../support/fake-clock.ts'
import { FakeKafka } from '../../support/fake-kafka.ts'
import { Script, textRecord, untilAborted } from '../../support/test-plugins.ts'
import { makeTask, type Told, testServices } from '../../support/test-services.ts'

const FLUSH_MS = 10_000
let kafka: FakeKafka
let script: Script
let clock: FakeClock
let services: WorkerServices
let task: WorkerTask
let told: Told

beforeEach(() => {
  kafka = new FakeKafka({ topics: { t: 1 } })
  script = new Script()
  clock = new FakeClock()
})
afterEach(() => task.cancel())

async function make(props: Props = {}): Promise<void> {
  services = testServices({ kafka, script, clock })
  const made = await makeTask('source', services, props)
  task = made.task
  told = made.told
}
async function start(props: Props = {}): Promise<void> {
  await make(props)
  await task.initialize()
}
const stored = async (): Promise<unknown> => {
  const [offset] = await services.offsets.offsets('x', [{ file: 'a' }])
  return offset
}
const values = (): string[] =>
  kafka.messages('t').map(({ value }) => Buffer.from(value ?? []).toString())
async function end(): Promise<void> {
  task.stop()
  const run = task.run()
  await clock.advance(20_000)
  await run
}

describe('WorkerSourceTask', () => {
  test('sends what was polled in order, and tells the task of each record', async () => {
    script.batches.push([textRecord('a', 1), textRecord('b', 2)])
    await start()
    await task.iteration()
    await settled()
    expect(values()).toEqual(['a', 'b'])
    expect(script.calls).toEqual(['task start', 'commitRecord a', 'commitRecord b'])
    expect(told.topics).toEqual(['t', 't'])
    expect(told.states).toEqual(['RUNNING'])
  })

  test('stores offsets every offset.flush.interval.ms, and calls commit between two polls', async () => {
    script.batches.push([textRecord('a', 1)], [])
    await start()
    await task.iteration()
    await settled()
    expect(await stored()).toBeUndefined()
    await clock.advance(FLUSH_MS)
    expect(await stored()).toEqual({ position: 1 })
    expect(script.calls).not.toContain('commit')
    await task.iteration()
    expect(script.calls).toContain('commit')
  })

  test('never stores the offset of a record that is not acknowledged', async () => {
    kafka.holdsDeliveries = true
    script.batches.push([textRecord('a', 1)])
    await start()
    await task.iteration()
    await clock.advance(FLUSH_MS * 2)
    expect(await stored()).toBeUndefined()
    kafka.release()
    await clock.advance(FLUSH_MS)
    expect(await stored()).toEqual({ position: 1 })
  })

  test('shows that Kafka does not acknowledge, until it does', async () => {
    kafka.holdsDeliveries = true
    script.batches.push([textRecord('a', 1)], [], [])
    await start()
    await task.iteration()
    await clock.advance(10_001)
    await task.iteration()
    expect(told.health.at(-1)?.message).toContain('has not acknowledged')
    kafka.release()
    await settled()
    await task.iteration()
    expect(told.health.at(-1)).toBeNull()
  })

  test('waits when the producer’s queue is full, and loses nothing', async () => {
    kafka = new FakeKafka({ topics: { t: 1 }, queueMax: 2 })
    script.batches.push(Array.from({ length: 7 }, (_, n) => textRecord(String(n), n)))
    await start()
    await task.iteration()
    await settled()
    expect(values()).toEqual(['0', '1', '2', '3', '4', '5', '6'])
    await end()
    expect(await stored()).toEqual({ position: 6 })
  })

  test('fails when a record is refused, and stores what was acknowledged before it', async () => {
    kafka.deliveryError = ({ value }) =>
      Buffer.from(value ?? []).toString() === 'b' ? new ConnectError('too large') : undefined
    script.batches.push([textRecord('a', 1), textRecord('b', 2), textRecord('c', 3)], [])
    await make()
    const run = task.run()
    await clock.advance(30_000)
    await run
    expect(told.states).toEqual(['RUNNING', 'FAILED'])
    expect(toTrace(told.errors[0])).toMatch(
      /producer send callback[^]*Caused by: ConnectError: too large/,
    )
    expect(await stored()).toEqual({ position: 1 })
  })

  test('skips a record that is refused with errors.tolerance=all', async () => {
    kafka.deliveryError = ({ value }) =>
      Buffer.from(value ?? []).toString() === 'b' ? new ConnectError('too large') : undefined
    script.batches.push([textRecord('a', 1), textRecord('b', 2), textRecord('c', 3)])
    await start({ 'errors.tolerance': 'all' })
    await task.iteration()
    await settled()
    await end()
    expect(values()).toEqual(['a', 'c'])
    expect(await stored()).toEqual({ position: 3 })
  })

  test('polls again after a RetriableError, and shows it meanwhile', async () => {
    script.onPoll = () => {
      throw new RetriableError('feed answers 503')
    }
    await start()
    const turn = task.iteration()
    await settled()
    expect(told.health.at(-1)?.message).toBe('Poll failed and is tried again: feed answers 503')
    await clock.advance(1_000)
    await turn
    script.onPoll = () => [textRecord('a', 1)]
    await task.iteration()
    await settled()
    expect(values()).toEqual(['a'])
    expect(task.state).toBe('RUNNING')
  })

  test('pauses in the middle of a poll, keeps nothing back, and resumes', async () => {
    script.batches.push([textRecord('a', 1)])
    await make()
    const run = task.run()
    await settled()
    expect(values()).toEqual(['a'])
    task.setPaused(true)
    await settled()
    expect(told.states).toEqual(['RUNNING', 'PAUSED'])
    expect(await stored()).toEqual({ position: 1 })
    script.batches.push([textRecord('b', 2)])
    await clock.advance(60_000)
    expect(values()).toEqual(['a'])
    task.setPaused(false)
    await settled()
    expect(values()).toEqual(['a', 'b'])
    task.stop()
    await clock.advance(10_000)
    await run
    expect(told.states).toEqual(['RUNNING', 'PAUSED', 'RUNNING', 'UNASSIGNED'])
  })

  test('stops at once although poll waits, stores offsets, commits, and stops the plugin last', async () => {
    script.batches.push([textRecord('a', 1)])
    await make()
    const run = task.run()
    await settled()
    task.stop()
    await settled()
    await run
    expect(await stored()).toEqual({ position: 1 })
    expect(script.calls).toEqual(['task start', 'commitRecord a', 'commit', 'task stop'])
  })

  test('waits at its stop for what is on its way, and stores its offset', async () => {
    kafka.holdsDeliveries = true
    script.batches.push([textRecord('a', 1)])
    await start()
    await task.iteration()
    task.stop()
    const run = task.run()
    await settled()
    expect(script.calls).not.toContain('task stop')
    kafka.release()
    await run
    expect(await stored()).toEqual({ position: 1 })
  })

  test('stops a plugin whose poll does not heed its signal after a second', async () => {
    let letGo: (() => void) | undefined
    script.onPoll = () =>
      new Promise((resolve) => {
        letGo = () => resolve(null)
      })
    script.onTaskStop = () => letGo?.()
    await make()
    const run = task.run()
    await settled()
    task.stop()
    await clock.advance(999)
    expect(script.calls).not.toContain('task stop')
    await clock.advance(1)
    await run
    expect(script.calls.filter((call) => call === 'task stop')).toHaveLength(1)
  })

  test('a plugin that never answers is abandoned by cancel, and what it answers later is ignored', async () => {
    let answer: ((records: [ReturnType<typeof textRecord>]) => void) | undefined
    script.onPoll = () =>
      new Promise((resolve) => {
        answer = resolve
      })
    script.onTaskStop = () => new Promise(() => {})
    await make()
    const run = task.run()
    await settled()
    task.stop()
    await clock.advance(5_000)
    task.cancel()
    await clock.advance(30_000)
    await run
    answer?.([textRecord('late', 1)])
    await settled()
    expect(values()).toEqual([])
    expect(told.states).toEqual(['RUNNING'])
  })

  test('a converter that never answers is abandoned by cancel', async () => {
    script.batches.push([textRecord('a', 1)])
    await make({ 'value.converter': 'test.SilentConverter' })
    const run = task.run()
    await settled()
    task.stop()
    await clock.advance(5_000)
    task.cancel()
    await clock.advance(30_000)
    await run
    expect(values()).toEqual([])
    expect(script.calls).toContain('task stop')
  })

  test('keeps offsets that could not be stored for the next time', async () => {
    script.batches.push([textRecord('a', 1)])
    await start()
    await task.iteration()
    await settled()
    const write = services.offsets.write.bind(services.offsets)
    services.offsets.write = () => Promise.reject(new ConnectError('disk is full'))
    await clock.advance(FLUSH_MS)
    expect(await stored()).toBeUndefined()
    services.offsets.write = write
    await clock.advance(FLUSH_MS)
    expect(await stored()).toEqual({ position: 1 })
  })

  test('stores the newer offset where an older one could not be stored', async () => {
    script.batches.push([textRecord('a', 1)], [textRecord('b', 2)])
    await start()
    await task.iteration()
    await settled()
    const write = services.offsets.write.bind(services.offsets)
    services.offsets.write = () => Promise.reject(new ConnectError('disk is full'))
    await clock.advance(FLUSH_MS)
    await task.iteration()
    await settled()
    await clock.advance(FLUSH_MS)
    services.offsets.write = write
    await clock.advance(FLUSH_MS)
    expect(await stored()).toEqual({ position: 2 })
  })

  test('makes a missing topic only when it was told how', async () => {
    kafka = new FakeKafka()
    script.batches.push([textRecord('a', 1, 'new')])
    await start({
      'topic.creation.default.partitions': '3',
      'topic.creation.default.replication.factor': '-1',
    })
    await task.iteration()
    await settled()
    expect(kafka.messages('new')).toHaveLength(1)
    expect(kafka.cluster.topics.get('new')?.logs).toHaveLength(3)
  })

  test('goes on when the signal was all that ended a poll', async () => {
    script.onPoll = async (signal) => {
      await untilAborted(signal)
      throw signal.reason
    }
    await make()
    const run = task.run()
    await settled()
    task.stop()
    await clock.advance(10_000)
    await run
    expect(told.states).toEqual(['RUNNING', 'UNASSIGNED'])
  })

  test('takes a timestamp of null, which JavaScript sources may give, as none and not as 1970', async () => {
    const record = { ...textRecord('a', 1), timestamp: null } as unknown as SourceRecord
    script.batches.push([record])
    await start({
      transforms: 'day',
      'transforms.day.type': 'org.apache.kafka.connect.transforms.TimestampRouter',
    })
    const error = await task.iteration().catch((thrown: unknown) => thrown)
    expect(toTrace(error)).toContain('Timestamp missing on record')
    expect(kafka.cluster.topics.has('t-19700101')).toBe(false)
  })

  test('stores the offset of a record that a transformation drops, so that it is not read again', async () => {
    script.batches.push([textRecord('a', 1), textRecord('b', 2)])
    await start({
      transforms: 'none',
      'transforms.none.type': 'org.apache.kafka.connect.transforms.Filter',
    })
    await task.iteration()
    await clock.advance(FLUSH_MS)
    expect(values()).toEqual([])
    expect(script.calls).toEqual(['task start', 'commitRecord a', 'commitRecord b'])
    expect(await stored()).toEqual({ position: 2 })
  })

  test('counts a commit and calls the task’s with nothing to store too, as Kafka Connect does', async () => {
    script.batches.push([])
    await start()
    await clock.advance(FLUSH_MS)
    await task.iteration()
    expect(script.calls).toContain('commit')
    const exposition = await services.metrics.text()
    expect(exposition).toMatch(/offset_commit_success_percentage\{[^}]*task="0"[^}]*\} 1\b/)
  })

  test('commits once more after a failure, and stops the plugin then', async () => {
    script.batches.push([textRecord('a', 1)])
    await make()
    const run = task.run()
    await settled()
    script.onPoll = () => {
      throw new ConnectError('no such feed')
    }
    task.setPaused(true)
    await settled()
    task.setPaused(false)
    await settled()
    await clock.advance(10_000)
    await run
    expect(told.states.at(-1)).toBe('FAILED')
    expect(script.calls).toEqual(['task start', 'commitRecord a', 'commit', 'task stop'])
  })

  test('does not commit when it never started', async () => {
    script.onTaskStart = () => {
      throw new ConnectError('no such feed')
    }
    await make()
    await task.run()
    expect(script.calls).toEqual(['task start', 'task stop'])
  })

  test('goes on when the task’s commit fails, as in Kafka Connect', async () => {
    script.onCommit = () => {
      throw new ConnectError('no such queue')
    }
    script.batches.push([textRecord('a', 1)], [textRecord('b', 2)])
    await start()
    await task.iteration()
    await clock.advance(FLUSH_MS)
    await task.iteration()
    await settled()
    expect(script.calls).toContain('commit')
    expect(values()).toEqual(['a', 'b'])
    expect(task.state).toBe('RUNNING')
  })

  test('fails when the task’s commit never answers, and does not call it again', async () => {
    script.onCommit = () => new Promise(() => {})
    script.batches.push([textRecord('a', 1)], [])
    script.onPoll = () => script.batches.shift() ?? clock.sleep(1_000).then(() => [])
    await make()
    const run = task.run()
    await settled()
    await clock.advance(FLUSH_MS + 2_000)
    await clock.advance(300_000)
    await clock.advance(10_000)
    await run
    expect(told.states).toEqual(['RUNNING', 'FAILED'])
    expect(toTrace(told.errors[0])).toContain('commit of task x-0 did not finish')
    expect(script.calls.filter((call) => call === 'commit')).toHaveLength(1)
    expect(script.calls.at(-1)).toBe('task stop')
  })
})
