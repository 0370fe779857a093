// Land, water, streets by way of the bus routes, subway lines and stations: all of it from files of ours. The only
// importer of MapLibre.
import {
  Map as MapLibreMap,
  NavigationControl,
  setWorkerUrl,
  type StyleSpecification,
} from 'maplibre-gl'
import workerUrl from 'maplibre-gl/dist/maplibre-gl-worker.mjs?url'
import 'maplibre-gl/dist/maplibre-gl.css'

// MapLibre 6 looks for its worker beside the bundle, where Vite doesn't put it. Without this the map stays empty.
setWorkerUrl(new URL(workerUrl, location.href).href)

export type { MapLibreMap }

interface Palette {
  readonly water: string
  readonly land: string
  readonly street: string
  readonly casing: string
  readonly label: string
  readonly halo: string
}

const LIGHT: Palette = {
  water: '#cfdde6',
  land: '#f6f5f1',
  street: '#dcdad3',
  casing: '#ffffff',
  label: '#4b5563',
  halo: '#ffffff',
}
const DARK: Palette = {
  water: '#0b1622',
  land: '#18212c',
  street: '#2a3644',
  casing: '#0d1520',
  label: '#b6c2cf',
  halo: '#0d1520',
}

export interface View {
  readonly zoom: number
  readonly latitude: number
  readonly longitude: number
}

/** A map without rotation or pitch, so that one affine transform places a vehicle. */
export function createBasemap(container: HTMLElement, view: View, isDark: boolean): MapLibreMap {
  const map = new MapLibreMap({
    container,
    style: styleFor(isDark),
    center: [view.longitude, view.latitude],
    zoom: view.zoom,
    minZoom: 8.5,
    maxZoom: 17,
    maxBounds: [-75.6, 39.9, -71.6, 42.2],
    dragRotate: false,
    pitchWithRotate: false,
    touchPitch: false,
    attributionControl: { compact: true, customAttribution: '© OpenStreetMap contributors · MTA' },
  })
  map.touchZoomRotate.disableRotation()
  map.keyboard.disableRotation()
  map.addControl(new NavigationControl({ showCompass: false }), 'bottom-right')
  return map
}

const file = (name: string): { type: 'geojson'; data: string } => ({
  type: 'geojson',
  data: new URL(`basemap/${name}.json`, document.baseURI).href,
})

function styleFor(isDark: boolean): StyleSpecification {
  const palette = isDark ? DARK : LIGHT
  return {
    version: 8,
    sources: {
      land: file('land'),
      streets: file('bus-lines'),
      lines: file('subway-lines'),
      stations: file('stations'),
      boroughs: file('boroughs'),
    },
    layers: [
      { id: 'water', type: 'background', paint: { 'background-color': palette.water } },
      { id: 'land', type: 'fill', source: 'land', paint: { 'fill-color': palette.land } },
      ...lineLayers(palette, isDark),
      ...placeLayers(palette),
    ],
  }
}

const ROUND = { 'line-join': 'round', 'line-cap': 'round' } as const

/** Bus routes stand in for streets. */
function lineLayers(palette: Palette, isDark: boolean): StyleSpecification['layers'] {
  return [
    {
      id: 'streets',
      type: 'line',
      source: 'streets',
      layout: ROUND,
      paint: {
        'line-color': palette.street,
        'line-width': ['interpolate', ['linear'], ['zoom'], 10, 0.6, 14, 3, 17, 9],
      },
    },
    {
      id: 'lines-casing',
      type: 'line',
      source: 'lines',
      layout: ROUND,
      paint: {
        'line-color': palette.casing,
        'line-width': ['interpolate', ['linear'], ['zoom'], 9, 2, 12, 4, 16, 9],
      },
    },
    {
      id: 'lines',
      type: 'line',
      source: 'lines',
      layout: ROUND,
      paint: {
        'line-color': ['get', 'color'],
        'line-opacity': isDark ? 0.75 : 0.6,
        'line-width': ['interpolate', ['linear'], ['zoom'], 9, 1, 12, 2.2, 16, 5],
      },
    },
  ]
}

function placeLayers(palette: Palette): StyleSpecification['layers'] {
  return [
    {
      id: 'stations',
      type: 'circle',
      source: 'stations',
      minzoom: 11.5,
      paint: {
        'circle-radius': ['interpolate', ['linear'], ['zoom'], 11.5, 1.5, 15, 4],
        'circle-color': palette.casing,
        'circle-stroke-color': palette.label,
        'circle-stroke-width': 1,
      },
    },
    {
      id: 'station-names',
      type: 'symbol',
      source: 'stations',
      minzoom: 13.5,
      layout: {
        'text-field': ['get', 'name'],
        'text-size': 11,
        'text-offset': [0, 1.1],
        'text-anchor': 'top',
        'text-max-width': 8,
      },
      paint: {
        'text-color': palette.label,
        'text-halo-color': palette.halo,
        'text-halo-width': 1.4,
      },
    },
    {
      id: 'borough-names',
      type: 'symbol',
      source: 'boroughs',
      maxzoom: 12.5,
      layout: {
        'text-field': ['get', 'name'],
        'text-size': ['interpolate', ['linear'], ['zoom'], 9, 11, 12, 16],
        'text-transform': 'uppercase',
        'text-letter-spacing': 0.15,
      },
      paint: {
        'text-color': palette.label,
        'text-opacity': 0.8,
        'text-halo-color': palette.halo,
        'text-halo-width': 1.5,
      },
    },
  ]
}
