import { readFileSync } from 'node:fs'
import { Track } from './track.ts'

/** A sequence of stops that trains of one route and direction run, with the track below it. */
export interface Pattern {
  /** For the subway the GTFS shape id, e.g. `1..S03R`. */
  readonly id: string
  readonly route: string
  /** GTFS `direction_id`; for the subway 0 is north, 1 south. */
  readonly direction: number
  readonly stops: readonly string[]
  /** Metres along the track of each stop, ascending. */
  readonly distancesM: readonly number[]
  /** Seconds from the stop before, standing there included; 0 for the first. */
  readonly runs: readonly number[]
  /** How many trips of the static timetable run it, over all kinds of day: its weight. */
  readonly trips: number
  readonly track: Track
}

export interface Network {
  readonly patterns: readonly Pattern[]
  /** Stop id → name. */
  readonly stopNames: ReadonlyMap<string, string>
  /** Station id → where it is and which routes stop there. */
  readonly stations: ReadonlyMap<string, Station>
}

export interface Station {
  readonly name: string
  readonly latitude: number
  readonly longitude: number
  readonly routes: readonly string[]
}

interface NetworkFile {
  readonly stops: readonly (readonly [string, string, number, number, string | null])[]
  readonly patterns: Readonly<
    Record<
      string,
      {
        readonly route: string
        readonly dir: number
        readonly stops: readonly string[]
        readonly dist: readonly number[]
        readonly run: readonly (number | null)[]
        readonly len: number
        readonly trips: number
        readonly shape?: string
      }
    >
  >
  readonly shapes: Readonly<Record<string, string>>
}

/** Networks never change: each file is read once, however many cities there are. */
const loaded = new Map<string, Network>()

/** Reads a file that `tools/geometry/build-network.mjs` has built. */
export function loadNetwork(file: URL): Network {
  const network = loaded.get(file.href) ?? readNetwork(file)
  loaded.set(file.href, network)
  return network
}

function readNetwork(file: URL): Network {
  const data = JSON.parse(readFileSync(file, 'utf8')) as NetworkFile
  const tracks = new Map(
    Object.entries(data.shapes).map(([id, polyline]) => [id, new Track(polyline)]),
  )
  const patterns = Object.entries(data.patterns).flatMap(([id, entry]): Pattern[] => {
    const track = tracks.get(entry.shape ?? id)
    if (track === undefined || entry.stops.length < 2) return []
    // The file's metres were measured before its shapes were simplified.
    const scale = entry.len > 0 ? track.lengthM / entry.len : 1
    return [
      {
        id,
        route: entry.route,
        direction: entry.dir,
        stops: entry.stops,
        distancesM: entry.dist.map((metres) => metres * scale),
        runs: entry.run.map((seconds) => seconds ?? 0),
        trips: entry.trips,
        track,
      },
    ]
  })
  return {
    patterns,
    stopNames: new Map(data.stops.map(([id, name]) => [id, name])),
    stations: stationsOf(data.stops, patterns),
  }
}

function stationsOf(
  stops: NetworkFile['stops'],
  patterns: readonly Pattern[],
): ReadonlyMap<string, Station> {
  const parents = new Map(stops.map(([id, , , , parent]) => [id, parent ?? id]))
  const routes = new Map<string, Set<string>>()
  for (const pattern of patterns) {
    for (const stop of pattern.stops) {
      const station = parents.get(stop) ?? stop
      const known = routes.get(station) ?? new Set()
      routes.set(station, known.add(pattern.route))
    }
  }
  return new Map(
    stops.flatMap(([id, name, latitude, longitude]): [string, Station][] => {
      const calling = routes.get(id)
      return calling === undefined
        ? []
        : [[id, { name, latitude, longitude, routes: [...calling].sort() }]]
    }),
  )
}
