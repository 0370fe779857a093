// The entities of one kind in one body, against what is known of them: which are new or changed, which are gone.
import { hash } from 'node:crypto'
import type { EmitMode } from './config-keys.ts'
import type {
  BodyTally,
  Candidate,
  Change,
  EntityIdentity,
  KindReader,
  VanishedEvent,
} from './entity-kind.ts'
import { type EntityMemory, type Known, isSameContent } from './entity-memory.ts'
import type { ScannedEntity } from './scan.ts'

/** What all kinds of one body share. */
export interface ReadingRules {
  readonly feedId: string
  readonly emitMode: EmitMode
  readonly heartbeatMs: number
  readonly nowMs: number
  /** Take the state in, but emit nothing. */
  readonly isKnownBody: boolean
  readonly agencyId: (vehicleId: string | undefined) => string | undefined
  /** When an entity that is not in the body is gone; undefined: never by its absence. */
  readonly vanish: VanishRule | undefined
  /** Whether somebody has asked for an event. */
  readonly selects: ((event: object) => boolean) | undefined
}

export interface VanishRule {
  /** After so many read bodies in a row without it. */
  readonly polls: number
  /** When it was last seen before this time; undefined: not by time. */
  readonly unseenSinceMs: number | undefined
}

/** Reads all entities of one kind. Used once. */
export class KindReading<Decoded, Event extends object> {
  readonly #reader: KindReader<Decoded, Event>
  readonly #memory: EntityMemory<Decoded>
  readonly #rules: ReadingRules
  readonly #tally: BodyTally

  constructor(
    reader: KindReader<Decoded, Event>,
    memory: EntityMemory<Decoded>,
    rules: ReadingRules,
    tally: BodyTally,
  ) {
    this.#reader = reader
    this.#memory = memory
    this.#rules = rules
    this.#tally = tally
  }

  read(entities: readonly ScannedEntity[]): readonly (Event | VanishedEvent)[] {
    const candidates = this.#candidates(entities)
    const changed: { readonly candidate: Candidate; readonly change: Change<Decoded> }[] = []
    for (const candidate of candidates.values()) {
      const change = this.#compare(candidate)
      if (change !== undefined) changed.push({ candidate, change })
    }
    this.#reader.prepare(candidates, this.#memory)
    const events: (Event | VanishedEvent)[] = []
    for (const { candidate, change } of changed) {
      const event = this.#event(candidate, change)
      if (event !== undefined) events.push(event)
    }
    events.push(...this.#deleted(entities), ...this.#vanished(candidates))
    return this.#rules.isKnownBody ? [] : events
  }

  /** The entities by key; of several with one key the newest, the first on a tie. */
  #candidates(entities: readonly ScannedEntity[]): ReadonlyMap<string, Candidate> {
    const candidates = new Map<string, Candidate>()
    for (const entity of entities) {
      const payload = entity.isDeleted ? undefined : this.#reader.payloadOf(entity)
      const candidate = payload === undefined ? undefined : this.#candidate(entity, payload)
      if (candidate === undefined) continue
      const rival = candidates.get(candidate.key)
      if (rival !== undefined) this.#tally.count('DUP_IN_MESSAGE')
      if (rival === undefined || isNewer(candidate.timestamp, rival.timestamp)) {
        candidates.set(candidate.key, candidate)
      }
    }
    return candidates
  }

