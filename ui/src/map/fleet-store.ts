// Every vehicle with where it is drawn. Between two reports it moves by itself: a subway train along its track by the
// feed's clock, everything else in a straight line to where it was last reported.
import type { Vehicle } from '../../live/messages.ts'
import { FeedClock } from './feed-clock.ts'
import { easeAlong, type Glide, glideAt, glideTo, stand } from './glide.ts'
import { METERS_PER_WORLD, project } from './projection.ts'
import { pointAt, type Shape } from './shapes.ts'

export interface Placed {
  x: number
  y: number
  /** Radians clockwise from north; NaN when unknown. */
  heading: number
  /** 0 to 1: how much a vehicle is still believed in. */
  opacity: number
}

export interface FleetReport {
  /** True: who is not in it is gone. */
  readonly full: boolean
  readonly vehicles: readonly Vehicle[]
  readonly gone: readonly string[]
}

/** What is known of one feed. */
export interface FeedFigures {
  readonly feedId: string
  readonly vehicles: number
  /** Since its last report, in this machine's time. */
  readonly silentMs: number
  readonly rate: number
}

interface Feed {
  readonly clock: FeedClock
  reportedMs: number
}

interface Entry {
  vehicle: Vehicle
  glide: Glide
  /** How long it takes from where it was drawn to its track. */
  blendMs: number
  reportedMs: number
  readonly feed: Feed
  readonly placed: Placed
}

/** Silent for this long in its feed's time: drawn pale. */
const STALE_S = 90
const STALE_OPACITY = 0.4
/** How long a train is drawn on its way from the old place to its track. */
const BLEND_MS = 2_000
/** Faster than any train, and still a movement that the eye follows. */
const BLEND_METERS_PER_S = 40
const GLIDE_MS_MIN = 1_000
const GLIDE_MS_MAX = 60_000
/** Reports come at uneven times: a glide that ends a little late is better than one that stands and waits. */
const UNEVEN = 1.3
/** A train waits before the platform until it is reported there. */
const ALONG_MAX = 0.95

export class FleetStore {
  readonly #entries = new Map<string, Entry>()
  readonly #feeds = new Map<string, Feed>()
  #shapes: ReadonlyMap<string, Shape> = new Map()
  /** True: nothing glides, vehicles jump to where they were reported. */
  isStill = false

  get size(): number {
    return this.#entries.size
  }

  setShapes(shapes: ReadonlyMap<string, Shape>): void {
    this.#shapes = shapes
  }

