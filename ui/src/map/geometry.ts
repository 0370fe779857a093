// Tracks, lines and names of stations: a file that the build makes from the source connector's geometry.
import type { Vehicle } from '../../live/messages.ts'
import { kindOf, LineColors, type Route } from './lines.ts'
import { type Shape, shapeOf } from './shapes.ts'

export interface GeometryFile {
  readonly routes: readonly Route[]
  /** Encoded polylines by id. */
  readonly shapes: Readonly<Record<string, string>>
  readonly stops: readonly (readonly [id: string, name: string])[]
  /** The last stop of each shape, and its length. */
  readonly ends: readonly (readonly [shapeId: string, stopId: string, meters: number])[]
}

export class Geometry {
  readonly colors: LineColors
  readonly shapes: ReadonlyMap<string, Shape>
  readonly #stops: ReadonlyMap<string, string>
  readonly #ends: ReadonlyMap<string, string>

  constructor({ routes, shapes, stops, ends }: GeometryFile) {
    this.colors = new LineColors(routes)
    const lengths = new Map(ends.map(([id, , meters]) => [id, meters]))
    this.shapes = new Map(
      Object.entries(shapes).map(([id, text]) => [id, shapeOf(text, lengths.get(id))]),
    )
    this.#stops = new Map(stops)
    this.#ends = new Map(ends.map(([id, stopId]) => [id, stopId]))
  }

  /** The name of the station that a subway train reports. The other feeds number their stops for themselves: an id of
   *  theirs may be that of a station by chance. */
  stopName({ feedId, stopId }: Vehicle): string | undefined {
    return kindOf(feedId) === 'subway' ? this.#stops.get(stopId ?? '') : undefined
  }

  /** Where a subway train's trip ends: by its trip's own pattern, else by the track that it is on. */
  destination({ tripId, anchor }: Vehicle): string | undefined {
    const pattern = tripId?.slice(tripId.indexOf('_') + 1)
    const stop = this.#ends.get(pattern ?? '') ?? this.#ends.get(anchor?.shapeId ?? '')
    return stop === undefined ? undefined : this.#stops.get(stop)
  }
}
