import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ConfigError, RetriableError } from '../../connector/api/errors.ts'
import type { ClientStatistics } from '../../connector/kafka/client.ts'
import { confluentClients } from '../../connector/kafka/confluent.ts'
import { startLocalBroker } from '../../connector/local/broker/broker.ts'
import { kafkaClientsConformance } from '../conformance/kafka-clients.ts'
import { pollFor, pollUntil } from '../conformance/kafka-polls.ts'
import { noEvents } from '../support/fake-kafka.ts'
import { startEmbeddedBroker, type TestBroker } from '../support/kafka-broker.ts'

const NEVER = new AbortController().signal
const LIMIT_MS = 10_000
const nothing = (): Promise<void> => Promise.resolve()

for (const isPacked of [true, false]) {
  const reading = isPacked ? 'packed' : 'by the binding'
  kafkaClientsConformance(`native, read ${reading}, on the embedded broker`, async (topics) => {
    const list = Object.entries(topics).map(([name, partitions]) => `${name}:${partitions}`)
    const broker = await startEmbeddedBroker(list.join())
    return {
      clients: confluentClients,
      config: { 'bootstrap.servers': broker.bootstrapServers },
      consumerConfig: {
        'group.protocol': 'consumer',
        'fetch.wait.max.ms': 10,
        'packed.reader': isPacked,
      },
      tellsGroupOffsets: false,
      stop: () => broker.stop(),
    }
  })
}

describe('clients of a broker that is not there', () => {
  const nobody = { 'bootstrap.servers': '127.0.0.1:1', 'socket.timeout.ms': 500 }

  test.each([
    ['producer', () => confluentClients.producer(nobody, noEvents)],
    ['consumer', () => confluentClients.consumer(nobody, noEvents)],
    ['admin', () => confluentClients.admin(nobody, noEvents)],
  ] as const)('%s: connect fails with a RetriableError that says why', async (_kind, make) => {
    const client = make()
    const failure = client.connect(NEVER)
    await expect(failure).rejects.toBeInstanceOf(RetriableError)
    await expect(failure).rejects.toThrow(/Connection refused/)
    await client.close(100)
  })

  test('a connect ends when its signal aborts', async () => {
    const stop = new AbortController()
    const producer = confluentClients.producer(nobody, noEvents)
    const connecting = producer.connect(stop.signal)
    stop.abort(new Error('Enough.'))
    await expect(connecting).rejects.toThrow('Enough.')
    await producer.close(100)
  })

  test('a property that librdkafka does not know is a ConfigError that names it', () => {
    expect(() => confluentClients.producer({ ...nobody, 'no.such.key': '1' }, noEvents)).toThrow(
      new ConfigError(
        'The Kafka client refuses its configuration: No such configuration property: "no.such.key"',
      ),
    )
  })
})

describe('clients of an embedded broker that was killed with -9', () => {
  let broker: TestBroker
  beforeAll(async () => {
    broker = await startEmbeddedBroker('a:2,full:1')
  })
  afterAll(() => broker?.stop())

  test('a producer with a full queue says so, and tells when it has room', async () => {
    const producer = confluentClients.producer(
      {
        'bootstrap.servers': broker.bootstrapServers,
        'queue.buffering.max.messages': 10,
        'statistics.interval.ms': 100,
        'client.id': 'full',
      },
      { log: () => {}, statistics: (statistics) => seen.push(statistics) },
    )
    const seen: ClientStatistics[] = []
    await producer.connect(NEVER)
    await producer.drained(NEVER)
    let acked = 0
    const message = { topic: 'full', key: null, value: Buffer.from('x') }
    const send = (): void => producer.send(message, (error) => (acked += error === null ? 1 : 0))
    for (let i = 0; i < 10; i++) send()
    expect(send).toThrow(RetriableError)
    await producer.drained(NEVER)
    send()
    await producer.flush(LIMIT_MS)
    expect(acked).toBe(11)
    while (seen.at(-1)?.messagesTotal !== 11)
      await new Promise((resolve) => setTimeout(resolve, 20))
    expect(seen.at(-1)).toMatchObject({
      clientId: 'full',
      kind: 'producer',
      connections: 1,
      lags: [],
    })
    await producer.close(1_000)
  })

  test('go on when it is back, without a call that throws', async () => {
    const config = { 'bootstrap.servers': broker.bootstrapServers }
    const producer = confluentClients.producer({ ...config, 'linger.ms': 0 }, noEvents)
    const consumer = confluentClients.consumer(
      {
        ...config,
        'group.id': 'killed',
        'group.protocol': 'consumer',
        'auto.offset.reset': 'earliest',
        'fetch.wait.max.ms': 10,
      },
      noEvents,
    )
    const admin = confluentClients.admin(config, noEvents)
    await Promise.all([producer.connect(NEVER), consumer.connect(NEVER), admin.connect(NEVER)])
    const before = await admin.describeTopic('a', LIMIT_MS)
    consumer.subscribe(['a'], { onAssigned: nothing, onRevoked: nothing, onLost: nothing })
    const send = (value: string): Promise<void> =>
      new Promise((resolve, reject) => {
        const message = { topic: 'a', partition: 0, key: null, value: Buffer.from(value) }
        producer.send(message, (error) => (error === null ? resolve() : reject(error)))
      })
    await send('one')
    expect((await pollFor(consumer, 1)).map(({ value }) => String(value))).toEqual(['one'])
    await broker.kill()
    const late = send('two')
    expect(await consumer.poll({ max: 10, timeoutMs: 200 }, NEVER)).toEqual([])
    await expect(admin.describeTopic('a', 500)).rejects.toBeInstanceOf(RetriableError)
    await broker.restart()
    await late
    const messages = await pollFor(consumer, 1)
    expect(messages.map(({ value }) => String(value))).toEqual(['two'])
    const after = await admin.describeTopic('a', LIMIT_MS)
    expect(after?.topicId).not.toBe(before?.topicId)
    await Promise.all([producer.close(1_000), consumer.close(), admin.close()])
  }, 60_000)

  test('close in time although it is gone', async () => {
    const config = { 'bootstrap.servers': broker.bootstrapServers }
    const producer = confluentClients.producer(config, noEvents)
    const consumer = confluentClients.consumer(
      { ...config, 'group.id': 'gone', 'group.protocol': 'consumer' },
      noEvents,
    )
    await Promise.all([producer.connect(NEVER), consumer.connect(NEVER)])
    const revoked: number[] = []
    consumer.subscribe(['a'], {
      onAssigned: () => Promise.resolve(),
      onRevoked: (partitions) => Promise.resolve(void revoked.push(partitions.length)),
      onLost: () => Promise.resolve(),
    })
    await pollUntil([consumer], () => consumer.assignment().length === 2)
    await broker.kill()
    const errors: (Error | null)[] = []
    producer.send({ topic: 'a', key: null, value: Buffer.from('x') }, (error) => errors.push(error))
    await expect(producer.flush(100)).rejects.toBeInstanceOf(RetriableError)
    await Promise.all([producer.close(100), consumer.close()])
    expect(errors).toEqual([expect.any(RetriableError)])
    expect(revoked).toEqual([2])
    await broker.restart()
  }, 30_000)

  test('a second one on its port says that the port is taken', async () => {
    const port = Number(broker.bootstrapServers.split(':')[1])
    await expect(startLocalBroker({ port, topics: [] })).rejects.toThrow(
      `The embedded broker can't listen on 127.0.0.1:${port}: another process uses it.`,
    )
  })
})
