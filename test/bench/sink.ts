// The whole worker against what one would write by hand: consume, transcode, compress, append, commit. Broker and endpoint
// are processes of their own on the same cores, so compare the figures of one run with each other.
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { whyNotPacked } from '../../connector/kafka/confluent.ts'
import { seeded } from '../chaos/random.ts'
import { missing } from '../support/needs.ts'
import type { Part } from '../support/processes.ts'
import { getText } from '../support/quickstart.ts'
import {
  PARTITIONS,
  setStage,
  type Stage,
  startEndpoint,
  startWorker,
} from '../support/sink-stage.ts'
import { processFigures } from './process-figures.ts'
import { fillTopic, WIDE_SCHEMA } from './sink-records.ts'
import { consume, plainChain, type Run } from './yardsticks.ts'

const RECORDS = 200_000
/** What the embedded broker keeps. */
const RECORDS_EMBEDDED = 40_000
const LIMIT_MS = 300_000
const STALL_MS = 20_000

interface WorkerRun extends Run {
  readonly firstAppendMs: number
  /** What was used until then, not part of `cpuSeconds`. */
  readonly startCpuSeconds: number
  readonly peakMb: number
}

/** Prints the table, then what a stalled endpoint does to the worker's memory. */
export async function runSinkBench(say: (text: string) => void): Promise<void> {
  const isReal = missing('kafka') === undefined
  const records = isReal ? RECORDS : RECORDS_EMBEDDED
  const stage = await setStage(isReal)
  const endpoint = await startEndpoint(stage)
  try {
    const bytes = await fillTopic(stage, { records, createTopic: isReal, random: seeded(1) })
    const broker = isReal ? 'a real Apache Kafka' : 'the embedded broker'
    say(
      `${records} records of ${WIDE_SCHEMA.fields.length} columns and ${bytes.toFixed(0)} bytes in ${PARTITIONS} partitions of ${broker}`,
    )
    const raw = await consume(stage, records, () => undefined)
    const worker = await drain(stage, records)
    const plain = await plainChain(stage, records, WIDE_SCHEMA)
    renameConnector(stage, 'unpacked-sink')
    const properties = path.join(stage.folder, 'connect.properties')
    const packed = readFileSync(properties, 'utf8')
    writeFileSync(properties, `${packed}consumer.packed.reader=false\n`)
    const unpacked = await drain(stage, records)
    writeFileSync(properties, packed)
    say('                                    records/s   records/CPU s   × (a)   × (b)')
    const line = (name: string, run: Run): void =>
      say(
        `${name.padEnd(34)} ${rate(records, run.seconds, 10)} ${rate(records, run.cpuSeconds, 15)} ${ratio(raw, run)} ${ratio(plain, run)}`,
      )
    line('(a) consume only', raw)
    line('(b) consume, avsc, JSON, gzip, append', plain)
    line(`the whole worker${whyNotPacked === undefined ? '' : ', not packed'}`, worker)
    line('the same, read by the binding', unpacked)
    say(
      'measured elsewhere: JVM peer         52–60 k         33–37 k   890–2,161 MB, 13 s to its first append',
    )
    say(
      `launch to first append ${(worker.firstAppendMs / 1000).toFixed(1)} s and ${worker.startCpuSeconds.toFixed(1)} CPU s, which the rates leave out; peak resident memory ${worker.peakMb.toFixed(0)} MB`,
    )
    await stall(stage, endpoint, records, say)
  } finally {
    await endpoint.stop()
    await stage.close()
    rmSync(stage.folder, { recursive: true, force: true })
  }
}

const rate = (count: number, seconds: number, width: number): string =>
  String(Math.round(count / seconds)).padStart(width)
/** How many times the throughput of `other`. */
const ratio = (other: Run, run: Run): string => (other.seconds / run.seconds).toFixed(2).padStart(7)

