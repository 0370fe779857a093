// Rows for the tables of sql/, made from a seed, and what its views and queries have to answer, worked out the plain way.
import {
  currentFleet,
  lineActivity,
  type Observation,
  recordCounts,
  activeVehicles,
  freshness,
  dataQuality,
  nearby,
  boundingBox,
  history,
  offsets,
} from './sql-vehicle-answers.ts'
import { delays, headways, type Stop, stopTimes, type Trip } from './sql-trip-answers.ts'
import { seeded, type Random } from './seeded-random.ts'

type Answer = readonly Readonly<Record<string, unknown>>[]
export type Tables = Readonly<Record<string, Answer>>

export interface World {
  readonly tables: Tables
  /** By name of the view; columns that depend on the moment of the query are left out. */
  readonly views: Readonly<Record<string, Answer>>
  /** By name of the file: what its first statement answers, in order. */
  readonly queries: Readonly<Record<string, Answer>>
  readonly offsets: Answer
}

const MINUTE_MS = 60_000
const FLAGS = [[], [], ['TS_STALE'], ['TS_STALE', 'POS_OUTSIDE']]
/** Minutes ago, none of them near a limit of a view. */
const AGES = [1, 3, 6, 8, 15, 30, 50, 75, 200]

export function sqlWorld(nowMs: number, seed: number): World {
  const random = seeded(seed)
  const observations = makeObservations(nowMs, random)
  const trips = makeTrips(nowMs, random)
  const fleet = currentFleet(observations)
  const { tables, views } = otherTables(nowMs)
  const lines = lineActivity(observations, nowMs)
  return {
    tables: {
      VEHICLE_POSITION: observations.map(({ row }) => row),
      TRIP_UPDATE: trips.map(({ row }) => row),
      ...tables,
    },
    views: {
      CURRENT_FLEET: fleet.map(({ row }) => ({
        RECORD_KEY: row['RECORD_KEY'],
        FEED_ID: row['FEED_ID'],
        ROUTE_ID: row['ROUTE_ID'],
        EVENT_TYPE: row['EVENT_TYPE'],
        LATITUDE: row['LATITUDE'],
        FETCHED_AT: Date.parse(String(row['FETCHED_AT'])),
      })),
      RECORD_COUNTS: recordCounts(observations, nowMs),
      ACTIVE_VEHICLES: activeVehicles(observations, nowMs),
      LINE_ACTIVITY: lines,
      FRESHNESS: freshness(observations, nowMs),
      DATA_QUALITY: dataQuality(observations),
      STOP_TIMES: stopTimes(trips),
      DELAYS_BY_ROUTE_AND_HOUR: delays(trips),
      ...views,
    },
    queries: {
      '301_nearby': nearby(fleet),
      '302_bounding_box': boundingBox(fleet),
      '303_headways': headways(trips),
      '304_activity_by_line': lines
        .map(({ ROUTE_ID, VEHICLES, RECORDS_LAST_HOUR }) => ({
          ROUTE_ID,
          VEHICLES,
          RECORDS_LAST_HOUR,
        }))
        .toSorted(
          (a, b) =>
            Number(b.RECORDS_LAST_HOUR) - Number(a.RECORDS_LAST_HOUR) ||
            (String(a.ROUTE_ID) < String(b.ROUTE_ID) ? -1 : 1),
        ),
      '305_history_of_a_vehicle': history(observations, fleet),
    },
    offsets: offsets(observations),
  }
}

function makeObservations(nowMs: number, random: Random): readonly Observation[] {
  const observations: Observation[] = []
  const add = (row: Readonly<Record<string, unknown>>): void => {
    const offset = observations.length
    const metadata = {
      offset,
      topic: 'v',
      partition: 0,
      topicId: 'T',
      SnowflakeConnectorPushTime: nowMs,
    }
    observations.push({ offset, row: { RECORD_METADATA: metadata, ...row } })
  }
  for (let vehicle = 0; vehicle < 60; vehicle++) {
    const feed = random.pick(['mta-subway-ace', 'mta-bus-vehicle-positions'])
    const key = `${feed}|${vehicle}`
    for (let n = random.int(1, 4); n > 0; n--) {
      const fetchedMs = nowMs - random.pick(AGES) * MINUTE_MS + random.int(0, 20_000)
      const row = {
        FEED_ID: feed,
        AGENCY_ID: feed === 'mta-subway-ace' ? 'MTASBWY' : null,
        RECORD_KEY: key,
        EVENT_TYPE: random.chance(0.15) ? 'VANISHED' : 'CHANGED',
        FETCHED_AT: new Date(fetchedMs).toISOString(),
        VEHICLE_TIMESTAMP: new Date(fetchedMs - random.int(500, 90_000)).toISOString(),
        ROUTE_ID: random.chance(0.1) ? null : random.pick(['A', 'C', 'E', 'M15']),
        VEHICLE_ID: String(vehicle),
        LATITUDE: random.chance(0.1) ? null : 40.69 + random.unit() * 0.08,
        LONGITUDE: -74.03 + random.unit() * 0.08,
        QUALITY_FLAGS: random.pick(FLAGS),
      }
      add(row)
      // The same record again, as a source that was killed writes it, or one of the same moment that counts instead.
      if (random.chance(0.1)) add(row)
      if (random.chance(0.1)) add({ ...row, EVENT_TYPE: 'VANISHED' })
    }
  }
  add({}) // A tombstone.
  return observations
}

