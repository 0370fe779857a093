// Recorded bodies through the whole chain, HTTP to Iceberg, against a decode that shares no code with ours.
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { describeWith, FEEDS, PYTHON, ROOT } from '../support/needs.ts'
import { output } from '../support/processes.ts'
import {
  committedRecords,
  getText,
  metric,
  type Quickstart,
  startQuickstart,
  until,
} from '../support/quickstart.ts'

const READERS = path.join(ROOT, 'test/integration/readers')
const python = (script: string, args: readonly string[]): Promise<string> =>
  output(PYTHON, [path.join(READERS, script), ...args])

/** Fields that both decodes can tell: not ours alone (positions on tracks, quality flags, poll ids). */
const COLUMNS = (
  'feed_id record_key content_hash feed_timestamp trip_id route_id start_date start_time direction_id ' +
  'nyct_train_id nyct_is_assigned nyct_direction vehicle_id vehicle_label current_stop_sequence stop_id ' +
  'current_status vehicle_timestamp occupancy_status occupancy_percentage'
).split(' ')

describeWith(['feeds', 'python'], 'recorded feeds, from HTTP to Iceberg', () => {
  let folder: string
  let stack: Quickstart | undefined
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'mta-connect-replay-'))
  })
  afterEach(async () => {
    await stack?.stop()
    stack = undefined
    rmSync(folder, { recursive: true, force: true })
  })

  /** Plays `dir` until every body was served and every record committed, then stops in order. */
  async function play(dir: string, args: readonly string[] = []): Promise<string> {
    stack = await startQuickstart(path.join(folder, 'data'), [
      '--feeds',
      `replay:${dir}`,
      '--speed',
      '120',
      ...args,
    ])
    const { feeds, worker } = stack.stack
    await until('all bodies served', 240_000, async () => {
      const { done } = JSON.parse(await getText(`${feeds}/__sim/status`)) as { done: boolean }
      return done ? true : undefined
    })
    let clean = 0
    await until('all records committed', 60_000, async () => {
      const metrics = await getText(`${worker}/metrics`)
      const written = metric(metrics, 'kafka_connect_source_task_source_record_write_total')
      const active = metric(metrics, 'kafka_connect_source_task_source_record_active_count')
      const committed = committedRecords(metrics)
      clean = active === 0 && written > 0 && committed >= written ? clean + 1 : 0
      return clean >= 10 ? true : undefined
    })
    expect(await stack.stop()).toBe(0)
    stack = undefined
    return path.join(folder, 'data/warehouse/MTA/REPLAY/VEHICLE_POSITION')
  }

  async function compare(
    table: string,
    expected: string,
    columns: readonly string[],
  ): Promise<string> {
    const [a, b] = [path.join(folder, 'expected.jsonl'), path.join(folder, 'table.jsonl')]
    writeFileSync(a, expected)
    writeFileSync(b, await python('read_table.py', [table]))
    return (await python('compare.py', [a, b, '--columns', columns.join(',')])).trim()
  }

  test('eighty polls of the A, C and E lines arrive row by row', async () => {
    const sequence = path.join(FEEDS, 'seq_ace_20240208')
    const table = await play(sequence)
    const expected = await python('decode_feeds.py', [sequence, '--feed', 'mta-subway-ace'])
    expect(expected.trim().split('\n')).toHaveLength(5_034)
    const figures = await compare(table, expected, COLUMNS)
    expect(figures.split('\n').at(-1)).toBe('5034 equal, 0 missing, 0 extra')
  }, 360_000)

  test('Metro-North, LIRR and the buses arrive with their GPS positions', async () => {
    const dir = path.join(folder, 'recordings')
    mkdirSync(dir)
    const captures = {
      mnr: ['mnr_20260621T0151Z.pb', 'mta-mnr'],
      lirr: ['lirr_20260621T0155Z.pb', 'mta-lirr'],
      bus: ['DERIVED_mta_bus_vp_from_siri_20250807.pb', 'mta-bus-vp'],
    } as const
    const expected: string[] = []
    const maps: string[] = []
    for (const [tag, [name, feed]] of Object.entries(captures)) {
      copyFileSync(path.join(FEEDS, name), path.join(dir, `${tag}.pb`))
      maps.push('--replay-map', `${tag}=${feed}`)
      expected.push(await python('decode_feeds.py', [path.join(FEEDS, name), '--feed', feed]))
    }
    const table = await play(dir, maps)
    const rows = expected.join('')
    const figures = await compare(table, rows, [...COLUMNS, 'latitude', 'longitude', 'bearing'])
    const count = rows.trim().split('\n').length
    expect(figures.split('\n').at(-1)).toBe(`${count} equal, 0 missing, 0 extra`)
  }, 240_000)
})
