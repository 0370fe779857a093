import { afterEach, describe, expect, test } from 'vitest'
import type { SinkRecord } from '../../../connector/api/records.ts'
import type { RestExtension, RestExtensionContext } from '../../../connector/api/rest-extension.ts'
import type { Props } from '../../../connector/api/task-context.ts'
import type { PluginDescriptor } from '../../../connector/runtime/plugins.ts'
import { Script, scriptedPlugins } from '../../support/test-plugins.ts'
import { SOURCE, startTestWorker, type TestWorker } from '../../support/test-worker.ts'

class TestExtension implements RestExtension {
  context: RestExtensionContext | undefined
  props: Props = {}
  isClosed = false
  configure(props: Props): void {
    this.props = props
  }
  register(context: RestExtensionContext): void {
    this.context = context
    context.handle('/hello', (request, response) => {
      response.end(`hello ${request.url}`)
    })
    context.onUpgrade('/live', (_request, socket) => {
      socket.end('HTTP/1.1 101 Switching Protocols\r\n\r\n')
    })
  }
  close(): void {
    this.isClosed = true
  }
}

let worker: TestWorker | undefined
let extension: TestExtension
afterEach(async () => {
  await worker?.stop()
  worker = undefined
})

async function start(properties: Record<string, string> = {}): Promise<TestWorker> {
  extension = new TestExtension()
  const script = new Script()
  const plugin: PluginDescriptor = {
    kind: 'rest_extension',
    className: 'TestExtension',
    version: '1',
    create: () => Promise.resolve(extension),
  }
  worker = await startTestWorker({
    script,
    plugins: [...scriptedPlugins(script), plugin],
    properties: { 'rest.extension.classes': 'TestExtension', ...properties },
  })
  return worker
}

describe('a rest extension', () => {
  test('answers below its path and nowhere else; / stays Kafka Connect’s', async () => {
    const { request } = await start()
    expect((await request('GET', '/hello/x?y')).text).toBe('hello /hello/x?y')
    expect((await request('GET', '/hello')).text).toBe('hello /hello')
    expect((await request('GET', '/helloo')).status).toBe(404)
    expect((await request('GET', '/')).json.version).toBe('4.3.1')
  })

  test('sees the configuration without secrets', async () => {
    await start({
      'sasl.jaas.config':
        'org.apache.kafka.common.security.plain.PlainLoginModule required username="u" password="p";',
      'sasl.mechanism': 'PLAIN',
      'security.protocol': 'SASL_PLAINTEXT',
    })
    expect(extension.context?.workerConfig['sasl.jaas.config']).toBe('[hidden]')
    expect(extension.context?.workerConfig['rest.extension.classes']).toBe('TestExtension')
  })

  test('sees connectors, their changes and the metrics', async () => {
    const { request } = await start()
    const states: string[] = []
    const end = extension.context?.onStatus(({ state }) => states.push(state))
    await request('POST', '/connectors', { name: 'src', config: SOURCE })
    expect(states).toContain('RUNNING')
    expect(extension.context?.connectors()[0]).toMatchObject({ name: 'src', type: 'source' })
    expect(await extension.context?.metricsText()).toContain(
      'kafka_connect_connector_status{connector="src",status="running"} 1',
    )
    end?.()
    const count = states.length
    await request('DELETE', '/connectors/src')
    expect(states).toHaveLength(count)
  })

  test('reads topics from the end, a backlog before it, and leaves out what cannot be converted', async () => {
    const { kafka } = await start()
    const write = (value: Uint8Array): void =>
      void kafka.cluster.append({ topic: 't', partition: 0, key: null, value })
    for (const text of ['old', 'a', 'b']) write(Buffer.from(text))
    const controller = new AbortController()
    const seen: unknown[] = []
    const reading = (async () => {
      const batches = extension.context?.records(['t'], controller.signal, { backlog: 2 }) ?? []
      for await (const batch of batches as AsyncIterable<readonly SinkRecord[]>) {
        seen.push(...batch.map(({ value }) => value))
        if (seen.length === 2) {
          write(Buffer.from([0xff]))
          write(Buffer.from('c'))
        }
        if (seen.length === 3) controller.abort()
      }
    })()
    await reading
    expect(seen).toEqual(['a', 'b', 'c'])
    expect([...kafka.cluster.group('connect-viewer-1').members]).toEqual([])
  })

  test('is closed with the worker', async () => {
    const running = await start()
    await running.stop()
    worker = undefined
    expect(extension.isClosed).toBe(true)
  })
})
