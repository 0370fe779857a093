// Puts recorded questions to a worker of ours, in their order, and collects its answers.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import os from 'node:os'
import path from 'node:path'
import { BUILT_IN_PLUGINS } from '../../connector/cli/plugins.ts'
import { startWorker } from '../../connector/cli/start-worker.ts'
import { systemClock } from '../../connector/runtime/clock.ts'
import { createLogger } from '../../connector/runtime/logging.ts'
import { FakeKafka } from '../support/fake-kafka.ts'
import { fileStreamPlugins } from '../support/file-stream-plugins.ts'
import { isEqual } from './comparison.ts'
import type { Answer, Exchange } from './exchanges.ts'
import { CREDENTIALS, type WorkerOptions, workerOptions } from './worker-options.ts'

/** A recorded exchange and our answer to the same request. */
export interface Replayed {
  readonly exchange: Exchange
  readonly answer: Answer
}

/** The recorded worker's folder, as it is written in the exchanges. */
const DATA = '/data'
/** What reads later depends on work in the background; a difference counts when it is still there after so long. */
const SETTLE_MS = 1_500
const LOOK_MS = 15
const EVENTUAL = /\/(status|offsets|topics|tasks)\/?($|\?)|expand=/

/** Replays exchanges of one worker. Those of its admin listener go to ours. */
export async function replay(exchanges: readonly Exchange[]): Promise<readonly Replayed[]> {
  const options = workerOptions(exchanges[0]?.worker ?? '')
  const folder = mkdtempSync(path.join(os.tmpdir(), 'golden-'))
  writeFiles(folder, exchanges)
  const kafka = new FakeKafka({
    topics: Object.fromEntries(topicsOf(exchanges).map((topic) => [topic, 1])),
  })
  const worker = await startWorker({
    properties: properties(folder, options),
    connectors: [],
    plugins: [
      ...fileStreamPlugins(folder),
      // What else comes with this project is not in the recorded worker.
      ...BUILT_IN_PLUGINS.filter(({ className }) => className.startsWith('org.apache.kafka.')),
    ],
    clients: kafka,
    clock: systemClock,
    random: () => 0.5,
    environment: { HOME: '/root', LANG: 'C.UTF-8' },
    // Requests may raise its level: nothing is written all the same.
    log: createLogger('OFF', { write: () => {} }),
  })
  try {
    const replayed: Replayed[] = []
    for (const exchange of exchanges) {
      const isAdmin = exchange.worker.includes('(admin listener)')
      const url = isAdmin ? (worker.adminUrl ?? worker.url) : worker.url
      const ask = (): Promise<Answer> => send(url, exchange, folder)
      replayed.push({ exchange, answer: await settled(exchange, ask, kafka) })
    }
    return replayed
  } finally {
    await worker.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The answer; reads of states that change in the background are repeated until they are as recorded, or long enough. */
async function settled(
  exchange: Exchange,
  ask: () => Promise<Answer>,
  kafka: FakeKafka,
): Promise<Answer> {
  const end = systemClock.now() + SETTLE_MS
  let answer = await ask()
  if (exchange.method !== 'GET' || !EVENTUAL.test(exchange.path)) return answer
  let isWritten = false
  while (!isEqual(answer, exchange.answer) && systemClock.now() < end) {
    if (!isWritten && systemClock.now() > end - SETTLE_MS / 2) {
      isWritten = true
      writeInBetween(exchange, answer, kafka)
    }
    await systemClock.sleep(LOOK_MS)
    answer = await ask()
  }
  return answer
}

const used = (body: string): readonly string[] =>
  Object.values(JSON.parse(body) as Record<string, { topics: string[] }>).flatMap(
    ({ topics }) => topics,
  )

/** Between two requests the recording wrote to a sink's topics, of which only what the sink then used tells. */
function writeInBetween(
  { answer: expected, path: target }: Exchange,
  ours: Answer,
  kafka: FakeKafka,
): void {
  if (!/\/topics\/?$/.test(target) || expected.status !== 200 || ours.status !== 200) return
  const known = used(ours.body)
  for (const topic of used(expected.body).filter((name) => !known.includes(name))) {
    if (kafka.cluster.topics.has(topic)) kafka.cluster.append(line(topic))
  }
}

/** Sends a request as it was recorded: the path as it is, no header added. */
function send(url: string, exchange: Exchange, folder: string): Promise<Answer> {
  const { hostname, port } = new URL(url)
  const body = exchange.requestBody?.replaceAll(`${DATA}/`, `${folder}/`)
  const target = exchange.path.split('#')[0] ?? '/'
  const length = body === undefined ? {} : { 'Content-Length': Buffer.byteLength(body) }
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        hostname,
        port,
        method: exchange.method,
        path: target,
        headers: { ...exchange.requestHeaders, ...length },
      },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () => {
          const headers = Object.entries(response.headers).map(([name, value]) => [
            name,
            String(value),
          ])
          resolve({
            status: response.statusCode ?? 0,
            headers: Object.fromEntries(headers) as Record<string, string>,
            body: Buffer.concat(chunks).toString('utf8').replaceAll(`${folder}/`, `${DATA}/`),
          })
        })
      },
    )
    sent.on('error', reject)
    sent.end(body)
  })
}

const properties = (folder: string, options: WorkerOptions): Record<string, string> => ({
  listeners: 'http://127.0.0.1:0',
  'key.converter': 'org.apache.kafka.connect.json.JsonConverter',
  'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
  'offset.storage.file.filename': path.join(folder, 'connect.offsets'),
  'offset.flush.interval.ms': '100',
  'task.shutdown.graceful.timeout.ms': '500',
  ...options.properties,
  ...(options.hasBasicAuth && {
    'rest.basic.auth.credentials.file': path.join(folder, 'credentials.properties'),
  }),
})

/** The files that the recorded worker's connectors read: as long as the recorded positions say, in three lines. */
function writeFiles(folder: string, exchanges: readonly Exchange[]): void {
  const positions = new Map<string, number>()
  for (const { answer } of exchanges) {
    for (const [, file, position] of answer.body.matchAll(
      /"filename":"([^"/]+)"\},"offset":\{"position":(\d{1,6})\}/g,
    )) {
      if (file !== undefined && !positions.has(file)) positions.set(file, Number(position))
    }
  }
  mkdirSync(folder, { recursive: true })
  for (const [file, bytes] of positions) {
    const lines = ['one', 'two', ''].join('\n')
    writeFileSync(
      path.join(folder, file),
      `${lines}${'x'.repeat(Math.max(0, bytes - lines.length - 1))}\n`,
    )
  }
  writeFileSync(path.join(folder, 'secrets.properties'), 'topic=prov-topic\nfile=in-s.txt\n')
  writeFileSync(path.join(folder, 'credentials.properties'), CREDENTIALS)
}

/** Topics that configurations name: the recorded broker made them by itself. */
function topicsOf(exchanges: readonly Exchange[]): readonly string[] {
  const topics = new Set(['prov-topic'])
  for (const { requestBody = '' } of exchanges) {
    for (const [, names = ''] of requestBody.matchAll(/"topics?"\s*:\s*"([^"$]*)"/g)) {
      for (const name of names.split(',')) {
        if (/^[\w.-]+$/.test(name.trim())) topics.add(name.trim())
      }
    }
  }
  return [...topics]
}

/** A line as JsonConverter writes it, with its schema. */
const line = (topic: string) => ({
  topic,
  key: null,
  value: Buffer.from('{"schema":{"type":"string","optional":false},"payload":"more"}'),
})
