import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { decodePolyline as decodeOfSource } from '../../source-mta/polyline.ts'
import { METERS_PER_WORLD, project } from '../../ui/src/map/projection.ts'
import { decodePolyline, pointAt, shapeOf } from '../../ui/src/map/shapes.ts'

const GEOMETRY = JSON.parse(
  readFileSync(new URL('../../source-mta/static/subway.json', import.meta.url), 'utf8'),
) as {
  shapes: Record<string, string>
  patterns: Record<string, { len: number }>
}

describe('decodePolyline', () => {
  test("reads the example of the format's description", () => {
    expect(decodePolyline('_p~iF~ps|U_ulLnnqC_mqNvxq`@')).toEqual([
      [38.5, -120.2],
      [40.7, -120.95],
      [43.252, -126.453],
    ])
  })

  test('reads nothing from nothing', () => {
    expect(decodePolyline('')).toEqual([])
  })
})

describe('shapeOf', () => {
  test('puts a distance where the source connector puts it, on every track', () => {
    for (const [id, text] of Object.entries(GEOMETRY.shapes)) {
      const length = GEOMETRY.patterns[id]?.len ?? 0
      const ours = shapeOf(text, length)
      const theirs = decodeOfSource(text, length)
      for (const part of [0, 0.3, 0.77, 1]) {
        const { x, y } = pointAt(ours, length * part)
        const point = theirs.at(length * part, 1)
        const there = project(point.longitude, point.latitude)
        expect(Math.hypot(x - there.x, y - there.y) * METERS_PER_WORLD).toBeLessThan(3)
      }
    }
  })
})

describe('pointAt', () => {
  // From (0, 0) one degree to the east, then one to the north.
  const corner = shapeOf('???_ibE_ibE?')
  const half = (corner.meters.at(-1) ?? 0) / 2

  test('is at the ends for what is beyond them', () => {
    expect(pointAt(corner, -5).x).toBe(0.5)
    expect(pointAt(corner, half * 3)).toMatchObject({ x: 0.5 + 1 / 360 })
  })

  test('moves evenly and heads along its stretch', () => {
    expect(pointAt(corner, half / 2)).toMatchObject({
      x: expect.closeTo(0.5 + 0.5 / 360, 9),
      heading: expect.closeTo(Math.PI / 2, 6),
    })
    expect(pointAt(corner, half * 1.5).heading).toBeCloseTo(0, 6)
  })

  test('never leaves a real track and never jumps on it', () => {
    const shape = shapeOf(GEOMETRY.shapes['L..N01R'] ?? Object.values(GEOMETRY.shapes)[0] ?? '')
    const length = shape.meters.at(-1) ?? 0
    expect(length).toBeGreaterThan(1_000)
    let before = pointAt(shape, 0)
    for (let meters = 25; meters <= length; meters += 25) {
      const here = pointAt(shape, meters)
      const moved = Math.hypot(here.x - before.x, here.y - before.y) * METERS_PER_WORLD
      expect(moved).toBeLessThan(26)
      before = here
    }
  })
})
