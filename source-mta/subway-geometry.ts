// Tracks and stations, from a file that is built from the static GTFS: which stops a pattern has at which
// distance of which line on the map.
import { readFileSync } from 'node:fs'
import { ConfigError, toMessage } from '../connector/api/errors.ts'
import { type Polyline, decodePolyline } from './polyline.ts'

interface Pattern {
  readonly route: string
  readonly stops: readonly string[]
  /** Metres along the shape, one per stop. */
  readonly dist: readonly number[]
  /** Median seconds from the stop before; null for the first. */
  readonly run: readonly (number | null)[]
  readonly len: number
  /** How many scheduled trips have it. */
  readonly trips: number
}

/** The file's form; see static/README.md. */
export interface GeometryFile {
  readonly stops: readonly (readonly [
    id: string,
    name: string,
    lat: number,
    lon: number,
    parent: string | null,
  ])[]
  /** By id: what a trip id has after its underscore. */
  readonly patterns: Readonly<Record<string, Pattern>>
  /** Encoded polylines by shape id. */
  readonly shapes: Readonly<Record<string, string>>
}

/** A stretch of a shape between two stops of it. */
export interface Leg {
  readonly shapeId: string
  readonly fromStopId: string
  readonly toStopId: string
  /** Metres along the shape. */
  readonly d0: number
  readonly d1: number
  /** Scheduled seconds. */
  readonly runS: number
}

export interface StopPoint {
  readonly latitude: number
  readonly longitude: number
}

/** Where on a shape. `bearing` in degrees clockwise from north. */
export interface ShapePoint extends StopPoint {
  readonly bearing: number
}

/** What a leg is looked for by. */
export interface LegQuery {
  readonly tripId: string
  readonly routeId: string | undefined
  readonly from: string
  readonly to: string
}

const LEGS_MAX = 20_000
const BEARING_REACH_M = 15
const RUN_DEFAULT_S = 90

interface Place {
  readonly patternId: string
  readonly pattern: Pattern
  readonly at: number
}

export class SubwayGeometry {
  readonly #stops: ReadonlyMap<string, StopPoint>
  readonly #encoded: ReadonlyMap<string, string>
  readonly #lengths = new Map<string, number>()
  readonly #lines = new Map<string, Polyline>()
  readonly #places = new Map<string, Place[]>()
  readonly #legs = new Map<string, Leg | undefined>()

