// A topic full of records, drained by one worker into Iceberg. The yardsticks, in the same run and on the same machine:
// the same topic only consumed through our client, and consumed, decoded with avsc and written as JSON.
import { rmSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import avsc from 'avsc'
import { CHAOS_SCHEMA, startLoad } from '../chaos/load.ts'
import { seeded } from '../chaos/random.ts'
import { missing } from '../support/needs.ts'
import {
  committedRows,
  PARTITIONS,
  setStage,
  startEndpoint,
  startWorker,
  TOPIC,
} from '../support/sink-stage.ts'
import { processFigures } from './process-figures.ts'
import { consume } from './yardsticks.ts'

const RECORDS = 400_000
/** What the embedded broker keeps. */
const RECORDS_EMBEDDED = 100_000
const LIMIT_MS = 300_000

export async function runBacklogBench(say: (text: string) => void): Promise<void> {
  const isReal = missing('kafka') === undefined
  const records = isReal ? RECORDS : RECORDS_EMBEDDED
  const stage = await setStage(isReal)
  const endpoint = await startEndpoint(stage)
  try {
    const load = await startLoad({
      bootstrapServers: stage.bootstrapServers,
      registryUrl: stage.registryUrl,
      topic: TOPIC,
      partitions: PARTITIONS,
      recordsPerSecond: 200_000,
      recordsMax: records,
      createTopic: isReal,
      random: seeded(1),
    })
    await load.sent
    await load.stop()
    say(
      `${records} records of ${PARTITIONS} partitions on ${isReal ? 'a real Apache Kafka' : 'the embedded broker'}`,
    )
    const raw = await consume(stage, records, () => undefined)
    const type = avsc.Type.forSchema(CHAOS_SCHEMA as never)
    const plain = await consume(stage, records, (batch) => {
      for (const { value } of batch) {
        if (value === null) continue
        Buffer.from(`${JSON.stringify(type.fromBuffer(Buffer.from(value.subarray(5))))}\n`)
      }
    })
    const worker = await startWorker(stage)
    const beganMs = Date.now()
    const before = processFigures(worker.pid)?.cpuSeconds ?? 0
    let firstMs = 0
    let peakMb = 0
    for (;;) {
      const rows = await committedRows(stage).catch(() => 0) // The worker has no such metric yet.
      if (rows > 0 && firstMs === 0) firstMs = Date.now() - beganMs
      peakMb = Math.max(peakMb, processFigures(worker.pid)?.residentMb ?? 0)
      if (rows >= records) break
      if (Date.now() - beganMs > LIMIT_MS)
        throw new Error(`${rows} of ${records} rows after ${LIMIT_MS} ms`)
      await sleep(100)
    }
    const sink = {
      seconds: (Date.now() - beganMs) / 1000,
      cpuSeconds: (processFigures(worker.pid)?.cpuSeconds ?? 0) - before,
    }
    await worker.stop()
    say('                           records/s   records/CPU s   ratio to consume only')
    for (const [name, run] of Object.entries({
      'consume only': raw,
      'consume, avsc, JSON': plain,
      'whole worker → Iceberg': sink,
    })) {
      say(
        `${name.padEnd(24)} ${rate(records, run.seconds)} ${rate(records, run.cpuSeconds).padStart(15)} ${(raw.seconds / run.seconds).toFixed(2).padStart(14)}`,
      )
    }
    say(
      `first committed row ${(firstMs / 1000).toFixed(1)} s after the worker was ready; its peak ${peakMb.toFixed(0)} MB resident`,
    )
  } finally {
    await endpoint.stop()
    await stage.close()
    rmSync(stage.folder, { recursive: true, force: true })
  }
}

const rate = (count: number, seconds: number): string =>
  String(Math.round(count / seconds)).padStart(11)
