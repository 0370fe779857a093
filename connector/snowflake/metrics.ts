import type { PluginMetrics } from '../api/plugin-metrics.ts'
import { type TopicPartition, topicPartitionKey } from '../api/topic-partition.ts'
import type { Batch } from './batch.ts'
import type { ChannelState } from './channel-state.ts'
import type { Committed, Discrepancy } from './commit-window.ts'

const LATENCY_MS = [
  5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000, 300_000,
]
const STATE_NUMBERS: Record<ChannelState, number> = {
  CLOSED: 0,
  IDENTIFYING: 1,
  OPENING: 2,
  TABLELESS: 3,
  POSITIONING: 4,
  READY: 5,
  EVOLVING: 6,
  APPENDING: 7,
  FAILED: 8,
  INSPECTING: 9,
}
const PARTITION = ['topic', 'partition']

/** What the sink measures. Callers say what happened; names and labels are here only. */
export class SinkMetrics {
  readonly #m

  constructor(metrics: PluginMetrics) {
    this.#m = {
      records: metrics.counter('snowflake_sink_records_total', 'Records taken in.'),
      rows: metrics.counter(
        'snowflake_sink_rows_total',
        'Rows by what became of them: appended (accepted by Snowflake), committed, rejected, missing or surplus.',
        ['outcome'],
      ),
      requests: metrics.counter('snowflake_sink_append_requests_total', 'Requests with rows.'),
      rawBytes: metrics.counter(
        'snowflake_sink_appended_bytes_total',
        'Bytes of rows before compression.',
      ),
      appendMs: metrics.histogram(
        'snowflake_sink_append_latency_ms',
        'From sending rows to their acceptance.',
        LATENCY_MS,
      ),
      commitMs: metrics.histogram(
        'snowflake_sink_commit_latency_ms',
        'From taking in the oldest record of a request to its commit.',
        LATENCY_MS,
      ),
      endToEndMs: metrics.histogram(
        'snowflake_sink_end_to_end_latency_ms',
        "From the time of the oldest record of a request, as Kafka has it (the source's own time where it sets one), to its commit.",
        LATENCY_MS,
      ),
      paced: metrics.counter(
        'snowflake_sink_pacing_waits_total',
        "Requests that waited for the channel's rate.",
      ),
      pacedMs: metrics.histogram(
        'snowflake_sink_pacing_wait_ms',
        "How long requests waited for the channel's rate.",
        LATENCY_MS,
      ),
      reopens: metrics.counter('snowflake_sink_channel_reopens_total', 'Channels opened again.'),
      state: metrics.gauge(
        'snowflake_sink_channel_state',
        '0 closed, 1 identifying, 2 opening, 3 without a table, 4 positioning, 5 ready, 6 evolving, 7 appending, 8 failed, 9 inspecting rejected rows.',
        PARTITION,
      ),
      committedOffset: metrics.gauge(
        'snowflake_sink_committed_offset',
        'The last Kafka offset that Snowflake has committed.',
        PARTITION,
      ),
      uncommitted: metrics.gauge(
        'snowflake_sink_uncommitted_records',
        'Records taken in and not committed by Snowflake yet; at least 1 for each channel whose position is not known.',
      ),
    }
  }

  taken(records: number): void {
    if (records > 0) this.#m.records.inc(records)
  }

  appended(batch: Batch, tookMs: number): void {
    this.#m.rows.inc(batch.ends.length, { outcome: 'appended' })
    this.#m.requests.inc(1)
    this.#m.rawBytes.inc(batch.rawBytes)
    this.#m.appendMs.observe(tookMs)
  }

  committed(tp: TopicPartition, covered: Committed, nowMs: number): void {
    this.#m.rows.inc(covered.rows, { outcome: 'committed' })
    for (const { oldestMs, oldestRecordMs } of covered.requests) {
      this.#m.commitMs.observe(nowMs - oldestMs)
      // A clock that is ahead of ours makes no negative latency.
      if (oldestRecordMs !== undefined)
        this.#m.endToEndMs.observe(Math.max(0, nowMs - oldestRecordMs))
    }
    this.#m.committedOffset.set(covered.lastOffset, labels(tp))
  }

  discrepancy(kind: Discrepancy['kind'], rows: number): void {
    this.#m.rows.inc(rows, { outcome: kind })
  }

  /** A request waited `ms` for the channel's rate. */
  paced(ms: number): void {
    this.#m.paced.inc(1)
    this.#m.pacedMs.observe(ms)
  }

  reopened(): void {
    this.#m.reopens.inc(1)
  }

  state(tp: TopicPartition, state: ChannelState): void {
    if (state !== 'CLOSED') {
      this.#m.state.set(STATE_NUMBERS[state], labels(tp))
      return
    }
    // Another task may have the partition next, and shows it then.
    this.#m.state.remove(labels(tp))
    this.#m.committedOffset.remove(labels(tp))
  }

  uncommitted(records: number): void {
    this.#m.uncommitted.set(records)
  }
}

const known = new Map<string, { topic: string; partition: string }>()

/** The labels of a partition, made once: they are asked for with each request. */
function labels(tp: TopicPartition): { topic: string; partition: string } {
  const key = topicPartitionKey(tp)
  let found = known.get(key)
  if (found === undefined) {
    found = { topic: tp.topic, partition: String(tp.partition) }
    known.set(key, found)
  }
  return found
}
