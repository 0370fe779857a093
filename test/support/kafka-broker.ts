// Brokers for tests: the embedded one from its sources, or a real Apache Kafka. Both can be killed with -9
// and come back on their port.
import { type ChildProcess, fork } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { ROOT } from './needs.ts'
import { output } from './processes.ts'

export interface TestBroker {
  readonly bootstrapServers: string
  /** With `secure`: SASL_SSL, user `user`, password `secret`. */
  readonly secureBootstrapServers: string
  /** The PEM file of the certificate authority, with `secure`. */
  readonly ca: string
  /** kill -9; resolves when the process is gone. */
  kill(): Promise<void>
  /** Brings a killed broker back, on the same port. */
  restart(): Promise<void>
  stop(): Promise<void>
}

const STOP_LIMIT_MS = 10_000

/** The embedded broker in a process of its own. `topics` as `--topics` has them: `a:6,b:1`. */
export async function startEmbeddedBroker(topics: string): Promise<TestBroker> {
  let running = await launch(0, topics)
  const { bootstrapServers } = running
  const port = Number(bootstrapServers.split(':')[1])
  return {
    bootstrapServers,
    secureBootstrapServers: '',
    ca: '',
    kill: () => end(running.child, 'SIGKILL'),
    restart: async () => {
      running = await launch(port, topics)
    },
    stop: () => end(running.child, 'SIGTERM'),
  }
}

interface Launched {
  readonly child: ChildProcess
  readonly bootstrapServers: string
}

function launch(port: number, topics: string): Promise<Launched> {
  const script = path.join(ROOT, 'connector/cli/local-broker.ts')
  const child = fork(script, ['--port', String(port), '--topics', topics], {
    execArgv: ['--import', 'tsx'],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`The embedded broker ended with ${code}.`)))
    child.on('message', (message: { ready?: { bootstrapServers: string }; failed?: string }) => {
      if (message.failed !== undefined) reject(new Error(message.failed))
      if (message.ready !== undefined) {
        resolve({ child, bootstrapServers: message.ready.bootstrapServers })
      }
    })
  })
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = new Promise((resolve) => {
    child.once('exit', resolve)
  })
  child.kill(signal)
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS)
  await gone
  clearTimeout(timer)
}

/** A real Apache Kafka, by `test/kafka/start-kafka.sh`. Needs `describeWith(['kafka'], …)`. */
export async function startApacheKafka(args: readonly string[] = []): Promise<TestBroker> {
  const data = await mkdtemp(path.join(os.tmpdir(), 'kafka-'))
  const script = path.join(ROOT, 'test/kafka/start-kafka.sh')
  const start = async (more: readonly string[]): Promise<ReadonlyMap<string, string>> => {
    const text = await output('bash', [script, '--data', data, ...args, ...more])
    return new Map(
      [...text.matchAll(/^(\w+)="?([^"\n]*)"?$/gm)].map(([, name = '', value = '']) => [
        name,
        value,
      ]),
    )
  }
  const first = await start([])
  const read = (name: string): string => first.get(name) ?? ''
  let pids = pidsOf(first)
  return {
    bootstrapServers: read('KAFKA_BOOTSTRAP'),
    secureBootstrapServers: read('KAFKA_SECURE_BOOTSTRAP'),
    ca: read('KAFKA_CA'),
    kill: () => endAll(pids, 'SIGKILL'),
    restart: async () => {
      const port = read('KAFKA_BOOTSTRAP').split(':')[1] ?? ''
      pids = pidsOf(await start(['--port', port]))
    },
    stop: async () => {
      await endAll(pids, 'SIGTERM')
      await endAll(pids, 'SIGKILL')
      await rm(data, { recursive: true, force: true })
    },
  }
}

const pidsOf = (values: ReadonlyMap<string, string>): readonly number[] =>
  (values.get('KAFKA_PIDS') ?? '').split(' ').filter(Boolean).map(Number)

async function endAll(pids: readonly number[], signal: NodeJS.Signals): Promise<void> {
  for (const pid of pids) send(pid, signal)
  const deadline = performance.now() + STOP_LIMIT_MS
  while (pids.some((pid) => send(pid, 0)) && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** False when there is no such process any more. */
function send(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal)
  } catch {
    return false // ESRCH: it has ended.
  }
}
