// Vehicles on a canvas of their own above the basemap, so that the basemap is redrawn only when the camera moves.
import type { Vehicle } from '../../live/messages.ts'
import type { FleetStore, Placed } from './fleet-store.ts'
import { BUS_DARK, BUS_LIGHT, kindOf, type LineColors, textOn } from './lines.ts'
import type { Camera } from './projection.ts'

export interface DrawOptions {
  readonly camera: Camera
  readonly zoom: number
  readonly nowMs: number
  readonly isDark: boolean
  readonly selected: string | undefined
  readonly isShown: (vehicle: Vehicle) => boolean
}

interface Mark {
  readonly vehicle: Vehicle
  readonly x: number
  readonly y: number
  readonly heading: number
  readonly opacity: number
}

/** Letters are legible from here. */
const LETTERS_ZOOM = 12
const HIT_PIXELS = 14
/** A train wins over the buses around it. */
const BUS_HANDICAP_PIXELS = 4
const MARGIN_PIXELS = 20

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
    const { camera, selected, zoom } = options
    const context = this.#context
    context.clearRect(0, 0, camera.width, camera.height)
    const trains: Mark[] = []
    this.#inView = 0
    context.strokeStyle = options.isDark ? '#0b1220' : '#ffffff'
    context.lineWidth = 1
    for (const [vehicle, placed, x, y] of this.#shown(options, MARGIN_PIXELS)) {
      if (isInside(camera, x, y)) this.#inView++
      if (kindOf(vehicle.feedId) === 'bus') this.#bus(x, y, placed, options)
      else trains.push({ vehicle, x, y, heading: placed.heading, opacity: placed.opacity })
    }
    // Trains after buses: there are few of them, and they matter most.
    context.lineWidth = zoom < 11 ? 1 : 1.5
    context.font = `600 ${Math.round(sizeAt(zoom) * 1.25)}px system-ui, sans-serif`
    context.textAlign = 'center'
    context.textBaseline = 'middle'
    for (const train of trains) if (train.vehicle.key !== selected) this.#train(train, zoom)
    for (const train of trains) if (train.vehicle.key === selected) this.#train(train, zoom)
    context.globalAlpha = 1
    if (selected !== undefined) this.#ring(selected, options)
  }

  /** The key of the vehicle that is drawn nearest to a pixel, within reach of a finger. */
  hit(pixelX: number, pixelY: number, options: DrawOptions): string | undefined {
    let best: string | undefined
    let bestDistance = HIT_PIXELS
    for (const [vehicle, , x, y] of this.#shown(options, MARGIN_PIXELS)) {
      const handicap = kindOf(vehicle.feedId) === 'bus' ? BUS_HANDICAP_PIXELS : 0
      const distance = Math.hypot(x - pixelX, y - pixelY) + handicap
      if (distance >= bestDistance) continue
      best = vehicle.key
      bestDistance = distance
    }
    return best
  }

  /** The vehicles on the map at this moment. */
  vehiclesInView(options: DrawOptions): readonly Vehicle[] {
    return Array.from(this.#shown(options, 0), ([vehicle]) => vehicle)
  }

  *#shown(
    options: DrawOptions,
    margin: number,
  ): Iterable<readonly [vehicle: Vehicle, placed: Placed, x: number, y: number]> {
    const { camera } = options
    for (const [vehicle, placed] of this.#fleet.placed(options.nowMs)) {
      const x = (placed.x - camera.centerX) * camera.scale + camera.width / 2
      const y = (placed.y - camera.centerY) * camera.scale + camera.height / 2
      if (x < -margin || y < -margin) continue
      if (x > camera.width + margin || y > camera.height + margin) continue
      if (options.isShown(vehicle)) yield [vehicle, placed, x, y]
    }
  }

  #bus(x: number, y: number, { heading, opacity }: Placed, { zoom, isDark }: DrawOptions): void {
    const context = this.#context
    const r = zoom < 11 ? 1.6 : zoom < 12.5 ? 2.6 : zoom < 14 ? 3.6 : 5
    context.globalAlpha = opacity * 0.9
    context.fillStyle = isDark ? BUS_DARK : BUS_LIGHT
    context.beginPath()
    if (Number.isNaN(heading) || zoom < 11) context.arc(x, y, r * 0.8, 0, 2 * Math.PI)
    else {
      const sin = Math.sin(heading)
      const cos = Math.cos(heading)
      context.moveTo(x + 1.7 * r * sin, y - 1.7 * r * cos)
      context.lineTo(x + r * (-sin - cos), y + r * (cos - sin))
      context.lineTo(x + r * (-sin + cos), y + r * (cos + sin))
      context.closePath()
    }
    if (zoom >= 12.5) context.stroke()
    context.fill()
  }

  #train({ vehicle, x, y, heading, opacity }: Mark, zoom: number): void {
    const context = this.#context
    const size = sizeAt(zoom)
    const color = this.#colors.of(vehicle)
    context.globalAlpha = opacity
    context.fillStyle = color
    if (!Number.isNaN(heading)) this.#nose(x, y, heading, size)
    context.beginPath()
    if (kindOf(vehicle.feedId) === 'rail')
      context.rect(x - size * 0.85, y - size * 0.85, size * 1.7, size * 1.7)
    else context.arc(x, y, size, 0, 2 * Math.PI)
    context.stroke()
    context.fill()
    if (zoom < LETTERS_ZOOM) return
    context.fillStyle = textOn(color)
    context.fillText(this.#colors.letter(vehicle), x, y + 0.5)
  }

  /** Which way it goes; its base lies below the bullet. */
  #nose(x: number, y: number, heading: number, size: number): void {
    const context = this.#context
    const sin = Math.sin(heading)
    const cos = Math.cos(heading)
    const tip = size * 1.9
    const half = size * 0.7
    const base = size * 0.6
    context.beginPath()
    context.moveTo(x + tip * sin, y - tip * cos)
    context.lineTo(x + base * sin - half * cos, y - base * cos - half * sin)
    context.lineTo(x + base * sin + half * cos, y - base * cos + half * sin)
    context.closePath()
    context.stroke()
    context.fill()
  }

  #ring(key: string, options: DrawOptions): void {
    const placed = this.#fleet.placeOf(key, options.nowMs)
    if (placed === undefined) return
    const { camera, isDark } = options
    const x = (placed.x - camera.centerX) * camera.scale + camera.width / 2
    const y = (placed.y - camera.centerY) * camera.scale + camera.height / 2
    const context = this.#context
    const radius = sizeAt(options.zoom) + 7
    for (const [width, color] of [
      [5, isDark ? '#0b1220' : '#ffffff'],
      [2.5, isDark ? '#ffffff' : '#111827'],
    ] as const) {
      context.lineWidth = width
      context.strokeStyle = color
      context.beginPath()
      context.arc(x, y, radius, 0, 2 * Math.PI)
      context.stroke()
    }
  }
}

const isInside = ({ width, height }: Camera, x: number, y: number): boolean =>
  x >= 0 && y >= 0 && x <= width && y <= height

/** The radius of a train's bullet in pixels. */
const sizeAt = (zoom: number): number => (zoom < 10.5 ? 3 : zoom < 12 ? 4.5 : zoom < 13.5 ? 7 : 9)
