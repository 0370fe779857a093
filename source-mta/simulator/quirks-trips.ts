// Peculiarities of the feeds that are in trips, stops and delays, each as a change of an encoded message.
import { chance } from './chance.ts'
import {
  ENTITY,
  NYCT_TRIP,
  RAILROAD_STOP,
  STOP_TIME_EVENT,
  STOP_TIME_UPDATE,
  TRIP,
  TRIP_UPDATE,
  VEHICLE,
  VEHICLE_DESCRIPTOR,
} from './gtfs-realtime-fields.ts'
import type { ProtobufWriter } from './protobuf-writer.ts'
import { headerTimestamp, type WireMessage } from './wire-message.ts'
import {
  bytesOf,
  mapField,
  mapNumber,
  mapPath,
  mapTrips,
  nameOf,
  numberOf,
  textOf,
  withFields,
} from './wire-edit.ts'

/** `share`: of the entities that it is about, in (0, 1]. */
export type Quirk = (message: WireMessage, share: number) => WireMessage

const STOPS = [ENTITY.tripUpdate, TRIP_UPDATE.stopTimeUpdate] as const
const RELATIONSHIP = { added: 1, canceled: 3 } as const
const DAY_S = 86_400
const EXTREME_DELAYS_S = [-1_639, 4_383] as const
const STATUS_WORDS = [
  'On-Time',
  'Late',
  'Delayed',
  'Departed',
  'Arrived',
  'Arriving',
  'Bus',
] as const
const ALIASES: Readonly<Record<string, string>> = {
  GS: 'S',
  S: 'GS',
  SI: 'SS',
  SS: 'SI',
  5: '5X',
  6: '6X',
  7: '7X',
  F: 'FX',
}

/** The same entities for the same share in every body, so that a quirk stays with its trip. */
export function isChosen(what: string, entity: Uint8Array, share: number): boolean {
  return chance(0, what, nameOf(entity)) < share
}

/** Applies a change to the chosen entities. */
export function chosen(
  what: string,
  change: (entity: Uint8Array, index: number, timestamp: number) => Uint8Array,
): Quirk {
  return ({ header, entities }, share) => {
    const timestamp = headerTimestamp(header)
    return {
      header,
      entities: entities.map((entity, i) =>
        isChosen(what, entity, share) ? change(entity, i, timestamp) : entity,
      ),
    }
  }
}

/** YYYYMMDD so many days earlier. */
export function daysEarlier(date: string, days: number): string {
  const [year, month, day] = [date.slice(0, 4), date.slice(4, 6), date.slice(6, 8)].map(Number)
  const at = Date.UTC(year ?? 0, (month ?? 1) - 1, day ?? 1) - days * DAY_S * 1000
  return new Date(at).toISOString().slice(0, 10).replaceAll('-', '')
}

export function withStartDate(entity: Uint8Array, change: (date: string) => string): Uint8Array {
  return mapTrips(entity, (trip) => {
    const date = textOf(trip, TRIP.startDate)
    return date === undefined
      ? trip
      : withFields(trip, [TRIP.startDate], (w) => w.string(TRIP.startDate, change(date)))
  })
}

function withTimes(stop: Uint8Array, change: (time: number) => number): Uint8Array {
  const event = (payload: Uint8Array): Uint8Array =>
    mapNumber(payload, STOP_TIME_EVENT.time, change)
  return mapField(
    mapField(stop, STOP_TIME_UPDATE.arrival, event),
    STOP_TIME_UPDATE.departure,
    event,
  )
}

/** When a stop's arrival, or else its departure, is announced for. */
function timeOf(stop: Uint8Array): number | undefined {
  const event = bytesOf(stop, STOP_TIME_UPDATE.arrival) ?? bytesOf(stop, STOP_TIME_UPDATE.departure)
  return event === undefined ? undefined : numberOf(event, STOP_TIME_EVENT.time)
}

