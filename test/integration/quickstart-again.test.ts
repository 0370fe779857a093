// The quickstart that is stopped in mid-stream, started again, and loses its broker: the rows of every topic that
// there ever was are whole, and none is doubled.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type StoredRows, storedRows } from '../support/outage-stage.ts'
import {
  committedRecords,
  getText,
  metric,
  type Quickstart,
  startQuickstart,
  until,
} from '../support/quickstart.ts'
import { degraded, taskStates } from '../support/worker-view.ts'

let folder: string
let stack: Quickstart | undefined
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'mta-connect-again-'))
})
afterEach(async () => {
  await stack?.stop()
  stack = undefined
  rmSync(folder, { recursive: true, force: true })
})

const start = (): Promise<Quickstart> =>
  startQuickstart(path.join(folder, 'data'), ['--feeds', 'simulated', '--speed', '30'])

function rowsOf({ stack: { snowflake }, dataDir }: Quickstart): Promise<readonly StoredRows[]> {
  const privateKeyPem = readFileSync(path.join(dataDir, 'keys/quickstart.p8'), 'utf8')
  const session = { url: snowflake ?? '', user: 'QUICKSTART', privateKeyPem }
  return storedRows(session, 'MTA.SIM.VEHICLE_POSITION')
}

const committed = (started: Quickstart, records: number): Promise<string> =>
  until(`${records} committed records`, 60_000, async () => {
    const text = await getText(`${started.stack.worker}/metrics`)
    return committedRecords(text) >= records ? text : undefined
  })

const sum = (rows: readonly StoredRows[]): number => rows.reduce((all, row) => all + row.rows, 0)

/** Of each topic id and partition every offset from the first to the last, once. */
function expectWhole(rows: readonly StoredRows[]): void {
  expect(rows).toEqual(
    rows.map((row) => ({ ...row, rows: row.max + 1, distinct: row.max + 1, min: 0 })),
  )
}

describe('the quickstart in mid-stream', () => {
  test('writes what is on its way on Ctrl-C, and a second start goes on', async () => {
    stack = await start()
    const metrics = await committed(stack, 1_000)
    // Each poll writes one record about itself, which goes to no table.
    const written =
      metric(metrics, 'kafka_connect_source_task_source_record_write_total') -
      metric(metrics, '\\w*feed_polls_total')
    expect(await stack.stop()).toBe(0)
    const said = stack.output()
    expect(said).toContain('Stopped. The tables stay')
    const left = Number(/(\d+) records were not committed/.exec(said)?.[1] ?? 0)

    stack = await start()
    const first = await until('the rows of the first start', 30_000, async () => {
      const rows = stack === undefined ? [] : await rowsOf(stack)
      return rows.length > 0 ? rows : undefined
    })
    expectWhole(first)
    expect(sum(first) + left).toBeGreaterThanOrEqual(written)
    await committed(stack, 1_000)
    const second = await rowsOf(stack)
    expectWhole(second)
    expect(new Set(second.map(({ topicId }) => topicId)).size).toBe(2)
    expect(sum(second)).toBeGreaterThanOrEqual(sum(first))
  }, 120_000)

  test('goes on with a new topic when its broker was killed', async () => {
    stack = await start()
    await committed(stack, 500)
    const { broker = 0 } = stack.stack.pids
    process.kill(broker, 'SIGKILL')
    const running = stack
    const rows = await until('rows of a new topic', 90_000, async () => {
      const found = await rowsOf(running)
      return new Set(found.map(({ topicId }) => topicId)).size > 1 ? found : undefined
    })
    expectWhole(rows)
    await until('no task is degraded', 60_000, async () =>
      (await degraded(running.stack.worker)).length === 0 ? true : undefined,
    )
    const states = await taskStates(running.stack.worker)
    expect(states.filter((state) => !state.endsWith(': RUNNING'))).toEqual([])
  }, 180_000)
})
