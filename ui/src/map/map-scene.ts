// The moving part of the map page: basemap, vehicles, camera and what the user does with them.
import { effect } from '@preact/signals'
import { changeMap, lastMap, route } from '../route.ts'
import { Basemap, type MapLibreMap } from './basemap.ts'
import { isShown, inReadingOrder, summarise } from './filter.ts'
import { fleet } from './fleet.ts'
import type { Geometry } from './geometry.ts'
import {
  filter,
  inView,
  isFollowing,
  listed,
  select,
  selected,
  summary,
  wanted,
} from './map-state.ts'
import { cameraOf } from './projection.ts'
import { exposeForTests } from './test-hook.ts'
import { type DrawOptions, VehicleLayer } from './vehicle-layer.ts'

const SUMMARY_EVERY_MS = 1_000
/** A little less than a frame, since frames do not come evenly. */
const FRAME_MS = 14
const FRAME_MS_ON_BATTERY = 31
const LISTED_MAX = 200
const VISIT_ZOOM = 13.5
const PAN_MS = 600

interface Scene {
  readonly basemap: Basemap
  readonly map: MapLibreMap
  readonly layer: VehicleLayer
  readonly stage: HTMLElement
  readonly stop: AbortSignal
  /** True: the user wants no motion. */
  readonly isStill: () => boolean
  readonly options: (nowMs: number) => DrawOptions
}

/** Draws the map until `stop`. */
export async function showScene(
  stage: HTMLElement,
  geometry: Geometry,
  stop: AbortSignal,
): Promise<void> {
  const dark = matchMedia('(prefers-color-scheme: dark)')
  const still = matchMedia('(prefers-reduced-motion: reduce)')
  const basemap = await Basemap.create({
    container: stage,
    view: lastMap.value.view,
    isDark: dark.matches,
  })
  const { map } = basemap
  stop.addEventListener('abort', () => map.remove())
  if (stop.aborted) {
    map.remove()
    return
  }
  const options = (nowMs: number): DrawOptions => {
    const { lng, lat } = map.getCenter()
    const zoom = map.getZoom()
    const size = { width: stage.clientWidth, height: stage.clientHeight }
    const chosen = selected.value
    const shown = filter.value
    return {
      camera: cameraOf({ zoom, longitude: lng, latitude: lat, ...size }),
      zoom,
      nowMs,
      isDark: dark.matches,
      selected: chosen,
      isShown: (vehicle) => vehicle.key === chosen || isShown(vehicle, shown),
    }
  }
  const layer = new VehicleLayer(canvasAbove(map), fleet, geometry.colors)
  const scene = { basemap, map, layer, stage, stop, options, isStill: () => still.matches }
  fleet.setShapes(geometry.shapes)
  fleet.isStill = still.matches
  dark.addEventListener('change', () => basemap.setDark(dark.matches), { signal: stop })
  still.addEventListener('change', () => (fleet.isStill = still.matches), { signal: stop })
  listenToMap(scene)
  listenToPage(scene)
  exposeForTests(scene)
  await animate(scene)
}

/** Above the basemap and below the map's buttons. */
function canvasAbove(map: MapLibreMap): HTMLCanvasElement {
  const canvas = document.createElement('canvas')
  canvas.className = 'map-vehicles'
  canvas.setAttribute('aria-hidden', 'true')
  map.getCanvasContainer().append(canvas)
  return canvas
}

function listenToMap({ map, layer, stage, options, stop }: Scene): void {
  const resize = (): void => layer.resize(stage.clientWidth, stage.clientHeight, devicePixelRatio)
  resize()
  const observer = new ResizeObserver(resize)
  observer.observe(stage)
  stop.addEventListener('abort', () => observer.disconnect())
  map.on('click', ({ point }) => select(layer.hit(point.x, point.y, options(performance.now()))))
  map.on('mousemove', ({ point }) => {
    const hit = layer.hit(point.x, point.y, options(performance.now()))
    map.getCanvas().style.cursor = hit === undefined ? '' : 'pointer'
  })
  map.on('dragstart', () => {
    isFollowing.value = false
  })
  map.on('moveend', () => {
    const { lng, lat } = map.getCenter()
    changeMap({ view: { zoom: map.getZoom(), latitude: lat, longitude: lng } })
  })
}