/** Another name has other channels and another group: it begins anew. */
function renameConnector({ folder }: Stage, name: string): void {
  const file = path.join(folder, 'sink.properties')
  writeFileSync(file, readFileSync(file, 'utf8').replace(/^name=.*$/m, `name=${name}`))
}

const mb = (value: number | undefined): string => (value ?? Number.NaN).toFixed(0)

/** A worker from its launch until the last record is committed. */
async function drain(stage: Stage, records: number): Promise<WorkerRun> {
  const launchedMs = performance.now()
  const starting = startWorker(stage)
  const firstAppendMs = (await firstAppend(stage, starting)) - launchedMs
  const worker = await starting
  const startCpuSeconds = processFigures(worker.pid)?.cpuSeconds ?? Number.NaN
  try {
    await committed(stage, records)
    const figures = processFigures(worker.pid)
    const cpuSeconds = figures?.cpuSeconds ?? Number.NaN
    return {
      seconds: (performance.now() - launchedMs - firstAppendMs) / 1000,
      cpuSeconds: cpuSeconds - startCpuSeconds,
      startCpuSeconds,
      firstAppendMs,
      peakMb: figures?.peakMb ?? Number.NaN,
    }
  } finally {
    await worker.stop()
  }
}

/** When the worker's metrics show its first request with rows. */
async function firstAppend({ ports }: Stage, starting: Promise<Part>): Promise<number> {
  let hasFailed = false
  starting.catch(() => (hasFailed = true))
  const deadlineMs = performance.now() + LIMIT_MS
  while (performance.now() < deadlineMs) {
    if (hasFailed) await starting
    const text = await getText(`http://127.0.0.1:${ports.worker}/metrics`).catch(() => '')
    if (/^snowflake_sink_append_requests_total\S* [1-9]/m.test(text)) return performance.now()
    await sleep(20)
  }
  throw new Error(`No append after ${LIMIT_MS} ms.`)
}

/** Resolves when the sink has taken in all records and Snowflake has committed whatever it took. */
async function committed({ ports }: Stage, records: number): Promise<void> {
  const deadlineMs = performance.now() + LIMIT_MS
  let text = ''
  while (performance.now() < deadlineMs) {
    text = await getText(`http://127.0.0.1:${ports.worker}/metrics`)
    const taken = sumOf(text, 'snowflake_sink_records_total')
    if (taken >= records && sumOf(text, 'snowflake_sink_uncommitted_records') === 0) return
    await sleep(100)
  }
  throw new Error(`Not all of ${records} records after ${LIMIT_MS} ms: ${text.slice(-2_000)}`)
}

const sumOf = (text: string, metric: string): number =>
  [...text.matchAll(new RegExp(`^${metric}\\{[^}]*\\} (\\S+)$`, 'gm'))].reduce(
    (sum, [, value]) => sum + Number(value),
    0,
  )

/** The same backlog for another connector, while the endpoint takes requests and answers none. */
async function stall(
  stage: Stage,
  endpoint: Part,
  records: number,
  say: (text: string) => void,
): Promise<void> {
  renameConnector(stage, 'stalled-sink')
  const starting = startWorker(stage)
  await firstAppend(stage, starting)
  const worker = await starting
  try {
    process.kill(endpoint.pid, 'SIGSTOP')
    const before = processFigures(worker.pid)
    await sleep(STALL_MS / 2)
    const half = processFigures(worker.pid)
    await sleep(STALL_MS / 2)
    const after = processFigures(worker.pid)
    process.kill(endpoint.pid, 'SIGCONT')
    await committed(stage, records)
    say(
      `endpoint stalled for ${STALL_MS / 1000} s: ${mb(before?.residentMb)} MB resident at its begin, ${mb(half?.residentMb)} MB in the middle, ` +
        `${mb(after?.residentMb)} MB at its end, peak ${mb(after?.peakMb)} MB; all ${records} records committed afterwards`,
    )
  } finally {
    process.kill(endpoint.pid, 'SIGCONT')
    await worker.stop()
  }
}
