import { beforeEach, describe, expect, test } from 'vitest'
import { ConnectError, RetriableError } from '../../../connector/api/errors.ts'
import {
  consumerConfig,
  producerConfig,
  topicRefreshMs,
} from '../../../connector/kafka/client-defaults.ts'
import { ConfluentConsumer } from '../../../connector/kafka/native-consumer.ts'
import { ASSIGN_PARTITIONS, REVOKE_PARTITIONS } from '../../../connector/kafka/native-errors.ts'
import { NativeLog } from '../../../connector/kafka/native-log.ts'
import type { NativeMessage } from '../../../connector/kafka/native.ts'
import { noEvents } from '../../support/fake-kafka.ts'
import { FakeNativeConsumer } from '../../support/fake-native-consumer.ts'

const NEVER = new AbortController().signal
const UNKNOWN_MEMBER = { message: 'Broker: Unknown member', code: 25 }
const tp = (partition: number) => ({ topic: 't', partition })
const message = (partition: number, offset: number): NativeMessage => ({
  ...tp(partition),
  offset,
  key: null,
  value: Buffer.from(`${partition}/${offset}`),
  timestamp: -1,
})

let native: FakeNativeConsumer
let consumer: ConfluentConsumer
let onRevoked: () => Promise<void>

beforeEach(async () => {
  onRevoked = () => Promise.resolve()
  consumer = new ConfluentConsumer({
    name: 'Consumer x',
    connectTimeoutMs: 1_000,
    newLog: () => new NativeLog(noEvents, () => undefined),
    make: (_log, callbacks) => {
      native = new FakeNativeConsumer(callbacks)
      return native
    },
    autoOffsetReset: 'earliest',
    topicRefreshMs: 1_000,
    errorText: (code) => `error ${code}`,
  })
  await consumer.connect(NEVER)
})

async function join(...partitions: number[]): Promise<void> {
  consumer.subscribe(['t'], {
    onAssigned: () => Promise.resolve(),
    onRevoked: () => onRevoked(),
    onLost: () => Promise.resolve(),
  })
  native.callbacks.onRebalance({ code: ASSIGN_PARTITIONS, partitions: partitions.map(tp) })
  await consumer.poll({ max: 1, timeoutMs: 0 }, NEVER)
}
const poll = async (): Promise<readonly string[]> =>
  (await consumer.poll({ max: 9, timeoutMs: 0 }, NEVER)).map(({ value }) => String(value))

describe('A commit', () => {
  test('is done when the coordinator has answered, not when it is queued', async () => {
    await join(0)
    native.isSilent = true
    let isDone = false
    const commit = consumer.commit([{ ...tp(0), offset: 5 }]).then(() => (isDone = true))
    await poll()
    expect(isDone).toBe(false)
    native.isSilent = false
    await poll()
    await commit
    expect(isDone).toBe(true)
  })

  test('that is refused rejects with the coordinator’s reason, and the one beside it does not', async () => {
    await join(0, 1)
    native.refusals.push(UNKNOWN_MEMBER)
    const commits = Promise.allSettled([
      consumer.commit([{ ...tp(0), offset: 5 }]),
      consumer.commit([{ ...tp(1), offset: 7 }]),
    ])
    await poll()
    const [first, second] = await commits
    expect(first).toMatchObject({
      status: 'rejected',
      reason: expect.objectContaining({
        message: "Consumer x can't commit: Broker: Unknown member (25)",
      }) as unknown,
    })
    expect(first.status === 'rejected' && first.reason).toBeInstanceOf(ConnectError)
    expect(second.status).toBe('fulfilled')
  })

  test('of equal offsets twice is answered in order', async () => {
    await join(0)
    native.refusals.push({ message: 'Broker: Coordinator load in progress', code: 14 })
    const commits = Promise.allSettled([
      consumer.commit([{ ...tp(0), offset: 5 }]),
      consumer.commit([{ ...tp(0), offset: 5 }]),
    ])
    await poll()
    const [first, second] = await commits
    expect(first.status === 'rejected' && first.reason).toBeInstanceOf(RetriableError)
    expect(second.status).toBe('fulfilled')
  })

  test('that is awaited is answered without a poll, and takes no record with it', async () => {
    await join(0, 1)
    consumer.pause([tp(1)])
    native.fetched.push(message(0, 3), message(1, 4))
    await consumer.commit([{ ...tp(0), offset: 3 }], { isAwaited: true })
    expect(native.fetched).toHaveLength(2)
    expect(await poll()).toEqual(['0/3'])
    consumer.resume([tp(1)])
    expect(await poll()).toEqual(['1/4'])
  })

  test('in a rebalance is answered before the partitions go', async () => {
    await join(0, 1)
    native.fetched.push(message(1, 8))
    let answer: unknown = 'none'
    native.refusals.push(UNKNOWN_MEMBER)
    onRevoked = async () => {
      answer = await consumer.commit([{ ...tp(0), offset: 3 }]).catch((error: unknown) => error)
    }
    native.callbacks.onRebalance({ code: REVOKE_PARTITIONS, partitions: [tp(0)] })
    expect(await poll()).toEqual(['1/8'])
    expect(String(answer)).toContain('Unknown member')
  })

  test('by a consumer that has nothing assigned is answered without a poll', async () => {
    await expect(consumer.commit([{ ...tp(0), offset: 3 }])).resolves.toBeUndefined()
  })
})

test('close waits for the poll that is under way', async () => {
  await join(0)
  native.isHanging = true
  const polling = consumer.poll({ max: 1, timeoutMs: 0 }, NEVER)
  await new Promise((resolve) => setImmediate(resolve))
  const closed = consumer.close()
  await new Promise((resolve) => setImmediate(resolve))
  await new Promise((resolve) => setImmediate(resolve))
  expect(native.calls).not.toContain('disconnect')
  native.release()
  await closed
  await polling
  expect(native.calls).toContain('disconnect')
})

describe('What our clients set by default', () => {
  test('lets a new topic be noticed within five seconds, named or by pattern', () => {
    expect(consumerConfig({})['topic.metadata.refresh.interval.ms']).toBe(5_000)
    expect(topicRefreshMs({})).toBe(5_000)
    expect(topicRefreshMs({ 'topic.metadata.refresh.interval.ms': '200' })).toBe(200)
  })

  test('hashes keys as Java does, keeps retried records in order, and commits nothing by itself', () => {
    expect(producerConfig({})).toMatchObject({
      partitioner: 'murmur2_random',
      'max.in.flight.requests.per.connection': 1,
    })
    expect(producerConfig({ 'enable.idempotence': 'true' })).not.toHaveProperty(
      'max.in.flight.requests.per.connection',
    )
    expect(consumerConfig({})).toMatchObject({
      'enable.auto.commit': false,
      'heartbeat.interval.ms': 500,
    })
    expect(consumerConfig({ 'group.protocol': 'consumer' })).not.toHaveProperty(
      'heartbeat.interval.ms',
    )
  })
})
