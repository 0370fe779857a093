import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeStopTimes, decodeTrip, decodeVehicle } from '../../source-mta/decode.ts'
import { MODELS } from '../../source-mta/message-models.ts'
import { readNyct } from '../../source-mta/nyct.ts'
import { peekTripUpdate, peekVehicle, scanFeed } from '../../source-mta/scan.ts'
import { unmodelledFields } from '../../source-mta/unmodelled.ts'
import { TruncatedError, WireReader, delimited } from '../../source-mta/wire.ts'
import { bus, feedBody, field, gtfs } from '../support/feed-bodies.ts'

const { TripDescriptor, TripUpdate, VehiclePosition } = gtfs
const join = (...parts: readonly Uint8Array[]): Uint8Array => Buffer.concat(parts)
const text = (value: string): Uint8Array => Buffer.from(value)

const tripWith = (tripId: string, nyct: readonly number[]) =>
  decodeTrip(join(TripDescriptor.encode({ tripId }).finish(), field(1001, nyct)))

describe('decodeVehicle', () => {
  test('leaves out what the feed leaves out', () => {
    const vehicle = decodeVehicle(VehiclePosition.encode({}).finish())
    expect(vehicle).toMatchObject({ carriages: [], crowding: {} })
    const defined = Object.entries(vehicle).filter(([, value]) => value !== undefined)
    expect(defined.map(([name]) => name).sort()).toEqual(['carriages', 'crowding', 'trip'])
  })

  test('gives enums by name, and numbers that have none', () => {
    const { currentStatus, occupancyStatus } = decodeVehicle(
      VehiclePosition.encode({ currentStatus: 0, occupancyStatus: 77 as 1 }).finish(),
    )
    expect([currentStatus, occupancyStatus]).toEqual(['INCOMING_AT', 'UNKNOWN_77'])
  })

  test("reads the buses' crowding and the railroads' carriages", () => {
    const crowding = field(1006, [0x08, 12, 0x10, 65])
    const carriage = join(
      gtfs.VehiclePosition.CarriageDetails.encode({ id: '7', carriageSequence: 1 }).finish(),
      field(1005, [0x08, 2, 0x18, 1]),
      // Sent twice: protobuf merges.
      field(1005, [0x20, 1]),
    )
    const vehicle = decodeVehicle(join(crowding, field(11, carriage)))
    expect(vehicle.crowding).toEqual({ estimatedCount: 12, estimatedCapacity: 65 })
    expect(vehicle.carriages[0]).toMatchObject({
      id: '7',
      carriageSequence: 1,
      bicyclesAllowed: 2,
      quietCarriage: 'QUIET_CARRIAGE',
      toiletFacilities: 'TOILET_ONBOARD',
    })
  })

  test('refuses what is none', () => {
    expect(() => decodeVehicle(Uint8Array.of(0x12, 0x7f))).toThrow('Not a VehiclePosition')
  })
})

describe('decodeTrip', () => {
  test("reads NYCT's descriptor, merged from all its occurrences", () => {
    const twice = decodeTrip(join(field(1001, field(1, text('01 1439'))), field(1001, [0x10, 1])))
    expect(twice.nyct).toEqual({ trainId: '01 1439', isAssigned: true })
  })

  test('what NYCT leaves out is NORTH and not assigned', () => {
    expect(readNyct(tripWith('x', [])).fields).toEqual({
      trainId: null,
      isAssigned: false,
      direction: 'NORTH',
    })
  })

  test('the letter in the trip id wins over the direction', () => {
    expect(readNyct(tripWith('087900_1..S04R', [0x18, 3]))).toMatchObject({
      hasDirectionConflict: false,
    })
    expect(readNyct(tripWith('087900_1..N04R', [0x18, 3]))).toMatchObject({
      hasDirectionConflict: true,
      fields: { direction: 'NORTH' },
    })
    expect(readNyct(tripWith('087900_GS.S01R', []))).toMatchObject({
      hasDirectionConflict: true,
      fields: { direction: 'SOUTH' },
    })
  })
})

describe('decodeStopTimes', () => {
  test('gives the stops in order, without skipped and nameless ones', () => {
    const payload = TripUpdate.encode({
      trip: {},
      stopTimeUpdate: [
        { stopId: 'a', arrival: { time: 100 }, departure: { time: 110 } },
        { stopId: 'b', scheduleRelationship: 1 },
        { arrival: { time: 120 } },
        { stopId: 'c' },
      ],
    }).finish()
    expect(decodeStopTimes(payload)).toEqual([
      { stopId: 'a', arrival: 100, departure: 110 },
      { stopId: 'c', arrival: undefined, departure: undefined },
    ])
  })
})

describe('scanning', () => {
  test('finds the same as decoding', () => {
    const tripUpdate = { trip: { tripId: 'T', startDate: '20240208', routeId: 'A' } }
    const body = feedBody([{ ...bus('1'), tripUpdate }, bus('2')], { incrementality: 1 })
    const { header, entities } = scanFeed(body, 10)
    const message = gtfs.FeedMessage.decode(body)
    expect(header).toMatchObject({ timestamp: Number(message.header.timestamp), incrementality: 1 })
    expect(entities.map(({ id }) => id)).toEqual(message.entity.map(({ id }) => id))
    const [first] = entities
    expect(peekVehicle(first?.vehicle ?? new Uint8Array())).toMatchObject({
      vehicleId: 'MTA NYCT_1',
      timestamp: Number(message.entity[0]?.vehicle?.timestamp),
      trip: { tripId: 'trip of 1', startDate: '20240208', routeId: 'M15' },
    })
    const { trip } = peekTripUpdate(first?.tripUpdate ?? new Uint8Array())
    expect(trip).toEqual(tripUpdate.trip)
  })

  test('reads any integer as protobuf writes it', () => {
    fc.assert(
      fc.property(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), (value) => {
        const bytes = gtfs.TripUpdate.encode({ trip: {}, delay: value }).finish()
        const reader = new WireReader(bytes)
        while (reader.next()) if (reader.number === 5) return reader.integer() === value
        return false
      }),
    )
  })

  test('every cut within an entity is seen', () => {
    const body = feedBody([bus('1'), bus('2')])
    const whole = feedBody([bus('1')]).length
    const seen = Array.from({ length: body.length }, (_, end) => end).filter((end) => {
      try {
        scanFeed(body.slice(0, end), 10)
        return false
      } catch (error) {
        return !(error instanceof TruncatedError)
      }
    })
    // Without a header there is nothing that could be cut off.
    expect(seen).toEqual([0])
    expect(() => scanFeed(body.slice(0, whole), 10)).not.toThrow()
  })
})

describe('unmodelledFields', () => {
  test('keeps what the record has no column for, where it was', () => {
    const unknown = field(99, text('new'))
    const trip = join(TripDescriptor.encode({ tripId: 'T' }).finish(), unknown)
    const known = VehiclePosition.encode({ stopId: '1', vehicle: { id: 'v' } }).finish()
    expect(unmodelledFields(join(known, field(1, trip), unknown), MODELS.plain.vehicle)).toEqual(
      new Uint8Array(join(delimited(1, unknown), unknown)),
    )
  })

  test('is null for a vehicle without', () => {
    const payload = VehiclePosition.encode(bus('1').vehicle ?? {}).finish()
    expect(unmodelledFields(payload, MODELS.plain.vehicle)).toBeNull()
  })
})
