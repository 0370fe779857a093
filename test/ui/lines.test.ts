import { describe, expect, test } from 'vitest'
import { byTrunk, kindOf, letterOf, LineColors, lineOf, textOn } from '../../ui/src/map/lines.ts'
import { bus, train } from '../support/vehicles.ts'

const COLORS = new LineColors([
  { id: '6', short: '6', long: 'Lexington Avenue Local', color: '009952' },
  { id: 'GS', short: 'S', long: '42 St Shuttle', color: '7C858C' },
])

describe('lines', () => {
  test('a feed tells what kind its vehicles are', () => {
    expect(
      ['mta-subway-1234567s', 'mta-bus-vp', 'icymta', 'mta-lirr', 'mta-mnr'].map(kindOf),
    ).toEqual(['subway', 'bus', 'bus', 'rail', 'rail'])
  })

  test('express trains and the feeds’ own names go by their line', () => {
    expect(['6X', 'FX', 'SS', 'S'].map((routeId) => lineOf(train('1', { routeId })))).toEqual([
      '6',
      'F',
      'SI',
      'GS',
    ])
    // A bus route of the same name is another thing.
    expect(lineOf(bus('1', { routeId: 'S' }))).toBe('S')
    expect(lineOf(bus('1', { feedId: 'mta-mnr', routeId: '1' }))).toBe('Metro-North')
  })

  test('all shuttles have the letter S', () => {
    expect(['GS', 'FS', 'H', 'SI', 'A'].map(letterOf)).toEqual(['S', 'S', 'S', 'SI', 'A'])
  })

  test('lines stand in the order of the subway map, unknown ones last', () => {
    expect(['Q', 'X', 'A', '7', 'GS'].sort(byTrunk)).toEqual(['7', 'A', 'Q', 'GS', 'X'])
  })

  test('colours come from the timetable, and a route that it does not know is grey', () => {
    expect(COLORS.of(train('1', { routeId: '6X' }))).toBe('#009952')
    expect(COLORS.letter(train('1', { routeId: 'S' }))).toBe('S')
    expect(COLORS.of(train('1', { routeId: 'K' }))).toBe('#6b7280')
    expect(COLORS.of(train('1', { routeId: null }))).toBe('#6b7280')
  })

  test('text on a colour is black or white, whichever can be read', () => {
    expect(textOn('#F6BC26')).toBe('#111827')
    expect(textOn('#0062CF')).toBe('#ffffff')
  })
})
