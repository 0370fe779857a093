/** A feed as MTA serves it. */
export interface SimulatedFeed {
  /** As in the source connector's configuration. */
  readonly id: string
  /** Short name, used in the file names of recordings. */
  readonly tag: string
  /** The raw path of MTA's URL: `%2F` must stay as it is. */
  readonly path: string
  /** The request must carry a key. */
  readonly needsKey: boolean
  /** Seconds from one version of the body to the next, in the feed's own time. */
  readonly stepS: number
  /** Subway feeds: the routes in it, in the order of the header's replacement periods. */
  readonly routes: readonly string[]
  readonly kind: FeedKind
  readonly format: 'protobuf' | 'json'
}

export type FeedKind =
  | 'subway-a'
  | 'subway-b'
  | 'lirr'
  | 'mnr'
  | 'bus'
  | 'bus-trips'
  | 'bus-alerts'
  | 'alerts'
  | 'elevators'
  | 'siri'

const BASE = '/Dataservice/mtagtfsfeeds/'

const subway = (
  tag: string,
  key: string,
  routes: string,
  kind: 'subway-a' | 'subway-b' = 'subway-b',
): SimulatedFeed => ({
  id: `mta-subway-${tag}`,
  tag,
  path: `${BASE}nyct%2F${key}`,
  needsKey: false,
  stepS: 15,
  routes: routes.split(' '),
  kind,
  format: 'protobuf',
})

/**
 * The feeds with vehicles in them. The A division's signals (numbered routes, and by now the L) report
 * movement; the B division's report stations only.
 */
export const FEEDS: readonly SimulatedFeed[] = [
  subway('1234567s', 'gtfs', '1 2 3 4 5 6 6X 7 7X GS', 'subway-a'),
  subway('ace', 'gtfs-ace', 'A C E H FS'),
  subway('bdfm', 'gtfs-bdfm', 'B D F FX M'),
  subway('g', 'gtfs-g', 'G'),
  subway('jz', 'gtfs-jz', 'J Z'),
  subway('nqrw', 'gtfs-nqrw', 'N Q R W'),
  subway('l', 'gtfs-l', 'L', 'subway-a'),
  subway('si', 'gtfs-si', 'SI'),
  rail('lirr', 15),
  rail('mnr', 30),
  bus('mta-bus-vp', 'bus', '/vehiclePositions', 'bus'),
]

/** The feeds without vehicles; a source of vehicle positions needs none of them. */
export const OTHER_FEEDS: readonly SimulatedFeed[] = [
  bus('mta-bus-tu', 'bus-tu', '/tripUpdates', 'bus-trips'),
  bus('mta-bus-alerts', 'bus-alerts', '/alerts', 'bus-alerts'),
  ...['all', 'subway', 'bus', 'lirr', 'mnr'].flatMap((agency) => [
    keyless(`mta-alerts-${agency}`, `camsys%2F${agency}-alerts`, 'alerts', 'protobuf'),
    keyless(`mta-alerts-${agency}-json`, `camsys%2F${agency}-alerts.json`, 'alerts', 'json'),
  ]),
  keyless('mta-ene', 'nyct%2Fnyct_ene.json', 'elevators', 'json'),
  keyless('mta-ene-upcoming', 'nyct%2Fnyct_ene_upcoming.json', 'elevators', 'json'),
  keyless('mta-ene-equipments', 'nyct%2Fnyct_ene_equipments.json', 'elevators', 'json'),
  {
    ...bus('icymta-siri', 'siri', '/api/siri/vehicle-monitoring.json', 'siri'),
    format: 'json',
  },
]

/** Everything that the server serves. */
export const ALL_FEEDS: readonly SimulatedFeed[] = [...FEEDS, ...OTHER_FEEDS]

function bus(id: string, tag: string, path: string, kind: FeedKind): SimulatedFeed {
  return { id, tag, path, needsKey: true, stepS: 10, routes: [], kind, format: 'protobuf' }
}

function keyless(
  id: string,
  key: string,
  kind: 'alerts' | 'elevators',
  format: 'protobuf' | 'json',
): SimulatedFeed {
  const stepS = kind === 'alerts' ? 60 : 300
  const tag = id.replace(/^mta-/, '')
  return { id, tag, path: `${BASE}${key}`, needsKey: false, stepS, routes: [], kind, format }
}

function rail(kind: 'lirr' | 'mnr', stepS: number): SimulatedFeed {
  return {
    id: `mta-${kind}`,
    tag: kind,
    path: `${BASE}${kind}%2Fgtfs-${kind}`,
    needsKey: false,
    stepS,
    routes: [],
    kind,
    format: 'protobuf',
  }
}

/** Finds a feed by its id or tag, whatever the case. */
export function feedNamed(name: string): SimulatedFeed | undefined {
  const wanted = name.toLowerCase()
  return ALL_FEEDS.find((feed) => feed.id === wanted || feed.tag === wanted)
}
