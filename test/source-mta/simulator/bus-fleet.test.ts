import { describe, expect, test } from 'vitest'
import { BusFleet, type BusReport } from '../../../source-mta/simulator/bus-fleet.ts'
import { metresBetween } from '../../../source-mta/simulator/track.ts'

const NOON = Date.parse('2026-06-10T12:00:00-04:00') / 1000
const REPORT_EVERY_S = 20
const GPS_ERROR_M = 15
const LOCAL_MPS_MAX = 6

const fleet = new BusFleet({
  file: new URL('../../../source-mta/simulator/bus-routes.json', import.meta.url),
  seed: 1,
  busesMax: 1,
})
const isExpress = ({ route }: BusReport): boolean => /^(X|BM|QM|BXM|SIM)/.test(route)

const trips = (time: number): Map<string, string> =>
  new Map(fleet.reportsAt(time).map((bus) => [`${bus.tripId}|${bus.vehicleId}`, bus.startDate]))

describe('BusFleet', () => {
  test('a local bus drives at a local bus’s speed, also where it turns round', () => {
    let before = new Map<string, BusReport>()
    const turned = new Set<string>()
    const jumps: string[] = []
    for (let time = NOON; time < NOON + 3_600; time += REPORT_EVERY_S) {
      const now = new Map(fleet.reportsAt(time).map((report) => [report.vehicleId, report]))
      for (const [id, report] of now) {
        const previous = before.get(id)
        if (previous === undefined || isExpress(report)) continue
        if (previous.direction !== report.direction) turned.add(id)
        const metresMax = LOCAL_MPS_MAX * (report.reportedAt - previous.reportedAt) + GPS_ERROR_M
        if (metresBetween(previous, report) > metresMax) jumps.push(`${id} at ${time}`)
      }
      before = now
    }
    expect(jumps).toEqual([])
    expect(turned.size).toBeGreaterThan(50)
  })

  test('has at least one bus on every route, each with an id of its own', () => {
    const ids = fleet.reportsAt(NOON).map(({ vehicleId }) => vehicleId)
    expect(ids.length).toBeGreaterThan(200)
    expect(new Set(ids).size).toBe(ids.length)
    for (const id of ids) expect(id).toMatch(/^(MTA NYCT|MTABC)_\d{4}$/)
  })

  test('keeps a trip’s id and date for as long as the bus drives it', () => {
    const now = trips(NOON)
    const later = [...trips(NOON + 60)]
    const kept = later.filter(([trip]) => now.has(trip))
    expect(kept.length / later.length).toBeGreaterThan(0.95)
    expect(kept.every(([trip, date]) => now.get(trip) === date)).toBe(true)
  })
})
