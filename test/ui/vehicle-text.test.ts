import { describe, expect, test } from 'vitest'
import { Geometry } from '../../ui/src/map/geometry.ts'
import { compass, nameOf, sourceOf, statusOf, wayOf } from '../../ui/src/map/vehicle-text.ts'
import { anchor, bus, train } from '../support/vehicles.ts'

const GEOMETRY = new Geometry({
  routes: [{ id: 'L', short: 'L', long: '14 St-Canarsie Local', color: '7C858C' }],
  shapes: { 'L..N01R': '??_ibE_ibE' },
  stops: [
    ['L01N', '8 Av'],
    ['L08N', 'Bedford Av'],
  ],
  ends: [['L..N01R', 'L01N', 1_000]],
})

describe('vehicles in words', () => {
  test('a train is named by its line and where it goes, by its trip or by its track', () => {
    expect(nameOf(train('1', { tripId: '070150_L..N01R' }), GEOMETRY)).toBe('L train to 8 Av')
    const onTrack = train('1', { tripId: '070150_L..N', anchor: anchor({ shapeId: 'L..N01R' }) })
    expect(nameOf(onTrack, GEOMETRY)).toBe('L train to 8 Av')
    expect(nameOf(train('1', { tripId: 'x' }), GEOMETRY)).toBe('L train')
  })

  test('a bus is named by its route and heading', () => {
    expect(nameOf(bus('1', { bearing: 88 }), GEOMETRY)).toBe('M15 bus heading east')
    expect(wayOf(bus('1'), GEOMETRY)).toBe('')
  })

  test('every bearing has a word', () => {
    expect([0, 44, 46, 135, 180, 225, 270, 315, 359, 720, -90].map(compass)).toEqual([
      'north',
      'north-east',
      'north-east',
      'south-east',
      'south',
      'south-west',
      'west',
      'north-west',
      'north',
      'north',
      'west',
    ])
  })

  test('a status names its stop, or the stop’s id when it is not the subway’s', () => {
    const cases: readonly (readonly [string | null, string | null, string | undefined])[] = [
      ['STOPPED_AT', 'L08N', 'at Bedford Av'],
      ['INCOMING_AT', 'L08N', 'arriving at Bedford Av'],
      ['IN_TRANSIT_TO', '401234', 'next stop: 401234'],
      [null, 'L08N', 'next stop: Bedford Av'],
      ['IN_TRANSIT_TO', null, undefined],
    ]
    for (const [status, stopId, text] of cases) {
      expect(statusOf(train('1', { status, stopId, source: 'AT_STOP' }), GEOMETRY)).toBe(text)
    }
    const onItsWay = train('1', { status: 'STOPPED_AT', stopId: 'L08N', source: 'INTERPOLATED' })
    expect(statusOf(onItsWay, GEOMETRY)).toBe('last reported at Bedford Av')
  })

  test('a position says how it is known', () => {
    expect(sourceOf(bus('1'))).toBe('GPS')
    expect(sourceOf(train('1'))).toContain('between stations')
    expect(sourceOf(bus('1', { source: 'ELSE' }))).toBe('ELSE')
  })
})
