// Bus Time's SIRI vehicle monitoring: the same buses as in the GTFS-realtime feeds, as JSON of version 1 or 2.
import { busArrival, type BusFleet, type BusReport } from './bus-fleet.ts'
import { chance } from './chance.ts'
import { localIso } from './service-day.ts'

const VALID_S = 60
const CAPACITY_SHARE = 0.58
const CALLS_MAX = 100
const METRES_PER_MILE = 1_609.344

type DetailLevel = 'minimum' | 'basic' | 'normal' | 'calls'

/** What a request asks for; https://bustime.mta.info/wiki/Developers/SIRIVehicleMonitoring names the parameters. */
export interface SiriQuery {
  readonly version: 1 | 2
  readonly detail: DetailLevel
  readonly operator: string | undefined
  readonly vehicle: string | undefined
  readonly line: string | undefined
  readonly direction: string | undefined
  readonly callsMax: number
}

/** Reads a query string; parameters that Bus Time does not know are left out, as it does. */
export function siriQuery(parameters: URLSearchParams): SiriQuery {
  const lower = new Map([...parameters].map(([name, value]) => [name.toLowerCase(), value]))
  const get = (name: string): string | undefined => lower.get(name.toLowerCase()) || undefined
  const detail = get('VehicleMonitoringDetailLevel')
  const calls = Number(get('MaximumNumberOfCallsOnwards') ?? CALLS_MAX)
  return {
    version: get('version') === '2' ? 2 : 1,
    detail: detail === 'minimum' || detail === 'basic' || detail === 'calls' ? detail : 'normal',
    operator: get('OperatorRef'),
    vehicle: get('VehicleRef'),
    line: get('LineRef'),
    direction: get('DirectionRef'),
    callsMax: Math.min(Number.isInteger(calls) && calls >= 0 ? calls : CALLS_MAX, CALLS_MAX),
  }
}

/** The answer to one request at `time`, Unix seconds. A line that does not exist is an ErrorCondition. */
export function encodeSiri(
  fleet: BusFleet,
  time: number,
  { query, seed }: { readonly query: SiriQuery; readonly seed: number },
): Uint8Array {
  const stamp = localIso(time)
  const isKnownLine =
    query.line === undefined || fleet.routeIds.some((route) => isLine(query.line ?? '', route))
  const delivery = isKnownLine
    ? {
        VehicleActivity: fleet
          .reportsAt(time)
          .filter((report) => isWanted(report, query))
          .map((report) => activity(report, query, seed)),
        ResponseTimestamp: stamp,
        ValidUntil: localIso(time + VALID_S),
      }
    : {
        ResponseTimestamp: stamp,
        ErrorCondition: {
          OtherError: { ErrorText: `No such route: ${query.line}.` },
          Description: `No such route: ${query.line}.`,
        },
      }
  const body = {
    Siri: {
      ServiceDelivery: {
        ResponseTimestamp: stamp,
        VehicleMonitoringDelivery: [delivery],
        SituationExchangeDelivery: [],
      },
    },
  }
  return Buffer.from(JSON.stringify(body), 'utf8')
}

const isLine = (wanted: string, route: string): boolean =>
  wanted === route || wanted.endsWith(`_${route}`)

function isWanted(report: BusReport, query: SiriQuery): boolean {
  const { vehicle, line, direction, operator } = query
  const number = report.vehicleId.split('_')[1]
  return (
    (vehicle === undefined || vehicle === number || vehicle === report.vehicleId) &&
    (line === undefined || isLine(line, report.route)) &&
    (direction === undefined || direction === String(report.direction)) &&
    (operator === undefined || operator === 'MTA' || operator === operatorOf(report))
  )
}

const operatorOf = ({ vehicleId }: BusReport): string => vehicleId.split('_')[0] ?? ''

function activity(report: BusReport, query: SiriQuery, seed: number): object {
  return {
    MonitoredVehicleJourney: journey(report, query, seed),
    RecordedAtTime: localIso(report.reportedAt),
  }
}

