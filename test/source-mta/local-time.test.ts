import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  instantOf,
  isTimeZone,
  localDate,
  localIso,
  wallClock,
} from '../../source-mta/local-time.ts'
import { HEADER_S, bus, feedBody } from '../support/feed-bodies.ts'
import { acceptBody, newFeedState, valuesOf } from '../support/feed-fixtures.ts'

const NEW_YORK = 'America/New_York'
const ZONES = [NEW_YORK, 'America/Los_Angeles', 'Asia/Kathmandu', 'Australia/Lord_Howe', 'UTC']
const instants = fc.integer({ min: Date.UTC(2000, 0), max: Date.UTC(2040, 0) })

describe('local time', () => {
  test.each([
    ['2024-02-08T12:59:15Z', NEW_YORK, '2024-02-08T07:59:15-05:00'],
    ['2024-07-08T12:59:15.999Z', NEW_YORK, '2024-07-08T08:59:15-04:00'],
    // The last second of winter time, and the next.
    ['2026-03-08T06:59:59Z', NEW_YORK, '2026-03-08T01:59:59-05:00'],
    ['2026-03-08T07:00:00Z', NEW_YORK, '2026-03-08T03:00:00-04:00'],
    ['2026-01-01T00:00:00Z', 'Asia/Kathmandu', '2026-01-01T05:45:00+05:45'],
  ])('%s in %s is %s', (instant, zone, local) => {
    expect(localIso(Date.parse(instant), zone)).toBe(local)
  })

  test('names the instant that it came from', () => {
    fc.assert(
      fc.property(instants, fc.constantFrom(...ZONES), (ms, zone) => {
        expect(Date.parse(localIso(ms, zone))).toBe(Math.floor(ms / 1_000) * 1_000)
      }),
    )
  })

  test('of the clock on the wall comes the instant again, but for an hour that comes twice', () => {
    fc.assert(
      fc.property(instants, fc.constantFrom(...ZONES), (ms, zone) => {
        const wall = wallClock(ms, zone)
        expect(wallClock(instantOf(wall, zone), zone)).toBe(wall)
        expect(localDate(ms, zone).toISOString().slice(0, 10)).toBe(localIso(ms, zone).slice(0, 10))
      }),
    )
  })

  test('knows which zones there are', () => {
    expect(ZONES.every(isTimeZone)).toBe(true)
    expect(isTimeZone('America/Gotham')).toBe(false)
  })
})

describe('records', () => {
  const body = feedBody([bus('1')])

  test('have local times when they are asked for', () => {
    const state = newFeedState('obanyc', { hasLocalTime: true })
    expect(HEADER_S * 1_000).toBe(Date.parse('2024-02-08T12:59:15Z'))
    expect(valuesOf(acceptBody(state, body))[0]).toMatchObject({
      time_zone: NEW_YORK,
      local_time: '2024-02-08T07:59:15-05:00',
      vehicle_local_time: '2024-02-08T07:59:05-05:00',
    })
  })

  test('have none otherwise', () => {
    expect(valuesOf(acceptBody(newFeedState('obanyc'), body))[0]).toMatchObject({
      time_zone: null,
      local_time: null,
      vehicle_local_time: null,
    })
  })
})
