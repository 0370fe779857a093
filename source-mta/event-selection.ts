// What the entities of GTFS-realtime are chosen by.
import type { EntityEvent } from './body-reading.ts'
import type { Trip } from './decode.ts'
import type { NyctFields } from './record-fields.ts'
import type { Selectable, Selection } from './selection.ts'

/** Whether an event is wanted. Of what is gone only the route is known; without one it is told of. */
export function isSelected(selection: Selection, event: EntityEvent): boolean {
  if (event.kind !== 'vanished') return selection.has(selectableOf(event))
  const { routeId } = event.identity.trip
  return routeId === undefined || selection.hasRoute(routeId)
}

function selectableOf(event: Exclude<EntityEvent, { readonly kind: 'vanished' }>): Selectable {
  if (event.kind === 'vehicle') {
    const { vehicle, trip, nyct, placed } = event
    return { ...tripSelectable(trip, nyct), stops: stopForms(vehicle.stopId), place: placed }
  }
  if (event.kind === 'trip_update') {
    const { trip, nyct, prediction } = event
    const stops = prediction.stops.flatMap(({ stop_id: id }) => stopForms(id ?? undefined))
    return { ...tripSelectable(trip, nyct), stops, place: undefined }
  }
  const informed = event.alert.informedEntities
  return {
    routes: informed.flatMap(({ routeId, trip }) => [...some(routeId), ...some(trip?.routeId)]),
    stops: informed.flatMap(({ stopId }) => stopForms(stopId)),
    directions: informed.flatMap(({ directionId }) => some(directionId?.toString())),
    place: undefined,
  }
}

const tripSelectable = (
  trip: Trip,
  nyct: NyctFields,
): Pick<Selectable, 'routes' | 'directions'> => ({
  routes: some(trip.routeId),
  directions: [...some(trip.directionId?.toString()), ...some(nyct.direction ?? undefined)],
})

const some = (text: string | undefined): readonly string[] => (text === undefined ? [] : [text])

/** A subway platform, `A24N`, is also meant by its station, `A24`. */
const stopForms = (stop: string | undefined): readonly string[] =>
  stop === undefined ? [] : /^[A-Z\d]\d\d[NS]$/.test(stop) ? [stop, stop.slice(0, -1)] : [stop]
