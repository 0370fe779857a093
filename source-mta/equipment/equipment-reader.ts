// MTA's lists of elevators and escalators as records.
import { hash } from 'node:crypto'
import { DataError, toMessage } from '../../connector/api/errors.ts'
import type { SourceOffset } from '../../connector/api/records.ts'
import type { Schema } from '../../connector/api/schema.ts'
import type { EmitMode } from '../config-keys.ts'
import { pollId } from '../feed-poll.ts'
import {
  type FeedReader,
  type FeedRecord,
  type FetchedBody,
  type Reading,
  type RejectedEntity,
  noReading,
} from '../feed-reader.ts'
import { parseJson } from '../json-values.ts'
import type { QualityCode } from '../quality.ts'
import { EQUIPMENT_OUTAGE_SCHEMA, EQUIPMENT_SCHEMA } from '../record-schemas.ts'
import type { Selection } from '../selection.ts'
import { type EquipmentList, type EquipmentRow, readRow } from './equipment-rows.ts'

const SHRINK_RATIO = 0.5
const SHRUNK_MAX = 3

export interface EquipmentReaderOptions {
  readonly feedId: string
  readonly list: EquipmentList
  readonly topic: string
  readonly timeZone: string
  readonly entitiesMax: number
  readonly emitMode: EmitMode
  readonly heartbeatMs: number
  readonly selection: Selection
}

interface KnownRow {
  readonly row: EquipmentRow
  readonly contentHash: string
  emittedAtMs: number
}

type EventType = 'SNAPSHOT' | 'CHANGED' | 'HEARTBEAT' | 'VANISHED'

/**
 * Reads one list. Each body is the whole of it: what is not in it any more is VANISHED, unless more than half is
 * gone at once, which is believed the third time in a row.
 */
