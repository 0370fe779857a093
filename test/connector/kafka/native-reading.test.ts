import { describe, expect, test } from 'vitest'
import { ConnectError } from '../../../connector/api/errors.ts'
import type { ConsumerMessage } from '../../../connector/kafka/client.ts'
import { NativeCommits } from '../../../connector/kafka/native-commits.ts'
import { NativeLog } from '../../../connector/kafka/native-log.ts'
import { NativeReading } from '../../../connector/kafka/native-reading.ts'
import { GroupAssignment } from '../../../connector/kafka/group-assignment.ts'
import { type Packed, unpack } from '../../../connector/kafka/packed-reader.ts'
import { FakeNativeConsumer } from '../../support/fake-native-consumer.ts'

const TRANSPORT = -195
/** `RD_KAFKA_RESP_ERR__FATAL`. */
const FATAL = -150

/** A reading whose polls answer `answers` one after the other, then nothing. */
function newReading(...answers: readonly Packed[]) {
  const logged: string[] = []
  const native = new FakeNativeConsumer({
    onRebalance: () => {},
    onCommit: () => {},
    onReady: () => {},
  })
  const events = { log: (_: string, text: string) => logged.push(text), statistics: () => {} }
  const reading = new NativeReading({
    name: 'Consumer x',
    native,
    log: new NativeLog(events, () => undefined),
    commits: new NativeCommits({
      name: 'Consumer x',
      native,
      group: new GroupAssignment(native),
    }),
    errorText: (code) => `error ${code}`,
  })
  const left = [...answers]
  reading.packed = { read: () => left.shift() ?? { messages: [], errorCode: undefined } }
  return { reading, logged }
}

const message = (partition: number, offset: number): ConsumerMessage => ({
  topic: 't',
  partition,
  offset,
  key: null,
  value: null,
  headers: [],
  timestamp: undefined,
  timestampType: 'NoTimestampType',
  size: 0,
})

describe('NativeReading of packed messages', () => {
  test('notes where each partition goes on, however they are mixed', async () => {
    const messages = [message(0, 1), message(1, 7), message(0, 2), message(0, 5)]
    const { reading } = newReading({ messages, errorCode: undefined })
    const positions = new Map<string, number>()
    expect(await reading.take(10, positions)).toEqual(messages)
    expect([...positions.values()].sort((a, b) => a - b)).toEqual([6, 8])
  })

  test('hands out messages that came before a failure, and then tells of it', async () => {
    const { reading, logged } = newReading({ messages: [message(0, 1)], errorCode: TRANSPORT })
    expect(await reading.take(10, new Map())).toHaveLength(1)
    expect(logged).toEqual([])
    expect(await reading.take(10, new Map())).toEqual([])
    expect(logged).toEqual(['Consumer x: error -195 (-195).'])
    expect(await reading.take(10, new Map())).toEqual([])
    expect(logged).toHaveLength(1)
  })

  test('rejects with a failure that ends the client', async () => {
    const { reading } = newReading({ messages: [], errorCode: FATAL })
    await expect(reading.take(10, new Map())).rejects.toBeInstanceOf(ConnectError)
  })

  test('lets the event loop turn at every poll', async () => {
    const { reading } = newReading()
    let hasTurned = false
    setImmediate(() => (hasTurned = true))
    await reading.take(10, new Map())
    expect(hasTurned).toBe(true)
  })
})

describe('unpack', () => {
  test('tells null from empty, in keys, values and headers', () => {
    const buffer = Buffer.alloc(2 * 56 + 64)
    const entry = (i: number, doubles: readonly number[], ints: readonly number[]): void => {
      doubles.forEach((value, k) => buffer.writeDoubleLE(value, i * 56 + 8 * k))
      ints.forEach((value, k) => buffer.writeInt32LE(value, i * 56 + 16 + 4 * k))
    }
    const at = 112
    buffer.write('tk', at)
    buffer.writeInt32LE(1, at + 2)
    buffer.writeInt32LE(-1, at + 6)
    buffer.write('h', at + 10)
    buffer.writeInt32LE(1, at + 11)
    buffer.writeInt32LE(0, at + 15)
    buffer.write('e', at + 19)
    entry(0, [2 ** 40, 1_712_345_678_901], [3, 2, at, 1, at + 1, 1, at + 2, -1, at + 2, 2])
    entry(1, [2 ** 40 + 1, -1], [3, 0, at, 1, at + 20, -1, at + 20, 0, at + 20, 0])
    expect(unpack(buffer, 2)).toEqual([
      {
        topic: 't',
        partition: 3,
        offset: 2 ** 40,
        key: Buffer.from('k'),
        value: null,
        headers: [
          { key: 'h', value: null },
          { key: 'e', value: Buffer.alloc(0) },
        ],
        timestamp: 1_712_345_678_901,
        timestampType: 'LogAppendTime',
        size: 1,
      },
      {
        topic: 't',
        partition: 3,
        offset: 2 ** 40 + 1,
        key: null,
        value: Buffer.alloc(0),
        headers: [],
        timestamp: undefined,
        timestampType: 'NoTimestampType',
        size: 0,
      },
    ])
  })
})
