// The feeds without vehicles: bus trips, alerts, elevators and SIRI, and what holds between them.
import { describe, expect, test } from 'vitest'
import { ALL_FEEDS, feedNamed, OTHER_FEEDS } from '../../../source-mta/simulator/feed-catalog.ts'
import { createCity } from '../../../source-mta/simulator/simulated-city.ts'
import { decode, tripUpdates, unknowns, vehicles } from './decoded.ts'

const PEAK = Date.parse('2026-06-10T08:00:00-04:00') / 1000
const PLACES = { start: 40.4, end: 41.9, west: -74.8, east: -71.8 }

const city = createCity(1)
const peakCity = createCity(1, { scale: 'peak' })

function body(tag: string, time = PEAK, query = '', encode = city): Buffer {
  const feed = feedNamed(tag)
  if (feed === undefined) throw new Error(`no feed ${tag}`)
  return Buffer.from(encode(feed, time, new URLSearchParams(query)))
}
const json = (tag: string, time = PEAK, query = ''): unknown =>
  JSON.parse(body(tag, time, query).toString())

interface Siri {
  readonly Siri: {
    readonly ServiceDelivery: {
      readonly ResponseTimestamp: string
      readonly VehicleMonitoringDelivery: readonly {
        readonly VehicleActivity?: readonly {
          readonly RecordedAtTime: string
          readonly MonitoredVehicleJourney: Readonly<Record<string, unknown>> & {
            readonly VehicleRef: string
            readonly LineRef: string
            readonly VehicleLocation: { readonly Longitude: number; readonly Latitude: number }
            readonly FramedVehicleJourneyRef: {
              readonly DataFrameRef: string
              readonly DatedVehicleJourneyRef: string
            }
          }
        }[]
        readonly ErrorCondition?: { readonly Description: string }
      }[]
    }
  }
}
const delivery = (query: string) => {
  const [first] = (json('siri', PEAK, query) as Siri).Siri.ServiceDelivery.VehicleMonitoringDelivery
  return first
}
const journeys = (query: string) =>
  (delivery(query)?.VehicleActivity ?? []).map((one) => one.MonitoredVehicleJourney)

const siriBytes = (detail: string): number =>
  body('siri', PEAK, `version=2&VehicleMonitoringDetailLevel=${detail}`).length

describe('the weekday’s peak', () => {
  test('has 4,096 buses with 7,559 trips at every hour, about 134,000 stop times', () => {
    for (const time of [PEAK, PEAK - 5 * 3_600]) {
      const trips = decode(body('bus-tu', time, '', peakCity)).entity
      expect(trips).toHaveLength(7_559)
      expect(decode(body('bus', time, '', peakCity)).entity).toHaveLength(4_096)
      const stops = trips.reduce((n, one) => n + (one.tripUpdate?.stopTimeUpdate?.length ?? 0), 0)
      expect(stops).toBeGreaterThan(115_000)
      expect(stops).toBeLessThan(150_000)
    }
  })

  test('has about 14,400 entities in 6.7 MB over the feeds', () => {
    const counted = ALL_FEEDS.filter(
      ({ format, kind, tag }) =>
        format === 'protobuf' &&
        kind !== 'bus-alerts' &&
        (kind !== 'alerts' || tag === 'alerts-all'),
    )
    const bodies = counted.map(({ tag }) => body(tag, PEAK, '', peakCity))
    const entities = bodies.reduce((sum, one) => sum + decode(one).entity.length, 0)
    const bytes = bodies.reduce((sum, one) => sum + one.length, 0)
    expect(entities / 14_400).toBeGreaterThan(0.93)
    expect(entities / 14_400).toBeLessThan(1.07)
    expect(bytes / 6.7e6).toBeGreaterThan(0.9)
    expect(bytes / 6.7e6).toBeLessThan(1.1)
  })
})

