// What differs from producer to producer: which key is stable, whose clock can be believed, where its vehicles
// can be. A feed names a profile; another agency needs no code.
import type { TripIdentity, VehicleIdentity } from './scan.ts'

export type ProfileName =
  | 'nyct'
  | 'lirr'
  | 'mnr'
  | 'obanyc'
  | 'camsys'
  | 'siri-vm'
  | 'ene'
  | 'generic'

/** Degrees WGS 84. */
export interface Box {
  readonly south: number
  readonly north: number
  readonly west: number
  readonly east: number
}

/** What a vehicle's key may be made of. */
export interface Identity {
  readonly entityId: string
  readonly vehicle: VehicleIdentity
  /** The trip update in the same entity. */
  readonly tripUpdate: TripIdentity | undefined
}

/** What an alert's key may be made of. */
export interface AlertIdentity {
  readonly entityId: string
  /** The first text of its header. */
  readonly headerText: string | undefined
}

export interface Profile {
  readonly name: ProfileName
  /** The same vehicle, or trip, in every body; undefined when the entity does not tell. */
  readonly vehicleKey: (identity: Identity) => string | undefined
  /** The same trip, or trip and vehicle, in every body; undefined when the entity does not tell. */
  readonly tripUpdateKey: (tripUpdate: VehicleIdentity) => string | undefined
  readonly alertKey: (alert: AlertIdentity) => string | undefined
  readonly agencyId: (vehicleId: string | undefined) => string | undefined
  /** `body-hash`: the header's timestamp says nothing, so it neither counts as a step back nor ages anything. */
  readonly clock: 'header' | 'body-hash'
  /** Where a trip's descriptor is read: Metro-North's vehicles name the train, not the trip. */
  readonly tripSource: 'vehicle' | 'trip-update'
  /** Fill a missing route from the trip update of the same trip in the same body. */
  readonly fillsRoute: boolean
  /** NYCT's semantics and positions from stop times. */
  readonly isSubway: boolean
  /** A vehicle's observation is old after this many seconds; undefined: its clock says nothing. */
  readonly staleAfterS: number | undefined
  /** A body is old when its header is older than this; undefined: the header's clock says nothing. */
  readonly headerStaleAfterS: number | undefined
  /** Faster than this between two places is a jump. */
  readonly speedMaxMps: number
  readonly box: Box | undefined
  /** IANA zone of the service day. */
  readonly timeZone: string
}

const NEW_YORK = 'America/New_York'
/** Static extent of subway and bus stops plus 0.05 degrees. */
const CITY: Box = { south: 40.45, north: 40.98, west: -74.3, east: -73.65 }
/** The box of the system that icymta came from. */
export const SEED_BOX: Box = { south: 40.4, north: 41, west: -74.5, east: -73.5 }

const tripKey = ({ tripId, startDate }: TripIdentity): string | undefined =>
  tripId === undefined || tripId === '' ? undefined : `${tripId}|${startDate ?? ''}`

const nonEmpty = (text: string | undefined): string | undefined => (text === '' ? undefined : text)

const GENERIC: Profile = {
  name: 'generic',
  vehicleKey: ({ entityId, vehicle }) =>
    nonEmpty(vehicle.vehicleId) ??
    (tripKey(vehicle.trip) === undefined
      ? nonEmpty(entityId)
      : `${tripKey(vehicle.trip)}|${vehicle.trip.startTime ?? ''}`),
  tripUpdateKey: ({ trip }) =>
    tripKey(trip) === undefined || (trip.startTime ?? '') === ''
      ? tripKey(trip)
      : `${tripKey(trip)}|${trip.startTime}`,
  alertKey: ({ entityId }) => nonEmpty(entityId),
  agencyId: () => undefined,
  clock: 'header',
  tripSource: 'vehicle',
  fillsRoute: false,
  isSubway: false,
  staleAfterS: 90,
  headerStaleAfterS: 120,
  speedMaxMps: 50,
  box: undefined,
  timeZone: NEW_YORK,
}

export const PROFILES: Readonly<Record<ProfileName, Profile>> = {
  generic: GENERIC,
  nyct: {
    ...GENERIC,
    name: 'nyct',
    vehicleKey: ({ vehicle }) => tripKey(vehicle.trip),
    tripUpdateKey: ({ trip }) => tripKey(trip),
    // The ids of the subway's entities are their places in the body.
    alertKey: ({ headerText }) => nonEmpty(headerText),
    agencyId: () => 'MTASBWY',
    isSubway: true,
    headerStaleAfterS: 90,
    box: CITY,
  },
  lirr: {
    ...GENERIC,
    name: 'lirr',
    // LIRR's trip ids hold the service day.
    vehicleKey: ({ vehicle }) => nonEmpty(vehicle.trip.tripId),
    tripUpdateKey: ({ trip }) => tripKey(trip),
    agencyId: () => 'LI',
    fillsRoute: true,
    box: { south: 40.54, north: 41.15, west: -74.05, east: -71.9 },
  },
  mnr: {
    ...GENERIC,
    name: 'mnr',
    vehicleKey: ({ vehicle, tripUpdate }) => tripKey(tripUpdate ?? vehicle.trip),
    tripUpdateKey: ({ trip }) => tripKey(trip),
    agencyId: () => 'MNR',
    clock: 'body-hash',
    tripSource: 'trip-update',
    staleAfterS: undefined,
    headerStaleAfterS: undefined,
    box: { south: 40.7, north: 41.87, west: -74.8, east: -72.87 },
  },
  // Mercury's alerts of all agencies: which one, the informed entities say.
  camsys: { ...GENERIC, name: 'camsys', staleAfterS: undefined, headerStaleAfterS: 600 },
  // Elevators and escalators: no clock, no vehicles.
  ene: { ...GENERIC, name: 'ene', clock: 'body-hash', headerStaleAfterS: undefined },
  'siri-vm': { ...GENERIC, name: 'siri-vm', box: CITY },
  obanyc: {
    ...GENERIC,
    name: 'obanyc',
    vehicleKey: ({ vehicle }) => nonEmpty(vehicle.vehicleId),
    // Two buses may serve one trip, and one bus is predicted for its next trips too.
    tripUpdateKey: ({ trip, vehicleId }) =>
      tripKey(trip) === undefined || nonEmpty(vehicleId) === undefined
        ? tripKey(trip)
        : `${tripKey(trip)}|${vehicleId}`,
    // "MTA NYCT_9771"
    agencyId: (vehicleId) => /^([^_]+)_/.exec(vehicleId ?? '')?.[1],
    speedMaxMps: 35,
    box: CITY,
  },
}

export const PROFILE_NAMES = Object.keys(PROFILES) as readonly ProfileName[]
