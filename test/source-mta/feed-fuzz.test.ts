// No body that a server may send brings the reading down.
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { FeedState } from '../../source-mta/feed-state.ts'
import type { PollOutcome } from '../../source-mta/outcome.ts'
import { PROFILES, PROFILE_NAMES } from '../../source-mta/profiles.ts'
import { subwayGeometry } from '../../source-mta/subway-geometry.ts'
import { SubwayPositions } from '../../source-mta/subway-positions.ts'
import { entityRecords, entityTopics } from '../../source-mta/entity-records.ts'
import { delimited } from '../../source-mta/wire.ts'
import { HEADER_S, bus, feedBody, field, gtfs } from '../support/feed-bodies.ts'

const OUTCOMES: readonly PollOutcome[] = [
  'OK',
  'UNCHANGED',
  'REGRESSED',
  'NOT_PROTOBUF',
  'TRUNCATED',
  'TOO_LARGE',
]

const train = gtfs.FeedEntity.encode({
  id: 't',
  tripUpdate: {
    trip: { tripId: '047150_A..N54R', startDate: '20240208', routeId: 'A' },
    stopTimeUpdate: [
      { stopId: 'A42N', departure: { time: HEADER_S - 5 } },
      { stopId: 'A41N', arrival: { time: HEADER_S + 60 } },
    ],
  },
}).finish()
const trip = Buffer.concat([
  gtfs.TripDescriptor.encode({ tripId: '047150_A..N54R', startDate: '20240208' }).finish(),
  field(1001, [0x10, 1]),
])
const SEED = Buffer.concat([
  feedBody([bus('1'), bus('2')]),
  delimited(2, train),
  field(2, [
    ...field(1, Buffer.from('v')),
    ...field(4, [...field(1, trip), 0x20, 1, ...field(7, Buffer.from('A42N'))]),
  ]),
])

const TOPICS = entityTopics('', 'both', true)

const mutation = fc.record({
  kind: fc.constantFrom('flip', 'cut', 'splice', 'huge', 'nest', 'repeat'),
  at: fc.nat({ max: SEED.length - 1 }),
  value: fc.nat({ max: 255 }),
  length: fc.nat({ max: 60 }),
})

function mutate(bytes: Buffer, m: { kind: string; at: number; value: number; length: number }) {
  const at = Math.min(m.at, bytes.length)
  const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)]
  switch (m.kind) {
    case 'cut':
      return before
    case 'splice':
      return Buffer.concat([before, after.subarray(m.length)])
    case 'huge':
      return Buffer.concat([before, Buffer.alloc(9, 0xff), Buffer.of(1), after])
    case 'nest':
      return Buffer.concat([before, Buffer.alloc(m.length * 10, 0x0b), after])
    case 'repeat':
      return Buffer.concat([bytes, after])
    default: {
      const copy = Buffer.from(bytes)
      copy[at] = m.value
      return copy
    }
  }
}

const newState = (profile: (typeof PROFILE_NAMES)[number]): FeedState =>
  new FeedState({
    feedId: 'f',
    profile: PROFILES[profile],
    entitiesMax: 100,
    emitMode: 'changed',
    heartbeatMs: 60_000,
    box: 'per-feed',
    retentionMs: 60_000,
    positions: profile === 'nyct' ? new SubwayPositions(subwayGeometry()) : undefined,
  })

const accept = (state: FeedState, bytes: Uint8Array) =>
  state.accept({ bytes, fetchedAtMs: HEADER_S * 1_000, etag: null, lastModified: null })

test('a mutated body is an outcome, and the good one after it is read in full', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...PROFILE_NAMES),
      fc.array(mutation, { minLength: 1, maxLength: 4 }),
      (profile, mutations) => {
        const state = newState(profile)
        const body = mutations.reduce(mutate, SEED)
        const result = accept(state, body)
        for (const event of result.events) {
          if (result.context !== undefined) entityRecords(result.context, event, TOPICS)
        }
        // As many as a repeated seed can have, lest it be taken for a body that was cut off.
        const buses = Array.from({ length: 40 }, (_, index) => bus(`${index}`, { stopId: 'good' }))
        const next = feedBody(buses, { timestamp: HEADER_S * 2 })
        const isByTrip = ['nyct', 'lirr', 'mnr'].includes(profile)
        const key = isByTrip ? 'trip of 1' : 'MTA NYCT_1'
        const good = accept(state, next)
        return (
          OUTCOMES.includes(result.outcome) &&
          good.events.some(({ recordKey }) => recordKey.includes(key))
        )
      },
    ),
    { numRuns: 2_000 },
  )
})

test('random bytes are never a feed', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const { outcome } = accept(newState('generic'), bytes)
      return outcome !== 'UNCHANGED' && OUTCOMES.includes(outcome)
    }),
    { numRuns: 2_000 },
  )
})

test('the seed itself is a whole feed', () => {
  expect(accept(newState('generic'), SEED)).toMatchObject({ outcome: 'OK', badEntities: 0 })
})
