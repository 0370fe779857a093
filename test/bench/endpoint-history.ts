// What a commit costs after many others: rows sent over HTTP into one table of the local Snowflake, each request one
// commit, with the commit timer driven by hand. Time jumps wherever the endpoint would wait, so that ten thousand commits are
// hours of the table's life: files become old enough to be deleted as they would.
//   npm run bench -- endpoint-history [--commits 10000] [--rows 1000] [--svg FILE]
import { readdirSync, statSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import type { Clock } from '../../connector/api/clock.ts'
import { startLocalSnowflake } from '../../connector/local/snowflake/server.ts'
import { connectDriver } from '../support/snowflake-driver.ts'
import { makeKey } from '../support/snowflake-keys.ts'
import { StreamingClient } from '../support/streaming-client.ts'

const WINDOWS = 20
const PLOT_WIDTH = 50
const TOKEN_TTL_MS = 1_000_000_000

/** What a stretch of commits took, and what the table looked like after it. */
export interface Window {
  readonly commits: number
  readonly rows: number
  readonly msPerCommit: number
  readonly cpuMsPerCommit: number
  readonly liveFiles: number
  readonly metadataKb: number
  readonly filesOnDisk: number
  readonly residentMb: number
}

/** Time that passes only where somebody waits for it: then at once. */
function jumpingClock(startMs: number): Clock {
  let nowMs = startMs
  return {
    now: () => nowMs,
    sleep: async (ms, signal) => {
      nowMs += Math.max(0, ms)
      await turn()
      signal?.throwIfAborted()
    },
  }
}

/** Sends rows in so many commits and answers what each stretch of them cost. */
export async function endpointHistory(options: {
  readonly commits: number
  readonly rowsPerCommit: number
  readonly onWindow: (window: Window) => void
}): Promise<readonly Window[]> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'bench-history-'))
  const key = makeKey()
  const access = {
    warehouse: path.join(folder, 'warehouse'),
    users: [{ name: 'BENCH', publicKeyPem: key.publicKeyPem }],
  }
  let endpoint = await startLocalSnowflake({
    ...access,
    limits: null,
    tokenTtlMs: TOKEN_TTL_MS,
    clock: jumpingClock(Date.now()),
    initSql: [
      'CREATE DATABASE DB',
      'CREATE SCHEMA DB.S',
      'CREATE ICEBERG TABLE DB.S.T (ID BIGINT, ROUTE STRING, LAT DOUBLE, LON DOUBLE, SEEN TIMESTAMP_NTZ(6))',
    ],
  })
  try {
    const client = new StreamingClient({
      url: endpoint.url,
      path: { database: 'DB', schema: 'S', pipe: 'T-STREAMING' },
      key,
      user: 'BENCH',
      nowMs: Date.now(),
    })
    await client.authenticate()
    const sender = await Sender.open(client, options.rowsPerCommit)
    const location = path.join(folder, 'warehouse/DB/S/T')
    const windows: Window[] = []
    for (let n = 1; n <= WINDOWS; n++) {
      const upTo = Math.round((options.commits * n) / WINDOWS)
      windows.push(await measure(sender, upTo, location))
      options.onWindow(windows[n - 1] as Window)
    }
    // The driver's token has the time of this machine's clock, which the endpoint's has left behind.
    await endpoint.close()
    endpoint = await startLocalSnowflake(access)
    const driver = await connectDriver({
      url: endpoint.url,
      user: 'BENCH',
      privateKeyPem: key.privateKeyPem,
    })
    const [found] = await driver.execute('SELECT COUNT(*) N, COUNT(DISTINCT ID) D FROM DB.S.T')
    await driver.close()
    const rows = options.commits * options.rowsPerCommit
    if (found?.['N'] !== rows || found['D'] !== rows)
      throw new Error(`${JSON.stringify(found)}, not ${rows} rows.`)
    return windows
  } finally {
    await endpoint.close()
    await rm(folder, { recursive: true })
  }
}

/** One channel; each request is committed before the next one goes. */
class Sender {
  readonly #client: StreamingClient
  readonly rowsPerCommit: number
  #token: string
  commits = 0

  private constructor(client: StreamingClient, rowsPerCommit: number, token: string) {
    this.#client = client
    this.rowsPerCommit = rowsPerCommit
    this.#token = token
  }

  static async open(client: StreamingClient, rowsPerCommit: number): Promise<Sender> {
    const { body } = await client.open('c')
    return new Sender(client, rowsPerCommit, String(body['next_continuation_token']))
  }

  async send(): Promise<void> {
    const first = this.commits * this.rowsPerCommit
    const end = String(this.commits)
    const rows = Array.from({ length: this.rowsPerCommit }, (_, i) => rowText(first + i)).join('')
    const answer = await this.#client.append({
      channel: 'c',
      token: this.#token,
      rows,
      start: end,
      end,
    })
    if (answer.status !== 200) throw new Error(`${answer.status} ${answer.text}`)
    this.#token = String(answer.body['next_continuation_token'])
    for (;;) {
      const { body } = await this.#client.status('c')
      const { c } = body['channel_statuses'] as Record<string, Record<string, unknown>>
      if (c?.['last_committed_offset_token'] === end) break
      if (c?.['rows_error_count'] !== 0) throw new Error(JSON.stringify(c))
    }
    this.commits++
  }
}

