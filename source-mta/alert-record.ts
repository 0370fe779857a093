// A decoded alert as the value of a record: the fields of schemas/alert.avsc, in its order.
import type { Selector, ServiceAlert, Texts } from './decode-alert.ts'
import type { BodyContext, Envelope, VanishedEvent } from './entity-kind.ts'
import { readNyctAsStated } from './nyct.ts'
import { NO_NYCT, date, envelopeFields, int } from './record-fields.ts'

/** What an alert's record is made of. */
export interface AlertEvent extends Envelope {
  readonly kind: 'alert'
  readonly alert: ServiceAlert
  /** Read a trip without NYCT's fields as NYCT means it. */
  readonly isSubway: boolean
}

/** A plain object for `ALERT_SCHEMA`. */
export function alertValue(body: BodyContext, event: AlertEvent): Record<string, unknown> {
  const { alert, isSubway } = event
  const { mercury } = alert
  const selectorOf = (selector: Selector): Record<string, unknown> =>
    selectorValue(selector, isSubway)
  return {
    ...envelopeFields(body, event),
    active_periods: alert.activePeriods.map(({ start, end }) => ({
      start_time: date(start),
      end_time: date(end),
    })),
    informed_entities: alert.informedEntities.map(selectorOf),
    cause: alert.cause ?? null,
    effect: alert.effect ?? null,
    severity_level: alert.severityLevel ?? null,
    url: alert.url ?? null,
    header_text: alert.headerText ?? null,
    description_text: alert.descriptionText ?? null,
    tts_header_text: alert.ttsHeaderText ?? null,
    tts_description_text: alert.ttsDescriptionText ?? null,
    cause_detail: alert.causeDetail ?? null,
    effect_detail: alert.effectDetail ?? null,
    image_json: imageJson(alert),
    header_en: inEnglish(alert.headerText),
    mercury_created_at: date(mercury.createdAt),
    mercury_updated_at: date(mercury.updatedAt),
    mercury_alert_type: mercury.alertType ?? null,
    mercury_station_alternatives: mercury.stationAlternatives.map(({ affectedEntity, notes }) => ({
      affected_entity: affectedEntity === undefined ? null : selectorOf(affectedEntity),
      notes: notes ?? null,
    })),
    mercury_service_plan_numbers: mercury.servicePlanNumbers,
    mercury_general_order_numbers: mercury.generalOrderNumbers,
    mercury_display_before_active_s: long(mercury.displayBeforeActive),
    mercury_human_readable_active_period: mercury.humanReadableActivePeriod ?? null,
    mercury_directionality: long(mercury.directionality),
    mercury_affected_stations: mercury.affectedStations.map(selectorOf),
    mercury_screens_summary: mercury.screensSummary ?? null,
    mercury_no_affected_stations: mercury.noAffectedStations ?? null,
    mercury_clone_id: mercury.cloneId ?? null,
  }
}

/** The event of an alert that is gone, as if it were one that says nothing. */
export const vanishedAlert = (event: VanishedEvent): AlertEvent => ({
  ...event,
  kind: 'alert',
  alert: NO_ALERT,
  isSubway: false,
})

/** The text in English, else in the first language; undefined when there is none. */
export function plainText(texts: Texts): string | undefined {
  const english = texts?.find(({ language }) => language === 'en' || language === 'EN')
  const plain = english ?? texts?.find(({ language }) => language?.endsWith('-html') !== true)
  return (plain ?? texts?.[0])?.text
}

const inEnglish = (texts: Texts): string | null => plainText(texts) ?? null

function selectorValue(selector: Selector, isSubway: boolean): Record<string, unknown> {
  const { trip, sortOrder } = selector
  const nyct = isSubway && trip !== undefined ? readNyctAsStated(trip) : NO_NYCT
  return {
    agency_id: selector.agencyId ?? null,
    route_id: selector.routeId ?? null,
    route_type: int(selector.routeType),
    stop_id: selector.stopId ?? null,
    direction_id: int(selector.directionId),
    trip_id: trip?.tripId ?? null,
    trip_route_id: trip?.routeId ?? null,
    trip_direction_id: int(trip?.directionId),
    trip_start_time: trip?.startTime ?? null,
    trip_start_date: trip?.startDate ?? null,
    trip_schedule_relationship: trip?.scheduleRelationship ?? null,
    trip_nyct_train_id: nyct.trainId,
    trip_nyct_is_assigned: nyct.isAssigned,
    trip_nyct_direction: nyct.direction,
    mercury_sort_order: sortOrder ?? null,
    mercury_priority: priority(sortOrder),
  }
}

/** "MTASBWY:A:26" → 26. */
function priority(sortOrder: string | undefined): number | null {
  const digits = /:(\d{1,9})$/.exec(sortOrder ?? '')?.[1]
  return digits === undefined ? null : Number(digits)
}

function imageJson({ images, imageAlternativeText }: ServiceAlert): string | null {
  if (images === undefined && imageAlternativeText === undefined) return null
  return JSON.stringify({
    localized_image: images?.map((image) => ({
      url: image.url,
      media_type: image.mediaType,
      ...(Object.hasOwn(image, 'language') ? { language: image.language } : {}),
    })),
    alternative_text: imageAlternativeText,
  })
}

const long = (value: number | undefined): bigint | null =>
  value === undefined || !Number.isSafeInteger(value) ? null : BigInt(value)

const NO_ALERT: ServiceAlert = {
  activePeriods: [],
  informedEntities: [],
  cause: undefined,
  effect: undefined,
  severityLevel: undefined,
  url: undefined,
  headerText: undefined,
  descriptionText: undefined,
  ttsHeaderText: undefined,
  ttsDescriptionText: undefined,
  causeDetail: undefined,
  effectDetail: undefined,
  images: undefined,
  imageAlternativeText: undefined,
  mercury: {
    stationAlternatives: [],
    servicePlanNumbers: [],
    generalOrderNumbers: [],
    affectedStations: [],
  },
}
