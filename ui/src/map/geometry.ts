// Tracks, lines and names of stations: a file that the build makes from the source connector's geometry.
import { signal } from '@preact/signals'
import type { Vehicle } from '../../live/messages.ts'
import { LineColors, type Route } from './lines.ts'
import { type Shape, shapeOf } from './shapes.ts'

export interface GeometryFile {
  readonly routes: readonly Route[]
  /** Encoded polylines by id. */
  readonly shapes: Readonly<Record<string, string>>
  readonly stops: readonly (readonly [id: string, name: string])[]
  /** The last stop of each shape. */
  readonly ends: readonly (readonly [shapeId: string, stopId: string])[]
}

export class Geometry {
  readonly colors: LineColors
  readonly shapes: ReadonlyMap<string, Shape>
  readonly #stops: ReadonlyMap<string, string>
  readonly #ends: ReadonlyMap<string, string>

  constructor({ routes, shapes, stops, ends }: GeometryFile) {
    this.colors = new LineColors(routes)
    this.shapes = new Map(Object.entries(shapes).map(([id, text]) => [id, shapeOf(text)]))
    this.#stops = new Map(stops)
    this.#ends = new Map(ends)
  }

  /** The name of a stop, or its id when it is not the subway's. */
  stopName(stopId: string | null): string | undefined {
    return stopId === null ? undefined : (this.#stops.get(stopId) ?? stopId)
  }

  /** Where a subway train's trip ends: by its trip's own pattern, else by the track that it is on. */
  destination({ tripId, anchor }: Vehicle): string | undefined {
    const pattern = tripId?.slice(tripId.indexOf('_') + 1)
    const stop = this.#ends.get(pattern ?? '') ?? this.#ends.get(anchor?.shapeId ?? '')
    return stop === undefined ? undefined : this.#stops.get(stop)
  }
}

export const geometry = signal<Geometry | undefined>(undefined)

let loading: Promise<Geometry> | undefined

/** Fetched once, however often the map is opened; a failure is tried again the next time. */
export function loadGeometry(): Promise<Geometry> {
  loading ??= (async () => {
    const response = await fetch(new URL('subway-geometry.json', document.baseURI))
    if (!response.ok) throw new Error(`subway-geometry.json: ${response.status}`)
    const loaded = new Geometry((await response.json()) as GeometryFile)
    geometry.value = loaded
    return loaded
  })()
  loading.catch(() => {
    loading = undefined
  })
  return loading
}
