// The address after `#`: which page, and on the map where it looks and at what, so that a view can be shared.
export interface MapView {
  readonly zoom: number
  readonly latitude: number
  readonly longitude: number
}

export type Route =
  | {
      readonly page: 'map'
      readonly view: MapView
      readonly line: string | undefined
      readonly vehicle: string | undefined
    }
  | { readonly page: 'connectors' }
  | { readonly page: 'connector'; readonly name: string }

export type MapRoute = Extract<Route, { readonly page: 'map' }>

export const NEW_YORK: MapView = { zoom: 11.2, latitude: 40.73, longitude: -73.94 }

/** Reads a hash; anything that makes no sense is the map at its default. */
export function parseRoute(hash: string): Route {
  const params = new URLSearchParams(hash.replace(/^#/, ''))
  const name = params.get('connector')
  if (name !== null && name !== '') return { page: 'connector', name }
  if (params.has('connectors')) return { page: 'connectors' }
  return {
    page: 'map',
    view: parseView(params.get('map') ?? ''),
    line: params.get('line') ?? undefined,
    vehicle: params.get('v') ?? undefined,
  }
}

function parseView(text: string): MapView {
  const [zoom, latitude, longitude] = text.split('/').map(Number)
  const isGood =
    zoom !== undefined &&
    latitude !== undefined &&
    longitude !== undefined &&
    zoom >= 1 &&
    zoom <= 22 &&
    Math.abs(latitude) <= 85 &&
    Math.abs(longitude) <= 180
  return isGood ? { zoom, latitude, longitude } : NEW_YORK
}

export function formatRoute(route: Route): string {
  if (route.page === 'connectors') return '#connectors'
  if (route.page === 'connector') return `#connector=${encodeURIComponent(route.name)}`
  const { view, line, vehicle } = route
  const parts = [
    `map=${view.zoom.toFixed(1)}/${view.latitude.toFixed(4)}/${view.longitude.toFixed(4)}`,
  ]
  if (line !== undefined) parts.push(`line=${encodeURIComponent(line)}`)
  if (vehicle !== undefined) parts.push(`v=${encodeURIComponent(vehicle)}`)
  return `#${parts.join('&')}`
}