const rowText = (id: number): string =>
  `{"ID":${id},"ROUTE":"R${id % 97}","LAT":${40 + (id % 9_973) / 1e4},"LON":-73.9,"SEEN":"2026-11-23T00:00:0${id % 10}"}\n`

async function measure(sender: Sender, upTo: number, location: string): Promise<Window> {
  const count = upTo - sender.commits
  const cpu = process.cpuUsage()
  const began = performance.now()
  while (sender.commits < upTo) await sender.send()
  const ms = performance.now() - began
  const { user, system } = process.cpuUsage(cpu)
  const version = await readFile(path.join(location, 'metadata/version-hint.text'), 'utf8')
  const file = path.join(location, `metadata/v${version}.metadata.json`)
  const { snapshots } = JSON.parse(await readFile(file, 'utf8')) as {
    readonly snapshots: readonly { readonly summary: Readonly<Record<string, string>> }[]
  }
  return {
    commits: sender.commits,
    rows: sender.commits * sender.rowsPerCommit,
    msPerCommit: ms / count,
    cpuMsPerCommit: (user + system) / 1_000 / count,
    liveFiles: Number(snapshots.at(-1)?.summary['total-data-files']),
    metadataKb: statSync(file).size / 1_024,
    filesOnDisk: readdirSync(location, { recursive: true }).length,
    residentMb: process.memoryUsage.rss() / 1_048_576,
  }
}

const COLUMNS = [
  ['commits', ({ commits }: Window) => String(commits)],
  ['rows', ({ rows }: Window) => String(rows)],
  ['ms/commit', ({ msPerCommit }: Window) => msPerCommit.toFixed(1)],
  ['CPU ms/commit', ({ cpuMsPerCommit }: Window) => cpuMsPerCommit.toFixed(1)],
  ['live files', ({ liveFiles }: Window) => String(liveFiles)],
  ['metadata KB', ({ metadataKb }: Window) => metadataKb.toFixed(0)],
  ['files on disk', ({ filesOnDisk }: Window) => String(filesOnDisk)],
  ['RSS MB', ({ residentMb }: Window) => residentMb.toFixed(0)],
] as const

/** Bars of what a commit took in each stretch. */
function plot(windows: readonly Window[]): readonly string[] {
  const most = Math.max(...windows.map(({ cpuMsPerCommit }) => cpuMsPerCommit))
  return windows.map(({ commits, cpuMsPerCommit }) => {
    const width = Math.round((cpuMsPerCommit / most) * PLOT_WIDTH)
    return `${String(commits).padStart(8)} ${'#'.repeat(width)} ${cpuMsPerCommit.toFixed(1)}`
  })
}

/** The same as a drawing, one line a figure, each scaled to its greatest value. */
export function historySvg(windows: readonly Window[]): string {
  const figures = [
    ['CPU ms per commit', '#1f77b4', (window: Window) => window.cpuMsPerCommit],
    ['live files', '#2ca02c', (window: Window) => window.liveFiles],
    ['metadata KB', '#d62728', (window: Window) => window.metadataKb],
  ] as const
  const last = windows.at(-1)?.commits ?? 1
  const lines = figures.map(([name, color, of], index) => {
    const most = Math.max(...windows.map(of), Number.MIN_VALUE)
    const points = windows.map(
      (window) =>
        `${(50 + (window.commits / last) * 700).toFixed(0)},${(330 - (of(window) / most) * 280).toFixed(0)}`,
    )
    const label = `<text x="60" y="${20 + index * 16}" fill="${color}">${name}, at most ${most.toFixed(1)}</text>`
    return `<polyline fill="none" stroke="${color}" points="${points.join(' ')}"/>${label}`
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" width="800" height="370" font-family="sans-serif" font-size="13"><path d="M50 50V330H750" fill="none" stroke="#888"/>${lines.join('')}<text x="600" y="350">${last} commits</text></svg>\n`
}

/** `npm run bench -- endpoint-history`. */
export async function runEndpointHistoryBench(say: (text: string) => void): Promise<void> {
  const { values } = parseArgs({
    args: process.argv.slice(3),
    options: {
      commits: { type: 'string', default: '10000' },
      rows: { type: 'string', default: '1000' },
      svg: { type: 'string' },
    },
  })
  const commits = Number(values.commits)
  const rowsPerCommit = Number(values.rows)
  if (!Number.isInteger(commits) || commits < WINDOWS || !Number.isInteger(rowsPerCommit))
    throw new Error(
      `Expected at least ${WINDOWS} commits and whole numbers, got ${values.commits}.`,
    )
  say(`${commits} commits of ${rowsPerCommit} rows; sender and endpoint are one process`)
  say(COLUMNS.map(([name]) => name.padStart(13)).join(''))
  const windows = await endpointHistory({
    commits,
    rowsPerCommit,
    onWindow: (window) => say(COLUMNS.map(([, of]) => of(window).padStart(13)).join('')),
  })
  say('CPU milliseconds a commit, by commits before it:')
  for (const line of plot(windows)) say(line)
  if (values.svg !== undefined) await writeFile(values.svg, historySvg(windows))
}
