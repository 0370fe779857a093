import { type BodyFault, type ContentFault, faultEntry, type FaultKind } from './fault-catalog.ts'
import type { Fault } from './faults.ts'
import * as feedQuirks from './quirks-feed.ts'
import * as tripQuirks from './quirks-trips.ts'
import type { Quirk } from './quirks-trips.ts'
import {
  headerTimestamp,
  joinMessage,
  splitMessage,
  withEntityId,
  withTimestamp,
} from './wire-message.ts'

const REGRESS_S = 60
const KEPT_SHARE = 0.35
const SHRUNK_SHARE = 0.1

const SPOIL: Readonly<Record<BodyFault, (body: Uint8Array, previous: Uint8Array) => Uint8Array>> = {
  empty200: () => new Uint8Array(),
  'truncate-mid': truncateInsideEntity,
  'truncate-boundary': (body) => keepEntities(body, KEPT_SHARE),
  shrink: (body) => keepEntities(body, SHRUNK_SHARE),
  'header-regress': (body) => stamped(body, timestampOf(body) - REGRESS_S),
  'header-frozen': (body, previous) => stamped(body, timestampOf(previous)),
  'advance-frozen-content': (body, previous) => stamped(previous, timestampOf(body)),
  'duplicate-entity-ids': pairEntityIds,
  'concat-two': (body, previous) => Buffer.concat([previous, body]),
}

const QUIRKS: Readonly<Record<ContentFault, Quirk>> = {
  'positional-ids': feedQuirks.positionalIds,
  'trip-two-vehicles': tripQuirks.tripTwoVehicles,
  'train-many-dates': tripQuirks.trainManyDates,
  'old-service-days': tripQuirks.oldServiceDays,
  'vehicle-names-train': feedQuirks.vehicleNamesTrain,
  'vehicle-without-route': feedQuirks.vehicleWithoutRoute,
  'old-gps': feedQuirks.oldGps,
  'canceled-and-added': tripQuirks.canceledAndAdded,
  'empty-train-status': tripQuirks.emptyTrainStatus,
  'train-status-words': tripQuirks.trainStatusWords,
  'stalled-trains': feedQuirks.stalledTrains,
  'always-stopped': feedQuirks.alwaysStopped,
  'next-stop-in-a-minute': tripQuirks.nextStopInAMinute,
  'passed-stops': tripQuirks.passedStops,
  'replacement-end-now': feedQuirks.replacementEnd(0),
  'replacement-end-later': feedQuirks.replacementEnd(1_800),
  'route-aliases': tripQuirks.routeAliases,
  'unknown-stops': tripQuirks.unknownStops,
  'trips-vanish': feedQuirks.tripsVanish,
  'bare-entities': feedQuirks.bareEntities,
  'explicit-defaults': tripQuirks.explicitDefaults,
  'foreign-header-extension': feedQuirks.foreignHeaderExtension,
  'renumbered-priorities': feedQuirks.renumberedPriorities,
  'header-version': feedQuirks.headerVersion,
  'far-off-delays': tripQuirks.farOffDelays,
  'repeated-extensions': feedQuirks.repeatedExtensions,
}

/** What faults have made of a good body, kept as long as that body: it is asked for again and again. */
const made = new WeakMap<Uint8Array, Map<string, Uint8Array>>()

/**
 * A body with all its faults, first those of its content, then those of its bytes; the very same array when
 * there are none. Throws RangeError when `body` is no FeedMessage and a fault looks into it.
 */
export function spoilAll(
  faults: readonly Fault[],
  body: Uint8Array,
  previous: Uint8Array,
): Uint8Array {
  const quirks = faults.filter(({ kind }) => faultEntry(kind).layer === 'content')
  const others = faults.filter(({ kind }) => faultEntry(kind).layer === 'body')
  const known = made.get(body) ?? new Map<string, Uint8Array>()
  const key = quirks.map(({ kind, share }) => `${kind} ${share}`).join()
  const quirky =
    known.get(key) ??
    quirks.reduce((bytes, { kind, share }) => {
      return isContentFault(kind) ? applyQuirk(kind, bytes, share) : bytes
    }, body)
  if (quirks.length > 0) made.set(body, known.set(key, quirky))
  return others.reduce(
    (bytes, { kind }) => (isBodyFault(kind) ? spoil(kind, bytes, previous) : bytes),
    quirky,
  )
}

const isContentFault = (kind: FaultKind): kind is ContentFault => kind in QUIRKS
const isBodyFault = (kind: FaultKind): kind is BodyFault => kind in SPOIL

/**
 * The body that a fault makes of a good one. `previous` is the good body that was served before. Throws
 * RangeError when `body` is no FeedMessage, unless the fault does not look into it.
 */
export function spoil(kind: BodyFault, body: Uint8Array, previous: Uint8Array): Uint8Array {
  return SPOIL[kind](body, previous)
}

/** An intact body with one more peculiarity. Throws RangeError when `body` is no FeedMessage. */
export function applyQuirk(kind: ContentFault, body: Uint8Array, share: number): Uint8Array {
  return joinMessage(QUIRKS[kind](splitMessage(body), share))
}

function timestampOf(body: Uint8Array): number {
  return headerTimestamp(splitMessage(body).header)
}

function stamped(body: Uint8Array, timestamp: number): Uint8Array {
  return joinMessage(withTimestamp(splitMessage(body), timestamp))
}

/** A cut that no message boundary hides: within the last entity that begins before it, or in mid-JSON. */
function truncateInsideEntity(body: Uint8Array): Uint8Array {
  const isJson = body[0] === 0x7b || body[0] === 0x5b
  if (isJson) return body.slice(0, Math.floor(body.length * KEPT_SHARE))
  const whole = keepEntities(body, KEPT_SHARE)
  const next = joinMessage(splitMessage(body)).subarray(0, whole.length + 3)
  return next.slice(0, Math.min(next.length, body.length - 1))
}

function keepEntities(body: Uint8Array, share: number): Uint8Array {
  const { header, entities } = splitMessage(body)
  return joinMessage({ header, entities: entities.slice(0, Math.floor(entities.length * share)) })
}

/** Every second entity gets the id of the one before it. */
function pairEntityIds(body: Uint8Array): Uint8Array {
  const { header, entities } = splitMessage(body)
  return joinMessage({
    header,
    entities: entities.map((entity, i) => withEntityId(entity, `pair-${Math.floor(i / 2)}`)),
  })
}
