// Registry, broker and Snowflake endpoint away: at the start of the worker, and in mid-stream. Each is a process of
// its own; whatever was acknowledged is in the table once afterwards, and nobody restarts anything by hand.
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '../../connector/runtime/clock.ts'
import { type FeedServer, startFeedServer } from '../../source-mta/simulator/server.ts'
import { type LoadGenerator, startLoad } from '../chaos/load.ts'
import {
  allRunning,
  LOAD,
  type OutageStage,
  PARTITIONS,
  setOutageStage,
  type StageTopic,
  storedAtLeast,
  VEHICLES,
} from '../support/outage-stage.ts'
import { getText, metric, until } from '../support/quickstart.ts'
import { describeWith } from '../support/needs.ts'
import { recordingLog } from '../support/recording-log.ts'
import { ask, degraded, taskStates } from '../support/worker-view.ts'

/** How long a part is away. */
const AWAY_MS = 10_000

const saying = (stage: OutageStage, what: RegExp): Promise<string> =>
  until(`the page says ${what}`, 30_000, async () =>
    (await degraded(stage.url)).find((text) => what.test(text)),
  )

const untroubled = async (stage: OutageStage): Promise<void> => {
  let said: readonly string[] = []
  const isOver = await until('no task is degraded', 30_000, async () => {
    said = await degraded(stage.url)
    return said.length === 0 ? true : undefined
  }).catch(() => false) // What is still said is the better message.
  expect([isOver, said]).toEqual([true, []])
}

/** Records that keep coming, of which the first ones are acknowledged. */
async function startStreamTo(stage: OutageStage, createTopic: boolean): Promise<LoadGenerator> {
  const load = await startLoad({
    bootstrapServers: stage.bootstrapServers,
    registryUrl: stage.registryUrl,
    topic: LOAD,
    partitions: PARTITIONS,
    recordsPerSecond: 300,
    createTopic,
    random: Math.random,
  })
  await until('a stream', 30_000, () =>
    Promise.resolve(load.acknowledged() > 300 ? true : undefined),
  )
  return load
}

/** No more records come of the source connector. */
async function stopSource(stage: OutageStage): Promise<void> {
  expect((await ask(`${stage.url}/connectors/outage-source/stop`, 'PUT')).status).toBe(204)
  await until('the source has stopped', 30_000, async () =>
    (await taskStates(stage.url)).some((state) => state.startsWith('outage-source'))
      ? undefined
      : true,
  )
}

const sum = (ends: readonly number[]): number => ends.reduce((all, end) => all + end, 0)

/** Every record of the topic is in the table, once. */
async function expectOnceEach(stage: OutageStage, topic: StageTopic): Promise<void> {
  const ends = await stage.ends(topic)
  const stored = await storedAtLeast(stage, topic, sum(ends))
  const [first] = stored
  expect(stored).toEqual(
    ends.flatMap((end, partition) =>
      end === 0
        ? []
        : [{ topicId: first?.topicId, partition, rows: end, distinct: end, min: 0, max: end - 1 }],
    ),
  )
}

let feeds: FeedServer
beforeAll(async () => {
  feeds = await startFeedServer({
    host: '127.0.0.1',
    port: 0,
    mode: { kind: 'simulated' },
    speed: 30,
    seed: 1,
    clock: systemClock,
    log: recordingLog(),
  })
})
afterAll(() => feeds.close())

describe('down at the start of the worker', () => {
  let stage: OutageStage | undefined
  afterEach(async () => {
    await stage?.close()
    stage = undefined
  })

  test.each([
    ['registry', /outage-source-0: .*registry/i],
    ['broker', /outage-s\w+-\d: .*(Kafka|broker)/],
    ['endpoint', /outage-sink-\d: .*ECONNREFUSED/],
  ] as const)(
    'a %s is waited for, visibly, and then everything flows',
    async (absent, message) => {
      stage = await setOutageStage({ feeds: feeds.url })
      const parts = (['registry', 'broker', 'endpoint'] as const).filter((part) => part !== absent)
      for (const part of parts) await stage[part].start()
      await stage.worker.start()
      expect((await ask(`${stage.url}/health`)).status).toBe(200)
      expect(await saying(stage, message)).toMatch(message)
      expect(await getText(`${stage.url}/metrics`)).toMatch(/mta_connect_task_degraded\{[^}]*\} 1/)
      expect((await ask(`${stage.url}/connectors/outage-source/config`)).status).toBe(200)
      expect((await ask(`${stage.url}/connectors/outage-sink/config`)).status).toBe(200)
      expect((await taskStates(stage.url)).join()).not.toContain('FAILED')

      await stage[absent].start()
      await storedAtLeast(stage, VEHICLES, 200)
      expect(await allRunning(stage)).toHaveLength(4)
      await untroubled(stage)
      await stopSource(stage)
      await expectOnceEach(stage, VEHICLES)
    },
    120_000,
  )
})