const iso = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString())
const at = (offset: number, row: object) => ({
  RECORD_METADATA: { offset, topic: 'o', partition: 0 },
  ...row,
})

function makeTrips(nowMs: number, random: Random): readonly Trip[] {
  const trips: Trip[] = []
  for (let trip = 0; trip < 12; trip++) {
    const route = random.pick(['A', 'LIRR'])
    for (let version = random.int(1, 3); version > 0; version--) {
      const fetchedMs = nowMs - version * 10 * MINUTE_MS - random.int(0, 9_000)
      const stops = Array.from({ length: random.int(0, 4) }, (_, ordinal): Stop => {
        const arrivalMs = random.chance(0.1)
          ? null
          : nowMs + trip * 120_000 + ordinal * 90_000 + random.int(0, 60) * 1_000
        return {
          ordinal,
          stop: `S${ordinal}`,
          arrivalMs,
          delayS: random.chance(0.5) ? random.int(-60, 900) : null,
          scheduledMs:
            arrivalMs !== null && random.chance(0.5)
              ? arrivalMs - random.int(0, 600) * 1_000
              : null,
          isSkipped: random.chance(0.1),
        }
      })
      trips.push({
        key: `rail|${trip}`,
        id: String(trip),
        route,
        event: 'CHANGED',
        fetchedMs,
        stops,
        row: {
          RECORD_METADATA: { offset: trips.length, topic: 't', partition: 0 },
          FEED_ID: 'rail',
          AGENCY_ID: 'LI',
          RECORD_KEY: `rail|${trip}`,
          EVENT_TYPE: 'CHANGED',
          FETCHED_AT: iso(fetchedMs),
          TRIP_ID: String(trip),
          ROUTE_ID: route,
          STOP_TIME_UPDATES: stops.map((stop) => ({
            ordinal: stop.ordinal,
            stop_id: stop.stop,
            arrival_time: iso(stop.arrivalMs),
            arrival_delay_s: stop.delayS,
            arrival_scheduled_time: iso(stop.scheduledMs),
            schedule_relationship: stop.isSkipped ? 'SKIPPED' : null,
          })),
        },
      })
    }
  }
  return trips
}

interface Part {
  readonly tables: Tables
  readonly views: World['views']
}
/** The time so many minutes ago. */
type Ago = (minutes: number) => string

/** A few rows by hand, with one for each branch of the view over them. */
function otherTables(nowMs: number): Part {
  const ago: Ago = (minutes) => new Date(nowMs - minutes * MINUTE_MS).toISOString()
  const parts = [buses(ago), alerts(ago), equipment(ago), polls(ago)]
  return {
    tables: Object.assign({}, ...parts.map(({ tables }) => tables)) as Tables,
    views: Object.assign({}, ...parts.map(({ views }) => views)) as World['views'],
  }
}

/** The last observation by its time counts, of two of the same time the later record. */
function buses(ago: Ago): Part {
  return {
    tables: {
      ICYMTA: [
        at(0, { VEHICLEREF: 'MTA NYCT_1', RECORDEDATTIME: ago(9), LINEREF: 'old' }),
        at(1, { VEHICLEREF: 'MTA NYCT_1', RECORDEDATTIME: ago(2), LINEREF: 'new' }),
        at(2, { VEHICLEREF: 'MTA NYCT_1', LINEREF: 'without time' }),
        at(3, { VEHICLEREF: 'MTABC_2', RECORDEDATTIME: ago(2), LINEREF: 'first' }),
        at(4, { VEHICLEREF: 'MTABC_2', RECORDEDATTIME: ago(2), LINEREF: 'second' }),
        at(5, {}),
      ],
    },
    views: {
      CURRENT_BUSES: [
        { VEHICLEREF: 'MTA NYCT_1', LINEREF: 'new' },
        { VEHICLEREF: 'MTABC_2', LINEREF: 'second' },
      ],
    },
  }
}

