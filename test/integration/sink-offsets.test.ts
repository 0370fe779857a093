// A sink's offsets by the REST API: what it has stored, and going back, on the embedded broker and on a real Kafka.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type LoadGenerator, startLoad } from '../chaos/load.ts'
import { describeWith } from '../support/needs.ts'
import { LOAD, type OutageStage, PARTITIONS, setOutageStage } from '../support/outage-stage.ts'
import { committedRecords, getText, until } from '../support/quickstart.ts'
import { ask, taskStates } from '../support/worker-view.ts'

const RECORDS = 300
const EACH = RECORDS / PARTITIONS

const offset = (partition: number, next: number) => ({
  partition: { kafka_partition: partition, kafka_topic: LOAD },
  offset: { kafka_offset: next },
})

function offsetsOfASink(isRealKafka: boolean): void {
  let stage: OutageStage
  let load: LoadGenerator
  let offsetsUrl: string
  beforeAll(async () => {
    stage = await setOutageStage({ isRealKafka })
    offsetsUrl = `${stage.url}/connectors/outage-sink/offsets`
    await Promise.all([stage.registry.start(), stage.endpoint.start()])
    if (!isRealKafka) await stage.broker.start()
    load = await startLoad({
      bootstrapServers: stage.bootstrapServers,
      registryUrl: stage.registryUrl,
      topic: LOAD,
      partitions: PARTITIONS,
      recordsPerSecond: 1_000,
      recordsMax: RECORDS,
      createTopic: isRealKafka,
      random: Math.random,
    })
    await load.sent
    await load.stop()
    await stage.worker.start()
  }, 120_000)
  afterAll(async () => {
    await load?.stop()
    await stage.close()
  }, 30_000)

  const stop = async (): Promise<void> => {
    expect((await ask(`${stage.url}/connectors/outage-sink/stop`, 'PUT')).status).toBe(204)
    await until('no task', 30_000, async () =>
      (await taskStates(stage.url)).length === 0 ? true : undefined,
    )
  }
  const resume = async (): Promise<void> => {
    expect((await ask(`${stage.url}/connectors/outage-sink/resume`, 'PUT')).status).toBe(202)
  }
  const stored = async (): Promise<readonly (readonly [number, number])[]> => {
    const rows = await stage.rows(LOAD)
    return rows.map(({ rows: count, distinct }) => [count, distinct] as const)
  }
  const storedAre = (wanted: readonly (readonly [number, number])[]): Promise<true> =>
    until(`rows ${JSON.stringify(wanted)}`, 60_000, async () =>
      JSON.stringify(await stored()) === JSON.stringify(wanted) ? true : undefined,
    )
  const answered = async (): Promise<unknown> => {
    const { offsets } = (await ask(offsetsUrl)).json as {
      offsets: { partition: { kafka_partition: number } }[]
    }
    return offsets.toSorted((a, b) => a.partition.kafka_partition - b.partition.kafka_partition)
  }

  test('are what it has committed, and are refused to be changed while it runs', async () => {
    await until('all records committed', 60_000, async () =>
      committedRecords(await getText(`${stage.url}/metrics`)) === RECORDS ? true : undefined,
    )
    expect((await ask(offsetsUrl, 'DELETE')).status).toBe(400)
    await stop()
    expect(await answered()).toEqual([0, 1, 2].map((partition) => offset(partition, EACH)))
  }, 90_000)

  test('that are altered make it go on from there', async () => {
    const { status, json } = await ask(offsetsUrl, 'PATCH', { offsets: [offset(0, 40)] })
    expect([status, json]).toEqual([
      200,
      { message: 'The offsets for this connector have been altered successfully' },
    ])
    expect(await answered()).toEqual([offset(0, 40), offset(1, EACH), offset(2, EACH)])
    await resume()
    await storedAre([
      [EACH + EACH - 40, EACH],
      [EACH, EACH],
      [EACH, EACH],
    ])
    await stop()
  }, 90_000)

  test('that are reset make it begin anew', async () => {
    const { status, json } = await ask(offsetsUrl, 'DELETE')
    expect([status, json]).toEqual([
      200,
      { message: 'The offsets for this connector have been reset successfully' },
    ])
    await resume()
    await storedAre([
      [EACH + EACH - 40 + EACH, EACH],
      [EACH + EACH, EACH],
      [EACH + EACH, EACH],
    ])
  }, 90_000)
}

describe('offsets of a sink, embedded broker', () => {
  offsetsOfASink(false)
})
describeWith(['kafka'], 'offsets of a sink, Apache Kafka', () => {
  offsetsOfASink(true)
})
