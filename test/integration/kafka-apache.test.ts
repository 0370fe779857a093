import kafka from '@confluentinc/kafka-javascript'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ConnectError, RetriableError } from '../../connector/api/errors.ts'
import type { ClientEvents } from '../../connector/kafka/client.ts'
import { toLibrdkafka } from '../../connector/kafka/client-config.ts'
import { confluentClients } from '../../connector/kafka/confluent.ts'
import { kafkaClientsConformance } from '../conformance/kafka-clients.ts'
import { pollFor } from '../conformance/kafka-polls.ts'
import { noEvents } from '../support/fake-kafka.ts'
import { startApacheKafka, type TestBroker } from '../support/kafka-broker.ts'
import { describeWith } from '../support/needs.ts'

const NEVER = new AbortController().signal
const LIMIT_MS = 10_000

describeWith(['kafka'], 'Apache Kafka', () => {
  let broker: TestBroker

  beforeAll(async () => {
    broker = await startApacheKafka(['--secure'])
  }, 120_000)
  afterAll(() => broker?.stop(), 30_000)

  for (const [protocol, isPacked] of [
    ['consumer', true],
    ['classic', true],
    ['consumer', false],
  ] as const) {
    kafkaClientsConformance(
      `native, read ${isPacked ? 'packed' : 'by the binding'}, on Apache Kafka, group protocol ${protocol}`,
      async (topics) => {
        const config = { 'bootstrap.servers': broker.bootstrapServers }
        await resetTopics(broker.bootstrapServers, topics)
        return {
          clients: confluentClients,
          config,
          consumerConfig: {
            'group.protocol': protocol,
            'packed.reader': isPacked,
            // Groups of the first run have committed offsets.
            ...(protocol === 'classic' && {
              'partition.assignment.strategy': 'cooperative-sticky',
            }),
          },
          tellsGroupOffsets: true,
          stop: () => Promise.resolve(),
        }
      },
    )
  }

  describe('admin', () => {
    test('makes topics once, and a topic that was made again has another id', async () => {
      const admin = confluentClients.admin(
        { 'bootstrap.servers': broker.bootstrapServers },
        noEvents,
      )
      await admin.connect(NEVER)
      const topic = { topic: 'again', partitions: 2, replicationFactor: 1, config: {} }
      expect(await admin.createTopic(topic, LIMIT_MS)).toBe(true)
      expect(await admin.createTopic(topic, LIMIT_MS)).toBe(false)
      const before = await admin.describeTopic('again', LIMIT_MS)
      await deleteTopic(broker.bootstrapServers, 'again')
      expect(await admin.describeTopic('again', LIMIT_MS)).toBeUndefined()
      expect(await admin.createTopic(topic, LIMIT_MS)).toBe(true)
      const after = await admin.describeTopic('again', LIMIT_MS)
      expect(before?.topicId).toMatch(/^[\w+/-]{22}$/)
      expect(after).toEqual({ topic: 'again', partitions: 2, topicId: expect.any(String) })
      expect(after?.topicId).not.toBe(before?.topicId)
      await expect(
        admin.createTopic({ ...topic, topic: 'bad', config: { 'cleanup.policy': 'no' } }, LIMIT_MS),
      ).rejects.toThrow(ConnectError)
      await admin.close()
    })
  })

  describe('security', () => {
    const plain = {
      'sasl.mechanism': 'PLAIN',
      'sasl.jaas.config': login('plain.PlainLoginModule', 'secret'),
    }

    test.each(['SCRAM-SHA-256', 'SCRAM-SHA-512'])('connects with %s', async (mechanism) => {
      const jaas = login('scram.ScramLoginModule', 'secret')
      await expect(
        connect(broker, { 'sasl.mechanism': mechanism, 'sasl.jaas.config': jaas }),
      ).resolves.toBeUndefined()
    })

    test('connects with PLAIN', async () => {
      await expect(connect(broker, plain)).resolves.toBeUndefined()
    })

    test('says that a password is wrong, and at once', async () => {
      const jaas = login('plain.PlainLoginModule', 'wrong')
      const failure = connect(broker, { ...plain, 'sasl.jaas.config': jaas })
      await expect(failure).rejects.toThrow(/[Aa]uthentication failed/)
      await expect(failure).rejects.not.toBeInstanceOf(RetriableError)
      await expect(failure).rejects.not.toThrow(/wrong/)
    })

    test('says that a certificate is not trusted', async () => {
      const failure = connect(broker, {
        ...plain,
        'ssl.truststore.location': '/etc/ssl/certs/ca-certificates.crt',
      })
      await expect(failure).rejects.toThrow(/certificate verify failed/)
      await expect(failure).rejects.not.toBeInstanceOf(RetriableError)
    })

    test('says that a certificate file is not there', async () => {
      const failure = connect(broker, { ...plain, 'ssl.truststore.location': '/nowhere/ca.pem' })
      await expect(failure).rejects.toThrow(/ssl\.ca\.location failed/)
      await expect(failure).rejects.not.toBeInstanceOf(RetriableError)
    })
  })

  test('a broker killed with -9 comes back: nothing acknowledged is lost, in order', async () => {
    const config = { 'bootstrap.servers': broker.bootstrapServers }
    await resetTopics(broker.bootstrapServers, { crash: 1 })
    const logged: string[] = []
    const events: ClientEvents = { ...noEvents, log: (_level, message) => logged.push(message) }
    const producer = confluentClients.producer({ ...config, 'linger.ms': 5 }, events)
    const consumer = confluentClients.consumer(config, events)
    await producer.connect(NEVER)
    await consumer.connect(NEVER)
    consumer.assign([{ topic: 'crash', partition: 0, offset: 0 }])
    const acked: number[] = []
    const failed: Error[] = []
    const send = (from: number, to: number): void => {
      for (let i = from; i < to; i++) {
        producer.send({ topic: 'crash', key: null, value: Buffer.from(`${i}`) }, (error) => {
          if (error === null) acked.push(i)
          else failed.push(error)
        })
      }
    }
    send(0, 200)
    await pollFor(consumer, 1)
    send(200, 400)
    await broker.kill()
    send(400, 600)
    await broker.restart()
    await producer.flush(30_000)
    send(600, 700)
    await producer.flush(30_000)
    const reader = confluentClients.consumer(config, noEvents)
    await reader.connect(NEVER)
    reader.assign([{ topic: 'crash', partition: 0, offset: 0 }])
    const values = (await pollFor(reader, acked.length)).map(({ value }) => Number(String(value)))
    expect(failed).toEqual([])
    expect(acked).toHaveLength(700)
    // A batch that was written but not acknowledged before the kill is sent again.
    const distinct = [...new Set(values)]
    expect(distinct).toEqual(acked)
    await pollFor(consumer, 400)
    expect(logged.join()).toMatch(/Connection refused|Disconnected/)
    await Promise.all([consumer.close(), reader.close(), producer.close(1_000)])
  }, 60_000)
})