  apply(report: FleetReport, nowMs: number): void {
    // Where they are drawn now, by the clocks of now: that is where the next move begins.
    for (const { key } of report.vehicles) this.placeOf(key, nowMs)
    this.#readClocks(report.vehicles, nowMs)
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

  /** Feeds by name. */
  feeds(nowMs: number): readonly FeedFigures[] {
    const counts = new Map<string, number>()
    for (const { vehicle } of this.#entries.values()) {
      counts.set(vehicle.feedId, (counts.get(vehicle.feedId) ?? 0) + 1)
    }
    return Array.from(this.#feeds, ([feedId, { clock, reportedMs }]) => ({
      feedId,
      vehicles: counts.get(feedId) ?? 0,
      silentMs: nowMs - reportedMs,
      rate: clock.rate,
    })).sort((a, b) => a.feedId.localeCompare(b.feedId))
  }

  /** Seconds since the vehicle's own report, in its feed's time. */
  ageSeconds(vehicle: Vehicle, nowMs: number): number {
    return this.#feed(vehicle.feedId).clock.ageSeconds(vehicle.reportedMs, nowMs)
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

  #feed(feedId: string): Feed {
    let feed = this.#feeds.get(feedId)
    if (feed === undefined) {
      feed = { clock: new FeedClock(), reportedMs: 0 }
      this.#feeds.set(feedId, feed)
    }
    return feed
  }

  /** One reading per feed: a report of all vehicles has many times in it, of which only the newest is the feed's. */
  #readClocks(vehicles: readonly Vehicle[], nowMs: number): void {
    const newest = new Map<string, number>()
    for (const { feedId, feedMs } of vehicles) {
      newest.set(feedId, Math.max(feedMs, newest.get(feedId) ?? feedMs))
    }
    for (const [feedId, feedMs] of newest) {
      const feed = this.#feed(feedId)
      feed.reportedMs = nowMs
      feed.clock.report(feedMs, nowMs)
    }
  }

  #take(vehicle: Vehicle, nowMs: number): void {
    const to = project(vehicle.longitude, vehicle.latitude)
    const old = this.#entries.get(vehicle.key)
    if (old === undefined) {
      this.#entries.set(vehicle.key, {
        vehicle,
        glide: stand(to.x, to.y, nowMs),
        blendMs: 0,
        reportedMs: nowMs,
        feed: this.#feed(vehicle.feedId),
        placed: { x: to.x, y: to.y, heading: Number.NaN, opacity: 1 },
      })
      return
    }
    const { clock } = old.feed
    // The next report will probably take as long to come as this one did.
    const gapMs = nowMs - old.reportedMs
    const lastsMs = Math.max(
      GLIDE_MS_MIN,
      UNEVEN * clock.intervalMs,
      gapMs > GLIDE_MS_MAX ? 0 : gapMs,
    )
    // A train that leaves its track in mid-way begins the straight glide where it is drawn.
    const from = stand(old.placed.x, old.placed.y, nowMs)
    old.glide = glideTo(from, to, { nowMs, lastsMs: this.isStill ? 0 : lastsMs })
    old.blendMs = blendMsFor(distanceMeters(from, to), clock)
    old.reportedMs = nowMs
    old.vehicle = vehicle
  }

  #place(entry: Entry, nowMs: number): void {
    const { vehicle, glide, placed, feed } = entry
    const track = this.isStill ? undefined : this.#onTrack(entry, nowMs)
    if (track === undefined) {
      const straight = glideAt(glide, nowMs)
      placed.x = straight.x
      placed.y = straight.y
      placed.heading = headingOf(vehicle, glide)
    } else {
      const passedMs = nowMs - glide.beganMs
      const blend = passedMs < entry.blendMs ? Math.max(0, passedMs / entry.blendMs) : 1
      placed.x = glide.fromX + (track.x - glide.fromX) * blend
      placed.y = glide.fromY + (track.y - glide.fromY) * blend
      placed.heading = track.heading
    }
    placed.opacity = isStale(vehicle, feed.clock, nowMs) ? STALE_OPACITY : 1
  }

  #onTrack({ vehicle, feed }: Entry, nowMs: number): ReturnType<typeof pointAt> | undefined {
    const { anchor } = vehicle
    const shape = anchor === null ? undefined : this.#shapes.get(anchor.shapeId)
    const feedNow = feed.clock.now(nowMs)
    if (anchor === null || shape === undefined || feedNow === undefined) return undefined
    const span = anchor.toMs - anchor.fromMs
    const part = span > 0 ? (feedNow - anchor.fromMs) / span : 1
    const along = Math.min(ALONG_MAX, easeAlong(part))
    return pointAt(shape, anchor.fromMeters + (anchor.toMeters - anchor.fromMeters) * along)
  }
}

/** A train on its way to a station has nothing to report before it gets there. */
function isStale(
  { reportedMs, feedMs, anchor }: Vehicle,
  clock: FeedClock,
  nowMs: number,
): boolean {
  const expectedMs = anchor === null ? reportedMs : Math.max(feedMs, anchor.toMs)
  return clock.ageSeconds(expectedMs, nowMs) > STALE_S
}

/** Within an interval of the feed; a long way takes longer than a short one. */
function blendMsFor(meters: number, { intervalMs, rate }: FeedClock): number {
  const runMs = (meters / (BLEND_METERS_PER_S * rate)) * 1000
  return Math.min(intervalMs, Math.max(Math.min(BLEND_MS, intervalMs / 2), runMs))
}

const distanceMeters = (from: Glide, to: { readonly x: number; readonly y: number }): number =>
  Math.hypot(to.x - from.fromX, to.y - from.fromY) * METERS_PER_WORLD

function headingOf(vehicle: Vehicle, glide: Glide): number {
  if (vehicle.bearing !== null) return (vehicle.bearing * Math.PI) / 180
  const dx = glide.toX - glide.fromX
  const dy = glide.toY - glide.fromY
  return dx === 0 && dy === 0 ? Number.NaN : Math.atan2(dx, -dy)
}
