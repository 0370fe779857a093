// After a fault of the endpoint is over, half a minute is enough: every task runs and everything that the topic holds is
// committed, though nobody restarts anything and no record comes any more. The connector's own defaults apply.
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type LoadGenerator, startLoad } from '../chaos/load.ts'
import { LOAD, type OutageStage, PARTITIONS, setOutageStage } from '../support/outage-stage.ts'
import { getText, metric, until } from '../support/quickstart.ts'
import { ask, degraded, taskStates } from '../support/worker-view.ts'

const RECOVERY_LIMIT_MS = 30_000
/** Longer than commits may stand still before a channel is opened again. */
const FROZEN_MS = 25_000
const REOPENS = 'snowflake_sink_channel_reopens_total'

describe('a sink whose endpoint was in trouble', () => {
  let stage: OutageStage
  beforeAll(async () => {
    stage = await setOutageStage({
      sink: { 'snowflake.streaming.retry.backoff.max.ms': '10000' },
    })
    await Promise.all([stage.registry.start(), stage.broker.start(), stage.endpoint.start()])
    await stage.worker.start()
  }, 60_000)
  afterAll(() => stage.close(), 30_000)

  async function startStream(): Promise<LoadGenerator> {
    const load = await startLoad({
      bootstrapServers: stage.bootstrapServers,
      registryUrl: stage.registryUrl,
      topic: LOAD,
      partitions: PARTITIONS,
      recordsPerSecond: 200,
      createTopic: false,
      random: () => 0.5,
    })
    await until('a stream', 30_000, () =>
      Promise.resolve(load.acknowledged() > 200 ? true : undefined),
    )
    return load
  }

  const fault = async (body: unknown): Promise<void> => {
    expect((await ask(stage.adminUrl, 'POST', body)).status).toBe(200)
  }
  const clearFaults = async (): Promise<void> => {
    expect((await ask(stage.adminUrl, 'DELETE')).status).toBe(200)
  }

  /** Called when the fault is over. Resolves with the milliseconds that it took. */
  async function recovery(): Promise<number> {
    const startedMs = Date.now()
    const ends = await stage.ends(LOAD)
    await until('all committed and RUNNING', RECOVERY_LIMIT_MS, async () => {
      const states = await taskStates(stage.url)
      expect(states.join()).not.toContain('FAILED')
      const rows = await stage.rows(LOAD).catch(() => []) // The endpoint may be starting.
      const isCommitted = ends.every((end, partition) => {
        const own = rows.find((entry) => entry.partition === partition)
        expect(own?.rows).toBe(own?.distinct)
        return (own?.rows ?? 0) === end
      })
      const isWell = states.length === PARTITIONS && (await degraded(stage.url)).length === 0
      return isCommitted && isWell ? true : undefined
    })
    return Date.now() - startedMs
  }

  test.each([5, 60])(
    'that was killed and is back after %i s',
    async (seconds) => {
      const load = await startStream()
      await stage.endpoint.kill()
      await sleep(seconds * 500)
      await load.stop()
      await sleep(seconds * 500)
      expect((await taskStates(stage.url)).join()).not.toContain('FAILED')
      await stage.endpoint.start()
      expect(await recovery()).toBeLessThan(RECOVERY_LIMIT_MS)
    },
    150_000,
  )

  test('whose commits stood still', async () => {
    const load = await startStream()
    await fault({ kind: 'freeze-commit', count: null })
    await sleep(1_000)
    await load.stop()
    await sleep(FROZEN_MS)
    // That nothing is committed is noticed; then the channel is waited for.
    expect((await degraded(stage.url)).join()).toContain('ERR_CHANNEL_HAS_UNCOMMITTED_DATA')
    await clearFaults()
    expect(await recovery()).toBeLessThan(RECOVERY_LIMIT_MS)
  }, 120_000)

  test('that made channels invalid which have rows that are not committed', async () => {
    const load = await startStream()
    await fault({ kind: 'freeze-commit', count: null })
    await sleep(1_000)
    await load.stop()
    await fault({ kind: 'invalidate' })
    await clearFaults()
    expect(await recovery()).toBeLessThan(RECOVERY_LIMIT_MS)
  }, 120_000)

  test('that made channels invalid which have nothing to commit', async () => {
    await recovery()
    const before = metric(await getText(`${stage.url}/metrics`), REOPENS)
    await fault({ kind: 'invalidate' })
    await until('every channel opened again', RECOVERY_LIMIT_MS, async () => {
      const reopened = metric(await getText(`${stage.url}/metrics`), REOPENS) - before
      return reopened >= PARTITIONS ? true : undefined
    })
    const load = await startStream()
    await load.stop()
    expect(await recovery()).toBeLessThan(RECOVERY_LIMIT_MS)
  }, 120_000)
})
