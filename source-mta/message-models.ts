// Which fields of GTFS-realtime's messages the records have, and what they can hold of them. Numbers: gtfs-realtime.proto
// and MTA's extensions.

/** What a record's field can hold of a scalar; anything else is kept as unknown. */
export const LEAF = {
  /** Valid UTF-8. */
  text: 1,
  /** An int32; enums, booleans and uint32s too. */
  int: 2,
  /** Seconds since the Unix epoch that a `Date` can hold. */
  time: 3,
  /** A finite float32. */
  float: 4,
  /** Any float64. */
  double: 5,
  /** An integer of up to 53 bits. */
  long: 6,
  /** A text that may occur several times. */
  texts: 7,
} as const
export type Leaf = (typeof LEAF)[keyof typeof LEAF]

export interface MessageField {
  readonly model: MessageModel
  /** Each occurrence is an element of its own, and has its place. */
  readonly isRepeated: boolean
}
export type FieldModel = Leaf | MessageField

const LOW = 32

/** The fields of one message by number. */
export class MessageModel {
  readonly #low: (FieldModel | undefined)[] = Array.from({ length: LOW }, () => undefined)
  readonly #high = new Map<number, FieldModel>()

  constructor(fields: Readonly<Record<number, FieldModel>>) {
    for (const [text, field] of Object.entries(fields)) {
      const number = Number(text)
      if (number < LOW) this.#low[number] = field
      else this.#high.set(number, field)
    }
  }

  field(number: number): FieldModel | undefined {
    return number < LOW ? this.#low[number] : this.#high.get(number)
  }
}

const { text, int, time, float, double, long, texts } = LEAF
const one = (model: MessageModel): MessageField => ({ model, isRepeated: false })
const many = (model: MessageModel): MessageField => ({ model, isRepeated: true })

const NYCT_TRIP = new MessageModel({ 1: text, 2: int, 3: int })
const TRIP_FIELDS = { 1: text, 2: text, 3: text, 4: int, 5: text, 6: int }
const trip = (isSubway: boolean): MessageModel =>
  new MessageModel(isSubway ? { ...TRIP_FIELDS, 1001: one(NYCT_TRIP) } : TRIP_FIELDS)
const VEHICLE = new MessageModel({ 1: text, 2: text, 3: text, 4: int })

const POSITION = new MessageModel({ 1: float, 2: float, 3: float, 4: double, 5: float })
const CROWDING = new MessageModel({ 1: int, 2: int })
const CARRIAGE_DETAILS = new MessageModel({ 1: int, 2: text, 3: int, 4: int })
const CARRIAGE = new MessageModel({
  1: text,
  2: text,
  3: int,
  4: int,
  5: int,
  1005: one(CARRIAGE_DETAILS),
})
const vehiclePosition = (isSubway: boolean): MessageModel =>
  new MessageModel({
    1: one(trip(isSubway)),
    2: one(POSITION),
    3: int,
    4: int,
    5: time,
    6: int,
    7: text,
    8: one(VEHICLE),
    9: int,
    10: int,
    11: many(CARRIAGE),
    1006: one(CROWDING),
  })

const STOP_TIME_EVENT = new MessageModel({ 1: int, 2: time, 3: int, 4: time })
const STOP_TIME_PROPERTIES = new MessageModel({ 1: text, 2: text, 3: int, 4: int })
const TRACKS = new MessageModel({ 1: text, 2: text })
const STOP_TIME_UPDATE = new MessageModel({
  1: int,
  2: one(STOP_TIME_EVENT),
  3: one(STOP_TIME_EVENT),
  4: text,
  5: int,
  6: one(STOP_TIME_PROPERTIES),
  7: int,
  1001: one(TRACKS),
  1005: one(TRACKS),
})
const TRIP_PROPERTIES = new MessageModel({ 1: text, 2: text, 3: text, 4: text, 5: text, 6: text })
const tripUpdate = (isSubway: boolean): MessageModel =>
  new MessageModel({
    1: one(trip(isSubway)),
    2: many(STOP_TIME_UPDATE),
    3: one(VEHICLE),
    4: time,
    5: int,
    6: one(TRIP_PROPERTIES),
  })

const TRANSLATION = new MessageModel({ 1: text, 2: text })
const TEXTS = new MessageModel({ 1: many(TRANSLATION) })
const TIME_RANGE = new MessageModel({ 1: time, 2: time })
const SORT_ORDER = new MessageModel({ 1: text })
const LOCALIZED_IMAGE = new MessageModel({ 1: text, 2: text, 3: text })
const IMAGE = new MessageModel({ 1: many(LOCALIZED_IMAGE) })
function alert(isSubway: boolean): MessageModel {
  const selector = new MessageModel({
    1: text,
    2: text,
    3: int,
    4: one(trip(isSubway)),
    5: text,
    6: int,
    1001: one(SORT_ORDER),
  })
  const alternative = new MessageModel({ 1: one(selector), 2: one(TEXTS) })
  const mercury = new MessageModel({
    1: time,
    2: time,
    3: text,
    4: many(alternative),
    5: texts,
    6: texts,
    7: long,
    8: one(TEXTS),
    9: long,
    10: many(selector),
    11: one(TEXTS),
    12: int,
    13: text,
  })
  return new MessageModel({
    1: many(TIME_RANGE),
    5: many(selector),
    6: int,
    7: int,
    8: one(TEXTS),
    10: one(TEXTS),
    11: one(TEXTS),
    12: one(TEXTS),
    13: one(TEXTS),
    14: int,
    15: one(IMAGE),
    16: one(TEXTS),
    17: one(TEXTS),
    18: one(TEXTS),
    1001: one(mercury),
  })
}

/** The models of the three messages that become records: of feeds with NYCT's extensions, and of others. */
export const MODELS = {
  nyct: { vehicle: vehiclePosition(true), tripUpdate: tripUpdate(true), alert: alert(true) },
  plain: { vehicle: vehiclePosition(false), tripUpdate: tripUpdate(false), alert: alert(false) },
}