describe('bus trip updates', () => {
  test('join the vehicle positions by trip, one to three trips to a bus', () => {
    const positions = new Map(
      vehicles(decode(body('bus'))).map(({ vehicle }) => [
        vehicle?.vehicle?.id,
        vehicle?.trip?.tripId,
      ]),
    )
    const trips = new Map<string, string[]>()
    for (const { id, tripUpdate } of tripUpdates(decode(body('bus-tu')))) {
      expect(id).toBe(tripUpdate?.trip.tripId)
      const vehicle = tripUpdate?.vehicle?.id ?? ''
      trips.set(vehicle, [...(trips.get(vehicle) ?? []), id])
    }
    expect(new Set<unknown>(trips.keys())).toEqual(new Set<unknown>(positions.keys()))
    for (const [vehicle, [current]] of trips) expect(positions.get(vehicle)).toBe(current)
    expect(new Set([...trips.values()].map(({ length }) => length))).toEqual(new Set([1, 2, 3]))
  })

  test('announce stops in their order, from the report on, arrival and departure alike', () => {
    for (const { tripUpdate } of decode(body('bus-tu')).entity) {
      const stops = tripUpdate?.stopTimeUpdate ?? []
      expect(stops.length).toBeGreaterThan(0)
      const times = stops.map(({ arrival }) => Number(arrival?.time))
      expect(times).toEqual(stops.map(({ departure }) => Number(departure?.time)))
      expect(times).toEqual(times.toSorted((a, b) => a - b))
      expect(times[0]).toBeGreaterThanOrEqual(Number(tripUpdate?.timestamp))
      const places = stops.map(({ stopSequence }) => stopSequence ?? 0)
      expect(places).toEqual(places.map((_, i) => (places[0] ?? 0) + i))
    }
  })

  test('name as next trip what the bus then drives', () => {
    const ahead = new Map<string, string>()
    for (const { id, tripUpdate } of decode(body('bus-tu')).entity)
      ahead.set(`${tripUpdate?.vehicle?.id} ${id}`, id)
    const later = vehicles(decode(body('bus', PEAK + 900)))
    const known = later.filter(({ vehicle }) =>
      ahead.has(`${vehicle?.vehicle?.id} ${vehicle?.trip?.tripId}`),
    )
    expect(known.length / later.length).toBeGreaterThan(0.85)
  })
})

describe('alerts', () => {
  test('are as many as were counted, come and go, and never set cause or effect', () => {
    const counts = ['subway', 'bus', 'lirr', 'mnr', 'all'].map(
      (agency) => decode(body(`alerts-${agency}`)).entity.length,
    )
    expect(counts[4]).toBe(
      (counts[0] ?? 0) + (counts[1] ?? 0) + (counts[2] ?? 0) + (counts[3] ?? 0),
    )
    expect(counts[0]).toBeGreaterThan(140)
    expect(counts[1]).toBeGreaterThan(190)
    const [now, later] = [PEAK, PEAK + 3_600].map((time) =>
      decode(body('alerts-all', time)).entity.map(({ id }) => id),
    )
    expect(new Set(now).size).toBe(now?.length)
    expect((now ?? []).filter((id) => !later?.includes(id)).length).toBeGreaterThan(2)
    expect((later ?? []).filter((id) => !now?.includes(id)).length).toBeGreaterThan(2)
    for (const { id, alert } of decode(body('alerts-all')).entity) {
      expect(id).toMatch(/^lmm:(alert|planned_work):\d+$/)
      expect(Object.hasOwn(alert ?? {}, 'cause') || Object.hasOwn(alert ?? {}, 'effect')).toBe(
        false,
      )
      expect(alert?.headerText?.translation?.map(({ language }) => language)).toEqual([
        'en',
        'en-html',
      ])
    }
  })

  test('say the same as JSON, extensions by their full names', () => {
    const message = decode(body('alerts-subway'))
    const same = json('alerts-subway-json') as {
      header: { timestamp: number; 'transit_realtime.mercury_feed_header': object }
      entity: {
        id: string
        alert: {
          active_period: { start: number; end?: number }[]
          informed_entity: Record<string, unknown>[]
          header_text: { translation: { text: string; language: string }[] }
          'transit_realtime.mercury_alert': { alert_type: string; created_at: number }
        }
      }[]
    }
    expect(same.header.timestamp).toBe(Number(message.header.timestamp))
    expect(same.header['transit_realtime.mercury_feed_header']).toEqual({ mercury_version: '1.0' })
    expect(same.entity.map(({ id }) => id)).toEqual(message.entity.map(({ id }) => id))
    for (const [i, { alert }] of same.entity.entries()) {
      const decoded = message.entity[i]?.alert
      expect(alert.active_period.map(({ start }) => start)).toEqual(
        decoded?.activePeriod?.map(({ start }) => Number(start)),
      )
      expect(
        alert.informed_entity.map(({ agency_id, route_id, stop_id }) => [
          agency_id,
          route_id,
          stop_id ?? '',
        ]),
      ).toEqual(
        decoded?.informedEntity?.map((one) => [
          one.agencyId,
          Object.hasOwn(one, 'routeId') ? one.routeId : undefined,
          one.stopId ?? '',
        ]),
      )
      expect(alert.header_text.translation[0]?.text).toBe(
        decoded?.headerText?.translation?.[0]?.text,
      )
      const extension = Buffer.from(unknowns(decoded).join(''), 'hex').toString()
      expect(extension).toContain(alert['transit_realtime.mercury_alert'].alert_type)
      expect(alert['transit_realtime.mercury_alert'].created_at).toBeLessThanOrEqual(PEAK)
    }
  })

  test('of Bus Time’s own feed carry no extension', () => {
    const message = decode(body('bus-alerts'))
    expect(message.header.gtfsRealtimeVersion).toBe('1.0')
    expect(unknowns(message.header)).toEqual([])
    expect(message.entity.flatMap(({ alert }) => unknowns(alert))).toEqual([])
  })
})

