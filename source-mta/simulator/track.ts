const METRES_PER_DEGREE = 111_195
const BEARING_REACH_M = 15

export interface Place {
  readonly latitude: number
  readonly longitude: number
  /** Degrees clockwise from north, in [0, 360). */
  readonly bearing: number
}

/** Metres between two places, exact enough for a city. */
export function metresBetween(
  a: Pick<Place, 'latitude' | 'longitude'>,
  b: Pick<Place, 'latitude' | 'longitude'>,
): number {
  const shrink = Math.cos((((a.latitude + b.latitude) / 2) * Math.PI) / 180)
  return (
    METRES_PER_DEGREE * Math.hypot(b.latitude - a.latitude, (b.longitude - a.longitude) * shrink)
  )
}

/** A line on the ground that things move along. */
export class Track {
  readonly lengthM: number
  readonly #latitudes: Float64Array
  readonly #longitudes: Float64Array
  readonly #along: Float64Array

  /** `polyline`: Google's encoded format, precision 5, of two points or more. */
  constructor(polyline: string) {
    const { latitudes, longitudes } = decodePolyline(polyline)
    const along = new Float64Array(latitudes.length)
    for (let i = 1; i < along.length; i++) {
      const step = metresBetween(
        { latitude: latitudes[i - 1] ?? 0, longitude: longitudes[i - 1] ?? 0 },
        { latitude: latitudes[i] ?? 0, longitude: longitudes[i] ?? 0 },
      )
      along[i] = (along[i - 1] ?? 0) + step
    }
    this.#latitudes = latitudes
    this.#longitudes = longitudes
    this.#along = along
    this.lengthM = along.at(-1) ?? 0
  }

  /** The place `metres` from the start; clamped to the line's ends. */
  at(metres: number): Place {
    const here = this.#point(metres)
    const behind = this.#point(metres - BEARING_REACH_M)
    const ahead = this.#point(metres + BEARING_REACH_M)
    const shrink = Math.cos((here.latitude * Math.PI) / 180)
    const east = (ahead.longitude - behind.longitude) * shrink
    const degrees = (Math.atan2(east, ahead.latitude - behind.latitude) * 180) / Math.PI
    return { ...here, bearing: (degrees + 360) % 360 }
  }

  #point(metres: number): { latitude: number; longitude: number } {
    const d = Math.min(Math.max(metres, 0), this.lengthM)
    let low = 0
    let high = this.#along.length - 1
    while (high - low > 1) {
      const middle = (low + high) >> 1
      if ((this.#along[middle] ?? 0) <= d) low = middle
      else high = middle
    }
    const from = this.#along[low] ?? 0
    const span = (this.#along[high] ?? 0) - from
    const share = span > 0 ? (d - from) / span : 0
    return {
      latitude: mix(this.#latitudes, low, high, share),
      longitude: mix(this.#longitudes, low, high, share),
    }
  }
}

function mix(values: Float64Array, low: number, high: number, share: number): number {
  const a = values[low] ?? 0
  return a + ((values[high] ?? a) - a) * share
}

function decodePolyline(text: string): { latitudes: Float64Array; longitudes: Float64Array } {
  const numbers: number[] = []
  let value = 0
  let shift = 0
  for (let i = 0; i < text.length; i++) {
    const chunk = text.charCodeAt(i) - 63
    value |= (chunk & 0x1f) << shift
    shift += 5
    if (chunk >= 0x20) continue
    numbers.push(value & 1 ? ~(value >> 1) : value >> 1)
    value = 0
    shift = 0
  }
  const count = numbers.length >> 1
  const latitudes = new Float64Array(count)
  const longitudes = new Float64Array(count)
  let latitude = 0
  let longitude = 0
  for (let i = 0; i < count; i++) {
    latitude += numbers[2 * i] ?? 0
    longitude += numbers[2 * i + 1] ?? 0
    latitudes[i] = latitude / 1e5
    longitudes[i] = longitude / 1e5
  }
  return { latitudes, longitudes }
}
