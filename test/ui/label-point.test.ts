import { describe, expect, test } from 'vitest'
import { labelPoint } from '../../ui/src/map/label-point.ts'

const square = (x: number, y: number, side: number): [number, number][] => [
  [x, y],
  [x + side, y],
  [x + side, y + side],
  [x, y + side],
  [x, y],
]
const properties = { name: 'Somewhere' }

describe('labelPoint', () => {
  test('is the middle of a square, however it is turned', () => {
    const ring = square(-74, 40, 2)
    for (const coordinates of [[ring], [ring.toReversed()]]) {
      const [x, y] = labelPoint({ properties, geometry: { type: 'Polygon', coordinates } })
      expect([x, y]).toEqual([expect.closeTo(-73), expect.closeTo(41)])
    }
  })

  test('lies in the largest part and leaves holes out of account', () => {
    const coordinates = [[square(0, 0, 1)], [square(10, 10, 4), square(11, 11, 1)]]
    const point = labelPoint({ properties, geometry: { type: 'MultiPolygon', coordinates } })
    expect(point).toEqual([expect.closeTo(12), expect.closeTo(12)])
  })
})
