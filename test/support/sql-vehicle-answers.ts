// What the views and queries over VEHICLE_POSITION have to answer, worked out row by row.

export type Answers = readonly Readonly<Record<string, unknown>>[]

/** A row of VEHICLE_POSITION and its record's offset. */
export interface Observation {
  readonly offset: number
  readonly row: Readonly<Record<string, unknown>>
}

const MINUTE_MS = 60_000
const fetched = ({ row }: Observation): number => Date.parse(String(row['FETCHED_AT']))
const isVanished = ({ row }: Observation): boolean => row['EVENT_TYPE'] === 'VANISHED'
const withKey = (all: readonly Observation[]): readonly Observation[] =>
  all.filter(({ row }) => row['RECORD_KEY'] !== undefined)
const since = (all: readonly Observation[], fromMs: number): readonly Observation[] =>
  all.filter((one) => fetched(one) >= fromMs)
const newest = (all: readonly Observation[]): number => Math.max(...all.map(fetched))

export function groups<T>(
  items: readonly T[],
  keyOf: (item: T) => string,
): readonly (readonly T[])[] {
  const found = new Map<string, T[]>()
  for (const item of items) found.set(keyOf(item), [...(found.get(keyOf(item)) ?? []), item])
  return [...found.values()]
}

export function median(values: readonly number[]): number {
  const inOrder = values.toSorted((a, b) => a - b)
  const middle = inOrder.length >> 1
  const [low = 0, high = 0] = [inOrder[(inOrder.length - 1) >> 1], inOrder[middle]]
  return (low + high) / 2
}

export function currentFleet(all: readonly Observation[]): readonly Observation[] {
  const last = groups(withKey(all), ({ row }) => String(row['RECORD_KEY'])).map((records) =>
    records.reduce((a, b) => {
      const isLater = fetched(b) > fetched(a) || (fetched(b) === fetched(a) && b.offset > a.offset)
      return isLater ? b : a
    }),
  )
  return last.filter((one) => !isVanished(one))
}

export function recordCounts(all: readonly Observation[], nowMs: number): Answers {
  const count = (feed: unknown, records: readonly Observation[]) => ({
    FEED_ID: feed,
    RECORDS_TOTAL: records.length,
    RECORDS_LAST_HOUR: since(records, nowMs - 60 * MINUTE_MS).length,
    LAST_RECORD_AT: newest(records),
  })
  const records = withKey(all)
  return [
    ...groups(records, ({ row }) => String(row['FEED_ID'])).map((own) =>
      count(own[0]?.row['FEED_ID'], own),
    ),
    count(null, records),
  ]
}

export function activeVehicles(all: readonly Observation[], nowMs: number): Answers {
  const active = since(currentFleet(all), nowMs - 10 * MINUTE_MS)
  return groups(active, ({ row }) => String(row['FEED_ID'])).map((own) => ({
    FEED_ID: own[0]?.row['FEED_ID'],
    VEHICLES: own.length,
    VEHICLES_WITH_POSITION: own.filter(({ row }) => row['LATITUDE'] !== null).length,
    LINES: new Set(own.map(({ row }) => row['ROUTE_ID']).filter((route) => route !== null)).size,
    LAST_RECORD_AT: newest(own),
  }))
}

export function lineActivity(all: readonly Observation[], nowMs: number): Answers {
  const lineOf = ({ row }: Observation): string =>
    JSON.stringify([row['AGENCY_ID'], row['ROUTE_ID']])
  const active = since(currentFleet(all), nowMs - 10 * MINUTE_MS)
  const onLines = withKey(all).filter(({ row }) => row['ROUTE_ID'] !== null)
  return groups(onLines, lineOf).map((own) => ({
    AGENCY_ID: own[0]?.row['AGENCY_ID'],
    ROUTE_ID: own[0]?.row['ROUTE_ID'],
    VEHICLES: active.filter((one) => own[0] !== undefined && lineOf(one) === lineOf(own[0])).length,
    RECORDS_LAST_HOUR: since(own, nowMs - 60 * MINUTE_MS).length,
    RECORDS_TOTAL: own.length,
    LAST_RECORD_AT: newest(own),
  }))
}

