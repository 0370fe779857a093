import { describe, expect, test } from 'vitest'
import {
  EquipmentReader,
  type EquipmentReaderOptions,
} from '../../../source-mta/equipment/equipment-reader.ts'
import type { Reading } from '../../../source-mta/feed-reader.ts'
import { EQUIPMENT_OUTAGE_SCHEMA, EQUIPMENT_SCHEMA } from '../../../source-mta/record-schemas.ts'
import { Selection } from '../../../source-mta/selection.ts'
import { siriText as json } from '../../support/siri-bodies.ts'

const AT_MS = Date.UTC(2026, 8, 9, 12)
const EVERYTHING = { routes: [], stops: [], directions: [], box: undefined }

const newReader = (options: Partial<EquipmentReaderOptions> = {}): EquipmentReader =>
  new EquipmentReader({
    feedId: 'mta-ene',
    list: 'outages',
    topic: 'mta.equipment_outage.v1',
    timeZone: 'America/New_York',
    entitiesMax: 1_000,
    emitMode: 'changed',
    heartbeatMs: 300_000,
    selection: new Selection(EVERYTHING),
    ...options,
  })

const outage = (equipment: string, over: Readonly<Record<string, unknown>> = {}) => ({
  station: '125 St',
  borough: 'MN',
  trainno: 'A/B/C/D',
  equipment,
  equipmenttype: 'EL',
  serving: 'street to mezzanine',
  ADA: 'Y',
  outagedate: '09/08/2026 10:05:00 PM',
  estimatedreturntoservice: '09/12/2026 12:00:00 AM',
  reason: 'Repair',
  isupcomingoutage: 'N',
  ismaintenanceoutage: 'N',
  ...over,
})

const accept = (reader: EquipmentReader, rows: unknown, atMs = AT_MS): Reading =>
  reader.accept({ bytes: json(rows), fetchedAtMs: atMs, etag: null, lastModified: null })

const events = ({ records }: Reading): readonly string[] =>
  records.map(({ value }) => {
    const { event_type: type, equipment_id: id } = value as Record<string, unknown>
    return `${String(type)} ${String(id)}`
  })

/** Six outages, of which two are of the same equipment with every prefix. */
const numbered = (prefix: string): readonly object[] =>
  Array.from({ length: 6 }, (_, n) => outage(n < 2 ? `EL${n}` : `${prefix}${n}`))

