// `mta-connect offsets`: back to the tokens of Snowflake's own connector, and the sink started again on them.
import { spawn } from 'node:child_process'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type LoadGenerator, startLoad } from '../chaos/load.ts'
import { ROOT } from '../support/needs.ts'
import { LOAD, type OutageStage, PARTITIONS, setOutageStage } from '../support/outage-stage.ts'
import { committedRecords, getText, until } from '../support/quickstart.ts'
import { ask, taskStates } from '../support/worker-view.ts'

const EACH = 100
let stage: OutageStage

const load = (recordsMax: number): Promise<LoadGenerator> =>
  startLoad({
    bootstrapServers: stage.bootstrapServers,
    registryUrl: stage.registryUrl,
    topic: LOAD,
    partitions: PARTITIONS,
    recordsPerSecond: 1_000,
    recordsMax,
    createTopic: false,
    random: Math.random,
  })

async function send(): Promise<void> {
  const generator = await load(EACH * PARTITIONS)
  await generator.sent
  await generator.stop()
}

beforeAll(async () => {
  stage = await setOutageStage()
  await Promise.all([stage.registry.start(), stage.endpoint.start(), stage.broker.start()])
  await send()
  await stage.worker.start()
}, 120_000)
afterAll(() => stage.close(), 30_000)

async function offsets(...options: readonly string[]) {
  const child = spawn(
    process.execPath,
    [
      '--import',
      'tsx',
      'connector/cli/mta-connect.ts',
      'offsets',
      path.join(stage.folder, 'sink.properties'),
      ...options,
    ],
    { cwd: ROOT, stdio: 'pipe' },
  )
  const code = new Promise((resolve) => {
    child.on('close', resolve)
  })
  const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr)])
  return {
    lines: output.split('\n').filter((line) => line.includes(LOAD)),
    errors,
    code: await code,
  }
}

const storedAre = (rows: number): Promise<true> =>
  until(`${rows} rows of each partition`, 60_000, async () => {
    const stored = await stage.rows(LOAD)
    const isThere = stored.length === PARTITIONS && stored.every((one) => one.rows === rows)
    return isThere ? true : undefined
  })

describe('mta-connect offsets', () => {
  test('writes decimals of a stopped connector only, from which the sink goes on without loss', async () => {
    await until('all records committed', 60_000, async () =>
      committedRecords(await getText(`${stage.url}/metrics`)) === EACH * PARTITIONS
        ? true
        : undefined,
    )
    const refused = await offsets('--to-decimal')
    expect(refused).toMatchObject({ code: 1, lines: [] })
    expect(refused.errors).toContain('outage-sink is RUNNING')

    expect((await ask(`${stage.url}/connectors/outage-sink/stop`, 'PUT')).status).toBe(204)
    await until('no task', 30_000, async () =>
      (await taskStates(stage.url)).length === 0 ? true : undefined,
    )
    const id = (await stage.rows(LOAD))[0]?.topicId
    const channels = [0, 1, 2].map((partition) => `outage-sink_${LOAD}_${partition}`)
    expect(await offsets()).toMatchObject({
      errors: '',
      code: 0,
      lines: channels.map((channel) => `${channel}: ${id}:${EACH - 1}`),
    })
    expect(await offsets('--to-decimal')).toMatchObject({
      errors: '',
      code: 0,
      lines: channels.map((channel) => `${channel}: ${id}:${EACH - 1} -> ${EACH - 1}`),
    })
    const decimals = channels.map((channel) => `${channel}: ${EACH - 1}`)
    expect((await offsets()).lines).toEqual(decimals)
    expect((await offsets('--to-decimal')).lines).toEqual(decimals)

    await send()
    expect((await ask(`${stage.url}/connectors/outage-sink/resume`, 'PUT')).status).toBe(202)
    await storedAre(2 * EACH)
    expect((await stage.rows(LOAD)).map(({ distinct }) => distinct)).toEqual([200, 200, 200])
    await until('tokens with the topic id again', 30_000, async () => {
      const { lines } = await offsets()
      return lines.every((line) => line.endsWith(`${id}:${2 * EACH - 1}`)) ? true : undefined
    })
  }, 180_000)
})
