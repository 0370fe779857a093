import { type AlertAgency, AlertBook, type AlertRoute } from './alert-book.ts'
import { alertsJson, encodeAlerts } from './alert-feed.ts'
import { type BodySource, etagOf, type FeedBody } from './body-source.ts'
import { encodeBusFeed } from './bus-feed.ts'
import { BusFleet } from './bus-fleet.ts'
import { encodeBusTrips } from './bus-trips.ts'
import { Elevators } from './elevators.ts'
import { ALL_FEEDS, type FeedKind, type SimulatedFeed } from './feed-catalog.ts'
import type { FeedClock } from './feed-clock.ts'
import { loadNetwork, type Network } from './network.ts'
import { LirrFeed, MetroNorthFeed, railRoster } from './rail-feeds.ts'
import { encodeSiri, siriQuery } from './siri-feed.ts'
import { SUBWAY_PACE, SUBWAY_PLAN, SubwayFeed } from './subway-feed.ts'
import { TrainRoster } from './train-roster.ts'

/** Makes some about 1,750 at the weekday's peak. */
const BUSES = 1_900
/** Vehicles in Bus Time's feed at a weekday's peak, scaled up from the timetable and a count on a Saturday. */
const BUSES_AT_PEAK = 4_096
export const SCALE_MIN = 0.1
export const SCALE_MAX = 4
const ANSWERS_KEPT = 100
const NO_PARAMETERS = new URLSearchParams()

/** How many buses: a factor, or `peak` for exactly 4,096 with 7,559 trips at every hour. */
export type CityScale = number | 'peak'

export type CityEncoder = (
  feed: SimulatedFeed,
  time: number,
  parameters?: URLSearchParams,
) => Uint8Array

const FILES = {
  subway: new URL('../static/subway.json', import.meta.url),
  lirr: new URL('./lirr.json', import.meta.url),
  mnr: new URL('./mnr.json', import.meta.url),
  bus: new URL('./bus-routes.json', import.meta.url),
}

/**
 * Makes the body of any feed at any instant, given in whole Unix seconds: the same bytes for the same seed,
 * scale and instant, whatever was asked before.
 */
export function createCity(seed: number, options: { scale?: CityScale } = {}): CityEncoder {
  const { scale = 1 } = options
  const [subway, lirr, mnr] = [FILES.subway, FILES.lirr, FILES.mnr].map((file) => loadNetwork(file))
  if (subway === undefined || lirr === undefined || mnr === undefined)
    throw new RangeError('A network is missing.')
  const roster = new TrainRoster({ network: subway, plan: SUBWAY_PLAN, pace: SUBWAY_PACE, seed })
  const lirrFeed = new LirrFeed(railRoster(lirr, 'lirr', seed), seed)
  const mnrFeed = new MetroNorthFeed(railRoster(mnr, 'mnr', seed), seed)
  const fleet =
    scale === 'peak'
      ? new BusFleet({ file: FILES.bus, seed, busesMax: BUSES_AT_PEAK, allOut: true })
      : new BusFleet({ file: FILES.bus, seed, busesMax: BUSES * scale })
  const alerts = new AlertBook(
    [
      ...railAlertRoutes(subway, 'subway'),
      ...railAlertRoutes(lirr, 'lirr'),
      ...railAlertRoutes(mnr, 'mnr'),
      ...busAlertRoutes(fleet),
    ],
    seed,
  )
  const elevators = new Elevators(subway, seed)
  const subwayFeeds = new Map<string, SubwayFeed>()
  const encodeSubway: CityEncoder = (feed, time) => {
    const known = subwayFeeds.get(feed.id)
    const subwayFeed = known ?? new SubwayFeed(feed, { roster, network: subway, seed })
    subwayFeeds.set(feed.id, subwayFeed)
    return subwayFeed.encode(time)
  }
  const encoders: Readonly<Record<FeedKind, CityEncoder>> = {
    'subway-a': encodeSubway,
    'subway-b': encodeSubway,
    lirr: (_, time) => lirrFeed.encode(time),
    mnr: (_, time) => mnrFeed.encode(time),
    bus: (_, time) => encodeBusFeed(fleet, time),
    'bus-trips': (_, time) => encodeBusTrips(fleet, time, seed),
    'bus-alerts': (_, time) => encodeAlerts(alerts.alertsAt(['bus'], time), time, 'plain'),
    alerts: (feed, time) => encodeAgencyAlerts(alerts, feed, time),
    elevators: ({ tag }, time) => {
      if (tag === 'ene') return elevators.outages(time)
      return tag === 'ene-upcoming' ? elevators.upcoming(time) : elevators.equipments()
    },
    siri: (_, time, parameters = NO_PARAMETERS) =>
      encodeSiri(fleet, time, { query: siriQuery(parameters), seed }),
  }
  return (feed, time, parameters) => encoders[feed.kind](feed, time, parameters)
}

