import type { SinkRecord } from '../../connector/api/records.ts'
import type { Anchor, Vehicle } from './messages.ts'

/** A vehicle that was silent for this long, in its feed's time, is not on the map any more. */
const GONE_MS = 5 * 60_000
/** More keys than New York has vehicles; beyond it the longest silent ones go. */
const VEHICLES_MAX = 20_000

/** How far a feed's own clock has come, and when we saw that. */
interface FeedTime {
  readonly feedMs: number
  readonly seenMs: number
}

/** The last known state of every vehicle, by its key. */
export class Fleet {
  // A Map keeps the order of insertion: re-inserting on every report keeps the longest silent first.
  readonly #vehicles = new Map<string, Vehicle>()
  readonly #feeds = new Map<string, FeedTime>()
  #changed = new Map<string, Vehicle>()
  #gone = new Set<string>()

  get size(): number {
    return this.#vehicles.size
  }

  /** Takes a record of the vehicle position topic in; true when it was one with a place on the map. */
  apply(record: SinkRecord, nowMs: number): boolean {
    const value = record.value
    if (value === null || typeof value !== 'object') return false
    const row = value as Readonly<Record<string, unknown>>
    const key = text(row['record_key'])
    if (key === null) return false
    if (row['event_type'] === 'VANISHED') return this.#remove(key)
    const vehicle = toVehicle(key, row)
    if (vehicle === null) return false
    this.#readClock(vehicle, nowMs)
    this.#vehicles.delete(key)
    this.#vehicles.set(key, vehicle)
    this.#changed.set(key, vehicle)
    this.#gone.delete(key)
    if (this.#vehicles.size > VEHICLES_MAX) this.#removeOldest()
    return true
  }

  /**
   * Forgets who was silent for five minutes by its feed's clock, which runs faster than ours when it is simulated so.
   * A train on its way to a station has nothing to report before it should be there.
   */
  expire(nowMs: number): void {
    for (const [key, { feedId, feedMs, anchor }] of this.#vehicles) {
      const feed = this.#feeds.get(feedId)
      if (feed === undefined) continue
      const feedNow = feed.feedMs + Math.max(0, nowMs - feed.seenMs)
      if (feedNow - Math.max(feedMs, anchor?.toMs ?? 0) > GONE_MS) this.#remove(key)
    }
  }

  all(): readonly Vehicle[] {
    return [...this.#vehicles.values()]
  }

  /** What changed since the last call. */
  takeChanges(): { readonly vehicles: readonly Vehicle[]; readonly gone: readonly string[] } {
    const changes = { vehicles: [...this.#changed.values()], gone: [...this.#gone] }
    this.#changed = new Map()
    this.#gone = new Set()
    return changes
  }

  #readClock({ feedId, feedMs }: Vehicle, seenMs: number): void {
    const known = this.#feeds.get(feedId)
    // A step back beyond the limit is a feed that began anew, e.g. a recording that is played again.
    const isNews = known === undefined || feedMs > known.feedMs || feedMs < known.feedMs - GONE_MS
    if (isNews) this.#feeds.set(feedId, { feedMs, seenMs })
  }

  #remove(key: string): boolean {
    if (!this.#vehicles.delete(key)) return false
    this.#changed.delete(key)
    this.#gone.add(key)
    return true
  }

  #removeOldest(): void {
    const oldest = this.#vehicles.keys().next()
    if (oldest.done !== true) this.#remove(oldest.value)
  }
}

function toVehicle(key: string, row: Readonly<Record<string, unknown>>): Vehicle | null {
  const latitude = number(row['latitude'])
  const longitude = number(row['longitude'])
  const feedMs = time(row['feed_timestamp']) ?? time(row['fetched_at'])
  if (latitude === null || longitude === null || feedMs === null) return null
  return {
    key,
    feedId: text(row['feed_id']) ?? '',
    routeId: text(row['route_id']),
    tripId: text(row['trip_id']),
    vehicleId: text(row['vehicle_id']),
    label: text(row['vehicle_label']),
    latitude,
    longitude,
    bearing: number(row['bearing']),
    stopId: text(row['stop_id']),
    status: text(row['current_status']),
    source: text(row['position_source']),
    anchor: toAnchor(row['position_anchor']),
    reportedMs: time(row['vehicle_timestamp']) ?? feedMs,
    feedMs,
  }
}

function toAnchor(value: unknown): Anchor | null {
  if (value === null || typeof value !== 'object') return null
  const row = value as Readonly<Record<string, unknown>>
  const shapeId = text(row['shape_id'])
  const fromMeters = number(row['d0_m'])
  const toMeters = number(row['d1_m'])
  const fromMs = time(row['t0'])
  const toMs = time(row['t1'])
  if (shapeId === null || fromMeters === null || toMeters === null) return null
  if (fromMs === null || toMs === null) return null
  return { shapeId, fromMeters, toMeters, fromMs, toMs }
}

const text = (value: unknown): string | null =>
  typeof value === 'string' && value !== '' ? value : null

const number = (value: unknown): number | null =>
  typeof value === 'number' && Number.isFinite(value) ? value : null

function time(value: unknown): number | null {
  if (value instanceof Date) return value.getTime()
  if (typeof value === 'bigint') return Number(value)
  return number(value)
}
