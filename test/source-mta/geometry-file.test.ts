import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ConfigError } from '../../connector/api/errors.ts'
import { parseConfig } from '../../source-mta/config.ts'
import { newReader } from '../../source-mta/readers.ts'
import { geometryFrom } from '../../source-mta/subway-geometry.ts'

let dir: string
beforeAll(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'geometry-file-'))
})
afterAll(() => rm(dir, { recursive: true }))

const PATTERN = {
  route: 'R',
  stops: ['A', 'B'],
  dist: [0, 1_112],
  run: [null, 120],
  len: 1_112,
  trips: 3,
}
const FILE = {
  stops: [
    ['A', 'One', 40.7, -74, null],
    ['B', 'Two', 40.71, -74, null],
  ],
  patterns: { S: PATTERN },
  shapes: { S: '_glwF~pvbMo}@?' },
}

async function written(text: string): Promise<string> {
  const file = path.join(dir, 'network.json')
  await writeFile(file, text)
  return file
}

test("trains are placed by a user's own file", async () => {
  const geometry = geometryFrom(await written(JSON.stringify(FILE)))
  expect(geometry.stop('B')).toEqual({ latitude: 40.71, longitude: -74 })
  expect(geometry.leg({ tripId: '1_S', routeId: 'R', from: 'A', to: 'B' })).toMatchObject({
    shapeId: 'S',
    runS: 120,
  })
})

test.each([
  ['{'],
  ['null'],
  ['{"stops":[],"patterns":[1],"shapes":{}}'],
  ['{"stops":{},"patterns":{},"shapes":{}}'],
  ['{"stops":[],"patterns":{},"shapes":{"S":1}}'],
  [JSON.stringify({ ...FILE, patterns: { S: { ...PATTERN, dist: 'far' } } })],
])('%.40s is refused by name', async (text) => {
  const file = await written(text)
  const start = (): unknown => {
    const config = parseConfig({ feeds: 'mta-subway-l', 'positions.geometry.file': file })
    return config.feeds.map((feed) => newReader(feed, config))
  }
  expect(start).toThrow(ConfigError)
  expect(start).toThrow('network.json')
})
