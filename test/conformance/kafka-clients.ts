// What every implementation of KafkaClients promises: run by the fake, and by the native clients on the
// embedded broker and on a real Apache Kafka.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { IllegalWorkerStateError, NotFoundError } from '../../connector/api/errors.ts'
import type { TopicPartition, TopicPartitionOffset } from '../../connector/api/topic-partition.ts'
import type {
  Admin,
  ClientConfig,
  Consumer,
  ConsumerMessage,
  Delivery,
  KafkaClients,
  Producer,
  ProducerMessage,
  RebalanceListener,
} from '../../connector/kafka/client.ts'
import { noEvents } from '../support/fake-kafka.ts'
import { pollFor, pollUntil } from './kafka-polls.ts'
import { pausesConformance } from './kafka-pauses.ts'

/** All the topics that the suite uses; each test has its own. */
export const CONFORMANCE_TOPICS: Readonly<Record<string, number>> = {
  'round.trip': 1,
  keys: 6,
  order: 2,
  seeks: 2,
  pauses: 2,
  rests: 1,
  reassigned: 2,
  commits: 1,
  members: 6,
  manual: 1,
  'pattern.one': 1,
  'pattern.two': 1,
  listener: 1,
  limits: 1,
}

export interface KafkaUnderTest {
  readonly clients: KafkaClients
  readonly config: ClientConfig
  readonly consumerConfig: ClientConfig
  /** False: the broker does not answer for a whole group. */
  readonly tellsGroupOffsets: boolean
  stop(): Promise<void>
}

const WAIT_MS = 10_000
const NEVER = new AbortController().signal
const bytes = (text: string): Uint8Array => Buffer.from(text)
const text = (value: Uint8Array | null): string | null => value && Buffer.from(value).toString()
const byPartition = (a: TopicPartition, b: TopicPartition): number => a.partition - b.partition

/** Records what it is told. */
class Listener implements RebalanceListener {
  readonly calls: string[] = []
  onAssigned(partitions: readonly TopicPartition[]): Promise<void> {
    return this.#note('assigned', partitions)
  }
  onRevoked(partitions: readonly TopicPartition[]): Promise<void> {
    return this.#note('revoked', partitions)
  }
  onLost(partitions: readonly TopicPartition[]): Promise<void> {
    return this.#note('lost', partitions)
  }
  #note(what: string, partitions: readonly TopicPartition[]): Promise<void> {
    this.calls.push(
      `${what} ${partitions
        .map(({ partition }) => partition)
        .sort((a, b) => a - b)
        .join()}`,
    )
    return Promise.resolve()
  }
}

