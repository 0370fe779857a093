import { readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Reading } from '../../../source-mta/feed-reader.ts'
import { PROFILES } from '../../../source-mta/profiles.ts'
import { BUS_VEHICLE_ACTIVITY_SCHEMA } from '../../../source-mta/record-schemas.ts'
import { Selection, type SelectionRules } from '../../../source-mta/selection.ts'
import { SiriReader, type SiriReaderOptions } from '../../../source-mta/siri/siri-reader.ts'
import { FEEDS, describeWith } from '../../support/needs.ts'
import { ANSWERED_AT_MS, activity, siriBody, siriText } from '../../support/siri-bodies.ts'

const EVERYTHING: SelectionRules = { routes: [], stops: [], directions: [], box: undefined }

function newReader(options: Partial<SiriReaderOptions> = {}): SiriReader {
  return new SiriReader({
    feedId: 'icymta-siri',
    topic: 'icymta',
    profile: PROFILES['siri-vm'],
    timeZone: 'America/New_York',
    entitiesMax: 10_000,
    emitMode: 'changed',
    heartbeatMs: 300_000,
    box: 'per-feed',
    retentionMs: 21_600_000,
    duplicateWindowMs: 300_000,
    selection: new Selection(EVERYTHING),
    ...options,
  })
}

const accept = (reader: SiriReader, bytes: Uint8Array, atMs = ANSWERED_AT_MS): Reading =>
  reader.accept({ bytes, fetchedAtMs: atMs, etag: null, lastModified: null })

const read = (bytes: Uint8Array, options?: Partial<SiriReaderOptions>): Reading =>
  accept(newReader(options), bytes)

const valuesOf = ({ records }: Reading): readonly Record<string, unknown>[] =>
  records.map(({ value }) => value as Record<string, unknown>)

/** At `seconds` after the first answer, recorded as long after the first record. */
const later = (seconds: number, latitude = 40.789459229, vehicle = '1'): Uint8Array =>
  siriBody(
    [
      activity(vehicle, {
        journey: { VehicleLocation: { Longitude: -73.954627991, Latitude: latitude } },
        activity: {
          RecordedAtTime: new Date(Date.UTC(2025, 7, 7, 22, 15, 8) + seconds * 1_000).toISOString(),
        },
      }),
    ],
    ANSWERED_AT_MS + seconds * 1_000,
  )

/** Two buses, of which the second differs with `n`. */
const visits = (n: number): Uint8Array =>
  siriBody([activity('1'), activity('2', { call: { VisitNumber: n } })], ANSWERED_AT_MS + n)

/** The same buses in an answer given so many seconds after the first. */
function answeredAt(body: Uint8Array, seconds: number): Uint8Array {
  const stamp = `"ResponseTimestamp":"${new Date(ANSWERED_AT_MS + seconds * 1_000).toISOString()}"`
  return Buffer.from(
    Buffer.from(body)
      .toString()
      .replaceAll(/"ResponseTimestamp":"[^"]+"/g, stamp),
  )
}

const place = (Latitude: unknown, Longitude: unknown) => ({
  journey: { VehicleLocation: { Latitude, Longitude } },
})

