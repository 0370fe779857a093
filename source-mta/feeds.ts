// MTA's feeds of vehicle positions. The slash in a feed's key stays encoded: an unescaped one answers 403.
import type { ProfileName } from './profiles.ts'

export const MTA_BASE_URL = 'https://api-endpoint.mta.info'
export const BUS_BASE_URL = 'https://gtfsrt.prod.obanyc.com'

export interface KnownFeed {
  readonly id: string
  readonly base: 'mta' | 'bus'
  /** Begins with a slash. */
  readonly path: string
  readonly profile: ProfileName
  readonly pollIntervalMs: number
  /** MTA's own server answers only with an API key. */
  readonly needsKey: boolean
}

const mta = (id: string, key: string, profile: ProfileName, pollIntervalMs: number): KnownFeed => ({
  id,
  base: 'mta',
  path: `/Dataservice/mtagtfsfeeds/${key}`,
  profile,
  pollIntervalMs,
  needsKey: false,
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
  {
    id: 'mta-bus-vp',
    base: 'bus',
    path: '/vehiclePositions',
    profile: 'obanyc',
    pollIntervalMs: 30_000,
    needsKey: true,
  },
]

export const KNOWN_FEED_IDS: readonly string[] = KNOWN_FEEDS.map(({ id }) => id)

export const knownFeed = (id: string): KnownFeed | undefined =>
  KNOWN_FEEDS.find((feed) => feed.id === id)
