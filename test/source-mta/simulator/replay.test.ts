import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ConfigError } from '../../../connector/api/errors.ts'
import { findRecordings } from '../../../source-mta/simulator/replay.ts'
import { type FeedServer, startFeedServer } from '../../../source-mta/simulator/server.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { rawRequest } from './raw-request.ts'
import { SILENT } from './silent-log.ts'

const ACE = '/Dataservice/mtagtfsfeeds/nyct%2Fgtfs-ace'
const MNR = '/Dataservice/mtagtfsfeeds/mnr%2Fgtfs-mnr'
const BODIES = ['first', 'second', 'second', 'third', 'fourth']
const SPACING_MS = 60_000

let dir: string
let clock: FakeClock
let server: FeedServer | undefined

beforeEach(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'replay-'))
  clock = new FakeClock({ nowMs: 1_000_000 })
})
afterEach(async () => {
  await server?.close()
  server = undefined
  await rm(dir, { recursive: true })
})

async function start(speed = 1, map: Record<string, string> = {}): Promise<void> {
  for (const [i, text] of BODIES.entries())
    await writeFile(path.join(dir, `${1_700_000_000 + i * 60}.ace.pb`), text)
  server = await startFeedServer({
    host: '127.0.0.1',
    port: 0,
    mode: { kind: 'replay', dir, map },
    speed,
    seed: 1,
    clock,
    log: SILENT,
  })
}

/** What a client that sends the last ETag gets. */
class Poller {
  readonly bodies: string[] = []
  readonly statuses: number[] = []
  readonly #feedPath: string
  #etag: string | undefined

  constructor(feedPath: string) {
    this.#feedPath = feedPath
  }

  async poll(): Promise<void> {
    const headers: Record<string, string> =
      this.#etag === undefined ? {} : { 'If-None-Match': this.#etag }
    const answer = await rawRequest(`${server?.url}${this.#feedPath}`, { headers })
    this.statuses.push(answer.status)
    if (answer.status !== 200) return
    this.bodies.push(answer.body.toString())
    this.#etag = answer.headers.etag
  }
}

const status = async (): Promise<unknown> =>
  JSON.parse((await rawRequest(`${server?.url}/__sim/status`)).body.toString())

describe('replay', () => {
  test('gives a quick client every body once and in order, and 304 in between', async () => {
    await start()
    const client = new Poller(ACE)
    for (let i = 0; i < 50; i++) {
      await client.poll()
      await clock.advance(SPACING_MS / 10)
    }
    expect(client.bodies).toEqual(BODIES)
    expect(client.statuses.filter((code) => code === 304)).toHaveLength(45)
  })

  test('waits for a slow client', async () => {
    await start()
    const client = new Poller(ACE)
    for (let i = 0; i < 7; i++) {
      await client.poll()
      await clock.advance(SPACING_MS * 25)
    }
    expect(client.bodies).toEqual(BODIES)
    expect(client.statuses).toEqual([200, 200, 200, 200, 200, 304, 304])
  })

  test('goes on after a body that a fault kept from the client', async () => {
    await start()
    const client = new Poller(ACE)
    await client.poll()
    await clock.advance(SPACING_MS)
    const fault = { feed: 'ace', kind: '503', count: 3 }
    await rawRequest(`${server?.url}/__sim/fault`, { method: 'POST', body: JSON.stringify(fault) })
    for (let i = 0; i < 8; i++) {
      await client.poll()
      await clock.advance(SPACING_MS)
    }
    expect(client.bodies).toEqual(BODIES)
  })

  test('waits less at a higher speed', async () => {
    await start(60)
    const client = new Poller(ACE)
    for (let i = 0; i < 5; i++) {
      await client.poll()
      await clock.advance(1_000)
    }
    expect(client.bodies).toEqual(BODIES)
  })

  test('says when all is served', async () => {
    await start()
    const client = new Poller(ACE)
    for (let i = 0; i < 4; i++) {
      await client.poll()
      await clock.advance(SPACING_MS)
    }
    expect(await status()).toMatchObject({
      kind: 'replay',
      done: false,
      feeds: { 'mta-subway-ace': { bodies: 5, served: 4, done: false } },
    })
    await client.poll()
    expect(await status()).toMatchObject({
      done: true,
      feeds: { 'mta-subway-ace': { bodies: 5, served: 5, responses: 5, done: true } },
    })
  })

  test('plays single bodies of a feed one after the other, and has no other feeds', async () => {
    await writeFile(path.join(dir, 'mnr_b.pb'), 'B')
    await writeFile(path.join(dir, 'captured.pb'), 'C')
    await start(1, { captured: 'mta-mnr' })
    const client = new Poller(MNR)
    for (let i = 0; i < 3; i++) await client.poll()
    expect(client.bodies).toEqual(['C', 'B'])
    const lirr = await rawRequest(`${server?.url}/Dataservice/mtagtfsfeeds/lirr%2Fgtfs-lirr`)
    expect(lirr.body.toString()).toContain('NoSuchKey')
  })

  test('answers 500 while a recording cannot be read, and goes on afterwards', async () => {
    await start()
    const client = new Poller(ACE)
    const file = path.join(dir, '1700000000.ace.pb')
    await rm(file)
    await client.poll()
    await writeFile(file, 'first')
    await client.poll()
    expect(client.statuses).toEqual([500, 200])
    expect(client.bodies).toEqual(['first'])
  })
})

describe('findRecordings', () => {
  test('knows a feed by its tag, by the map, and leaves others aside', async () => {
    for (const name of ['5.x.pb', '10.l.pb', '9.l.pb', 'si-1.pb', 'README.md', 'nothing.pb'])
      await writeFile(path.join(dir, name), '')
    await mkdir(path.join(dir, 'deeper'))
    const { byFeed, ignored } = findRecordings(dir, { x: 'bus' })
    const names = Object.fromEntries(
      [...byFeed].map(([id, files]) => [id, files.map(({ file }) => path.basename(file))]),
    )
    expect(names).toEqual({
      'mta-bus-vp': ['5.x.pb'],
      'mta-subway-l': ['9.l.pb', '10.l.pb'],
      'mta-subway-si': ['si-1.pb'],
    })
    expect(ignored).toEqual(['nothing.pb'])
  })

  test('says what is wrong with the folder or the map', async () => {
    expect(() => findRecordings(path.join(dir, 'none'), {})).toThrow(ConfigError)
    expect(() => findRecordings(dir, {})).toThrow(/expected <unix seconds>\.<tag>\.pb or NAME\.pb/)
    await writeFile(path.join(dir, '1.l.pb'), '')
    expect(() => findRecordings(dir, { l: 'moon' })).toThrow('Replay map l=moon: expected a feed')
  })
})
