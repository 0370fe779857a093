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

/** Changes what the map shows, and the address, without an entry in the history. Only while the map is the page that
 *  is shown: one that is on its way out still tells of moves, and must not bring the user back. */
export function changeMap(change: Partial<Omit<MapRoute, 'page'>>): void {
  if (route.value.page !== 'map') return
  const next = { ...lastMap.value, ...change }
  globalThis.history.replaceState(null, '', formatRoute(next))
  show(next)
}
