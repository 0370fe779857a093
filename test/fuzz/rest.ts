// npm run fuzz -- rest: requests that no client should send, against a worker with running connectors. It may refuse them all, but
// must answer each in time, with JSON errors, with no 500 that Kafka Connect does not give for such a request, and go on working.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { FakeKafka } from '../support/fake-kafka.ts'
import { fileStreamPlugins } from '../support/file-stream-plugins.ts'
import { startTestWorker, type TestWorker } from '../support/test-worker.ts'
import { type FuzzRequest, RequestMaker } from './rest-requests.ts'
import type { FuzzResult, FuzzRun } from './run.ts'

const ANSWER_LIMIT_MS = 15_000
const AT_A_TIME = 8
const SHOWN_MAX = 20

/** What Kafka Connect 4.3.1, too, answers with 500: bodies that it cannot read, offsets that a connector or Kafka refuses, what standalone mode has not. */
const KNOWN_500 =
  /^(The request body is not JSON|Cannot deserialize|Cannot construct initial_state|Kafka Connect in standalone mode does not|Failed to (modify|alter)|The value for the 'position'|Partition objects should|Offset objects should|Offsets may only contain)/

interface Reply {
  readonly status: number
  readonly body: string
}

/** Sends requests and counts the answers that break a rule. */
export async function fuzzRest({ cases, say, seed }: FuzzRun): Promise<FuzzResult> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'fuzz-rest-'))
  writeFileSync(path.join(folder, 'in.txt'), 'one\ntwo\n')
  const worker = await startTestWorker({
    kafka: new FakeKafka({ topics: { t: 1 } }),
    plugins: fileStreamPlugins(folder),
  })
  const crashes: unknown[] = []
  const onCrash = (error: unknown): void => void crashes.push(error)
  process.on('unhandledRejection', onCrash)
  process.on('uncaughtException', onCrash)
  try {
    await keepers(worker)
    const broken: string[] = []
    const statuses = new Map<number, number>()
    const maker = new RequestMaker(seed)
    let sent = 0
    const send = async (): Promise<void> => {
      while (sent < cases) {
        sent++
        const made = maker.next()
        const reply = await ask(worker.url, made)
        statuses.set(reply.status, (statuses.get(reply.status) ?? 0) + 1)
        const problem = judge(made, reply)
        if (problem !== undefined) {
          broken.push(`${problem}: ${shown(made)} -> ${reply.status} ${reply.body.slice(0, 300)}`)
        }
      }
    }
    await Promise.all(Array.from({ length: AT_A_TIME }, send))
    broken.push(...crashes.map((error) => `unhandled: ${String(error)}`))
    if (!(await isAlive(worker)))
      broken.push('the connectors that nobody touched are not as before')
    for (const text of broken.slice(0, SHOWN_MAX)) say(text)
    const counts = [...statuses].sort(([a], [b]) => a - b).map(([status, n]) => `${status}: ${n}`)
    return {
      summary: `fuzz rest: ${cases} requests, ${broken.length} rules broken, answers ${counts.join(', ')}`,
      violations: broken.length,
    }
  } finally {
    process.off('unhandledRejection', onCrash)
    process.off('uncaughtException', onCrash)
    await worker.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

const KEEPERS = ['keeper-source', 'keeper-sink']

/** Two connectors whose names no request has; they must run all the time. */
async function keepers({ eventually, herder, request }: TestWorker): Promise<void> {
  const source = { 'connector.class': 'FileStreamSource', file: 'in.txt', topic: 't' }
  const sink = { 'connector.class': 'FileStreamSink', topics: 't' }
  await request('POST', '/connectors', { name: KEEPERS[0], config: source })
  await request('POST', '/connectors', { name: KEEPERS[1], config: sink })
  await eventually(() => KEEPERS.every((name) => isRunning(herder, name)))
}

const isRunning = (herder: TestWorker['herder'], name: string): boolean =>
  herder
    .statuses()
    .some(
      (status) => status.name === name && status.state === 'RUNNING' && status.tasks.length === 1,
    )

async function isAlive({ herder, request }: TestWorker): Promise<boolean> {
  const { status } = await request('GET', '/health')
  return status === 200 && KEEPERS.every((name) => isRunning(herder, name))
}

function judge({ method }: FuzzRequest, { body, status }: Reply): string | undefined {
  if (status === 0) return 'no answer in time'
  if (status < 100 || status > 599) return 'no status'
  if (status < 400 || body === '' || method === 'HEAD') return undefined
  let json: { readonly error_code?: unknown; readonly message?: unknown }
  try {
    json = JSON.parse(body) as typeof json
  } catch {
    return 'an error that is no JSON'
  }
  if (json.error_code !== status || typeof json.message !== 'string')
    return 'an error without its fields'
  return status >= 500 && !KNOWN_500.test(json.message) ? 'a 500 that nobody knows' : undefined
}

const shown = ({ body, headers, method, path: target }: FuzzRequest): string =>
  `${method} ${target.slice(0, 200)} ${JSON.stringify(headers).slice(0, 200)} ${body?.toString('utf8').slice(0, 300) ?? ''}`

/** One request on a connection of its own, byte for byte. Status 0: there was no answer in time. */
function ask(url: string, { body, headers, method, path: target }: FuzzRequest): Promise<Reply> {
  const { hostname, port } = new URL(url)
  const lines = [
    `${method} ${target} HTTP/1.1`,
    `Host: ${hostname}:${port}`,
    'Connection: close',
    ...(body === undefined ? [] : [`Content-Length: ${body.length}`]),
    ...headers.map(([name, value]) => `${name}: ${value}`),
  ]
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname)
    const chunks: Buffer[] = []
    const end = (): void => {
      clearTimeout(limit)
      socket.destroy()
      resolve(parsed(Buffer.concat(chunks).toString('utf8')))
    }
    const limit = setTimeout(end, ANSWER_LIMIT_MS)
    socket.on('data', (chunk) => chunks.push(chunk))
    socket.on('end', end)
    socket.on('error', end) // A connection that the server cut after its answer.
    socket.write(`${lines.join('\r\n')}\r\n\r\n`)
    if (body !== undefined) socket.write(body)
  })
}

function parsed(text: string): Reply {
  const final = text.replace(/^HTTP\/1\.1 100 .*?\r\n\r\n/s, '')
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(final)?.[1] ?? 0)
  const [head = '', ...rest] = final.split('\r\n\r\n')
  const body = rest.join('\r\n\r\n')
  const isChunked = /transfer-encoding: chunked/i.test(head)
  return { status, body: isChunked ? body.replaceAll(/(^|\r\n)[0-9a-f]+\r\n/gi, '') : body }
}
