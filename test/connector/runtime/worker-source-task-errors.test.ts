import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ConnectError, toTrace } from '../../../connector/api/errors.ts'
import type { SourceRecord } from '../../../connector/api/records.ts'
import type { Props } from '../../../connector/api/task-context.ts'
import type { WorkerTask } from '../../../connector/runtime/worker-task.ts'
import { FakeClock, settled } from '../../support/fake-clock.ts'
import { FakeKafka } from '../../support/fake-kafka.ts'
import { Script, textRecord } from '../../support/test-plugins.ts'
import { makeTask, type Told, testServices } from '../../support/test-services.ts'

let kafka: FakeKafka
let script: Script
let clock: FakeClock
let task: WorkerTask
let told: Told

beforeEach(() => {
  kafka = new FakeKafka({ topics: { t: 1, dlq: 1 } })
  script = new Script()
  clock = new FakeClock()
})
afterEach(() => task.cancel())

const DLQ = {
  'errors.tolerance': 'all',
  'errors.deadletterqueue.topic.name': 'dlq',
  'errors.deadletterqueue.context.headers.enable': 'true',
}

/** Runs a task to its end, which comes when it fails or after some time. */
async function run(props: Props): Promise<void> {
  const services = testServices({ kafka, script, clock })
  const made = await makeTask('source', services, props)
  task = made.task
  told = made.told
  const ended = task.run()
  await settled()
  await clock.advance(30_000)
  task.stop()
  await clock.advance(30_000)
  await ended
}
const text = (value: Uint8Array | null | undefined): string => Buffer.from(value ?? []).toString()
const headers = (): Record<string, string> =>
  Object.fromEntries(
    (kafka.messages('dlq')[0]?.headers ?? []).map(({ key, value }) => [key, text(value)]),
  )

const unconvertible = (): SourceRecord => ({
  ...textRecord('', 2),
  valueSchema: { type: 'STRUCT', optional: false, fields: [] },
  value: { big: 2n ** 60n, bytes: Uint8Array.of(1, 2) },
  headers: [],
})

describe('A source’s dead-letter queue', () => {
  test('keeps a record that cannot be converted as JSON, says why, and the task goes on', async () => {
    script.batches.push([textRecord('a', 1), unconvertible(), textRecord('c', 3)])
    await run({
      ...DLQ,
      'value.converter': 'org.apache.kafka.connect.converters.ByteArrayConverter',
    })
    const [first, second, third] = kafka.messages('dlq')
    expect(third).toBeDefined()
    expect(JSON.parse(text(second?.value))).toMatchObject({
      topic: 't',
      sourcePartition: { file: 'a' },
      sourceOffset: { position: 2 },
      value: { big: '1152921504606846976', bytes: 'AQI=' },
    })
    expect(JSON.parse(text(first?.key))).toEqual({ file: 'a' })
    expect(headers()).toMatchObject({
      '__connect.errors.topic': 't',
      '__connect.errors.connector.name': 'x',
      '__connect.errors.task.id': '0',
      '__connect.errors.stage': 'VALUE_CONVERTER',
      '__connect.errors.class.name': 'org.apache.kafka.connect.converters.ByteArrayConverter',
      '__connect.errors.source.partition': '{"file":"a"}',
      '__connect.errors.source.offset': '{"position":1}',
    })
    expect(told.states).toEqual(['RUNNING', 'UNASSIGNED'])
  })

  test('keeps the very bytes of a record that Kafka refuses', async () => {
    kafka.deliveryError = ({ topic, value }) =>
      topic === 't' && text(value) === 'b' ? new ConnectError('too large') : undefined
    script.batches.push([textRecord('a', 1), textRecord('b', 2), textRecord('c', 3)])
    await run(DLQ)
    expect(kafka.messages('t').map(({ value }) => text(value))).toEqual(['a', 'c'])
    expect(kafka.messages('dlq').map(({ value }) => text(value))).toEqual(['b'])
    expect(headers()).toMatchObject({
      '__connect.errors.stage': 'KAFKA_PRODUCE',
      '__connect.errors.exception.message': 'too large',
    })
  })

  test('with errors.tolerance=none has the record, and the task fails', async () => {
    kafka.deliveryError = ({ topic }) => (topic === 't' ? new ConnectError('too large') : undefined)
    script.batches.push([textRecord('a', 1)])
    await run({ ...DLQ, 'errors.tolerance': 'none' })
    expect(kafka.messages('dlq')).toHaveLength(1)
    expect(told.states).toEqual(['RUNNING', 'FAILED'])
    expect(toTrace(told.errors[0])).toContain('too large')
  })

  test('that refuses a record too does not fail the task, as in Kafka Connect', async () => {
    kafka.deliveryError = ({ value }) =>
      text(value) === 'a' ? new ConnectError('disk full') : undefined
    script.batches.push([textRecord('a', 1), textRecord('b', 2)])
    await run(DLQ)
    expect(kafka.messages('t').map(({ value }) => text(value))).toEqual(['b'])
    expect(kafka.messages('dlq')).toEqual([])
    expect(told.states).toEqual(['RUNNING', 'UNASSIGNED'])
  })

  test('is made when the task starts', async () => {
    await run({ ...DLQ, 'errors.deadletterqueue.topic.name': 'new' })
    expect(kafka.cluster.topics.get('new')?.logs).toHaveLength(1)
  })
})