  #candidate(entity: ScannedEntity, payload: Uint8Array): Candidate | undefined {
    try {
      const { key, timestamp, identity } = this.#reader.identify(entity, payload)
      if (key !== undefined) return { key, entity, payload, timestamp, identity }
      this.#tally.reject(this.#reader.kind, 'REQ_MISSING', { entity })
    } catch (error) {
      this.#tally.unreadable(this.#reader.kind, error, { entity })
    }
    return undefined
  }

  /** What there is to emit of an entity; notes that it was seen. */
  #compare(candidate: Candidate): Change<Decoded> | undefined {
    const { emitMode, heartbeatMs, isKnownBody, nowMs } = this.#rules
    const { key, payload, timestamp, entity, identity } = candidate
    const contentHash = hash('sha256', payload, 'hex')
    const known = this.#memory.get(key)
    if (known !== undefined && isSameContent(known, contentHash)) {
      this.#seen(known, candidate, contentHash)
      const isDue =
        emitMode === 'all' ||
        (emitMode === 'changed+heartbeat' && nowMs - known.emittedAtMs >= heartbeatMs)
      if (!isDue || isKnownBody) return undefined
      known.emittedAtMs = nowMs
      const decoded = known.decoded ?? this.#decode(candidate)
      return decoded && { eventType: 'HEARTBEAT', contentHash, decoded, flags: [] }
    }
    const decoded = this.#decode(candidate)
    if (decoded === undefined) return undefined
    const isOld =
      timestamp !== undefined && known?.timestamp !== undefined && timestamp < known.timestamp
    this.#memory.set(key, {
      contentHash,
      timestamp: isOld ? known.timestamp : timestamp,
      seenAtMs: nowMs,
      emittedAtMs: nowMs,
      missed: 0,
      isEmitted: known?.isEmitted === true || isKnownBody,
      entityId: entity.id,
      identity,
      decoded: this.#reader.keepsDecoded ? decoded : undefined,
    })
    const eventType = known === undefined ? 'SNAPSHOT' : 'CHANGED'
    return { eventType, contentHash, decoded, flags: isOld ? ['OUT_OF_ORDER'] : [] }
  }

  #seen(known: Known<Decoded>, candidate: Candidate, contentHash: string): void {
    known.seenAtMs = this.#rules.nowMs
    known.missed = 0
    known.entityId = candidate.entity.id
    if (known.contentHash === contentHash) return
    // Of an earlier run: all that it did not keep is learnt now.
    known.contentHash = contentHash
    known.timestamp ??= candidate.timestamp
    known.identity = candidate.identity
    if (this.#reader.keepsDecoded) known.decoded = this.#decode(candidate)
  }

  #event(candidate: Candidate, change: Change<Decoded>): Event | undefined {
    try {
      const event = this.#reader.event(candidate, change)
      if (typeof event === 'string') {
        this.#tally.reject(this.#reader.kind, event, candidate)
        return undefined
      }
      if (this.#rules.selects?.(event) === false) {
        this.#tally.filter()
        return undefined
      }
      const known = this.#memory.get(candidate.key)
      if (known !== undefined) known.isEmitted = true
      return event
    } catch (error) {
      this.#tally.unreadable(this.#reader.kind, error, candidate)
      return undefined
    }
  }

  #decode(candidate: Candidate): Decoded | undefined {
    try {
      return this.#reader.decode(candidate.payload)
    } catch (error) {
      this.#tally.unreadable(this.#reader.kind, error, candidate)
      return undefined
    }
  }

  /** What a DIFFERENTIAL body says is gone. A FULL_DATASET says so by leaving it out. */
  #deleted(entities: readonly ScannedEntity[]): readonly VanishedEvent[] {
    if (this.#rules.vanish !== undefined) return []
    const ids = new Set(entities.flatMap(({ isDeleted, id }) => (isDeleted ? [id] : [])))
    if (ids.size === 0) return []
    return this.#remove((known) => ids.has(known.entityId))
  }

  #vanished(candidates: ReadonlyMap<string, Candidate>): readonly VanishedEvent[] {
    const { vanish } = this.#rules
    if (vanish === undefined) return []
    const { polls, unseenSinceMs = -Infinity } = vanish
    return this.#remove((known, key) => {
      if (candidates.has(key)) return false
      known.missed++
      return known.missed >= polls || known.seenAtMs < unseenSinceMs
    })
  }

  /** Forgets what is gone, and tells of what had been emitted. */
  #remove(isGone: (known: Known<Decoded>, key: string) => boolean): readonly VanishedEvent[] {
    const events: VanishedEvent[] = []
    for (const [key, known] of this.#memory.entries()) {
      if (!isGone(known, key)) continue
      this.#memory.delete(key)
      if (known.isEmitted) events.push(this.#goodbye(key, known))
    }
    return events
  }

  #goodbye(key: string, known: Known<Decoded>): VanishedEvent {
    return {
      kind: 'vanished',
      of: this.#reader.kind,
      entityId: known.entityId,
      recordKey: `${this.#rules.feedId}|${key}`,
      eventType: 'VANISHED',
      contentHash: known.contentHash,
      agencyId: this.#rules.agencyId(vehicleIdOf(known.identity)),
      flags: [],
      unknownFields: null,
      identity: known.identity,
    }
  }
}

const vehicleIdOf = (identity: EntityIdentity): string | undefined => identity.vehicleId

const isNewer = (a: number | undefined, b: number | undefined): boolean =>
  (a ?? -Infinity) > (b ?? -Infinity)
