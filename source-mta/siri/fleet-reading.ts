// The buses of one SIRI answer against what is known of them.
import { createHash } from 'node:crypto'
import type { BoxRule, EmitMode } from '../config-keys.ts'
import type { FeedRecord, RejectedEntity } from '../feed-reader.ts'
import { Motion } from '../motion.ts'
import type { Profile } from '../profiles.ts'
import { breaksNoRule } from '../quality-score.ts'
import type { QualityCode } from '../quality.ts'
import { BUS_VEHICLE_ACTIVITY_SCHEMA } from '../record-schemas.ts'
import type { Selectable, Selection } from '../selection.ts'
import { activityFlags, activityRejection } from './activity-quality.ts'
import {
  type AnswerContext,
  activityColumns,
  busVehicleValue,
  columnsHash,
} from './activity-record.ts'
import { type VehicleActivity, readActivity } from './vehicle-activity.ts'

const BUS_SPEED_MAX_MPS = 35

export interface FleetOptions {
  readonly feedId: string
  readonly topic: string
  readonly profile: Profile
  readonly timeZone: string
  readonly emitMode: EmitMode
  readonly heartbeatMs: number
  readonly box: BoxRule
  readonly retentionMs: number
  readonly duplicateWindowMs: number
  readonly selection: Selection
}

/** What one answer brought. */
export interface FleetReading {
  readonly records: readonly FeedRecord[]
  readonly rejected: readonly RejectedEntity[]
  readonly filtered: number
  readonly checked: number
  readonly clean: number
  readonly quality: ReadonlyMap<QualityCode, number>
  /** Differs when any bus does. */
  readonly contentHash: string
}

interface KnownBus {
  contentHash: string
  recordedAtMs: number
  seenAtMs: number
  emittedAtMs: number
  /** Hash → when it was emitted; within the duplicate window. */
  readonly recent: Map<string, number>
}

interface Candidate {
  readonly vehicleRef: string
  readonly recordedAtMs: number
  readonly activity: VehicleActivity
}

/** Remembers the buses of one feed, for the retention time. */
export class Fleet {
  readonly #options: FleetOptions
  readonly #known = new Map<string, KnownBus>()
  readonly #motion = new Motion(BUS_SPEED_MAX_MPS)

  constructor(options: FleetOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#known.size
  }

