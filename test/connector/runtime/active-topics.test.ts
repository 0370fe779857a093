import { afterEach, describe, expect, test } from 'vitest'
import { SINK, SOURCE, startTestWorker, type TestWorker } from '../../support/test-worker.ts'
import { textRecord } from '../../support/test-plugins.ts'

let worker: TestWorker
afterEach(() => worker.stop())

const topics = async (name: string): Promise<unknown> =>
  (await worker.request('GET', `/connectors/${name}/topics`)).json?.[name]?.topics

describe('A connector’s active topics', () => {
  test('are forgotten by a reset, and come back with the next record of a running source', async () => {
    worker = await startTestWorker()
    const { script } = worker
    script.batches.push([textRecord('a', 1)])
    script.onPoll = async () => {
      await new Promise((resolve) => setImmediate(resolve))
      return script.batches.shift() ?? []
    }
    await worker.request('POST', '/connectors', { name: 'src', config: SOURCE })
    await worker.eventually(async () => (await topics('src'))?.toString() === 't')
    const { status } = await worker.request('PUT', '/connectors/src/topics/reset')
    expect([status, await topics('src')]).toEqual([202, []])
    script.batches.push([textRecord('b', 2)])
    await worker.eventually(async () => (await topics('src'))?.toString() === 't')
  })

  test('are forgotten by a reset, and come back with the next record of a running sink', async () => {
    worker = await startTestWorker()
    const write = (value: string): unknown =>
      worker.kafka.cluster.append({
        topic: 't',
        partition: 0,
        key: null,
        value: Buffer.from(value),
      })
    write('a')
    await worker.request('POST', '/connectors', { name: 'snk', config: SINK })
    await worker.eventually(async () => (await topics('snk'))?.toString() === 't')
    await worker.request('PUT', '/connectors/snk/topics/reset')
    expect(await topics('snk')).toEqual([])
    write('b')
    await worker.eventually(async () => (await topics('snk'))?.toString() === 't')
  })
})
