import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { PluginLogger } from '../../../connector/api/plugin-metrics.ts'
import { ALL_FEEDS, feedNamed } from '../../../source-mta/simulator/feed-catalog.ts'
import { FeedClock } from '../../../source-mta/simulator/feed-clock.ts'
import { RetimedReplay } from '../../../source-mta/simulator/retimed-replay.ts'
import { retimeFeed, retimeJson, shiftOf } from '../../../source-mta/simulator/retime.ts'
import { createCity } from '../../../source-mta/simulator/simulated-city.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { describeWith, FEEDS } from '../../support/needs.ts'
import { decode, type FeedMessage, unknowns } from './decoded.ts'
import { SILENT } from './silent-log.ts'

/** Summer in New York, and winter: an hour of difference. */
const JUNE = Date.parse('2026-06-10T08:25:00-04:00') / 1000
const NOVEMBER = Date.parse('2026-11-23T15:00:00-05:00') / 1000

const city = createCity(1, { scale: 0.2 })
const feed = (tag: string) => {
  const found = feedNamed(tag)
  if (found === undefined) throw new Error(`no feed ${tag}`)
  return found
}

/** Every time in a message that the library decodes, in its order. */
function times(message: FeedMessage): number[] {
  const out = [Number(message.header.timestamp)]
  for (const { tripUpdate, vehicle, alert } of message.entity) {
    for (const { arrival, departure } of tripUpdate?.stopTimeUpdate ?? [])
      for (const event of [arrival, departure]) if (event != null) out.push(Number(event.time))
    for (const one of [tripUpdate, vehicle])
      if (one != null && Object.hasOwn(one, 'timestamp')) out.push(Number(one.timestamp))
    for (const { start, end } of alert?.activePeriod ?? []) out.push(Number(start), Number(end))
  }
  return out
}
const originOf = (tripId: string | null | undefined): number => Number(tripId?.slice(0, 6)) * 0.6
const secondsOf = (clockText: string): number => {
  const [h = 0, m = 0, s = 0] = clockText.split(':').map(Number)
  return h * 3_600 + m * 60 + s
}

const tripKeys = (bytes: Uint8Array): Set<string> =>
  new Set(
    decode(bytes).entity.flatMap(({ tripUpdate }) =>
      tripUpdate == null ? [] : [`${tripUpdate.trip.tripId}|${tripUpdate.trip.startDate}`],
    ),
  )
const inBoth = ([a, b]: readonly Set<string>[]): number =>
  [...(a ?? [])].filter((key) => b?.has(key)).length