/** Without an end, over, not yet, with two periods, and gone. */
function alerts(ago: Ago): Part {
  const alert = (key: string, minutes: number, periods: readonly object[], event = 'CHANGED') => ({
    FEED_ID: 'alerts',
    RECORD_KEY: key,
    EVENT_TYPE: event,
    FETCHED_AT: ago(minutes),
    ACTIVE_PERIODS: periods,
    INFORMED_ENTITIES: [
      { route_id: 'F' },
      { route_id: 'A' },
      { route_id: 'F' },
      { stop_id: 'A12' },
    ],
    HEADER_TEXT: [{ text: `${key} is delayed`, language: 'en' }],
    MERCURY_ALERT_TYPE: 'Delays',
  })
  return {
    tables: {
      SERVICE_ALERT: [
        at(0, alert('always', 9, [])),
        at(1, alert('open', 9, [{ start_time: ago(60) }])),
        at(2, alert('over', 9, [{ start_time: ago(60), end_time: ago(30) }])),
        at(3, alert('later', 9, [{ start_time: ago(-60) }])),
        at(
          4,
          alert('twice', 9, [{ end_time: ago(30) }, { start_time: ago(5), end_time: ago(-60) }]),
        ),
        at(5, alert('gone', 9, [])),
        at(6, alert('gone', 3, [], 'VANISHED')),
      ],
    },
    views: {
      CURRENT_ALERTS: ['always', 'open', 'twice'].map((name) => ({
        FEED_ID: 'alerts',
        RECORD_KEY: name,
        ALERT_TYPE: 'Delays',
        HEADER: `${name} is delayed`,
        ROUTES: 'A,F',
      })),
    },
  }
}

/** Out of service, upcoming, and back. */
function equipment(ago: Ago): Part {
  const outage = (id: string, event: string, upcoming: boolean | null) => ({
    RECORD_KEY: `o|${id}`,
    EQUIPMENT_ID: id,
    EVENT_TYPE: event,
    FETCHED_AT: ago(5),
    STATION: 'Court Sq',
    IS_UPCOMING_OUTAGE: upcoming,
  })
  return {
    tables: {
      EQUIPMENT: [
        at(0, {
          RECORD_KEY: 'e|EL1',
          EQUIPMENT_ID: 'EL1',
          FETCHED_AT: ago(9),
          IS_ADA: true,
          SHORT_DESCRIPTION: 'Street to mezzanine',
        }),
      ],
      EQUIPMENT_OUTAGE: [
        at(0, outage('EL1', 'SNAPSHOT', false)),
        at(1, outage('ES2', 'SNAPSHOT', null)),
        at(2, outage('EL3', 'SNAPSHOT', true)),
        at(3, outage('EL4', 'SNAPSHOT', false)),
        at(4, outage('EL4', 'VANISHED', false)),
      ],
    },
    views: {
      CURRENT_OUTAGES: [
        {
          EQUIPMENT_ID: 'EL1',
          STATION: 'Court Sq',
          IS_ADA: true,
          SHORT_DESCRIPTION: 'Street to mezzanine',
        },
        { EQUIPMENT_ID: 'ES2', STATION: 'Court Sq', IS_ADA: null, SHORT_DESCRIPTION: null },
      ],
    },
  }
}

/** Polls of the last hour, and one before. */
function polls(ago: Ago): Part {
  const poll = (minutes: number, outcome: string, records: number) => ({
    FEED_ID: 'ace',
    OUTCOME: outcome,
    REASON: outcome === 'OK' ? null : 'HTTP 503',
    FETCHED_AT: ago(minutes),
    RECORDS: records,
    QUALITY_SCORE: 0.5,
  })
  return {
    tables: {
      FEED_POLL: [
        at(0, poll(90, 'TIMEOUT', 60)),
        at(1, poll(20, 'OK', 60)),
        at(2, poll(10, 'UNCHANGED', 60)),
        at(3, poll(5, 'HTTP_ERROR', 0)),
        at(4, poll(3, 'OK', 60)),
      ],
    },
    views: {
      FEED_HEALTH: [
        {
          FEED_ID: 'ace',
          POLLS_LAST_HOUR: 4,
          FAILED_LAST_HOUR: 1,
          ERROR_RATE: 0.25,
          RECORDS_PER_MINUTE: 3,
          QUALITY_SCORE: 0.5,
          LAST_OUTCOME: 'OK',
          LAST_REASON: null,
        },
      ],
    },
  }
}
