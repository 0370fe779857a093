import { signal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import { replaceRoute, route } from '../route.ts'
import { createBasemap, type MapLibreMap } from './basemap.ts'
import { fleet } from './fleet.ts'
import { type Filter, isShown, summarise, type Summary } from './filter.ts'
import { LineColors, type Route } from './lines.ts'
import { MapPanel } from './map-panel.tsx'
import { cameraOf } from './projection.ts'
import { type Shape, shapeOf } from './shapes.ts'
import { VehicleCard } from './vehicle-card.tsx'
import { type DrawOptions, VehicleLayer } from './vehicle-layer.ts'

interface Geometry {
  readonly routes: readonly Route[]
  readonly shapes: Readonly<Record<string, string>>
  readonly stops: readonly (readonly [string, string, ...unknown[]])[]
}

const SUMMARY_EVERY_MS = 1_000
const FRAME_MS_ON_BATTERY = 33

const summary = signal<Summary>({
  total: 0,
  inView: 0,
  lines: [],
  kinds: { subway: 0, rail: 0, bus: 0 },
})
const geometry = signal<{ colors: LineColors; stops: ReadonlyMap<string, string> } | undefined>(
  undefined,
)
const filter = signal<Filter>({ line: undefined, kinds: new Set(['subway', 'rail', 'bus']) })
const isFollowing = signal(false)

let loading: Promise<void> | undefined
/** Fetched once, however often the map is opened. */
function loadGeometry(): Promise<void> {
  loading ??= (async () => {
    const response = await fetch(new URL('subway-geometry.json', document.baseURI))
    const { routes, shapes, stops } = (await response.json()) as Geometry
    const decoded = new Map<string, Shape>()
    for (const [id, text] of Object.entries(shapes)) decoded.set(id, shapeOf(text))
    fleet.setShapes(decoded)
    geometry.value = {
      colors: new LineColors(routes),
      stops: new Map(stops.map(([id, name]) => [id, name])),
    }
  })()
  return loading
}

const mapRoute = () => {
  const { value } = route
  if (value.page !== 'map') throw new Error('The map is not the page that is shown.')
  return value
}

function select(vehicle: string | undefined): void {
  if (vehicle === undefined) isFollowing.value = false
  replaceRoute({ ...mapRoute(), vehicle })
}

export function MapPage() {
  const stage = useRef<HTMLDivElement>(null)
  const canvas = useRef<HTMLCanvasElement>(null)
  useEffect(() => {
    const stop = new AbortController()
    void start(stage.current, canvas.current, stop.signal)
    return () => stop.abort()
  }, [])
  if (route.value.page !== 'map') return null
  const selected = route.value.vehicle
  const known = geometry.value
  return (
    <div class="map-page">
      <div class="map-stage" ref={stage} />
      <canvas class="map-vehicles" ref={canvas} aria-hidden="true" />
      {known !== undefined && (
        <MapPanel
          summary={summary.value}
          colors={known.colors}
          filter={filter.value}
          onFilter={(next) => {
            filter.value = next
            replaceRoute({ ...mapRoute(), line: next.line })
          }}
          onSelect={select}
        />
      )}
      {known !== undefined && selected !== undefined && (
        <VehicleCard
          vehicleKey={selected}
          colors={known.colors}
          stops={known.stops}
          isFollowing={isFollowing.value}
          onFollow={(isOn) => {
            isFollowing.value = isOn
          }}
          onClose={() => select(undefined)}
        />
      )}
    </div>
  )
}

async function start(
  stage: HTMLDivElement | null,
  canvas: HTMLCanvasElement | null,
  stop: AbortSignal,
): Promise<void> {
  if (stage === null || canvas === null) return
  await loadGeometry()
  const known = geometry.value
  if (known === undefined || stop.aborted) return
  const dark = matchMedia('(prefers-color-scheme: dark)')
  const still = matchMedia('(prefers-reduced-motion: reduce)')
  fleet.isStill = still.matches
  filter.value = { ...filter.value, line: mapRoute().line }
  const map = createBasemap(stage, mapRoute().view, dark.matches)
  const layer = new VehicleLayer(canvas, fleet, known.colors)
  const options = (nowMs: number): DrawOptions => {
    const { lng, lat } = map.getCenter()
    return {
      camera: cameraOf({
        zoom: map.getZoom(),
        longitude: lng,
        latitude: lat,
        width: stage.clientWidth,
        height: stage.clientHeight,
      }),
      zoom: map.getZoom(),
      nowMs,
      isDark: dark.matches,
      selected: route.value.page === 'map' ? route.value.vehicle : undefined,
      isShown: (vehicle) => isShown(vehicle, filter.value),
    }
  }
  listen({ map, layer, stage, options, stop })
  exposeForTests(map, layer, options)
  animate({ map, layer, options, stop, isStill: still.matches })
  stop.addEventListener('abort', () => map.remove())
}

interface Parts {
  readonly map: MapLibreMap
  readonly layer: VehicleLayer
  readonly options: (nowMs: number) => DrawOptions
  readonly stop: AbortSignal
}

function listen({
  map,
  layer,
  stage,
  options,
  stop,
}: Parts & { readonly stage: HTMLElement }): void {
  const resize = (): void => layer.resize(stage.clientWidth, stage.clientHeight, devicePixelRatio)
  resize()
  const observer = new ResizeObserver(resize)
  observer.observe(stage)
  stop.addEventListener('abort', () => observer.disconnect())
  map.on('click', (event) =>
    select(layer.hit(event.point.x, event.point.y, options(performance.now()))),
  )
  map.on('mousemove', (event) => {
    const hit = layer.hit(event.point.x, event.point.y, options(performance.now()))
    map.getCanvas().style.cursor = hit === undefined ? '' : 'pointer'
  })
  map.on('dragstart', () => {
    isFollowing.value = false
  })
  map.on('moveend', () => {
    const { lng, lat } = map.getCenter()
    replaceRoute({ ...mapRoute(), view: { zoom: map.getZoom(), latitude: lat, longitude: lng } })
  })
  addEventListener(
    'keydown',
    (event) => {
      if (event.target instanceof HTMLInputElement) return
      if (event.key === 'Escape') select(undefined)
      if (event.key === 'f' && mapRoute().vehicle !== undefined)
        isFollowing.value = !isFollowing.value
    },
    { signal: stop },
  )
}

function animate({
  map,
  layer,
  options,
  stop,
  isStill,
}: Parts & { readonly isStill: boolean }): void {
  let summarisedMs = 0
  let drawnMs = 0
  const frame = (): void => {
    if (stop.aborted) return
    requestAnimationFrame(frame)
    const nowMs = performance.now()
    if (isStill && nowMs - drawnMs < FRAME_MS_ON_BATTERY) return
    drawnMs = nowMs
    const now = options(nowMs)
    if (isFollowing.value) follow(map, now)
    layer.draw(now)
    if (nowMs - summarisedMs < SUMMARY_EVERY_MS) return
    summarisedMs = nowMs
    summary.value = summarise(fleet, layer.inView)
  }
  requestAnimationFrame(frame)
}

/** Keeps the selected vehicle in the middle half of the map; a basemap redraw is costly, so not on every frame. */
function follow(map: MapLibreMap, { camera, selected, nowMs }: DrawOptions): void {
  const placed = selected === undefined ? undefined : fleet.placeOf(selected, nowMs)
  if (placed === undefined || map.isMoving()) return
  const dx = (placed.x - camera.centerX) * camera.scale
  const dy = (placed.y - camera.centerY) * camera.scale
  if (Math.abs(dx) < camera.width / 4 && Math.abs(dy) < camera.height / 4) return
  map.panBy([dx, dy], { duration: 600 })
}

declare global {
  interface Window {
    /** For browser tests: what is drawn, as data. */
    mtaMap?: {
      idle(): Promise<void>
      inView(): number
      pixelOf(key: string): { x: number; y: number } | undefined
      total(): number
    }
  }
}

function exposeForTests(
  map: MapLibreMap,
  layer: VehicleLayer,
  options: (nowMs: number) => DrawOptions,
): void {
  const idle = new Promise<void>((resolve) => {
    void map.once('idle', () => resolve())
  })
  window.mtaMap = {
    idle: () => idle,
    inView: () => layer.inView,
    total: () => fleet.size,
    pixelOf: (key) => {
      const now = options(performance.now())
      const placed = fleet.placeOf(key, now.nowMs)
      if (placed === undefined) return undefined
      return {
        x: (placed.x - now.camera.centerX) * now.camera.scale + now.camera.width / 2,
        y: (placed.y - now.camera.centerY) * now.camera.scale + now.camera.height / 2,
      }
    },
  }
}