const mapStops = (
  entity: Uint8Array,
  change: (stop: Uint8Array, index: number) => Uint8Array,
): Uint8Array =>
  mapField(entity, ENTITY.tripUpdate, (update) =>
    mapField(update, TRIP_UPDATE.stopTimeUpdate, change),
  )

const railroad = (entity: Uint8Array, write: (out: ProtobufWriter, index: number) => void) =>
  mapStops(entity, (stop, index) =>
    bytesOf(stop, STOP_TIME_UPDATE.railroad) === undefined
      ? stop
      : withFields(stop, [STOP_TIME_UPDATE.railroad], (w) =>
          w.message(STOP_TIME_UPDATE.railroad, (inner) => write(inner, index)),
        ),
  )

/** Q10: trips of up to twelve days ago that are still listed, most of them without a position. */
export const oldServiceDays = chosen('old service day', (entity, index) => {
  const old = withStartDate(entity, (date) => daysEarlier(date, 2 + (index % 11)))
  return mapField(old, ENTITY.vehicle, (vehicle) => withFields(vehicle, [VEHICLE.position]))
})

/** Q14: canceled trips, mostly without a route and under the static timetable's ids, and added ones. */
export const canceledAndAdded = chosen('canceled', (entity, index) =>
  mapTrips(entity, (trip) => {
    if (index % 2 === 1)
      return withFields(trip, [TRIP.scheduleRelationship], (w) =>
        w.varint(TRIP.scheduleRelationship, RELATIONSHIP.added),
      )
    const isBare = index % 4 === 0
    const dropped = [TRIP.scheduleRelationship, ...(isBare ? [TRIP.route, TRIP.id] : [])]
    return withFields(trip, dropped, (w) => {
      w.varint(TRIP.scheduleRelationship, RELATIONSHIP.canceled)
      if (isBare) w.string(TRIP.id, `GO201_26_${textOf(trip, TRIP.id) ?? ''}`)
    })
  }),
)

/** Q15: the railroad extension's status is there and empty, the track too. */
export const emptyTrainStatus: Quirk = chosen('empty status', (entity) =>
  railroad(entity, (w) => w.string(RAILROAD_STOP.track, '').string(RAILROAD_STOP.trainStatus, '')),
)

/** Q16: all words that Metro-North has for a train's status. */
export const trainStatusWords: Quirk = chosen('status words', (entity, entityIndex) =>
  railroad(entity, (w, index) => {
    const word = STATUS_WORDS[(index + entityIndex) % STATUS_WORDS.length] ?? ''
    w.string(RAILROAD_STOP.track, '1').string(RAILROAD_STOP.trainStatus, word)
  }),
)

/** Q31, stops: the railroad extension twice, the second time without the status. */
export function repeatStopExtension(entity: Uint8Array): Uint8Array {
  return mapPath(entity, STOPS, (stop) => {
    const extension = bytesOf(stop, STOP_TIME_UPDATE.railroad)
    if (extension === undefined) return stop
    return withFields(stop, [STOP_TIME_UPDATE.railroad], (w) => {
      w.bytes(STOP_TIME_UPDATE.railroad, extension)
      w.bytes(STOP_TIME_UPDATE.railroad, withFields(extension, [RAILROAD_STOP.trainStatus]))
    })
  })
}

/** Q19: the next stop is always at least a minute away, until the train reports. */
export const nextStopInAMinute = chosen('next stop', (entity, _, timestamp) => {
  let isDone = false
  return mapStops(entity, (stop) => {
    const time = timeOf(stop)
    if (isDone || time === undefined || time < timestamp) return stop
    isDone = true
    return withTimes(stop, () => timestamp + 60)
  })
})

/** Q20: the first stop listed was passed a while ago. */
export const passedStops = chosen('passed stop', (entity, index, timestamp) =>
  mapStops(entity, (stop, place) =>
    place === 0 ? withTimes(stop, () => timestamp - 30 - (index % 90)) : stop,
  ),
)

