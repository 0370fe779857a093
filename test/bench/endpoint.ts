// Rows of 30 columns into the local Snowflake, as fast as it takes them: what is committed a second, what it costs, and
// that its memory stays bounded under senders that never pause. The endpoint is a process of its own, with files on disk.
import { type ChildProcess, fork, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { ROOT } from '../support/needs.ts'
import { connectDriver, type Driver } from '../support/snowflake-driver.ts'
import { makeKey, type TestKey } from '../support/snowflake-keys.ts'
import { StreamingClient } from '../support/streaming-client.ts'
import { processFigures } from './process-figures.ts'

const ROWS_PER_BODY = 5_000
const ROWS = 240_000
const CHANNELS = [1, 4, 16]
const SAMPLE_MS = 100
/** What the prototype behind the protocol's notes took. */
const REFERENCE_MICROSECONDS = 22
const LIMIT_MS = 240_000

interface Stage {
  readonly child: ChildProcess
  readonly url: string
  readonly key: TestKey
  readonly driver: Driver
  close(): Promise<void>
}

interface Result {
  readonly seconds: number
  readonly cpuSeconds: number
  readonly peakMb: number
  readonly throttled: number
}

const COLUMNS = [
  'ID BIGINT',
  ...Array.from({ length: 8 }, (_, n) => `S${n} STRING`),
  ...Array.from({ length: 8 }, (_, n) => `I${n} INT`),
  ...Array.from({ length: 6 }, (_, n) => `F${n} DOUBLE`),
  ...Array.from({ length: 3 }, (_, n) => `T${n} TIMESTAMP_NTZ(6)`),
  ...Array.from({ length: 2 }, (_, n) => `B${n} BOOLEAN`),
  'M NUMBER(10,2)',
  'D DATE',
]

function row(id: number): string {
  const entries: [string, unknown][] = [['ID', id]]
  for (let n = 0; n < 8; n++) entries.push([`S${n}`, `value ${(id * 7 + n) % 9_973}`])
  for (let n = 0; n < 8; n++) entries.push([`I${n}`, (id * 31 + n) % 1_000_003])
  for (let n = 0; n < 6; n++) entries.push([`F${n}`, 40.7 + ((id * 13 + n) % 9_999) / 1e5])
  for (let n = 0; n < 3; n++)
    entries.push([`T${n}`, new Date(1_700_000_000_000 + id * 1_000 + n).toISOString().slice(0, -1)])
  for (let n = 0; n < 2; n++) entries.push([`B${n}`, (id + n) % 2 === 0])
  entries.push(['M', `${id % 1_000}.25`], ['D', '2026-11-23'])
  return `${JSON.stringify(Object.fromEntries(entries))}\n`
}

/** As the official SDKs send it where there is a zstd to make it with, else gzip. */
function pack(text: string): {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly encoding: string
  readonly unpackedBytes: number
} {
  const zstd = spawnSync('zstd', ['-3', '-c'], { input: text, maxBuffer: 64 * 1_024 * 1_024 })
  return zstd.status === 0
    ? { bytes: new Uint8Array(zstd.stdout), encoding: 'zstd', unpackedBytes: text.length }
    : { bytes: new Uint8Array(gzipSync(text)), encoding: 'gzip', unpackedBytes: text.length }
}

async function setUp(): Promise<Stage> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'bench-endpoint-'))
  const key = makeKey()
  const keyFile = path.join(folder, 'key.pub')
  await writeFile(keyFile, key.publicKeyPem)
  const data = ['--data-dir', path.join(folder, 'warehouse'), '--user', 'BENCH']
  const child = fork(
    path.join(ROOT, 'connector/cli/snowflake-local.ts'),
    [...data, '--public-key', keyFile, '--port', '0', '--admin-port', '0', '--no-limits'],
    { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] },
  )
  const [message] = (await once(child, 'message')) as [
    { readonly ready?: { readonly url: string }; readonly failed?: string },
  ]
  if (message.ready === undefined) throw new Error(message.failed ?? 'The endpoint did not start.')
  const { url } = message.ready
  const driver = await connectDriver({ url, user: 'BENCH', privateKeyPem: key.privateKeyPem })
  await driver.execute('CREATE DATABASE DB')
  await driver.execute('CREATE SCHEMA S')
  return {
    child,
    url,
    key,
    driver,
    close: async () => {
      await driver.close()
      child.send({ stop: true })
      await once(child, 'exit')
      await rm(folder, { recursive: true })
    },
  }
}

