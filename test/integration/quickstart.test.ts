// The one command as a newcomer meets it: it starts, shows vehicles, stops, goes on, and says what is wrong.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { describeWith, PYTHON, ROOT } from '../support/needs.ts'
import { output } from '../support/processes.ts'
import {
  committedRecords,
  exitCode,
  getText,
  isAlive,
  type Quickstart,
  runQuickstart,
  startQuickstart,
  until,
} from '../support/quickstart.ts'

let folder: string
let stack: Quickstart | undefined
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'mta-connect-quickstart-'))
})
afterEach(async () => {
  await stack?.stop()
  stack = undefined
  rmSync(folder, { recursive: true, force: true })
})

const SIMULATED = ['--feeds', 'simulated', '--speed', '30']
const metricsOf = (started: Quickstart): Promise<string> =>
  getText(`${started.stack.worker}/metrics`)
const rows = (started: Quickstart, wanted: number): Promise<number> =>
  until(`${wanted} committed rows`, 60_000, async () => {
    const count = committedRecords(await metricsOf(started))
    return count >= wanted ? count : undefined
  })

describe('quickstart', () => {
  test('shows moving vehicles, and ends every process on Ctrl-C', async () => {
    stack = await startQuickstart(path.join(folder, 'data'), SIMULATED)
    const { ui, worker, pids } = stack.stack
    await rows(stack, 1_000)
    expect(await getText(ui)).toContain('<div id="app">')
    const status = JSON.parse(await getText(`${worker}/connectors?expand=status`)) as Record<
      string,
      { status: { connector: { state: string }; tasks: { state: string }[] } }
    >
    expect(Object.keys(status).toSorted((a, b) => a.localeCompare(b))).toEqual([
      'mta-source',
      'snowflake-sink',
    ])
    const tasks = Object.values(status).flatMap((connector) => connector.status.tasks)
    expect(new Set(tasks.map((task) => task.state))).toEqual(new Set(['RUNNING']))
    expect(stack.output()).toContain('iceberg_scan(')
    expect(await stack.stop()).toBe(0)
    expect(Object.values(pids).filter(isAlive)).toEqual([])
    expect(existsSync(path.join(folder, 'data/stack.json'))).toBe(false)
    stack = undefined
  }, 120_000)

  test('leaves no process behind when it is killed, and starts again over the same data', async () => {
    const dataDir = path.join(folder, 'data')
    stack = await startQuickstart(dataDir, SIMULATED)
    await rows(stack, 500)
    const pids = Object.values(stack.stack.pids)
    await stack.kill()
    await until('every child ended', 20_000, () =>
      Promise.resolve(pids.some(isAlive) ? undefined : true),
    )
    rmSync(path.join(dataDir, 'stack.json'))
    stack = await startQuickstart(dataDir, SIMULATED)
    expect(await rows(stack, 500)).toBeGreaterThanOrEqual(500)
  }, 150_000)

  test('brings a part back that was killed', async () => {
    stack = await startQuickstart(path.join(folder, 'data'), SIMULATED)
    await rows(stack, 200)
    const { snowflake = 0, worker = 0 } = stack.stack.pids
    process.kill(snowflake, 'SIGKILL')
    process.kill(worker, 'SIGKILL')
    const { dataDir } = stack
    await until('new processes in stack.json', 60_000, () => {
      const { pids } = JSON.parse(
        readFileSync(path.join(dataDir, 'stack.json'), 'utf8'),
      ) as Quickstart['stack']
      const isBack = pids['snowflake'] !== snowflake && pids['worker'] !== worker
      return Promise.resolve(isBack ? true : undefined)
    })
    expect(await rows(stack, 1_000)).toBeGreaterThanOrEqual(1_000)
  }, 150_000)

  test('refuses a data folder that is in use, naming the process', async () => {
    const dataDir = path.join(folder, 'data')
    stack = await startQuickstart(dataDir, SIMULATED)
    const second = runQuickstart(['--data-dir', dataDir, '--port', '1'])
    expect(await exitCode(second.process)).toBe(1)
    expect(second.output()).toMatch(/Port 1 |in use by process \d+/)
    const third = runQuickstart(['--data-dir', dataDir, '--port', '18999'])
    expect(await exitCode(third.process)).toBe(1)
    expect(third.output()).toBe(
      `The data folder ${dataDir} is in use by process ${stack.pid}. Stop that one, or give another folder with --data-dir.\n`,
    )
  }, 120_000)
})

