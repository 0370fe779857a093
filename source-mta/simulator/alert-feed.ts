// The feeds of alerts in their two forms: GTFS-realtime with Mercury's extensions, and JSON with the same content.
import type { AlertSelector, ServiceAlert } from './alert-book.ts'
import {
  ALERT,
  ENTITY,
  FULL_DATASET,
  HEADER,
  MERCURY_ALERT,
  MERCURY_HEADER,
  MERCURY_SELECTOR,
  MESSAGE,
  SELECTOR,
  TIME_RANGE,
  TRANSLATED,
  TRANSLATION,
} from './gtfs-realtime-fields.ts'
import { ProtobufWriter } from './protobuf-writer.ts'

/**
 * The protobuf body at `time`, Unix seconds. `camsys` carries Mercury's extensions; Bus Time's own feed of
 * alerts (`plain`) does not.
 */
export function encodeAlerts(
  alerts: readonly ServiceAlert[],
  time: number,
  dialect: 'camsys' | 'plain',
): Uint8Array {
  const isMercury = dialect === 'camsys'
  const out = new ProtobufWriter()
  out.message(MESSAGE.header, (header) => {
    header.string(HEADER.version, isMercury ? '2.0' : '1.0')
    header.varint(HEADER.incrementality, FULL_DATASET).varint(HEADER.timestamp, time)
    if (isMercury)
      header.message(HEADER.mercury, (mercury) => mercury.string(MERCURY_HEADER.version, '1.0'))
  })
  for (const alert of alerts) {
    out.message(MESSAGE.entity, (entity) => {
      entity.string(ENTITY.id, alert.id)
      entity.message(ENTITY.alert, (w) => writeAlert(w, alert, isMercury))
    })
  }
  return out.finish()
}

function writeAlert(out: ProtobufWriter, alert: ServiceAlert, isMercury: boolean): void {
  for (const { start, end } of alert.periods) {
    out.message(ALERT.activePeriod, (period) => {
      period.varint(TIME_RANGE.start, start)
      if (end !== undefined) period.varint(TIME_RANGE.end, end)
    })
  }
  for (const selector of alert.selectors)
    out.message(ALERT.informedEntity, (w) => writeSelector(w, selector, isMercury))
  out.message(ALERT.headerText, (w) => writeTexts(w, bothLanguages(alert.header)))
  const { description } = alert
  if (description !== undefined)
    out.message(ALERT.descriptionText, (w) => writeTexts(w, bothLanguages(description)))
  if (isMercury) out.message(ALERT.mercury, (mercury) => writeMercury(mercury, alert))
}

function writeSelector(out: ProtobufWriter, selector: AlertSelector, isMercury: boolean): void {
  const { agencyId, routeId, stopId, sortOrder } = selector
  out.string(SELECTOR.agency, agencyId)
  if (routeId !== undefined) out.string(SELECTOR.route, routeId)
  if (stopId !== undefined) out.string(SELECTOR.stop, stopId)
  if (isMercury && sortOrder !== undefined)
    out.message(SELECTOR.mercury, (w) => w.string(MERCURY_SELECTOR.sortOrder, sortOrder))
}

function writeMercury(out: ProtobufWriter, alert: ServiceAlert): void {
  out.varint(MERCURY_ALERT.createdAt, alert.createdAt)
  out.varint(MERCURY_ALERT.updatedAt, alert.updatedAt)
  out.string(MERCURY_ALERT.alertType, alert.type)
  if (alert.displayBeforeActive !== undefined)
    out.varint(MERCURY_ALERT.displayBeforeActive, alert.displayBeforeActive)
  const { period } = alert
  if (period !== undefined)
    out.message(MERCURY_ALERT.humanReadablePeriod, (w) =>
      writeTexts(w, [{ text: period, language: 'en' }]),
    )
}

interface Translation {
  readonly text: string
  readonly language: string
}

const bothLanguages = (text: string): readonly Translation[] => [
  { text, language: 'en' },
  {
    text: text
      .split('\n\n')
      .map((paragraph) => `<p>${paragraph}</p>`)
      .join(''),
    language: 'en-html',
  },
]

function writeTexts(out: ProtobufWriter, translations: readonly Translation[]): void {
  for (const { text, language } of translations) {
    out.message(TRANSLATED.translation, (w) =>
      w.string(TRANSLATION.text, text).string(TRANSLATION.language, language),
    )
  }
}

/** The same content as JSON: names as in the .proto files, extensions by their full names. */
export function alertsJson(alerts: readonly ServiceAlert[], time: number): Uint8Array {
  const message = {
    header: {
      gtfs_realtime_version: '2.0',
      incrementality: 'FULL_DATASET',
      timestamp: time,
      'transit_realtime.mercury_feed_header': { mercury_version: '1.0' },
    },
    entity: alerts.map((alert) => ({ id: alert.id, alert: alertJson(alert) })),
  }
  return Buffer.from(JSON.stringify(message), 'utf8')
}

// What is undefined does not show in JSON.
function alertJson(alert: ServiceAlert): object {
  const { description, period } = alert
  return {
    active_period: alert.periods,
    informed_entity: alert.selectors.map(({ agencyId, routeId, stopId, sortOrder }) => ({
      agency_id: agencyId,
      route_id: routeId,
      stop_id: stopId,
      'transit_realtime.mercury_entity_selector':
        sortOrder === undefined ? undefined : { sort_order: sortOrder },
    })),
    header_text: { translation: bothLanguages(alert.header) },
    description_text:
      description === undefined ? undefined : { translation: bothLanguages(description) },
    'transit_realtime.mercury_alert': {
      created_at: alert.createdAt,
      updated_at: alert.updatedAt,
      alert_type: alert.type,
      display_before_active: alert.displayBeforeActive,
      human_readable_active_period:
        period === undefined ? undefined : { translation: [{ text: period, language: 'en' }] },
    },
  }
}
