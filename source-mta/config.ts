// The connector's configuration: keys of the connector, and keys of each feed (`feed.<id>.url` …), whose
// defaults come from `feed.defaults.…` and from the list of known feeds.
import {
  ConfigDef,
  type ConfigKeys,
  type ConfigOf,
  type ConfigValue,
  boolean,
  int,
  list,
  long,
  oneOf,
  password,
  string,
} from '../connector/api/config-def.ts'
import { ConfigError } from '../connector/api/errors.ts'
import type { Password } from '../connector/api/password.ts'
import type { Props } from '../connector/api/task-context.ts'
import { type FeedAuth, NO_AUTH, parseAuth } from './feed-auth.ts'
import { BUS_BASE_URL, KNOWN_FEED_IDS, MTA_BASE_URL, knownFeed } from './feeds.ts'
import { PROFILE_NAMES, type ProfileName } from './profiles.ts'
import { urlProblem } from './feed-url.ts'

export type EmitMode = 'changed' | 'changed+heartbeat' | 'all'
export type BoxRule = 'per-feed' | 'seed' | 'none'

/** The keys that do not depend on the list of feeds. */
export const MTA_SOURCE_CONFIG = new ConfigDef({
  feeds: list({
    doc: 'The feeds to poll, by id: known ones, or others with a feed.<id>.url of their own. One feed is one source partition.',
    importance: 'HIGH',
    default: KNOWN_FEED_IDS,
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
  'emit.mode': string<EmitMode>({
    doc: 'changed: a vehicle when its content differs from the last of its key; changed+heartbeat: also an unchanged one every heartbeat.ms; all: every vehicle of every new body.',
    importance: 'MEDIUM',
    default: 'changed',
    check: oneOf('changed', 'changed+heartbeat', 'all'),
    group: 'Records',
  }),
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
  'quality.box': string<BoxRule>({
    doc: 'Which coordinates are flagged COORD_OUT_OF_BOX: outside the box of the feed, of the earlier system (seed), or none.',
    importance: 'LOW',
    default: 'per-feed',
    check: oneOf('per-feed', 'seed', 'none'),
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
})

export type Defaults = ConfigOf<typeof MTA_SOURCE_CONFIG>

/** Everything about one feed. */
export interface FeedSpec {
  readonly id: string
  readonly url: string
  readonly profile: ProfileName
  readonly pollIntervalMs: number
  readonly timeoutMs: number
  readonly bytesMax: number
  readonly entitiesMax: number
  readonly backoffMaxMs: number
  readonly auth: FeedAuth
}

export interface MtaSourceConfig {
  readonly feeds: readonly FeedSpec[]
  readonly topicPrefix: string
  readonly emitMode: EmitMode
  readonly heartbeatMs: number
  readonly positionsEnabled: boolean
  readonly box: BoxRule
  readonly stateRetentionMs: number
  readonly degradedAfterFailures: number
  readonly jitter: number
  /** Known feeds left out of the default list because MTA wants a key for them and none is set. */
  readonly withoutKey: readonly string[]
}

/** All keys, those of each feed in `feeds` included. */
export function configDef(props: Props): ConfigDef {
  const defaults = lenientDefaults(props)
  const keys: Record<string, ConfigKeys[string]> = { ...MTA_SOURCE_CONFIG.keys }
  for (const id of new Set(feedIds(props))) {
    for (const [suffix, key] of Object.entries(feedKeys(id, defaults))) {
      keys[`feed.${id}.${suffix}`] = key
    }
  }
  return new ConfigDef(keys)
}

/** One entry per key, with every problem. Never throws. */
export function validateConfig(props: Props): readonly ConfigValue[] {
  const values = configDef(props).validate(props)
  const known = new Set(values.map(({ name }) => name))
  const missingKey = keyProblem(props)
  const unknownFeeds = feedIds(props).filter(
    (id) => knownFeed(id) === undefined && props[`feed.${id}.url`] === undefined,
  )
  const strangers = Object.keys(props)
    .filter((name) => isFeedKey(name) && !known.has(name))
    .flatMap((name) => {
      const problem = strangerProblem(name, props)
      return problem === undefined ? [] : [invalid(name, problem)]
    })
  return [
    ...values.map((value) => {
      if (value.name === 'mta.bus.api.key' && missingKey !== undefined) {
        return { ...value, errors: [...value.errors, missingKey] }
      }
      const unknown = unknownFeeds.find((id) => value.name === `feed.${id}.url`)
      return unknown === undefined ? value : { ...value, errors: [unknownFeedProblem(unknown)] }
    }),
    ...strangers,
  ]
}

/** The typed configuration. Throws one `ConfigError` that names every problem, one a line. */
export function parseConfig(props: Props): MtaSourceConfig {
  const problems = validateConfig(props).flatMap(({ errors }) => errors)
  if (problems.length > 0) throw new ConfigError(problems.join('\n'))
  const values = MTA_SOURCE_CONFIG.parse(props)
  const all: Readonly<Record<string, unknown>> = configDef(props).parse(props)
  const busKey = values['mta.bus.api.key']
  return {
    feeds: feedIds(props).map((id) => feedSpec(id, all, busKey)),
    topicPrefix: values['topic.prefix'],
    emitMode: values['emit.mode'],
    heartbeatMs: values['heartbeat.ms'],
    positionsEnabled: values['positions.enabled'],
    box: values['quality.box'],
    stateRetentionMs: values['state.retention.ms'],
    degradedAfterFailures: values['health.degraded.after.failures'],
    jitter: values['poll.jitter.ratio.percent'] / 100,
    withoutKey:
      props['feeds'] === undefined
        ? KNOWN_FEED_IDS.filter((id) => !feedIds(props).includes(id))
        : [],
  }
}

function feedSpec(
  id: string,
  all: Readonly<Record<string, unknown>>,
  busKey: Password | undefined,
): FeedSpec {
  const value = (suffix: string): unknown => all[`feed.${id}.${suffix}`]
  const auth = value('auth') as Password | undefined
  const ownAuth = auth === undefined ? NO_AUTH : parseAuth(auth)
  const hasBusKey = busKey !== undefined && busKey.reveal() !== ''
  const isBus = knownFeed(id)?.needsKey === true && auth === undefined && hasBusKey
  return {
    id,
    url: value('url') as string,
    profile: value('profile') as ProfileName,
    pollIntervalMs: value('poll.interval.ms') as number,
    timeoutMs: value('timeout.ms') as number,
    bytesMax: value('max.bytes') as number,
    entitiesMax: value('max.entities') as number,
    backoffMaxMs: value('backoff.max.ms') as number,
    auth: isBus ? { kind: 'query', name: 'key', value: busKey } : ownAuth,
  }
}

const docOf = (key: keyof typeof MTA_SOURCE_CONFIG.keys): string => MTA_SOURCE_CONFIG.keys[key].doc

/** The keys of one feed, without their prefix. */
function feedKeys(id: string, defaults: Defaults): ConfigKeys {
  const known = knownFeed(id)
  const base = known?.base === 'bus' ? defaults['feeds.bus.base.url'] : defaults['feeds.base.url']
  const common = defaults['feed.defaults.poll.interval.ms']
  const group = `Feed ${id}`
  const url = {
    doc: 'Address of the feed; the slash within an MTA feed name stays %2F. No secret in it.',
    importance: 'MEDIUM' as const,
    check: (text: string) => urlProblem(text),
    group,
  }
  return {
    url:
      known === undefined
        ? string(url)
        : string({ ...url, default: `${base.replace(/\/+$/, '')}${known.path}` }),
    profile: string<ProfileName>({
      doc: 'How the producer is to be read: key, clock, extensions, box.',
      importance: 'MEDIUM',
      default: known?.profile ?? 'generic',
      check: oneOf(...PROFILE_NAMES),
      group,
    }),
    auth: password<Password | undefined>({
      doc: 'none, query:NAME:VALUE, header:NAME:VALUE or basic:USER:PASSWORD.',
      importance: 'MEDIUM',
      default: undefined,
      check: authProblem,
      group,
    }),
    'poll.interval.ms': int({
      doc: 'Time between two polls.',
      importance: 'MEDIUM',
      default: common === 0 ? (known?.pollIntervalMs ?? 30_000) : common,
      range: [1_000, 3_600_000],
      group,
    }),
    'timeout.ms': int({
      doc: docOf('feed.defaults.timeout.ms'),
      importance: 'LOW',
      default: defaults['feed.defaults.timeout.ms'],
      range: [100, 300_000],
      group,
    }),
    'max.bytes': int({
      doc: docOf('feed.defaults.max.bytes'),
      importance: 'LOW',
      default: defaults['feed.defaults.max.bytes'],
      range: [1_024, 268_435_456],
      group,
    }),
    'max.entities': int({
      doc: docOf('feed.defaults.max.entities'),
      importance: 'LOW',
      default: defaults['feed.defaults.max.entities'],
      range: [1, 1_000_000],
      group,
    }),
    'backoff.max.ms': int({
      doc: docOf('feed.defaults.backoff.max.ms'),
      importance: 'LOW',
      default: defaults['feed.defaults.backoff.max.ms'],
      range: [1_000, 3_600_000],
      group,
    }),
  }
}

/** The feeds asked for; of the default list only those that can be read without a missing key. */
function feedIds(props: Props): readonly string[] {
  const defaults = lenientDefaults(props)
  if (props['feeds'] !== undefined) return defaults.feeds.filter((id) => id !== '')
  return KNOWN_FEED_IDS.filter((id) => !lacksKey(id, props))
}

/** MTA's own bus server wants a key. */
function lacksKey(id: string, props: Props): boolean {
  if (knownFeed(id)?.needsKey !== true) return false
  if ((props['mta.bus.api.key'] ?? '') !== '' || (props[`feed.${id}.auth`] ?? '') !== '')
    return false
  const url = props[`feed.${id}.url`] ?? props['feeds.bus.base.url'] ?? BUS_BASE_URL
  return url.trim().startsWith(BUS_BASE_URL)
}

function keyProblem(props: Props): string | undefined {
  const without = feedIds(props).filter((id) => lacksKey(id, props))
  return without.length === 0
    ? undefined
    : `Missing configuration "mta.bus.api.key": ${without.join(', ')} at ${BUS_BASE_URL} needs it`
}

/** Each valid value, and the default in place of a wrong one; the wrong ones are reported elsewhere. */
function lenientDefaults(props: Props): Defaults {
  const names = Object.keys(MTA_SOURCE_CONFIG.keys)
  const wrong = new Set(
    MTA_SOURCE_CONFIG.validate(props).flatMap(({ name, errors }) =>
      errors.length > 0 ? [name] : [],
    ),
  )
  const valid = names.flatMap((name) => {
    const text = props[name]
    return text === undefined || wrong.has(name) ? [] : [[name, text] as const]
  })
  return MTA_SOURCE_CONFIG.parse(Object.fromEntries(valid))
}

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

function authProblem(auth: Password | undefined): string | undefined {
  try {
    if (auth !== undefined) parseAuth(auth)
    return undefined
  } catch (error) {
    return error instanceof ConfigError ? error.message : 'cannot be read'
  }
}

const isFeedKey = (name: string): boolean => name.startsWith('feed.')

const unknownFeedProblem = (id: string): string =>
  `Unknown feed "${id}" in feeds: known are ${KNOWN_FEED_IDS.join(', ')}; any other needs feed.${id}.url`

/** A key of a feed that exists but is not polled is fine; anything else is a slip of the pen. */
function strangerProblem(name: string, props: Props): string | undefined {
  const defined = Object.keys(props).flatMap((key) => /^feed\.(.+)\.url$/.exec(key)?.[1] ?? [])
  const id = [...KNOWN_FEED_IDS, ...defined].find((feed) => name.startsWith(`feed.${feed}.`))
  if (id !== undefined) {
    const suffix = name.slice(`feed.${id}.`.length)
    if (Object.hasOwn(feedKeys(id, MTA_SOURCE_CONFIG.parse({})), suffix)) return undefined
  }
  return `Unknown configuration "${name}": no such key, or no such feed`
}

const invalid = (name: string, problem: string): ConfigValue => ({
  name,
  value: null,
  recommendedValues: [],
  errors: [problem],
  visible: true,
})
