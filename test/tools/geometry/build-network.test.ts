import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Track } from '../../../source-mta/simulator/track.ts'
import { ROOT } from '../../support/needs.ts'
import { zip } from '../../support/zip.ts'

const FILES = {
  'routes.txt':
    'route_id,route_short_name,route_long_name,route_color,route_text_color\nR,R,"Red, ""express""",FF0000,FFFFFF\n',
  'stops.txt':
    'stop_id,stop_name,stop_lat,stop_lon\nA,"One",40.7,-74\nB,Two,40.71,-74\nC,Three,40.72,-74\n',
  'shapes.txt':
    'shape_id,shape_pt_lat,shape_pt_lon,shape_pt_sequence\nS,40.72,-74,10\nS,40.7,-74,1\nS,40.71,-74.00001,2\n',
  'trips.txt': 'route_id,trip_id,direction_id,shape_id\nR,t1,0,S\nR,t2,0,S\nR,t3,0,S\nR,t4,0,S\n',
  'stop_times.txt': [
    'trip_id,arrival_time,departure_time,stop_id,stop_sequence',
    ...['t1', 't2', 't3'].flatMap((trip, i) => [
      `${trip},23:59:00,23:59:00,A,1`,
      `${trip},24:0${1 + i}:00,24:0${1 + i}:30,B,2`,
      `${trip},24:0${3 + i}:30,24:0${3 + i}:30,C,3`,
    ]),
    't4,10:00:00,10:00:00,A,1',
    't4,10:05:00,10:05:00,C,2',
    '',
  ].join('\r\n'),
}

let dir: string
beforeAll(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'geometry-'))
  await writeFile(path.join(dir, 'gtfs.zip'), zip(FILES))
})
afterAll(() => rm(dir, { recursive: true }))

async function build(...options: string[]): Promise<Record<string, unknown>> {
  const out = path.join(dir, 'out.json')
  const script = path.join(ROOT, 'tools/geometry/build-network.mjs')
  const gtfs = path.join(dir, 'gtfs.zip')
  execFileSync(process.execPath, [script, '--gtfs', gtfs, '--out', out, ...options])
  return JSON.parse(await readFile(out, 'utf8')) as Record<string, unknown>
}

async function shape(tolerance: string): Promise<Track> {
  const { shapes } = await build('--tolerance', tolerance)
  return new Track((shapes as { S: string }).S)
}

describe('build-network', () => {
  test('makes one pattern per shape from a GTFS archive', async () => {
    expect(await build()).toEqual({
      feed_version: '',
      routes: [{ id: 'R', short: 'R', long: 'Red, "express"', color: 'FF0000', text: 'FFFFFF' }],
      stops: [
        ['A', 'One', 40.7, -74, null],
        ['B', 'Two', 40.71, -74, null],
        ['C', 'Three', 40.72, -74, null],
      ],
      patterns: {
        S: {
          route: 'R',
          dir: 0,
          stops: ['A', 'B', 'C'],
          dist: [0, 1112, 2224],
          run: [null, 180, 120],
          len: 2224,
          trips: 4,
        },
      },
      shapes: { S: expect.any(String) as string },
    })
  })

  test('leaves out points within the tolerance of the line, and encodes the rest', async () => {
    // The point in the middle lies 0.84 m beside the line between the others.
    expect((await shape('2')).at(1112)).toMatchObject({ longitude: -74, bearing: 0 })
    expect((await shape('0.5')).at(1112).longitude).toBeCloseTo(-74.00001, 7)
    expect((await shape('2')).at(9999).latitude).toBeCloseTo(40.72, 7)
  })

  test('keeps the most used stop sequences of a direction when asked to', async () => {
    const { patterns } = await build('--patterns', '2')
    expect(patterns).toMatchObject({
      'R.0.1': { stops: ['A', 'B', 'C'], trips: 3, shape: 'S' },
      'R.0.2': { stops: ['A', 'C'], trips: 1, run: [null, 300] },
    })
  })

  test('draws a line from stop to stop for an agency without shapes, and does without times', async () => {
    const { 'shapes.txt': _shapes, ...files } = FILES
    const times = files['stop_times.txt'].replace('t1,24:01:00,24:01:30,B,2', 't1,,,B,2')
    await writeFile(path.join(dir, 'gtfs.zip'), zip({ ...files, 'stop_times.txt': times }))
    const { patterns } = (await build()) as {
      patterns: Record<string, { stops: string[]; dist: number[]; run: unknown[] }>
    }
    const [all, direct] = Object.values(patterns)
    expect(all).toMatchObject({ stops: ['A', 'B', 'C'], dist: [0, 1112, 2224] })
    expect(all?.run).toEqual([null, expect.any(Number), expect.any(Number)])
    expect(direct).toMatchObject({ stops: ['A', 'C'], run: [null, 300] })
  })

  test('says what an archive lacks, and what is no archive', async () => {
    const { 'trips.txt': _trips, ...files } = FILES
    await writeFile(path.join(dir, 'gtfs.zip'), zip(files))
    expect(failure()).toContain('gtfs.zip has no trips')
    await writeFile(path.join(dir, 'gtfs.zip'), 'routes.txt')
    expect(failure()).toContain('no ZIP archive')
  })
})

/** What the script says when it fails. */
function failure(): string {
  const script = path.join(ROOT, 'tools/geometry/build-network.mjs')
  const options = ['--gtfs', path.join(dir, 'gtfs.zip'), '--out', path.join(dir, 'none.json')]
  const { status, stderr } = spawnSync(process.execPath, [script, ...options], { encoding: 'utf8' })
  expect(status).not.toBe(0)
  return stderr
}
