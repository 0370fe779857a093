// The keys of one feed, `feed.<id>.url` and the like: their defaults come from `feed.defaults.…` and from the list
// of known feeds.
import {
  type ConfigKeys,
  boolean,
  int,
  list,
  oneOf,
  password,
  string,
} from '../connector/api/config-def.ts'
import { ConfigError } from '../connector/api/errors.ts'
import type { Password } from '../connector/api/password.ts'
import { type Defaults, MTA_SOURCE_CONFIG } from './config-keys.ts'
import { type FeedAuth, NO_AUTH, parseAuth } from './feed-auth.ts'
import { urlProblem } from './feed-url.ts'
import { FEED_FORMATS, type FeedFormat, type KnownFeed, knownFeed } from './feeds.ts'
import { PROFILES, PROFILE_NAMES, type ProfileName } from './profiles.ts'
import { boxProblem, directionsProblem, parseBox, zoneProblem } from './selection-config.ts'
import type { SelectionRules } from './selection.ts'

/** Everything about one feed. */
export interface FeedSpec {
  readonly id: string
  readonly url: string
  readonly profile: ProfileName
  readonly format: FeedFormat
  /** IANA zone of its service day and local times. */
  readonly timeZone: string
  /** Write local times into the records. */
  readonly hasLocalTime: boolean
  readonly select: SelectionRules
  readonly pollIntervalMs: number
  /** No two polls are nearer to each other; 0: none. */
  readonly pollFloorMs: number
  readonly timeoutMs: number
  readonly bytesMax: number
  readonly entitiesMax: number
  readonly backoffMaxMs: number
  readonly auth: FeedAuth
}

/** Reads the keys of one feed out of all parsed ones. */
export function feedSpec(
  id: string,
  all: Readonly<Record<string, unknown>>,
  busKey: Password | undefined,
): FeedSpec {
  const value = (suffix: string): unknown => all[`feed.${id}.${suffix}`]
  const url = value('url') as string
  const profile = value('profile') as ProfileName
  const format = value('format') as FeedFormat
  const zone = value('time.zone') as string
  const auth = value('auth') as Password | undefined
  const ownAuth = auth === undefined ? NO_AUTH : parseAuth(auth)
  const hasBusKey = busKey !== undefined && busKey.reveal() !== ''
  const isBus = knownFeed(id)?.needsKey === true && auth === undefined && hasBusKey
  return {
    id,
    url,
    profile,
    format,
    timeZone: zone === '' ? PROFILES[profile].timeZone : zone,
    hasLocalTime: value('local.time') as boolean,
    select: {
      routes: value('select.routes') as readonly string[],
      stops: value('select.stops') as readonly string[],
      directions: value('select.directions') as readonly string[],
      box: parseBox(value('select.bbox') as string),
    },
    pollIntervalMs: value('poll.interval.ms') as number,
    pollFloorMs: pollFloorMs(format, url),
    timeoutMs: value('timeout.ms') as number,
    bytesMax: value('max.bytes') as number,
    entitiesMax: value('max.entities') as number,
    backoffMaxMs: value('backoff.max.ms') as number,
    auth: isBus ? { kind: 'query', name: 'key', value: busKey } : ownAuth,
  }
}

const docOf = (key: keyof typeof MTA_SOURCE_CONFIG.keys): string => MTA_SOURCE_CONFIG.keys[key].doc

/** The keys of one feed, without their prefix. */
export function feedKeys(id: string, defaults: Defaults): ConfigKeys {
  const known = knownFeed(id)
  const base = baseOf(known, defaults)
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
    format: string<FeedFormat>({
      doc: 'How its bodies are written.',
      importance: 'LOW',
      default: known?.format ?? 'gtfs-realtime',
      check: oneOf(...FEED_FORMATS),
      group,
    }),
    'time.zone': string({
      doc: docOf('feed.defaults.time.zone'),
      importance: 'LOW',
      default: defaults['feed.defaults.time.zone'],
      check: zoneProblem,
      group,
    }),
    'local.time': boolean({
      doc: docOf('feed.defaults.local.time'),
      importance: 'LOW',
      default: defaults['feed.defaults.local.time'],
      group,
    }),
    ...selectionKeys(defaults, group),
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
    ...limitKeys(defaults, group),
  }
}

function limitKeys(defaults: Defaults, group: string): ConfigKeys {
  return {
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

function selectionKeys(defaults: Defaults, group: string): ConfigKeys {
  return {
    'select.routes': list({
      doc: docOf('feed.defaults.select.routes'),
      importance: 'MEDIUM',
      default: defaults['feed.defaults.select.routes'],
      group,
    }),
    'select.stops': list({
      doc: docOf('feed.defaults.select.stops'),
      importance: 'MEDIUM',
      default: defaults['feed.defaults.select.stops'],
      group,
    }),
    'select.directions': list({
      doc: docOf('feed.defaults.select.directions'),
      importance: 'MEDIUM',
      default: defaults['feed.defaults.select.directions'],
      check: directionsProblem,
      group,
    }),
    'select.bbox': string({
      doc: docOf('feed.defaults.select.bbox'),
      importance: 'MEDIUM',
      default: defaults['feed.defaults.select.bbox'],
      check: boxProblem,
      group,
    }),
  }
}

function baseOf(known: KnownFeed | undefined, defaults: Defaults): string {
  if (known?.base === 'siri') return defaults['feeds.siri.base.url']
  return known?.base === 'bus' ? defaults['feeds.bus.base.url'] : defaults['feeds.base.url']
}

const SIRI_FLOOR_MS = 30_000

/**
 * MTA's rule: whoever asks for all vehicles more often than every 30 seconds may lose the key. One vehicle or line
 * may be asked for at will.
 */
export function pollFloorMs(format: FeedFormat, url: string): number {
  if (format !== 'siri-vm-json') return 0
  const names = new Set([...new URL(url).searchParams.keys()].map((name) => name.toLowerCase()))
  return names.has('vehicleref') || names.has('lineref') ? 0 : SIRI_FLOOR_MS
}

function authProblem(auth: Password | undefined): string | undefined {
  try {
    if (auth !== undefined) parseAuth(auth)
    return undefined
  } catch (error) {
    return error instanceof ConfigError ? error.message : 'cannot be read'
  }
}
