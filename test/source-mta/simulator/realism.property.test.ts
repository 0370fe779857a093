// What holds in every simulated city, at every instant.
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ALL_FEEDS, feedNamed } from '../../../source-mta/simulator/feed-catalog.ts'
import { FeedClock } from '../../../source-mta/simulator/feed-clock.ts'
import { FAULT_KINDS, FAULTS } from '../../../source-mta/simulator/fault-catalog.ts'
import { createCity, SimulatedCity } from '../../../source-mta/simulator/simulated-city.ts'
import { applyQuirk } from '../../../source-mta/simulator/spoil.ts'
import { metresBetween } from '../../../source-mta/simulator/track.ts'
import { mapNumber, numberOf, withFields } from '../../../source-mta/simulator/wire-edit.ts'
import { ProtobufWriter } from '../../../source-mta/simulator/protobuf-writer.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { decode, tripUpdates, vehicles } from './decoded.ts'

const FROM = Date.parse('2026-01-01T00:00:00-05:00') / 1000
const YEAR_S = 365 * 86_400
const BUS_MPS_MAX = 14
const TRAIN_MPS_MAX = 37
const GPS_ERROR_M = 15
const RUNS = { numRuns: 12 }

const instants = fc.integer({ min: FROM, max: FROM + YEAR_S })
const cities = [1, 2, 3].map((seed) => createCity(seed, { scale: 0.2 }))
const anyCity = fc.constantFrom(...cities)
const feed = (tag: string) => {
  const found = feedNamed(tag)
  if (found === undefined) throw new Error(`no feed ${tag}`)
  return found
}

describe('any city at any instant', () => {
  test('has the same bytes whatever was asked before', () => {
    const fresh = createCity(2, { scale: 0.2 })
    fc.assert(
      fc.property(instants, fc.constantFrom(...ALL_FEEDS), (time, one) => {
        const expected = cities[1]?.(one, time)
        expect(Buffer.from(fresh(one, time)).equals(Buffer.from(expected ?? []))).toBe(true)
      }),
      { numRuns: 12 },
    )
  })

  test('lets nothing teleport, and no report go back in time', () => {
    const speeds = { bus: BUS_MPS_MAX, lirr: TRAIN_MPS_MAX, mnr: TRAIN_MPS_MAX } as const
    fc.assert(
      fc.property(
        anyCity,
        instants,
        fc.constantFrom('bus' as const, 'lirr' as const, 'mnr' as const),
        fc.integer({ min: 10, max: 120 }),
        (city, time, tag, laterS) => {
          const fixes = (at: number) =>
            new Map(
              vehicles(decode(city(feed(tag), at))).flatMap(({ tripUpdate, vehicle }) => {
                const trip = (tripUpdate ?? vehicle)?.trip
                const key = `${vehicle?.vehicle?.id}|${trip?.tripId}|${trip?.startDate}`
                const { position, timestamp } = vehicle ?? {}
                return position == null
                  ? []
                  : [[key, { ...position, at: Number(timestamp) }] as const]
              }),
            )
          const before = fixes(time)
          for (const [key, now] of fixes(time + laterS)) {
            const then = before.get(key)
            if (then === undefined) continue
            expect(now.at).toBeGreaterThanOrEqual(then.at)
            const elapsed = now.at - then.at + (tag === 'mnr' ? 15 : 0)
            const metres = metresBetween(
              { latitude: then.latitude, longitude: then.longitude },
              { latitude: now.latitude, longitude: now.longitude },
            )
            expect(metres).toBeLessThanOrEqual(speeds[tag] * elapsed + GPS_ERROR_M)
          }
        },
      ),
      RUNS,
    )
  })

  test('announces the stops of a trip in their order and never in a faraway past', () => {
    fc.assert(
      fc.property(
        anyCity,
        instants,
        fc.constantFrom('1234567s', 'ace', 'l', 'lirr', 'mnr', 'bus-tu'),
        (city, time, tag) => {
          const message = decode(city(feed(tag), time))
          for (const { tripUpdate } of tripUpdates(message)) {
            const times = (tripUpdate?.stopTimeUpdate ?? []).flatMap(({ arrival, departure }) =>
              [arrival, departure].flatMap((event) => (event == null ? [] : [Number(event.time)])),
            )
            expect(times).toEqual(times.toSorted((a, b) => a - b))
            expect(times.at(-1)).toBeGreaterThanOrEqual(time - 60)
          }
        },
      ),
      RUNS,
    )
  })

  test('takes a train from one stop to the next, never back', () => {
    fc.assert(
      fc.property(anyCity, instants, fc.integer({ min: 15, max: 60 }), (city, time, laterS) => {
        const places = (at: number) =>
          new Map(
            vehicles(decode(city(feed('1234567s'), at))).map(({ vehicle }) => [
              `${vehicle?.trip?.tripId}|${vehicle?.trip?.startDate}`,
              { stop: vehicle?.currentStopSequence ?? 0, moved: Number(vehicle?.timestamp) },
            ]),
          )
        const before = places(time)
        for (const [key, now] of places(time + laterS)) {
          const then = before.get(key) ?? now
          expect(now.stop - then.stop).toBeGreaterThanOrEqual(0)
          expect(now.stop - then.stop).toBeLessThanOrEqual(3)
          expect(now.moved).toBeGreaterThanOrEqual(then.moved)
          expect(now.moved).toBeLessThanOrEqual(time + laterS)
        }
      }),
      RUNS,
    )
  })

  test('has header times that only go up, however the clock is driven forward', async () => {
    const order = fc.record({
      waitMs: fc.integer({ min: 0, max: 20_000 }),
      speed: fc.integer({ min: 1, max: 120 }),
      stepS: fc.integer({ min: 1, max: 100 }),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(order, { maxLength: 12 }), async (orders) => {
        const wall = new FakeClock({ nowMs: FROM * 1000 })
        const clock = new FeedClock({ clock: wall, speed: 1 })
        const city = new SimulatedCity({ clock, seed: 1, scale: 0.1 })
        let newest = 0
        for (const { waitMs, speed, stepS } of orders) {
          clock.set({ speed, stepS })
          await wall.advance(waitMs)
          const time = Number(decode(city.body(feed('g')).bytes).header.timestamp)
          expect(time).toBeGreaterThanOrEqual(newest)
          expect(time).toBeLessThanOrEqual(clock.now())
          newest = time
        }
      }),
      { numRuns: 6 },
    )
  })
})

