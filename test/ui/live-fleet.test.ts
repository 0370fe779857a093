import { describe, expect, test } from 'vitest'
import { Fleet } from '../../ui/live/fleet.ts'
import { busReport, trainReport, vehicleRecord } from '../support/vehicle-records.ts'

const MINUTE = 60_000
const EPOCH = Date.parse('2026-09-23T12:20:00Z')
const keys = (fleet: Fleet): string[] => fleet.all().map(({ key }) => key)

describe('Fleet', () => {
  test('reads a record of the schema, timestamps as dates or numbers', () => {
    const fleet = new Fleet()
    const anchor = { shapeId: 'L..N01R', meters: [100, 900], ms: [EPOCH, EPOCH + 90_000] } as const
    fleet.apply(vehicleRecord(trainReport('1', EPOCH, anchor)), 0)
    fleet.apply(vehicleRecord(busReport('2', EPOCH, { vehicle_timestamp: BigInt(EPOCH - 5) })), 0)
    expect(fleet.all()).toEqual([
      expect.objectContaining({
        key: 'mta-subway-l|1',
        routeId: 'L',
        anchor: {
          shapeId: 'L..N01R',
          fromMeters: 100,
          toMeters: 900,
          fromMs: EPOCH,
          toMs: EPOCH + 90_000,
        },
      }),
      expect.objectContaining({ key: 'mta-bus-vp|2', reportedMs: EPOCH - 5, feedMs: EPOCH }),
    ])
  })

  test('takes no record without a place, a key or a value, and the time of the poll for want of a feed’s', () => {
    const fleet = new Fleet()
    const apply = (extra: Record<string, unknown>): boolean =>
      fleet.apply(vehicleRecord(busReport('1', EPOCH, extra)), 0)
    expect(fleet.apply(vehicleRecord(null), 0)).toBe(false)
    expect(apply({ latitude: null })).toBe(false)
    expect(apply({ longitude: Number.NaN })).toBe(false)
    expect(apply({ record_key: null })).toBe(false)
    expect(apply({ feed_timestamp: null, fetched_at: null })).toBe(false)
    expect(fleet.size).toBe(0)
    expect(apply({ feed_timestamp: null, vehicle_timestamp: null })).toBe(true)
    expect(fleet.all()[0]).toMatchObject({ feedMs: EPOCH, reportedMs: EPOCH })
  })

  test('tells each change once, the last report of a vehicle only', () => {
    const fleet = new Fleet()
    fleet.apply(vehicleRecord(busReport('1', EPOCH)), 0)
    fleet.apply(vehicleRecord(busReport('1', EPOCH, { latitude: 40.8 })), 0)
    fleet.apply(vehicleRecord(busReport('2', EPOCH)), 0)
    fleet.apply(vehicleRecord(busReport('2', EPOCH, { event_type: 'VANISHED' })), 0)
    const changes = fleet.takeChanges()
    expect(changes.vehicles.map(({ key, latitude }) => [key, latitude])).toEqual([
      ['mta-bus-vp|1', 40.8],
    ])
    expect(changes.gone).toEqual(['mta-bus-vp|2'])
    expect(fleet.takeChanges()).toEqual({ vehicles: [], gone: [] })
  })

  test('a vehicle that comes back is not gone', () => {
    const fleet = new Fleet()
    fleet.apply(vehicleRecord(busReport('1', EPOCH)), 0)
    fleet.apply(vehicleRecord(busReport('1', EPOCH, { event_type: 'VANISHED' })), 0)
    fleet.apply(vehicleRecord(busReport('1', EPOCH + 1)), 0)
    expect(fleet.takeChanges()).toMatchObject({ vehicles: [{ key: 'mta-bus-vp|1' }], gone: [] })
  })

  test('forgets who is silent for five minutes of a feed that goes on', () => {
    const fleet = new Fleet()
    fleet.apply(vehicleRecord(busReport('1', EPOCH)), 0)
    fleet.apply(vehicleRecord(busReport('2', EPOCH + 5 * MINUTE)), 5 * MINUTE)
    fleet.expire(5 * MINUTE)
    expect(fleet.size).toBe(2)
    fleet.expire(5 * MINUTE + 1)
    expect(keys(fleet)).toEqual(['mta-bus-vp|2'])
  })

  test('counts those minutes by the feed’s clock, also when it runs thirty times as fast', () => {
    const fleet = new Fleet()
    fleet.apply(vehicleRecord(busReport('1', EPOCH)), 0)
    fleet.apply(vehicleRecord(busReport('2', EPOCH + 6 * MINUTE)), 12_000)
    fleet.expire(12_000)
    expect(keys(fleet)).toEqual(['mta-bus-vp|2'])
  })

  test('forgets a feed’s vehicles when the feed itself falls silent', () => {
    const fleet = new Fleet()
    fleet.apply(vehicleRecord(busReport('1', EPOCH)), 1_000)
    fleet.expire(1_000 + 5 * MINUTE)
    expect(fleet.size).toBe(1)
    fleet.expire(1_001 + 5 * MINUTE)
    expect(fleet.size).toBe(0)
    expect(fleet.takeChanges().gone).toEqual(['mta-bus-vp|1'])
  })

  test('waits for a train that is on its way until five minutes after it should be there', () => {
    const fleet = new Fleet()
    const arrival = EPOCH + 20 * MINUTE
    const anchor = { shapeId: 's', meters: [0, 9_000], ms: [EPOCH, arrival] } as const
    fleet.apply(vehicleRecord(trainReport('1', EPOCH, anchor)), 0)
    fleet.expire(25 * MINUTE)
    expect(fleet.size).toBe(1)
    fleet.expire(25 * MINUTE + 1)
    expect(fleet.size).toBe(0)
  })

  test('begins anew with a recording that is played again', () => {
    const fleet = new Fleet()
    fleet.apply(vehicleRecord(busReport('1', EPOCH + 60 * MINUTE)), 0)
    fleet.apply(vehicleRecord(busReport('2', EPOCH)), 1_000)
    fleet.expire(2_000)
    expect(keys(fleet)).toContain('mta-bus-vp|2')
  })

  test('holds 20,000 vehicles, the longest silent one goes for the next', () => {
    const fleet = new Fleet()
    for (let n = 0; n < 20_001; n++) fleet.apply(vehicleRecord(busReport(String(n), EPOCH)), 0)
    expect(fleet.size).toBe(20_000)
    expect(keys(fleet)[0]).toBe('mta-bus-vp|1')
  })
})
