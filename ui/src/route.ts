// The page that is shown, and how to change it.
import { signal } from '@preact/signals'
import { formatRoute, type MapRoute, NEW_YORK, parseRoute, type Route } from './route-text.ts'

export const route = signal<Route>(parseRoute(location.hash))
/** Where the map was, for the way back to it. */
export const lastMap = signal<MapRoute>(mapOf(route.value))
addEventListener('hashchange', () => show(parseRoute(location.hash)))

function mapOf(shown: Route): MapRoute {
  return shown.page === 'map'
    ? shown
    : { page: 'map', view: NEW_YORK, line: undefined, vehicle: undefined }
}

function show(next: Route): void {
  if (next.page === 'map') lastMap.value = next
  route.value = next
}

/** Shows a page and makes an entry in the browser's history. */
export const go = (next: Route): void => {
  location.hash = formatRoute(next)
}

/** Changes the address of the page that is shown, without an entry. */
export function replaceRoute(next: Route): void {
  globalThis.history.replaceState(null, '', formatRoute(next))
  show(next)
}
