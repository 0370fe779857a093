// Keys about which entities become records, and when they are gone.
import {
  type ConfigKeys,
  boolean,
  double,
  int,
  list,
  long,
  oneOf,
  string,
} from '../connector/api/config-def.ts'
import { ENTITY_KINDS, type EntityKind } from './entity-kind.ts'
import { type EntityTopics, type TripUpdateMode, entityTopics } from './entity-records.ts'

export const ENTITY_KEYS = {
  'record.kinds': list({
    doc: 'Which entities of GTFS-realtime become records: vehicle, trip_update, alert.',
    importance: 'MEDIUM',
    default: ENTITY_KINDS,
    check: kindsProblem,
    group: 'Records',
  }),
  'trip.update.mode': string<TripUpdateMode>({
    doc: 'nested: one record per trip with its stops in it; flat: one record per stop, in a topic of its own; both.',
    importance: 'MEDIUM',
    default: 'nested',
    check: oneOf('nested', 'flat', 'both'),
    group: 'Records',
  }),
  'latest.topic.enabled': boolean({
    doc: 'Write vehicle positions to <prefix>vehicle_position.latest.v1 too, with a tombstone for a vehicle that is gone; the topic should be compacted.',
    importance: 'MEDIUM',
    default: false,
    group: 'Records',
  }),
  'vanish.polls': int({
    doc: 'After so many new bodies in a row without it an entity is gone: VANISHED is emitted. 0: never.',
    importance: 'MEDIUM',
    default: 3,
    range: [0, 1_000],
    group: 'Records',
  }),
  'vanish.after.ms': long({
    doc: 'An entity that was not seen for so long is gone at the next new body without it, whatever vanish.polls says, unless the poll before failed. 0: only vanish.polls counts.',
    importance: 'LOW',
    default: 120_000,
    range: [0, 86_400_000],
    group: 'Records',
  }),
  'shrink.ratio': double({
    doc: 'A body with fewer entities than this share of the median of the last ten is not believed (SHRUNK), until it is the third in a row. 0: every body is.',
    importance: 'LOW',
    default: 0.5,
    range: [0, 1],
    group: 'Records',
  }),
  'state.offset.max.bytes': int({
    doc: "Largest memory of a feed's entities in its source offset, in characters; with it a restart emits only what changed meanwhile. Without, and beyond it, a restart emits everything once more. 0: none.",
    importance: 'LOW',
    default: 524_288,
    range: [0, 900_000],
    group: 'Records',
  }),
} satisfies ConfigKeys

/** Values of `ENTITY_KEYS`. */
export interface EntityValues {
  readonly 'topic.prefix': string
  readonly 'record.kinds': readonly string[]
  readonly 'trip.update.mode': TripUpdateMode
  readonly 'latest.topic.enabled': boolean
  readonly 'vanish.polls': number
  readonly 'vanish.after.ms': number
  readonly 'shrink.ratio': number
  readonly 'state.offset.max.bytes': number
}

/** How long entities live. */
export interface EntityLife {
  /** 0: never by absence. */
  readonly vanishPolls: number
  /** 0: not by time. */
  readonly vanishAfterMs: number
  /** 0: every body is believed. */
  readonly shrinkRatio: number
  /** 0: nothing of the entities is kept in the source offset. */
  readonly stateCharsMax: number
}

export interface EntityConfig {
  readonly kinds: readonly EntityKind[]
  readonly life: EntityLife
  readonly topics: EntityTopics
}

export const DEFAULT_LIFE: EntityLife = {
  vanishPolls: 3,
  vanishAfterMs: 120_000,
  shrinkRatio: 0.5,
  stateCharsMax: 524_288,
}

/** What the keys say. */
export function entityConfig(values: EntityValues): EntityConfig {
  return {
    kinds: ENTITY_KINDS.filter((kind) => values['record.kinds'].includes(kind)),
    life: {
      vanishPolls: values['vanish.polls'],
      vanishAfterMs: values['vanish.after.ms'],
      shrinkRatio: values['shrink.ratio'],
      stateCharsMax: values['state.offset.max.bytes'],
    },
    topics: entityTopics(
      values['topic.prefix'],
      values['trip.update.mode'],
      values['latest.topic.enabled'],
    ),
  }
}

function kindsProblem(kinds: readonly string[]): string | undefined {
  if (kinds.length === 0) return 'names no kind of entity'
  const known: readonly string[] = ENTITY_KINDS
  const bad = kinds.filter((kind) => !known.includes(kind))
  return bad.length === 0
    ? undefined
    : `no kind of entity: ${bad.join(', ')}; expected ${ENTITY_KINDS.join(', ')}`
}
