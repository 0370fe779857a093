// The rows of MTA's lists of elevators and escalators (`nyct_ene*.json`): bare arrays of flat objects.
import { type JsonObject, booleanOf, objectOf, textOf } from '../json-values.ts'
import { instantOf } from '../local-time.ts'

/** Which of the lists a feed is: what is, or will be, out of service; or the inventory. */
export type EquipmentList = 'outages' | 'equipment'

/** One row, read. */
export interface EquipmentRow {
  readonly equipmentId: string | undefined
  /** Part of an outage's key; undefined in the inventory. */
  readonly outageDate: string | undefined
  readonly selectable: { readonly routes: readonly string[]; readonly stops: readonly string[] }
  /** The columns of its record from `equipment_id` on. */
  readonly columns: Readonly<Record<string, unknown>>
}

const OUTAGE_FIELDS = [
  'station',
  'borough',
  'trainno',
  'equipment',
  'equipmenttype',
  'serving',
  'ADA',
  'outagedate',
  'estimatedreturntoservice',
  'reason',
  'isupcomingoutage',
  'ismaintenanceoutage',
] as const
const EQUIPMENT_FIELDS = [
  'station',
  'borough',
  'trainno',
  'equipmentno',
  'equipmenttype',
  'serving',
  'ADA',
  'isactive',
  'nonNYCT',
  'shortdescription',
  'linesservedbyelevator',
  'elevatorsgtfsstopid',
] as const

/** Reads a row. Never throws: what is not there is null. `timeZone`: of the dates in it. */
export function readRow(row: unknown, list: EquipmentList, timeZone: string): EquipmentRow {
  const fields = objectOf(row)
  return list === 'outages' ? outage(fields, timeZone) : equipment(fields)
}

function outage(fields: JsonObject, timeZone: string): EquipmentRow {
  const equipmentId = textOf(fields['equipment'])
  const outageDate = textOf(fields['outagedate'])
  const returnDate = textOf(fields['estimatedreturntoservice'])
  return {
    equipmentId,
    outageDate,
    selectable: { routes: parts(fields['trainno']), stops: [] },
    columns: {
      ...common(fields, equipmentId),
      outage_at: localTime(outageDate, timeZone),
      outage_date_text: outageDate ?? null,
      estimated_return_at: localTime(returnDate, timeZone),
      estimated_return_text: returnDate ?? null,
      reason: textOf(fields['reason']) ?? null,
      is_upcoming_outage: booleanOf(fields['isupcomingoutage']) ?? null,
      is_maintenance_outage: booleanOf(fields['ismaintenanceoutage']) ?? null,
      other_json: rest(fields, OUTAGE_FIELDS),
    },
  }
}

function equipment(fields: JsonObject): EquipmentRow {
  const equipmentId = textOf(fields['equipmentno'])
  const lines = fields['linesservedbyelevator']
  const stops = fields['elevatorsgtfsstopid']
  return {
    equipmentId,
    outageDate: undefined,
    selectable: { routes: [...parts(fields['trainno']), ...parts(lines)], stops: parts(stops) },
    columns: {
      ...common(fields, equipmentId),
      is_active: booleanOf(fields['isactive']) ?? null,
      is_non_nyct: booleanOf(fields['nonNYCT']) ?? null,
      short_description: textOf(fields['shortdescription']) ?? null,
      lines_served: textOf(lines) ?? null,
      gtfs_stop_ids: textOf(stops) ?? null,
      other_json: rest(fields, EQUIPMENT_FIELDS),
    },
  }
}

const common = (fields: JsonObject, equipmentId: string | undefined): Record<string, unknown> => ({
  equipment_id: equipmentId ?? null,
  equipment_type: textOf(fields['equipmenttype']) ?? null,
  station: textOf(fields['station']) ?? null,
  borough: textOf(fields['borough']) ?? null,
  routes: textOf(fields['trainno']) ?? null,
  serving: textOf(fields['serving']) ?? null,
  is_ada: booleanOf(fields['ADA']) ?? null,
})

function rest(fields: JsonObject, known: readonly string[]): string | null {
  const others = Object.entries(fields).filter(([name]) => !known.includes(name))
  return others.length === 0 ? null : JSON.stringify(Object.fromEntries(others))
}

const parts = (value: unknown): readonly string[] =>
  (textOf(value) ?? '').split(/[/,]/).flatMap((part) => (part.trim() === '' ? [] : [part.trim()]))

const AMERICAN = /^(\d{1,2})\/(\d{1,2})\/(\d{4})(?:\s+(\d{1,2}):(\d{2})(?::(\d{2}))?\s*([AP])M)?$/i
const ISO_LOCAL = /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2}))?)?$/

/** `09/09/2026 10:00:00 PM` or `2026-09-09T22:00:00` on the clock there; null for any other text. */
function localTime(text: string | undefined, timeZone: string): Date | null {
  const wall = text === undefined ? undefined : wallTime(text)
  return wall === undefined ? null : new Date(instantOf(wall, timeZone))
}

const number = (digits: string | undefined): number => Number(digits ?? 0)

function wallTime(text: string): number | undefined {
  const american = AMERICAN.exec(text)
  const iso = ISO_LOCAL.exec(text)
  if (american !== null) {
    const [, month, day, year, hour, minute, second, half] = american
    const isAfternoon = half?.toUpperCase() === 'P'
    const hours = half === undefined ? 0 : (number(hour) % 12) + (isAfternoon ? 12 : 0)
    return checked([year, month, day].map(number), [hours, number(minute), number(second)])
  }
  if (iso === null) return undefined
  const [, year, month, day, hour, minute, second] = iso
  return checked([year, month, day].map(number), [hour, minute, second].map(number))
}

/** Milliseconds; undefined for a day or time that there is not. */
function checked(date: readonly number[], time: readonly number[]): number | undefined {
  const [year = 0, month = 0, day = 0] = date
  const [hour = 0, minute = 0, second = 0] = time
  const ms = Date.UTC(year, month - 1, day, hour, minute, second)
  const back = new Date(ms)
  const isSame =
    back.getUTCFullYear() === year &&
    back.getUTCMonth() === month - 1 &&
    back.getUTCDate() === day &&
    back.getUTCHours() === hour &&
    back.getUTCMinutes() === minute
  return isSame ? ms : undefined
}
