import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { staticFiles } from '../../ui/live/static-files.ts'

interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: Buffer
}

let root = ''
let server: Server

beforeAll(async () => {
  root = mkdtempSync(path.join(os.tmpdir(), 'ui-files-'))
  mkdirSync(path.join(root, 'app/assets'), { recursive: true })
  mkdirSync(path.join(root, 'app-secret'))
  writeFileSync(path.join(root, 'app/index.html'), '<h1>page</h1>')
  writeFileSync(path.join(root, 'app/assets/x-1a2b.js'), 'export {}')
  writeFileSync(path.join(root, 'app/a b.json'), '{}')
  writeFileSync(path.join(root, 'secret.txt'), 'secret')
  writeFileSync(path.join(root, 'app-secret/secret.txt'), 'secret')
  const handler = staticFiles(path.join(root, 'app'), '/ui')
  server = createServer((incoming, response) => void handler(incoming, response))
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
})

afterAll(async () => {
  await new Promise((resolve) => server.close(resolve))
  rmSync(root, { recursive: true })
})

/** Sends the path as it stands: fetch would tidy it up. */
function get(
  target: string,
  options: { readonly method?: string; readonly headers?: Record<string, string> } = {},
): Promise<Answer> {
  const { port } = server.address() as AddressInfo
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, path: target, agent: false, ...options }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks),
        }),
      )
    })
      .on('error', reject)
      .end()
  })
}

const policy = async (host: string): Promise<string> =>
  String((await get('/ui/', { headers: { host } })).headers['content-security-policy'])

describe('staticFiles', () => {
  test('serves the page for its folder, and sends who forgot the slash there', async () => {
    expect(await get('/ui')).toMatchObject({ status: 308, headers: { location: '/ui/' } })
    const page = await get('/ui/?x=1')
    expect(page.body.toString()).toBe('<h1>page</h1>')
    expect(page.headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-cache',
      'x-content-type-options': 'nosniff',
    })
    expect((await get('/ui/a%20b.json')).body.toString()).toBe('{}')
  })

  test('lets browsers keep what has a hash in its name', async () => {
    const script = await get('/ui/assets/x-1a2b.js')
    expect(script.headers['cache-control']).toContain('immutable')
    expect(script.headers['content-type']).toContain('text/javascript')
  })

  test('compresses for who can read that', async () => {
    const page = await get('/ui/', { headers: { 'accept-encoding': 'br, gzip' } })
    expect(page.headers['content-encoding']).toBe('gzip')
    expect(gunzipSync(page.body).toString()).toBe('<h1>page</h1>')
  })

  test.each([
    '/ui/../secret.txt',
    '/ui/..%2fsecret.txt',
    '/ui/%2e%2e/secret.txt',
    '/ui/assets/../../secret.txt',
    '/ui/../app-secret/secret.txt',
    '/ui/..%5csecret.txt',
    '/ui//etc/passwd',
    '/ui/index.html%00.js',
    '/ui/%zz',
    '/ui/assets',
    '/ui/missing.js',
  ])('has nothing at %s', async (target) => {
    const { status, body } = await get(target)
    expect(status).toBe(404)
    expect(body.toString()).not.toContain('secret')
  })

  test('answers HEAD without a body and refuses to be written to', async () => {
    const head = await get('/ui/', { method: 'HEAD' })
    expect(head).toMatchObject({ status: 200, headers: { 'content-length': '13' } })
    expect(head.body).toHaveLength(0)
    const post = await get('/ui/', { method: 'POST' })
    expect(post).toMatchObject({ status: 405, headers: { allow: 'GET, HEAD' } })
  })

  test('lets the page load from its own origin only, whatever the request calls that', async () => {
    expect(await policy('localhost:8083')).toContain(
      "connect-src 'self' ws://localhost:8083 wss://localhost:8083;",
    )
    expect(await policy('[::1]:8083')).toContain('ws://[::1]:8083')
    expect(await policy("evil *; script-src 'unsafe-inline'")).not.toContain('evil')
    expect(await policy('*')).toContain('ws://localhost wss://localhost;')
    expect(await policy('x')).toContain("default-src 'none'")
  })
})