/** Names are lists in version 2 and plain in version 1. */
function journey(report: BusReport, query: SiriQuery, seed: number): object {
  const { bus, route, direction, vehicleId, isLayover } = report
  const operator = operatorOf(report)
  const names = (text: string): string | string[] => (query.version === 2 ? [text] : text)
  const stops = bus.route.stopIds[direction] ?? []
  const isFull = query.detail === 'normal' || query.detail === 'calls'
  const status = statusOf(report, seed)
  return {
    LineRef: `${operator}_${route}`,
    DirectionRef: String(direction),
    FramedVehicleJourneyRef: {
      DataFrameRef: dashed(report.startDate),
      DatedVehicleJourneyRef: `${operator}_${report.tripId}`,
    },
    JourneyPatternRef: isFull ? `MTA_${route}${direction}001` : undefined,
    PublishedLineName: names(route),
    OperatorRef: operator,
    OriginRef: isFull ? `MTA_${stops[0]}` : undefined,
    DestinationRef: query.detail === 'minimum' ? undefined : `MTA_${stops.at(-1)}`,
    DestinationName:
      query.detail === 'minimum' ? undefined : names(`${route} TERMINAL ${stops.at(-1)}`),
    OriginAimedDepartureTime: isLayover
      ? localIso(Math.round(nextDeparture(report) / 60) * 60)
      : undefined,
    SituationRef: isFull ? [] : undefined,
    Monitored: true,
    VehicleLocation: { Longitude: rounded(report.longitude), Latitude: rounded(report.latitude) },
    Bearing: rounded(report.bearing),
    ProgressRate: isLayover ? 'noProgress' : 'normalProgress',
    ProgressStatus: status === undefined ? undefined : names(status),
    BlockRef: isFull ? `${operator}_${blockOf(report)}` : undefined,
    VehicleRef: vehicleId,
    MonitoredCall: query.detail === 'minimum' ? undefined : call(report, query, { seed, names }),
    OnwardCalls: query.detail === 'calls' ? onwardCalls(report, query.callsMax) : undefined,
  }
}

function statusOf(report: BusReport, seed: number): string | undefined {
  const rare = chance(seed, 'status', report.vehicleId, report.bus.round)
  if (report.isLayover) return rare < 0.1 ? 'layover,prevTrip' : 'layover'
  return rare < 0.001 ? 'spooking' : undefined
}

const nextDeparture = ({ bus }: BusReport): number =>
  bus.leftAt + (bus.line.lengthM / bus.route.speedMps) * 1.12

const blockOf = ({ bus, tripId }: BusReport): string =>
  `${tripId.split('-').slice(0, 2).join('-')}_E_${bus.route.depot.toUpperCase()}_${bus.route.id}-${bus.index}`

function call(
  report: BusReport,
  query: SiriQuery,
  { seed, names }: { seed: number; names: (text: string) => string | string[] },
): object {
  const { bus, isLayover, metresToStop, stopId } = report
  const stop = (bus.route.stopIds[report.direction] ?? []).indexOf(stopId)
  const expected = Math.max(busArrival(bus, Math.max(stop, 0)), report.reportedAt)
  const lateS = (chance(seed, 'late', report.vehicleId, bus.round) - 0.3) * 900
  const metres = Math.round(metresToStop)
  const hasCounter = chance(seed, 'counter', report.vehicleId) < CAPACITY_SHARE
  const capacities = hasCounter
    ? {
        Capacities: {
          EstimatedPassengerCount: report.passengers,
          EstimatedPassengerCapacity: report.capacity,
        },
      }
    : undefined
  const distances = {
    Distances: {
      PresentableDistance: proximity(metres),
      DistanceFromCall: metresToStop,
      StopsFromCall: 0,
      CallDistanceAlongRoute: rounded(stop * 320),
    },
  }
  const times = {
    AimedArrivalTime: localIso(expected - lateS),
    ExpectedArrivalTime: isLayover ? undefined : localIso(expected),
    ExpectedDepartureTime: isLayover ? undefined : localIso(expected),
  }
  const common = {
    StopPointRef: `MTA_${stopId}`,
    VisitNumber: 1,
    StopPointName: names(`STOP ${stopId}`),
  }
  if (query.version === 1)
    return { ...times, ...common, Extensions: { ...distances, ...capacities } }
  return {
    ...times,
    ArrivalProximityText: proximity(metres),
    DistanceFromStop: metres,
    NumberOfStopsAway: 0,
    ...common,
    Extensions: capacities,
  }
}

function proximity(metres: number): string {
  if (metres < 15) return 'at stop'
  if (metres < 100) return 'approaching'
  return metres < 800 ? '< 1 stop away' : `${(metres / METRES_PER_MILE).toFixed(1)} miles away`
}

function onwardCalls({ bus, direction, reportedAt }: BusReport, callsMax: number): object {
  const stops = bus.route.stopIds[direction] ?? []
  const ahead = stops.flatMap((stopId, stop) => {
    const time = busArrival(bus, stop)
    return time < reportedAt ? [] : [{ StopPointRef: `MTA_${stopId}`, time, VisitNumber: 1 }]
  })
  return {
    OnwardCall: ahead.slice(0, callsMax).map(({ time, ...rest }) => ({
      ...rest,
      ExpectedArrivalTime: localIso(time),
      ExpectedDepartureTime: localIso(time),
    })),
  }
}

const dashed = (date: string): string =>
  `${date.slice(0, 4)}-${date.slice(4, 6)}-${date.slice(6, 8)}`

const rounded = (value: number): number => Math.round(value * 1e9) / 1e9
