import { describe, expect, test } from 'vitest'
import { Geometry } from '../../ui/src/map/geometry.ts'
import { compass, idOf, nameOf, sourceOf, statusOf, wayOf } from '../../ui/src/map/vehicle-text.ts'
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

  test('a status names its stop, or says that it is an id', () => {
    const cases: readonly (readonly [string | null, string | null, string | undefined])[] = [
      ['STOPPED_AT', 'L08N', 'at Bedford Av'],
      ['INCOMING_AT', 'L08N', 'arriving at Bedford Av'],
      ['IN_TRANSIT_TO', 'L99N', 'next stop: L99N'],
      ['STOPPED_AT', 'L99N', 'at stop L99N'],
      [null, 'L08N', 'next stop: Bedford Av'],
      ['IN_TRANSIT_TO', null, undefined],
    ]
    for (const [status, stopId, text] of cases) {
      expect(statusOf(train('1', { status, stopId, source: 'AT_STOP' }), GEOMETRY)).toBe(text)
    }
    const onItsWay = train('1', { status: 'STOPPED_AT', stopId: 'L08N', source: 'INTERPOLATED' })
    expect(statusOf(onItsWay, GEOMETRY)).toBe('last reported at Bedford Av')
  })

  test('a stop of another feed has no subway station’s name, even if their ids are the same', () => {
    const other = new Geometry({
      routes: [],
      shapes: {},
      stops: [['237', 'Grand Army Plaza']],
      ends: [],
    })
    const at237 = { status: 'STOPPED_AT', stopId: '237' }
    expect(statusOf(train('1', { ...at237, source: 'AT_STOP' }), other)).toBe('at Grand Army Plaza')
    for (const feedId of ['mta-lirr', 'mta-mnr', 'mta-bus-vp', 'icymta']) {
      expect(statusOf(bus('1', { ...at237, feedId }), other)).toBe('at stop 237')
    }
  })

  test('a vehicle among others of its line is told by its label, its number or its trip', () => {
    expect(idOf(bus('4771', { label: 'Bus 4771' }))).toBe('Bus 4771')
    expect(idOf(bus('4771', { label: '' }))).toBe('4771')
    expect(idOf(bus('4771', { vehicleId: null, tripId: 't1' }))).toBe('t1')
    expect(idOf(bus('4771', { vehicleId: null }))).toBe('mta-bus-vp|4771')
  })

  test('a position says how it is known', () => {
    expect(sourceOf(bus('1'))).toBe('GPS')
    expect(sourceOf(train('1'))).toContain('between stations')
    expect(sourceOf(bus('1', { source: 'ELSE' }))).toBe('ELSE')
  })
})
