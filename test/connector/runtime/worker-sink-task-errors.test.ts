import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ConnectError, DataError, RetriableError, toTrace } from '../../../connector/api/errors.ts'
import type { Props } from '../../../connector/api/task-context.ts'
import type { WorkerTask } from '../../../connector/runtime/worker-task.ts'
import { FakeClock, settled } from '../../support/fake-clock.ts'
import { FakeKafka, noEvents } from '../../support/fake-kafka.ts'
import { Script } from '../../support/test-plugins.ts'
import { makeTask, testServices } from '../../support/test-services.ts'

const COMMIT_MS = 10_000
let kafka: FakeKafka
let script: Script
let clock: FakeClock
let task: WorkerTask

beforeEach(() => {
  kafka = new FakeKafka({ topics: { t: 2 } })
  script = new Script()
  clock = new FakeClock()
})
afterEach(() => task.cancel())

const write = (value: string, partition = 0): void => {
  kafka.cluster.append({ topic: 't', partition, key: null, value: Buffer.from(value) })
}
const values = (): unknown[] => script.put.map(({ value }) => value)
const committed = (): unknown =>
  Object.fromEntries(
    [...kafka.cluster.group('connect-x').offsets].map(([key, { offset }]) => [key, offset]),
  )

async function start(props: Props = {}): Promise<void> {
  const made = await makeTask('sink', testServices({ kafka, script, clock }), props)
  task = made.task
  await task.initialize()
}
async function turns(count = 1): Promise<void> {
  for (let turn = 0; turn < count; turn++) await task.iteration()
}
/** Runs the loop until `check` holds. */
async function until(check: () => boolean): Promise<void> {
  for (let turn = 0; turn < 50 && !check(); turn++) await turns()
  expect(check()).toBe(true)
}

const broken = (): void => {
  kafka.cluster.append({ topic: 't', partition: 0, key: null, value: Buffer.from([0xff, 0xfe]) })
}