describe('elevators and escalators', () => {
  test('outages are of the inventory’s equipment, with New York’s local times', () => {
    type Row = Readonly<Record<string, string>>
    const outages = json('ene') as Row[]
    const inventory = new Set((json('ene-equipments') as Row[]).map((row) => row['equipmentno']))
    expect(outages.length).toBeGreaterThan(90)
    expect(outages.length).toBeLessThan(200)
    for (const row of outages) {
      expect(Object.keys(row)).toEqual(
        'station borough trainno equipment equipmenttype serving ADA outagedate estimatedreturntoservice reason isupcomingoutage ismaintenanceoutage'.split(
          ' ',
        ),
      )
      expect(inventory.has(row['equipment'])).toBe(true)
      expect(row['outagedate']).toMatch(/^\d\d\/\d\d\/\d{4} (0[1-9]|1[0-2]):\d\d:\d\d [AP]M$/)
      expect(row['isupcomingoutage']).toBe('N')
    }
    const upcoming = json('ene-upcoming') as Row[]
    expect(upcoming.every((row) => row['isupcomingoutage'] === 'Y')).toBe(true)
  })
})

describe('SIRI vehicle monitoring', () => {
  test('shows the same buses on the same trips as the vehicle positions', () => {
    const expected = new Map(
      vehicles(decode(body('bus'))).map(({ vehicle }) => [vehicle?.vehicle?.id, vehicle]),
    )
    const all = journeys('version=2')
    expect(all).toHaveLength(expected.size)
    for (const journey of all) {
      const vehicle = expected.get(journey.VehicleRef)
      const [operator] = journey.VehicleRef.split('_')
      expect(journey.LineRef).toBe(`${operator}_${vehicle?.trip?.routeId}`)
      expect(journey.FramedVehicleJourneyRef).toEqual({
        DataFrameRef: vehicle?.trip?.startDate?.replace(/(....)(..)(..)/, '$1-$2-$3'),
        DatedVehicleJourneyRef: `${operator}_${vehicle?.trip?.tripId}`,
      })
      expect(journey.VehicleLocation.Latitude).toBeCloseTo(vehicle?.position?.latitude ?? 0, 4)
      expect(journey.VehicleLocation.Latitude).toBeGreaterThan(PLACES.start)
      expect(journey.VehicleLocation.Longitude).toBeLessThan(PLACES.east)
    }
  })

  test('has lists of names in version 2 and plain ones in version 1', () => {
    expect(journeys('version=2')[0]?.['PublishedLineName']).toEqual([expect.any(String)])
    const [first] = journeys('')
    expect(first?.['PublishedLineName']).toEqual(expect.any(String))
    expect(first?.['MonitoredCall']).toMatchObject({
      Extensions: { Distances: { PresentableDistance: expect.any(String) as string } },
    })
  })

  test('answers for one vehicle, one line, one direction, one operator', () => {
    const [any] = journeys('version=2')
    const number = any?.VehicleRef.split('_')[1]
    expect(journeys(`version=2&VehicleRef=${number}`)).toHaveLength(1)
    const line = journeys(`version=2&LineRef=${encodeURIComponent(any?.LineRef ?? '')}`)
    expect(new Set(line.map(({ LineRef }) => LineRef))).toEqual(new Set([any?.LineRef]))
    const company = journeys('version=2&OperatorRef=MTABC&DirectionRef=0')
    expect(company.length).toBeGreaterThan(20)
    expect(company.every((one) => one.VehicleRef.startsWith('MTABC_'))).toBe(true)
    expect(company.every((one) => one['DirectionRef'] === '0')).toBe(true)
  })

  test('says in the body that a line does not exist', () => {
    const answer = delivery('version=2&LineRef=MTA%20NYCT_B999')
    expect(answer?.ErrorCondition?.Description).toContain('B999')
    expect(answer?.VehicleActivity).toBeUndefined()
  })

  test('is smaller with less detail, larger with calls', () => {
    const [minimum, basic, normal] = ['minimum', 'basic', 'normal'].map(siriBytes)
    expect(minimum).toBeLessThan((normal ?? 0) * 0.65)
    expect(basic).toBeLessThan(normal ?? 0)
    expect(siriBytes('calls&MaximumNumberOfCallsOnwards=2')).toBeGreaterThan(normal ?? 0)
  })
})

test('all of it is the same for the same seed and instant, and another city with another seed', () => {
  const [again, other] = [createCity(1), createCity(2)]
  for (const { tag } of OTHER_FEEDS) {
    body(tag, PEAK - 7_200, '', again)
    expect([tag, body(tag, PEAK, '', again).equals(body(tag))]).toEqual([tag, true])
    expect([tag, body(tag, PEAK, '', other).equals(body(tag))]).toEqual([tag, false])
  }
})
