// The MTA source's offsets by the REST API: what it has stored, altered, reset, and going on from there.
import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type OutageStage, setOutageStage, VEHICLES } from '../support/outage-stage.ts'
import { type Part, startPart } from '../support/processes.ts'
import { until } from '../support/quickstart.ts'
import { ask, taskStates } from '../support/worker-view.ts'

interface Stored {
  readonly partition: Readonly<Record<string, unknown>>
  readonly offset: Readonly<Record<string, unknown>>
}

describe('offsets of the MTA source', () => {
  let folder: string
  let feeds: Part
  let stage: OutageStage
  let url: string
  beforeAll(async () => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'source-offsets-'))
    feeds = await startPart(
      'feeds-simulator',
      ['--port', '0', '--feeds', 'simulated'],
      path.join(folder, 'feeds.log'),
    )
    stage = await setOutageStage({ feeds: String(feeds.ready['url']) })
    url = `${stage.url}/connectors/outage-source`
    await Promise.all([stage.registry.start(), stage.endpoint.start(), stage.broker.start()])
    await stage.worker.start()
  }, 120_000)
  afterAll(async () => {
    await stage?.close()
    await feeds?.stop()
    rmSync(folder, { recursive: true, force: true })
  }, 30_000)

  const offsets = async (): Promise<readonly Stored[]> =>
    ((await ask(`${url}/offsets`)).json as { readonly offsets: readonly Stored[] }).offsets
  const stored = (): Promise<readonly Stored[]> =>
    until('stored offsets', 60_000, async () => {
      const all = await offsets()
      return all.length > 0 ? all : undefined
    })
  const sourceTasks = async (): Promise<readonly string[]> =>
    (await taskStates(stage.url)).filter((task) => task.startsWith('outage-source-'))
  const produced = async (): Promise<number> =>
    (await stage.ends(VEHICLES)).reduce((sum, end) => sum + end, 0)

  test('are refused to be changed while it runs, altered, reset and made anew', async () => {
    await stored()
    expect((await ask(`${url}/offsets`, 'DELETE')).status).toBe(400)
    expect((await ask(`${url}/stop`, 'PUT')).status).toBe(204)
    await until('no task', 30_000, async () =>
      (await sourceTasks()).length === 0 ? true : undefined,
    )
    const [first] = await offsets()
    if (first === undefined) throw new Error('Nothing is stored.')

    const altered = { partition: first.partition, offset: { ...first.offset, note: 'altered' } }
    expect(await ask(`${url}/offsets`, 'PATCH', { offsets: [altered] })).toMatchObject({
      status: 200,
      json: { message: 'The offsets for this connector have been altered successfully' },
    })
    expect(await offsets()).toContainEqual(altered)
    const strange = { partition: { file: 'x' }, offset: null }
    expect((await ask(`${url}/offsets`, 'PATCH', { offsets: [strange] })).status).toBe(500)

    expect(await ask(`${url}/offsets`, 'DELETE')).toMatchObject({
      status: 200,
      json: { message: 'The offsets for this connector have been reset successfully' },
    })
    expect(await offsets()).toEqual([])

    const before = await produced()
    expect((await ask(`${url}/resume`, 'PUT')).status).toBe(202)
    await stored()
    await until('more records', 60_000, async () =>
      (await produced()) > before ? true : undefined,
    )
  }, 150_000)
})
