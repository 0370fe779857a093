// Workers with connectors on a real Apache Kafka.
import { writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { rootCertificates } from 'node:tls'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { SinkRecord } from '../../connector/api/records.ts'
import type { Props } from '../../connector/api/task-context.ts'
import { startApacheKafka, type TestBroker } from '../support/kafka-broker.ts'
import {
  eventually,
  KafkaTopics,
  type KafkaWorker,
  startKafkaWorker,
} from '../support/kafka-worker.ts'
import { partitionOfKey } from '../support/murmur2.ts'
import { describeWith } from '../support/needs.ts'
import { Script, textRecord } from '../support/test-plugins.ts'
import { SINK, SOURCE } from '../support/test-worker.ts'

const QUICK = {
  'consumer.override.metadata.max.age.ms': '500',
  'consumer.override.session.timeout.ms': '6000',
}
const COOPERATIVE = {
  ...QUICK,
  'consumer.override.partition.assignment.strategy':
    'org.apache.kafka.clients.consumer.CooperativeStickyAssignor',
}
const numbered = (count: number, from = 0) =>
  Array.from({ length: count }, (_, n) => [`k${(from + n) % 50}`, String(from + n)] as const)
const valuesOf = (records: readonly SinkRecord[]): unknown[] => records.map(({ value }) => value)

const sink = (name: string, topic: string, more: Props = {}) => ({
  ...SINK,
  ...QUICK,
  ...more,
  name,
  topics: topic,
})

const countOf = (...scripts: readonly Script[]): number =>
  new Set(valuesOf(scripts.flatMap(({ put }) => put)).filter((value) => Number(value) < 1_000)).size
function expectInOrder(put: readonly SinkRecord[]): void {
  const last = new Map<number, number>()
  for (const { kafkaOffset, kafkaPartition } of put) {
    expect(kafkaOffset).toBeGreaterThan(last.get(kafkaPartition) ?? -1)
    last.set(kafkaPartition, kafkaOffset)
  }
}

const keyed = (key: string, offset: number) => ({
  ...textRecord(key, offset, 'keyed'),
  key,
  keySchema: { type: 'STRING', optional: false } as const,
})

describeWith(['kafka'], 'A worker on Apache Kafka', () => {
  let broker: TestBroker
  let topics: KafkaTopics
  const workers: KafkaWorker[] = []

  beforeAll(async () => {
    const cleaner = ['--set', 'log.cleaner.backoff.ms=200']
    broker = await startApacheKafka(['--secure', ...cleaner])
    topics = new KafkaTopics(broker.bootstrapServers)
  }, 120_000)
  afterEach(async () => {
    await Promise.all(workers.splice(0).map((worker) => worker.stop()))
  }, 30_000)
  afterAll(() => broker?.stop(), 30_000)

  async function start(script: Script, properties: Props = {}): Promise<KafkaWorker> {
    const servers = { 'bootstrap.servers': broker.bootstrapServers }
    const worker = await startKafkaWorker(script, { ...servers, ...properties })
    workers.push(worker)
    return worker
  }
  test.each(['classic', 'consumer'])(
    'shares a sink’s partitions with another worker, hands them over, and loses nothing (group protocol %s)',
    async (protocol) => {
      const topic = `shared-${protocol}`
      await topics.create(topic, 4)
      const config = {
        ...SINK,
        name: topic,
        topics: topic,
        'tasks.max': '2',
        'consumer.override.group.protocol': protocol,
        ...(protocol === 'classic' && COOPERATIVE),
      }
      const [first, second] = [new Script(), new Script()]
      await (await start(first)).create(config)
      await topics.send(topic, numbered(400))
      await eventually('400 records', () => first.put.length >= 400)
      const other = await start(second)
      await other.create(config)
      await eventually('both have partitions', async () => {
        await topics.send(topic, numbered(40, 1_000))
        return second.put.length > 0
      })
      await topics.send(topic, numbered(400, 400))
      await eventually('800 records', () => countOf(first, second) >= 800)
      workers.splice(workers.indexOf(other), 1)
      await other.stop()
      await topics.send(topic, numbered(200, 800))
      await eventually('1,000 records', () => countOf(first, second) >= 1_000)
      // Each partition in order, in every task that had it.
      for (const script of [first, second]) expectInOrder(script.put)
    },
    60_000,
  )
  test('with read_committed leaves out what was aborted, and commits beyond it', async () => {
    await topics.create('transactions', 1)
    await topics.transaction('transactions', ['a', 'b'], 'commit')
    await topics.transaction('transactions', ['c', 'd'], 'abort')
    await topics.transaction('transactions', ['e'], 'commit')
    const script = new Script()
    const worker = await start(script)
    const isolation = { 'consumer.override.isolation.level': 'read_committed' }
    await worker.create(sink('committed', 'transactions', isolation))
    await eventually('the committed records', () => script.put.length >= 3)
    expect(valuesOf(script.put)).toEqual(['a', 'b', 'e'])
    expect(script.put.map(({ kafkaOffset }) => kafkaOffset)).toEqual([0, 1, 6])
    await eventually(
      'the offset',
      async () => (await topics.committed('committed'))['transactions/0'] === 7,
    )
  }, 30_000)

  test('reads over the gaps of a compacted log, tombstones included', async () => {
    await topics.create('compacted', 1, {
      'cleanup.policy': 'compact',
      'segment.ms': '100',
      'min.cleanable.dirty.ratio': '0.01',
      'delete.retention.ms': '600000',
    })
    const many = Array.from({ length: 50 }, (_, n) => ['same', `v${n}`] as const)
    await topics.send('compacted', [['first', 'kept'], ...many, ['gone', 'x'], ['gone', null]])
    const script = new Script()
    const worker = await start(script)
    let round = 0
    await eventually('a compacted log', async () => {
      // A new record closes the segment before it; only closed ones are compacted.
      await topics.send('compacted', [[`round${round}`, 'r']])
      script.put.length = 0
      await worker.create(sink(`compacted-${round++}`, 'compacted'))
      await eventually('the last record', () =>
        script.put.some(({ key }) => key === `round${round - 1}`),
      )
      return script.put.filter(({ key }) => key === 'same').length === 1
    })
    const offsets = script.put.map(({ kafkaOffset }) => kafkaOffset)
    expect(offsets.slice(0, 2)).toEqual([0, 50])
    expect(script.put.find(({ key }) => key === 'gone')).toMatchObject({
      value: null,
      kafkaOffset: 52,
    })
    const end = (offsets.at(-1) ?? 0) + 1
    await eventually('the offset', async () => {
      return (await topics.committed(`compacted-${round - 1}`))['compacted/0'] === end
    })
  }, 60_000)

  test('goes on with a topic that was deleted and made again, from its beginning', async () => {
    await topics.create('again', 1)
    await topics.send('again', numbered(20))
    const script = new Script()
    const worker = await start(script)
    await worker.create(sink('again', 'again'))
    await eventually('what was there', () => script.put.length === 20)
    await eventually('the offset', async () => (await topics.committed('again'))['again/0'] === 20)
    await topics.delete('again')
    await topics.create('again', 1)
    await topics.send('again', [
      ['k', 'new 0'],
      ['k', 'new 1'],
    ])
    await eventually('what is new', () => valuesOf(script.put).includes('new 1'))
    expect(valuesOf(script.put.slice(20))).toEqual(['new 0', 'new 1'])
    expect(worker.herder.connectorStatus('again').tasks[0]?.[1].state).toBe('RUNNING')
  }, 60_000)

  const secure = (password: string, ca: string): Props => ({
    'bootstrap.servers': broker.secureBootstrapServers,
    'security.protocol': 'SASL_SSL',
    'sasl.mechanism': 'SCRAM-SHA-512',
    'sasl.jaas.config': `org.apache.kafka.common.security.scram.ScramLoginModule required username="user" password="${password}";`,
    'ssl.truststore.type': 'PEM',
    'ssl.truststore.location': ca,
  })

  test('works by SASL_SSL with SCRAM and a PEM trust store, source and sink', async () => {
    await topics.create('secure', 1)
    const script = new Script()
    script.batches.push([textRecord('a', 1, 'secure'), textRecord('b', 2, 'secure')])
    const worker = await start(script, secure('secret', broker.ca))
    await worker.create({ ...SOURCE, name: 'secure-source' })
    await worker.create(sink('secure-sink', 'secure'))
    await eventually('both records', () => script.put.length === 2)
    expect(valuesOf(script.put)).toEqual(['a', 'b'])
  }, 30_000)

  test.each([
    ['password', /authentication failed/i],
    ['certificate authority', /certificate verify failed/],
  ])(
    'explains a wrong %s in the trace of the task',
    async (what, reason) => {
      const otherCa = path.join(os.tmpdir(), `other-ca-${process.pid}.pem`)
      writeFileSync(otherCa, rootCertificates[0] ?? '')
      const properties =
        what === 'password' ? secure('wrong-secret', broker.ca) : secure('secret', otherCa)
      const worker = await start(new Script(), { ...properties, 'request.timeout.ms': '4000' })
      await worker.create(sink('refused', 'secure'))
      await worker.create({ ...SOURCE, name: 'refused-source' })
      for (const name of ['refused', 'refused-source']) {
        const task = () => worker.herder.connectorStatus(name).tasks[0]?.[1]
        await eventually('a failed task', () => task()?.state === 'FAILED')
        expect(task()?.trace).toMatch(reason)
        expect(task()?.trace).not.toContain('wrong-secret')
      }
    },
    60_000,
  )

  test('keys records to the partitions that Java’s producer chooses', async () => {
    await topics.create('keyed', 7)
    const keys = ['', 'a', 'station-101', 'Ünïcode 🚇', 'x'.repeat(1_000), '12345678', '1234567']
    const script = new Script()
    script.batches.push(keys.map(keyed))
    const worker = await start(script)
    await worker.create({ ...SOURCE, name: 'keyed-source' })
    await worker.create(sink('keyed-sink', 'keyed'))
    await eventually('all records', () => script.put.length === keys.length)
    for (const { key, kafkaPartition } of script.put) {
      expect([key, kafkaPartition]).toEqual([key, partitionOfKey(Buffer.from(String(key)), 7)])
    }
  }, 30_000)

  // Last: the others need the broker.
  test('goes on where it was when its broker is killed in mid-stream and comes back', async () => {
    await topics.create('stream', 1)
    const script = new Script()
    let next = 0
    script.onPoll = async (signal) => {
      await new Promise((resolve) => setTimeout(resolve, 20))
      return signal.aborted ? null : [textRecord(String(next), next++, 'stream')]
    }
    const worker = await start(script)
    // Without it, librdkafka may send a batch that is tried again beside newer records.
    const order = { 'producer.override.enable.idempotence': 'true' }
    await worker.create({ ...SOURCE, ...order, name: 'stream-source' })
    await worker.create(sink('stream-sink', 'stream'))
    await eventually('some records', () => script.put.length > 20)
    await broker.kill()
    const before = next
    await broker.restart()
    await eventually('records from after the restart', () =>
      valuesOf(script.put).includes(String(before + 50)),
    )
    const distinct = [...new Set(valuesOf(script.put))].map(Number)
    expect(distinct).toEqual(Array.from({ length: distinct.length }, (_, n) => n))
    const states = ['stream-source', 'stream-sink'].map(
      (name) => worker.herder.connectorStatus(name).tasks[0]?.[1].state,
    )
    expect(states).toEqual(['RUNNING', 'RUNNING'])
  }, 90_000)
})
