// Land, water, streets by way of the bus routes, subway lines and stations: all of it from files of ours. The only
// importer of MapLibre.
import {
  type ExpressionSpecification,
  type GeoJSONSourceSpecification,
  Map as MapLibreMap,
  NavigationControl,
  setWorkerUrl,
  type StyleSpecification,
} from 'maplibre-gl'
import workerUrl from 'maplibre-gl/dist/maplibre-gl-worker.mjs?url'
import 'maplibre-gl/dist/maplibre-gl.css'
import { type Area, labelPoint } from './label-point.ts'

// MapLibre 6 looks for its worker beside the bundle, where Vite doesn't put it. Without this the map stays empty.
setWorkerUrl(new URL(workerUrl, location.href).href)

export type { MapLibreMap }

type Points = GeoJSONSourceSpecification['data']

interface Palette {
  readonly water: string
  /** The shore is 100 to 300 m exact: close up, water is hardly told from land. */
  readonly waterNear: string
  readonly land: string
  readonly street: string
  readonly casing: string
  readonly label: string
  readonly halo: string
  readonly lineOpacity: number
}

const LIGHT: Palette = {
  water: '#cbdce8',
  waterNear: '#e6ecee',
  land: '#f6f5f1',
  street: '#dcdad3',
  casing: '#ffffff',
  label: '#4b5563',
  halo: '#ffffff',
  lineOpacity: 0.55,
}
const DARK: Palette = {
  water: '#0a131d',
  waterNear: '#141c26',
  land: '#18212c',
  street: '#2a3644',
  casing: '#0d1520',
  label: '#b6c2cf',
  halo: '#0d1520',
  lineOpacity: 0.6,
}

export interface View {
  readonly zoom: number
  readonly latitude: number
  readonly longitude: number
}

export interface BasemapOptions {
  readonly container: HTMLElement
  readonly view: View
  readonly isDark: boolean
}

/** A map without rotation or pitch, so that one affine transform places a vehicle. */
export class Basemap {
  readonly map: MapLibreMap
  readonly #boroughs: Points
  #isDark: boolean
  #line: string | undefined
  #isStyled = false

  private constructor(options: BasemapOptions, boroughs: Points) {
    const { container, view, isDark } = options
    this.#boroughs = boroughs
    this.#isDark = isDark
    this.map = new MapLibreMap({
      container,
      style: styleFor(isDark, boroughs),
      center: [view.longitude, view.latitude],
      zoom: view.zoom,
      minZoom: 8.5,
      maxZoom: 17,
      maxBounds: [-75.6, 39.9, -71.6, 42.2],
      dragRotate: false,
      pitchWithRotate: false,
      touchPitch: false,
      attributionControl: {
        compact: false,
        customAttribution: '© OpenStreetMap contributors · MTA',
      },
    })
    this.map.touchZoomRotate.disableRotation()
    this.map.keyboard.disableRotation()
    this.map.addControl(new NavigationControl({ showCompass: false }), 'bottom-right')
    this.map.on('style.load', () => {
      this.#isStyled = true
      this.#applyLine()
    })
  }

  static async create(options: BasemapOptions): Promise<Basemap> {
    return new Basemap(options, await boroughNames())
  }

  setDark(isDark: boolean): void {
    if (isDark === this.#isDark) return
    this.#isDark = isDark
    this.#isStyled = false
    this.map.setStyle(styleFor(isDark, this.#boroughs))
  }

  /** Draws one subway line in its colour and the others as streets; undefined: all in their colours. */
  emphasise(line: string | undefined): void {
    if (line === this.#line) return
    this.#line = line
    if (this.#isStyled) this.#applyLine()
  }

  #applyLine(): void {
    const { street } = this.#isDark ? DARK : LIGHT
    const isOne = this.#line !== undefined
    this.map.setPaintProperty('lines', 'line-color', isOne ? street : ['get', 'color'])
    this.map.setFilter('line', ['==', ['get', 'route'], this.#line ?? ''])
  }
}

/** The boroughs' names: one point each, since MapLibre would name a polygon once in every tile. */
async function boroughNames(): Promise<Points> {
  const response = await fetch(fileUrl('boroughs'))
  if (!response.ok) throw new Error(`boroughs.json: ${response.status}`)
  const { features } = (await response.json()) as { readonly features: readonly Area[] }
  return {
    type: 'FeatureCollection',
    features: features.map((area) => ({
      type: 'Feature',
      properties: area.properties,
      geometry: { type: 'Point', coordinates: [...labelPoint(area)] },
    })),
  }
}

const fileUrl = (name: string): string => new URL(`basemap/${name}.json`, document.baseURI).href
const file = (name: string): { type: 'geojson'; data: string } => ({
  type: 'geojson',
  data: fileUrl(name),
})

function styleFor(isDark: boolean, boroughs: Points): StyleSpecification {
  const palette = isDark ? DARK : LIGHT
  return {
    version: 8,
    sources: {
      land: file('land'),
      streets: file('bus-lines'),
      lines: file('subway-lines'),
      stations: file('stations'),
      boroughs: { type: 'geojson', data: boroughs },
    },
    layers: [
      {
        id: 'water',
        type: 'background',
        paint: {
          'background-color': [
            'interpolate',
            ['linear'],
            ['zoom'],
            11.5,
            palette.water,
            14,
            palette.waterNear,
          ],
        },
      },
      { id: 'land', type: 'fill', source: 'land', paint: { 'fill-color': palette.land } },
      ...lineLayers(palette),
      ...placeLayers(palette),
    ],
  }
}

const ROUND = { 'line-join': 'round', 'line-cap': 'round' } as const

const LINE_WIDTH: ExpressionSpecification = [
  'interpolate',
  ['linear'],
  ['zoom'],
  9,
  1,
  12,
  2.2,
  16,
  5,
]

/** Bus routes stand in for streets. */
function lineLayers(palette: Palette): StyleSpecification['layers'] {
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
        'line-opacity': palette.lineOpacity,
        'line-width': LINE_WIDTH,
      },
    },
    {
      id: 'line',
      type: 'line',
      source: 'lines',
      filter: ['==', ['get', 'route'], ''],
      layout: ROUND,
      paint: { 'line-color': ['get', 'color'], 'line-width': LINE_WIDTH },
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
        'text-variable-anchor': ['top', 'bottom', 'left', 'right'],
        'text-radial-offset': 0.7,
        'text-padding': 6,
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
