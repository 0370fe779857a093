import type { PluginMetrics } from '../connector/api/plugin-metrics.ts'
import type { Fetched } from './fetch-feed.ts'
import { FRESHNESS_CODES, type Freshness } from './feed-freshness.ts'
import type { Reading } from './feed-reader.ts'
import type { PollOutcome } from './outcome.ts'
import { QualityScore } from './quality-score.ts'

const FETCH_BUCKETS_MS = [10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000]

/** What is counted of each feed. Callers know no metric name. */
export interface FeedMetrics {
  polled(feed: string, outcome: PollOutcome, fetched: Fetched): void
  read(feed: string, reading: Reading, remembered: number): void
  /** After every poll. */
  aged(feed: string, freshness: Freshness): void
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
  const vehicles = metrics.gauge(
    'feed_vehicles',
    'Vehicles, trips, alerts or equipment remembered.',
    ['feed'],
  )
  const age = metrics.gauge('feed_header_age_ms', 'Age of the last new body by its header.', [
    'feed',
  ])
  const contentAge = metrics.gauge(
    'feed_content_age_ms',
    'For how long the content of the feed has not changed.',
    ['feed'],
  )
  const old = metrics.gauge('feed_old', '1: the feed is old by this rule.', ['feed', 'code'])
  const filtered = metrics.counter('feed_filtered_records_total', 'Left out by the selection.', [
    'feed',
  ])
  const quality = qualityMetrics(metrics)
  return {
    polled(feed, outcome, fetched) {
      polls.inc(1, { feed, outcome })
      bytes.inc(fetched.wireBytes, { feed })
      fetchMs.observe(fetched.tookMs, { feed })
    },
    read(feed, reading, remembered) {
      entities.inc(reading.entities, { feed })
      bad.inc(reading.badEntities, { feed })
      records.inc(reading.records.length, { feed })
      filtered.inc(reading.filtered, { feed })
      vehicles.set(remembered, { feed })
      quality(feed, reading)
    },
    aged(feed, freshness) {
      if (freshness.headerAgeMs !== null) age.set(freshness.headerAgeMs, { feed })
      if (freshness.contentAgeMs !== null) contentAge.set(freshness.contentAgeMs, { feed })
      for (const code of FRESHNESS_CODES) {
        old.set(freshness.codes.includes(code) ? 1 : 0, { feed, code })
      }
    },
  }
}

/** Counts what the rules of quality say of each reading. */
function qualityMetrics(metrics: PluginMetrics): (feed: string, reading: Reading) => void {
  const rejected = metrics.counter('feed_rejected_total', 'Entities sent to the dead letters.', [
    'feed',
    'code',
  ])
  const quality = metrics.counter('dq_total', 'Entities that break a quality rule.', [
    'feed',
    'code',
  ])
  const checked = metrics.counter('dq_checked_total', 'Entities held against the rules.', ['feed'])
  const score = metrics.gauge(
    'dq_score_ratio',
    'Share of the checked entities that break no rule, since the task started.',
    ['feed'],
  )
  const scores = new Map<string, QualityScore>()
  return (feed, reading) => {
    for (const { code } of reading.rejected) rejected.inc(1, { feed, code })
    for (const [code, count] of reading.quality) quality.inc(count, { feed, code })
    checked.inc(reading.checked, { feed })
    const total = scores.get(feed) ?? new QualityScore()
    scores.set(feed, total)
    total.add(reading.checked, reading.clean)
    if (total.value !== undefined) score.set(total.value, { feed })
  }
}
