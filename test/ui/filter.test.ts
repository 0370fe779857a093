import { describe, expect, test } from 'vitest'
import { inReadingOrder, isShown, search, subwayLines, summarise } from '../../ui/src/map/filter.ts'
import { FleetStore } from '../../ui/src/map/fleet-store.ts'
import { bus, train } from '../support/vehicles.ts'

const rail = bus('7701', { key: 'mta-lirr|7701', feedId: 'mta-lirr', routeId: '9' })

function fleetOf(...vehicles: Parameters<FleetStore['apply']>[0]['vehicles'][number][]) {
  const store = new FleetStore()
  store.apply({ full: true, vehicles, gone: [] }, 0)
  return store
}

describe('isShown', () => {
  const kinds = new Set(['subway', 'bus'] as const)

  test('shows the kinds that are switched on', () => {
    expect(isShown(bus('1'), { line: undefined, kinds })).toBe(true)
    expect(isShown(rail, { line: undefined, kinds })).toBe(false)
  })

  test('shows one line only, with its express trains, whatever kinds are on', () => {
    const six = train('1', { routeId: '6X' })
    expect(isShown(six, { line: '6', kinds: new Set() })).toBe(true)
    expect(isShown(train('2'), { line: '6', kinds })).toBe(false)
  })
})

describe('summarise', () => {
  test('counts by kind and by line, express trains with their line, railroads as a whole', () => {
    const fleet = fleetOf(
      train('1', { routeId: '6' }),
      train('2', { routeId: '6X' }),
      train('3'),
      rail,
      bus('1'),
      bus('2'),
      bus('3', { routeId: null }),
    )
    const summary = summarise(fleet)
    expect(summary).toMatchObject({ total: 7, kinds: { subway: 3, rail: 1, bus: 3 } })
    expect(summary.lines).toEqual([
      { line: '6', kind: 'subway', vehicles: 2 },
      { line: 'M15', kind: 'bus', vehicles: 2 },
      { line: '?', kind: 'bus', vehicles: 1 },
      { line: 'L', kind: 'subway', vehicles: 1 },
      { line: 'LIRR', kind: 'rail', vehicles: 1 },
    ])
    expect(subwayLines(summary).map(({ line }) => line)).toEqual(['6', 'L'])
  })
})

describe('search', () => {
  const fleet = fleetOf(
    bus('4771', { routeId: 'M15' }),
    bus('4772', { routeId: 'M1' }),
    bus('4773', { routeId: 'BM1' }),
    train('x', { tripId: '070150_L..N01R' }),
  )

  test('finds a route: that very route, then what begins like it, then what has it in it', () => {
    const routes = search(fleet, ' m1 ', 10).vehicles.map(({ routeId }) => routeId)
    expect(routes).toEqual(['M1', 'M15', 'BM1'])
  })

  test('finds vehicles and trips by a part of their id, up to the limit', () => {
    expect(search(fleet, '4773', 10)).toMatchObject({ total: 1, vehicles: [{ routeId: 'BM1' }] })
    expect(search(fleet, 'l..n', 10).vehicles).toHaveLength(1)
    expect(search(fleet, '  ', 10)).toEqual({ vehicles: [], total: 0 })
    expect(search(fleet, 'nothing', 10)).toEqual({ vehicles: [], total: 0 })
  })

  test('tells how many there are beyond the limit', () => {
    const { vehicles, total } = search(fleet, '477', 2)
    expect(vehicles).toHaveLength(2)
    expect(total).toBe(3)
  })

  test('has a vehicle of just that number before those whose number only contains it', () => {
    const buses = fleetOf(bus('12', { label: '4770' }), bus('477'))
    expect(search(buses, '477', 1).vehicles.map(({ vehicleId }) => vehicleId)).toEqual(['477'])
  })
})

describe('inReadingOrder', () => {
  test('has trains before buses, by line', () => {
    const q = train('q', { routeId: 'Q' })
    const one = train('1', { routeId: '1' })
    expect(inReadingOrder([bus('1'), rail, q, one])).toEqual([one, q, rail, bus('1')])
  })
})
