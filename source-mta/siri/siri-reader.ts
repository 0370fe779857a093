// Bus Time's SIRI vehicle monitoring as records of the topic icymta.
import { hash } from 'node:crypto'
import { DataError, toMessage } from '../../connector/api/errors.ts'
import type { SourceOffset } from '../../connector/api/records.ts'
import { type FeedReader, type FetchedBody, type Reading, noReading } from '../feed-reader.ts'
import { parseJson } from '../json-values.ts'
import { Fleet, type FleetOptions } from './fleet-reading.ts'
import { type SiriDelivery, SiriServiceError, readDelivery } from './vehicle-activity.ts'

const REGRESSED_MAX = 3

export interface SiriReaderOptions extends FleetOptions {
  /** Most vehicles in one body. */
  readonly entitiesMax: number
}

/** Reads the answers of one SIRI feed. */
export class SiriReader implements FeedReader {
  readonly #options: SiriReaderOptions
  readonly #fleet: Fleet
  #bodyHash: string | undefined
  /** The hash of the last body of an earlier run, until the first body of this one. */
  #restoredHash: string | undefined
  #responseAtMs: number | undefined
  #regressed = 0
  #pollSeq = 0
  #offset: SourceOffset = {
    header_ts: null,
    body_hash: null,
    etag: null,
    last_modified: null,
    poll_seq: 0,
  }

  constructor(options: SiriReaderOptions) {
    this.#options = options
    this.#fleet = new Fleet(options)
  }

  restore(offset: SourceOffset): void {
    const { body_hash: bodyHash, header_ts: header, poll_seq: pollSeq } = offset
    if (typeof bodyHash === 'string') this.#restoredHash = bodyHash
    if (typeof header === 'number') this.#responseAtMs = header * 1_000
    if (typeof pollSeq === 'number') this.#pollSeq = pollSeq
    this.#offset = offset
  }

  get offset(): SourceOffset {
    return this.#offset
  }

  get remembered(): number {
    return this.#fleet.size
  }

  accept(body: FetchedBody): Reading {
    const { entitiesMax, feedId, timeZone } = this.#options
    const bodyHash = hash('sha256', body.bytes, 'hex')
    if (bodyHash === this.#bodyHash) return noReading('UNCHANGED', 'the same body')
    let delivery: SiriDelivery
    try {
      delivery = readDelivery(parseJson(body.bytes))
    } catch (error) {
      return unreadable(error)
    }
    const { activities, responseAtMs } = delivery
    if (activities.length > entitiesMax) {
      return noReading('TOO_LARGE', `More than ${entitiesMax} vehicles in one body`)
    }
    if (this.#isRegressed(responseAtMs)) {
      return noReading('REGRESSED', 'ResponseTimestamp is older than that of the last answer')
    }
    const isKnownBody = bodyHash === this.#restoredHash
    this.#restoredHash = undefined
    this.#bodyHash = bodyHash
    this.#responseAtMs = responseAtMs
    this.#pollSeq++
    const context = { feedId, timeZone, responseAtMs, fetchedAtMs: body.fetchedAtMs }
    const reading = this.#fleet.read(activities, context, isKnownBody)
    const feedTimestamp = responseAtMs === undefined ? undefined : responseAtMs / 1_000
    this.#offset = {
      header_ts: feedTimestamp ?? null,
      body_hash: bodyHash,
      etag: body.etag,
      last_modified: body.lastModified,
      poll_seq: this.#pollSeq,
    }
    return {
      ...reading,
      outcome: isKnownBody ? 'UNCHANGED' : 'OK',
      reason: '',
      entities: activities.length,
      badEntities: 0,
      feedTimestamp,
      bodyHash,
    }
  }

  #isRegressed(responseAtMs: number | undefined): boolean {
    const last = this.#responseAtMs
    const isOlder = responseAtMs !== undefined && last !== undefined && responseAtMs < last
    this.#regressed = isOlder ? this.#regressed + 1 : 0
    if (this.#regressed < REGRESSED_MAX) return isOlder
    // Three in a row: the service itself went back.
    this.#regressed = 0
    return false
  }
}

function unreadable(error: unknown): Reading {
  if (error instanceof SiriServiceError) return noReading('SERVICE_ERROR', toMessage(error))
  if (error instanceof DataError) return noReading('NOT_JSON', toMessage(error))
  throw error
}