/** Q22: routes by another name than the static timetable's, and some by none. */
export const routeAliases = chosen('route alias', (entity, index) =>
  mapTrips(entity, (trip) => {
    const route = textOf(trip, TRIP.route)
    const alias = index % 10 === 0 ? '' : ALIASES[route ?? '']
    if (route === undefined || alias === undefined) return trip
    return withFields(trip, [TRIP.route], (w) => w.string(TRIP.route, alias))
  }),
)

/** Q23: stops that the static timetable does not know. */
export const unknownStops = chosen('unknown stop', (entity, index) => {
  const renamed = mapStops(entity, (stop, place) => {
    if (place % 5 !== 0) return stop
    const direction = /[NS]$/.exec(textOf(stop, STOP_TIME_UPDATE.stopId) ?? '')?.[0] ?? ''
    return withFields(stop, [STOP_TIME_UPDATE.stopId], (w) =>
      w.string(STOP_TIME_UPDATE.stopId, `X${(index + place) % 100}${direction}`),
    )
  })
  return mapField(renamed, ENTITY.vehicle, (vehicle) =>
    bytesOf(vehicle, VEHICLE.stopId) === undefined
      ? vehicle
      : withFields(vehicle, [VEHICLE.stopId], (w) => w.string(VEHICLE.stopId, `X${index % 100}`)),
  )
})

/** Q25: direction and assignment said although they are defaults, as NYCT did until 2018. */
export const explicitDefaults = chosen('explicit default', (entity) =>
  mapTrips(entity, (trip) =>
    mapField(trip, TRIP.nyct, (nyct) => {
      const assigned = numberOf(nyct, NYCT_TRIP.isAssigned)
      const direction = numberOf(nyct, NYCT_TRIP.direction)
      return withFields(nyct, [], (w) => {
        if (assigned === undefined) w.bool(NYCT_TRIP.isAssigned, false)
        if (direction === undefined) w.varint(NYCT_TRIP.direction, 1)
      })
    }),
  ),
)

/** Q30: delays beyond all reason, and up to three trips that name one vehicle. */
export const farOffDelays: Quirk = ({ header, entities }, share) => {
  let vehicle: Uint8Array | undefined
  return {
    header,
    entities: entities.map((entity, i) => {
      if (!isChosen('far off', entity, share)) return entity
      return mapField(entity, ENTITY.tripUpdate, (update) => {
        const own = bytesOf(update, TRIP_UPDATE.vehicle)
        if (i % 3 === 0 || vehicle === undefined) vehicle = own
        return withFields(update, [TRIP_UPDATE.delay, TRIP_UPDATE.vehicle], (w) => {
          if (vehicle !== undefined) w.bytes(TRIP_UPDATE.vehicle, vehicle)
          w.varint(TRIP_UPDATE.delay, EXTREME_DELAYS_S[i % 2] ?? 0)
        })
      })
    }),
  }
}

/** Q9: one trip served by two vehicles, under one entity id. */
export const tripTwoVehicles: Quirk = ({ header, entities }, share) => ({
  header,
  entities: entities.flatMap((entity, i) => {
    if (!isChosen('two vehicles', entity, share)) return [entity]
    const rename = (vehicle: Uint8Array): Uint8Array =>
      withFields(vehicle, [VEHICLE_DESCRIPTOR.id], (w) =>
        w.string(VEHICLE_DESCRIPTOR.id, `${textOf(vehicle, VEHICLE_DESCRIPTOR.id) ?? ''}${i % 10}`),
      )
    const twin = mapPath(entity, [ENTITY.tripUpdate, TRIP_UPDATE.vehicle], rename)
    return [entity, mapPath(twin, [ENTITY.vehicle, VEHICLE.descriptor], rename)]
  }),
})

/** Q9: one train of eight service days, all under one entity id. */
export const trainManyDates: Quirk = ({ header, entities }, share) => ({
  header,
  entities: entities.flatMap((entity, i) => {
    if (i > 0 && !isChosen('many dates', entity, share)) return [entity]
    return Array.from({ length: 8 }, (_, days) =>
      days === 0 ? entity : withStartDate(entity, (date) => daysEarlier(date, days)),
    )
  }),
})
