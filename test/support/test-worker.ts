import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { BUILT_IN_PLUGINS } from '../../connector/cli/plugins.ts'
import { type RunningWorker, startWorker } from '../../connector/cli/start-worker.ts'
import type { Clock } from '../../connector/api/clock.ts'
import { systemClock } from '../../connector/runtime/clock.ts'
import type { PluginDescriptor } from '../../connector/runtime/plugins.ts'
import { createLogger } from '../../connector/runtime/logging.ts'
import { FakeKafka } from './fake-kafka.ts'
import { Script, scriptedPlugins } from './test-plugins.ts'

/** A worker on a Kafka in memory, with the test's plugins. */
export interface TestWorker extends RunningWorker {
  readonly kafka: FakeKafka
  readonly script: Script
  readonly folder: string
  /** Calls the REST API; the body is sent as JSON. */
  readonly request: (method: string, path: string, body?: unknown) => Promise<Reply>
  /** Resolves once `check` holds; rejects after five seconds. */
  readonly eventually: (check: () => boolean | Promise<boolean>) => Promise<void>
}

export interface Reply {
  readonly status: number
  readonly headers: Headers
  readonly json: any // oxlint-disable-line typescript/no-explicit-any -- answers are compared as they come
  readonly text: string
}

export async function startTestWorker(
  options: {
    readonly properties?: Readonly<Record<string, string>>
    readonly kafka?: FakeKafka
    readonly script?: Script
    readonly clock?: Clock
    readonly folder?: string
    readonly plugins?: readonly PluginDescriptor[]
  } = {},
): Promise<TestWorker> {
  const kafka = options.kafka ?? new FakeKafka({ topics: { t: 2 } })
  const script = options.script ?? new Script()
  const folder = options.folder ?? mkdtempSync(path.join(os.tmpdir(), 'worker-'))
  const worker = await startWorker({
    properties: {
      listeners: 'http://127.0.0.1:0',
      'key.converter': 'org.apache.kafka.connect.storage.StringConverter',
      'value.converter': 'org.apache.kafka.connect.storage.StringConverter',
      'offset.storage.file.filename': path.join(folder, 'connect.offsets'),
      'offset.flush.interval.ms': '200',
      'task.shutdown.graceful.timeout.ms': '500',
      ...options.properties,
    },
    connectors: [],
    plugins: [...(options.plugins ?? scriptedPlugins(script)), ...BUILT_IN_PLUGINS],
    clients: kafka,
    clock: options.clock ?? systemClock,
    random: () => 0.5,
    environment: { CONNECT_GREETING: 'good day' },
    // Requests may raise its level: nothing is written all the same.
    log: createLogger('OFF', { write: () => {} }),
  })
  return {
    ...worker,
    kafka,
    script,
    folder,
    request: async (method, target, body) => {
      const response = await fetch(worker.url + target, {
        method,
        ...(body !== undefined && {
          body: typeof body === 'string' ? body : JSON.stringify(body),
          headers: { 'Content-Type': 'application/json' },
        }),
      })
      const text = await response.text()
      return {
        status: response.status,
        headers: response.headers,
        text,
        json:
          text.startsWith('{') || text.startsWith('[') ? (JSON.parse(text) as unknown) : undefined,
      }
    },
    eventually: async (check) => {
      for (let attempt = 0; attempt < 250; attempt++) {
        if (await check()) return
        await systemClock.sleep(20)
      }
      throw new Error('It did not happen within five seconds.')
    },
    stop: async () => {
      await worker.stop()
      if (options.folder === undefined) rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** A source connector's configuration. */
export const SOURCE = {
  name: 'src',
  'connector.class': 'test.TestSourceConnector',
  'tasks.max': '1',
} as const
/** A sink connector's configuration. */
export const SINK = {
  name: 'snk',
  'connector.class': 'test.TestSinkConnector',
  'tasks.max': '1',
  topics: 't',
} as const
