import { Registry } from 'prom-client'
import { beforeEach, describe, expect, test } from 'vitest'
import { ConnectError } from '../../../connector/api/errors.ts'
import { OffsetCommits } from '../../../connector/runtime/offset-commits.ts'
import { SinkPartitions } from '../../../connector/runtime/sink-partitions.ts'
import { SinkTaskMetrics, TaskMetricFamilies } from '../../../connector/runtime/task-metrics.ts'
import { FakeClock, settled } from '../../support/fake-clock.ts'
import { FakeKafka, noEvents } from '../../support/fake-kafka.ts'
import { recordingLog } from '../../support/recording-log.ts'

const TP = { topic: 't', partition: 0 }
const answers: { resolve: () => void; reject: (error: Error) => void }[] = []
let clock: FakeClock
let partitions: SinkPartitions
let registry: Registry
let commits: OffsetCommits

const none = (): number => 0

beforeEach(() => {
  answers.length = 0
  clock = new FakeClock()
  partitions = new SinkPartitions()
  partitions.add(TP, 0)
  registry = new Registry()
  const labels = { connector: 'x', task: '0' }
  const consumer = new FakeKafka({ topics: { t: 1 } }).consumer({}, noEvents)
  consumer.commit = () =>
    new Promise((resolve, reject) => {
      answers.push({ resolve, reject })
    })
  commits = new OffsetCommits({
    consumer,
    partitions,
    metrics: new SinkTaskMetrics(new TaskMetricFamilies(registry), labels, {
      clock,
      active: none,
      partitions: none,
      commitSequence: none,
    }),
    clock,
    log: recordingLog(),
    offsetFlushTimeoutMs: 5_000,
  })
})

const begin = (offset: number): Promise<void> =>
  commits.commit([{ ...TP, offset }], { startedMs: clock.now(), isAwaited: false })
const metric = async (name: string): Promise<number | undefined> =>
  (await registry.getSingleMetric(`kafka_connect_sink_task_${name}`)?.get())?.values[0]?.value

describe('OffsetCommits', () => {
  test('an answer that comes after the next commit began does not count', async () => {
    const first = begin(5)
    const second = begin(7)
    answers[1]?.resolve()
    await second
    expect(partitions.get(TP)?.committed).toBe(7)
    answers[0]?.resolve()
    await first
    expect(partitions.get(TP)?.committed).toBe(7)
    expect(await metric('offset_commit_skip_total')).toBe(1)
    expect(await metric('offset_commit_completion_total')).toBe(1)
  })

  test('an answer that comes after its time limit changes nothing', async () => {
    const commit = begin(5)
    await clock.advance(5_000)
    await commit
    answers[0]?.resolve()
    await settled()
    expect(partitions.get(TP)?.committed).toBe(0)
    expect(commits.isBusy).toBe(false)
  })

  test('a refused commit leaves the offsets to the next one', async () => {
    const commit = begin(5)
    expect(commits.isBusy).toBe(true)
    answers[0]?.reject(new ConnectError('Broker: Unknown member (25)'))
    await commit
    expect(partitions.get(TP)?.committed).toBe(0)
    expect(commits.isBusy).toBe(false)
    expect(await metric('offset_commit_completion_total')).toBe(0)
  })
})