export function freshness(all: readonly Observation[], nowMs: number): Answers {
  const recent = since(withKey(all), nowMs - 60 * MINUTE_MS).filter((one) => !isVanished(one))
  return groups(recent, ({ row }) => String(row['FEED_ID'])).map((own) => {
    const latencies = own.map(
      (one) => fetched(one) - Date.parse(String(one.row['VEHICLE_TIMESTAMP'])),
    )
    return {
      FEED_ID: own[0]?.row['FEED_ID'],
      LAST_RECORD_AT: newest(own),
      FEED_LATENCY_MEDIAN_S: median(latencies) / 1_000,
      FEED_LATENCY_MAX_S: Math.max(...latencies) / 1_000,
      PIPELINE_LATENCY_MEDIAN_S: median(own.map((one) => nowMs - fetched(one))) / 1_000,
    }
  })
}

export function dataQuality(all: readonly Observation[]): Answers {
  const records = withKey(all)
  return groups(records, ({ row }) => String(row['FEED_ID'])).flatMap((own) => {
    const flagged = own.flatMap((one) => {
      const flags = one.row['QUALITY_FLAGS'] as readonly string[]
      return (flags.length === 0 ? [null] : flags).map((flag) => ({ flag, one }))
    })
    return groups(flagged, ({ flag }) => String(flag)).map((same) => ({
      FEED_ID: own[0]?.row['FEED_ID'],
      QUALITY_FLAG: same[0]?.flag,
      RECORDS: same.length,
      SHARE: same.length / own.length,
      LAST_SEEN_AT: newest(same.map(({ one }) => one)),
    }))
  })
}

const EARTH_KM = 6_371
const radians = (degrees: number): number => (degrees * Math.PI) / 180

/** On a sphere, by the haversine formula. */
function kilometres(a: readonly [number, number], b: readonly [number, number]): number {
  const half = (x: number, y: number): number => Math.sin(radians(y - x) / 2) ** 2
  const square =
    half(a[0], b[0]) + Math.cos(radians(a[0])) * Math.cos(radians(b[0])) * half(a[1], b[1])
  return 2 * EARTH_KM * Math.asin(Math.sqrt(square))
}

const placeOf = ({ row }: Observation): readonly [number, number] | undefined =>
  row['LATITUDE'] === null ? undefined : [Number(row['LATITUDE']), Number(row['LONGITUDE'])]

export function nearby(fleet: readonly Observation[]): Answers {
  return fleet
    .flatMap((one) => {
      const place = placeOf(one)
      if (place === undefined) return []
      const km = kilometres([40.752726, -73.977229], place)
      return km <= 1
        ? [{ RECORD_KEY: one.row['RECORD_KEY'], ROUTE_ID: one.row['ROUTE_ID'], DISTANCE_KM: km }]
        : []
    })
    .toSorted((a, b) => a.DISTANCE_KM - b.DISTANCE_KM)
}

/** NULL comes last. */
const order = (route: unknown): string => (typeof route === 'string' ? route : '\uFFFF')

export function boundingBox(fleet: readonly Observation[]): Answers {
  return fleet
    .filter((one) => {
      const [latitude, longitude] = placeOf(one) ?? [0, 0]
      return latitude >= 40.7 && latitude <= 40.73 && longitude >= -74.02 && longitude <= -73.97
    })
    .map(({ row }) => ({ RECORD_KEY: String(row['RECORD_KEY']), ROUTE_ID: row['ROUTE_ID'] }))
    .toSorted((a, b) =>
      `${order(a.ROUTE_ID)}\n${a.RECORD_KEY}` < `${order(b.ROUTE_ID)}\n${b.RECORD_KEY}` ? -1 : 1,
    )
}

/** Of the vehicle whose key comes first. */
export function history(all: readonly Observation[], fleet: readonly Observation[]): Answers {
  const [first] = fleet.map(({ row }) => String(row['RECORD_KEY'])).toSorted()
  const own = withKey(all)
    .filter((one) => one.row['RECORD_KEY'] === first && placeOf(one) !== undefined)
    .toSorted((a, b) => fetched(a) - fetched(b))
    .filter((one, at, list) => at === 0 || fetched(one) !== fetched(list[at - 1] ?? one))
  return own.map((one, at) => {
    const [from, to] = [own[at - 1], placeOf(one)]
    const before = from === undefined ? undefined : placeOf(from)
    return {
      RECORD_KEY: first,
      FETCHED_AT: fetched(one),
      KM: before === undefined || to === undefined ? null : kilometres(before, to),
    }
  })
}

export const offsets = (all: readonly Observation[]): Answers => [
  {
    TOPIC: 'v',
    PARTITION_NUMBER: 0,
    TOPIC_ID: 'T',
    ROW_COUNT: all.length,
    OFFSETS: all.length,
    FIRST_OFFSET: 0,
    LAST_OFFSET: all.length - 1,
  },
]