/** Sends so many bodies, the same one again whenever it is told to wait; resolves to how often that was. */
async function send(
  client: StreamingClient,
  channel: string,
  body: ReturnType<typeof pack>,
  bodies: number,
): Promise<number> {
  const opened = await client.open(channel)
  let token = String(opened.body['next_continuation_token'])
  let throttled = 0
  for (let n = 0; n < bodies; ) {
    const answer = await client.append({
      channel,
      token,
      rows: body.bytes,
      start: String(n),
      end: String(n),
      headers: {
        'content-encoding': body.encoding,
        'x-snowflake-uncompressed-content-length': String(body.unpackedBytes),
      },
    })
    if (answer.status === 200) {
      token = String(answer.body['next_continuation_token'])
      n++
    } else if (answer.status === 429) {
      throttled++
      await sleep(50)
    } else throw new Error(`${answer.status} ${answer.text}`)
  }
  return throttled
}

async function committed(
  client: StreamingClient,
  names: readonly string[],
  end: string,
): Promise<void> {
  const beganMs = Date.now()
  while (Date.now() - beganMs < LIMIT_MS) {
    const { body } = await client.status(...names)
    const statuses = Object.values(
      body['channel_statuses'] as Record<string, Record<string, unknown>>,
    )
    if (statuses.every((status) => status['last_committed_offset_token'] === end)) return
    await sleep(20)
  }
  throw new Error(`Not committed within ${LIMIT_MS} ms.`)
}

async function measure(
  stage: Stage,
  channels: number,
  body: ReturnType<typeof pack>,
): Promise<Result> {
  const table = `T${channels}`
  await stage.driver.execute(`CREATE ICEBERG TABLE ${table} (${COLUMNS.join(', ')})`)
  const client = new StreamingClient({
    url: stage.url,
    path: { database: 'DB', schema: 'S', pipe: `${table}-STREAMING` },
    key: stage.key,
    user: 'BENCH',
    nowMs: Date.now(),
  })
  await client.authenticate()
  const pid = stage.child.pid ?? 0
  let peakMb = 0
  const sampling = setInterval(() => {
    peakMb = Math.max(peakMb, processFigures(pid)?.residentMb ?? 0)
  }, SAMPLE_MS)
  const cpu = (): number => processFigures(pid)?.cpuSeconds ?? 0
  const before = cpu()
  const beganMs = performance.now()
  const bodies = ROWS / ROWS_PER_BODY / channels
  const names = Array.from({ length: channels }, (_, index) => `c${index}`)
  try {
    const throttled = await Promise.all(names.map((name) => send(client, name, body, bodies)))
    await committed(client, names, String(bodies - 1))
    const seconds = (performance.now() - beganMs) / 1_000
    const [counted] = await stage.driver.execute(`SELECT COUNT(*) AS N FROM ${table}`)
    if (counted?.['N'] !== ROWS) throw new Error(`${String(counted?.['N'])} rows, not ${ROWS}.`)
    return {
      seconds,
      cpuSeconds: cpu() - before,
      peakMb,
      throttled: throttled.reduce((sum, times) => sum + times, 0),
    }
  } finally {
    clearInterval(sampling)
  }
}

/** `npm run bench -- endpoint`. */
export async function runEndpointBench(say: (text: string) => void): Promise<void> {
  const stage = await setUp()
  try {
    const text = Array.from({ length: ROWS_PER_BODY }, (_, id) => row(id)).join('')
    const body = pack(text)
    say(
      `${ROWS} rows of ${COLUMNS.length} columns, ${Math.round(text.length / ROWS_PER_BODY)} bytes each, ${ROWS_PER_BODY} a request, ${body.encoding}; senders never pause`,
    )
    say('channels   rows/s   CPU us/row   of the reference   CPU s   peak MB   throttled')
    await measure(stage, 2, body)
    for (const channels of CHANNELS) {
      const { seconds, cpuSeconds, peakMb, throttled } = await measure(stage, channels, body)
      const microseconds = (cpuSeconds / ROWS) * 1e6
      say(
        [
          String(channels).padStart(8),
          String(Math.round(ROWS / seconds)).padStart(8),
          microseconds.toFixed(1).padStart(12),
          `${((microseconds / REFERENCE_MICROSECONDS) * 100).toFixed(0)} %`.padStart(18),
          cpuSeconds.toFixed(1).padStart(7),
          peakMb.toFixed(0).padStart(9),
          String(throttled).padStart(11),
        ].join(' '),
      )
    }
  } finally {
    await stage.close()
  }
}
