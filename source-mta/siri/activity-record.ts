// One bus of a SIRI delivery as a record of the topic icymta: the 43 columns in their order.
import { hash } from 'node:crypto'
import { localDate } from '../local-time.ts'
import type { QualityCode } from '../quality.ts'
import type { VehicleActivity } from './vehicle-activity.ts'

const SOURCE_SYSTEM = 'MTA_REALTIME'
const HASH_LENGTH = 32

/** What all records of one answer share. */
export interface AnswerContext {
  readonly feedId: string
  readonly responseAtMs: number | undefined
  readonly fetchedAtMs: number
  readonly timeZone: string
}

/** The columns that come from the activity itself, and by which a change is told. */
export function activityColumns(activity: VehicleActivity): Record<string, unknown> {
  const { call, situationRefs } = activity
  return {
    STOPPOINTREF: call.stopPointRef ?? null,
    VEHICLEREF: activity.vehicleRef ?? null,
    PROGRESSRATE: activity.progressRate ?? null,
    EXPECTEDDEPARTURETIME: date(call.expectedDepartureMs),
    STOPPOINT: null,
    VISITNUMBER: call.visitNumber ?? null,
    DATAFRAMEREF: activity.dataFrameRef ?? null,
    STOPPOINTNAME: call.stopPointName ?? null,
    SITUATIONSIMPLEREF5: situationRefs[4] ?? null,
    SITUATIONSIMPLEREF3: situationRefs[2] ?? null,
    BEARING: activity.bearing === undefined ? null : withinCircle(activity.bearing),
    SITUATIONSIMPLEREF4: situationRefs[3] ?? null,
    SITUATIONSIMPLEREF1: situationRefs[0] ?? null,
    ORIGINAIMEDDEPARTURETIME: date(activity.originAimedDepartureMs),
    SITUATIONSIMPLEREF2: situationRefs[1] ?? null,
    JOURNEYPATTERNREF: activity.journeyPatternRef ?? null,
    RECORDEDATTIME: date(activity.recordedAtMs),
    OPERATORREF: activity.operatorRef ?? null,
    DESTINATIONNAME: activity.destinationName ?? null,
    EXPECTEDARRIVALTIME: date(call.expectedArrivalMs),
    BLOCKREF: activity.blockRef ?? null,
    LINEREF: activity.lineRef ?? null,
    VEHICLELOCATIONLONGITUDE: activity.longitude ?? null,
    DIRECTIONREF: activity.directionRef ?? null,
    ARRIVALPROXIMITYTEXT: call.proximityText ?? null,
    DISTANCEFROMSTOP: call.distanceFromStopM ?? null,
    ESTIMATEDPASSENGERCAPACITY: call.passengerCapacity ?? null,
    AIMEDARRIVALTIME: date(call.aimedArrivalMs),
    PUBLISHEDLINENAME: activity.publishedLineName ?? null,
    DATEDVEHICLEJOURNEYREF: activity.datedVehicleJourneyRef ?? null,
    MONITORED: activity.monitored ?? null,
    PROGRESSSTATUS: activity.progressStatus.length === 0 ? null : activity.progressStatus.join(','),
    DESTINATIONREF: activity.destinationRef ?? null,
    ESTIMATEDPASSENGERCOUNT: call.passengerCount ?? null,
    VEHICLELOCATIONLATITUDE: activity.latitude ?? null,
    ORIGINREF: activity.originRef ?? null,
    NUMBEROFSTOPSAWAY: call.stopsAway ?? null,
  }
}

/** SHA-256 of the columns, hex. */
export const columnsHash = (columns: Record<string, unknown>): string =>
  hash('sha256', JSON.stringify(columns), 'hex')

/** A plain object for `BUS_VEHICLE_ACTIVITY_SCHEMA`. */
export function busVehicleValue(
  columns: Record<string, unknown>,
  contentHash: string,
  flags: readonly QualityCode[],
  context: AnswerContext,
): Record<string, unknown> {
  const atMs = context.responseAtMs ?? context.fetchedAtMs
  return {
    ...columns,
    DATE: localDate(atMs, context.timeZone),
    TS: new Date(atMs),
    UUID: uuidOf(`${context.feedId}|${contentHash}`),
    INGESTION_TIME: new Date(context.fetchedAtMs),
    SOURCE_SYSTEM,
    PROCESSING_STATUS: flags.length === 0 ? 'PROCESSED' : `FLAGGED:${flags.join(',')}`,
  }
}

/** A UUID of version 8 made from a text: the same observation has the same one. */
function uuidOf(text: string): string {
  const digits = hash('sha256', text, 'hex').slice(0, HASH_LENGTH)
  const variant = ((Number.parseInt(digits.charAt(16), 16) % 4) + 8).toString(16)
  return [
    digits.slice(0, 8),
    digits.slice(8, 12),
    `8${digits.slice(13, 16)}`,
    `${variant}${digits.slice(17, 20)}`,
    digits.slice(20),
  ].join('-')
}

const date = (ms: number | undefined): Date | null => (ms === undefined ? null : new Date(ms))

const withinCircle = (degrees: number): number =>
  degrees >= 0 && degrees < 360 ? degrees : ((degrees % 360) + 360) % 360
