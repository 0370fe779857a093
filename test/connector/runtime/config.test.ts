import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ConfigProvider } from '../../../connector/api/config-provider.ts'
import { ConfigError } from '../../../connector/api/errors.ts'
import {
  DirectoryConfigProvider,
  EnvVarConfigProvider,
  FileConfigProvider,
} from '../../../connector/runtime/config-providers.ts'
import {
  ConfigTransformer,
  reverseTransform,
} from '../../../connector/runtime/config-transformer.ts'
import { checkSinkTopics } from '../../../connector/runtime/connector-config.ts'
import { parseWorkerConfig, unknownWorkerKeys } from '../../../connector/runtime/worker-config.ts'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'config-'))
  writeFileSync(path.join(folder, 'secrets.properties'), 'user=me\npassword=p\\u00e4ss:word\n')
  writeFileSync(path.join(folder, 'token'), 'abc')
})
afterAll(() => rmSync(folder, { recursive: true }))

function transformer(): ConfigTransformer {
  const env = new EnvVarConfigProvider({ CONNECT_A: 'a', CONNECT_EMPTY: '', SECRET: 's' })
  env.configure({ 'allowlist.pattern': 'CONNECT_.*' })
  return new ConfigTransformer(
    new Map<string, ConfigProvider>([
      ['env', env],
      ['file', new FileConfigProvider()],
      ['dir', new DirectoryConfigProvider()],
    ]),
  )
}

describe('ConfigTransformer', () => {
  test.each([
    ['${env:CONNECT_A}', 'a'],
    ['x ${env:CONNECT_A} y ${env:CONNECT_A}', 'x a y a'],
    ['${env:CONNECT_B:-http://localhost:8081}', 'http://localhost:8081'],
    ['${env:CONNECT_EMPTY:-d}', 'd'],
    ['${env:CONNECT_A:-d}', 'a'],
    ['${env:CONNECT_B:-}', ''],
    ['${env:CONNECT_B}', '${env:CONNECT_B}'],
    ['${nobody:a:b}', '${nobody:a:b}'],
    ['${env:SECRET:-d}', 'd'],
    ['${env:SECRET}', '${env:SECRET}'],
    ['no reference', 'no reference'],
    ['${broken', '${broken'],
  ])('%s', async (text, expected) => {
    expect(await transformer().resolve({ key: text })).toEqual({ key: expected })
  })

  test('reads properties files and folders', async () => {
    const props = {
      a: `\${file:${folder}/secrets.properties:password}`,
      b: `\${dir:${folder}:token}`,
    }
    expect(await transformer().resolve(props)).toEqual({ a: 'päss:word', b: 'abc' })
  })

  test('names the key when a provider fails, and keeps to allowed paths and plain file names', async () => {
    await expect(transformer().resolve({ secret: '${file:/nowhere/x:y}' })).rejects.toThrow(
      'Configuration secret refers to config provider file',
    )
    const bounded = new FileConfigProvider()
    bounded.configure({ 'allowed.paths': folder })
    await expect(bounded.get(`${folder}/../x`, ['y'])).rejects.toThrow('not within allowed.paths')
    await expect(new DirectoryConfigProvider().get(folder, ['../x'])).rejects.toThrow(ConfigError)
  })

  test('puts references back into task configurations', () => {
    const connector = { password: '${env:P}', topic: 't' }
    const resolved = { password: 'secret', topic: 't' }
    expect(
      reverseTransform({ password: 'secret', topic: 'u', n: 'secret' }, connector, resolved),
    ).toEqual({
      password: '${env:P}',
      topic: 'u',
      n: 'secret',
    })
  })
})

const WORKER = {
  'key.converter': 'x',
  'value.converter': 'x',
  'offset.storage.file.filename': 'f',
} as const

const parse = () =>
  parseWorkerConfig({
    'key.converter': 'x',
    'offset.flush.interval.ms': 'soon',
    listeners: 'localhost:8083',
    'config.providers': 'env',
  })

describe('parseWorkerConfig', () => {
  test('names every problem in one message', () => {
    expect(parse).toThrow(ConfigError)
    expect(parse).toThrow(
      /value\.converter[^]*offset\.storage\.file\.filename[^]*soon[^]*localhost:8083/,
    )
    expect(() => parseWorkerConfig({ ...WORKER, 'config.providers': 'env' })).toThrow(
      'Missing required configuration "config.providers.env.class"',
    )
  })

  test('has Kafka Connect’s defaults', () => {
    const config = parseWorkerConfig(WORKER)
    expect(config['offset.flush.interval.ms']).toBe(60_000)
    expect(config['task.shutdown.graceful.timeout.ms']).toBe(5_000)
    expect(config['bootstrap.servers']).toEqual(['localhost:9092'])
  })

  test('finds keys that nobody reads', () => {
    expect(
      unknownWorkerKeys({
        ...WORKER,
        'producer.acks': '1',
        'sasl.mechanism': 'PLAIN',
        'offset.flsh': '1',
      }),
    ).toEqual(['offset.flsh'])
  })
})

describe('checkSinkTopics', () => {
  test.each([
    [{}, 'Must configure one of topics or topics.regex'],
    [
      { topics: 'a', 'topics.regex': 'b' },
      'topics and topics.regex are mutually exclusive options, but both are set.',
    ],
  ])('%j', (props, message) => {
    expect([...checkSinkTopics(props)]).toEqual([
      ['topics', message],
      ['topics.regex', message],
    ])
  })

  test('refuses a dead-letter queue among the topics', () => {
    const queue = { 'errors.deadletterqueue.topic.name': 'dlq' }
    expect(checkSinkTopics({ topics: 'a,dlq', ...queue }).get('topics')).toContain('The DLQ topic')
    expect(checkSinkTopics({ 'topics.regex': 'd.*', ...queue }).get('topics.regex')).toContain(
      'DLQ',
    )
    expect(checkSinkTopics({ topics: 'a', ...queue }).size).toBe(0)
  })
})