export class EquipmentReader implements FeedReader {
  readonly #options: EquipmentReaderOptions
  readonly #schema: Schema
  #known = new Map<string, KnownRow>()
  #bodyHash: string | undefined
  /** The hash of the last body of an earlier run, until the first body of this one. */
  #restoredHash: string | undefined
  #shrunk = 0
  #pollSeq = 0
  #offset: SourceOffset = {
    header_ts: null,
    body_hash: null,
    etag: null,
    last_modified: null,
    poll_seq: 0,
  }

  constructor(options: EquipmentReaderOptions) {
    this.#options = options
    this.#schema = options.list === 'outages' ? EQUIPMENT_OUTAGE_SCHEMA : EQUIPMENT_SCHEMA
  }

  restore(offset: SourceOffset): void {
    const { body_hash: bodyHash, poll_seq: pollSeq } = offset
    if (typeof bodyHash === 'string') this.#restoredHash = bodyHash
    if (typeof pollSeq === 'number') this.#pollSeq = pollSeq
    this.#offset = offset
  }

  get offset(): SourceOffset {
    return this.#offset
  }

  get remembered(): number {
    return this.#known.size
  }

  accept(body: FetchedBody): Reading {
    const bodyHash = hash('sha256', body.bytes, 'hex')
    if (bodyHash === this.#bodyHash && this.#options.emitMode === 'changed') {
      return noReading('UNCHANGED', 'the same body')
    }
    const rows = this.#rows(body.bytes)
    if (!Array.isArray(rows)) return rows
    const kept = this.#keptOf(rows)
    if (this.#isShrunk(kept)) {
      return noReading('SHRUNK', `${kept} of ${this.#known.size} known rows are left`)
    }
    const isKnownBody = bodyHash === this.#restoredHash
    const isSame = bodyHash === this.#bodyHash
    this.#restoredHash = undefined
    this.#bodyHash = bodyHash
    const reading = this.#read(rows, body, isKnownBody)
    this.#pollSeq++
    this.#offset = {
      header_ts: null,
      body_hash: bodyHash,
      etag: body.etag,
      last_modified: body.lastModified,
      poll_seq: this.#pollSeq,
    }
    return {
      ...reading,
      outcome: isKnownBody || isSame ? 'UNCHANGED' : 'OK',
      reason: '',
      entities: rows.length,
      badEntities: 0,
      feedTimestamp: undefined,
      bodyHash,
      contentHash: bodyHash,
    }
  }

  #rows(bytes: Uint8Array): unknown[] | Reading {
    let rows: unknown
    try {
      rows = parseJson(bytes)
    } catch (error) {
      if (error instanceof DataError) return noReading('NOT_JSON', toMessage(error))
      throw error
    }
    if (!Array.isArray(rows))
      return noReading('NOT_JSON', 'expected a JSON array, got another value')
    const { entitiesMax } = this.#options
    return rows.length > entitiesMax
      ? noReading('TOO_LARGE', `More than ${entitiesMax} rows in one body`)
      : rows
  }

  /** How many of the known rows are still there. */
  #keptOf(rows: readonly unknown[]): number {
    const { list, timeZone } = this.#options
    const keys = new Set(rows.map((entry) => this.#keyOf(readRow(entry, list, timeZone))))
    return [...this.#known.keys()].filter((key) => keys.has(key)).length
  }

  /** Undefined: it has none. */
  #keyOf({ equipmentId, outageDate }: EquipmentRow): string | undefined {
    if (equipmentId === undefined) return undefined
    return `${this.#options.feedId}|${equipmentId}${outageDate === undefined ? '' : `|${outageDate}`}`
  }

  #isShrunk(kept: number): boolean {
    const isLess = kept < this.#known.size * SHRINK_RATIO
    this.#shrunk = isLess ? this.#shrunk + 1 : 0
    if (this.#shrunk < SHRUNK_MAX) return isLess
    this.#shrunk = 0
    return false
  }

  #read(
    rows: readonly unknown[],
    body: FetchedBody,
    isKnownBody: boolean,
  ): Pick<Reading, 'records' | 'rejected' | 'filtered' | 'checked' | 'clean' | 'quality'> {
    const { feedId, list, timeZone, selection } = this.#options
    const quality = new Map<QualityCode, number>()
    const count = (code: QualityCode): void => void quality.set(code, (quality.get(code) ?? 0) + 1)
    const rejected: RejectedEntity[] = []
    const now = new Map<string, KnownRow>()
    const events: { readonly type: EventType; readonly key: string; readonly known: KnownRow }[] =
      []
    for (const entry of rows) {
      const row = readRow(entry, list, timeZone)
      const key = this.#keyOf(row)
      if (key === undefined) {
        count('REQ_MISSING')
        rejected.push({
          key: feedId,
          code: 'REQ_MISSING',
          reason: 'expected an equipment number, which it does not have',
          entity: Buffer.from(JSON.stringify(entry) ?? 'null'),
        })
        continue
      }
      if (now.has(key)) {
        count('DUP_IN_MESSAGE')
        continue
      }
      const contentHash = hash('sha256', JSON.stringify(row.columns), 'hex')
      const before = this.#known.get(key)
      const type = this.#eventType(before, contentHash, body.fetchedAtMs)
      const emittedAtMs =
        type === undefined ? (before?.emittedAtMs ?? body.fetchedAtMs) : body.fetchedAtMs
      const known = { row, contentHash, emittedAtMs }
      now.set(key, known)
      if (type !== undefined) events.push({ type, key, known })
    }
    const checked = events.length + rejected.length
    for (const [key, known] of this.#known) {
      if (!now.has(key)) events.push({ type: 'VANISHED', key, known })
    }
    this.#known = now
    const wanted = events.filter(({ known: { row } }) =>
      selection.has({ ...row.selectable, directions: [], place: undefined }),
    )
    return {
      records: isKnownBody
        ? []
        : wanted.map(({ type, key, known }) => this.#record(type, key, known, body.fetchedAtMs)),
      rejected: isKnownBody ? [] : rejected,
      filtered: isKnownBody ? 0 : events.length - wanted.length,
      checked,
      clean: checked - rejected.length,
      quality,
    }
  }

  #eventType(
    before: KnownRow | undefined,
    contentHash: string,
    nowMs: number,
  ): EventType | undefined {
    const { emitMode, heartbeatMs } = this.#options
    if (before === undefined) return 'SNAPSHOT'
    if (before.contentHash !== contentHash) return 'CHANGED'
    const isDue =
      emitMode === 'all' ||
      (emitMode === 'changed+heartbeat' && nowMs - before.emittedAtMs >= heartbeatMs)
    return isDue ? 'HEARTBEAT' : undefined
  }

  #record(type: EventType, key: string, known: KnownRow, fetchedAtMs: number): FeedRecord {
    const { feedId, topic } = this.#options
    return {
      topic,
      key,
      valueSchema: this.#schema,
      value: {
        feed_id: feedId,
        record_key: key,
        event_type: type,
        fetched_at: new Date(fetchedAtMs),
        poll_id: pollId(feedId, fetchedAtMs),
        content_hash: known.contentHash,
        quality_flags: [],
        ...known.row.columns,
      },
    }
  }
}