function listenToPage({ basemap, map, stop, isStill }: Scene): void {
  const ends = [
    effect(() => basemap.emphasise(filter.value.line)),
    effect(() => {
      const place = wanted.value === undefined ? undefined : lookUp(wanted.value)
      wanted.value = undefined
      if (place === undefined) return
      const duration = isStill() ? 0 : PAN_MS
      map.easeTo({ center: place, zoom: Math.max(map.getZoom(), VISIT_ZOOM), duration })
    }),
  ]
  stop.addEventListener('abort', () => {
    for (const end of ends) end()
  })
  addEventListener(
    'hashchange',
    () => {
      if (route.value.page !== 'map') return
      const { zoom, latitude, longitude } = lastMap.value.view
      map.jumpTo({ zoom, center: [longitude, latitude] })
    },
    { signal: stop },
  )
  addEventListener('keydown', onKey, { signal: stop })
}

function onKey(event: KeyboardEvent): void {
  if (event.target instanceof HTMLInputElement || event.ctrlKey || event.metaKey) return
  if (event.key === 'Escape') select(undefined)
  if (event.key.toLowerCase() === 'f' && selected.value !== undefined) {
    isFollowing.value = !isFollowing.value
  }
}

function lookUp(key: string): [number, number] | undefined {
  const vehicle = fleet.vehicle(key)
  return vehicle === undefined ? undefined : [vehicle.longitude, vehicle.latitude]
}

/** Browsers that do not tell are taken to be on mains. */
async function isOnBattery(): Promise<boolean> {
  const { getBattery } = navigator as { getBattery?: () => Promise<{ readonly charging: boolean }> }
  const battery = await getBattery?.call(navigator).catch(() => undefined) // Not allowed to ask.
  return battery !== undefined && !battery.charging
}

async function animate(scene: Scene): Promise<void> {
  const { map, layer, options, stop } = scene
  const frameMs = (await isOnBattery()) ? FRAME_MS_ON_BATTERY : FRAME_MS
  let summarisedMs = Number.NEGATIVE_INFINITY
  let drawnMs = 0
  // A page that nobody sees gets no frames.
  const frame = (): void => {
    if (stop.aborted) return
    requestAnimationFrame(frame)
    const nowMs = performance.now()
    if (nowMs - drawnMs < frameMs) return
    drawnMs = nowMs
    const now = options(nowMs)
    if (isFollowing.value) follow(map, now)
    layer.draw(now)
    if (nowMs - summarisedMs < SUMMARY_EVERY_MS) return
    summarisedMs = nowMs
    tell(scene, now)
  }
  requestAnimationFrame(frame)
}

/** Once a second, what is on the map in figures and words. */
function tell({ layer }: Scene, now: DrawOptions): void {
  summary.value = summarise(fleet)
  inView.value = layer.inView
  if (listed.value === undefined) return
  listed.value = inReadingOrder(layer.vehiclesInView(now)).slice(0, LISTED_MAX)
}

/** Keeps the selected vehicle in the middle half of the map; a basemap redraw is costly, so not on every frame. */
function follow(map: MapLibreMap, { camera, selected: key, nowMs }: DrawOptions): void {
  const placed = key === undefined ? undefined : fleet.placeOf(key, nowMs)
  if (placed === undefined || map.isMoving()) return
  const dx = (placed.x - camera.centerX) * camera.scale
  const dy = (placed.y - camera.centerY) * camera.scale
  if (Math.abs(dx) < camera.width / 4 && Math.abs(dy) < camera.height / 4) return
  map.panBy([dx, dy], { duration: fleet.isStill ? 0 : PAN_MS })
}
