// The quickstart over simulated feeds: how soon the first row is committed, what flows, and what it costs. The
// yardstick is measured in the same run: decoding the same bodies with gtfs-realtime-bindings and writing them as
// JSON, on one core, is what any pipeline has to do at least.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import bindings from 'gtfs-realtime-bindings'
import {
  committedRecords,
  getText,
  type Quickstart,
  startQuickstart,
  until,
} from '../support/quickstart.ts'
import { processFigures } from './process-figures.ts'

const SPEED = 30
const WARM_UP_MS = 10_000
const MEASURE_MS = 40_000
const BODIES = [
  '/Dataservice/mtagtfsfeeds/nyct%2Fgtfs',
  '/Dataservice/mtagtfsfeeds/nyct%2Fgtfs-ace',
  '/Dataservice/mtagtfsfeeds/nyct%2Fgtfs-bdfm',
  '/vehiclePositions?key=bench',
]

interface Reading {
  readonly atMs: number
  readonly committed: number
  readonly cpuSeconds: Readonly<Record<string, number>>
  readonly residentMb: Readonly<Record<string, number>>
}

export async function runPipelineBench(say: (text: string) => void): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), 'mta-connect-bench-'))
  const beganMs = Date.now()
  const stack = await startQuickstart(path.join(folder, 'data'), [
    '--feeds',
    'simulated',
    '--speed',
    String(SPEED),
  ])
  try {
    const readyMs = Date.now() - beganMs
    await until('the first committed row', 60_000, async () =>
      (await committed(stack)) > 0 ? true : undefined,
    )
    const firstRowMs = Date.now() - beganMs
    await sleep(WARM_UP_MS)
    const before = await read(stack)
    await sleep(MEASURE_MS)
    const after = await read(stack)
    const yardstick = await decodeYardstick(stack)
    report({ say, readyMs, firstRowMs, before, after, yardstick })
  } finally {
    await stack.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

const committed = async (stack: Quickstart): Promise<number> =>
  committedRecords(await getText(`${stack.stack.worker}/metrics`))

async function read(stack: Quickstart): Promise<Reading> {
  const cpuSeconds: Record<string, number> = {}
  const residentMb: Record<string, number> = {}
  for (const [name, pid] of Object.entries(stack.stack.pids)) {
    const figures = processFigures(pid)
    cpuSeconds[name] = figures?.cpuSeconds ?? 0
    residentMb[name] = figures?.residentMb ?? 0
  }
  return { atMs: Date.now(), committed: await committed(stack), cpuSeconds, residentMb }
}

/** CPU seconds a vehicle position for decode + JSON alone. */
async function decodeYardstick(stack: Quickstart): Promise<number> {
  const bodies: Buffer[] = []
  for (const route of BODIES) {
    const response = await fetch(`${stack.stack.feeds}${route}`, {
      signal: AbortSignal.timeout(10_000),
    })
    bodies.push(Buffer.from(await response.arrayBuffer()))
  }
  let vehicles = 0
  const before = process.cpuUsage()
  for (let n = 0; n < 30; n++) {
    for (const body of bodies) {
      const message = bindings.transit_realtime.FeedMessage.decode(body)
      for (const entity of message.entity) {
        if (entity.vehicle === null || entity.vehicle === undefined) continue
        vehicles++
        JSON.stringify(entity.vehicle)
      }
    }
  }
  const used = process.cpuUsage(before)
  return (used.user + used.system) / 1e6 / vehicles
}

interface Report {
  readonly say: (text: string) => void
  readonly readyMs: number
  readonly firstRowMs: number
  readonly before: Reading
  readonly after: Reading
  readonly yardstick: number
}

function report({ say, readyMs, firstRowMs, before, after, yardstick }: Report): void {
  const seconds = (after.atMs - before.atMs) / 1000
  const rows = after.committed - before.committed
  say(
    `simulated city at ${SPEED} times real time, ${seconds.toFixed(0)} s measured after ${WARM_UP_MS / 1000} s of warm-up`,
  )
  say('process       CPU seconds   CPU µs/row   resident MB')
  let cpu = 0
  let memory = 0
  for (const [name, seconds1] of Object.entries(after.cpuSeconds)) {
    const used = seconds1 - (before.cpuSeconds[name] ?? 0)
    const resident = after.residentMb[name] ?? 0
    cpu += used
    memory += resident
    say(
      `${name.padEnd(12)} ${used.toFixed(2).padStart(12)} ${((used / rows) * 1e6).toFixed(1).padStart(12)} ${resident.toFixed(0).padStart(13)}`,
    )
  }
  const workerCpu = (after.cpuSeconds['worker'] ?? 0) - (before.cpuSeconds['worker'] ?? 0)
  say('')
  say(
    `ready after ${(readyMs / 1000).toFixed(1)} s, first committed row after ${(firstRowMs / 1000).toFixed(1)} s`,
  )
  say(`${Math.round(rows / seconds)} rows/s from feed to committed Iceberg row, ${rows} rows`)
  say(`whole stack: ${cpu.toFixed(1)} CPU seconds, ${memory.toFixed(0)} MB resident`)
  say(
    `worker CPU per row is ${(workerCpu / rows / yardstick).toFixed(1)} times that of decoding the feed and writing JSON alone (${(yardstick * 1e6).toFixed(1)} µs)`,
  )
}
