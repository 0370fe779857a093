// The keys of the connector that do not depend on the list of feeds.
import { ENTITY_KEYS } from './entity-config.ts'
import {
  ConfigDef,
  type ConfigOf,
  boolean,
  int,
  list,
  long,
  oneOf,
  password,
  string,
} from '../connector/api/config-def.ts'
import type { Password } from '../connector/api/password.ts'
import { urlProblem } from './feed-url.ts'
import { BUS_BASE_URL, DEFAULT_FEED_IDS, MTA_BASE_URL, SIRI_BASE_URL } from './feeds.ts'
import { boxProblem, directionsProblem, zoneProblem } from './selection-config.ts'

export type EmitMode = 'changed' | 'changed+heartbeat' | 'all'
export type BoxRule = 'per-feed' | 'seed' | 'none'

/** The keys that do not depend on the list of feeds. */
export const MTA_SOURCE_CONFIG = new ConfigDef({
  feeds: list({
    doc: 'The feeds to poll, by id: known ones, or others with a feed.<id>.url of their own. One feed is one source partition.',
    importance: 'HIGH',
    default: DEFAULT_FEED_IDS,
    check: feedsProblem,
    group: 'Feeds',
    width: 'LONG',
  }),
  'topic.prefix': string({
    doc: 'What the topic names begin with: vehicle positions go to <prefix>vehicle_position.v1.',
    importance: 'HIGH',
    default: 'mta.',
    check: (prefix) =>
      /^[\w.-]{0,200}$/.test(prefix)
        ? undefined
        : 'may hold letters, digits, ".", "_" and "-" only',
    group: 'Records',
  }),
  'icymta.topic': string({
    doc: "Where Bus Time's SIRI vehicles go: the 43 columns of the table icymta.",
    importance: 'LOW',
    default: 'icymta',
    check: (name) =>
      /^[\w.-]{1,200}$/.test(name) ? undefined : 'may hold letters, digits, ".", "_" and "-" only',
    group: 'Records',
  }),
  'feed.poll.records': boolean({
    doc: 'Write one FeedPoll record of each poll to <prefix>feed_poll.v1.',
    importance: 'LOW',
    default: true,
    group: 'Records',
  }),
  'mta.bus.api.key': password<Password | undefined>({
    doc: "Bus Time's API key; MTA's bus feeds need it, the others none.",
    importance: 'HIGH',
    default: undefined,
    group: 'Feeds',
  }),
  'feeds.base.url': string({
    doc: 'Where the subway and railroad feeds are: MTA, or a simulator or replay server with the same paths.',
    importance: 'MEDIUM',
    default: MTA_BASE_URL,
    check: (url) => urlProblem(url),
    group: 'Feeds',
  }),
  'feeds.bus.base.url': string({
    doc: 'Where the bus feeds are.',
    importance: 'MEDIUM',
    default: BUS_BASE_URL,
    check: (url) => urlProblem(url),
    group: 'Feeds',
  }),
  'feeds.siri.base.url': string({
    doc: "Where Bus Time's SIRI is.",
    importance: 'LOW',
    default: SIRI_BASE_URL,
    check: (url) => urlProblem(url),
    group: 'Feeds',
  }),
  'emit.mode': string<EmitMode>({
    doc: 'changed: a vehicle when its content differs from the last of its key; changed+heartbeat: also an unchanged one every heartbeat.ms; all: every vehicle of every new body.',
    importance: 'MEDIUM',
    default: 'changed',
    check: oneOf('changed', 'changed+heartbeat', 'all'),
    group: 'Records',
  }),
  ...ENTITY_KEYS,
  'heartbeat.ms': long({
    doc: 'How often an unchanged vehicle is repeated with emit.mode=changed+heartbeat.',
    importance: 'LOW',
    default: 300_000,
    range: [1_000, 86_400_000],
    group: 'Records',
  }),
  'positions.enabled': boolean({
    doc: 'Place subway trains on their tracks from stops and times.',
    importance: 'MEDIUM',
    default: true,
    group: 'Records',
  }),
  'positions.geometry.file': string({
    doc: 'Tracks and stops to place trains by, made by tools/geometry/build-network.mjs from a static GTFS archive; empty: the one that comes with the connector.',
    importance: 'LOW',
    default: '',
    group: 'Records',
  }),
  'quality.box': string<BoxRule>({
    doc: 'Which coordinates are flagged COORD_OUT_OF_BOX: outside the box of the feed, of the earlier system (seed), or none.',
    importance: 'LOW',
    default: 'per-feed',
    check: oneOf('per-feed', 'seed', 'none'),
    group: 'Records',
  }),
  'quality.duplicate.window.ms': long({
    doc: 'A SIRI observation that was emitted within this time is not emitted again, e.g. when an older answer comes from a cache.',
    importance: 'LOW',
    default: 300_000,
    range: [0, 3_600_000],
    group: 'Records',
  }),
  'state.retention.ms': long({
    doc: 'How long a vehicle that is gone from its feed is remembered; when it comes back unchanged within that time it is not emitted.',
    importance: 'LOW',
    default: 21_600_000,
    range: [60_000, 604_800_000],
    group: 'Records',
  }),
  'health.degraded.after.failures': int({
    doc: 'After this many failed polls in a row a feed makes its task DEGRADED. A wrong configuration does so at once.',
    importance: 'LOW',
    default: 3,
    range: [1, 1_000],
    group: 'Feeds',
  }),
  'poll.jitter.ratio.percent': int({
    doc: 'Waits between polls vary at random by up to this much of the interval, so that feeds do not meet.',
    importance: 'LOW',
    default: 10,
    range: [0, 50],
    group: 'Feeds',
  }),
  'feed.defaults.poll.interval.ms': int({
    doc: "Time between two polls of a feed; 0: each known feed's own (15 s subway, 30 s the others).",
    importance: 'MEDIUM',
    default: 0,
    range: [0, 3_600_000],
    check: intervalProblem,
    group: 'Feeds',
  }),
  'feed.defaults.timeout.ms': int({
    doc: 'Limit for a whole answer, from the request to its last byte.',
    importance: 'MEDIUM',
    default: 10_000,
    range: [100, 300_000],
    group: 'Feeds',
  }),
  'feed.defaults.max.bytes': int({
    doc: 'Largest body, both as sent and decompressed.',
    importance: 'LOW',
    default: 33_554_432,
    range: [1_024, 268_435_456],
    group: 'Feeds',
  }),
  'feed.defaults.max.entities': int({
    doc: 'Most entities in one body.',
    importance: 'LOW',
    default: 50_000,
    range: [1, 1_000_000],
    group: 'Feeds',
  }),
  'feed.defaults.backoff.max.ms': int({
    doc: 'Longest wait after failed polls (and never more than eight intervals); a longer Retry-After is kept up to ten minutes.',
    importance: 'LOW',
    default: 120_000,
    range: [1_000, 3_600_000],
    group: 'Feeds',
  }),
  'feed.defaults.time.zone': string({
    doc: "IANA zone of a feed's service day and local times; empty: the profile's own (America/New_York).",
    importance: 'LOW',
    default: '',
    check: zoneProblem,
    group: 'Feeds',
  }),
  'feed.defaults.local.time': boolean({
    doc: "Write local times into the records, as ISO 8601 with the offset of the feed's time zone.",
    importance: 'LOW',
    default: false,
    group: 'Records',
  }),
  'feed.defaults.select.routes': list({
    doc: 'Only records of these routes; empty: all.',
    importance: 'MEDIUM',
    default: [],
    group: 'Selection',
  }),
  'feed.defaults.select.stops': list({
    doc: 'Only records that name one of these stops; empty: all.',
    importance: 'MEDIUM',
    default: [],
    group: 'Selection',
  }),
  'feed.defaults.select.directions': list({
    doc: 'Only records of these directions: 0, 1, NORTH, SOUTH, EAST, WEST; empty: all.',
    importance: 'MEDIUM',
    default: [],
    check: directionsProblem,
    group: 'Selection',
  }),
  'feed.defaults.select.bbox': string({
    doc: 'Only vehicles within this box, given as south,west,north,east in degrees; empty: all.',
    importance: 'MEDIUM',
    default: '',
    check: boxProblem,
    group: 'Selection',
  }),
})

export type Defaults = ConfigOf<typeof MTA_SOURCE_CONFIG>

function feedsProblem(ids: readonly string[]): string | undefined {
  if (ids.length === 0) return 'names no feed'
  const bad = ids.filter((id) => !/^[A-Za-z0-9][\w-]{0,99}$/.test(id))
  if (bad.length > 0) return `not a feed id: ${bad.map((id) => JSON.stringify(id)).join(', ')}`
  const twice = ids.filter((id, index) => ids.indexOf(id) !== index)
  return twice.length > 0 ? `named twice: ${twice.join(', ')}` : undefined
}

function intervalProblem(ms: number): string | undefined {
  return ms === 0 || ms >= 1_000 ? undefined : 'Value must be 0 or at least 1000'
}
