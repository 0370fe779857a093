import { afterEach, describe, expect, test } from 'vitest'
import { ConnectError } from '../../../connector/api/errors.ts'
import type { ClientConfig, ClientEvents } from '../../../connector/kafka/client.ts'
import { FakeKafka } from '../../support/fake-kafka.ts'
import { SINK, startTestWorker, type TestWorker } from '../../support/test-worker.ts'

let worker: TestWorker | undefined
afterEach(async () => {
  await worker?.stop()
  worker = undefined
})

/** Remembers how its consumers were configured. */
class WatchedKafka extends FakeKafka {
  readonly consumerConfigs: ClientConfig[] = []

  override consumer(config: ClientConfig, events: ClientEvents) {
    this.consumerConfigs.push(config)
    return super.consumer(config, events)
  }
}

describe('offsets of a stopped sink', () => {
  test('are changed by a client with the settings of the tasks, but for those of a member', async () => {
    const kafka = new WatchedKafka({ topics: { t: 2 } })
    worker = await startTestWorker({
      kafka,
      properties: {
        'consumer.fetch.max.wait.ms': '25',
        'consumer.group.protocol': 'consumer',
        'consumer.group.instance.id': 'one',
      },
    })
    const config = { ...SINK, 'consumer.override.max.partition.fetch.bytes': '4096' }
    await worker.request('POST', '/connectors', { name: 'snk', config })
    await worker.request('PUT', '/connectors/snk/stop')
    await worker.eventually(
      async () => (await worker?.request('GET', '/connectors/snk/status'))?.json.tasks.length === 0,
    )
    const offsets = [
      { partition: { kafka_topic: 't', kafka_partition: 1 }, offset: { kafka_offset: 7 } },
    ]
    expect((await worker.request('PATCH', '/connectors/snk/offsets', { offsets })).status).toBe(200)
    expect((await worker.request('GET', '/connectors/snk/offsets')).json).toEqual({ offsets })
    const last = kafka.consumerConfigs.at(-1)
    expect(last).toMatchObject({
      'fetch.wait.max.ms': '25',
      'max.partition.fetch.bytes': '4096',
      'group.id': 'connect-snk',
    })
    expect(last).toHaveProperty('group.protocol', 'classic')
    expect(last).not.toHaveProperty('group.instance.id')
  })

  test('are changed by a member of the group where the broker takes commits of nobody else', async () => {
    worker = await startTestWorker()
    await worker.request('POST', '/connectors', { name: 'snk', config: SINK })
    await worker.request('PUT', '/connectors/snk/stop')
    await worker.eventually(
      async () => (await worker?.request('GET', '/connectors/snk/status'))?.json.tasks.length === 0,
    )
    worker.kafka.faults.commitErrors.push(new ConnectError('Broker: Unknown member (25)'))
    const offsets = [
      { partition: { kafka_topic: 't', kafka_partition: 1 }, offset: { kafka_offset: 7 } },
    ]
    expect((await worker.request('PATCH', '/connectors/snk/offsets', { offsets })).status).toBe(200)
    expect((await worker.request('GET', '/connectors/snk/offsets')).json).toEqual({ offsets })
  })

  test('that are reset concern every partition of the topics, also without a committed offset', async () => {
    worker = await startTestWorker()
    await worker.request('POST', '/connectors', { name: 'snk', config: SINK })
    await worker.request('PUT', '/connectors/snk/stop')
    await worker.eventually(
      async () => (await worker?.request('GET', '/connectors/snk/status'))?.json.tasks.length === 0,
    )
    expect((await worker.request('DELETE', '/connectors/snk/offsets')).status).toBe(200)
    expect(worker.script.calls.filter((call) => call.startsWith('alter'))).toEqual([
      'alterOffsets t/0=null t/1=null',
    ])
  })
})
