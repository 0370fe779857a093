import { spawn } from 'node:child_process'
import { appendFile, cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startEmbeddedBroker, type TestBroker } from '../support/kafka-broker.ts'
import { ROOT } from '../support/needs.ts'

const WAIT_MS = 30_000
const SHOUT = `
import { ConfigDef, DataError, newRecord } from 'mta-connect/api'
import type { ConnectRecord, PluginDefinition, Props, Transformation } from 'mta-connect/api'

class Shout implements Transformation {
  configure(_config: Props): void {}
  config(): ConfigDef {
    return new ConfigDef({})
  }
  apply<R extends ConnectRecord>(record: R): R {
    if (record.value === 'bad') throw new DataError('This line is bad.')
    return newRecord(record, { value: String(record.value).toUpperCase() })
  }
}

export const plugins: readonly PluginDefinition[] = [
  { kind: 'transformation', className: 'com.example.Shout', version: '2.1', create: () => new Shout() },
]
`

interface Worker {
  readonly url: string
  readonly log: () => string
  stop(): Promise<void>
}

function startWorkerProcess(properties: string, cwd: string): Promise<Worker> {
  const script = path.join(ROOT, 'connector/cli/connect-standalone.ts')
  const tsx = path.join(ROOT, 'node_modules/tsx/dist/esm/index.mjs')
  const child = spawn(process.execPath, ['--import', tsx, script, properties], {
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let log = ''
  const stop = async (): Promise<void> => {
    const gone = new Promise((resolve) => {
      child.once('exit', resolve)
    })
    child.kill('SIGTERM')
    await gone
  }
  return new Promise((resolve, reject) => {
    const read = (chunk: Buffer): void => {
      log += chunk.toString()
      const ready = log.split('\n').find((line) => line.startsWith('{"url"'))
      if (ready === undefined) return
      resolve({ url: (JSON.parse(ready) as { url: string }).url, log: () => log, stop })
    }
    child.stdout.on('data', read)
    child.stderr.on('data', read)
    child.once('exit', (code) => reject(new Error(`The worker ended with ${code}: ${log}`)))
  })
}

describe('plugin.path', () => {
  let folder = ''
  let broker: TestBroker
  let worker: Worker
  const at = (name: string): string => path.join(folder, name)

  const request = async (method: string, resource: string, body?: unknown) => {
    const response = await fetch(worker.url + resource, {
      method,
      headers: { 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    return {
      status: response.status,
      json: (text === '' ? undefined : JSON.parse(text)) as unknown,
    }
  }
  const lines = async (): Promise<readonly string[]> =>
    (await readFile(at('out.txt'), 'utf8').catch(() => ''))
      .split('\n')
      .filter((line) => line !== '')
  const outReaches = async (count: number): Promise<readonly string[]> => {
    await expect.poll(lines, { timeout: WAIT_MS }).toHaveLength(count)
    return lines()
  }

  beforeAll(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'plugin-path-'))
    broker = await startEmbeddedBroker('lines:1')
    await cp(path.join(ROOT, 'test/plugins/file-stream'), at('plugins/file-stream'), {
      recursive: true,
    })
    await writeFile(at('plugins/shout.ts'), SHOUT)
    await writeFile(at('plugins/broken.mjs'), "throw new Error('Out of order')")
    await writeFile(
      at('plugins/twice.js'),
      "exports.plugins = [{ kind: 'transformation', className: 'com.example.Shout', create() {} }]",
    )
    const installed = at('node_modules/@example/upper')
    await mkdir(installed, { recursive: true })
    await writeFile(
      path.join(installed, 'package.json'),
      JSON.stringify({ name: '@example/upper', version: '3.0.1', main: './main.cjs' }),
    )
    await writeFile(
      path.join(installed, 'main.cjs'),
      "exports.plugins = [{ kind: 'predicate', className: 'com.example.Never', create: () => ({ configure() {}, test: () => false }) }]",
    )
    await writeFile(at('in.txt'), 'one\ntwo\r\n')
    await writeFile(
      at('connect.properties'),
      [
        `bootstrap.servers=${broker.bootstrapServers}`,
        'listeners=http://127.0.0.1:0',
        'key.converter=org.apache.kafka.connect.storage.StringConverter',
        'value.converter=org.apache.kafka.connect.storage.StringConverter',
        `offset.storage.file.filename=${at('offsets')}`,
        'offset.flush.interval.ms=200',
        'plugin.path=plugins, @example/upper, missing',
        'plugin.discovery=only_scan',
        '',
      ].join('\n'),
    )
    worker = await startWorkerProcess(at('connect.properties'), folder)
  }, 60_000)
  afterAll(async () => {
    await worker?.stop()
    await broker?.stop()
    await rm(folder, { recursive: true, force: true })
  })

  test('REST lists what the modules export, with the version of module or package', async () => {
    const { json } = await request('GET', '/connector-plugins?connectorsOnly=false')
    expect(json).toEqual(
      expect.arrayContaining([
        {
          class: 'org.apache.kafka.connect.file.FileStreamSourceConnector',
          type: 'source',
          version: '4.3.1',
        },
        {
          class: 'org.apache.kafka.connect.file.FileStreamSinkConnector',
          type: 'sink',
          version: '4.3.1',
        },
        { class: 'com.example.Shout', type: 'transformation', version: '2.1' },
        { class: 'com.example.Never', type: 'predicate', version: '3.0.1' },
      ]),
    )
  })

  test('what is broken, missing or there twice is named in the log and stops nothing', () => {
    const log = worker.log()
    expect(log).toContain('Out of order')
    expect(log).toContain('broken.mjs')
    expect(log).toContain('missing is neither a folder that exists nor an installed package.')
    expect(log).toContain('A plugin has the name of another one')
    expect(log).toContain('twice.js')
  })

  test('a file goes through Kafka into another file, and offsets can be read and altered', async () => {
    const source = {
      'connector.class': 'FileStreamSource',
      'tasks.max': '1',
      topic: 'lines',
      file: at('in.txt'),
      transforms: 'shout',
      'transforms.shout.type': 'com.example.Shout',
      'errors.tolerance': 'all',
    }
    const sink = {
      'connector.class': 'org.apache.kafka.connect.file.FileStreamSinkConnector',
      'tasks.max': '1',
      topics: 'lines',
      file: at('out.txt'),
    }
    expect(await request('PUT', '/connectors/reader/config', source)).toMatchObject({ status: 201 })
    expect(await request('PUT', '/connectors/writer/config', sink)).toMatchObject({ status: 201 })
    expect(await outReaches(2)).toEqual(['ONE', 'TWO'])
    // A DataError of the plugin is the worker's own class: the record is skipped, the task goes on.
    await appendFile(at('in.txt'), 'bad\nthree\nno end yet')
    expect(await outReaches(3)).toEqual(['ONE', 'TWO', 'THREE'])

    await request('PUT', '/connectors/reader/stop')
    const partition = { filename: at('in.txt') }
    const offsets = async () => (await request('GET', '/connectors/reader/offsets')).json
    await expect
      .poll(offsets, { timeout: WAIT_MS })
      .toEqual({ offsets: [{ partition, offset: { position: 19 } }] })
    const refused = await request('PATCH', '/connectors/reader/offsets', {
      offsets: [{ partition, offset: { position: -1 } }],
    })
    expect(refused.status).toBeGreaterThanOrEqual(400)
    const altered = await request('PATCH', '/connectors/reader/offsets', {
      offsets: [{ partition, offset: { position: 13 } }],
    })
    expect(altered.status).toBe(200)
    await request('PUT', '/connectors/reader/resume')
    expect(await outReaches(4)).toEqual(['ONE', 'TWO', 'THREE', 'THREE'])
  }, 60_000)
})
