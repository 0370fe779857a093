// Every vehicle with where it is drawn. Between two reports it moves by itself: a subway train along its track by the
// feed's clock, everything else in a straight line to where it was last reported.
import type { Vehicle } from '../../live/messages.ts'
import { FeedClock } from './feed-clock.ts'
import { easeAlong, type Glide, glideAt, glideTo, stand } from './glide.ts'
import { project } from './projection.ts'
import { pointAt, type Shape } from './shapes.ts'

export interface Placed {
  x: number
  y: number
  /** Radians clockwise from north; NaN when unknown. */
  heading: number
  /** 0 to 1: how much a vehicle is still believed in. */
  opacity: number
}

interface Entry {
  vehicle: Vehicle
  glide: Glide
  readonly placed: Placed
}

/** Silent for this long in its feed's time: drawn pale. */
const STALE_MS = 90_000
const STALE_OPACITY = 0.4
/** How long a train is drawn on its way from the old place to its track. */
const BLEND_MS = 2_000

export class FleetStore {
  readonly #entries = new Map<string, Entry>()
  readonly #clocks = new Map<string, FeedClock>()
  #shapes: ReadonlyMap<string, Shape> = new Map()
  /** True: nothing glides, vehicles jump to where they were reported. */
  isStill = false

  get size(): number {
    return this.#entries.size
  }

  setShapes(shapes: ReadonlyMap<string, Shape>): void {
    this.#shapes = shapes
  }

  /** Takes a report of the worker in. `full`: who is not in it is gone. */
  apply(
    report: {
      readonly full: boolean
      readonly vehicles: readonly Vehicle[]
      readonly gone: readonly string[]
    },
    nowMs: number,
  ): void {
    for (const vehicle of report.vehicles) this.#clock(vehicle.feedId).report(vehicle.feedMs, nowMs)
    for (const vehicle of report.vehicles) this.#take(vehicle, nowMs)
    for (const key of report.gone) this.#entries.delete(key)
    if (!report.full) return
    const present = new Set(report.vehicles.map((vehicle) => vehicle.key))
    for (const key of this.#entries.keys()) if (!present.has(key)) this.#entries.delete(key)
  }

  vehicle(key: string): Vehicle | undefined {
    return this.#entries.get(key)?.vehicle
  }

  vehicles(): Iterable<Vehicle> {
    return Array.from(this.#entries.values(), (entry) => entry.vehicle)
  }

  /** Seconds since the vehicle's own report, in its feed's time. */
  ageSeconds(vehicle: Vehicle, nowMs: number): number {
    const feedNow = this.#clock(vehicle.feedId).now(nowMs) ?? vehicle.feedMs
    return Math.max(0, (feedNow - vehicle.reportedMs) / 1000)
  }

  /** Where every vehicle is now. The objects are reused by the next call. */
  *placed(nowMs: number): Iterable<readonly [Vehicle, Placed]> {
    for (const entry of this.#entries.values()) {
      this.#place(entry, nowMs)
      yield [entry.vehicle, entry.placed]
    }
  }

  placeOf(key: string, nowMs: number): Placed | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined) return undefined
    this.#place(entry, nowMs)
    return entry.placed
  }

  #clock(feedId: string): FeedClock {
    let clock = this.#clocks.get(feedId)
    if (clock === undefined) {
      clock = new FeedClock()
      this.#clocks.set(feedId, clock)
    }
    return clock
  }

  #take(vehicle: Vehicle, nowMs: number): void {
    const to = project(vehicle.longitude, vehicle.latitude)
    const old = this.#entries.get(vehicle.key)
    if (old === undefined) {
      this.#entries.set(vehicle.key, {
        vehicle,
        glide: stand(to.x, to.y, nowMs),
        placed: { x: to.x, y: to.y, heading: Number.NaN, opacity: 1 },
      })
      return
    }
    const lastsMs = this.isStill ? 0 : this.#clock(vehicle.feedId).intervalMs()
    // A train that leaves its track in mid-way begins the straight glide where it is drawn.
    const from = stand(old.placed.x, old.placed.y, nowMs)
    old.glide = glideTo(from, to, { nowMs, lastsMs })
    old.vehicle = vehicle
  }

  #place(entry: Entry, nowMs: number): void {
    const { vehicle, glide, placed } = entry
    const straight = glideAt(glide, nowMs)
    const track = this.isStill ? undefined : this.#onTrack(vehicle, nowMs)
    if (track === undefined) {
      placed.x = straight.x
      placed.y = straight.y
      placed.heading = headingOf(vehicle, glide)
    } else {
      const blend = Math.min(1, Math.max(0, (nowMs - glide.beganMs) / BLEND_MS))
      placed.x = glide.fromX + (track.x - glide.fromX) * blend
      placed.y = glide.fromY + (track.y - glide.fromY) * blend
      placed.heading = track.heading
    }
    placed.opacity = this.ageSeconds(vehicle, nowMs) * 1000 > STALE_MS ? STALE_OPACITY : 1
  }

  #onTrack(vehicle: Vehicle, nowMs: number): ReturnType<typeof pointAt> | undefined {
    const { anchor } = vehicle
    const shape = anchor === null ? undefined : this.#shapes.get(anchor.shapeId)
    const feedNow = this.#clock(vehicle.feedId).now(nowMs)
    if (anchor === null || shape === undefined || feedNow === undefined) return undefined
    const span = anchor.toMs - anchor.fromMs
    const part = span > 0 ? (feedNow - anchor.fromMs) / span : 1
    // Not into the station before it was reported there.
    const along = Math.min(0.95, easeAlong(part))
    return pointAt(shape, anchor.fromMeters + (anchor.toMeters - anchor.fromMeters) * along)
  }
}

function headingOf(vehicle: Vehicle, glide: Glide): number {
  if (vehicle.bearing !== null) return (vehicle.bearing * Math.PI) / 180
  const dx = glide.toX - glide.fromX
  const dy = glide.toY - glide.fromY
  return dx === 0 && dy === 0 ? Number.NaN : Math.atan2(dx, -dy)
}
