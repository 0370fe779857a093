// What is written of each poll: one FeedPoll record, and one dead letter per rejected entity.
import type { Header } from '../connector/api/records.ts'
import type { Schema } from '../connector/api/schema.ts'
import type { Freshness } from './feed-freshness.ts'
import type { Reading, RejectedEntity } from './feed-reader.ts'
import type { Fetched } from './fetch-feed.ts'
import { isGood } from './outcome.ts'

const REASON_MAX = 1_000
const STRING: Schema = { type: 'STRING', optional: false }
/** The entity's own bytes. */
export const DEAD_LETTER_SCHEMA: Schema = { type: 'BYTES', optional: false }

/** One poll that is over. */
export interface Poll {
  readonly feedId: string
  /** Counts the polls of a feed from 1. */
  readonly seq: number
  readonly startedAtMs: number
  readonly fetched: Fetched
  readonly reading: Reading
  readonly freshness: Freshness
  readonly remembered: number
  /** Failed polls in a row. */
  readonly failures: number
}

/** Equal for all records of one poll. */
export const pollId = (feedId: string, fetchedAtMs: number): string => `${feedId}@${fetchedAtMs}`

/** A plain object for `FEED_POLL_SCHEMA`. */
export function feedPollValue(poll: Poll): Record<string, unknown> {
  const { feedId, fetched, reading, freshness } = poll
  return {
    feed_id: feedId,
    poll_id: pollId(feedId, fetched.fetchedAtMs),
    poll_seq: BigInt(poll.seq),
    started_at: new Date(poll.startedAtMs),
    fetched_at: new Date(fetched.fetchedAtMs),
    took_ms: BigInt(Math.max(0, fetched.fetchedAtMs - poll.startedAtMs)),
    outcome: reading.outcome,
    reason: isGood(reading.outcome) ? null : reading.reason.slice(0, REASON_MAX),
    http_status: fetched.status ?? null,
    wire_bytes: BigInt(fetched.wireBytes),
    body_bytes: fetched.body === undefined ? null : BigInt(fetched.body.length),
    body_hash: reading.bodyHash ?? null,
    etag: fetched.validators.etag,
    last_modified: fetched.validators.lastModified,
    feed_timestamp: date(freshness.feedTimestampMs),
    header_age_ms: long(freshness.headerAgeMs),
    content_age_ms: long(freshness.contentAgeMs),
    entities: reading.entities,
    bad_entities: reading.badEntities,
    records: reading.records.length,
    filtered: reading.filtered,
    rejected: reading.rejected.length,
    remembered: poll.remembered,
    failures: poll.failures,
    quality_flags: freshness.codes,
    quality: [...reading.quality].map(([code, count]) => ({ code, count })),
    quality_score: reading.checked === 0 ? null : reading.clean / reading.checked,
  }
}

/** The headers of a dead letter: which rule, why, of which feed and poll. */
export const deadLetterHeaders = (
  { code, reason }: RejectedEntity,
  feedId: string,
  poll: string,
): readonly Header[] => [
  { key: 'code', schema: STRING, value: code },
  { key: 'reason', schema: STRING, value: reason.slice(0, REASON_MAX) },
  { key: 'feed_id', schema: STRING, value: feedId },
  { key: 'poll_id', schema: STRING, value: poll },
]

const long = (value: number | null): bigint | null =>
  value === null ? null : BigInt(Math.round(value))

const date = (ms: number | null): Date | null => (ms === null ? null : new Date(ms))