describe('changes of encoded messages', () => {
  const kinds = FAULT_KINDS.flatMap((kind) => (FAULTS[kind].layer === 'content' ? [kind] : []))

  test('each peculiarity gives an intact message, of any feed, at any share', () => {
    const feeds = ALL_FEEDS.filter(
      ({ format, kind }) => format === 'protobuf' && kind !== 'bus-trips',
    )
    fc.assert(
      fc.property(
        fc.constantFrom(...kinds),
        fc.constantFrom(...feeds),
        fc.double({ min: 0.01, max: 1, noNaN: true }),
        instants,
        (kind, one, share, time) => {
          const body = cities[0]?.(one, time) ?? new Uint8Array()
          const played = applyQuirk(kind as Parameters<typeof applyQuirk>[0], body, share)
          expect(decode(played).header.gtfsRealtimeVersion).toMatch(/^\d/)
          expect(
            Buffer.from(played).equals(
              Buffer.from(applyQuirk(kind as Parameters<typeof applyQuirk>[0], body, share)),
            ),
          ).toBe(true)
        },
      ),
      { numRuns: 30 },
    )
  })

  test('numbers keep their sign and their neighbours', () => {
    fc.assert(
      fc.property(
        fc.integer(),
        fc.maxSafeNat(),
        fc.string(),
        fc.array(fc.string({ maxLength: 300 })),
        (signed, large, text, parts) => {
          const bytes = new ProtobufWriter()
            .string(1, text)
            .varint(2, signed)
            .message(3, (w) => {
              for (const part of parts) w.message(1, (inner) => inner.string(2, part))
            })
            .varint(4, large)
            .finish()
          expect(numberOf(bytes, 2)).toBe(signed)
          expect(numberOf(bytes, 4)).toBe(large)
          const raised = mapNumber(bytes, 2, (value) => value + 1)
          expect(numberOf(raised, 2)).toBe(signed + 1)
          expect(Buffer.from(withFields(raised, [2])).equals(withFields(bytes, [2]))).toBe(true)
        },
      ),
    )
  })
})
