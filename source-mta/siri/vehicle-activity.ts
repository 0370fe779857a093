// SIRI VehicleMonitoring as Bus Time's JSON has it, version 1 (texts, distances in Extensions) and 2 (lists of
// texts, distances in the call).
import { DataError } from '../../connector/api/errors.ts'
import {
  type JsonObject,
  booleanOf,
  intOf,
  listOf,
  numberOf,
  objectOf,
  textOf,
  timeOf,
} from '../json-values.ts'

/** The service answered, but with an error instead of vehicles. */
export class SiriServiceError extends DataError {}

export interface SiriDelivery {
  /** Milliseconds since the Unix epoch; undefined when absent. */
  readonly responseAtMs: number | undefined
  /** As received. */
  readonly activities: readonly unknown[]
}

/** One VehicleActivity. Times are milliseconds since the Unix epoch; what is absent or empty is undefined. */
export interface VehicleActivity {
  readonly vehicleRef: string | undefined
  readonly lineRef: string | undefined
  /** Undefined also for a text that is no time. */
  readonly recordedAtMs: number | undefined
  readonly hasRecordedAt: boolean
  readonly directionRef: string | undefined
  readonly dataFrameRef: string | undefined
  readonly datedVehicleJourneyRef: string | undefined
  readonly journeyPatternRef: string | undefined
  readonly publishedLineName: string | undefined
  readonly operatorRef: string | undefined
  readonly originRef: string | undefined
  readonly originAimedDepartureMs: number | undefined
  readonly destinationRef: string | undefined
  readonly destinationName: string | undefined
  readonly situationRefs: readonly string[]
  readonly monitored: boolean | undefined
  /** Whether there is a VehicleLocation at all. */
  readonly hasLocation: boolean
  readonly latitude: number | undefined
  readonly longitude: number | undefined
  readonly bearing: number | undefined
  readonly progressRate: string | undefined
  readonly progressStatus: readonly string[]
  readonly blockRef: string | undefined
  readonly call: MonitoredCall
}

export interface MonitoredCall {
  readonly stopPointRef: string | undefined
  readonly stopPointName: string | undefined
  readonly visitNumber: number | undefined
  readonly aimedArrivalMs: number | undefined
  readonly expectedArrivalMs: number | undefined
  readonly expectedDepartureMs: number | undefined
  readonly proximityText: string | undefined
  readonly distanceFromStopM: number | undefined
  readonly stopsAway: number | undefined
  readonly passengerCount: number | undefined
  readonly passengerCapacity: number | undefined
}

/** Throws `DataError` for what is no SIRI delivery, and `SiriServiceError` when it says that something is wrong. */
export function readDelivery(body: unknown): SiriDelivery {
  const delivery = objectOf(objectOf(objectOf(body)['Siri'])['ServiceDelivery'])
  const first = objectOf(listOf(delivery['VehicleMonitoringDelivery'])[0])
  if (Object.keys(first).length === 0) {
    throw new DataError('No Siri.ServiceDelivery.VehicleMonitoringDelivery in the body')
  }
  const error = first['ErrorCondition']
  if (error !== undefined && error !== null) throw new SiriServiceError(errorText(objectOf(error)))
  return {
    responseAtMs: timeOf(delivery['ResponseTimestamp']) ?? timeOf(first['ResponseTimestamp']),
    activities: listOf(first['VehicleActivity']),
  }
}

function errorText(error: JsonObject): string {
  const other = textOf(objectOf(error['OtherError'])['ErrorText'])
  const texts = [other, textOf(error['Description'])].filter((text) => text !== undefined)
  return texts.length === 0 ? 'an ErrorCondition without a text' : texts.join('; ')
}

/** Reads one entry of `SiriDelivery.activities`. Never throws: what is not there is undefined. */
export function readActivity(entry: unknown): VehicleActivity {
  const activity = objectOf(entry)
  const journey = objectOf(activity['MonitoredVehicleJourney'])
  const frame = objectOf(journey['FramedVehicleJourneyRef'])
  const location = journey['VehicleLocation']
  const place = objectOf(location)
  return {
    vehicleRef: textOf(journey['VehicleRef']),
    lineRef: textOf(journey['LineRef']),
    recordedAtMs: timeOf(activity['RecordedAtTime']),
    hasRecordedAt: textOf(activity['RecordedAtTime']) !== undefined,
    directionRef: textOf(journey['DirectionRef']),
    dataFrameRef: textOf(frame['DataFrameRef']),
    datedVehicleJourneyRef: textOf(frame['DatedVehicleJourneyRef']),
    journeyPatternRef: textOf(journey['JourneyPatternRef']),
    publishedLineName: textOf(journey['PublishedLineName']),
    operatorRef: textOf(journey['OperatorRef']),
    originRef: textOf(journey['OriginRef']),
    originAimedDepartureMs: timeOf(journey['OriginAimedDepartureTime']),
    destinationRef: textOf(journey['DestinationRef']),
    destinationName: textOf(journey['DestinationName']),
    situationRefs: listOf(journey['SituationRef']).flatMap(
      (situation) => textOf(objectOf(situation)['SituationSimpleRef']) ?? [],
    ),
    monitored: booleanOf(journey['Monitored']),
    hasLocation: location !== undefined && location !== null,
    latitude: numberOf(place['Latitude']),
    longitude: numberOf(place['Longitude']),
    bearing: numberOf(journey['Bearing']),
    progressRate: textOf(journey['ProgressRate']),
    progressStatus: listOf(journey['ProgressStatus']).flatMap((status) => textOf(status) ?? []),
    blockRef: textOf(journey['BlockRef']),
    call: readCall(objectOf(journey['MonitoredCall'])),
  }
}

function readCall(call: JsonObject): MonitoredCall {
  const extensions = objectOf(call['Extensions'])
  // Version 1.
  const distances = objectOf(extensions['Distances'])
  const capacities = objectOf(extensions['Capacities'])
  return {
    stopPointRef: textOf(call['StopPointRef']),
    stopPointName: textOf(call['StopPointName']),
    visitNumber: intOf(call['VisitNumber']),
    aimedArrivalMs: timeOf(call['AimedArrivalTime']),
    expectedArrivalMs: timeOf(call['ExpectedArrivalTime']),
    expectedDepartureMs: timeOf(call['ExpectedDepartureTime']),
    proximityText: textOf(call['ArrivalProximityText']) ?? textOf(distances['PresentableDistance']),
    distanceFromStopM:
      numberOf(call['DistanceFromStop']) ?? numberOf(distances['DistanceFromCall']),
    stopsAway: intOf(call['NumberOfStopsAway']) ?? intOf(distances['StopsFromCall']),
    passengerCount: intOf(capacities['EstimatedPassengerCount']),
    passengerCapacity: intOf(capacities['EstimatedPassengerCapacity']),
  }
}
