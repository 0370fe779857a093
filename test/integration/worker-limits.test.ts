import { connect } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterEach, describe, expect, test } from 'vitest'
import { RetriableError } from '../../connector/api/errors.ts'
import { FakeClock, settled } from '../support/fake-clock.ts'
import { FakeKafka } from '../support/fake-kafka.ts'
import { Script } from '../support/test-plugins.ts'
import { SINK, SOURCE, startTestWorker, type TestWorker } from '../support/test-worker.ts'

let worker: TestWorker | undefined
afterEach(async () => {
  await worker?.stop()
  worker = undefined
})

const never = (): Promise<never> => new Promise(() => {})

describe('a plugin that never answers', () => {
  test('in start blocks neither its request for long, nor others, nor its own deletion', async () => {
    const clock = new FakeClock()
    const script = new Script()
    worker = await startTestWorker({
      clock,
      script,
      kafka: new FakeKafka({ topics: { t: 1 }, clock }),
    })
    script.onConnectorStart = never
    const { herder } = worker
    const created = herder.putConnectorConfig('src', SOURCE, { allowReplace: false })
    await settled()
    script.onConnectorStart = () => {}
    const other = herder.putConnectorConfig(
      'other',
      { ...SOURCE, name: 'other' },
      { allowReplace: false },
    )
    expect((await other).info.tasks).toHaveLength(1)
    await clock.advance(10_000)
    expect((await created).info.tasks).toEqual([])
    expect(herder.connectors()).toEqual(['other', 'src'])
    await clock.advance(20_000)
    expect(herder.connectorStatus('src').connector).toMatchObject({
      state: 'FAILED',
      trace: expect.stringContaining(
        'start of connector src did not finish within 30000 ms',
      ) as string,
    })
    const deleted = herder.deleteConnector('src')
    await clock.advance(5_000)
    await deleted
    expect(herder.connectors()).toEqual(['other'])
    const stopped = worker.stop()
    await clock.advance(60_000)
    await stopped
    worker = undefined
  })

  test('in put or stop does not keep the worker from answering, deleting and stopping', async () => {
    const script = new Script()
    script.onPut = never
    script.onTaskStop = never
    script.onConnectorStop = () => {}
    worker = await startTestWorker({ script })
    await worker.request('POST', '/connectors', { name: 'snk', config: SINK })
    await worker.request('POST', '/connectors', { name: 'src', config: SOURCE })
    await worker.eventually(() => script.calls.filter((call) => call === 'task start').length === 2)
    expect((await worker.request('GET', '/connectors/snk/status')).json.connector.state).toBe(
      'RUNNING',
    )
    expect((await worker.request('DELETE', '/connectors/snk')).status).toBe(204)
    expect((await worker.request('GET', '/connectors')).json).toEqual(['src'])
  })

  test('a start that fails shows its trace, and a restart of what failed tries again', async () => {
    const script = new Script()
    let isBroken = true
    script.onConnectorStart = () => {
      if (isBroken) throw new Error('wrong password')
    }
    worker = await startTestWorker({ script })
    const created = await worker.request('POST', '/connectors', { name: 'src', config: SOURCE })
    expect(created.status).toBe(201)
    const { json } = await worker.request('GET', '/connectors/src/status')
    expect(json.connector.state).toBe('FAILED')
    expect(json.connector.trace).toContain('wrong password')
    isBroken = false
    const restarted = await worker.request(
      'POST',
      '/connectors/src/restart?onlyFailed=true&includeTasks=true',
    )
    expect(restarted.status).toBe(202)
    expect(restarted.json.connector.state).toBe('RESTARTING')
    await worker.eventually(async () => {
      const status = await worker?.request('GET', '/connectors/src/status')
      return status?.json.connector.state === 'RUNNING' && status.json.tasks[0]?.state === 'RUNNING'
    })
  })

  test('a failed task is restarted alone', async () => {
    const script = new Script()
    script.onPoll = () => {
      throw new Error('poll broke')
    }
    worker = await startTestWorker({ script })
    const status = async () =>
      (await worker?.request('GET', '/connectors/src/tasks/0/status'))?.json
    await worker.request('POST', '/connectors', { name: 'src', config: SOURCE })
    await worker.eventually(async () => (await status()).state === 'FAILED')
    expect((await status()).trace).toContain('poll broke')
    script.onPoll = new Script().onPoll
    expect((await worker.request('POST', '/connectors/src/tasks/0/restart')).status).toBe(204)
    await worker.eventually(async () => (await status()).state === 'RUNNING')
    expect((await worker.request('POST', '/connectors/src/tasks/7/restart')).status).toBe(404)
  })
})

