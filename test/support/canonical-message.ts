// A message in one form, however it was written: fields by number, a message that occurs twice merged, defaults that
// mean the same as nothing filled in.
import { LEAF, type MessageModel } from '../../source-mta/message-models.ts'
import { WIRE, WireReader, concat } from '../../source-mta/wire.ts'

/** Field → its values: numbers and bytes as text, messages as such. */
export interface Canonical {
  readonly [field: number]: readonly (string | Canonical)[]
}

/** Extensions whose absent fields mean something: NYCT's trip, and the railroads' stop, whose empty texts mean nothing. */
const NYCT = 1001
const MTA_RAILROAD = 1005

/**
 * The canonical form of a payload; of fields that the model does not know, their bytes. `isPart`: it says only a part of
 * what there is, so that what is absent means nothing.
 */
export function canonical(payload: Uint8Array, model: MessageModel, isPart = false): Canonical {
  const fields: Record<number, (string | Canonical)[]> = {}
  const singles = new Map<number, Uint8Array[]>()
  const reader = new WireReader(payload)
  while (reader.next()) {
    const { number } = reader
    const field = model.field(number)
    if (typeof field !== 'object' || reader.wireType !== WIRE.bytes) {
      const value = scalar(reader, field)
      if (field === undefined || field === LEAF.texts) (fields[number] ??= []).push(value)
      else fields[number] = [value]
    } else if (field.isRepeated) {
      ;(fields[number] ??= []).push(canonical(reader.payload(), field.model, isPart))
    } else singles.set(number, [...(singles.get(number) ?? []), reader.payload()])
  }
  for (const [number, payloads] of singles) {
    const field = model.field(number)
    if (typeof field !== 'object') continue
    const inner = canonical(concat(payloads), field.model, isPart)
    const value = isPart
      ? said(number, inner, field.model)
      : withDefaults(number, inner, field.model)
    if (value !== undefined) fields[number] = [value]
  }
  return fields
}

function withDefaults(
  number: number,
  inner: Canonical,
  model: MessageModel,
): Canonical | undefined {
  const isNyctTrip = number === NYCT && model.field(2) === LEAF.int && model.field(3) === LEAF.int
  return isNyctTrip ? { 2: ['0'], 3: ['1'], ...inner } : said(number, inner, model)
}

/** Without what means nothing: empty texts of the railroads' stops, and their extension when it has nothing else. */
function said(number: number, inner: Canonical, model: MessageModel): Canonical | undefined {
  const isStop = number === MTA_RAILROAD && model.field(1) === LEAF.text
  if (!isStop) return inner
  const entries = Object.entries(inner).filter(([, values]) => values[0] !== '')
  return entries.length === 0 ? undefined : Object.fromEntries(entries)
}

function scalar(reader: WireReader, field: unknown): string {
  if (reader.wireType === WIRE.varint && field !== undefined) return String(reader.integer())
  const bytes = field === undefined ? reader.raw() : reader.payload()
  return Buffer.from(bytes).toString('hex')
}

/** `more` on top of `one`: of what occurs in both, messages are merged, and else `more` counts. */
export function merged(one: Canonical, more: Canonical): Canonical {
  const fields: Record<number, readonly (string | Canonical)[]> = { ...one }
  for (const [text, values] of Object.entries(more)) {
    const number = Number(text)
    const before = one[number] ?? []
    fields[number] = (values as readonly (string | Canonical)[]).map((value, index) => {
      const other = before[index]
      return typeof value === 'object' && typeof other === 'object' ? merged(other, value) : value
    })
  }
  return fields
}
