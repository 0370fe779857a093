// The client over real sockets of this machine: every wait has its end.
import http from 'node:http'
import https from 'node:https'
import net, { type AddressInfo } from 'node:net'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { toMessage } from '../../../connector/api/errors.ts'
import { Password } from '../../../connector/api/password.ts'
import { makeCertificates } from '../../../connector/local/snowflake/tls/certificates.ts'
import { createHttpClient, TransportError } from '../../../connector/snowflake/http.ts'
import {
  HttpsTunnelAgent,
  type ProxySettings,
  usesProxy,
} from '../../../connector/snowflake/http-proxy.ts'

const { signal } = new AbortController()
const open: net.Server[] = []
const sockets = new Set<net.Socket>()

async function listen<T extends net.Server>(server: T): Promise<T> {
  server.on('connection', (socket: net.Socket) => {
    sockets.add(socket)
    // A client that is gone is not this test's matter.
    socket.on('error', () => {})
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  open.push(server)
  return server
}

const portOf = (server: net.Server): number => (server.address() as AddressInfo).port

function closeAll(): void {
  for (const socket of sockets) socket.destroy()
  for (const server of open.splice(0)) server.close()
  sockets.clear()
}
afterEach(closeAll)
afterAll(closeAll)

const get = (url: string, timeoutMs = 80) => ({
  method: 'GET' as const,
  url,
  headers: {},
  timeoutMs,
  signal,
})

describe('every wait is bounded', () => {
  const SERVERS: readonly (readonly [string, (socket: net.Socket) => void, string])[] = [
    ['never answers', () => {}, 'no answer within 80 ms'],
    [
      'drips bytes',
      (socket) => {
        socket.write('HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n')
        const timer = setInterval(() => socket.write('x'), 5)
        socket.on('close', () => clearInterval(timer))
      },
      'no answer within 80 ms',
    ],
    ['resets', (socket) => socket.resetAndDestroy(), 'ECONNRESET'],
    ['closes in the middle', (s) => s.end('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nab'), ''],
    ['speaks something else', (socket) => socket.end('hello\r\n\r\n'), ''],
  ]

  test.each(SERVERS)('a server that %s', async (_, onConnection, why) => {
    const server = await listen(net.createServer(onConnection))
    const client = createHttpClient(4)
    const error: unknown = await client
      .send(get(`http://127.0.0.1:${portOf(server)}/x`))
      .catch((failure: unknown) => failure)
    client.close()
    expect(error).toBeInstanceOf(TransportError)
    expect(toMessage(error)).toContain(why)
  })

  test('an answer without an end', async () => {
    const server = await listen(
      http.createServer((_, answer) => {
        const more = (): void => {
          while (answer.write(Buffer.alloc(65_536)));
        }
        answer.on('drain', more)
        more()
      }),
    )
    const client = createHttpClient(4)
    await expect(
      client.send(get(`http://127.0.0.1:${portOf(server)}/x`, 5_000)),
    ).rejects.toMatchObject({ cause: { message: 'the answer is larger than 4194304 bytes' } })
    client.close()
  })

  test('also for a request that waits for another one’s connection', async () => {
    const server = await listen(net.createServer(() => {}))
    const client = createHttpClient(1)
    const url = `http://127.0.0.1:${portOf(server)}/x`
    const both = await Promise.allSettled([client.send(get(url, 400)), client.send(get(url))])
    client.close()
    expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  })
})

const TLS = makeCertificates(['127.0.0.1'], Date.now())

const proxySettings = (port: number, more: Partial<ProxySettings> = {}): ProxySettings => ({
  host: '127.0.0.1',
  port,
  user: undefined,
  password: undefined,
  nonProxyHosts: '',
  ...more,
})

/** A proxy that opens tunnels for those who know the password, and notes where to. */
async function connectProxy(secret?: string) {
  const asked: string[] = []
  const server = http.createServer()
  server.on('connect', (request: http.IncomingMessage, socket: net.Socket) => {
    asked.push(request.url ?? '')
    const expected = secret && `Basic ${Buffer.from(secret).toString('base64')}`
    if (request.headers['proxy-authorization'] !== expected) {
      socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n')
      return
    }
    const target = net.connect(Number(request.url?.split(':')[1]), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
      target.pipe(socket).pipe(target)
    })
    target.on('error', () => socket.destroy())
  })
  await listen(server)
  return { asked, port: portOf(server) }
}

describe('through a proxy', () => {
  test('requests go in tunnels to the host, TLS and plain, one tunnel for several', async () => {
    const secure = await listen(
      https.createServer({ key: TLS.key, cert: TLS.cert }, (_, answer) => answer.end('secure')),
    )
    const plain = await listen(http.createServer((_, answer) => answer.end('plain')))
    const proxy = await connectProxy('mta:geheim')
    const settings = { user: 'mta', password: new Password('geheim') }
    const client = createHttpClient(4, proxySettings(proxy.port, settings))
    const answers: string[] = []
    for (const server of [secure, secure, plain]) {
      const scheme = server === plain ? 'http' : 'https'
      // oxlint-disable-next-line no-await-in-loop -- one after the other, so that the connection is used again
      const { body } = await client
        .send(get(`${scheme}://127.0.0.1:${portOf(server)}/`, 5_000))
        .catch((error: unknown) => ({ body: toMessage(error) }))
      answers.push(String(body))
    }
    client.close()
    // The host's certificate is checked inside the tunnel; nobody knows this one's authority.
    expect(answers[0]).toMatch(/certificate|self-signed|verify/)
    expect(answers[2]).toBe('plain')
    expect(new Set(proxy.asked)).toEqual(
      new Set([`127.0.0.1:${portOf(secure)}`, `127.0.0.1:${portOf(plain)}`]),
    )
  })

  test('TLS is with the host, whose certificate is good', async () => {
    const secure = await listen(
      https.createServer({ key: TLS.key, cert: TLS.cert }, (_, answer) => answer.end('secure')),
    )
    const proxy = await connectProxy()
    const agent = new HttpsTunnelAgent(proxySettings(proxy.port), { ca: TLS.ca, keepAlive: true })
    const text = (): Promise<string> =>
      new Promise((resolve, reject) => {
        https
          .get(`https://127.0.0.1:${portOf(secure)}/`, { agent }, (answer) => {
            answer.on('data', (chunk: Buffer) => resolve(chunk.toString()))
          })
          .on('error', reject)
      })
    expect(await text()).toBe('secure')
    expect(await text()).toBe('secure')
    agent.destroy()
    expect(proxy.asked.length).toBeLessThanOrEqual(2)
  })

  test('a refused password is said, and never the password', async () => {
    const proxy = await connectProxy('mta:right')
    const settings = { user: 'mta', password: new Password('wrong-secret') }
    const client = createHttpClient(4, proxySettings(proxy.port, settings))
    const error: unknown = await client
      .send(get('http://127.0.0.1:9/x', 5_000))
      .catch((failure: unknown) => failure)
    client.close()
    expect(toMessage(error)).toContain('wants another user and password: HTTP 407')
    expect(toMessage(error)).not.toContain('wrong-secret')
  })

  test.each([
    ['hangs', () => {}, 'no answer within 80 ms'],
    ['resets', (socket: net.Socket) => socket.resetAndDestroy(), 'cannot be reached'],
    ['closes', (socket: net.Socket) => socket.end(), 'closed the connection'],
    ['says no', (s: net.Socket) => s.end('HTTP/1.1 403 No\r\n\r\n'), 'refused: HTTP 403'],
    ['is none', (s: net.Socket) => s.end('SSH-2.0\r\n\r\n'), 'did not answer in HTTP'],
    ['rambles', (s: net.Socket) => s.write('x'.repeat(20_000)), 'over 16384 bytes'],
  ])('a proxy that %s', async (_, onConnection, why) => {
    const proxy = await listen(net.createServer(onConnection))
    const client = createHttpClient(4, proxySettings(portOf(proxy)))
    const error: unknown = await client
      .send(get('http://127.0.0.1:9/x'))
      .catch((failure: unknown) => failure)
    client.close()
    expect(error).toBeInstanceOf(TransportError)
    expect(toMessage(error)).toContain(why)
  })
})

test.each([
  ['localhost|127.*|[::1]', '127.0.0.1', false],
  ['localhost|127.*|[::1]', '[::1]', false],
  ['localhost|127.*|[::1]', 'acct.snowflakecomputing.com', true],
  ['*.SnowflakeComputing.com', 'acct.snowflakecomputing.com', false],
  ['*.internal*', 'a.internal.example', false],
  ['', '127.0.0.1', true],
])('of %s, %s goes through the proxy: %s', (nonProxyHosts, host, is) => {
  expect(usesProxy(proxySettings(1, { nonProxyHosts }), host)).toBe(is)
})
