// Alert payloads, decoded by gtfs-realtime-bindings, with Mercury's extensions from the bytes that it keeps.
import type { transit_realtime } from 'gtfs-realtime-bindings'
import { type Trip, toTrip } from './decode.ts'
import { type WithUnknowns, extension } from './extensions.ts'
import { type EnumNames, decoding, gtfs, name, own, seconds } from './protobuf-values.ts'
import { WIRE, WireReader, concat } from './wire.ts'

const { Alert, EntitySelector, TranslatedString } = gtfs
const CAUSES: EnumNames = Alert.Cause
const EFFECTS: EnumNames = Alert.Effect
const SEVERITIES: EnumNames = Alert.SeverityLevel
/** Field number of Mercury's extensions of Alert and EntitySelector. */
const MERCURY = 1001

export interface TextInLanguage {
  readonly text: string
  readonly language: string | null
}
/** Undefined: not said at all. */
export type Texts = readonly TextInLanguage[] | undefined

/** Whom an alert is about. */
export interface Selector {
  readonly agencyId: string | undefined
  readonly routeId: string | undefined
  readonly routeType: number | undefined
  readonly stopId: string | undefined
  readonly directionId: number | undefined
  readonly trip: Trip | undefined
  /** Mercury's, e.g. "MTASBWY:A:26". */
  readonly sortOrder: string | undefined
}

export interface StationAlternative {
  readonly affectedEntity: Selector | undefined
  readonly notes: Texts
}

/** MTA's own part of an alert. Times are seconds since the Unix epoch. */
export interface MercuryAlert {
  createdAt?: number
  updatedAt?: number
  alertType?: string
  readonly stationAlternatives: StationAlternative[]
  readonly servicePlanNumbers: string[]
  readonly generalOrderNumbers: string[]
  displayBeforeActive?: number
  humanReadableActivePeriod?: Texts
  directionality?: number
  readonly affectedStations: Selector[]
  screensSummary?: Texts
  noAffectedStations?: boolean
  cloneId?: string
}

export interface ServiceAlert {
  readonly activePeriods: readonly {
    readonly start: number | undefined
    readonly end: number | undefined
  }[]
  readonly informedEntities: readonly Selector[]
  readonly cause: string | undefined
  readonly effect: string | undefined
  readonly severityLevel: string | undefined
  readonly url: Texts
  readonly headerText: Texts
  readonly descriptionText: Texts
  readonly ttsHeaderText: Texts
  readonly ttsDescriptionText: Texts
  readonly causeDetail: Texts
  readonly effectDetail: Texts
  readonly images: readonly transit_realtime.TranslatedImage.ILocalizedImage[] | undefined
  readonly imageAlternativeText: Texts
  readonly mercury: MercuryAlert
}

/** Decodes an Alert payload. Throws `DataError` when it is none. */
export const decodeAlert = (payload: Uint8Array): ServiceAlert =>
  decoding('Alert', () => toAlert(Alert.decode(payload)))

function toAlert(alert: transit_realtime.Alert): ServiceAlert {
  const image = own(alert, 'image')
  return {
    activePeriods: alert.activePeriod.map((period) => ({
      start: seconds(own(period, 'start')),
      end: seconds(own(period, 'end')),
    })),
    informedEntities: alert.informedEntity.map(toSelector),
    cause: name(CAUSES, alert, 'cause'),
    effect: name(EFFECTS, alert, 'effect'),
    severityLevel: name(SEVERITIES, alert, 'severityLevel'),
    url: texts(own(alert, 'url')),
    headerText: texts(own(alert, 'headerText')),
    descriptionText: texts(own(alert, 'descriptionText')),
    ttsHeaderText: texts(own(alert, 'ttsHeaderText')),
    ttsDescriptionText: texts(own(alert, 'ttsDescriptionText')),
    causeDetail: texts(own(alert, 'causeDetail')),
    effectDetail: texts(own(alert, 'effectDetail')),
    images: image?.localizedImage ?? undefined,
    imageAlternativeText: texts(own(alert, 'imageAlternativeText')),
    mercury: mercuryAlert(alert),
  }
}