export function kafkaClientsConformance(
  name: string,
  start: (topics: Readonly<Record<string, number>>) => Promise<KafkaUnderTest>,
): void {
  describe(`Kafka clients: ${name}`, () => {
    let kafka: KafkaUnderTest
    let producer: Producer
    let admin: Admin
    const open: Consumer[] = []

    beforeAll(async () => {
      kafka = await start(CONFORMANCE_TOPICS)
      producer = kafka.clients.producer({ ...kafka.config, 'linger.ms': 5 }, noEvents)
      admin = kafka.clients.admin(kafka.config, noEvents)
      await producer.connect(NEVER)
      await admin.connect(NEVER)
    })

    afterAll(async () => {
      await Promise.all(open.map((consumer) => consumer.close()))
      await producer?.close(1_000)
      await admin?.close()
      await kafka?.stop()
    })

    async function newConsumer(group: string, config: ClientConfig = {}): Promise<Consumer> {
      const consumer = kafka.clients.consumer(
        {
          ...kafka.config,
          ...kafka.consumerConfig,
          'group.id': group,
          'auto.offset.reset': 'earliest',
          ...config,
        },
        noEvents,
      )
      open.push(consumer)
      await consumer.connect(NEVER)
      return consumer
    }

    const send = (...messages: readonly ProducerMessage[]): Promise<readonly Delivery[]> =>
      Promise.all(
        messages.map(
          (message) =>
            new Promise<Delivery>((resolve, reject) => {
              producer.send(message, (error, delivery) =>
                delivery === null ? reject(error ?? new Error('no delivery')) : resolve(delivery),
              )
            }),
        ),
      )

    const sendTexts = (topic: string, partition: number, ...values: string[]): Promise<unknown> =>
      send(...values.map((value) => ({ topic, partition, key: null, value: bytes(value) })))

    describe('producer and consumer', () => {
      test('carry keys, values, headers, timestamps, tombstones and empty bytes', async () => {
        const topic = 'round.trip'
        const key = bytes('key')
        const timestamp = 1_712_345_678_901
        await send(
          {
            topic,
            key,
            value: bytes('value'),
            timestamp,
            headers: [
              { key: 'one', value: bytes('1') },
              { key: 'one', value: bytes('again') },
              { key: '7', value: bytes('é') },
            ],
          },
          { topic, key, value: null, timestamp },
          { topic, key: null, value: new Uint8Array(0), timestamp },
          { topic, key: new Uint8Array(0), value: bytes('v').subarray(0), timestamp },
        )
        const consumer = await newConsumer('round-trip')
        consumer.assign([{ topic, partition: 0, offset: -2 }])
        const messages = await pollFor(consumer, 4)
        expect(messages.map(({ key: k, value: v }) => [text(k), text(v)])).toEqual([
          ['key', 'value'],
          ['key', null],
          [null, ''],
          ['', 'v'],
        ])
        expect(messages[0]?.headers.map((header) => [header.key, text(header.value)])).toEqual([
          ['one', '1'],
          ['one', 'again'],
          ['7', 'é'],
        ])
        expect(messages.map((message) => message.headers.length)).toEqual([3, 0, 0, 0])
        expect(messages.map((message) => message.timestamp)).toEqual(
          Array.from({ length: 4 }, () => timestamp),
        )
        expect(
          messages.map(({ timestampType, size, offset }) => [timestampType, size, offset]),
        ).toEqual([
          ['CreateTime', 8, 0],
          ['CreateTime', 3, 1],
          ['CreateTime', 0, 2],
          ['CreateTime', 1, 3],
        ])
      })

      test("choose a key's partition as Java's producer does", async () => {
        // Hashes from Kafka's own UtilsTest.testMurmur2.
        const known: Readonly<Record<string, number>> = {
          '21': -973932308,
          foobar: -790332482,
          'a-little-bit-long-string': -985981536,
          'a-little-bit-longer-string': -1486304829,
          lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8: -58897971,
          abc: 479470107,
        }
        const deliveries = await send(
          ...Object.keys(known).map((key) => ({ topic: 'keys', key: bytes(key), value: null })),
        )
        expect(deliveries.map(({ partition }) => partition)).toEqual(
          Object.values(known).map((hash) => (hash & 0x7fffffff) % 6),
        )
      })

      test('keep the order within a partition, and number it without gaps', async () => {
        const values = Array.from({ length: 500 }, (_, i) => String(i))
        await sendTexts('order', 1, ...values)
        const consumer = await newConsumer('order')
        consumer.assign([{ topic: 'order', partition: 1, offset: 0 }])
        const messages = await pollFor(consumer, values.length, 64)
        expect(messages.map(({ value }) => text(value))).toEqual(values)
        expect(messages.map(({ offset }) => offset)).toEqual(values.map(Number))
      })

      test('tell of a message that can never be delivered', async () => {
        await expect(sendTexts('order', 99, 'x')).rejects.toThrow(/order/)
      })

      test('refuse calls before connect and after close', async () => {
        const early = kafka.clients.producer(kafka.config, noEvents)
        const message = { topic: 'order', key: null, value: null }
        expect(() => early.send(message, () => {})).toThrow(IllegalWorkerStateError)
        await early.close(100)
        const consumer = await newConsumer('refuse')
        await consumer.close()
        await consumer.close()
        expect(() => consumer.subscribe(['order'], new Listener())).toThrow(IllegalWorkerStateError)
        await expect(consumer.poll({ max: 1, timeoutMs: 1 }, NEVER)).rejects.toThrow(
          IllegalWorkerStateError,
        )
      })
    })

    describe('consumer', () => {
      test('starts where the listener seeks, and seeks later on', async () => {
        await sendTexts('seeks', 0, 'a', 'b', 'c', 'd')
        await sendTexts('seeks', 1, 'w', 'x')
        const consumer = await newConsumer('seeks')
        const listener = new Listener()
        listener.onAssigned = async (partitions) => {
          for (const tp of partitions) await consumer.seek({ ...tp, offset: tp.partition + 1 })
        }
        consumer.subscribe(['seeks'], listener)
        const first = await pollFor(consumer, 3)
        expect(first.sort(byPartition).map(({ value }) => text(value))).toEqual(['b', 'c', 'd'])
        await consumer.seek({ topic: 'seeks', partition: 0, offset: 3 })
        await consumer.seek({ topic: 'seeks', partition: 1, offset: 0 })
        expect(await consumer.position({ topic: 'seeks', partition: 0 })).toBe(3)
        const second = await pollFor(consumer, 3)
        expect(second.sort(byPartition).map(({ value }) => text(value))).toEqual(['d', 'w', 'x'])
        await expect(consumer.seek({ topic: 'seeks', partition: 9, offset: 0 })).rejects.toThrow(
          IllegalWorkerStateError,
        )
      })

      test('reads nothing of a paused partition, and goes on where it was, or where it was sought to', async () => {
        await sendTexts('pauses', 0, 'a', 'b', 'c')
        await sendTexts('pauses', 1, 'x')
        const paused = { topic: 'pauses', partition: 0 }
        const consumer = await newConsumer('pauses')
        const listener = new Listener()
        listener.onAssigned = (partitions) => {
          consumer.pause(partitions.filter(({ partition }) => partition === 0))
          return Promise.resolve()
        }
        consumer.subscribe(['pauses'], listener)
        expect((await pollFor(consumer, 1)).map(({ value }) => text(value))).toEqual(['x'])
        await sendTexts('pauses', 1, 'y')
        expect((await pollFor(consumer, 1)).map(({ value }) => text(value))).toEqual(['y'])
        consumer.resume([paused])
        expect((await pollFor(consumer, 3, 2)).map(({ value }) => text(value))).toEqual([
          'a',
          'b',
          'c',
        ])
        consumer.pause([paused])
        await consumer.seek({ ...paused, offset: 1 })
        await sendTexts('pauses', 1, 'z')
        expect((await pollFor(consumer, 1)).map(({ value }) => text(value))).toEqual(['z'])
        consumer.resume([paused])
        expect((await pollFor(consumer, 2)).map(({ value }) => text(value))).toEqual(['b', 'c'])
      })

      pausesConformance({ newConsumer, sendTexts })

      test('commits, and another member of its group goes on there', async () => {
        const tp = { topic: 'commits', partition: 0 }
        await sendTexts('commits', 0, 'a', 'b', 'c')
        const first = await newConsumer('commits')
        first.subscribe(['commits'], new Listener())
        await pollFor(first, 3)
        expect(await first.position(tp)).toBe(3)
        expect(await first.committed([tp], WAIT_MS)).toEqual([undefined])
        await first.commit([])
        await first.commit([{ ...tp, offset: 2 }], { isAwaited: true })
        expect(await first.committed([tp], WAIT_MS)).toEqual([2])
        await first.close()
        const second = await newConsumer('commits')
        second.subscribe(['commits'], new Listener())
        expect((await pollFor(second, 1)).map(({ value }) => text(value))).toEqual(['c'])
        expect(await admin.listGroupOffsets('commits', WAIT_MS)).toEqual(
          kafka.tellsGroupOffsets ? [{ ...tp, offset: 2 }] : [],
        )
        expect(await admin.listGroupOffsets('nobody-knows-it', WAIT_MS)).toEqual([])
      })

      test('reads partitions without a group: from the beginning, an offset, the end', async () => {
        const topic = 'manual'
        await sendTexts(topic, 0, 'a', 'b')
        const consumer = await newConsumer('manual')
        const from = async (offset: number): Promise<readonly (string | null)[]> => {
          const position: TopicPartitionOffset = { topic, partition: 0, offset }
          consumer.assign([position])
          const messages = await pollFor(consumer, offset === 1 ? 1 : 2)
          return messages.map(({ value }) => text(value))
        }
        expect(await from(-2)).toEqual(['a', 'b'])
        expect(await from(1)).toEqual(['b'])
        consumer.assign([{ topic, partition: 0, offset: -1 }])
        expect(await consumer.poll({ max: 10, timeoutMs: 300 }, NEVER)).toEqual([])
        await sendTexts(topic, 0, 'c')
        expect((await pollFor(consumer, 1)).map(({ value }) => text(value))).toEqual(['c'])
        expect(consumer.assignment()).toEqual([{ topic, partition: 0 }])
        expect(await consumer.logBounds({ topic, partition: 0 }, WAIT_MS)).toEqual({
          beginning: 0,
          end: 3,
        })
        await expect(
          consumer.logBounds({ topic: 'no.such.topic', partition: 0 }, 2_000),
        ).rejects.toThrow(NotFoundError)
      })

      test('subscribes to the topics whose whole name matches a pattern', async () => {
        await sendTexts('pattern.one', 0, 'one')
        await sendTexts('pattern.two', 0, 'two')
        const consumer = await newConsumer('pattern')
        consumer.subscribe(/pattern\.(one|tw)/, new Listener())
        const messages = await pollFor(consumer, 1)
        expect(messages.map(({ topic }) => topic)).toEqual(['pattern.one'])
        expect(consumer.assignment()).toEqual([{ topic: 'pattern.one', partition: 0 }])
      })

      test('throws from poll what the listener threw, and can be closed then', async () => {
        const consumer = await newConsumer('listener')
        const listener = new Listener()
        listener.onAssigned = () => Promise.reject(new Error('The listener failed.'))
        consumer.subscribe(['listener'], listener)
        await expect(pollFor(consumer, 1)).rejects.toThrow('The listener failed.')
        await consumer.close()
        expect(listener.calls).toEqual(['revoked 0'])
      })

      test('returns at most max messages, and none once its signal is aborted', async () => {
        await sendTexts('limits', 0, 'a', 'b', 'c')
        const consumer = await newConsumer('limits')
        consumer.assign([{ topic: 'limits', partition: 0, offset: 0 }])
        expect(await pollFor(consumer, 3, 2)).toHaveLength(3)
        const stop = new AbortController()
        const waiting = consumer.poll({ max: 10, timeoutMs: 60_000 }, stop.signal)
        setImmediate(() => stop.abort())
        expect(await waiting).toEqual([])
      })

      test('shares partitions with a second member, and each message is read by one', async () => {
        const values = Array.from({ length: 60 }, (_, i) => `${i}`)
        const listeners = [new Listener(), new Listener()]
        const [first, second] = [await newConsumer('members'), await newConsumer('members')]
        first.subscribe(['members'], listeners[0] ?? new Listener())
        await pollUntil([first], () => first.assignment().length === 6)
        expect(listeners[0]?.calls).toEqual(['assigned 0,1,2,3,4,5'])
        second.subscribe(['members'], listeners[1] ?? new Listener())
        const early = await pollUntil(
          [first, second],
          () => first.assignment().length === 3 && second.assignment().length === 3,
        )
        expect(early).toEqual([])
        expect(listeners[0]?.calls).toHaveLength(2)
        expect(listeners[0]?.calls[1]).toMatch(/^revoked \d,\d,\d$/)
        for (const value of values) await sendTexts('members', Number(value) % 6, value)
        const read: ConsumerMessage[] = []
        await pollUntil([first, second], (messages) => {
          read.push(...messages)
          return read.length >= values.length
        })
        expect(read.map(({ value }) => Number(text(value))).sort((a, b) => a - b)).toEqual(
          values.map(Number),
        )
        await second.close()
        expect(listeners[1]?.calls.at(-1)).toMatch(/^revoked \d,\d,\d$/)
        await pollUntil([first], () => first.assignment().length === 6)
      })
    })

    describe('admin', () => {
      test('describes topics with their ids, and knows of no others', async () => {
        const found = await admin.describeTopic('members', WAIT_MS)
        expect(found).toMatchObject({ topic: 'members', partitions: 6 })
        expect(found?.topicId).toMatch(/^[\w-]{22}$/)
        expect(await admin.describeTopic('no.such.topic', WAIT_MS)).toBeUndefined()
        expect(await admin.listTopics(WAIT_MS)).toEqual(
          expect.arrayContaining(Object.keys(CONFORMANCE_TOPICS)),
        )
        expect(await admin.clusterId(WAIT_MS)).toMatch(/^[\w-]{5,}$/)
      })
    })
  })
}
