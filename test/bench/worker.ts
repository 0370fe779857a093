// What a worker costs: from its start to a healthy answer, and the memory it takes; next to Kafka's own Connect on the JVM,
// in the same run, where Java is.
import { type ChildProcess, fork } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../../connector/local/ports.ts'
import { startApacheKafka } from '../support/kafka-broker.ts'
import { missing, ROOT } from '../support/needs.ts'
import { type OutageStage, setOutageStage } from '../support/outage-stage.ts'
import { output, startPart } from '../support/processes.ts'
import { processFigures } from './process-figures.ts'

const REPEATS = 3
const SETTLE_MS = 5_000
const CONNECTORS = 50
const START_LIMIT_MS = 60_000
const TARGET = { seconds: 1, residentMb: 90 }
const STRING = 'org.apache.kafka.connect.storage.StringConverter'

interface Figures {
  readonly seconds: number
  readonly idleMb: number
  readonly manyMb: number
}

export async function runWorkerBench(say: (text: string) => void): Promise<void> {
  const hasJava = missing('kafka') === undefined
  const folder = mkdtempSync(path.join(tmpdir(), 'mta-connect-bench-'))
  const feeds = await startPart(
    'feeds-simulator',
    ['--port', '0', '--feeds', 'simulated'],
    path.join(folder, 'feeds.log'),
  )
  const stage = await setOutageStage({ isRealKafka: hasJava, feeds: String(feeds.ready['url']) })
  try {
    await stage.registry.start()
    if (!hasJava) await stage.broker.start()
    await stage.endpoint.start()
    const own = await ownFigures(stage, folder, say)
    say(row('Node, start to healthy (median of 3)', `${own.seconds.toFixed(2)} s`))
    say(row('Node, idle, no connector', mb(own.idleMb)))
    say(row('Node, both our connectors at work', mb(own.bothMb)))
    say(row(`Node, ${CONNECTORS} connectors (source and sink, half each)`, mb(own.manyMb)))
    if (!hasJava) say('No Java and Maven here: no comparison with Kafka Connect on the JVM.')
    else compare(own, await jvmFigures(folder), say)
    const isMet = own.seconds <= TARGET.seconds && own.idleMb <= TARGET.residentMb
    say(
      `worker: ${own.seconds.toFixed(2)} s to healthy (target ${TARGET.seconds}), ${mb(own.idleMb)} idle (target ${TARGET.residentMb}): ${isMet ? 'met' : 'NOT met'}`,
    )
  } finally {
    await stage.close()
    await feeds.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function ownFigures(
  stage: OutageStage,
  folder: string,
  say: (text: string) => void,
): Promise<Figures & { readonly bothMb: number }> {
  const starts: number[] = []
  let idleMb = 0
  for (let repeat = 0; repeat < REPEATS; repeat++) {
    const idle = await startIdle(folder, stage.bootstrapServers)
    starts.push(idle.seconds)
    if (repeat === REPEATS - 1) {
      await sleep(SETTLE_MS)
      idleMb = resident(idle.child.pid)
    }
    await end(idle.child)
  }
  await stage.worker.start()
  await sleep(2 * SETTLE_MS)
  const bothMb = await residentOf(stage.url)
  await cloneConnectors(stage.url)
  await sleep(3 * SETTLE_MS)
  say(row('connectors that run at the end', String((await running(stage.url)).length)))
  starts.sort((a, b) => a - b)
  return { seconds: starts[1] ?? Number.NaN, idleMb, bothMb, manyMb: await residentOf(stage.url) }
}

async function startIdle(folder: string, bootstrapServers: string) {
  const port = await freePort(0)
  const file = path.join(folder, 'connect.properties')
  const properties = {
    'bootstrap.servers': bootstrapServers,
    listeners: `http://127.0.0.1:${port}`,
    'key.converter': STRING,
    'value.converter': STRING,
    'offset.storage.file.filename': path.join(folder, 'connect.offsets'),
  }
  writeFileSync(file, lines(properties))
  const beganMs = performance.now()
  const child = fork(path.join(ROOT, 'dist/connector/cli/connect-standalone.js'), [file], {
    execArgv: [], // As a user starts it, without what runs this file from its sources.
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    env: { ...process.env, UV_THREADPOOL_SIZE: '16' },
  })
  await healthy(`http://127.0.0.1:${port}`, beganMs)
  return { child, seconds: (performance.now() - beganMs) / 1_000 }
}

const lines = (properties: Readonly<Record<string, string>>): string =>
  Object.entries(properties)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('')

async function healthy(url: string, beganMs: number): Promise<void> {
  while (performance.now() - beganMs < START_LIMIT_MS) {
    // Nobody listens yet.
    const response = await fetch(`${url}/health`).catch(() => undefined)
    if (response?.ok === true) return
    await sleep(5)
  }
  throw new Error(`${url} was not healthy within ${START_LIMIT_MS} ms.`)
}

/** More connectors, alike but for their names. */
async function cloneConnectors(url: string): Promise<void> {
  const response = await fetch(`${url}/connectors?expand=info`)
  const known = Object.values((await response.json()) as Record<string, Connector>)
  for (let count = known.length; count < CONNECTORS; count++) {
    const model = known[count % known.length]?.info.config
    const name = `clone-${count}`
    await put(`${url}/connectors/${name}/config`, { ...model, name })
  }
}

interface Connector {
  readonly info: { readonly config: Readonly<Record<string, string>> }
  readonly status: { readonly connector: { readonly state: string } }
}

async function running(url: string): Promise<readonly Connector[]> {
  const response = await fetch(`${url}/connectors?expand=status`)
  const all = Object.values((await response.json()) as Record<string, Connector>)
  return all.filter(({ status }) => status.connector.state === 'RUNNING')
}

async function put(url: string, body: unknown): Promise<void> {
  const response = await fetch(url, {
    method: 'PUT',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  })
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${await response.text()}`)
}

/** Kafka's own worker, as small as it can be set up, with FileStream connectors. */
async function jvmFigures(folder: string): Promise<Figures> {
  const broker = await startApacheKafka()
  const pids: number[] = []
  try {
    const beganMs = performance.now()
    const text = await output('bash', [
      path.join(ROOT, 'test/kafka/start-connect.sh'),
      '--bootstrap',
      broker.bootstrapServers,
      '--standalone',
      '--data',
      path.join(folder, 'jvm'),
    ])
    const seconds = (performance.now() - beganMs) / 1_000
    const url = /^CONNECT_URL=(.*)$/m.exec(text)?.[1] ?? ''
    pids.push(Number(/^CONNECT_PID=(\d+)$/m.exec(text)?.[1]))
    await sleep(SETTLE_MS)
    const idleMb = resident(pids[0])
    writeFileSync(path.join(folder, 'jvm', 'input.txt'), 'a line\n')
    for (let count = 0; count < CONNECTORS; count++) {
      const isSource = count % 2 === 0
      const kind = isSource ? 'FileStreamSource' : 'FileStreamSink'
      const name = `clone-${count}`
      await put(`${url}/connectors/${name}/config`, {
        name,
        'connector.class': kind,
        file: isSource ? 'input.txt' : `output-${count}.txt`,
        ...(isSource ? { topic: 'lines' } : { topics: 'lines' }),
      })
    }
    await sleep(3 * SETTLE_MS)
    return { seconds, idleMb, manyMb: resident(pids[0]) }
  } finally {
    for (const pid of pids) process.kill(pid, 'SIGKILL')
    await broker.stop()
  }
}

function compare(own: Figures, jvm: Figures, say: (text: string) => void): void {
  say(row('JVM (tuned), start to healthy', `${jvm.seconds.toFixed(2)} s`))
  say(row('JVM, idle', mb(jvm.idleMb)))
  say(row(`JVM, ${CONNECTORS} FileStream connectors`, mb(jvm.manyMb)))
  say(row('start', ratio(own.seconds, jvm.seconds)))
  say(row('memory, idle', ratio(own.idleMb, jvm.idleMb)))
  say(row(`memory, ${CONNECTORS} connectors`, ratio(own.manyMb, jvm.manyMb)))
}

/** What the worker itself says of its memory. */
async function residentOf(url: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text()
  return Number(/^process_resident_memory_bytes (\S+)$/m.exec(text)?.[1]) / 1024 / 1024
}

async function end(child: ChildProcess): Promise<void> {
  const gone = new Promise((resolve) => {
    child.once('exit', resolve)
  })
  child.send({ stop: true })
  await gone
}

const ratio = (mine: number, its: number): string => `${(mine / its).toFixed(2)} of the JVM's`
const resident = (pid: number | undefined): number =>
  processFigures(pid ?? 0)?.residentMb ?? Number.NaN
const mb = (value: number): string => `${value.toFixed(0)} MB`
const row = (what: string, value: string): string => `${what.padEnd(58)}${value}`
