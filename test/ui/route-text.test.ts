import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatRoute, NEW_YORK, parseRoute, type Route } from '../../ui/src/route-text.ts'

const text = fc.string({ minLength: 1, unit: 'grapheme' })

describe('routes', () => {
  test('a view of the map can be shared by its address', () => {
    expect(parseRoute('#map=12.4/40.72/-73.94&line=L&v=mta-subway-l%7C1')).toEqual({
      page: 'map',
      view: { zoom: 12.4, latitude: 40.72, longitude: -73.94 },
      line: 'L',
      vehicle: 'mta-subway-l|1',
    })
  })

  test('what makes no sense is the map at its default', () => {
    for (const hash of [
      '',
      '#',
      '#map=x/y/z',
      '#map=99/0/0',
      '#map=5/95/0',
      '#nonsense',
      '#map=1',
    ]) {
      expect(parseRoute(hash)).toEqual({
        page: 'map',
        view: NEW_YORK,
        line: undefined,
        vehicle: undefined,
      })
    }
  })

  test('every name survives the way through the address bar', () => {
    fc.assert(
      fc.property(text, fc.option(text, { nil: undefined }), (name, line) => {
        const map: Route = {
          page: 'map',
          view: { zoom: 11, latitude: 40.7, longitude: -74 },
          line,
          vehicle: name,
        }
        const connector: Route = { page: 'connector', name }
        const list: Route = { page: 'connectors' }
        for (const route of [map, connector, list]) {
          expect(parseRoute(formatRoute(route))).toEqual(route)
        }
      }),
    )
  })
})
