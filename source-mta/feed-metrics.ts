import type { PluginMetrics } from '../connector/api/plugin-metrics.ts'
import type { Fetched } from './fetch-feed.ts'
import type { BodyResult } from './body-reading.ts'
import type { PollOutcome } from './outcome.ts'

const FETCH_BUCKETS_MS = [10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000]

/** What is counted of each feed. Callers know no metric name. */
export interface FeedMetrics {
  polled(feed: string, outcome: PollOutcome, fetched: Fetched): void
  read(feed: string, result: BodyResult, vehicles: number): void
}

/** Registers the metrics. */
export function feedMetrics(metrics: PluginMetrics): FeedMetrics {
  const polls = metrics.counter('feed_polls_total', 'Polls by outcome.', ['feed', 'outcome'])
  const bytes = metrics.counter('feed_received_bytes_total', 'Bytes of bodies as sent.', ['feed'])
  const fetchMs = metrics.histogram(
    'feed_fetch_ms',
    'From a request to the last byte of its answer.',
    FETCH_BUCKETS_MS,
    ['feed'],
  )
  const entities = metrics.counter('feed_entities_total', 'Entities in new bodies.', ['feed'])
  const bad = metrics.counter('feed_bad_entities_total', 'Entities that cannot be read.', ['feed'])
  const records = metrics.counter('feed_records_total', 'Records emitted.', ['feed'])
  const vehicles = metrics.gauge('feed_vehicles', 'Vehicles remembered.', ['feed'])
  const age = metrics.gauge(
    'feed_header_age_ms',
    'Age of the last new body by its header, when it was received.',
    ['feed'],
  )
  const quality = metrics.counter('dq_total', 'Vehicles that break a quality rule.', [
    'feed',
    'code',
  ])
  return {
    polled(feed, outcome, fetched) {
      polls.inc(1, { feed, outcome })
      bytes.inc(fetched.wireBytes, { feed })
      fetchMs.observe(fetched.tookMs, { feed })
    },
    read(feed, result, remembered) {
      entities.inc(result.entities, { feed })
      bad.inc(result.badEntities, { feed })
      records.inc(result.events.length, { feed })
      vehicles.set(remembered, { feed })
      for (const [code, count] of result.quality) quality.inc(count, { feed, code })
      const { context } = result
      if (context?.feedTimestamp !== undefined) {
        age.set(context.fetchedAtMs - context.feedTimestamp * 1_000, { feed })
      }
    },
  }
}
