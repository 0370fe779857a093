// Bus Time's answers for tests.

export const ANSWERED_AT_MS = Date.UTC(2025, 7, 7, 22, 15, 56)

type Json = Readonly<Record<string, unknown>>

/** A VehicleActivity of version 2; `journey`, `call` and `activity` are put over it. */
export function activity(
  vehicle: string,
  over: { readonly journey?: Json; readonly call?: Json; readonly activity?: Json } = {},
): Json {
  return {
    MonitoredVehicleJourney: {
      LineRef: 'MTA NYCT_M3',
      DirectionRef: '1',
      FramedVehicleJourneyRef: {
        DataFrameRef: '2025-08-07',
        DatedVehicleJourneyRef: 'MTA NYCT_MV_C5-Weekday-SDon-102600_M3_334',
      },
      JourneyPatternRef: 'MTA_M030111',
      PublishedLineName: ['M3'],
      OperatorRef: 'MTA NYCT',
      OriginRef: 'MTA_400448',
      DestinationRef: 'MTA_400001',
      DestinationName: ['EAST VILLAGE 8 ST via 5 AV'],
      SituationRef: [{ SituationSimpleRef: 'MTA NYCT_lmm:planned_work:23566' }],
      Monitored: true,
      VehicleLocation: { Longitude: -73.954627991, Latitude: 40.789459229 },
      Bearing: 233.790542603,
      ProgressRate: 'normalProgress',
      BlockRef: 'MTA NYCT_MV_C5-Weekday-SDon_E_MV_24540_M3-316',
      VehicleRef: `MTA NYCT_${vehicle}`,
      MonitoredCall: {
        AimedArrivalTime: '2025-08-07T18:16:18.553-04:00',
        ExpectedArrivalTime: '2025-08-07T18:15:35.025-04:00',
        ExpectedDepartureTime: '2025-08-07T18:15:35.025-04:00',
        ArrivalProximityText: 'approaching',
        DistanceFromStop: 37,
        NumberOfStopsAway: 0,
        StopPointRef: 'MTA_404081',
        VisitNumber: 1,
        StopPointName: ['5 AV/E 98 ST'],
        Extensions: {
          Capacities: { EstimatedPassengerCount: 13, EstimatedPassengerCapacity: 80 },
        },
        ...over.call,
      },
      ...over.journey,
    },
    RecordedAtTime: '2025-08-07T18:15:08.788-04:00',
    ...over.activity,
  }
}

/** The body of an answer given at `atMs`. */
export function siriBody(activities: readonly unknown[], atMs = ANSWERED_AT_MS): Uint8Array {
  const stamp = new Date(atMs).toISOString()
  return siriText({
    Siri: {
      ServiceDelivery: {
        ResponseTimestamp: stamp,
        VehicleMonitoringDelivery: [{ VehicleActivity: activities, ResponseTimestamp: stamp }],
      },
    },
  })
}

export const siriText = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value))
