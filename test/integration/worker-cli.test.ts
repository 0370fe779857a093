import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readConnectorFile } from '../../connector/cli/connector-file.ts'
import { ROOT } from '../support/needs.ts'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'standalone-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

const write = (name: string, lines: readonly string[]): string => {
  const file = path.join(folder, name)
  writeFileSync(file, lines.join('\n'))
  return file
}

/** Runs `connect-standalone`; `onReady` gets the first line of standard output. */
function run(
  files: readonly string[],
  onReady: (line: string, stop: (signal: NodeJS.Signals) => void) => void = () => {},
): Promise<{ readonly code: number | null; readonly errors: string }> {
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', path.join(ROOT, 'connector/cli/connect-standalone.ts'), ...files],
    {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, KAFKA_SERVERS: '127.0.0.1:1' },
    },
  )
  let errors = ''
  let output = ''
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()))
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString()
    const line = output.split('\n').find((text) => text.startsWith('{"url"'))
    if (line === undefined) return
    output = ''
    onReady(line, (signal) => child.kill(signal))
  })
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, errors })))
}

const GOOD = [
  'bootstrap.servers=${env:KAFKA_SERVERS}',
  'listeners=http://127.0.0.1:0',
  'key.converter=org.apache.kafka.connect.storage.StringConverter',
  'value.converter=org.apache.kafka.connect.storage.StringConverter',
]

describe('connect-standalone', () => {
  test('starts without a Kafka, and ends with code 0 on SIGTERM', async () => {
    const file = write('good.properties', [
      ...GOOD,
      `offset.storage.file.filename=${folder}/offsets`,
    ])
    let ready = ''
    const { code } = await run([file], (line, stop) => {
      ready = line
      stop('SIGTERM')
    })
    expect(JSON.parse(ready)).toEqual({
      url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/) as string,
      workerId: expect.stringMatching(/^127\.0\.0\.1:\d+$/) as string,
    })
    expect(code).toBe(0)
  })

  test('ends with code 1 and one message that names every problem', async () => {
    const file = write('bad.properties', [
      'listeners=8083',
      'offset.flush.timeout.ms=x',
      'key.converter=a',
    ])
    const { code, errors } = await run([file])
    expect(code).toBe(1)
    for (const problem of [
      '8083',
      'offset.flush.timeout.ms',
      'value.converter',
      'offset.storage.file',
    ]) {
      expect(errors).toContain(problem)
    }
  })

  test('ends with code 1 when a connector’s file is wrong, naming it', async () => {
    const worker = write('worker.properties', [
      ...GOOD,
      `offset.storage.file.filename=${folder}/o2`,
    ])
    const connector = write('mta.properties', ['name=mta', 'connector.class=Nope'])
    const { code, errors } = await run([worker, connector])
    expect(code).toBe(1)
    expect(errors).toContain('Connector mta: ')
    expect(errors).toContain('which name matches Nope')
  })
})

describe('readConnectorFile', () => {
  test('reads a request, a flat map and properties', () => {
    const config = { name: 'a', 'tasks.max': '2' }
    expect(
      readConnectorFile('f', '{"name":"a","config":{"tasks.max":2},"initial_state":"paused"}'),
    ).toEqual({
      name: 'a',
      config,
      targetState: 'PAUSED',
    })
    expect(readConnectorFile('f', '{"name":"a","tasks.max":2}')).toEqual({ name: 'a', config })
    expect(readConnectorFile('f', 'name=a\ntasks.max=2')).toEqual({ name: 'a', config })
  })

  test('names the file that has no name in it', () => {
    expect(() => readConnectorFile('/etc/x.properties', 'tasks.max=2')).toThrow(
      '/etc/x.properties: Missing required configuration "name"',
    )
  })
})
