import { type BodySource, etagOf, type FeedBody } from './body-source.ts'
import { encodeBusFeed } from './bus-feed.ts'
import { BusFleet } from './bus-fleet.ts'
import { FEEDS, type SimulatedFeed } from './feed-catalog.ts'
import type { FeedClock } from './feed-clock.ts'
import { loadNetwork } from './network.ts'
import { LirrFeed, MetroNorthFeed, railRoster } from './rail-feeds.ts'
import { SUBWAY_PACE, SUBWAY_PLAN, SubwayFeed } from './subway-feed.ts'
import { TrainRoster } from './train-roster.ts'

const BUSES_MAX = 1_900

type Encoder = (time: number) => Uint8Array

const FILES = {
  subway: new URL('../static/subway.json', import.meta.url),
  lirr: new URL('./lirr.json', import.meta.url),
  mnr: new URL('./mnr.json', import.meta.url),
  bus: new URL('./bus-routes.json', import.meta.url),
}

/**
 * Makes the body of any feed at any instant, given in whole Unix seconds: the same bytes for the same seed
 * and instant, whatever was asked before.
 */
export function createCity(seed: number): (feed: SimulatedFeed, time: number) => Uint8Array {
  const network = loadNetwork(FILES.subway)
  const roster = new TrainRoster({ network, plan: SUBWAY_PLAN, pace: SUBWAY_PACE, seed })
  const lirr = new LirrFeed(railRoster(loadNetwork(FILES.lirr), 'lirr', seed), seed)
  const mnr = new MetroNorthFeed(railRoster(loadNetwork(FILES.mnr), 'mnr', seed), seed)
  const fleet = new BusFleet({ file: FILES.bus, seed, busesMax: BUSES_MAX })
  const encoderOf = (feed: SimulatedFeed): Encoder => {
    if (feed.kind === 'lirr') return (time) => lirr.encode(time)
    if (feed.kind === 'mnr') return (time) => mnr.encode(time)
    if (feed.kind === 'bus') return (time) => encodeBusFeed(fleet, time)
    const subway = new SubwayFeed(feed, { roster, network, seed })
    return (time) => subway.encode(time)
  }
  const encoders = new Map(FEEDS.map((feed) => [feed.id, encoderOf(feed)]))
  return (feed, time) => {
    const encode = encoders.get(feed.id)
    if (encode === undefined) throw new RangeError(`There is no feed ${feed.id}.`)
    return encode(time)
  }
}

/** The simulated city behind the server: one body per feed and generation, kept until the next. */
export class SimulatedCity implements BodySource {
  readonly #clock: FeedClock
  readonly #encode: (feed: SimulatedFeed, time: number) => Uint8Array
  readonly #current = new Map<string, { readonly time: number; readonly body: FeedBody }>()
  readonly #served = new Map<string, number>()

  constructor(options: { clock: FeedClock; seed: number }) {
    this.#clock = options.clock
    this.#encode = createCity(options.seed)
  }

  body(feed: SimulatedFeed): FeedBody {
    const time = this.#clock.generation(feed.stepS)
    const known = this.#current.get(feed.id)
    if (known !== undefined && known.time === time) return known.body
    const bytes = this.#encode(feed, time)
    const body: FeedBody = { bytes, etag: etagOf(bytes), lastModified: time }
    this.#current.set(feed.id, { time, body })
    return body
  }

  served(feed: SimulatedFeed): void {
    this.#served.set(feed.id, (this.#served.get(feed.id) ?? 0) + 1)
  }

  status(): { kind: string; done: boolean; feeds: Record<string, { served: number }> } & Record<
    string,
    unknown
  > {
    return {
      kind: 'simulated',
      done: false,
      speed: this.#clock.speed,
      feedTime: new Date(this.#clock.now() * 1000).toISOString(),
      feeds: Object.fromEntries(
        FEEDS.map((feed) => [feed.id, { served: this.#served.get(feed.id) ?? 0 }]),
      ),
    }
  }
}
