import type { Channel } from './channel.ts'
import type { PipeIdentifier } from './ingests.ts'

/** A channel's status as open and bulk-channel-status answer it; both spellings of the error's time are read by clients. */
export function channelStatus(
  pipe: PipeIdentifier,
  channel: Channel,
): Readonly<Record<string, unknown>> {
  const { record } = channel
  return {
    database_name: pipe.database,
    schema_name: pipe.schema,
    pipe_name: pipe.pipe,
    channel_name: record.name,
    channel_status_code: channel.statusCode,
    last_committed_offset_token: record.offsetToken,
    created_on_ms: record.createdMs,
    rows_inserted: record.rowsInserted,
    rows_parsed: record.rowsParsed,
    rows_error_count: record.rowsErrors,
    last_error_offset_upper_bound: record.lastError?.offsetUpperBound ?? null,
    last_error_message: record.lastError?.message ?? null,
    last_error_timestamp: record.lastError?.timestampMs ?? null,
    last_error_timestamp_ms: record.lastError?.timestampMs ?? null,
    snowflake_avg_processing_latency_ms: channel.averageLatencyMs,
  }
}
