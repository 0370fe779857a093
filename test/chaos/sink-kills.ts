// Kills the worker, the endpoint or both with -9, again and again, while records keep coming. After each round every
// record that was acknowledged is in the Iceberg table exactly once.
import { readFileSync, rmSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { missing, PYTHON, ROOT } from '../support/needs.ts'
import { type StoredRows, storedRows } from '../support/outage-stage.ts'
import { output, type Part } from '../support/processes.ts'
import {
  PARTITIONS,
  setStage,
  type Stage,
  startEndpoint,
  startWorker,
  TOPIC,
} from '../support/sink-stage.ts'
import { type LoadGenerator, startLoad } from './load.ts'
import { seededRound } from './random.ts'
import type { ChaosCount, SinkChaosOptions } from './sink.ts'

export interface KillRounds extends Omit<SinkChaosOptions, 'rounds' | 'from'> {
  readonly first: number
  readonly last: number
}

/** The embedded broker keeps 5 MB a partition: what waits there must stay below. */
const EMBEDDED_RECORDS_PER_SECOND = 400
const RECORDS_PER_SECOND = 2_000
const CATCH_UP_LIMIT_MS = 120_000
const VICTIMS = ['worker', 'endpoint', 'both'] as const

interface Scene {
  readonly stage: Stage
  readonly load: LoadGenerator
  endpoint: Part
  worker: Part
}

/** Plays rounds `first` to `last` and counts. Rejects when the pipeline does not recover within two minutes. */
export async function runSinkKills(options: KillRounds): Promise<ChaosCount> {
  const { first, last, seed, say } = options
  if (first > last) return { records: 0, lost: 0, doubled: 0, wrong: 0 }
  const isReal =
    options.broker === 'kafka' || (options.broker === 'auto' && missing('kafka') === undefined)
  const stage = await setStage(isReal)
  say(
    `chaos: ${isReal ? 'Apache Kafka' : 'embedded broker'} at ${stage.bootstrapServers}, files in ${stage.folder}`,
  )
  const scene: Scene = {
    stage,
    endpoint: await startEndpoint(stage),
    worker: await startWorker(stage),
    load: await startLoad({
      bootstrapServers: stage.bootstrapServers,
      registryUrl: stage.registryUrl,
      topic: TOPIC,
      partitions: PARTITIONS,
      recordsPerSecond: isReal ? RECORDS_PER_SECOND : EMBEDDED_RECORDS_PER_SECOND,
      createTopic: isReal,
      random: seededRound(seed, 0),
    }),
  }
  let isGood = false
  try {
    for (let round = first; round <= last; round++) await playRound(scene, round, options)
    await scene.load.stop()
    await stored(scene)
    const count = await countRows(scene)
    isGood = count.lost + count.doubled + count.wrong === 0
    say(
      `rounds ${first} to ${last}, read by PyIceberg: records ${count.records}, lost ${count.lost}, doubled ${count.doubled}, wrong ${count.wrong}`,
    )
    return count
  } finally {
    await scene.load.stop()
    await scene.worker.stop()
    await scene.endpoint.stop()
    await stage.close()
    if (isGood && !options.keep) rmSync(stage.folder, { recursive: true, force: true })
  }
}

/** One kill, and in every third round another one while the first is being recovered from. */
async function playRound(scene: Scene, round: number, { seed, say }: KillRounds): Promise<void> {
  const random = seededRound(seed, round)
  const startedMs = Date.now()
  const kills = random() < 1 / 3 ? 2 : 1
  for (let kill = 0; kill < kills; kill++) {
    await sleep(kill === 0 ? 500 + random() * 2_000 : random() * 1_500)
    const victim = VICTIMS[Math.floor(random() * VICTIMS.length)] ?? 'both'
    const pauseMs = Math.floor(random() * random() * 5_000)
    say(
      `round ${round}: kill -9 of ${victim} after ${scene.load.acknowledged()} records, back after ${pauseMs} ms`,
    )
    if (victim !== 'endpoint') await scene.worker.kill()
    if (victim !== 'worker') await scene.endpoint.kill()
    await sleep(pauseMs)
    if (victim !== 'worker') scene.endpoint = await startEndpoint(scene.stage)
    if (victim !== 'endpoint') scene.worker = await startWorker(scene.stage)
  }
  const rows = await stored(scene)
  const records = rows.reduce((sum, entry) => sum + entry.rows, 0)
  say(
    `round ${round}: records ${records} in the table, lost 0, doubled 0, ${Date.now() - startedMs} ms`,
  )
}

/**
 * Waits until everything that was acknowledged when it was called is in the table. @throws Error when it does not come,
 * or at once for a row that is there twice or an offset that was passed over: neither can come right any more.
 */
async function stored({ stage, load }: Scene): Promise<readonly StoredRows[]> {
  const ends = Array.from({ length: PARTITIONS }, (_, partition) => load.endOffset(partition))
  const session = {
    url: `http://127.0.0.1:${stage.ports.snowflake}`,
    user: 'CHAOS',
    privateKeyPem: readFileSync(path.join(stage.folder, 'key.p8'), 'utf8'),
  }
  const deadline = Date.now() + CATCH_UP_LIMIT_MS
  for (;;) {
    // There may be no table yet.
    const found = await storedRows(session, 'MTA.CHAOS.CHAOS').catch(() => [])
    for (const { partition, rows, distinct, min, max } of found) {
      if (rows === distinct && min === 0 && max + 1 === rows) continue
      throw new Error(
        `Partition ${partition} has ${rows} rows of ${distinct} offsets between ${min} and ${max}; see ${stage.folder}`,
      )
    }
    const hasAll = ends.every(
      (end, partition) => (found.find((e) => e.partition === partition)?.rows ?? 0) >= end,
    )
    if (hasAll) return found
    if (Date.now() > deadline) {
      throw new Error(
        `${JSON.stringify(found)} was committed of ${ends.join(', ')} after ${CATCH_UP_LIMIT_MS / 1000} s; see ${stage.folder}`,
      )
    }
    await sleep(500)
  }
}

/** All rows, by a reader that is not ours. */
async function countRows({ stage, load }: Scene): Promise<ChaosCount> {
  const table = path.join(stage.folder, 'warehouse/MTA/CHAOS/CHAOS')
  const script = path.join(ROOT, 'test/integration/readers/offsets.py')
  const read = JSON.parse(await output(PYTHON, [script, table])) as Record<
    string,
    { rows: number; distinct: number; min: number; max: number; wrong: number }
  >
  const result = { records: load.acknowledged(), lost: 0, doubled: 0, wrong: 0 }
  const partitions = Object.entries(read)
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const own = partitions.filter(([key]) => key.endsWith(`/${partition}`))
    const distinct = own.reduce((sum, [, entry]) => sum + entry.distinct, 0)
    result.lost += Math.max(0, load.endOffset(partition) - distinct)
    for (const [, entry] of own) {
      result.doubled += entry.rows - entry.distinct
      result.wrong += entry.wrong
    }
  }
  return result
}