describe('retimeFeed', () => {
  test('moves every time in every feed, and gives back the same bytes when it is moved back', () => {
    for (const { tag, format } of ALL_FEEDS.filter((one) => one.format === 'protobuf')) {
      expect(format).toBe('protobuf')
      const body = city(feed(tag), JUNE)
      const shift = shiftOf(JUNE, 7 * 86_400)
      const there = retimeFeed(body, shift)
      const before = times(decode(body))
      expect(times(decode(there))).toEqual(
        before.map((time) => (time < 1e9 ? time : time + 7 * 86_400)),
      )
      const back = retimeFeed(there, shiftOf(JUNE + 7 * 86_400, -7 * 86_400))
      expect([tag, Buffer.from(back).equals(body)]).toEqual([tag, true])
    }
  })

  test('a subway trip begins as long before its stop times as it did, whatever the season', () => {
    const seconds = Math.floor((NOVEMBER - JUNE) / 30) * 30
    const moved = decode(retimeFeed(city(feed('ace'), JUNE), shiftOf(JUNE, seconds)))
    const before = decode(city(feed('ace'), JUNE))
    let compared = 0
    for (const [i, { tripUpdate }] of moved.entity.entries()) {
      const old = before.entity[i]?.tripUpdate
      if (tripUpdate == null || old == null) continue
      // June 10 at 8:25 becomes November 23 at about 15:00: same distance from now, an hour less in the offset.
      const shiftOfDay = seconds - 3_600 - 166 * 86_400
      expect(originOf(tripUpdate.trip.tripId)).toBeCloseTo(
        originOf(old.trip.tripId) + shiftOfDay,
        5,
      )
      expect(tripUpdate.trip.startDate).toBe('20261123')
      expect(secondsOf(tripUpdate.trip.startTime ?? '')).toBe(
        secondsOf(old.trip.startTime ?? '') + shiftOfDay,
      )
      compared++
    }
    expect(compared).toBeGreaterThan(50)
  })

  test('train ids keep the origin of their trip ids', () => {
    const moved = decode(
      retimeFeed(city(feed('1234567s'), JUNE), shiftOf(JUNE, NOVEMBER - JUNE + 30)),
    )
    for (const { tripUpdate } of moved.entity) {
      if (tripUpdate == null) continue
      const text = Buffer.from(unknowns(tripUpdate.trip).join(''), 'hex').toString('latin1')
      const [, hour, minute, half] = /0.\s(\d\d)(\d\d)([+ ])/.exec(text) ?? []
      const origin = Number(hour) * 3_600 + Number(minute) * 60 + (half === '+' ? 30 : 0)
      expect(origin).toBeCloseTo(originOf(tripUpdate.trip.tripId) % 86_400, 5)
    }
  })

  test('dates inside LIRR’s ids go with the service day', () => {
    const moved = decode(retimeFeed(city(feed('lirr'), JUNE), shiftOf(JUNE, 3 * 86_400)))
    for (const { id, tripUpdate, vehicle } of moved.entity) {
      const trip = (tripUpdate ?? vehicle)?.trip
      expect(trip?.tripId).toMatch(/^\d+_2026-06-1[2345]$/)
      expect(trip?.tripId?.slice(-10).replaceAll('-', '')).toBe(trip?.startDate)
      expect(id.startsWith(`${trip?.tripId}_`)).toBe(true)
    }
  })
})

describe('retimeJson', () => {
  test('moves SIRI’s times and frames, and what it moved back is as it was', () => {
    const text = Buffer.from(city(feed('siri'), JUNE, new URLSearchParams('version=2'))).toString()
    const moved = retimeJson(text, shiftOf(JUNE, NOVEMBER - JUNE))
    expect(moved).toContain('"ResponseTimestamp":"2026-11-23T15:00:00.000-05:00"')
    expect(moved).toContain('"DataFrameRef":"2026-11-23"')
    expect(moved).not.toContain('2026-06-10')
    expect(retimeJson(moved, shiftOf(NOVEMBER, JUNE - NOVEMBER))).toBe(text)
  })

  test('moves the times of alerts and of outages', () => {
    const alerts = Buffer.from(city(feed('alerts-mnr-json'), JUNE)).toString()
    const shift = shiftOf(JUNE, 86_400)
    const start = /"start":(\d+)/
    expect(Number(start.exec(retimeJson(alerts, shift))?.[1])).toBe(
      Number(start.exec(alerts)?.[1]) + 86_400,
    )
    expect(retimeJson('{"outagedate":"06/10/2026 12:05:00 AM"}', shift)).toBe(
      '{"outagedate":"06/11/2026 12:05:00 AM"}',
    )
  })
})

