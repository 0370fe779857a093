// Field numbers of gtfs-realtime.proto and of MTA's extensions, as far as the simulator writes them.
// Sources: google/transit's gtfs-realtime.proto, MTA's nyct-subway.proto and gtfs-realtime-MTARR.proto.

export const MESSAGE = { header: 1, entity: 2 } as const
/** Field 1001 of a header is NYCT's extension in a subway feed, Mercury's in a feed of alerts. */
export const HEADER = {
  version: 1,
  incrementality: 2,
  timestamp: 3,
  nyct: 1001,
  mercury: 1001,
} as const
export const MERCURY_HEADER = { version: 1 } as const
export const NYCT_HEADER = { version: 1, replacementPeriod: 2 } as const
export const REPLACEMENT_PERIOD = { route: 1, period: 2 } as const
export const TIME_RANGE = { start: 1, end: 2 } as const
export const ENTITY = { id: 1, tripUpdate: 3, vehicle: 4, alert: 5 } as const
export const TRIP_UPDATE = {
  trip: 1,
  stopTimeUpdate: 2,
  vehicle: 3,
  timestamp: 4,
  delay: 5,
  properties: 6,
} as const
export const TRIP_PROPERTIES = { startDate: 2, startTime: 3 } as const
export const STOP_TIME_UPDATE = {
  sequence: 1,
  arrival: 2,
  departure: 3,
  stopId: 4,
  scheduleRelationship: 5,
  departureOccupancy: 7,
  nyct: 1001,
  railroad: 1005,
} as const
export const NYCT_STOP = { scheduledTrack: 1, actualTrack: 2 } as const
export const RAILROAD_STOP = { track: 1, trainStatus: 2 } as const
export const STOP_TIME_EVENT = { delay: 1, time: 2, scheduledTime: 4 } as const
export const TRIP = {
  id: 1,
  startTime: 2,
  startDate: 3,
  scheduleRelationship: 4,
  route: 5,
  direction: 6,
  modified: 7,
  nyct: 1001,
} as const
export const MODIFIED_TRIP = { startTime: 3, startDate: 4 } as const
export const NYCT_TRIP = { trainId: 1, isAssigned: 2, direction: 3 } as const
export const NYCT_DIRECTION_SOUTH = 3
export const VEHICLE = {
  trip: 1,
  position: 2,
  stopSequence: 3,
  status: 4,
  timestamp: 5,
  stopId: 7,
  descriptor: 8,
  occupancy: 9,
  crowding: 1006,
} as const
export const VEHICLE_DESCRIPTOR = { id: 1, label: 2 } as const
export const POSITION = { latitude: 1, longitude: 2, bearing: 3, speed: 5 } as const
export const CROWDING = { count: 1, capacity: 2 } as const
export const ALERT = {
  activePeriod: 1,
  informedEntity: 5,
  headerText: 10,
  descriptionText: 11,
  mercury: 1001,
} as const
export const SELECTOR = { agency: 1, route: 2, trip: 4, stop: 5, mercury: 1001 } as const
export const MERCURY_SELECTOR = { sortOrder: 1 } as const
export const MERCURY_ALERT = {
  createdAt: 1,
  updatedAt: 2,
  alertType: 3,
  displayBeforeActive: 7,
  humanReadablePeriod: 8,
} as const
export const TRANSLATED = { translation: 1 } as const
export const TRANSLATION = { text: 1, language: 2 } as const

export const STATUS = { incomingAt: 0, stoppedAt: 1, inTransitTo: 2 } as const
export const OCCUPANCY_NO_DATA = 7
export const FULL_DATASET = 0
