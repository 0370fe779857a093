import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { cameraOf, METERS_PER_WORLD, project } from '../../ui/src/map/projection.ts'

describe('project', () => {
  test('puts the corners of the Mercator world at 0 and 1', () => {
    expect(project(-180, 85.0511287798)).toEqual({ x: 0, y: expect.closeTo(0, 9) })
    expect(project(180, -85.0511287798)).toEqual({ x: 1, y: expect.closeTo(1, 9) })
    expect(project(0, 0)).toEqual({ x: 0.5, y: 0.5 })
  })

  test('goes east with x and south with y', () => {
    const longitude = fc.double({ min: -170, max: 170, noNaN: true })
    const latitude = fc.double({ min: -80, max: 80, noNaN: true })
    fc.assert(
      fc.property(longitude, latitude, (lon, lat) => {
        const here = project(lon, lat)
        expect(project(lon + 1, lat).x).toBeGreaterThan(here.x)
        expect(project(lon, lat + 1).y).toBeLessThan(here.y)
      }),
    )
  })

  test('measures a kilometre in New York as a kilometre, to a few metres', () => {
    // 0.009 degrees of latitude are 1,000.8 m.
    const north = project(-73.94, 40.739)
    const south = project(-73.94, 40.73)
    expect((south.y - north.y) * METERS_PER_WORLD).toBeCloseTo(1_000.8, -1)
  })
})

describe('cameraOf', () => {
  test('shows the world on 512 pixels at zoom 0 and twice that at each level', () => {
    const view = { longitude: -73.94, latitude: 40.73, width: 800, height: 600 }
    expect(cameraOf({ ...view, zoom: 0 }).scale).toBe(512)
    expect(cameraOf({ ...view, zoom: 3 }).scale).toBe(4_096)
    const { centerX, centerY } = cameraOf({ ...view, zoom: 3 })
    expect({ x: centerX, y: centerY }).toEqual(project(-73.94, 40.73))
  })
})
