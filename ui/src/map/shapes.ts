// The tracks of the subway: encoded polylines, with lengths, so that a train can be put at a distance.
import { project } from './projection.ts'

const EARTH_RADIUS_M = 6_371_008.8

export interface Shape {
  /** World coordinates of the points. */
  readonly x: Float64Array
  readonly y: Float64Array
  /** Metres from the first point to each. */
  readonly meters: Float64Array
}

/** Reads Google's encoded polyline format, five decimals. */
export function decodePolyline(text: string): readonly (readonly [number, number])[] {
  const points: [number, number][] = []
  let latitude = 0
  let longitude = 0
  let position = 0
  const next = (): number => {
    let result = 0
    let shift = 0
    let byte: number
    do {
      byte = text.charCodeAt(position++) - 63
      result |= (byte & 0x1f) << shift
      shift += 5
    } while (byte >= 0x20 && position < text.length)
    return result & 1 ? ~(result >> 1) : result >> 1
  }
  while (position < text.length) {
    latitude += next()
    longitude += next()
    points.push([latitude / 1e5, longitude / 1e5])
  }
  return points
}

/** `lengthM`: how long the track really is; the line is a simplified one, and its distances are scaled to that. */
export function shapeOf(encoded: string, lengthM?: number): Shape {
  const points = decodePolyline(encoded)
  const x = new Float64Array(points.length)
  const y = new Float64Array(points.length)
  const meters = new Float64Array(points.length)
  points.forEach(([latitude, longitude], n) => {
    const world = project(longitude, latitude)
    x[n] = world.x
    y[n] = world.y
    const before = points[n - 1]
    if (before !== undefined) {
      meters[n] = (meters[n - 1] ?? 0) + distanceMeters(before, [latitude, longitude])
    }
  })
  const measured = meters.at(-1) ?? 0
  const scale = lengthM === undefined || measured === 0 ? 1 : lengthM / measured
  return { x, y, meters: meters.map((value) => value * scale) }
}

function distanceMeters(a: readonly [number, number], b: readonly [number, number]): number {
  const radians = Math.PI / 180
  const meanLatitude = ((a[0] + b[0]) / 2) * radians
  const dx = (b[1] - a[1]) * radians * Math.cos(meanLatitude)
  const dy = (b[0] - a[0]) * radians
  return EARTH_RADIUS_M * Math.hypot(dx, dy)
}

/** World coordinates and heading (radians clockwise from north) at a distance along the shape. */
export function pointAt(
  shape: Shape,
  meters: number,
): { readonly x: number; readonly y: number; readonly heading: number } {
  const { x, y, meters: lengths } = shape
  let low = 0
  let high = lengths.length - 1
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if ((lengths[middle] ?? 0) <= meters) low = middle
    else high = middle
  }
  const [x0 = 0, x1 = 0, y0 = 0, y1 = 0] = [x[low], x[high], y[low], y[high]]
  const from = lengths[low] ?? 0
  const length = (lengths[high] ?? 0) - from
  const part = length > 0 ? Math.min(1, Math.max(0, (meters - from) / length)) : 0
  return {
    x: x0 + (x1 - x0) * part,
    y: y0 + (y1 - y0) * part,
    heading: Math.atan2(x1 - x0, y0 - y1),
  }
}