describe('away in mid-stream', () => {
  let stage: OutageStage
  let load: LoadGenerator | undefined
  beforeAll(async () => {
    stage = await setOutageStage()
    await Promise.all([stage.registry.start(), stage.broker.start(), stage.endpoint.start()])
    await stage.worker.start()
  }, 60_000)
  afterAll(() => stage.close(), 30_000)
  afterEach(async () => {
    await load?.stop()
    load = undefined
  })

  const startStream = async (): Promise<LoadGenerator> => {
    load = await startStreamTo(stage, false)
    return load
  }

  /** Everything acknowledged is in the table once, and every task runs and has no complaint. */
  async function expectEverything(): Promise<void> {
    await load?.stop()
    await expectOnceEach(stage, LOAD)
    expect(await allRunning(stage)).toHaveLength(PARTITIONS)
    await untroubled(stage)
  }

  const fault = async (body: unknown): Promise<void> => {
    expect((await ask(stage.adminUrl, 'POST', body)).status).toBe(200)
  }

  test('an endpoint that was killed and comes back', async () => {
    await startStream()
    await stage.endpoint.kill()
    await saying(stage, /ECONNREFUSED/)
    await sleep(AWAY_MS)
    expect((await ask(`${stage.url}/health`)).status).toBe(200)
    await stage.endpoint.start()
    await expectEverything()
  }, 120_000)

  test('an endpoint that hangs', async () => {
    await startStream()
    stage.endpoint.freeze()
    await sleep(AWAY_MS)
    expect((await ask(`${stage.url}/health`)).status).toBe(200)
    stage.endpoint.thaw()
    await expectEverything()
  }, 120_000)

  test('an endpoint that answers 503, and then 404 without a body', async () => {
    await startStream()
    await fault({ kind: 'status', status: 503, count: null })
    await saying(stage, /HTTP 503/)
    await sleep(AWAY_MS / 2)
    expect((await ask(stage.adminUrl, 'DELETE')).status).toBe(200)
    await fault({ kind: 'not-found', count: null })
    await saying(stage, /HTTP 404/)
    await sleep(AWAY_MS / 2)
    expect((await taskStates(stage.url)).join()).not.toContain('FAILED')
    expect((await ask(stage.adminUrl, 'DELETE')).status).toBe(200)
    await expectEverything()
  }, 120_000)

  test('a channel that is made invalid after the last record', async () => {
    const stream = await startStream()
    await fault({ kind: 'freeze-commit', count: null })
    await sleep(1_000)
    await stream.stop()
    await fault({ kind: 'invalidate' })
    expect((await ask(stage.adminUrl, 'DELETE')).status).toBe(200)
    await expectEverything()
  }, 120_000)

  test('a registry that is away while a new schema arrives', async () => {
    await stage.worker.stop()
    await startStream()
    await stage.registry.kill()
    // A new worker knows no schema yet.
    await stage.worker.start()
    await saying(stage, /The schema with id \d+: the schema registry failed/)
    await sleep(1_000)
    await stage.registry.start()
    await expectEverything()
  }, 120_000)
})

describeWith(['kafka'], 'an Apache Kafka that is killed and comes back', () => {
  let stage: OutageStage
  beforeAll(async () => {
    stage = await setOutageStage({ isRealKafka: true, feeds: feeds.url })
    await Promise.all([stage.registry.start(), stage.endpoint.start()])
    await stage.worker.start()
  }, 120_000)
  afterAll(() => stage.close(), 30_000)

  test('has every acknowledged record in the table once, of source and producer', async () => {
    const load = await startStreamTo(stage, true)
    await storedAtLeast(stage, LOAD, 300)
    await storedAtLeast(stage, VEHICLES, 1)
    await stage.broker.kill()
    await saying(stage, /outage-source-0: .*(Kafka|broker)/)
    await saying(stage, /outage-sink-\d: .*(Kafka|broker)/)
    await sleep(AWAY_MS)
    expect((await ask(`${stage.url}/health`)).status).toBe(200)
    expect((await taskStates(stage.url)).join()).not.toContain('FAILED')
    await stage.broker.start()
    const before = load.acknowledged()
    await until('the stream goes on', 60_000, () =>
      Promise.resolve(load.acknowledged() > before ? true : undefined),
    )
    await load.stop()
    expect(await allRunning(stage)).toHaveLength(4)
    await untroubled(stage)
    const written = metric(
      await getText(`${stage.url}/metrics`),
      'kafka_connect_source_task_source_record_write_total',
    )
    await stopSource(stage)
    await expectOnceEach(stage, LOAD)
    await expectOnceEach(stage, VEHICLES)
    expect(sum(await stage.ends(LOAD))).toBe(load.acknowledged())
    expect(sum(await stage.ends(VEHICLES))).toBeGreaterThanOrEqual(written)
  }, 180_000)
})
