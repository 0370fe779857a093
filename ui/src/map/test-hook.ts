// For browser tests: what is drawn, as data. Pixels of a canvas tell them nothing.
import { fleet } from './fleet.ts'
import type { MapLibreMap } from './basemap.ts'
import type { DrawOptions, VehicleLayer } from './vehicle-layer.ts'

export interface MapTestHook {
  /** Resolves when the basemap is drawn. */
  idle(): Promise<void>
  total(): number
  inView(): number
  /** Where a vehicle is drawn at this moment, in pixels of the map. */
  pixelOf(key: string): { readonly x: number; readonly y: number } | undefined
  opacityOf(key: string): number | undefined
  /** Milliseconds that drawing one frame takes, the mean of some. */
  frameCost(): number
}

declare global {
  interface Window {
    mtaMap?: MapTestHook | undefined
  }
}

const COST_FRAMES = 30

export function exposeForTests(scene: {
  readonly map: MapLibreMap
  readonly layer: VehicleLayer
  readonly options: (nowMs: number) => DrawOptions
  readonly stop: AbortSignal
}): void {
  const { map, layer, options, stop } = scene
  const idle = new Promise<void>((resolve) => {
    void map.once('idle', () => resolve())
  })
  window.mtaMap = {
    idle: () => idle,
    total: () => fleet.size,
    inView: () => layer.inView,
    pixelOf: (key) => {
      const { camera, nowMs } = options(performance.now())
      const placed = fleet.placeOf(key, nowMs)
      if (placed === undefined) return undefined
      return {
        x: (placed.x - camera.centerX) * camera.scale + camera.width / 2,
        y: (placed.y - camera.centerY) * camera.scale + camera.height / 2,
      }
    },
    opacityOf: (key) => fleet.placeOf(key, performance.now())?.opacity,
    frameCost: () => {
      const beganMs = performance.now()
      for (let n = 0; n < COST_FRAMES; n++) layer.draw(options(performance.now()))
      return (performance.now() - beganMs) / COST_FRAMES
    },
  }
  stop.addEventListener('abort', () => {
    window.mtaMap = undefined
  })
}
