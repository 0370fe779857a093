// GTFS-realtime bodies as records.
import { hash } from 'node:crypto'
import type { SourceOffset } from '../connector/api/records.ts'
import type { BodyResult, FeedStateOptions } from './body-reading.ts'
import type { FeedReader, FeedRecord, FetchedBody, Reading } from './feed-reader.ts'
import { FeedState } from './feed-state.ts'
import { breaksNoRule } from './quality-score.ts'
import { VEHICLE_POSITION_SCHEMA } from './record-schemas.ts'
import type { Topics } from './topics.ts'
import { vehicleValue } from './vehicle-record.ts'
import { WireReader } from './wire.ts'

/** Reads the bodies of one GTFS-realtime feed. */
export class GtfsReader implements FeedReader {
  readonly #state: FeedState
  readonly #topics: Topics

  constructor(options: FeedStateOptions, topics: Topics) {
    this.#state = new FeedState(options)
    this.#topics = topics
  }

  restore(offset: SourceOffset): void {
    this.#state.restore(offset)
  }

  get offset(): SourceOffset {
    return this.#state.offset
  }

  get remembered(): number {
    return this.#state.vehicles
  }

  accept(body: FetchedBody): Reading {
    const result = this.#state.accept(body)
    const { outcome, reason, entities, badEntities, quality, context, events } = result
    const { body_hash: bodyHash } = this.#state.offset
    return {
      outcome,
      reason,
      records: this.#records(result),
      rejected: [],
      filtered: 0,
      entities,
      badEntities,
      checked: events.length,
      clean: events.filter(({ flags }) => breaksNoRule(flags)).length,
      quality,
      feedTimestamp: context?.feedTimestamp,
      contentHash: context === undefined ? '' : entitiesHash(body.bytes),
      bodyHash: context !== undefined && typeof bodyHash === 'string' ? bodyHash : undefined,
    }
  }

  #records({ context, events }: BodyResult): readonly FeedRecord[] {
    if (context === undefined) return []
    return events.map((event) => ({
      topic: this.#topics.vehiclePosition,
      key: event.recordKey,
      valueSchema: VEHICLE_POSITION_SCHEMA,
      value: vehicleValue(context, event),
    }))
  }
}

const HEADER_TAG = 0x0a

/** A hash of all but the header, which comes first and whose time moves on by itself. */
function entitiesHash(bytes: Uint8Array): string {
  if (bytes[0] !== HEADER_TAG) return hash('sha256', bytes, 'hex')
  const reader = new WireReader(bytes)
  const from = reader.next() ? reader.to : 0
  return hash('sha256', bytes.subarray(from), 'hex')
}
