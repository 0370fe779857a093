// GTFS-realtime bodies as records.
import { hash } from 'node:crypto'
import type { SourceOffset } from '../connector/api/records.ts'
import type { EntityEvent, FeedStateOptions } from './body-reading.ts'
import type { BodyContext, RejectedEntity as Rejected } from './entity-kind.ts'
import { entityRecords } from './entity-records.ts'
import { isSelected } from './event-selection.ts'
import type { FeedReader, FeedRecord, FetchedBody, Reading, RejectedEntity } from './feed-reader.ts'
import { FeedState } from './feed-state.ts'
import { breaksNoRule } from './quality-score.ts'
import { REASONS } from './quality-reasons.ts'
import type { Selection } from './selection.ts'
import type { Topics } from './topics.ts'
import { WireReader } from './wire.ts'

export interface GtfsReaderOptions extends FeedStateOptions {
  readonly selection: Selection
}

/** Reads the bodies of one GTFS-realtime feed. */
export class GtfsReader implements FeedReader {
  readonly #state: FeedState
  readonly #topics: Topics
  readonly #feedId: string

  constructor(options: GtfsReaderOptions, topics: Topics) {
    const { selection } = options
    this.#state = new FeedState({
      ...options,
      ...(selection.isActive && { selects: (event) => isSelected(selection, event) }),
    })
    this.#topics = topics
    this.#feedId = options.feedId
  }

  restore(offset: SourceOffset): void {
    this.#state.restore(offset)
  }

  get offset(): SourceOffset {
    return this.#state.offset
  }

  get remembered(): number {
    return this.#state.remembered
  }

  failed(): void {
    this.#state.failed()
  }

  accept(body: FetchedBody): Reading {
    const result = this.#state.accept(body)
    const { outcome, reason, entities, badEntities, quality, context, events, rejected } = result
    const { body_hash: bodyHash } = this.#state.offset
    return {
      outcome,
      reason,
      records: context === undefined ? [] : recordsOf(context, events, this.#topics),
      rejected: rejected.map((entity) => this.#rejected(entity)),
      filtered: result.filtered,
      entities,
      badEntities,
      checked: events.length + rejected.length,
      clean: events.filter(({ flags }) => breaksNoRule(flags)).length,
      quality,
      feedTimestamp: context?.feedTimestamp,
      contentHash: context === undefined ? '' : entitiesHash(body.bytes),
      bodyHash: context !== undefined && typeof bodyHash === 'string' ? bodyHash : undefined,
    }
  }

  #rejected({ kind, code, entityId, recordKey, bytes }: Rejected): RejectedEntity {
    return {
      key: recordKey ?? this.#feedId,
      code,
      reason: `${kind === undefined ? 'an entity' : `the ${kind} of entity ${entityId}`}: ${REASONS[code] ?? code}`,
      entity: bytes,
    }
  }
}

const recordsOf = (
  context: BodyContext,
  events: readonly EntityEvent[],
  topics: Topics,
): readonly FeedRecord[] => events.flatMap((event) => entityRecords(context, event, topics))

const HEADER_TAG = 0x0a

/** A hash of all but the header, which comes first and whose time moves on by itself. */
function entitiesHash(bytes: Uint8Array): string {
  if (bytes[0] !== HEADER_TAG) return hash('sha256', bytes, 'hex')
  const reader = new WireReader(bytes)
  const from = reader.next() ? reader.to : 0
  return hash('sha256', bytes.subarray(from), 'hex')
}
