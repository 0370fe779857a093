import { afterEach, expect, test } from 'vitest'
import { systemClock } from '../../connector/runtime/clock.ts'
import { FakeKafka } from '../support/fake-kafka.ts'
import { SOURCE, startTestWorker, type TestWorker } from '../support/test-worker.ts'

const CONNECTORS = 1_000
const RUNNING = 50
const CLIENTS = 8
const ANSWER_LIMIT_MS = 5_000

let worker: TestWorker | undefined
afterEach(async () => {
  await worker?.stop()
  worker = undefined
})

test('1,000 stopped connectors are made, read, changed and deleted by eight clients, with 50 running beside them', async () => {
  const own = await startTestWorker({ kafka: new FakeKafka({ topics: { t: 2 } }) })
  worker = own
  const { herder, request } = own
  const keepers = Array.from({ length: RUNNING }, (_, index) => `running-${index}`)
  for (const name of keepers)
    await request('POST', '/connectors', { name, config: { ...SOURCE, name } })
  const areRunning = (): boolean => {
    const statuses = new Map(herder.statuses().map((status) => [status.name, status]))
    return keepers.every((name) => {
      const status = statuses.get(name)
      return status?.state === 'RUNNING' && status.tasks.every(({ state }) => state === 'RUNNING')
    })
  }
  await own.eventually(areRunning)

  const wrong: unknown[] = []
  let slowestMs = 0
  /** Asks, and notes every answer that is not the one expected. */
  const expected = async (
    status: number,
    json: unknown,
    ...call: Parameters<typeof request>
  ): Promise<void> => {
    const begunMs = systemClock.now()
    const answer = await request(...call)
    slowestMs = Math.max(slowestMs, systemClock.now() - begunMs)
    const isRight =
      answer.status === status &&
      (json === undefined || JSON.stringify(answer.json) === JSON.stringify(json))
    if (!isRight) wrong.push({ call, status: answer.status, text: answer.text.slice(0, 200) })
  }
  const life = async (index: number): Promise<void> => {
    const name = `stopped ${index}`
    const at = `/connectors/${encodeURIComponent(name)}`
    const config = { ...SOURCE, name, greeting: `hello ${index}` }
    const info = { name, config, tasks: [], type: 'source' }
    await expected(201, info, 'POST', '/connectors', { name, config, initial_state: 'STOPPED' })
    await expected(409, undefined, 'POST', '/connectors', { name, config })
    await expected(200, info, 'GET', at)
    const changed = { ...config, greeting: `good bye ${index}` }
    await expected(200, { ...info, config: changed }, 'PUT', `${at}/config`, changed)
    await expected(200, changed, 'GET', `${at}/config`)
    const state = herder.connectorStatus(name).connector.state
    if (state !== 'STOPPED') wrong.push({ name, state })
    await expected(200, { offsets: [] }, 'GET', `${at}/offsets`)
  }
  const each = async (work: (index: number) => Promise<void>): Promise<void> => {
    let next = 0
    const client = async (): Promise<void> => {
      for (let index = next++; index < CONNECTORS; index = next++) await work(index)
    }
    await Promise.all(Array.from({ length: CLIENTS }, client))
  }

  await each(life)
  expect(wrong).toEqual([])
  expect((await request('GET', '/connectors')).json).toHaveLength(CONNECTORS + RUNNING)
  const expanded = await request('GET', '/connectors?expand=status&expand=info')
  expect(Object.keys(expanded.json as object)).toHaveLength(CONNECTORS + RUNNING)
  expect(areRunning()).toBe(true)

  await each(async (index) => {
    const at = `/connectors/${encodeURIComponent(`stopped ${index}`)}`
    await expected(204, undefined, 'DELETE', at)
    await expected(404, undefined, 'GET', at)
  })
  expect(wrong).toEqual([])
  expect([...((await request('GET', '/connectors')).json as string[])].sort()).toEqual(
    keepers.sort(),
  )
  expect(areRunning()).toBe(true)
  expect(slowestMs).toBeLessThan(ANSWER_LIMIT_MS)
}, 120_000)