/** Connects a producer to the secure listener. */
async function connect(broker: TestBroker, java: Readonly<Record<string, string>>): Promise<void> {
  const { config } = toLibrdkafka('producer', {
    'bootstrap.servers': broker.secureBootstrapServers,
    'security.protocol': 'SASL_SSL',
    'ssl.truststore.type': 'PEM',
    'ssl.truststore.location': broker.ca,
    'request.timeout.ms': '4000',
    ...java,
  })
  const producer = confluentClients.producer(config, noEvents)
  try {
    await producer.connect(NEVER)
  } finally {
    await producer.close(100)
  }
}

const login = (module: string, password: string): string =>
  `org.apache.kafka.common.security.${module} required username="user" password="${password}";`

/** Makes topics anew. */
async function resetTopics(
  servers: string,
  topics: Readonly<Record<string, number>>,
): Promise<void> {
  const admin = confluentClients.admin({ 'bootstrap.servers': servers }, noEvents)
  await admin.connect(NEVER)
  const existing = new Set(await admin.listTopics(LIMIT_MS))
  for (const topic of Object.keys(topics))
    if (existing.has(topic)) await deleteTopic(servers, topic)
  for (const [topic, partitions] of Object.entries(topics)) {
    await admin.createTopic({ topic, partitions, replicationFactor: 1, config: {} }, LIMIT_MS)
  }
  await admin.close()
}

/** Our Admin deletes nothing, so the library does. */
function deleteTopic(servers: string, topic: string): Promise<void> {
  const admin = kafka.AdminClient.create({ 'bootstrap.servers': servers })
  return new Promise((resolve, reject) => {
    admin.deleteTopic(topic, LIMIT_MS, (error) => {
      admin.disconnect()
      if (error == null) resolve()
      else reject(new Error(`Can't delete ${topic}`, { cause: error }))
    })
  })
}
