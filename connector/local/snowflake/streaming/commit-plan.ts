// From the batches that wait to one commit: checks rows, counts, and says what each channel will be after it.
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Commit } from '../../iceberg/types.ts'
import { type CheckedRows, checkRows } from '../rows/check-rows.ts'
import type { RowChecker } from '../rows/row-checker.ts'
import { type Channel, type ChannelRecord, encodeRecords, type PendingBatch } from './channel.ts'
import type { ErrorEntry } from './error-log.ts'
import type { PipeChannels } from './pipe-channels.ts'

/** Batches of one channel, in the order they were accepted. */
export interface ChannelWork {
  readonly pipe: PipeChannels
  readonly channel: Channel
  readonly batches: readonly PendingBatch[]
}

export interface CheckedBatch {
  readonly batch: PendingBatch
  readonly checked: CheckedRows
}
export interface CheckedWork {
  readonly pipe: PipeChannels
  readonly channel: Channel
  readonly batches: readonly CheckedBatch[]
}

/** Checks all rows, giving way to other requests between slices. */
export async function checkWork(
  work: readonly ChannelWork[],
  checker: RowChecker,
): Promise<readonly CheckedWork[]> {
  const result: CheckedWork[] = []
  for (const { pipe, channel, batches } of work) {
    const checked: CheckedBatch[] = []
    for (const batch of batches)
      checked.push({ batch, checked: await checkRows(batch.bytes, checker, nextTurn) })
    result.push({ pipe, channel, batches: checked })
  }
  return result
}

const OFFSETS_LENGTH_MAX = 8_192

export interface CommitPlan {
  readonly commit: Commit
  /** What the channels become once the commit is durable. */
  readonly records: ReadonlyMap<Channel, ChannelRecord>
}

/** One atomic commit of the rows and of the channels' new tokens and counters. */
export function planCommit(work: readonly CheckedWork[], nowMs: number): CommitPlan {
  const records = new Map(
    work.map(({ channel, batches }) => [channel, recordAfter(channel.record, batches, nowMs)]),
  )
  const checked = work.flatMap(({ batches }) => batches.map((item) => item.checked))
  const ndjson = checked.flatMap(({ pieces }) => pieces)
  const rows = checked.reduce((sum, item) => sum + item.rows, 0)
  const properties = Object.fromEntries(
    [...new Set(work.map(({ pipe }) => pipe))].map((pipe) => [
      pipe.property,
      encodePipe(pipe, records),
    ]),
  )
  const commit: Commit =
    rows === 0
      ? { properties }
      : { batch: { ndjson, rows }, properties, summary: offsetsSummary(work, records) }
  return { commit, records }
}

/** The property's text with `records` in place of what the channels are now. */
export const encodePipe = (
  pipe: PipeChannels,
  records: ReadonlyMap<Channel, ChannelRecord>,
): string => encodeRecords(pipe.all().map((channel) => records.get(channel) ?? channel.record))

function recordAfter(
  record: ChannelRecord,
  batches: readonly CheckedBatch[],
  nowMs: number,
): ChannelRecord {
  let after = record
  for (const { batch, checked } of batches)
    after = {
      ...after,
      offsetToken: batch.endToken ?? after.offsetToken,
      rowsInserted: after.rowsInserted + checked.rows,
      rowsParsed: after.rowsParsed + checked.parsed,
      rowsErrors: after.rowsErrors + checked.errors,
      lastError:
        checked.lastMessage === undefined
          ? after.lastError
          : {
              message: checked.lastMessage,
              offsetUpperBound: batch.endToken,
              timestampMs: nowMs,
            },
    }
  return after
}

/** The audit trail in the snapshot. Snapshots are many, so it is left out when it would be long: the property has it all. */
function offsetsSummary(
  work: readonly CheckedWork[],
  records: ReadonlyMap<Channel, ChannelRecord>,
): Readonly<Record<string, string>> {
  const offsets = Object.fromEntries(
    work.map(({ pipe, channel }) => [
      pipe.isDefault ? channel.record.name : `${pipe.name}/${channel.record.name}`,
      records.get(channel)?.offsetToken ?? null,
    ]),
  )
  const text = JSON.stringify(offsets)
  return text.length > OFFSETS_LENGTH_MAX ? {} : { 'snowpipe.offsets': text }
}

const DATA_SHOWN_MAX = 4_096

/** The bad rows of a plan, for the error log. */
export function errorEntries(
  work: readonly CheckedWork[],
  { nowMs, tableUuid }: { readonly nowMs: number; readonly tableUuid: string },
): readonly ErrorEntry[] {
  return work.flatMap(({ pipe, channel, batches }) =>
    batches.flatMap(({ batch, checked }) =>
      checked.refused.map(({ message, code, line }) => ({
        timestampMs: nowMs,
        tableUuid,
        pipe: pipe.name,
        channel: channel.record.name,
        offsetLowerBound: batch.startToken,
        offsetUpperBound: batch.endToken,
        code: code ?? null,
        message,
        isTruncated: line.byteLength > DATA_SHOWN_MAX,
        data: Buffer.from(line.subarray(0, DATA_SHOWN_MAX)).toString('utf8'),
      })),
    ),
  )
}