describe('quickstart mistakes', () => {
  test('a taken port is named with the option that changes it', async () => {
    const server = await listen()
    const address = server.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const run = runQuickstart(['--data-dir', path.join(folder, 'data'), '--port', String(port)])
    expect(await exitCode(run.process)).toBe(1)
    expect(run.output()).toBe(
      `Port ${port} of 127.0.0.1 is taken by another program. Stop that one, or choose another port with --port.\n`,
    )
    server.close()
  }, 30_000)

  test('a wrong option ends with the list of mistakes and code 1', async () => {
    const run = runQuickstart(['--feeds', 'radio', '--speed', 'fast'])
    expect(await exitCode(run.process)).toBe(1)
    expect(run.output()).toBe(
      '--feeds radio: expected auto, live, simulated or replay:DIR\n--speed fast: expected a number from 1 to 120\n',
    )
  }, 30_000)

  test('an empty folder of recordings is named', async () => {
    const run = runQuickstart([
      '--feeds',
      `replay:${folder}`,
      '--data-dir',
      path.join(folder, 'data'),
      '--port',
      '18998',
    ])
    expect(await exitCode(run.process)).toBe(1)
    expect(run.output()).toContain(folder)
    expect(existsSync(path.join(folder, 'data/stack.lock'))).toBe(false)
  }, 60_000)

  test('a sink configuration that is not there is named', async () => {
    const run = runQuickstart([
      '--snowflake',
      path.join(folder, 'none.properties'),
      '--data-dir',
      path.join(folder, 'data'),
      '--port',
      '18997',
    ])
    expect(await exitCode(run.process)).toBe(1)
    expect(run.output()).toMatch(/--snowflake .*none\.properties: ENOENT/)
  }, 60_000)

  test('a data folder that cannot be made is named', async () => {
    writeFileSync(path.join(folder, 'file'), '')
    const run = runQuickstart(['--data-dir', path.join(folder, 'file/data'), '--port', '18996'])
    expect(await exitCode(run.process)).toBe(1)
    expect(run.output()).toContain(`The data folder ${folder}/file/data cannot be made`)
  }, 30_000)
})

describeWith(['python'], 'a second start over the same data', () => {
  test('keeps every row and doubles none', async () => {
    const dataDir = path.join(folder, 'data')
    const count = async (): Promise<{ rows: number; distinct: number }> => {
      const script = path.join(ROOT, 'test/integration/readers/metadata_offsets.py')
      const table = path.join(dataDir, 'warehouse/MTA/SIM/VEHICLE_POSITION')
      return JSON.parse(await output(PYTHON, [script, table])) as { rows: number; distinct: number }
    }
    stack = await startQuickstart(dataDir, SIMULATED)
    await rows(stack, 500)
    expect(await stack.stop()).toBe(0)
    const first = await count()
    stack = await startQuickstart(dataDir, SIMULATED)
    await rows(stack, 500)
    expect(await stack.stop()).toBe(0)
    stack = undefined
    const second = await count()
    expect(first.rows).toBeGreaterThanOrEqual(500)
    expect(second.rows).toBeGreaterThanOrEqual(first.rows + 500)
    expect([first.rows - first.distinct, second.rows - second.distinct]).toEqual([0, 0])
  }, 200_000)
})

function listen(): Promise<Server> {
  const server = createServer()
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)))
}
