import { afterEach, describe, expect, test } from 'vitest'
import { SINK, SOURCE, startTestWorker, type TestWorker } from '../support/test-worker.ts'
import { Script, scriptedPlugins, textRecord } from '../support/test-plugins.ts'

const never = (): Promise<never> => new Promise(() => {})
const LIMITS = {
  'task.call.timeout.ms': '250',
  'plugin.call.timeout.ms': '250',
  'task.shutdown.graceful.timeout.ms': '250',
  'offset.flush.timeout.ms': '250',
  'offset.flush.interval.ms': '50',
}

let worker: TestWorker | undefined
afterEach(async () => {
  await worker?.stop()
  worker = undefined
})

/** A worker with the connector `kind` that does as the script says, and beside it one that just works. */
async function startBoth(kind: 'source' | 'sink', script: Script): Promise<TestWorker> {
  const well = new Script()
  const plugins = [
    ...scriptedPlugins(script),
    ...scriptedPlugins(well).map((plugin) => ({
      ...plugin,
      className: plugin.className.replace('Test', 'Well'),
    })),
  ]
  worker = await startTestWorker({ script: well, plugins, properties: LIMITS })
  const config = kind === 'source' ? { ...SOURCE, name: 'bad' } : { ...SINK, name: 'bad' }
  await worker.request('POST', '/connectors', { name: 'bad', config })
  const { status } = await worker.request('POST', '/connectors', {
    name: 'well',
    config: { ...SINK, name: 'well', 'connector.class': 'test.WellSinkConnector' },
  })
  expect(status).toBe(201)
  return worker
}

const trace = async (of: TestWorker): Promise<string> => {
  const { json } = await of.request('GET', '/connectors/bad/status')
  return String(json.tasks[0]?.trace ?? json.connector.trace ?? '')
}
const state = async (of: TestWorker): Promise<string> => {
  const { json } = await of.request('GET', '/connectors/bad/status')
  return String(json.tasks[0]?.state ?? json.connector.state)
}

/** The other connector still gets what comes, the bad one can be deleted, and the worker stops. */
async function expectOthersGoOn(of: TestWorker): Promise<void> {
  of.kafka.cluster.append({ topic: 't', partition: 0, key: null, value: Buffer.from('later') })
  await of.eventually(() => of.script.put.some(({ value }) => value === 'later'))
  expect((await of.request('GET', '/')).status).toBe(200)
  expect((await of.request('DELETE', '/connectors/bad')).status).toBe(204)
  await of.stop()
  worker = undefined
}

describe('A plugin that never answers', () => {
  const failing: readonly [string, 'source' | 'sink', (script: Script) => void, string][] = [
    [
      'the connector’s start',
      'source',
      (s) => (s.onConnectorStart = never),
      'start of connector bad',
    ],
    ['start', 'source', (s) => (s.onTaskStart = never), 'start of task bad-0'],
    ['commit', 'source', (s) => (s.onCommit = never), 'commit of task bad-0'],
    ['start', 'sink', (s) => (s.onTaskStart = never), 'start of task bad-0'],
    ['open', 'sink', (s) => (s.onOpen = never), 'open of task bad-0'],
    ['put', 'sink', (s) => (s.onPut = never), 'put of task bad-0'],
  ]
  test.each(failing)('in %s of a %s fails, named, and all else goes on', async (...row) => {
    const [, kind, spoil, name] = row
    const script = new Script()
    spoil(script)
    if (kind === 'source') {
      let offset = 0
      script.onPoll = () => Promise.resolve(offset < 100 ? [textRecord('x', ++offset)] : [])
    }
    const both = await startBoth(kind, script)
    await both.eventually(async () => (await state(both)) === 'FAILED')
    expect(await trace(both)).toContain(`${name} did not finish within 250 ms`)
    await expectOthersGoOn(both)
  })

  const abandoned: readonly [string, 'source' | 'sink', (script: Script) => void][] = [
    ['poll', 'source', (s) => (s.onPoll = never)],
    ['stop', 'source', (s) => (s.onTaskStop = never)],
    ['the connector’s stop', 'source', (s) => (s.onConnectorStop = never)],
    ['stop', 'sink', (s) => (s.onTaskStop = never)],
    ['close', 'sink', (s) => (s.onClose = never)],
    ['preCommit', 'sink', (s) => (s.onPreCommit = never)],
  ]
  test.each(abandoned)(
    'in %s of a %s does not keep anything else from going on',
    async (...row) => {
      const [, kind, spoil] = row
      const script = new Script()
      spoil(script)
      const both = await startBoth(kind, script)
      await both.eventually(() => script.calls.includes('task start'))
      await expectOthersGoOn(both)
    },
  )

  test('in alterOffsets is an answer with its name', async () => {
    const script = new Script()
    const plugins = scriptedPlugins(script)
    worker = await startTestWorker({ script, plugins, properties: LIMITS })
    await worker.request('POST', '/connectors', {
      name: 'bad',
      config: { ...SOURCE, name: 'bad' },
      initial_state: 'STOPPED',
    })
    script.onAlterOffsets = never
    const { status, json } = await worker.request('DELETE', '/connectors/bad/offsets')
    expect(status).toBe(500)
    expect(json.message).toContain('alterOffsets of connector bad did not finish within 250 ms')
  })
})

const huge = (): object => ({ list: Array.from({ length: 100_000 }, (_, n) => ({ n })) })
const unreadable = (): Error =>
  Object.defineProperty(new Error('x'), 'message', {
    get: () => {
      throw new Error('no')
    },
  })
const withBaggage = (): Error => Object.assign(new Error('status 500'), { response: huge() })

describe('A plugin that throws', () => {
  const thrown: readonly [string, () => unknown, RegExp][] = [
    ['undefined', () => undefined, /threw something that is no usable error: undefined/],
    ['null', () => null, /no usable error: null/],
    ['a text', () => 'broken', /no usable error: 'broken'/],
    ['a huge object', huge, /no usable error: \{\s+list: \[/],
    [
      'a huge message',
      () => new Error('y'.repeat(10_000_000)),
      /no usable error: y+… \(100000\d\d /,
    ],
    ['an error that cannot be read', unreadable, /cannot be shown/],
    ['an error with a huge property', withBaggage, /^(?![^]*list)[^]*Error: status 500/],
  ]
  test.each(thrown)('%s fails with a trace that can be read', async (_name, what, shown) => {
    for (const callback of ['onTaskStart', 'onPut', 'onConnectorStart'] as const) {
      const script = new Script()
      script[callback] = () => {
        // What the test is about.
        // oxlint-disable-next-line typescript/only-throw-error
        throw what()
      }
      const both = await startBoth('sink', script)
      await both.eventually(async () => (await state(both)) === 'FAILED')
      const text = await trace(both)
      expect(text).toMatch(shown)
      expect(text.length).toBeLessThan(40_000)
      await expectOthersGoOn(both)
    }
  })
})
