// The connector's configuration: keys of the connector (config-keys.ts), and keys of each feed (feed-config.ts).
import { ConfigDef, type ConfigKeys, type ConfigValue } from '../connector/api/config-def.ts'
import { ConfigError } from '../connector/api/errors.ts'
import type { Props } from '../connector/api/task-context.ts'
import { type BoxRule, type Defaults, type EmitMode, MTA_SOURCE_CONFIG } from './config-keys.ts'
import { type EntityLife, entityConfig } from './entity-config.ts'
import type { EntityKind } from './entity-kind.ts'
import { type FeedSpec, feedKeys, feedSpec } from './feed-config.ts'
import {
  BUS_BASE_URL,
  DEFAULT_FEED_IDS,
  KNOWN_FEED_IDS,
  SIRI_BASE_URL,
  knownFeed,
} from './feeds.ts'
import { type Topics, topicsOf } from './topics.ts'

export { type BoxRule, type EmitMode, MTA_SOURCE_CONFIG } from './config-keys.ts'
export type { FeedSpec } from './feed-config.ts'

export interface MtaSourceConfig {
  readonly feeds: readonly FeedSpec[]
  readonly topics: Topics
  readonly kinds: readonly EntityKind[]
  readonly life: EntityLife
  readonly writesPolls: boolean
  readonly emitMode: EmitMode
  readonly heartbeatMs: number
  readonly positionsEnabled: boolean
  /** Empty: the one that comes with the connector. */
  readonly geometryFile: string
  readonly box: BoxRule
  readonly duplicateWindowMs: number
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
  const isReadable = [...values, ...strangers].every(({ errors }) => errors.length === 0)
  const floors = isReadable && unknownFeeds.length === 0 ? floorProblems(props) : new Map()
  return [
    ...values.map((value) => {
      const floor = floors.get(value.name)
      if (floor !== undefined) return { ...value, errors: [...value.errors, floor] }
      if (value.name === 'mta.bus.api.key' && missingKey !== undefined) {
        return { ...value, errors: [...value.errors, missingKey] }
      }
      const unknown = unknownFeeds.find((id) => value.name === `feed.${id}.url`)
      return unknown === undefined ? value : { ...value, errors: [unknownFeedProblem(unknown)] }
    }),
    ...strangers,
  ]
}

/** The feeds that would ask more often than their service allows. */
function floorProblems(props: Props): ReadonlyMap<string, string> {
  const all: Readonly<Record<string, unknown>> = configDef(props).parse(props)
  return new Map(
    feedIds(props).flatMap((id) => {
      const { pollFloorMs, pollIntervalMs } = feedSpec(id, all, undefined)
      return pollIntervalMs >= pollFloorMs
        ? []
        : [
            [
              `feed.${id}.poll.interval.ms`,
              `must be at least ${pollFloorMs} for all vehicles: MTA may revoke the key of who asks more often`,
            ] as const,
          ]
    }),
  )
}

/** The typed configuration. Throws one `ConfigError` that names every problem, one a line. */
export function parseConfig(props: Props): MtaSourceConfig {
  const problems = validateConfig(props).flatMap(({ errors }) => errors)
  if (problems.length > 0) throw new ConfigError(problems.join('\n'))
  const values = MTA_SOURCE_CONFIG.parse(props)
  const all: Readonly<Record<string, unknown>> = configDef(props).parse(props)
  const busKey = values['mta.bus.api.key']
  const entities = entityConfig(values)
  return {
    feeds: feedIds(props).map((id) => feedSpec(id, all, busKey)),
    topics: topicsOf(values['topic.prefix'], values['icymta.topic'], entities.topics),
    kinds: entities.kinds,
    life: entities.life,
    writesPolls: values['feed.poll.records'],
    emitMode: values['emit.mode'],
    heartbeatMs: values['heartbeat.ms'],
    positionsEnabled: values['positions.enabled'],
    geometryFile: values['positions.geometry.file'],
    box: values['quality.box'],
    duplicateWindowMs: values['quality.duplicate.window.ms'],
    stateRetentionMs: values['state.retention.ms'],
    degradedAfterFailures: values['health.degraded.after.failures'],
    jitter: values['poll.jitter.ratio.percent'] / 100,
    withoutKey:
      props['feeds'] === undefined
        ? DEFAULT_FEED_IDS.filter((id) => !feedIds(props).includes(id))
        : [],
  }
}

/** The feeds asked for; of the default list only those that can be read without a missing key. */
function feedIds(props: Props): readonly string[] {
  const defaults = lenientDefaults(props)
  if (props['feeds'] !== undefined) return defaults.feeds.filter((id) => id !== '')
  return DEFAULT_FEED_IDS.filter((id) => !lacksKey(id, props))
}

/** MTA's own bus server wants a key. */
function lacksKey(id: string, props: Props): boolean {
  if (knownFeed(id)?.needsKey !== true) return false
  if ((props['mta.bus.api.key'] ?? '') !== '' || (props[`feed.${id}.auth`] ?? '') !== '')
    return false
  const isSiri = knownFeed(id)?.base === 'siri'
  const own = isSiri ? SIRI_BASE_URL : BUS_BASE_URL
  const base = props[isSiri ? 'feeds.siri.base.url' : 'feeds.bus.base.url']
  return (props[`feed.${id}.url`] ?? base ?? own).trim().startsWith(own)
}

function keyProblem(props: Props): string | undefined {
  const without = feedIds(props).filter((id) => lacksKey(id, props))
  return without.length === 0
    ? undefined
    : `Missing configuration "mta.bus.api.key": ${without.join(', ')} needs it at MTA`
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