function encodeAgencyAlerts(book: AlertBook, feed: SimulatedFeed, time: number): Uint8Array {
  const alerts = book.alertsAt(agenciesOf(feed), time)
  return feed.format === 'json' ? alertsJson(alerts, time) : encodeAlerts(alerts, time, 'camsys')
}

function agenciesOf({ tag }: SimulatedFeed): readonly AlertAgency[] {
  const all = ['subway', 'bus', 'lirr', 'mnr'] as const
  return tag.startsWith('alerts-all') ? all : all.filter((agency) => tag.split('-')[1] === agency)
}

function railAlertRoutes(network: Network, agency: 'subway' | 'lirr' | 'mnr'): AlertRoute[] {
  const agencyId = { subway: 'MTASBWY', lirr: 'LI', mnr: 'MNR' }[agency]
  const routes = new Map<string, { id: string; name: string }[]>()
  for (const [id, station] of network.stations) {
    for (const route of station.routes)
      routes.set(route, [...(routes.get(route) ?? []), { id, name: station.name }])
  }
  return [...routes].map(([routeId, stops]) => ({ agency, agencyId, routeId, stops }))
}

function busAlertRoutes(fleet: BusFleet): AlertRoute[] {
  return fleet.routes.map(({ id, depot, stopIds }) => ({
    agency: 'bus',
    agencyId: depot === 'busco' ? 'MTABC' : 'MTA NYCT',
    routeId: id,
    stops: (stopIds[0] ?? []).map((stopId) => ({ id: stopId, name: `stop ${stopId}` })),
  }))
}

interface Answer {
  readonly time: number
  readonly body: FeedBody
}

interface FeedFigures {
  served: number
  /** Of the last body. */
  bytes: number
  makingMs: number
  makingMsMax: number
}

/** The simulated city behind the server: one body per feed and generation, kept until the next. */
export class SimulatedCity implements BodySource {
  readonly #clock: FeedClock
  readonly #encode: CityEncoder
  readonly #current = new Map<string, Answer>()
  readonly #figures = new Map<string, FeedFigures>()
  readonly #scale: CityScale

  constructor(options: { clock: FeedClock; seed: number; scale?: CityScale }) {
    this.#clock = options.clock
    this.#scale = options.scale ?? 1
    this.#encode = createCity(options.seed, { scale: this.#scale })
  }

  body(feed: SimulatedFeed, parameters: URLSearchParams = NO_PARAMETERS): FeedBody {
    const time = this.#clock.generation(feed.stepS)
    const key = feed.kind === 'siri' ? JSON.stringify(siriQuery(parameters)) : feed.id
    const known = this.#current.get(key)
    // A higher speed has longer steps: the last body stays until the next one is due.
    const isCurrent =
      known !== undefined &&
      (known.time === time || (known.time > time && known.time <= this.#clock.now()))
    if (isCurrent) return known.body
    const startedAt = performance.now()
    const bytes = this.#encode(feed, time, parameters)
    const figures = this.#figuresOf(feed)
    figures.bytes = bytes.length
    figures.makingMs = Math.round((performance.now() - startedAt) * 10) / 10
    figures.makingMsMax = Math.max(figures.makingMsMax, figures.makingMs)
    const body: FeedBody = { bytes, etag: etagOf(bytes), lastModified: time }
    this.#current.delete(key)
    this.#current.set(key, { time, body })
    const oldest = this.#current.keys().next().value
    if (this.#current.size > ANSWERS_KEPT && oldest !== undefined) this.#current.delete(oldest)
    return body
  }

  served(feed: SimulatedFeed): void {
    this.#figuresOf(feed).served++
  }

  status(): { kind: string; done: boolean; feeds: Record<string, FeedFigures> } & Record<
    string,
    unknown
  > {
    return {
      kind: 'simulated',
      done: false,
      scale: this.#scale,
      speed: this.#clock.speed,
      feedTime: new Date(this.#clock.now() * 1000).toISOString(),
      feeds: Object.fromEntries(ALL_FEEDS.map((feed) => [feed.id, this.#figuresOf(feed)])),
    }
  }

  #figuresOf(feed: SimulatedFeed): FeedFigures {
    const known = this.#figures.get(feed.id)
    const figures = known ?? { served: 0, bytes: 0, makingMs: 0, makingMsMax: 0 }
    this.#figures.set(feed.id, figures)
    return figures
  }
}
