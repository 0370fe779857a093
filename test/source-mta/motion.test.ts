import { expect, test } from 'vitest'
import { Motion, metresBetween } from '../../source-mta/motion.ts'
import { HEADER_S, bus, feedBody } from '../support/feed-bodies.ts'
import { acceptBody, newFeedState } from '../support/feed-fixtures.ts'

/** North along a meridian. */
const fix = (at: number, metres: number, isStanding = false) => ({
  latitude: 40.7 + metres / 111_195,
  longitude: -74,
  at,
  isStanding,
})

test('measures along the great circle', () => {
  const there = { latitude: 40.7484, longitude: -73.9857 }
  expect(metresBetween({ latitude: 40.6892, longitude: -74.0445 }, there)).toBeCloseTo(8_242, -2)
})

test('a jump is one that no vehicle of its kind can make', () => {
  const motion = new Motion(35)
  expect(motion.check('a', fix(0, 0))).toEqual([])
  expect(motion.check('a', fix(30, 1_040))).toEqual([])
  expect(motion.check('a', fix(60, 2_120))).toEqual(['TELEPORT'])
  // From where it is now it goes on as usual.
  expect(motion.check('a', fix(90, 2_200))).toEqual([])
})

test('the same fix again says nothing, however often', () => {
  const motion = new Motion(35)
  motion.check('a', fix(0, 0))
  expect(motion.check('a', fix(0, 9_000))).toEqual([])
  expect(motion.check('a', fix(-5, 9_000))).toEqual([])
})

test('stuck is who does not stand and does not move for ten minutes', () => {
  const motion = new Motion(35)
  const codes = (isStanding: boolean, key: string) =>
    [0, 300, 599, 600, 900].map((at) => motion.check(key, fix(at, at % 7, isStanding)).join())
  expect(codes(false, 'a')).toEqual(['', '', '', 'STUCK', 'STUCK'])
  expect(codes(true, 'b')).toEqual(['', '', '', '', ''])
  expect(motion.check('a', fix(930, 300))).toEqual([])
})

test('what was forgotten begins anew', () => {
  const motion = new Motion(35)
  motion.check('a', fix(0, 0))
  motion.forget(1)
  expect(motion.check('a', fix(30, 90_000))).toEqual([])
})

const at = (seconds: number, latitude: number): Uint8Array =>
  feedBody(
    [bus('1', { position: { latitude, longitude: -73.98 }, timestamp: HEADER_S + seconds })],
    { timestamp: HEADER_S + seconds },
  )

test('a bus of GTFS-realtime that jumps is flagged, and counted', () => {
  const state = newFeedState('obanyc', { motion: new Motion(35) })
  acceptBody(state, at(0, 40.75))
  expect(acceptBody(state, at(30, 40.758)).events[0]?.flags).toEqual([])
  const { events, quality } = acceptBody(state, at(60, 40.8))
  expect(events[0]?.flags).toEqual(['TELEPORT'])
  expect(quality.get('TELEPORT')).toBe(1)
})

test('two buses on one trip are both flagged, also when only one of them changed', () => {
  const trip = { tripId: 't', startDate: '20240208', routeId: 'M15' }
  const state = newFeedState('obanyc')
  const first = acceptBody(state, feedBody([bus('1', { trip }), bus('2', { trip }), bus('3')]))
  expect(first.events.map(({ flags }) => flags.join())).toEqual([
    'TRIP_MULTI_VEHICLE',
    'TRIP_MULTI_VEHICLE',
    '',
  ])
  const moved = bus('2', { trip, timestamp: HEADER_S })
  const second = acceptBody(
    state,
    feedBody([bus('1', { trip }), moved, bus('3')], { timestamp: HEADER_S + 30 }),
  )
  expect(second.events.map(({ flags }) => flags.join())).toEqual(['TRIP_MULTI_VEHICLE'])
})
