// What only the packed reader does: it is what consumers use here, it bounds a poll's bytes, and what it handed out is ours.
import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Consumer, ConsumerMessage } from '../../connector/kafka/client.ts'
import { confluentClients, whyNotPacked } from '../../connector/kafka/confluent.ts'
import { pollFor } from '../conformance/kafka-polls.ts'
import { noEvents } from '../support/fake-kafka.ts'
import { startEmbeddedBroker, type TestBroker } from '../support/kafka-broker.ts'

const NEVER = new AbortController().signal
const MESSAGES = 2_000
const LARGE_BYTES = 900_000
const LARGE = 12
const BATCH_BYTES_MAX = 4 * 1024 * 1024 + LARGE_BYTES + 1_000

const digest = (value: Uint8Array | null): string =>
  createHash('sha1')
    .update(value ?? '')
    .digest('hex')

const buffersOf = (messages: readonly ConsumerMessage[]): number =>
  new Set(messages.map(({ value }) => value?.buffer)).size

// The set-up builds the reader only where there is a C compiler.
describe.skipIf(whyNotPacked !== undefined)('messages that are read packed', () => {
  let broker: TestBroker
  const open: Consumer[] = []
  const sent: string[] = []

  beforeAll(async () => {
    broker = await startEmbeddedBroker('small:1,large:1')
    const producer = confluentClients.producer(
      { 'bootstrap.servers': broker.bootstrapServers, 'linger.ms': 5, 'compression.type': 'lz4' },
      noEvents,
    )
    await producer.connect(NEVER)
    const send = (topic: string, value: Uint8Array): void =>
      producer.send({ topic, partition: 0, key: null, value }, () => {})
    for (let i = 0; i < MESSAGES; i++) {
      const value = Buffer.from(`${i} `.repeat(1 + (i % 97)))
      sent.push(digest(value))
      send('small', value)
    }
    for (let i = 0; i < LARGE; i++) send('large', Buffer.alloc(LARGE_BYTES, i))
    await producer.flush(20_000)
    await producer.close(1_000)
  }, 60_000)
  afterAll(async () => {
    await Promise.all(open.map((consumer) => consumer.close()))
    await broker?.stop()
  })

  async function newConsumer(topic: string, isPacked: boolean): Promise<Consumer> {
    const consumer = confluentClients.consumer(
      {
        'bootstrap.servers': broker.bootstrapServers,
        'group.protocol': 'consumer',
        'fetch.wait.max.ms': 10,
        'packed.reader': isPacked,
      },
      noEvents,
    )
    open.push(consumer)
    await consumer.connect(NEVER)
    consumer.assign([{ topic, partition: 0, offset: -2 }])
    return consumer
  }

  test('the bytes of a poll are shared by its messages; by the binding they are not', async () => {
    const packed = await pollFor(await newConsumer('small', true), 500, 500)
    const plain = await pollFor(await newConsumer('small', false), 500, 500)
    expect(buffersOf(packed)).toBeLessThan(50)
    expect(buffersOf(plain)).toBeGreaterThan(100)
    expect(packed.slice(0, 500).map(({ value }) => digest(value))).toEqual(sent.slice(0, 500))
  })

  test('what was handed out stays as it was, whatever is read and closed afterwards', async () => {
    const consumer = await newConsumer('small', true)
    const kept: ConsumerMessage[] = []
    for (let round = 0; round < 5; round++) {
      kept.splice(0)
      consumer.assign([{ topic: 'small', partition: 0, offset: 0 }])
      kept.push(...(await pollFor(consumer, MESSAGES, 100)))
    }
    await consumer.close()
    const other = await newConsumer('small', true)
    await pollFor(other, MESSAGES, 1_000)
    expect(kept.map(({ value }) => digest(value))).toEqual(sent)
  })

  test('a poll takes few large messages, and none is lost', async () => {
    const consumer = await newConsumer('large', true)
    const sizes: number[] = []
    const seen: number[] = []
    while (seen.length < LARGE) {
      const messages = await consumer.poll({ max: 1_000, timeoutMs: 1_000 }, NEVER)
      sizes.push(messages.reduce((sum, { size }) => sum + size, 0))
      seen.push(...messages.map(({ value }) => value?.[LARGE_BYTES - 1] ?? -1))
    }
    expect(seen).toEqual(Array.from({ length: LARGE }, (_, i) => i))
    expect(Math.max(...sizes)).toBeLessThan(BATCH_BYTES_MAX)
  })

  test('many clients come and go, and none is mistaken for another', async () => {
    for (let round = 0; round < 10; round++) {
      const [small, large] = [await newConsumer('small', true), await newConsumer('large', true)]
      const [one, two] = await Promise.all([pollFor(small, 1, 1), pollFor(large, 1, 1)])
      expect([one[0]?.topic, two[0]?.topic]).toEqual(['small', 'large'])
      await Promise.all([small.close(), large.close()])
    }
  }, 60_000)
})