describe('a worker whose Kafka is down', () => {
  test('starts, answers, shows it in the tasks’ health, and works once Kafka is there', async () => {
    const kafka = new FakeKafka({ topics: { t: 1 } })
    kafka.faults.isDown = true
    worker = await startTestWorker({ kafka })
    await worker.request('POST', '/connectors', { name: 'snk', config: SINK })
    expect((await worker.request('GET', '/health')).status).toBe(200)
    expect((await worker.request('GET', '/')).json.kafka_cluster_id).toBeNull()
    await worker.eventually(() =>
      (worker?.herder.statuses()[0]?.tasks[0]?.health?.message ?? '').includes(
        'Connecting to Kafka',
      ),
    )
    const { text } = await worker.request('GET', '/metrics')
    expect(text).toContain('mta_connect_task_degraded{connector="snk",task="0"} 1')
    kafka.release()
    await worker.eventually(() => worker?.herder.statuses()[0]?.tasks[0]?.state === 'RUNNING')
    expect(worker.herder.statuses()[0]?.tasks[0]?.health).toBeNull()
  })
})

/** What comes back for a request written by hand. */
const raw = (url: string, text: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url)
    const socket = connect(Number(port), hostname, () => socket.write(text))
    let answer = ''
    socket.on('data', (chunk: Buffer) => (answer += chunk.toString()))
    socket.on('close', () => resolve(answer))
    socket.on('error', reject)
  })

describe('the HTTP side', () => {
  test('refuses a Host that is not this machine, on a loopback listener', async () => {
    worker = await startTestWorker()
    const answer = await raw(
      worker.url,
      'GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n',
    )
    expect(answer).toContain('400 Bad Request')
    const good = await raw(
      worker.url,
      'GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
    )
    expect(good).toContain('200 OK')
  })

  test('refuses changes by pages of other origins, and WebSockets too', async () => {
    worker = await startTestWorker()
    const { host } = new URL(worker.url)
    const post = (origin: string): Promise<string> =>
      raw(
        worker?.url ?? '',
        `POST /connectors/x/restart HTTP/1.1\r\nHost: ${host}\r\nOrigin: ${origin}\r\nConnection: close\r\n\r\n`,
      )
    expect(await post('http://evil.example')).toContain('403 Forbidden')
    expect(await post(`http://${host}`)).toContain('404 Not Found')
    const upgrade = `GET /ui/live HTTP/1.1\r\nHost: ${host}\r\nOrigin: null\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`
    expect(await raw(worker.url, upgrade)).toContain('403 Forbidden')
  })

  test('refuses bodies that are too large, also once decompressed', async () => {
    worker = await startTestWorker({ properties: { 'rest.request.body.max.bytes': '2000' } })
    const body = JSON.stringify({ name: 'x', config: { a: 'b'.repeat(5_000) } })
    expect((await worker.request('POST', '/connectors', body)).status).toBe(413)
    const zipped = await fetch(`${worker.url}/connectors`, {
      method: 'POST',
      body: gzipSync(body),
      headers: { 'Content-Type': 'application/json', 'Content-Encoding': 'gzip' },
    })
    expect(zipped.status).toBe(413)
  })

  test('does not start on a listener that others can reach without protection', async () => {
    const properties = { listeners: 'http://0.0.0.0:0' }
    await expect(startTestWorker({ properties })).rejects.toThrow('listeners.insecure=true')
    worker = await startTestWorker({ properties: { ...properties, 'listeners.insecure': 'true' } })
    expect((await worker.request('GET', '/health')).status).toBe(200)
  })

  test('names every problem of the properties in one message', async () => {
    const properties = {
      listeners: 'http://0.0.0.0:0',
      'offset.flush.interval.ms': 'soon',
      'security.protocol': 'NOPE',
    }
    await expect(startTestWorker({ properties })).rejects.toThrow(/soon[^]*security\.protocol/)
  })

  test('answers cross-origin requests as configured', async () => {
    worker = await startTestWorker({
      properties: {
        'access.control.allow.origin': 'http://ui.example',
        'access.control.allow.methods': 'GET,POST,PUT',
        'response.http.headers.config': 'set X-Foo: bar, add Cache-Control: no-store',
      },
    })
    const preflight = await fetch(`${worker.url}/connectors`, {
      method: 'OPTIONS',
      headers: { Origin: 'http://ui.example', 'Access-Control-Request-Method': 'PUT' },
    })
    expect(preflight.headers.get('access-control-allow-origin')).toBe('http://ui.example')
    expect(preflight.headers.get('access-control-allow-methods')).toBe('GET,POST,PUT')
    expect(preflight.headers.get('x-foo')).toBe('bar')
    expect(preflight.headers.get('cache-control')).toBe('no-store')
  })

  test('changes the level of the log', async () => {
    worker = await startTestWorker()
    const changed = await worker.request('PUT', '/admin/loggers/root', { level: 'debug' })
    expect(changed.json).toContain('root')
    expect((await worker.request('GET', '/admin/loggers')).json.root.level).toBe('DEBUG')
    expect((await worker.request('PUT', '/admin/loggers/root', { level: 'x' })).status).toBe(404)
    await worker.request('PUT', '/admin/loggers/root', { level: 'OFF' })
  })
})

