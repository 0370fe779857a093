// Kills the worker, the endpoint or both with -9, again and again, while records keep coming; then every record of
// the topic must be in the Iceberg table exactly once.
import { rmSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { missing, PYTHON, ROOT } from '../support/needs.ts'
import { output } from '../support/processes.ts'
import {
  committedRows,
  PARTITIONS,
  setStage,
  type Stage,
  startEndpoint,
  startWorker,
  TOPIC,
} from '../support/sink-stage.ts'
import { type LoadGenerator, startLoad } from './load.ts'
import { seeded } from './random.ts'

export interface SinkChaosOptions {
  readonly rounds: number
  readonly seed: number
  /** auto: a real Kafka where Java and Maven are, else the embedded broker. */
  readonly broker: 'auto' | 'kafka' | 'embedded'
  /** Keep the folder with logs and table afterwards. */
  readonly keep: boolean
  readonly say: (text: string) => void
}

export interface SinkChaosResult {
  readonly records: number
  readonly lost: number
  readonly doubled: number
  /** Rows whose payload is not the one that was sent at their offset. */
  readonly wrong: number
}

/** The embedded broker keeps 5 MB a partition: what waits there must stay below. */
const EMBEDDED_RECORDS_PER_SECOND = 400
const RECORDS_PER_SECOND = 2_000
const CATCH_UP_LIMIT_MS = 120_000

/** Plays the rounds and counts. Rejects when the pipeline does not recover within two minutes. */
export async function runSinkChaos(options: SinkChaosOptions): Promise<SinkChaosResult> {
  const { rounds, seed, say } = options
  const random = seeded(seed)
  const isReal =
    options.broker === 'kafka' || (options.broker === 'auto' && missing('kafka') === undefined)
  const stage = await setStage(isReal)
  say(
    `chaos: ${isReal ? 'Apache Kafka' : 'embedded broker'} at ${stage.bootstrapServers}, files in ${stage.folder}`,
  )
  let endpoint = await startEndpoint(stage)
  let worker = await startWorker(stage)
  const load = await startLoad({
    bootstrapServers: stage.bootstrapServers,
    registryUrl: stage.registryUrl,
    topic: TOPIC,
    partitions: PARTITIONS,
    recordsPerSecond: isReal ? RECORDS_PER_SECOND : EMBEDDED_RECORDS_PER_SECOND,
    createTopic: isReal,
    random,
  })
  try {
    for (let round = 1; round <= rounds; round++) {
      await sleep(500 + random() * 3_000)
      const victim = (['worker', 'endpoint', 'both'] as const)[Math.floor(random() * 3)] ?? 'both'
      const pauseMs = Math.floor(random() * random() * 5_000)
      say(
        `round ${round}: kill -9 of ${victim} after ${load.acknowledged()} records, back after ${pauseMs} ms`,
      )
      if (victim !== 'endpoint') await worker.kill()
      if (victim !== 'worker') await endpoint.kill()
      await sleep(pauseMs)
      if (victim !== 'worker') endpoint = await startEndpoint(stage)
      if (victim !== 'endpoint') worker = await startWorker(stage)
      if (!isReal) await caughtUp(stage, load)
    }
    await load.stop()
    say(`all rounds played; ${load.acknowledged()} records acknowledged`)
    await caughtUp(stage, load)
    return await count(stage, load)
  } finally {
    await load.stop()
    await worker.stop()
    await endpoint.stop()
    await stage.close()
    if (!options.keep) rmSync(stage.folder, { recursive: true, force: true })
  }
}

/** Waits until the table holds as many rows as records were acknowledged. */
async function caughtUp(stage: Stage, load: LoadGenerator): Promise<void> {
  const deadline = Date.now() + CATCH_UP_LIMIT_MS
  const wanted = load.acknowledged()
  for (;;) {
    const rows = await committedRows(stage).catch(() => -1) // The worker may still be starting.
    if (rows >= wanted) return
    if (Date.now() > deadline) {
      throw new Error(
        `${rows} of ${wanted} records were committed after ${CATCH_UP_LIMIT_MS / 1000} s; see ${stage.folder}`,
      )
    }
    await sleep(500)
  }
}

async function count(stage: Stage, load: LoadGenerator): Promise<SinkChaosResult> {
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
  if (result.wrong > 0)
    throw new Error(`${result.wrong} rows hold another record's payload; see ${stage.folder}`)
  return result
}
