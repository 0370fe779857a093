// Good bodies for the fuzzing of feeds: recorded ones, and those of every feed of the simulated city, each cut to a few
// entities so that a hundred thousand mutants take minutes.
import { KNOWN_FEED_IDS } from '../../source-mta/feeds.ts'
import { createCity } from '../../source-mta/simulator/simulated-city.ts'
import { ALL_FEEDS } from '../../source-mta/simulator/feed-catalog.ts'
import {
  headerTimestamp,
  joinMessage,
  splitMessage,
  withTimestamp,
} from '../../source-mta/simulator/wire-message.ts'
import { FIXTURES, fixtureBody } from '../support/feed-fixtures.ts'

const ENTITIES = 6
const AT_S = Date.parse('2026-06-10T08:25:00-04:00') / 1_000
const LATER_S = 30

/** Two bodies of one feed, of which the second may follow the first. */
export interface Specimen {
  readonly name: string
  /** A known feed, or one of its profile. */
  readonly feedId: string
  readonly isJson: boolean
  /** When it was made, by its own header. */
  readonly atMs: number
  readonly bodies: readonly [Uint8Array, Uint8Array]
}

const FEED_OF: Readonly<Record<string, string>> = {
  nyct: 'mta-subway-ace',
  lirr: 'mta-lirr',
  mnr: 'mta-mnr',
  obanyc: 'mta-bus-tu',
  camsys: 'mta-alerts-all',
  generic: 'elsewhere',
}

/** The same for the same seed. */
export function specimens(seed: number): readonly Specimen[] {
  return [...recorded(), ...simulated(seed)]
}

function recorded(): readonly Specimen[] {
  return FIXTURES.map(([name, profile]) => {
    const { header, entities } = splitMessage(fixtureBody(name))
    const half = (from: number): Uint8Array =>
      joinMessage({ header, entities: entities.slice(from, from + ENTITIES) })
    return {
      name: `recorded ${name}`,
      feedId: FEED_OF[profile] ?? 'elsewhere',
      isJson: false,
      atMs: headerTimestamp(header) * 1_000,
      bodies: [half(0), half(1)],
    }
  })
}

function simulated(seed: number): readonly Specimen[] {
  const city = createCity(seed)
  // The alerts as JSON are nobody's: the connector reads them as protobuf.
  return ALL_FEEDS.filter(({ id }) => KNOWN_FEED_IDS.includes(id)).map((feed) => {
    const isJson = feed.format === 'json'
    const query = new URLSearchParams('key=k&version=2&VehicleMonitoringDetailLevel=normal')
    const body = (timeS: number): Uint8Array => {
      const bytes = city(feed, timeS, query)
      return isJson ? shortJson(bytes) : shortMessage(bytes)
    }
    return {
      name: `simulated ${feed.tag}`,
      feedId: feed.id,
      isJson,
      atMs: AT_S * 1_000,
      bodies: [body(AT_S), body(AT_S + LATER_S)],
    }
  })
}

function shortMessage(bytes: Uint8Array): Uint8Array {
  const { header, entities } = splitMessage(bytes)
  return joinMessage({ header, entities: entities.slice(0, ENTITIES) })
}

/** Lists that are longer lose their ends, wherever they are. */
function shortJson(bytes: Uint8Array): Uint8Array {
  const value: unknown = JSON.parse(Buffer.from(bytes).toString(), (_key, inner: unknown) =>
    Array.isArray(inner) ? inner.slice(0, ENTITIES) : inner,
  )
  return Buffer.from(JSON.stringify(value))
}

/** A good body as if it were made then. */
export function stamped(body: Uint8Array, timeS: number, isJson: boolean): Uint8Array {
  if (!isJson) return joinMessage(withTimestamp(splitMessage(body), timeS))
  const stamp = `"ResponseTimestamp":"${new Date(timeS * 1_000).toISOString()}"`
  const text = Buffer.from(body).toString()
  return Buffer.from(text.replaceAll(/"ResponseTimestamp":"[^"]*"/g, stamp))
}