describe('validation', () => {
  test('lists every key with its definition, value and errors', async () => {
    worker = await startTestWorker()
    const { json } = await worker.request('PUT', '/connector-plugins/TestSink/config/validate', {
      ...SINK,
      size: 11,
      'tasks.max': 'abc',
      'value.converter': 'Nope',
      topics: '',
      transforms: 'a',
      'consumer.override.max.poll.interval.ms': 'soon',
    })
    const errors = Object.fromEntries(
      (json.configs as { value: { name: string; errors: string[] } }[]).flatMap(({ value }) =>
        value.errors.length > 0 ? [[value.name, value.errors]] : [],
      ),
    )
    expect(errors).toMatchObject({
      size: ['Invalid value 11 for configuration size: Value must be no more than 10'],
      'tasks.max': [
        'Invalid value abc for configuration tasks.max: Not a number of type INT',
        'Invalid value null for configuration tasks.max: Value must be non-null',
      ],
      topics: ['Must configure one of topics or topics.regex'],
      'topics.regex': ['Must configure one of topics or topics.regex'],
      'value.converter': [expect.stringContaining('Class Nope could not be found.')],
      'transforms.a.type': [
        'Missing required configuration "transforms.a.type" which has no default value.',
      ],
      'consumer.override.max.poll.interval.ms': [expect.stringContaining('max.poll.interval.ms')],
    })
    expect(json.error_count).toBe(Object.values(errors).flat().length)
    expect(
      json.configs.find((info: { value: { name: string } }) => info.value.name === 'name')
        .definition,
    ).toMatchObject({
      name: 'name',
      order_in_group: 1,
      group: 'Common',
    })
  })

  test('refuses overrides that the policy does not allow', async () => {
    worker = await startTestWorker({
      properties: { 'connector.client.config.override.policy': 'Principal' },
    })
    const { status, json } = await worker.request('POST', '/connectors', {
      name: 'src',
      config: {
        ...SOURCE,
        'producer.override.acks': '1',
        'producer.override.sasl.mechanism': 'PLAIN',
      },
    })
    expect(status).toBe(400)
    expect(json.message).toContain(
      "The 'Principal' policy does not allow 'acks' to be overridden in the connector configuration.",
    )
    expect(json.message).toContain('1 error(s)')
  })
})

describe('config providers', () => {
  test('resolve for tasks and stay references over REST', async () => {
    worker = await startTestWorker()
    const { script } = worker
    let seen = ''
    script.onTaskStart = () => {
      seen = String(script.sinkTasks[0]?.taskContext.configs()['greeting'])
    }
    const config = { ...SINK, greeting: '${env:CONNECT_GREETING}' }
    await worker.request('POST', '/connectors', { name: 'snk', config })
    await worker.eventually(() => seen === 'good day')
    expect((await worker.request('GET', '/connectors/snk/config')).json.greeting).toBe(
      '${env:CONNECT_GREETING}',
    )
    expect((await worker.request('GET', '/connectors/snk/tasks')).json[0].config.greeting).toBe(
      '${env:CONNECT_GREETING}',
    )
  })
})

describe('task health', () => {
  test('is told to listeners as plugins report it', async () => {
    worker = await startTestWorker()
    const seen: (string | undefined)[] = []
    worker.herder.onStatus(({ tasks }) => seen.push(tasks[0]?.health?.message))
    worker.script.onPut = (_records, { taskContext }) =>
      taskContext.reportHealth({ state: 'DEGRADED', message: 'the endpoint throttles' })
    await worker.request('POST', '/connectors', { name: 'snk', config: SINK })
    await worker.eventually(() => seen.includes('the endpoint throttles'))
    expect(worker.herder.statuses()[0]?.tasks[0]?.state).toBe('RUNNING')
  })

  test('a RetriableError from put is no failure', async () => {
    worker = await startTestWorker()
    worker.script.onPut = () => {
      throw new RetriableError('throttled')
    }
    await worker.request('POST', '/connectors', { name: 'snk', config: SINK })
    await worker.eventually(
      () => worker?.herder.statuses()[0]?.tasks[0]?.health?.message.includes('throttled') === true,
    )
    expect(worker.herder.statuses()[0]?.tasks[0]?.state).toBe('RUNNING')
  })
})