describe('WorkerSinkTask with records that cannot be read', () => {
  test('fails by default, naming the cause', async () => {
    broken()
    await start()
    const error = await turns(1).catch((thrown: unknown) => thrown)
    expect(toTrace(error)).toMatch(/Tolerance exceeded in error handler[^]*Caused by: DataError/)
  })

  test('skips them with errors.tolerance=all, and commits beyond them', async () => {
    broken()
    write('b')
    await start({ 'errors.tolerance': 'all' })
    await until(() => script.put.length === 1)
    await clock.advance(COMMIT_MS)
    await turns()
    await settled()
    expect(committed()).toEqual({ 't/0': 2 })
  })

  test('sends them to the dead-letter queue as they were, with Kafka Connect’s headers', async () => {
    kafka.cluster.createTopic('dlq', 1)
    broken()
    await start({
      'errors.tolerance': 'all',
      'errors.deadletterqueue.topic.name': 'dlq',
      'errors.deadletterqueue.context.headers.enable': 'true',
    })
    await until(() => kafka.messages('dlq').length === 1)
    const [message] = kafka.messages('dlq')
    expect(message?.value).toEqual(Uint8Array.from([0xff, 0xfe]))
    const headers = Object.fromEntries(
      (message?.headers ?? []).map(({ key, value }) => [
        key,
        value && Buffer.from(value).toString(),
      ]),
    )
    expect(headers).toMatchObject({
      '__connect.errors.topic': 't',
      '__connect.errors.partition': '0',
      '__connect.errors.offset': '0',
      '__connect.errors.connector.name': 'x',
      '__connect.errors.task.id': '0',
      '__connect.errors.stage': 'VALUE_CONVERTER',
      '__connect.errors.class.name': 'org.apache.kafka.connect.storage.StringConverter',
      '__connect.errors.exception.class.name': 'org.apache.kafka.connect.errors.DataException',
    })
    expect(headers['__connect.errors.exception.stacktrace']).toContain('DataError')
  })

  test('makes a missing dead-letter queue when the task starts', async () => {
    await start({
      'errors.tolerance': 'all',
      'errors.deadletterqueue.topic.name': 'dlq',
      'errors.deadletterqueue.topic.replication.factor': '1',
    })
    expect(kafka.cluster.topics.get('dlq')?.logs).toHaveLength(1)
    broken()
    await until(() => kafka.messages('dlq').length === 1)
  })

  test('says at its start that the dead-letter queue cannot be made, and fails', async () => {
    const admin = Object.assign(kafka.admin({}, noEvents), {
      createTopic: () => Promise.reject(new ConnectError('replication factor 3, brokers 1')),
    })
    const services = {
      ...testServices({ kafka, script, clock }),
      admin: () => Promise.resolve(admin),
    }
    const made = await makeTask('sink', services, { 'errors.deadletterqueue.topic.name': 'dlq' })
    task = made.task
    await task.run()
    expect(made.told.states).toEqual(['FAILED'])
    expect(toTrace(made.told.errors[0])).toMatch(
      /Could not initialize dead letter queue with topic=dlq[^]*replication factor 3, brokers 1/,
    )
    expect(script.calls).not.toContain('task start')
  })

  test('waits for a broker that is away when the dead-letter queue is to be looked up, and shows it', async () => {
    const real = kafka.admin({}, noEvents)
    let failures = 1
    const admin = Object.assign(kafka.admin({}, noEvents), {
      describeTopic: () =>
        failures-- > 0
          ? Promise.reject(new RetriableError('timed out'))
          : real.describeTopic('dlq', 1_000),
    })
    const services = {
      ...testServices({ kafka, script, clock }),
      admin: () => Promise.resolve(admin),
    }
    const made = await makeTask('sink', services, { 'errors.deadletterqueue.topic.name': 'dlq' })
    task = made.task
    const started = task.initialize()
    await settled()
    expect(made.told.health.at(-1)?.message).toBe(
      'Preparing the dead-letter queue failed and is tried again: timed out',
    )
    await clock.advance(10_000)
    await started
    expect(made.told.states).toEqual(['RUNNING'])
    expect(kafka.cluster.topics.has('dlq')).toBe(true)
  })

  test('goes on when the dead-letter queue refuses a record that cannot be read, and counts it', async () => {
    kafka.cluster.createTopic('dlq', 1)
    let refusals = 1
    kafka.deliveryError = ({ topic }) =>
      topic === 'dlq' && refusals-- > 0 ? new ConnectError('too large') : undefined
    broken()
    write('b')
    broken()
    const services = testServices({ kafka, script, clock })
    const made = await makeTask('sink', services, {
      'errors.tolerance': 'all',
      'errors.deadletterqueue.topic.name': 'dlq',
    })
    task = made.task
    await task.initialize()
    await until(() => kafka.messages('dlq').length === 1)
    expect(values()).toEqual(['b'])
    const exposition = await services.metrics.text()
    expect(exposition).toMatch(/deadletterqueue_produce_requests\{[^}]*\} 2/)
    expect(exposition).toMatch(/deadletterqueue_produce_failures\{[^}]*\} 1/)
  })

  test('asks what may be committed only when what the task reported is durable', async () => {
    kafka.cluster.createTopic('dlq', 1)
    script.onPut = (records, { taskContext }) => {
      for (const record of records) {
        void taskContext.errantRecordReporter()?.report(record, new DataError('no such column'))
      }
    }
    write('a')
    await start({ 'errors.tolerance': 'all', 'errors.deadletterqueue.topic.name': 'dlq' })
    kafka.holdsDeliveries = true
    await turns()
    script.sinkTasks[0]?.taskContext.requestCommit()
    const turn = turns()
    await settled()
    expect(script.calls).not.toContain('preCommit')
    kafka.release()
    await turn
    expect(script.calls).toContain('preCommit')
  })

  test('fails when what the task reported cannot be kept, whether the task waits for it or not', async () => {
    kafka.cluster.createTopic('dlq', 1)
    kafka.deliveryError = ({ topic }) => (topic === 'dlq' ? new ConnectError('full') : undefined)
    script.onPut = (records, { taskContext }) => {
      for (const record of records) {
        void taskContext.errantRecordReporter()?.report(record, new DataError('no such column'))
      }
    }
    write('a')
    await start({ 'errors.tolerance': 'all', 'errors.deadletterqueue.topic.name': 'dlq' })
    const error = await turns(3)
      .then(settled)
      .then(() => turns(1))
      .catch((thrown: unknown) => thrown)
    expect(toTrace(error)).toMatch(/dead-letter queue dlq[^]*full/)
    expect(script.calls).not.toContain('preCommit')
  })

  test('a report that never becomes durable does not outlive a cancel', async () => {
    kafka.cluster.createTopic('dlq', 1)
    script.onPut = (records, { taskContext }) => {
      for (const record of records) {
        void taskContext.errantRecordReporter()?.report(record, new DataError('no such column'))
      }
    }
    write('a')
    await start({ 'errors.tolerance': 'all', 'errors.deadletterqueue.topic.name': 'dlq' })
    kafka.holdsDeliveries = true
    await turns()
    task.stop()
    const run = task.run()
    await settled()
    task.cancel()
    await clock.advance(60_000)
    await run
    expect(script.calls).not.toContain('preCommit')
    expect(script.calls).toContain('task stop')
  })

  test('takes what the task itself reports', async () => {
    kafka.cluster.createTopic('dlq', 1)
    script.onPut = async (records, { taskContext }) => {
      for (const record of records) {
        await taskContext.errantRecordReporter()?.report(record, new DataError('no such column'))
      }
    }
    write('a')
    await start({ 'errors.tolerance': 'all', 'errors.deadletterqueue.topic.name': 'dlq' })
    await until(() => kafka.messages('dlq').length === 1)
    expect(Buffer.from(kafka.messages('dlq')[0]?.value ?? []).toString()).toBe('a')
  })
})