describe('a SIRI answer', () => {
  test('becomes records of the 43 columns, typed', () => {
    const { outcome, records } = read(siriBody([activity('9782')]))
    expect(outcome).toBe('OK')
    expect(records[0]).toMatchObject({ topic: 'icymta', key: 'MTA NYCT_9782' })
    const [value = {}] = valuesOf(read(siriBody([activity('9782')])))
    expect(Object.keys(value).toSorted()).toEqual(
      BUS_VEHICLE_ACTIVITY_SCHEMA.fields?.map(({ name }) => name).toSorted(),
    )
    expect(value).toMatchObject({
      VEHICLEREF: 'MTA NYCT_9782',
      LINEREF: 'MTA NYCT_M3',
      PUBLISHEDLINENAME: 'M3',
      STOPPOINT: null,
      STOPPOINTNAME: '5 AV/E 98 ST',
      VISITNUMBER: 1,
      DISTANCEFROMSTOP: 37,
      NUMBEROFSTOPSAWAY: 0,
      MONITORED: true,
      BEARING: 233.790542603,
      SITUATIONSIMPLEREF1: 'MTA NYCT_lmm:planned_work:23566',
      SITUATIONSIMPLEREF2: null,
      ORIGINAIMEDDEPARTURETIME: null,
      PROGRESSSTATUS: null,
      ESTIMATEDPASSENGERCOUNT: 13,
      EXPECTEDARRIVALTIME: new Date('2025-08-07T22:15:35.025Z'),
      RECORDEDATTIME: new Date('2025-08-07T22:15:08.788Z'),
      DATE: new Date('2025-08-07T00:00:00Z'),
      TS: new Date(ANSWERED_AT_MS),
      INGESTION_TIME: new Date(ANSWERED_AT_MS),
      SOURCE_SYSTEM: 'MTA_REALTIME',
      PROCESSING_STATUS: 'PROCESSED',
    })
    expect(value['UUID']).toMatch(
      /^[\da-f]{8}-[\da-f]{4}-8[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/,
    )
  })

  test('of version 1 has texts instead of lists, and its distances elsewhere', () => {
    const [value] = valuesOf(
      read(
        siriBody([
          activity('1', {
            journey: {
              PublishedLineName: 'M3',
              DestinationName: 'HOME',
              ProgressStatus: 'layover',
            },
            call: {
              ArrivalProximityText: undefined,
              DistanceFromStop: undefined,
              NumberOfStopsAway: undefined,
              StopPointName: '5 AV',
              Extensions: {
                Distances: {
                  PresentableDistance: '0.6 miles away',
                  DistanceFromCall: 966.5,
                  StopsFromCall: 3,
                },
              },
            },
          }),
        ]),
      ),
    )
    expect(value).toMatchObject({
      PUBLISHEDLINENAME: 'M3',
      DESTINATIONNAME: 'HOME',
      PROGRESSSTATUS: 'layover',
      STOPPOINTNAME: '5 AV',
      ARRIVALPROXIMITYTEXT: '0.6 miles away',
      DISTANCEFROMSTOP: 966.5,
      NUMBEROFSTOPSAWAY: 3,
    })
  })

  test('late in the evening is of the day in New York', () => {
    const atMs = Date.UTC(2025, 7, 8, 1, 0)
    const body = siriBody([activity('1')], atMs)
    expect(valuesOf(accept(newReader(), body, atMs))[0]?.['DATE']).toEqual(new Date('2025-08-07'))
  })

  test('with an ErrorCondition is an error of the service, with its text', () => {
    const error = { OtherError: { ErrorText: 'no such line' }, Description: 'LineRef' }
    const body = siriText({
      Siri: { ServiceDelivery: { VehicleMonitoringDelivery: [{ ErrorCondition: error }] } },
    })
    expect(read(body)).toMatchObject({ outcome: 'SERVICE_ERROR', reason: 'no such line; LineRef' })
  })

  test.each([
    ['{"Siri":', 'NOT_JSON'],
    ['[]', 'NOT_JSON'],
    ['{"Siri":{}}', 'NOT_JSON'],
    ['{"Siri":{"ServiceDelivery":{"VehicleMonitoringDelivery":[null]}}}', 'NOT_JSON'],
    ['['.repeat(200_000), 'NOT_JSON'],
  ])('%.30s is no delivery', (text, outcome) => {
    expect(read(Buffer.from(text))).toMatchObject({ outcome, records: [] })
  })

  test('that is nested like nothing on earth is refused, brackets in texts are not', () => {
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`
    const text = Buffer.from(siriBody([activity('1'), 'DEEP'])).toString()
    expect(read(Buffer.from(text.replace('"DEEP"', deep)))).toMatchObject({ outcome: 'NOT_JSON' })
    const brackets = `${'[{'.repeat(100)}\\"${'{['.repeat(100)}`
    const named = activity('1', { journey: { DestinationName: [brackets] } })
    expect(valuesOf(read(siriBody([named])))[0]?.['DESTINATIONNAME']).toBe(brackets)
  })

  test('with more vehicles than allowed is refused', () => {
    const body = siriBody([activity('1'), activity('2')])
    expect(read(body, { entitiesMax: 1 }).outcome).toBe('TOO_LARGE')
  })
})

describe('change', () => {
  test('only what differs is emitted, and an unchanged bus after the heartbeat', () => {
    const reader = newReader({ emitMode: 'changed+heartbeat' })
    expect(accept(reader, visits(1)).records).toHaveLength(2)
    const second = accept(reader, visits(2), ANSWERED_AT_MS + 30_000)
    expect(second.records.map(({ key }) => key)).toEqual(['MTA NYCT_2'])
    const third = accept(reader, visits(3), ANSWERED_AT_MS + 300_000)
    expect(third.records.map(({ key }) => key)).toEqual(['MTA NYCT_1', 'MTA NYCT_2'])
  })

  test('the same body is UNCHANGED, also after a restart', () => {
    const first = newReader()
    const body = siriBody([activity('1')])
    accept(first, body)
    expect(accept(first, body)).toMatchObject({ outcome: 'UNCHANGED', records: [] })
    const second = newReader()
    second.restore(first.offset)
    expect(accept(second, body)).toMatchObject({ outcome: 'UNCHANGED', records: [] })
    expect(accept(second, later(30)).records).toHaveLength(1)
  })

  test('an answer that is older than the last is dropped, and believed the third time', () => {
    const reader = newReader()
    accept(reader, later(60))
    const outcomes = [0, 1, 2].map((s) => accept(reader, later(s)).outcome)
    expect(outcomes).toEqual(['REGRESSED', 'REGRESSED', 'OK'])
  })

  test('an observation that was emitted a moment ago is a duplicate, not news', () => {
    const reader = newReader()
    accept(reader, later(0))
    accept(reader, later(30, 40.79))
    const stale = accept(reader, answeredAt(later(0), 60), ANSWERED_AT_MS + 60_000)
    expect([...stale.quality]).toEqual([['DUPLICATE', 1]])
    expect(stale.records).toEqual([])
    const fresh = accept(reader, answeredAt(later(30, 40.79), 90), ANSWERED_AT_MS + 90_000)
    expect(fresh).toMatchObject({ records: [], quality: new Map() })
  })

  test('the same observation has the same UUID in every run', () => {
    const [a] = valuesOf(read(siriBody([activity('1')])))
    const [b] = valuesOf(read(siriBody([activity('2'), activity('1')], ANSWERED_AT_MS + 9)))
    const [, c] = valuesOf(read(siriBody([activity('2'), activity('1')], ANSWERED_AT_MS + 9)))
    expect(a?.['UUID']).toBe(c?.['UUID'])
    expect(a?.['UUID']).not.toBe(b?.['UUID'])
  })
})

describe('quality', () => {
  test.each([
    ['no VehicleRef', { journey: { VehicleRef: '' } }, 'REQ_MISSING'],
    ['no LineRef', { journey: { LineRef: undefined } }, 'REQ_MISSING'],
    ['no RecordedAtTime', { activity: { RecordedAtTime: undefined } }, 'REQ_MISSING'],
    ['no time', { activity: { RecordedAtTime: 'yesterday' } }, 'TS_RANGE'],
    ['1970', { activity: { RecordedAtTime: '1970-01-01T00:00:00Z' } }, 'TS_RANGE'],
    ['next week', { activity: { RecordedAtTime: '2025-08-14T00:00:00Z' } }, 'TS_RANGE'],
    ['a text as place', place('here', 'there'), 'COORD_FORMAT'],
    ['a latitude beyond the pole', place(91, 0), 'COORD_FORMAT'],
    ['half a place', place(40.7, undefined), 'COORD_FORMAT'],
    ['null island', place(0, 0), 'COORD_ZERO'],
  ])('%s is rejected, with the raw entity', (_name, over, code) => {
    const entity = activity('1', over)
    const reading = read(siriBody([entity, activity('2')]))
    expect(reading.records.map(({ key }) => key)).toEqual(['MTA NYCT_2'])
    expect(reading.rejected).toHaveLength(1)
    expect(reading.rejected[0]).toMatchObject({ code })
    expect(reading.rejected[0]?.reason).not.toBe('')
    const raw = Buffer.from(reading.rejected[0]?.entity ?? []).toString()
    expect(JSON.parse(raw)).toEqual(JSON.parse(JSON.stringify(entity)))
    expect(reading).toMatchObject({ checked: 2, clean: 1, quality: new Map([[code, 1]]) })
  })

  test.each([
    ['in Philadelphia', place(39.95, -75.16), 'COORD_OUT_OF_BOX'],
    ['from the future', { activity: { RecordedAtTime: '2025-08-07T22:17:30Z' } }, 'TS_FUTURE'],
    [
      'a minute and a half old',
      { activity: { RecordedAtTime: '2025-08-07T22:14:00Z' } },
      'TS_STALE',
    ],
    ['turned too far', { journey: { Bearing: 400 } }, 'BEARING_RANGE'],
    [
      'overfull',
      {
        call: {
          Extensions: {
            Capacities: { EstimatedPassengerCount: 121, EstimatedPassengerCapacity: 80 },
          },
        },
      },
      'PAX_OVER_CAPACITY',
    ],
  ])('a bus %s is flagged and emitted', (_name, over, code) => {
    const reading = read(siriBody([activity('1', over)]))
    expect(valuesOf(reading)[0]?.['PROCESSING_STATUS']).toBe(`FLAGGED:${code}`)
    expect(reading).toMatchObject({ checked: 1, clean: 0, quality: new Map([[code, 1]]) })
  })

  test('a bearing is brought back into the circle', () => {
    const [value] = valuesOf(read(siriBody([activity('1', { journey: { Bearing: -90 } })])))
    expect(value?.['BEARING']).toBe(270)
  })

  test('of two with one VehicleRef the newest is taken', () => {
    const old = activity('1', { activity: { RecordedAtTime: '2025-08-07T22:15:00Z' } })
    const reading = read(siriBody([old, activity('1'), old]))
    expect(valuesOf(reading)).toHaveLength(1)
    expect(valuesOf(reading)[0]?.['RECORDEDATTIME']).toEqual(new Date('2025-08-07T22:15:08.788Z'))
    expect(reading.quality.get('DUP_IN_MESSAGE')).toBe(2)
  })

  test('a bus that flies is flagged, one that drives is not', () => {
    const reader = newReader()
    accept(reader, later(0))
    // 0.005 degrees are 556 m: 18.5 m/s.
    const drives = accept(reader, later(30, 40.794459229), ANSWERED_AT_MS + 30_000)
    expect(drives.quality.size).toBe(0)
    const flies = accept(reader, later(60, 40.82), ANSWERED_AT_MS + 60_000)
    expect([...flies.quality.keys()]).toEqual(['TELEPORT'])
  })

  test('a bus that says it moves and does not for ten minutes is stuck', () => {
    const reader = newReader()
    const codes = Array.from({ length: 21 }, (_, n) => [
      ...accept(reader, later(n * 30), ANSWERED_AT_MS + n * 30_000).quality.keys(),
    ])
    expect(codes.slice(0, 20).flat()).toEqual([])
    expect(codes[20]).toEqual(['STUCK'])
  })
})

describe('selection', () => {
  const buses = [
    activity('1'),
    activity('2', { journey: { LineRef: 'MTABC_Q100', PublishedLineName: ['Q100'] } }),
    activity('3', { journey: { DirectionRef: '0' } }),
    activity('4', { call: { StopPointRef: 'MTA_1' } }),
    activity('5', { journey: { VehicleLocation: { Latitude: 40.6, Longitude: -74 } } }),
  ]
  test.each([
    [{ routes: ['M3'] }, '1 3 4 5'],
    [{ routes: ['MTABC_Q100'] }, '2'],
    [{ directions: ['0'] }, '3'],
    [{ stops: ['1', 'MTA_9'] }, '4'],
    [{ box: { south: 40.5, north: 40.7, west: -75, east: -73 } }, '5'],
    [{ routes: ['M3'], directions: ['1'], stops: ['404081'] }, '1 5'],
  ])('%o', (rules, expected) => {
    const reading = read(siriBody(buses), { selection: new Selection({ ...EVERYTHING, ...rules }) })
    expect(reading.records.map(({ key }) => key.slice('MTA NYCT_'.length)).join(' ')).toBe(expected)
    expect(reading.filtered).toBe(5 - reading.records.length)
  })
})

describeWith(['feeds'], 'a recorded answer', () => {
  test('brings all its 1,500 buses, each with what it says', () => {
    const file = path.join(FEEDS, 'DERIVED_siri_vehicle_monitoring_20250807.json')
    const reading = read(readFileSync(file))
    expect(reading).toMatchObject({ outcome: 'OK', entities: 1_500, rejected: [] })
    const values = valuesOf(reading)
    expect(values).toHaveLength(1_500)
    const count = (holds: (value: Record<string, unknown>) => boolean): number =>
      values.filter((value) => holds(value)).length
    expect(count(({ PROGRESSRATE }) => PROGRESSRATE === 'normalProgress')).toBe(1_347)
    expect(count(({ PROGRESSSTATUS }) => PROGRESSSTATUS === 'layover')).toBe(151)
    expect(count(({ ARRIVALPROXIMITYTEXT }) => ARRIVALPROXIMITYTEXT === 'at stop')).toBe(355)
    expect(count(({ RECORDEDATTIME }) => RECORDEDATTIME instanceof Date)).toBe(1_500)
  })

  test('and the earlier table have the same columns in the same order', () => {
    const csv = readFileSync(path.join(FEEDS, 'icymta_sample.csv'), 'utf8')
    const columns = csv
      .replace(/^\uFEFF/, '')
      .split(/\r?\n/, 1)[0]
      ?.split(',')
    expect(columns).toHaveLength(43)
    expect(BUS_VEHICLE_ACTIVITY_SCHEMA.fields?.map(({ name }) => name)).toEqual(columns)
  })
})
