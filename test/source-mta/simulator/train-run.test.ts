import { readFileSync } from 'node:fs'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { loadNetwork } from '../../../source-mta/simulator/network.ts'
import { serviceDayOf } from '../../../source-mta/simulator/service-day.ts'
import { SUBWAY_PACE, SUBWAY_PLAN } from '../../../source-mta/simulator/subway-feed.ts'
import { departuresOf } from '../../../source-mta/simulator/timetable.ts'
import { metresBetween } from '../../../source-mta/simulator/track.ts'
import { TrainRun } from '../../../source-mta/simulator/train-run.ts'

const readText = (file: URL): string => readFileSync(file, 'utf8')
const STATIC = new URL('../../../source-mta/static/subway.json', import.meta.url)
const network = loadNetwork(STATIC)
const day = serviceDayOf(Date.parse('2026-06-10T12:00:00-04:00') / 1000)
const departures = departuresOf(network.patterns, SUBWAY_PLAN, day, 1)
const run = fc.nat(departures.length - 1).map((i) => {
  const departure = departures[i]
  if (departure === undefined) throw new Error('out of range')
  return new TrainRun(departure, SUBWAY_PACE, 1)
})

describe('departuresOf', () => {
  test('runs about as many trips on a weekday as the static timetable', () => {
    expect(departures.length).toBeGreaterThan(8_000)
    expect(departures.length).toBeLessThan(9_500)
  })

  test('keeps trains of one route and direction apart', () => {
    const last = new Map<string, number>()
    for (const { pattern, at } of departures) {
      const key = `${pattern.route}|${pattern.direction}`
      expect(at - (last.get(key) ?? -60)).toBeGreaterThanOrEqual(60)
      expect(at % SUBWAY_PLAN.roundingS).toBe(0)
      last.set(key, at)
    }
  })
})

describe('TrainRun', () => {
  test('never goes back, never jumps and never exceeds the speed of a train', () => {
    fc.assert(
      fc.property(run, fc.constantFrom(1, 15, 90), (train, stepS) => {
        let before = train.at(train.arrivals[0] ?? 0).distanceM
        for (let time = train.arrivals[0] ?? 0; time < train.endsAt + 60; time += stepS) {
          const { distanceM } = train.at(time)
          expect(distanceM - before).toBeGreaterThanOrEqual(-1e-6)
          expect(distanceM - before).toBeLessThanOrEqual(25 * stepS)
          before = distanceM
        }
      }),
      { numRuns: 40 },
    )
  })

  test('stands at each stop at its times, at the stop’s place on the track', () => {
    fc.assert(
      fc.property(run, (train) => {
        const { pattern } = train.departure
        for (const [stop, arrival] of train.arrivals.entries()) {
          const state = train.at(arrival)
          expect(state.stop).toBe(stop)
          expect(state.distanceM).toBe(pattern.distancesM[stop])
          expect(train.departures[stop]).toBeGreaterThanOrEqual(arrival)
        }
      }),
      { numRuns: 60 },
    )
  })

  test('is on its route’s track, close to the station that it stands at', () => {
    const file = new Map(
      (JSON.parse(readText(STATIC)) as { stops: [string, string, number, number][] }).stops.map(
        ([id, , latitude, longitude]) => [id, { latitude, longitude }],
      ),
    )
    for (const pattern of network.patterns) {
      for (const [i, stopId] of pattern.stops.entries()) {
        const station = file.get(stopId)
        if (station === undefined) throw new Error(`no stop ${stopId}`)
        const place = pattern.track.at(pattern.distancesM[i] ?? 0)
        // The report on the static files: at most 103 m from stop to shape.
        expect(metresBetween(place, station)).toBeLessThan(150)
      }
    }
  })
})
