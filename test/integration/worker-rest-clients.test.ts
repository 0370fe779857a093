import { connect, type Socket } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { startTestWorker, type TestWorker } from '../support/test-worker.ts'

let worker: TestWorker | undefined
const sockets: Socket[] = []
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await worker?.stop()
  worker = undefined
})

/** Sends text on a connection of its own; resolves with all that comes until the server closes it. */
function say(url: string, text: string): Promise<string> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  sockets.push(socket)
  const chunks: Buffer[] = []
  socket.on('data', (chunk) => chunks.push(chunk))
  socket.write(text)
  return new Promise((resolve) => {
    const end = (): void => resolve(Buffer.concat(chunks).toString('utf8'))
    socket.on('end', end)
    socket.on('error', end) // Reset by the server: what came before is the answer.
    socket.on('close', end)
  })
}

const isHealthy = async (url: string): Promise<boolean> => (await fetch(`${url}/health`)).ok

describe('a client that is slow, big or many', () => {
  test('that does not end its headers or its body is answered 408 and let go, others are served', async () => {
    worker = await startTestWorker({
      properties: { 'rest.headers.timeout.ms': '300', 'rest.receive.timeout.ms': '600' },
    })
    const { url } = worker
    const host = `Host: ${new URL(url).host}\r\n`
    const slow = [
      say(url, `GET / HTTP/1.1\r\n${host}X-Slow: `),
      say(
        url,
        `POST /connectors HTTP/1.1\r\n${host}Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{"name"`,
      ),
    ]
    expect(await isHealthy(url)).toBe(true)
    const [headers = '', body = ''] = await Promise.all(slow)
    expect(headers).toMatch(/^HTTP\/1\.1 408 /)
    expect(body).toMatch(/^HTTP\/1\.1 (400|408) |^$/)
    expect(await isHealthy(url)).toBe(true)
  })

  test('with a body or headers beyond the limit is refused, compressed or not', async () => {
    worker = await startTestWorker({ properties: { 'rest.request.body.max.bytes': '2048' } })
    const { request, url } = worker
    const config = { 'connector.class': 'x'.repeat(3_000) }
    expect((await request('POST', '/connectors', { name: 'a', config })).status).toBe(413)
    const host = `Host: ${new URL(url).host}\r\n`
    const answer = await say(url, `GET / HTTP/1.1\r\n${host}X-Big: ${'y'.repeat(40_000)}\r\n\r\n`)
    expect(answer).toMatch(/^HTTP\/1\.1 431 /)
    expect((await request('GET', `/connectors/${'z'.repeat(9_000)}`)).status).toBe(414)
    expect(await isHealthy(url)).toBe(true)
  })

  test('with more connections than there may be does not take those of others', async () => {
    worker = await startTestWorker({ properties: { 'rest.connections.max': '4' } })
    const { eventually, url } = worker
    let closed = 0
    for (let i = 0; i < 20; i++) void say(url, '').then(() => closed++)
    await eventually(() => closed === 16)
    for (const socket of sockets.splice(0)) socket.destroy()
    await eventually(() => isHealthy(url).catch(() => false))
    expect(await isHealthy(url)).toBe(true)
  })
})
