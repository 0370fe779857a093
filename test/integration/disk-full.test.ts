// A disk that is full under the tables: said in the sink's health, no table is broken, and with room again nothing
// is missing. Needs a disk that can be filled: a small one in memory, which only root may mount.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startLoad } from '../chaos/load.ts'
import {
  allRunning,
  LOAD,
  type OutageStage,
  PARTITIONS,
  setOutageStage,
  storedAtLeast,
} from '../support/outage-stage.ts'
import { until } from '../support/quickstart.ts'
import { degraded } from '../support/worker-view.ts'

const SMALL_KB = 300

/** Undefined when it worked, else why not. */
function mount(folder: string, args: readonly string[]): string | undefined {
  const { status, stderr, error } = spawnSync('mount', ['-t', 'tmpfs', ...args, 'tmpfs', folder])
  if (error !== undefined) return error.message
  return status === 0 ? undefined : String(stderr).trim()
}

const disk = mkdtempSync(path.join(tmpdir(), 'mta-connect-disk-'))
const problem = mount(disk, ['-o', `size=${SMALL_KB}k`])
const name = 'a full disk'
const describeDisk = problem === undefined ? describe : describe.skip
const title = problem === undefined ? name : `${name} [skipped: no small disk: ${problem}]`

afterAll(() => {
  if (problem === undefined) spawnSync('umount', [disk])
  rmSync(disk, { recursive: true, force: true })
})

// oxlint-disable-next-line vitest/valid-title -- says why it is skipped
describeDisk(title, () => {
  let stage: OutageStage
  beforeAll(async () => {
    stage = await setOutageStage({ warehouse: disk })
    await Promise.all([stage.registry.start(), stage.broker.start(), stage.endpoint.start()])
    await stage.worker.start()
  }, 60_000)
  afterAll(() => stage.close(), 30_000)

  test('is said, breaks no table, and with room again everything is there once', async () => {
    const load = await startLoad({
      bootstrapServers: stage.bootstrapServers,
      registryUrl: stage.registryUrl,
      topic: LOAD,
      partitions: PARTITIONS,
      recordsPerSecond: 400,
      createTopic: false,
      random: Math.random,
    })
    const full = /no space|disk is full|ENOSPC/i
    const said = await until('the sink says why', 60_000, async () =>
      (await degraded(stage.url)).find((text) => full.test(text)),
    )
    expect(said).toMatch(/^outage-sink-\d: /)
    const before = await stage.rows(LOAD)
    expect(before.map(({ rows, distinct }) => rows - distinct)).toEqual(before.map(() => 0))
    await load.stop()
    expect(mount(disk, ['-o', 'remount,size=200m'])).toBeUndefined()
    const ends = Array.from({ length: PARTITIONS }, (_, partition) => load.endOffset(partition))
    const wanted = ends.reduce((sum, end) => sum + end, 0)
    const stored = await storedAtLeast(stage, LOAD, wanted)
    expect(stored.map(({ rows, distinct, max }) => [rows, distinct, max])).toEqual(
      ends.map((end) => [end, end, end - 1]),
    )
    expect(await allRunning(stage)).toHaveLength(PARTITIONS)
    await until('nothing to complain of', 30_000, async () =>
      (await degraded(stage.url)).length === 0 ? true : undefined,
    )
  }, 180_000)
})
