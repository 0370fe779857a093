// MTA's feeds. The slash in a feed's key stays encoded: an unescaped one answers 403.
import type { ProfileName } from './profiles.ts'

export const MTA_BASE_URL = 'https://api-endpoint.mta.info'
export const BUS_BASE_URL = 'https://gtfsrt.prod.obanyc.com'

/** Where Bus Time's SIRI is. */
export const SIRI_BASE_URL = 'https://bustime.mta.info'

/** How a feed's bodies are written. */
export type FeedFormat =
  | 'gtfs-realtime'
  | 'siri-vm-json'
  | 'ene-outages-json'
  | 'ene-equipment-json'
export const FEED_FORMATS: readonly FeedFormat[] = [
  'gtfs-realtime',
  'siri-vm-json',
  'ene-outages-json',
  'ene-equipment-json',
]

export interface KnownFeed {
  readonly id: string
  readonly base: 'mta' | 'bus' | 'siri'
  /** Begins with a slash. */
  readonly path: string
  readonly profile: ProfileName
  readonly format: FeedFormat
  /** Polled when `feeds` is not set. */
  readonly isDefault: boolean
  readonly pollIntervalMs: number
  /** MTA's own server answers only with an API key. */
  readonly needsKey: boolean
}

const mta = (id: string, key: string, profile: ProfileName, pollIntervalMs: number): KnownFeed => ({
  id,
  base: 'mta',
  path: `/Dataservice/mtagtfsfeeds/${key}`,
  profile,
  format: 'gtfs-realtime',
  isDefault: true,
  pollIntervalMs,
  needsKey: false,
})
const bus = (id: string, path: string, isDefault: boolean): KnownFeed => ({
  id,
  base: 'bus',
  path,
  profile: 'obanyc',
  format: 'gtfs-realtime',
  isDefault,
  pollIntervalMs: 30_000,
  needsKey: true,
})
const alerts = (agency: string): KnownFeed => ({
  ...mta(`mta-alerts-${agency}`, `camsys%2F${agency}-alerts`, 'camsys', 60_000),
  isDefault: false,
})
const equipment = (id: string, key: string, format: FeedFormat): KnownFeed => ({
  ...mta(id, `nyct%2F${key}.json`, 'ene', 300_000),
  format,
  isDefault: false,
})
const subway = (id: string, key: string): KnownFeed =>
  mta(`mta-subway-${id}`, `nyct%2Fgtfs${key}`, 'nyct', 15_000)

export const KNOWN_FEEDS: readonly KnownFeed[] = [
  subway('1234567s', ''),
  subway('ace', '-ace'),
  subway('bdfm', '-bdfm'),
  subway('g', '-g'),
  subway('jz', '-jz'),
  subway('l', '-l'),
  subway('nqrw', '-nqrw'),
  subway('si', '-si'),
  mta('mta-lirr', 'lirr%2Fgtfs-lirr', 'lirr', 30_000),
  mta('mta-mnr', 'mnr%2Fgtfs-mnr', 'mnr', 30_000),
  bus('mta-bus-vp', '/vehiclePositions', true),
  bus('mta-bus-tu', '/tripUpdates', false),
  bus('mta-bus-alerts', '/alerts', false),
  ...['all', 'subway', 'bus', 'lirr', 'mnr'].map(alerts),
  equipment('mta-ene', 'nyct_ene', 'ene-outages-json'),
  equipment('mta-ene-upcoming', 'nyct_ene_upcoming', 'ene-outages-json'),
  equipment('mta-ene-equipments', 'nyct_ene_equipments', 'ene-equipment-json'),
  {
    id: 'icymta-siri',
    base: 'siri',
    path: '/api/siri/vehicle-monitoring.json?version=2',
    profile: 'siri-vm',
    format: 'siri-vm-json',
    isDefault: false,
    pollIntervalMs: 30_000,
    needsKey: true,
  },
]

export const KNOWN_FEED_IDS: readonly string[] = KNOWN_FEEDS.map(({ id }) => id)

export const DEFAULT_FEED_IDS: readonly string[] = KNOWN_FEEDS.flatMap(({ id, isDefault }) =>
  isDefault ? [id] : [],
)

export const knownFeed = (id: string): KnownFeed | undefined =>
  KNOWN_FEEDS.find((feed) => feed.id === id)
