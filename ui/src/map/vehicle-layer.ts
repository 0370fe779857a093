// Vehicles on a canvas of their own above the basemap, so that the basemap is redrawn only when the camera moves.
import type { Vehicle } from '../../live/messages.ts'
import type { FleetStore, Placed } from './fleet-store.ts'
import { kindOf, type LineColors, textOn } from './lines.ts'
import type { Camera } from './projection.ts'

export interface DrawOptions {
  readonly camera: Camera
  readonly zoom: number
  readonly nowMs: number
  readonly isDark: boolean
  readonly selected: string | undefined
  isShown(vehicle: Vehicle): boolean
}

/** Letters are legible from here. */
const LETTERS_ZOOM = 12
const HIT_PIXELS = 14
const BUS_LIGHT = '#1f6f8b'
const BUS_DARK = '#7cc4de'

export class VehicleLayer {
  readonly #canvas: HTMLCanvasElement
  readonly #context: CanvasRenderingContext2D
  readonly #fleet: FleetStore
  readonly #colors: LineColors
  #inView = 0

  constructor(canvas: HTMLCanvasElement, fleet: FleetStore, colors: LineColors) {
    const context = canvas.getContext('2d')
    if (context === null) throw new Error('This browser has no 2-D canvas.')
    this.#canvas = canvas
    this.#context = context
    this.#fleet = fleet
    this.#colors = colors
  }

  /** Vehicles drawn by the last frame. */
  get inView(): number {
    return this.#inView
  }

  resize(width: number, height: number, pixelRatio: number): void {
    this.#canvas.width = Math.round(width * pixelRatio)
    this.#canvas.height = Math.round(height * pixelRatio)
    this.#canvas.style.width = `${width}px`
    this.#canvas.style.height = `${height}px`
    this.#context.setTransform(pixelRatio, 0, 0, pixelRatio, 0, 0)
  }

  draw(options: DrawOptions): void {
    const { camera, nowMs, selected } = options
    const context = this.#context
    context.clearRect(0, 0, camera.width, camera.height)
    const size = sizeAt(options.zoom)
    const trains: [Vehicle, number, number, number, number][] = []
    this.#inView = 0
    for (const [vehicle, placed] of this.#fleet.placed(nowMs)) {
      const x = (placed.x - camera.centerX) * camera.scale + camera.width / 2
      const y = (placed.y - camera.centerY) * camera.scale + camera.height / 2
      if (x < -20 || y < -20 || x > camera.width + 20 || y > camera.height + 20) continue
      if (!options.isShown(vehicle)) continue
      this.#inView++
      if (kindOf(vehicle.feedId) === 'bus') this.#bus(x, y, placed, options)
      else trains.push([vehicle, x, y, placed.heading, placed.opacity])
    }
    // Trains after buses: there are few of them, and they matter most.
    for (const [vehicle, x, y, heading, opacity] of trains) {
      this.#train(vehicle, { x, y, heading, opacity, size }, options)
    }
    context.globalAlpha = 1
    if (selected !== undefined) this.#ring(selected, options)
  }

  /** The key of the vehicle that is drawn nearest to a pixel, within reach of a finger. */
  hit(pixelX: number, pixelY: number, options: DrawOptions): string | undefined {
    const { camera } = options
    let best: string | undefined
    let bestDistance = HIT_PIXELS
    for (const [vehicle, placed] of this.#fleet.placed(options.nowMs)) {
      const x = (placed.x - camera.centerX) * camera.scale + camera.width / 2
      const y = (placed.y - camera.centerY) * camera.scale + camera.height / 2
      // A train wins over the buses around it.
      const handicap = kindOf(vehicle.feedId) === 'bus' ? 4 : 0
      const distance = Math.hypot(x - pixelX, y - pixelY) + handicap
      if (distance >= bestDistance || !options.isShown(vehicle)) continue
      best = vehicle.key
      bestDistance = distance
    }
    return best
  }

  #bus(x: number, y: number, { heading, opacity }: Placed, { zoom, isDark }: DrawOptions): void {
    const context = this.#context
    const r = zoom < 11 ? 1.6 : zoom < 13 ? 2.6 : 4.2
    context.globalAlpha = opacity * 0.85
    context.fillStyle = isDark ? BUS_DARK : BUS_LIGHT
    context.beginPath()
    if (Number.isNaN(heading) || zoom < 11) context.arc(x, y, r * 0.8, 0, 2 * Math.PI)
    else {
      const sin = Math.sin(heading)
      const cos = Math.cos(heading)
      context.moveTo(x + 1.7 * r * sin, y - 1.7 * r * cos)
      context.lineTo(x + r * (-sin - cos), y + r * (cos - sin))
      context.lineTo(x + r * (-sin + cos), y + r * (cos + sin))
    }
    context.fill()
  }

  #train(
    vehicle: Vehicle,
    at: { x: number; y: number; heading: number; opacity: number; size: number },
    { zoom, isDark }: DrawOptions,
  ): void {
    const context = this.#context
    const { x, y, heading, size } = at
    const color = this.#colors.of(vehicle)
    context.globalAlpha = at.opacity
    context.fillStyle = color
    context.strokeStyle = isDark ? '#0b1220' : '#ffffff'
    context.lineWidth = zoom < 11 ? 1 : 1.5
    context.beginPath()
    if (kindOf(vehicle.feedId) === 'rail')
      context.rect(x - size * 0.85, y - size * 0.85, size * 1.7, size * 1.7)
    else context.arc(x, y, size, 0, 2 * Math.PI)
    context.stroke()
    context.fill()
    if (!Number.isNaN(heading)) this.#nose(x, y, heading, size)
    if (zoom < LETTERS_ZOOM) return
    context.fillStyle = textOn(color)
    context.font = `600 ${Math.round(size * 1.25)}px system-ui, sans-serif`
    context.textAlign = 'center'
    context.textBaseline = 'middle'
    context.fillText(this.#colors.letter(vehicle), x, y + 0.5)
  }

  #nose(x: number, y: number, heading: number, size: number): void {
    const context = this.#context
    const sin = Math.sin(heading)
    const cos = Math.cos(heading)
    const tip = size * 1.75
    const half = size * 0.55
    const base = size * 0.9
    context.beginPath()
    context.moveTo(x + tip * sin, y - tip * cos)
    context.lineTo(x + base * sin - half * cos, y - base * cos - half * sin)
    context.lineTo(x + base * sin + half * cos, y - base * cos + half * sin)
    context.fill()
  }

  #ring(key: string, options: DrawOptions): void {
    const placed = this.#fleet.placeOf(key, options.nowMs)
    if (placed === undefined) return
    const { camera } = options
    const context = this.#context
    context.strokeStyle = options.isDark ? '#ffffff' : '#111827'
    context.lineWidth = 2
    context.beginPath()
    context.arc(
      (placed.x - camera.centerX) * camera.scale + camera.width / 2,
      (placed.y - camera.centerY) * camera.scale + camera.height / 2,
      sizeAt(options.zoom) + 6,
      0,
      2 * Math.PI,
    )
    context.stroke()
  }
}

/** The radius of a train's bullet in pixels. */
const sizeAt = (zoom: number): number => (zoom < 10.5 ? 3 : zoom < 12 ? 4.5 : zoom < 13.5 ? 7 : 9)
