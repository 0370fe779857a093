import { request as requestOverTls } from 'node:https'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { tlsOptions } from '../../../connector/rest/tls.ts'
import { BASIC_AUTH_EXTENSION } from '../../../connector/rest/basic-auth.ts'
import { SOURCE, startTestWorker, type TestWorker } from '../../support/test-worker.ts'

const TLS = path.resolve(import.meta.dirname, '../../fixtures/tls')

let folder = ''
let worker: TestWorker | undefined
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'secured-'))
})
afterEach(async () => {
  await worker?.stop()
  worker = undefined
  rmSync(folder, { recursive: true, force: true })
})

const basic = (user: string, password: string): string =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`

const start = (properties: Record<string, string>): Promise<TestWorker> =>
  startTestWorker({ properties })

/** The status that each path answers with. */
async function statuses(
  base: string,
  paths: readonly string[],
  authorization?: string,
): Promise<readonly number[]> {
  const answers = await Promise.all(
    paths.map((target) =>
      fetch(base + target, { headers: authorization === undefined ? {} : { authorization } }),
    ),
  )
  await Promise.all(answers.map((answer) => answer.text()))
  return answers.map(({ status }) => status)
}

const PATHS = ['/', '/health', '/metrics', '/connectors', '/admin/loggers', '/ui/']

describe('basic authentication', () => {
  test('asks for a user on every path, the page and its socket included', async () => {
    const file = path.join(folder, 'users.properties')
    writeFileSync(file, '# users\noperator=right\nother = se\\u0063ret\n')
    worker = await startTestWorker({
      properties: {
        'rest.extension.classes': `${BASIC_AUTH_EXTENSION},MtaUiExtension`,
        'rest.basic.auth.credentials.file': file,
        'ui.app.dir': folder,
      },
    })
    const { url } = worker
    const all = (status: number): readonly number[] => PATHS.map(() => status)
    expect(await statuses(url, PATHS)).toEqual(all(401))
    for (const wrong of [
      basic('operator', 'wrong'),
      basic('operator', ''),
      basic('nobody', 'right'),
      basic('', ''),
      'Bearer right',
      'Basic',
      'Basic %%%',
      `Basic ${Buffer.from('operator').toString('base64')}`,
    ]) {
      expect(await statuses(url, PATHS, wrong)).toEqual(all(401))
    }
    const right = basic('operator', 'right')
    expect((await statuses(url, PATHS.slice(0, -1), right)).every((status) => status === 200)).toBe(
      true,
    )
    expect(await statuses(url, ['/connectors'], basic('other', 'secret'))).toEqual([200])
    const refused = await fetch(`${url}/connectors`)
    expect(refused.headers.get('www-authenticate')).toBe('Basic realm="Kafka Connect"')
    expect(await refused.json()).toEqual({
      error_code: 401,
      message: 'User cannot access the resource.',
    })
    expect(await opens(`${url}/ui/live`)).toBe(false)
    expect(await opens(`${url}/ui/live`, right)).toBe(true)
  })

  test('takes a user whose password a config provider has, and leaves open what is named', async () => {
    writeFileSync(path.join(folder, 'secrets.properties'), 'rest=a:b')
    worker = await startTestWorker({
      properties: {
        'config.providers': 'file',
        'config.providers.file.class': 'org.apache.kafka.common.config.provider.FileConfigProvider',
        'rest.basic.auth.username': 'operator',
        'rest.basic.auth.password': `\${file:${path.join(folder, 'secrets.properties')}:rest}`,
        'rest.basic.auth.open.paths': '/health,/metrics',
      },
    })
    const { url } = worker
    expect(await statuses(url, ['/health', '/metrics', '/connectors'])).toEqual([200, 200, 401])
    expect(await statuses(url, ['/connectors'], basic('operator', 'a:b'))).toEqual([200])
  })

  test('is refused without users, and never says a password', async () => {
    await expect(start({ 'rest.extension.classes': BASIC_AUTH_EXTENSION })).rejects.toThrow(
      'Basic authentication needs users',
    )
    await expect(start({ 'rest.basic.auth.password': 'hunter2' })).rejects.toThrow(
      /^(?!.*hunter2).*rest\.basic\.auth\.username and .* belong together/s,
    )
    await expect(start({ 'rest.basic.auth.open.paths': '/connectors' })).rejects.toThrow(
      'Only /health and /metrics may be open',
    )
    const file = path.join(folder, 'users.properties')
    writeFileSync(file, 'a=\\u00zz hunter2')
    await expect(start({ 'rest.basic.auth.credentials.file': file })).rejects.toThrow(
      /^(?!.*hunter2).*cannot be read as properties/s,
    )
  })

  test('makes a listener beyond this machine safe enough', async () => {
    worker = await startTestWorker({
      properties: {
        listeners: 'http://0.0.0.0:0',
        'rest.basic.auth.username': 'operator',
        'rest.basic.auth.password': 'right',
      },
    })
    expect(await statuses(worker.url, ['/'])).toEqual([401])
  })
})

describe('admin.listeners', () => {
  test('moves /admin/loggers to a listener that has nothing else and asks for no user', async () => {
    worker = await startTestWorker({
      properties: {
        'admin.listeners': 'http://127.0.0.1:0',
        'rest.basic.auth.username': 'operator',
        'rest.basic.auth.password': 'right',
      },
    })
    const { adminUrl = '', url } = worker
    expect(await statuses(adminUrl, PATHS)).toEqual([404, 404, 404, 404, 200, 404])
    expect(await statuses(url, ['/admin/loggers'], basic('operator', 'right'))).toEqual([404])
  })

  test('empty, takes it away', async () => {
    worker = await startTestWorker({ properties: { 'admin.listeners': '' } })
    expect(await statuses(worker.url, ['/admin/loggers', '/admin/loggers/root', '/'])).toEqual([
      404, 404, 200,
    ])
  })
})

describe('rest.mask.passwords', () => {
  const config = {
    ...SOURCE,
    'producer.override.sasl.jaas.config':
      'org.apache.kafka.common.security.plain.PlainLoginModule required username="u" password="hunter2";',
    'x.password': '${env:CONNECT_GREETING}',
    'y.secret': 'hunter2',
  }

  test('hides passwords in every answer, shows references, and keeps what is sent back hidden', async () => {
    worker = await startTestWorker({ properties: { 'rest.mask.passwords': 'true' } })
    const { herder, request } = worker
    const created = await request('POST', '/connectors', { name: 'src', config })
    expect(created.status).toBe(201)
    const texts = [created.text]
    for (const target of ['', '/config', '/tasks', '?expand=info']) {
      const at = target.startsWith('?') ? `/connectors${target}` : `/connectors/src${target}`
      texts.push((await request('GET', at)).text)
    }
    const shown = await request('GET', '/connectors/src/config')
    expect(shown.json).toMatchObject({
      'y.secret': '[hidden]',
      'x.password': '${env:CONNECT_GREETING}',
    })
    const put = await request('PUT', '/connectors/src/config', { ...shown.json, greeting: 'new' })
    texts.push(put.text)
    texts.push((await request('PATCH', '/connectors/src/config', { 'tasks.max': '2' })).text)
    expect(texts.join()).not.toContain('hunter2')
    expect(await herder.connectorConfig('src')).toEqual({
      ...config,
      greeting: 'new',
      'tasks.max': '2',
    })
  })

  test('is off unless asked for, as in Kafka Connect', async () => {
    worker = await startTestWorker()
    await worker.request('POST', '/connectors', { name: 'src', config })
    expect((await worker.request('GET', '/connectors/src/config')).json).toEqual(config)
  })
})

describe('https', () => {
  const stores: readonly (readonly [string, Record<string, string>])[] = [
    ['PEM', { 'ssl.keystore.location': path.join(TLS, 'localhost.pem') }],
    [
      'PKCS12',
      {
        'listeners.https.ssl.keystore.location': path.join(TLS, 'localhost.p12'),
        'listeners.https.ssl.keystore.type': 'PKCS12',
        'listeners.https.ssl.keystore.password': 'changeit',
      },
    ],
  ]
  test.each(stores)('answers with a key store in %s', async (_type, properties) => {
    worker = await startTestWorker({
      properties: { listeners: 'https://127.0.0.1:0', ...properties },
    })
    expect(worker.url).toMatch(/^https:/)
    const ca = readFileSync(path.join(TLS, 'localhost-ca.pem'))
    expect(await statusOverTls(`${worker.url}/health`, { ca })).toBe(200)
    await expect(statusOverTls(`${worker.url}/health`, {})).rejects.toThrow('self-signed')
  })

  test('with ssl.client.auth=required only knows clients with a certificate of the trust store', async () => {
    const pem = path.join(TLS, 'localhost.pem')
    worker = await startTestWorker({
      properties: {
        listeners: 'https://127.0.0.1:0',
        'ssl.keystore.location': pem,
        'ssl.client.auth': 'required',
        'ssl.truststore.location': path.join(TLS, 'localhost-ca.pem'),
      },
    })
    const ca = readFileSync(path.join(TLS, 'localhost-ca.pem'))
    const own = readFileSync(pem)
    expect(await statusOverTls(worker.url, { ca, cert: own, key: own })).toBe(200)
    await expect(statusOverTls(worker.url, { ca })).rejects.toThrow(
      /certificate required|alert|reset|hang up/,
    )
  })

  test('refuses a JKS store with the command that converts it', () => {
    const file = path.join(folder, 'keystore')
    writeFileSync(file, Buffer.from([0xfe, 0xed, 0xfe, 0xed, 0, 0, 0, 2]))
    expect(() => tlsOptions({ 'ssl.keystore.location': file })).toThrow(
      `keytool -importkeystore -srckeystore ${file} -srcstoretype JKS -destkeystore ${file}.p12 -deststoretype PKCS12`,
    )
    expect(() => tlsOptions({})).toThrow('needs ssl.keystore.location')
    expect(() => tlsOptions({ 'ssl.keystore.location': path.join(folder, 'none') })).toThrow(
      'ssl.keystore.location',
    )
  })
})

/** Whether a WebSocket of the page is taken. */
function opens(url: string, authorization?: string): Promise<boolean> {
  const socket = new WebSocket(url.replace(/^http/, 'ws'), {
    headers: authorization === undefined ? {} : { authorization },
  })
  return new Promise((resolve) => {
    socket.on('open', () => {
      socket.close()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })
}

function statusOverTls(url: string, options: object): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const sent = requestOverTls(url, { ...options, agent: false }, (response) => {
      response.resume()
      response.on('end', () => resolve(response.statusCode))
    })
    sent.on('error', reject)
    sent.end()
  })
}