  constructor(file: GeometryFile) {
    this.#stops = new Map(
      file.stops.map(([id, , latitude, longitude]) => [id, { latitude, longitude }]),
    )
    this.#encoded = new Map(Object.entries(file.shapes))
    for (const [patternId, pattern] of Object.entries(file.patterns)) {
      this.#lengths.set(patternId, pattern.len)
      pattern.stops.forEach((stop, at) => {
        const places = this.#places.get(stop) ?? []
        places.push({ patternId, pattern, at })
        this.#places.set(stop, places)
      })
    }
  }

  stop(id: string): StopPoint | undefined {
    return this.#stops.get(id)
  }

  /**
   * The best stretch from one stop to another: on the trip's own pattern (the part of its id after the
   * underscore), else on a pattern of its route, else on any, with the fewest stops between and then the most
   * scheduled trips. Undefined when no pattern has both in this order.
   */
  leg(query: LegQuery): Leg | undefined {
    const suffix = query.tripId.slice(query.tripId.indexOf('_') + 1)
    const key = `${suffix}|${query.routeId ?? ''}|${query.from}|${query.to}`
    if (this.#legs.has(key)) return this.#legs.get(key)
    const leg = this.#findLeg(suffix, query)
    if (this.#legs.size >= LEGS_MAX) this.#legs.clear()
    this.#legs.set(key, leg)
    return leg
  }

  #findLeg(suffix: string, { routeId, from, to }: LegQuery): Leg | undefined {
    let best: { readonly cost: number; readonly leg: Leg } | undefined
    for (const { patternId, pattern, at } of this.#places.get(from) ?? []) {
      const end = pattern.stops.indexOf(to, at + 1)
      const d0 = pattern.dist[at]
      const d1 = pattern.dist[end]
      if (end < 0 || d0 === undefined || d1 === undefined || d1 <= d0) continue
      const isOwn = patternId === suffix
      const isTail = suffix !== '' && patternId.startsWith(suffix)
      const isRoute = pattern.route === routeId
      const between = end - at - 1
      const rank = isOwn ? 0 : 1 + between * 4 + (isTail ? 0 : 1) + (isRoute ? 0 : 2)
      const cost = rank - pattern.trips / 1e6
      if (best !== undefined && best.cost <= cost) continue
      const runS = pattern.run
        .slice(at + 1, end + 1)
        .reduce<number>((sum, run) => sum + (run ?? 0), 0)
      best = {
        cost,
        leg: {
          shapeId: patternId,
          fromStopId: from,
          toStopId: to,
          d0,
          d1,
          runS: runS > 0 ? runS : RUN_DEFAULT_S,
        },
      }
    }
    return best?.leg
  }

  /** The stop that most scheduled trips of the route (else of any) come from to `stopId`. */
  predecessor(stopId: string, routeId: string | undefined): string | undefined {
    const places = this.#places.get(stopId) ?? []
    const ofRoute = places.filter(({ pattern }) => pattern.route === routeId)
    const trips = new Map<string, number>()
    for (const { pattern, at } of ofRoute.length > 0 ? ofRoute : places) {
      const before = pattern.stops[at - 1]
      if (before !== undefined) trips.set(before, (trips.get(before) ?? 0) + pattern.trips)
    }
    return [...trips].reduce<readonly [string, number] | undefined>(
      (best, entry) => (best === undefined || entry[1] > best[1] ? entry : best),
      undefined,
    )?.[0]
  }

  /** The point `metres` along a shape; undefined for an unknown shape. */
  at(shapeId: string, metres: number): ShapePoint | undefined {
    const line = this.#line(shapeId)
    return line?.at(metres, BEARING_REACH_M)
  }

  #line(shapeId: string): Polyline | undefined {
    const known = this.#lines.get(shapeId)
    if (known !== undefined) return known
    const encoded = this.#encoded.get(shapeId)
    if (encoded === undefined) return undefined
    const line = decodePolyline(encoded, this.#lengths.get(shapeId))
    this.#lines.set(shapeId, line)
    return line
  }
}

let builtIn: SubwayGeometry | undefined

/** The subway's geometry that comes with the project; read once. */
export function subwayGeometry(): SubwayGeometry {
  builtIn ??= new SubwayGeometry(
    JSON.parse(
      readFileSync(new URL('./static/subway.json', import.meta.url), 'utf8'),
    ) as GeometryFile,
  )
  return builtIn
}

/**
 * Reads a geometry file that `tools/geometry/build-network.mjs` has made. Throws a `ConfigError` that names the file
 * when it cannot be read or is none.
 */
export function geometryFrom(file: string): SubwayGeometry {
  let content: unknown
  try {
    content = JSON.parse(readFileSync(file, 'utf8'))
  } catch (cause) {
    throw new ConfigError(`positions.geometry.file: cannot read ${file}: ${toMessage(cause)}`, {
      cause,
    })
  }
  if (!isGeometryFile(content)) {
    throw new ConfigError(
      `positions.geometry.file: ${file} is no geometry file; expected stops, patterns and shapes`,
    )
  }
  return new SubwayGeometry(content)
}

function isGeometryFile(content: unknown): content is GeometryFile {
  if (typeof content !== 'object' || content === null) return false
  const { stops, patterns, shapes } = content as Readonly<Record<string, unknown>>
  return (
    Array.isArray(stops) &&
    stops.every((stop) => Array.isArray(stop) && typeof stop[0] === 'string') &&
    isObjectOf(patterns, isPattern) &&
    isObjectOf(shapes, (shape) => typeof shape === 'string')
  )
}

const isObjectOf = (value: unknown, isPart: (part: unknown) => boolean): boolean =>
  typeof value === 'object' && value !== null && Object.values(value).every(isPart)

function isPattern(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const { route, stops, dist, run, len, trips } = value as Readonly<Record<string, unknown>>
  const isText = typeof route === 'string'
  const hasLists = [stops, dist, run].every((list) => Array.isArray(list))
  return isText && hasLists && typeof len === 'number' && typeof trips === 'number'
}