function texts(translated: transit_realtime.ITranslatedString | null | undefined): Texts {
  return translated?.translation?.map((translation) => ({
    text: translation.text,
    language: own(translation, 'language') ?? null,
  }))
}

function toSelector(selector: transit_realtime.IEntitySelector): Selector {
  const trip = own(selector, 'trip')
  return {
    agencyId: own(selector, 'agencyId') ?? undefined,
    routeId: own(selector, 'routeId') ?? undefined,
    routeType: own(selector, 'routeType') ?? undefined,
    stopId: own(selector, 'stopId') ?? undefined,
    directionId: own(selector, 'directionId') ?? undefined,
    trip: trip == null ? undefined : toTrip(trip),
    sortOrder: sortOrder(selector),
  }
}

function sortOrder(selector: WithUnknowns): string | undefined {
  let order: string | undefined
  const reader = extension(selector, MERCURY)
  while (reader?.next() === true) {
    if (reader.number === 1 && reader.wireType === WIRE.bytes) order = reader.text()
  }
  return order
}

function mercuryAlert(alert: WithUnknowns): MercuryAlert {
  const mercury: MercuryAlert = {
    stationAlternatives: [],
    servicePlanNumbers: [],
    generalOrderNumbers: [],
    affectedStations: [],
  }
  const periods: Uint8Array[] = []
  const summaries: Uint8Array[] = []
  const reader = extension(alert, MERCURY)
  while (reader?.next() === true) {
    if (reader.wireType === WIRE.varint) {
      mercuryNumber(mercury, reader.number, reader.integer())
    } else if (reader.wireType === WIRE.bytes) {
      const { number } = reader
      if (number === 8) periods.push(reader.payload())
      else if (number === 11) summaries.push(reader.payload())
      else mercuryBytes(mercury, number, reader.payload())
    }
  }
  if (periods.length > 0) mercury.humanReadableActivePeriod = textsOf(periods)
  if (summaries.length > 0) mercury.screensSummary = textsOf(summaries)
  return mercury
}

function mercuryNumber(mercury: MercuryAlert, field: number, value: number): void {
  if (field === 1) mercury.createdAt = value
  else if (field === 2) mercury.updatedAt = value
  else if (field === 7) mercury.displayBeforeActive = value
  else if (field === 9) mercury.directionality = value
  else if (field === 12) mercury.noAffectedStations = value !== 0
}

function mercuryBytes(mercury: MercuryAlert, field: number, payload: Uint8Array): void {
  if (field === 3) mercury.alertType = utf8(payload)
  else if (field === 4) mercury.stationAlternatives.push(stationAlternative(payload))
  else if (field === 5) mercury.servicePlanNumbers.push(utf8(payload))
  else if (field === 6) mercury.generalOrderNumbers.push(utf8(payload))
  else if (field === 10) mercury.affectedStations.push(toSelector(EntitySelector.decode(payload)))
  else if (field === 13) mercury.cloneId = utf8(payload)
}

/** `MercuryStationAlternative { affected_entity = 1; notes = 2 }`. */
function stationAlternative(payload: Uint8Array): StationAlternative {
  const entities: Uint8Array[] = []
  const notes: Uint8Array[] = []
  const reader = new WireReader(payload)
  while (reader.next()) {
    if (reader.wireType !== WIRE.bytes) continue
    if (reader.number === 1) entities.push(reader.payload())
    if (reader.number === 2) notes.push(reader.payload())
  }
  return {
    affectedEntity:
      entities.length === 0 ? undefined : toSelector(EntitySelector.decode(concat(entities))),
    notes: notes.length === 0 ? undefined : textsOf(notes),
  }
}

const textsOf = (payloads: readonly Uint8Array[]): Texts =>
  texts(TranslatedString.decode(concat(payloads)))

const decoder = new TextDecoder()
const utf8 = (bytes: Uint8Array): string => decoder.decode(bytes)