describe('RetimedReplay', () => {
  const L = feed('l')
  let dir: string
  let wall: FakeClock
  let clock: FeedClock
  const logged: string[] = []
  const log: PluginLogger = {
    ...SILENT,
    info: (_: object, message: string) => logged.push(message),
  }

  beforeEach(async () => {
    dir = await mkdtemp(path.join(os.tmpdir(), 'retimed-'))
    wall = new FakeClock({ nowMs: NOVEMBER * 1000 })
    clock = new FeedClock({ clock: wall, speed: 1 })
    logged.length = 0
    for (const i of [0, 1, 2])
      await writeFile(path.join(dir, `${JUNE + i * 60}.l.pb`), city(L, JUNE + i * 60))
  })
  afterEach(() => rm(dir, { recursive: true }))

  const stampOf = async (replay: RetimedReplay): Promise<number> =>
    Number(decode((await replay.body(L))?.bytes ?? new Uint8Array()).header.timestamp)

  test('plays the recorded spacing from now on, and begins again with later times', async () => {
    const replay = new RetimedReplay({ dir, map: {}, retime: 'loop', clock, log })
    const stamps: number[] = []
    for (let minute = 0; minute < 7; minute++) {
      stamps.push(await stampOf(replay))
      await wall.advance(60_000)
    }
    expect(stamps).toEqual(Array.from({ length: 7 }, (_, i) => NOVEMBER + i * 60))
    expect(logged).toEqual(['A replay begins again.', 'A replay begins again.'])
    expect(replay.status()).toMatchObject({
      kind: 'retimed-replay',
      done: false,
      feeds: { 'mta-subway-l': { bodies: 3, round: 2, position: 1 } },
    })
  })

  test('stays with the last body when it is to play once, and says so', async () => {
    const replay = new RetimedReplay({ dir, map: {}, retime: 'once', clock, log })
    expect(replay.status().done).toBe(false)
    await wall.advance(600_000)
    expect(await stampOf(replay)).toBe(NOVEMBER + 120)
    expect(replay.status().done).toBe(true)
    expect(logged).toEqual(['A replay has come to its last body.'])
  })

  test('depends on the clock alone: a second one shows the same bytes', async () => {
    const [one, two] = [0, 1].map(
      () => new RetimedReplay({ dir, map: {}, retime: 'loop', clock, log }),
    )
    await one?.body(L)
    await wall.advance(61_000)
    const [a, b] = [await one?.body(L), await two?.body(L)]
    expect(a?.etag).toBe(b?.etag)
    expect(a?.lastModified).toBe(NOVEMBER + 60)
  })
})

describeWith(['feeds'], 'recorded bodies at another time', () => {
  test('a trip keeps its key from body to body, as in the recording', async () => {
    const dir = await mkdtemp(path.join(os.tmpdir(), 'retimed-'))
    try {
      for (const name of ['1707397157.ace.pb', '1707397217.ace.pb'])
        await symlink(path.join(FEEDS, 'seq_ace_20240208', name), path.join(dir, name))
      const wall = new FakeClock({ nowMs: NOVEMBER * 1000 })
      const clock = new FeedClock({ clock: wall, speed: 1 })
      const replay = new RetimedReplay({ dir, map: {}, retime: 'once', clock, log: SILENT })
      const first = await replay.body(feed('ace'))
      await wall.advance(60_000)
      const second = await replay.body(feed('ace'))
      const recorded = await Promise.all(
        ['1707397157.ace.pb', '1707397217.ace.pb'].map((name) =>
          readFile(path.join(FEEDS, 'seq_ace_20240208', name)),
        ),
      )
      const moved = [first, second].map((body) => tripKeys(body?.bytes ?? new Uint8Array()))
      expect(inBoth(moved)).toBe(inBoth(recorded.map(tripKeys)))
      expect(inBoth(moved)).toBeGreaterThan(140)
    } finally {
      await rm(dir, { recursive: true })
    }
  })

  test.each([
    'lirr_20260621T0155Z.pb',
    'mnr_20260621T0151Z.pb',
    'alerts_mnr_20260703.pb',
    'underground_feed_buses_weekend.pb',
    'nyct_1-7S_20260613T1949Z.pb',
    'other_mbta_alerts_20230522.pb',
  ])('%s: no time is left behind, nothing else changes in number', async (name) => {
    const body = await readFile(path.join(FEEDS, name))
    const message = decode(body)
    const at = Number(message.header.timestamp)
    const seconds = Math.floor((NOVEMBER - at) / 30) * 30
    const moved = decode(retimeFeed(body, shiftOf(at, seconds)))
    expect(times(moved)).toEqual(times(message).map((time) => (time < 1e9 ? time : time + seconds)))
    expect(moved.entity.map((entity) => Object.keys(entity))).toEqual(
      message.entity.map((entity) => Object.keys(entity)),
    )
  })
})
