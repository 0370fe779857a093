import { readFileSync } from 'node:fs'
import path from 'node:path'
import type { BodyResult, FeedStateOptions } from '../../source-mta/body-reading.ts'
import { FeedState } from '../../source-mta/feed-state.ts'
import { PROFILES, type ProfileName } from '../../source-mta/profiles.ts'
import { subwayGeometry } from '../../source-mta/subway-geometry.ts'
import { SubwayPositions } from '../../source-mta/subway-positions.ts'
import { type VehicleEvent, vehicleValue } from '../../source-mta/vehicle-record.ts'
import { ROOT } from './needs.ts'

/** Recorded bodies that are part of the project, with how they are to be read. */
export const FIXTURES: readonly (readonly [name: string, profile: ProfileName])[] = [
  ['oba_g', 'nyct'],
  ['oba_j', 'nyct'],
  ['oba_gtfs-si-10192023-073001', 'nyct'],
  ['oba_gtfs-l-03222024-232658', 'nyct'],
  ['oba_gtfs-l-03222024-233513', 'nyct'],
  ['nyct_1-7S_20260613T1949Z', 'nyct'],
  ['camsys_1_2018-05-09', 'nyct'],
  ['lirr_20260621T0155Z', 'lirr'],
  ['mnr_20260621T0151Z', 'mnr'],
  ['nonmta_nyc_ferry_vp_a', 'generic'],
  ['nonmta_nyc_ferry_vp_b', 'generic'],
  ['alerts_mnr_20260703', 'camsys'],
  ['DERIVED_alerts_subway_20260702', 'camsys'],
  ['underground_feed_buses_weekend_cut', 'obanyc'],
]

export const FIXTURE_FETCHED_AT_MS = Date.UTC(2026, 10, 23)

/** A fixture's file. */
export const fixturePath = (file: string): string => path.join(ROOT, 'test/fixtures/feeds', file)

export const fixtureBody = (name: string): Uint8Array => readFileSync(fixturePath(`${name}.pb`))

/** The state of a feed that reads as the connector does by default. */
export function newFeedState(
  profile: ProfileName,
  options: Partial<FeedStateOptions> = {},
): FeedState {
  const hasPositions = PROFILES[profile].isSubway
  return new FeedState({
    feedId: 'f',
    profile: PROFILES[profile],
    kinds: ['vehicle'],
    entitiesMax: 50_000,
    emitMode: 'changed',
    heartbeatMs: 300_000,
    box: 'per-feed',
    retentionMs: 21_600_000,
    positions: hasPositions ? new SubwayPositions(subwayGeometry()) : undefined,
    ...options,
  })
}

/** Takes a body in. */
export const acceptBody = (state: FeedState, bytes: Uint8Array): BodyResult =>
  state.accept({ bytes, fetchedAtMs: FIXTURE_FETCHED_AT_MS, etag: null, lastModified: null })

/** What a body brought of vehicles that are in it. */
export const vehicleEvents = ({ events }: Pick<BodyResult, 'events'>): readonly VehicleEvent[] =>
  events.filter((event) => event.kind === 'vehicle')

/** The values of the records of a body's vehicles. */
export function valuesOf(result: BodyResult): readonly Record<string, unknown>[] {
  const { context } = result
  if (context === undefined) return []
  return vehicleEvents(result).map((event) => vehicleValue(context, event))
}

/** A value as the golden files have it: what is null or empty left out, times as text. */
export const golden = (values: readonly Record<string, unknown>[]): unknown =>
  JSON.parse(
    JSON.stringify(values, (_key, value: unknown) => {
      if (Array.isArray(value) && value.length === 0) return undefined
      return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : (value ?? undefined)
    }),
  )