  /** `isKnownBody`: take the state in, but emit nothing. */
  read(activities: readonly unknown[], context: AnswerContext, isKnownBody: boolean): FleetReading {
    const tally = new Tally()
    const nowMs = context.fetchedAtMs
    const candidates = this.#candidates(activities, nowMs, tally)
    const content = createHash('sha256')
    for (const candidate of candidates.values()) {
      const columns = activityColumns(candidate.activity)
      const contentHash = columnsHash(columns)
      content.update(contentHash)
      const known = this.#known.get(candidate.vehicleRef)
      if (!this.#isDue(candidate, contentHash, { nowMs, tally }) || isKnownBody) continue
      const flags = this.#flags(candidate, context, known)
      tally.checked(flags)
      if (!this.#options.selection.has(selectable(candidate.activity))) {
        tally.filtered++
        continue
      }
      tally.records.push({
        topic: this.#options.topic,
        key: candidate.vehicleRef,
        valueSchema: BUS_VEHICLE_ACTIVITY_SCHEMA,
        value: busVehicleValue(columns, contentHash, flags, context),
      })
    }
    this.#forget(nowMs)
    return { ...tally.reading(), contentHash: content.digest('hex') }
  }

  /** The usable buses; of several with one VehicleRef the newest, the first on a tie. */
  #candidates(
    activities: readonly unknown[],
    nowMs: number,
    tally: Tally,
  ): ReadonlyMap<string, Candidate> {
    const candidates = new Map<string, Candidate>()
    for (const entry of activities) {
      const activity = readActivity(entry)
      const { vehicleRef, recordedAtMs } = activity
      const rejection = activityRejection(activity, nowMs)
      if (rejection !== undefined || vehicleRef === undefined || recordedAtMs === undefined) {
        const { code, reason } = rejection ?? { code: 'REQ_MISSING', reason: 'no key or time' }
        const entity = Buffer.from(JSON.stringify(entry) ?? 'null')
        tally.reject({ key: vehicleRef ?? this.#options.feedId, code, reason, entity })
        continue
      }
      const rival = candidates.get(vehicleRef)
      if (rival !== undefined) tally.count('DUP_IN_MESSAGE')
      if (rival === undefined || recordedAtMs > rival.recordedAtMs) {
        candidates.set(vehicleRef, { vehicleRef, recordedAtMs, activity })
      }
    }
    return candidates
  }

  /** Whether a bus is to be emitted; notes that it was seen. */
  #isDue(
    { vehicleRef, recordedAtMs }: Candidate,
    contentHash: string,
    { nowMs, tally }: { readonly nowMs: number; readonly tally: Tally },
  ): boolean {
    const { emitMode, heartbeatMs, duplicateWindowMs } = this.#options
    const known = this.#known.get(vehicleRef)
    const recent = known?.recent ?? new Map<string, number>()
    for (const [old, atMs] of recent) if (nowMs - atMs > duplicateWindowMs) recent.delete(old)
    if (known?.contentHash === contentHash) {
      known.seenAtMs = nowMs
      const isDue =
        emitMode === 'all' ||
        (emitMode === 'changed+heartbeat' && nowMs - known.emittedAtMs >= heartbeatMs)
      if (isDue) known.emittedAtMs = nowMs
      return isDue
    }
    if (known !== undefined && recent.has(contentHash)) {
      // An older answer, e.g. of another edge of a cache: what is known stays the newest.
      known.seenAtMs = nowMs
      tally.count('DUPLICATE')
      return false
    }
    recent.set(contentHash, nowMs)
    this.#known.set(vehicleRef, {
      contentHash,
      recordedAtMs: Math.max(recordedAtMs, known?.recordedAtMs ?? 0),
      seenAtMs: nowMs,
      emittedAtMs: nowMs,
      recent,
    })
    return true
  }

  #flags(
    { vehicleRef, recordedAtMs, activity }: Candidate,
    context: AnswerContext,
    before: KnownBus | undefined,
  ): readonly QualityCode[] {
    const { profile, box } = this.#options
    const nowMs = context.fetchedAtMs
    const responseAtMs = context.responseAtMs ?? nowMs
    const flags = activityFlags(activity, profile, { box, nowMs, responseAtMs })
    if (before !== undefined && recordedAtMs < before.recordedAtMs) flags.push('OUT_OF_ORDER')
    const { latitude, longitude, progressRate, progressStatus } = activity
    if (latitude !== undefined && longitude !== undefined) {
      // In layover, or at a terminal, a bus that stands is where it should be.
      const isStanding = progressStatus.length > 0 || progressRate === 'noProgress'
      const fix = { latitude, longitude, at: recordedAtMs / 1_000, isStanding }
      flags.push(...this.#motion.check(vehicleRef, fix))
    }
    return flags
  }

  #forget(nowMs: number): void {
    const before = nowMs - this.#options.retentionMs
    for (const [key, { seenAtMs }] of this.#known) if (seenAtMs < before) this.#known.delete(key)
    this.#motion.forget(before / 1_000)
  }
}

class Tally {
  readonly records: FeedRecord[] = []
  filtered = 0
  readonly #rejected: RejectedEntity[] = []
  readonly #quality = new Map<QualityCode, number>()
  #checked = 0
  #clean = 0

  count(code: QualityCode): void {
    this.#quality.set(code, (this.#quality.get(code) ?? 0) + 1)
  }

  checked(flags: readonly QualityCode[]): void {
    for (const flag of flags) this.count(flag)
    this.#checked++
    if (breaksNoRule(flags)) this.#clean++
  }

  reject(rejected: RejectedEntity & { readonly code: QualityCode }): void {
    this.#rejected.push(rejected)
    this.#checked++
    this.count(rejected.code)
  }

  reading(): Omit<FleetReading, 'contentHash'> {
    return {
      records: this.records,
      rejected: this.#rejected,
      filtered: this.filtered,
      checked: this.#checked,
      clean: this.#clean,
      quality: this.#quality,
    }
  }
}

/** Routes and stops with and without the agency before them: `MTA NYCT_M15` and `M15`, `MTA_400001` and `400001`. */
function selectable(activity: VehicleActivity): Selectable {
  const { lineRef, publishedLineName, directionRef, call, latitude, longitude } = activity
  return {
    routes: [
      ...bareAndFull(lineRef),
      ...(publishedLineName === undefined ? [] : [publishedLineName]),
    ],
    stops: bareAndFull(call.stopPointRef),
    directions: directionRef === undefined ? [] : [directionRef],
    place: latitude === undefined || longitude === undefined ? undefined : { latitude, longitude },
  }
}

const bareAndFull = (ref: string | undefined): readonly string[] =>
  ref === undefined ? [] : [ref, ref.slice(ref.indexOf('_') + 1)]
