import { afterEach, describe, expect, test } from 'vitest'
import { Script, textRecord } from '../support/test-plugins.ts'
import { SINK, SOURCE, startTestWorker, type TestWorker } from '../support/test-worker.ts'

let worker: TestWorker | undefined
afterEach(async () => {
  await worker?.stop()
  worker = undefined
})

describe('a worker with a source and a sink', () => {
  test('moves records from the source through Kafka to the sink, and deletes both', async () => {
    worker = await startTestWorker()
    const { kafka, script } = worker
    script.batches.push([textRecord('a', 1), textRecord('b', 2)], [textRecord('c', 3)])
    const created = await worker.request('POST', '/connectors', { name: 'src', config: SOURCE })
    expect(created.status).toBe(201)
    expect(created.headers.get('location')).toBe(`${worker.url}/connectors/src`)
    expect(created.json).toEqual({
      name: 'src',
      config: SOURCE,
      tasks: [{ connector: 'src', task: 0 }],
      type: 'source',
    })
    await worker.request('POST', '/connectors', { name: 'snk', config: SINK })
    await worker.eventually(() => script.put.length === 3)
    expect(kafka.messages('t')).toHaveLength(3)
    expect(new Set(script.put.map(({ value }) => value))).toEqual(new Set(['a', 'b', 'c']))
    await worker.eventually(async () => {
      const { json } = (await worker?.request('GET', '/connectors/src/offsets')) ?? { json: {} }
      return json.offsets?.[0]?.offset.position === 3
    })
    expect((await worker.request('GET', '/connectors/snk/status')).json).toMatchObject({
      name: 'snk',
      connector: { state: 'RUNNING', worker_id: worker.workerId, version: '1.0' },
      tasks: [{ id: 0, state: 'RUNNING', worker_id: worker.workerId, version: '1.0' }],
      type: 'sink',
    })
    expect((await worker.request('DELETE', '/connectors/src')).status).toBe(204)
    expect((await worker.request('DELETE', '/connectors/snk')).status).toBe(204)
    expect((await worker.request('GET', '/connectors')).json).toEqual([])
    expect((await worker.request('GET', '/connectors/src/status')).status).toBe(404)
  })

  test('goes on after a restart where the stored offsets say', async () => {
    const script = new Script()
    worker = await startTestWorker({ script })
    script.batches.push([textRecord('a', 7)])
    await worker.request('POST', '/connectors', { name: 'src', config: SOURCE })
    await worker.eventually(() => worker?.kafka.messages('t').length === 1)
    await worker.request('PUT', '/connectors/src/stop')
    const { json } = await worker.request('GET', '/connectors/src/offsets')
    expect(json).toEqual({ offsets: [{ partition: { file: 'a' }, offset: { position: 7 } }] })
    const patched = await worker.request('PATCH', '/connectors/src/offsets', {
      offsets: [{ partition: { file: 'a' }, offset: { position: 2 } }],
    })
    expect(patched.status).toBe(200)
    expect((await worker.request('GET', '/connectors/src/offsets')).json.offsets[0].offset).toEqual(
      {
        position: 2,
      },
    )
    await worker.request('DELETE', '/connectors/src/offsets')
    expect((await worker.request('GET', '/connectors/src/offsets')).json).toEqual({ offsets: [] })
  })
})
