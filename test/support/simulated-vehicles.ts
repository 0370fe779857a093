// Vehicle records without a worker: the simulator's bodies, read as the source connector reads them.
import type { SinkRecord } from '../../connector/api/records.ts'
import { FeedState } from '../../source-mta/feed-state.ts'
import { knownFeed } from '../../source-mta/feeds.ts'
import { PROFILES } from '../../source-mta/profiles.ts'
import { FEEDS, type SimulatedFeed } from '../../source-mta/simulator/feed-catalog.ts'
import { createCity } from '../../source-mta/simulator/simulated-city.ts'
import { subwayGeometry } from '../../source-mta/subway-geometry.ts'
import { SubwayPositions } from '../../source-mta/subway-positions.ts'
import { vehicleValue } from '../../source-mta/vehicle-record.ts'
import { vehicleEvents } from './feed-fixtures.ts'
import { vehicleRecord } from './vehicle-records.ts'

interface Feed {
  readonly feed: SimulatedFeed
  readonly state: FeedState
  /** Unix seconds of the last body. */
  readAt: number
}

/** A simulated city at work; the same records for the same seed and instants. */
export class SimulatedVehicles {
  readonly #encode: ReturnType<typeof createCity>
  readonly #feeds: readonly Feed[]

  constructor(seed: number) {
    this.#encode = createCity(seed)
    this.#feeds = FEEDS.map((feed) => ({ feed, state: newState(feed.id), readAt: 0 }))
  }

  /** What every feed that has a new body at an instant, in Unix seconds, brings. */
  at(timeS: number): readonly SinkRecord[] {
    return this.#feeds.flatMap((one) => {
      const time = Math.floor(timeS / one.feed.stepS) * one.feed.stepS
      if (time <= one.readAt) return []
      one.readAt = time
      const result = one.state.accept({
        bytes: this.#encode(one.feed, time),
        fetchedAtMs: time * 1_000,
        etag: null,
        lastModified: null,
      })
      const { context } = result
      if (context === undefined) return []
      return vehicleEvents(result).map((event) => vehicleRecord(vehicleValue(context, event)))
    })
  }
}

function newState(feedId: string): FeedState {
  const profile = PROFILES[knownFeed(feedId)?.profile ?? 'generic']
  return new FeedState({
    feedId,
    profile,
    kinds: ['vehicle'],
    entitiesMax: 100_000,
    emitMode: 'changed+heartbeat',
    heartbeatMs: 60_000,
    box: 'none',
    retentionMs: 3_600_000,
    positions: profile.isSubway ? new SubwayPositions(subwayGeometry()) : undefined,
  })
}
