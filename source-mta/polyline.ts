// Lines on the map by distance. Google's encoded polyline format, five digits.
const EARTH_RADIUS_M = 6_371_008.8
const RADIANS = Math.PI / 180

interface Point {
  readonly latitude: number
  readonly longitude: number
}

/** Metres between two points, by the haversine formula. */
export function distanceM(a: Point, b: Point): number {
  const dLat = Math.sin(((b.latitude - a.latitude) * RADIANS) / 2)
  const dLon = Math.sin(((b.longitude - a.longitude) * RADIANS) / 2)
  const h =
    dLat * dLat + Math.cos(a.latitude * RADIANS) * Math.cos(b.latitude * RADIANS) * dLon * dLon
  return 2 * EARTH_RADIUS_M * Math.asin(Math.min(1, Math.sqrt(h)))
}

/** A line whose points are found by their distance from its start. */
export interface Polyline {
  readonly lengthM: number
  /** The point at `metres`, kept within the line, and the direction from `reachM` before to `reachM` after it. */
  at(metres: number, reachM: number): Point & { readonly bearing: number }
}

/** Decodes a line. `lengthM`: what it is said to be long; distances are scaled to it. */
export function decodePolyline(encoded: string, lengthM?: number): Polyline {
  const points = decodePoints(encoded)
  const reached = [0]
  for (let i = 1; i < points.length; i++) {
    const [a, b] = [points[i - 1], points[i]]
    reached.push((reached[i - 1] ?? 0) + (a && b ? distanceM(a, b) : 0))
  }
  const measured = reached.at(-1) ?? 0
  const scale = lengthM === undefined || measured === 0 ? 1 : lengthM / measured
  const scaled = reached.map((metres) => metres * scale)
  const total = measured * scale
  const pointAt = (metres: number): Point => interpolate(points, scaled, metres)
  return {
    lengthM: total,
    at(metres, reachM) {
      const point = pointAt(metres)
      const before = pointAt(Math.max(0, metres - reachM))
      const after = pointAt(Math.min(total, metres + reachM))
      return { ...point, bearing: bearing(before, after) }
    },
  }
}

function decodePoints(encoded: string): readonly Point[] {
  const points: Point[] = []
  let at = 0
  const next = (): number => {
    let value = 0
    let shift = 0
    for (;;) {
      const chunk = encoded.charCodeAt(at++) - 63
      value |= (chunk & 0x1f) << shift
      if (!(chunk >= 0x20)) break
      shift += 5
    }
    return value & 1 ? ~(value >> 1) : value >> 1
  }
  let latitude = 0
  let longitude = 0
  while (at < encoded.length) {
    latitude += next()
    longitude += next()
    points.push({ latitude: latitude / 1e5, longitude: longitude / 1e5 })
  }
  return points
}

function interpolate(points: readonly Point[], reached: readonly number[], metres: number): Point {
  let low = 0
  let high = points.length - 1
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if ((reached[middle] ?? 0) <= metres) low = middle
    else high = middle
  }
  const a = points[low] ?? { latitude: Number.NaN, longitude: Number.NaN }
  const b = points[high] ?? a
  const [from, to] = [reached[low] ?? 0, reached[high] ?? 0]
  const share = to > from ? Math.min(1, Math.max(0, (metres - from) / (to - from))) : 0
  return {
    latitude: a.latitude + (b.latitude - a.latitude) * share,
    longitude: a.longitude + (b.longitude - a.longitude) * share,
  }
}

function bearing(from: Point, to: Point): number {
  const [lat1, lat2] = [from.latitude * RADIANS, to.latitude * RADIANS]
  const dLon = (to.longitude - from.longitude) * RADIANS
  const y = Math.sin(dLon) * Math.cos(lat2)
  const x = Math.cos(lat1) * Math.sin(lat2) - Math.sin(lat1) * Math.cos(lat2) * Math.cos(dLon)
  return (Math.atan2(y, x) / RADIANS + 360) % 360
}
