// Nothing is lost of messages that no feed has sent yet: any fields, in any number, of any size, known or not.
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { EntityKind } from '../../source-mta/entity-kind.ts'
import { entityRecords, entityTopics } from '../../source-mta/entity-records.ts'
import { MODELS } from '../../source-mta/message-models.ts'
import { concat, delimited, varintField } from '../../source-mta/wire.ts'
import { canonical, merged } from '../support/canonical-message.ts'
import { acceptBody, newFeedState } from '../support/feed-fixtures.ts'
import { gtfs } from '../support/feed-bodies.ts'
import { knownPayload } from '../support/rebuilt-entity.ts'

const TOPICS = entityTopics('', 'nested', false)
const PAYLOADS = { vehicle: 'vehicle', trip_update: 'tripUpdate', alert: 'alert' } as const
const ENTITY_FIELDS = { trip_update: 3, vehicle: 4, alert: 5 } as const

/** A FeedMessage of one entity. */
function bodyOf(kind: EntityKind, payload: Uint8Array): Uint8Array {
  const header = gtfs.FeedHeader.encode({ gtfsRealtimeVersion: '2.0', timestamp: 1_707_397_155 })
  const entity = concat([delimited(1, Buffer.from('e')), delimited(ENTITY_FIELDS[kind], payload)])
  return concat([delimited(1, header.finish()), delimited(2, entity)])
}

/** What comes back of a payload, and what went in; undefined when a rule keeps it out. */
function roundTrip(kind: EntityKind, payload: Uint8Array) {
  const state = newFeedState('nyct', { kinds: [kind], positions: undefined })
  const { context, events, rejected, badEntities } = acceptBody(state, bodyOf(kind, payload))
  const [event] = events
  if (context === undefined || event === undefined) {
    if (rejected.length + badEntities === 0) throw new Error('An entity was lost')
    return undefined
  }
  const [record] = entityRecords(context, event, TOPICS)
  const model = MODELS.nyct[PAYLOADS[kind]]
  const value = record?.value ?? {}
  const unknown = value['unknown_fields']
  const known = canonical(knownPayload(kind, value), model)
  const again =
    unknown instanceof Uint8Array ? merged(known, canonical(unknown, model, true)) : known
  return [again, canonical(payload, model)] as const
}

type Part = fc.Arbitrary<Uint8Array>

const text = (field: number): Part =>
  fc
    .oneof(fc.string(), fc.string({ unit: 'binary' }), fc.constant('\u00e9'))
    .map((value) => delimited(field, Buffer.from(value)))
const brokenText = (field: number): Part =>
  fc.uint8Array({ maxLength: 5 }).map((bytes) => delimited(field, bytes))
const int = (field: number): Part =>
  fc
    .oneof(fc.nat({ max: 200 }), fc.nat(), fc.integer({ min: 2 ** 31, max: 2 ** 32 }))
    .map((value) => varintField(field, value))
const bool = (field: number): Part =>
  fc.constantFrom(0, 1).map((value) => varintField(field, value))
const time = (field: number): Part =>
  fc
    .oneof(fc.nat(), fc.constantFrom(1_707_397_155, 8.64e12, 8.64e12 + 1, 2 ** 52))
    .map((value) => varintField(field, value))
const stranger: Part = fc.oneof(text(99), int(2_000), int(77))

/** A message of some of these parts. */
const message = (field: number, ...parts: readonly Part[]): Part =>
  someOf(parts).map((payload) => delimited(field, payload))
const someOf = (parts: readonly Part[]): Part =>
  fc
    .tuple(...[...parts, stranger].map((part) => fc.option(part, { nil: new Uint8Array() })))
    .map((chosen) => concat(chosen))
const several = (part: Part): Part => fc.array(part, { maxLength: 4 }).map((all) => concat(all))

const nyct = message(
  1001,
  text(1),
  bool(2),
  fc.constantFrom(1, 3, 9).map((n) => varintField(3, n)),
)
const trip = (field: number): Part =>
  fc
    .tuple(
      text(1),
      message(field, text(2), text(3), int(4), text(5), int(6), message(7, text(1), text(2)), nyct),
    )
    .map(([id, rest]) => {
      const { length } = delimited(field, new Uint8Array())
      return delimited(field, concat([id, rest.subarray(rest.length < 128 ? length : length + 1)]))
    })
const namedTrip: Part = fc
  .tuple(text(2), text(3), int(6), nyct)
  .map((parts) => delimited(1, concat([delimited(1, Buffer.from('087900_1..N04R')), ...parts])))
const vehicle = (field: number): Part => message(field, text(1), brokenText(2), text(3), int(4))
const event = (field: number): Part => message(field, int(1), time(2), int(3), time(4))
const stop = message(
  2,
  int(1),
  event(2),
  event(3),
  text(4),
  int(5),
  message(6, text(1), text(2), int(3), int(4)),
  int(7),
  message(1001, text(1), text(2)),
)
const tripUpdate = fc
  .tuple(
    namedTrip,
    several(stop),
    someOf([vehicle(3), time(4), int(5), message(6, text(1), text(2), text(3), text(4))]),
  )
  .map((parts) => concat(parts))
const vehiclePosition = fc
  .tuple(
    namedTrip,
    someOf([int(3), int(4), int(6), text(7), vehicle(8), int(9), int(10)]),
    several(message(11, text(1), text(2), int(3), int(4), int(5), message(1005, int(1), text(2)))),
    message(1006, int(1), int(2)),
  )
  .map((parts) => concat(parts))
/** A translation must have a text. */
const translation: Part = fc
  .tuple(text(1), someOf([text(2)]))
  .map((parts) => delimited(1, concat(parts)))
const texts = (field: number): Part => message(field, several(translation))
const named = delimited(10, delimited(1, delimited(1, Buffer.from('header'))))
const selector = (field: number): Part =>
  message(field, text(1), text(2), int(3), trip(4), brokenText(5), int(6), message(1001, text(1)))
const mercury = message(
  1001,
  time(1),
  time(2),
  text(3),
  several(message(4, selector(1), texts(2))),
  several(text(5)),
  int(7),
  texts(8),
  int(9),
  several(selector(10)),
  texts(11),
  bool(12),
  text(13),
)
const alert = fc
  .tuple(
    several(message(1, time(1), time(2))),
    selector(5),
    someOf([int(6), int(7), texts(8), texts(11), texts(12), int(14), texts(17), mercury]),
  )
  .map((parts) => concat([...parts, named]))

describe('lossless: any', () => {
  test.each([
    ['trip_update', tripUpdate],
    ['vehicle', vehiclePosition],
    ['alert', alert],
  ] as const)('%s', (kind, payloads) => {
    let compared = 0
    fc.assert(
      fc.property(payloads, (payload) => {
        const result = roundTrip(kind, payload)
        if (result === undefined) return
        compared++
        expect(result[0]).toEqual(result[1])
      }),
      { numRuns: 300 },
    )
    expect(compared).toBeGreaterThan(100)
  })
})
