// What is configured wrongly is said, all of it and where an operator looks: at once where it can be known, else in
// the health or trace of the task that finds out.
import { spawn } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { get } from 'node:http'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { rootCertificates } from 'node:tls'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type LoadGenerator, startLoad } from '../chaos/load.ts'
import { startApacheKafka, type TestBroker } from '../support/kafka-broker.ts'
import { describeWith, ROOT } from '../support/needs.ts'
import { LOAD, type OutageStage, PARTITIONS, setOutageStage } from '../support/outage-stage.ts'
import { exitCode, until } from '../support/quickstart.ts'
import { ask, degraded, taskStates, traces } from '../support/worker-view.ts'

type Properties = Readonly<Record<string, string>>

let folder: string
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'mta-connect-wrong-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const write = (name: string, properties: Properties): string => {
  const file = path.join(folder, name)
  const lines = Object.entries(properties).map(([key, value]) => `${key}=${value}\n`)
  writeFileSync(file, lines.join(''))
  return file
}

/** Runs `connect-standalone` to its end. */
async function runStandalone(
  properties: Properties,
): Promise<{ readonly code: number | null; readonly errors: string }> {
  const entry = path.join(ROOT, 'dist/connector/cli/connect-standalone.js')
  const child = spawn(process.execPath, [entry, write('connect.properties', properties)], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let errors = ''
  child.stderr.on('data', (chunk: Buffer) => (errors += String(chunk)))
  return { code: await exitCode(child), errors }
}

const GOOD = {
  'bootstrap.servers': '127.0.0.1:1',
  listeners: 'http://127.0.0.1:0',
  'key.converter': 'org.apache.kafka.connect.storage.StringConverter',
  'value.converter': 'io.confluent.connect.avro.AvroConverter',
  'value.converter.schema.registry.url': 'http://127.0.0.1:1',
}

describe('connect.properties', () => {
  test('with many mistakes: one message names them all, and the code is 1', async () => {
    const { code, errors } = await runStandalone({
      ...GOOD,
      'offset.storage.file.filename': path.join(folder, 'offsets'),
      listeners: 'http://0.0.0.0:0',
      'key.converter': 'com.example.NoSuchConverter',
      'value.converter.schema.registry.url': 'ftp://registry',
      'value.converter.max.retries': 'often',
      'offset.flush.interval.ms': 'soon',
      'plugin.call.timeout.ms': '-1',
      'log.level': 'LOUD',
      'security.protocol': 'SECURE',
      'rest.extension.classes': 'NoSuchExtension',
    })
    expect(code).toBe(1)
    const lines = errors.trim().split('\n')
    for (const problem of [
      /Listener http:\/\/0\.0\.0\.0:0 can be reached from other machines .*listeners\.insecure=true/,
      /com\.example\.NoSuchConverter for configuration key\.converter/,
      /^value\.converter: Invalid value \[ftp:\/\/registry\] for configuration schema\.registry\.url/,
      /^value\.converter: Invalid value often for configuration max\.retries/,
      /soon for configuration offset\.flush\.interval\.ms/,
      /-1 for configuration plugin\.call\.timeout\.ms/,
      /LOUD for configuration log\.level/,
      /^security\.protocol: must be one of PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL/,
      /NoSuchExtension for configuration rest\.extension\.classes/,
    ]) {
      expect(lines.filter((line) => problem.test(line))).toHaveLength(1)
    }
    expect(lines).toHaveLength(9)
  }, 30_000)
})

describe('a worker that runs', () => {
  let stage: OutageStage
  let load: LoadGenerator
  let config: Properties
  beforeAll(async () => {
    stage = await setOutageStage()
    await Promise.all([stage.registry.start(), stage.broker.start(), stage.endpoint.start()])
    await stage.worker.start()
    load = await startLoad({
      bootstrapServers: stage.bootstrapServers,
      registryUrl: stage.registryUrl,
      topic: LOAD,
      partitions: PARTITIONS,
      recordsPerSecond: 20,
      recordsMax: 60,
      createTopic: false,
      random: Math.random,
    })
    const answer = await ask(`${stage.url}/connectors/outage-sink/config`)
    config = {
      ...(answer.json as Properties),
      topics: LOAD,
      'tasks.max': '1',
      'snowflake.streaming.missing.timeout.ms': '1500',
    }
  }, 60_000)
  afterAll(async () => {
    await load.stop()
    await stage.close()
  }, 30_000)

  test('a request whose Host header names another host is refused', async () => {
    const status = await new Promise((resolve, reject) => {
      const headers = { Host: 'evil.example' }
      get(`${stage.url}/connectors`, { headers }, (response) => {
        response.resume()
        resolve(response.statusCode)
      }).on('error', reject)
    })
    expect(status).toBe(400)
  })

  const put = (name: string, more: Properties) =>
    ask(`${stage.url}/connectors/${name}/config`, 'PUT', { ...config, name, ...more })

  test('a connector that cannot work is refused with 400 and every mistake', async () => {
    const { status, json } = await put('refused', {
      'snowflake.url.name': 'ftp://account.snowflakecomputing.com',
      'snowflake.database.name': '',
      'snowflake.private.key': 'no key',
      'snowflake.streaming.linger.ms': '-4',
      'tasks.max': 'many',
      'value.converter': 'io.confluent.connect.avro.AvroConverter',
      'value.converter.schema.registry.url': 'registry',
    })
    expect(status).toBe(400)
    const { message } = json as { message: string }
    for (const problem of [
      'ftp://account.snowflakecomputing.com for configuration snowflake.url.name: Expected https://, got ftp://',
      'configuration snowflake.database.name',
      'Expected exactly one of snowflake.private.key and snowflake.private.key.file',
      '-4 for configuration snowflake.streaming.linger.ms',
      'many for configuration tasks.max',
      'Invalid value [registry] for configuration schema.registry.url',
    ]) {
      expect(message).toContain(problem)
    }
    expect(message).not.toContain('no key')
    expect((await ask(`${stage.url}/connectors/refused`)).status).toBe(404)
  })

  test.each([
    ['wrong-key', /401 .*fingerprint/],
    ['wrong-user', /401 .*NOBODY/],
    ['no-database', /404 ERR_DATABASE_DOES_NOT_EXIST_OR_NOT_AUTHORIZED .*NOWHERE/],
  ] as const)(
    'a sink with a %s says so while it waits, and in its trace at last',
    async (name, reason) => {
      const pair = generateKeyPairSync('rsa', {
        modulusLength: 2048,
        privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
        publicKeyEncoding: { type: 'spki', format: 'pem' },
      })
      const otherKey = path.join(folder, 'other.p8')
      writeFileSync(otherKey, pair.privateKey)
      const mistake = {
        'wrong-key': { 'snowflake.private.key.file': otherKey, 'snowflake.schema.name': 'KEY' },
        'wrong-user': { 'snowflake.user.name': 'NOBODY', 'snowflake.schema.name': 'USER' },
        'no-database': {
          'snowflake.database.name': 'NOWHERE',
          'snowflake.autocreate.table.type': 'none',
        },
      }[name]
      expect((await put(name, mistake)).status).toBe(201)
      const said = await until('a task that is degraded', 30_000, async () =>
        (await degraded(stage.url)).find((text) => text.startsWith(name)),
      )
      expect(said).toMatch(reason)
      await until('a task that has failed', 30_000, async () =>
        (await taskStates(stage.url)).includes(`${name}-0: FAILED`) ? true : undefined,
      )
      expect((await traces(stage.url)).join('\n')).toMatch(reason)
      expect((await ask(`${stage.url}/connectors/${name}`, 'DELETE')).status).toBe(204)
    },
    60_000,
  )
})

describeWith(['kafka'], 'a Kafka with passwords and certificates', () => {
  let broker: TestBroker
  beforeAll(async () => {
    broker = await startApacheKafka(['--secure'])
  }, 120_000)
  afterAll(() => broker?.stop(), 30_000)

  const secure = (password: string, ca: string): Properties => ({
    'bootstrap.servers': broker.secureBootstrapServers,
    'security.protocol': 'SASL_SSL',
    'sasl.mechanism': 'PLAIN',
    'sasl.jaas.config': `org.apache.kafka.common.security.plain.PlainLoginModule required username="user" password="${password}";`,
    'ssl.truststore.type': 'PEM',
    'ssl.truststore.location': ca,
  })

  test.each([
    ['password', /authentication/i],
    ['certificate authority', /certificate/i],
  ])(
    'a wrong %s is named by every task',
    async (what, reason) => {
      const otherAuthority = path.join(folder, 'other-ca.pem')
      writeFileSync(otherAuthority, rootCertificates[0] ?? '')
      const worker =
        what === 'password' ? secure('wrong-secret', broker.ca) : secure('secret', otherAuthority)
      const prefixed = Object.fromEntries(
        ['', 'producer.', 'consumer.', 'admin.'].flatMap((prefix) =>
          Object.entries(worker).map(([key, value]) => [`${prefix}${key}`, value]),
        ),
      )
      const stage = await setOutageStage({ feeds: 'http://127.0.0.1:1', worker: prefixed })
      try {
        await stage.worker.start()
        const said = await until('a reason of every task', 60_000, async () => {
          const texts = [...(await degraded(stage.url)), ...(await traces(stage.url))]
          const own = texts.filter((text) => reason.test(text))
          return own.length >= PARTITIONS + 1 ? own : undefined
        })
        expect(said.join()).not.toContain('wrong-secret')
        expect((await ask(`${stage.url}/health`)).status).toBe(200)
      } finally {
        await stage.close()
      }
    },
    90_000,
  )
})
