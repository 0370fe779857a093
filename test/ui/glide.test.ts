import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { easeAlong, glideAt, glideTo, stand } from '../../ui/src/map/glide.ts'

const part = fc.double({ min: 0, max: 1, noNaN: true })

describe('glideTo', () => {
  test('begins where the vehicle is drawn, arrives in time and then stands', () => {
    const first = glideTo(stand(0, 0, 0), { x: 1e-4, y: 0 }, { nowMs: 0, lastsMs: 10_000 })
    const second = glideTo(first, { x: 1e-4, y: 1e-4 }, { nowMs: 5_000, lastsMs: 10_000 })
    expect(glideAt(second, 5_000)).toEqual({ x: 5e-5, y: 0 })
    expect(glideAt(second, 10_000)).toEqual({ x: expect.closeTo(7.5e-5), y: 5e-5 })
    expect(glideAt(second, 15_000)).toEqual({ x: 1e-4, y: 1e-4 })
    expect(glideAt(second, 99_000)).toEqual({ x: 1e-4, y: 1e-4 })
  })

  test('jumps where a move makes no sense: too far, or no time for it', () => {
    const far = glideTo(stand(0, 0, 0), { x: 1e-3, y: 0 }, { nowMs: 0, lastsMs: 10_000 })
    expect(glideAt(far, 0)).toEqual({ x: 1e-3, y: 0 })
    const still = glideTo(stand(0, 0, 0), { x: 1e-5, y: 0 }, { nowMs: 0, lastsMs: 0 })
    expect(glideAt(still, 0)).toEqual({ x: 1e-5, y: 0 })
  })

  test('has no jump between two glides, whenever the second begins', () => {
    fc.assert(
      fc.property(part, part, (when, where) => {
        const nowMs = when * 10_000
        const first = glideTo(stand(0, 0, 0), { x: 1e-4, y: 0 }, { nowMs: 0, lastsMs: 10_000 })
        const to = { x: where * 1e-4, y: 1e-5 }
        const second = glideTo(first, to, { nowMs, lastsMs: 5_000 })
        expect(glideAt(second, nowMs)).toEqual(glideAt(first, nowMs))
      }),
    )
  })
})

const speed = (at: number): number => (easeAlong(at + 0.001) - easeAlong(at - 0.001)) / 0.002

describe('easeAlong', () => {
  test('goes from 0 to 1, never backwards, and nowhere before or after', () => {
    expect([easeAlong(-1), easeAlong(0), easeAlong(1), easeAlong(2)]).toEqual([0, 0, 1, 1])
    fc.assert(
      fc.property(part, part, (a, b) => {
        expect(easeAlong(Math.max(a, b))).toBeGreaterThanOrEqual(easeAlong(Math.min(a, b)))
        expect(easeAlong(a)).toBeLessThanOrEqual(1)
      }),
    )
  })

  test('starts and brakes: slow at the ends, even in the middle', () => {
    expect(speed(0.02)).toBeLessThan(0.3)
    expect(speed(0.98)).toBeLessThan(0.3)
    expect(speed(0.3)).toBeCloseTo(speed(0.7))
    expect(speed(0.5)).toBeCloseTo(1 / 0.85)
  })
})