describe('outages', () => {
  test('become records, with their times as instants', () => {
    const { records, outcome } = accept(newReader(), [outage('EL224', { isbroken: 'Y' })])
    expect(outcome).toBe('OK')
    expect(records[0]).toMatchObject({
      topic: 'mta.equipment_outage.v1',
      key: 'mta-ene|EL224|09/08/2026 10:05:00 PM',
      value: {
        event_type: 'SNAPSHOT',
        equipment_id: 'EL224',
        equipment_type: 'EL',
        routes: 'A/B/C/D',
        is_ada: true,
        is_maintenance_outage: false,
        outage_at: new Date('2026-09-09T02:05:00Z'),
        estimated_return_at: new Date('2026-09-12T04:00:00Z'),
        outage_date_text: '09/08/2026 10:05:00 PM',
        other_json: '{"isbroken":"Y"}',
      },
    })
    expect(Object.keys(records[0]?.value as object)).toEqual(
      EQUIPMENT_OUTAGE_SCHEMA.fields?.map(({ name }) => name),
    )
  })

  test.each([
    ['01/31/2026 12:00:00 AM', '2026-01-31T05:00:00Z'],
    ['1/31/2026 12:30 PM', '2026-01-31T17:30:00Z'],
    ['2026-01-31T22:00:00', '2026-02-01T03:00:00Z'],
    ['01/31/2026', '2026-01-31T05:00:00Z'],
    // The hour that comes twice, and the one that never comes.
    ['11/01/2026 01:30:00 AM', '2026-11-01T05:30:00Z'],
    ['03/08/2026 02:30:00 AM', '2026-03-08T07:30:00Z'],
    ['02/30/2026 01:00:00 AM', null],
    ['soon', null],
  ])('%s on the clock there is %s', (outagedate, expected) => {
    const { records } = accept(newReader(), [outage('EL1', { outagedate })])
    const value = records[0]?.value as Readonly<Record<string, unknown>> | undefined
    expect(value?.['outage_at']).toEqual(expected === null ? null : new Date(expected))
  })

  test('are emitted when they change, and once more when they are over', () => {
    const reader = newReader()
    const all = ['EL1', 'EL2', 'EL3'].map((id) => outage(id))
    expect(events(accept(reader, all))).toHaveLength(3)
    expect(accept(reader, all)).toMatchObject({ outcome: 'UNCHANGED', records: [] })
    const next = [outage('EL1'), outage('EL2', { reason: 'Capital Replacement' })]
    expect(events(accept(reader, next))).toEqual(['CHANGED EL2', 'VANISHED EL3'])
  })

  test('are not over because a list is cut off, unless it stays so', () => {
    const reader = newReader()
    const ids = Array.from({ length: 10 }, (_, n) => `EL${n}`)
    accept(
      reader,
      ids.map((id) => outage(id)),
    )
    const readings = [1, 2, 3].map(() => accept(reader, [outage('EL0')]))
    expect(readings.map(({ outcome }) => outcome)).toEqual(['SHRUNK', 'SHRUNK', 'OK'])
    expect(readings[2]?.records).toHaveLength(9)
  })

  test('are not over because most have another number, unless it stays so', () => {
    const reader = newReader()
    accept(reader, numbered('EL'))
    const readings = [1, 2, 3].map((n) => accept(reader, numbered('X'), AT_MS + n))
    expect(readings.map(({ outcome }) => outcome)).toEqual(['SHRUNK', 'SHRUNK', 'OK'])
    expect(readings[1]?.reason).toBe('2 of 6 known rows are left')
    expect(events(accept(newReader(), numbered('EL')))).toHaveLength(6)
  })

  test('without an equipment number are rejected, twice in a list are counted', () => {
    const reading = accept(newReader(), [outage(''), outage('EL1'), outage('EL1'), null])
    expect(events(reading)).toEqual(['SNAPSHOT EL1'])
    expect(reading.rejected.map(({ code }) => code)).toEqual(['REQ_MISSING', 'REQ_MISSING'])
    expect(reading.quality.get('DUP_IN_MESSAGE')).toBe(1)
  })

  test.each([['{}'], ['[{]'], ['"x"']])('%s is no list', (text) => {
    const bytes = Buffer.from(text)
    const body = { bytes, fetchedAtMs: AT_MS, etag: null, lastModified: null }
    expect(newReader().accept(body)).toMatchObject({ outcome: 'NOT_JSON', records: [] })
  })

  test('of a known body bring nothing after a restart', () => {
    const first = newReader()
    accept(first, [outage('EL1')])
    const second = newReader()
    second.restore(first.offset)
    expect(accept(second, [outage('EL1')])).toMatchObject({ outcome: 'UNCHANGED', records: [] })
    expect(events(accept(second, [outage('EL1'), outage('EL2')]))).toEqual(['SNAPSHOT EL2'])
  })

  test('are repeated after the heartbeat, though the list is the same', () => {
    const reader = newReader({ emitMode: 'changed+heartbeat' })
    accept(reader, [outage('EL1')])
    expect(events(accept(reader, [outage('EL1')], AT_MS + 299_999))).toEqual([])
    expect(events(accept(reader, [outage('EL1')], AT_MS + 300_000))).toEqual(['HEARTBEAT EL1'])
  })

  test('are chosen by route', () => {
    const rules = { ...EVERYTHING, routes: ['7'] }
    const reading = accept(newReader({ selection: new Selection(rules) }), [
      outage('EL1'),
      outage('EL2', { trainno: 'N/W/7' }),
    ])
    expect(events(reading)).toEqual(['SNAPSHOT EL2'])
    expect(reading.filtered).toBe(1)
  })
})

test('the inventory has its own records', () => {
  const row = {
    station: '125 St',
    borough: 'MN',
    trainno: 'A/B/C/D',
    equipmentno: 'EL139',
    equipmenttype: 'EL',
    serving: 'mezzanine to platform',
    ADA: 'Y',
    isactive: 'Y',
    nonNYCT: 'N',
    shortdescription: 'Mezzanine to platform',
    linesservedbyelevator: 'A/B/C/D',
    elevatorsgtfsstopid: 'A15',
  }
  const { records } = accept(newReader({ list: 'equipment', topic: 'mta.equipment.v1' }), [row])
  expect(records[0]).toMatchObject({
    key: 'mta-ene|EL139',
    value: { is_active: true, is_non_nyct: false, gtfs_stop_ids: 'A15', other_json: null },
  })
  expect(Object.keys(records[0]?.value as object)).toEqual(
    EQUIPMENT_SCHEMA.fields?.map(({ name }) => name),
  )
})
