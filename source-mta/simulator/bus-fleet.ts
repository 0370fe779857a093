import { readFileSync } from 'node:fs'
import { between, chance } from './chance.ts'
import { serviceDayOf } from './service-day.ts'
import { type Place, Track } from './track.ts'

const STOP_EVERY_M = 320
const STOP_DWELL_S = 14
const LAYOVER_S = 360
/** At the end of its rest a bus drives over to where the way back begins. */
const TURN_S = 150
/** Buses wander beside the simplified line, as their GPS does. */
const GPS_ERROR_M = 4
const REPORT_EVERY_S = 20

/** How much of the fleet is on the road, by hour of the day; 1 is the weekday's morning peak. */
const WEEKDAY = [
  0.22, 0.16, 0.13, 0.13, 0.2, 0.42, 0.75, 0.95, 1, 0.85, 0.76, 0.74, 0.76, 0.82, 0.93, 0.98, 0.98,
  0.95, 0.85, 0.7, 0.57, 0.47, 0.38, 0.3,
]
const WEEKEND = [
  0.2, 0.15, 0.13, 0.13, 0.16, 0.24, 0.33, 0.41, 0.47, 0.52, 0.56, 0.57, 0.58, 0.58, 0.58, 0.58,
  0.57, 0.55, 0.52, 0.47, 0.42, 0.37, 0.31, 0.25,
]

export interface BusRoute {
  readonly id: string
  readonly depot: string
  readonly lines: readonly Track[]
  readonly speedMps: number
  /** Seconds from one departure in the first direction to the same bus's next one. */
  readonly roundS: number
  /** Vehicle ids of the route's buses; the first are out the longest. */
  readonly vehicles: readonly string[]
  /** Per line, the ids of its stops in their order. */
  readonly stopIds: readonly (readonly string[])[]
}

/** What a bus's last report says. */
export interface BusReport extends Place {
  readonly vehicleId: string
  readonly tripId: string
  readonly startDate: string
  readonly route: string
  readonly direction: number
  /** Unix seconds. */
  readonly reportedAt: number
  readonly stopId: string
  readonly passengers: number
  readonly capacity: number
  /** Metres to that stop, 0 while it stands there. */
  readonly metresToStop: number
  /** It rests at the end of its line. */
  readonly isLayover: boolean
  readonly bus: BusOnLine
}

/** A bus on one of its two lines. */
export interface BusOnLine {
  readonly route: BusRoute
  /** Counts the buses of the whole fleet, whether they are out or not. */
  readonly ordinal: number
  /** Counts the buses of the route. */
  readonly index: number
  readonly vehicleId: string
  readonly direction: number
  readonly line: Track
  /** Counts its trips out and back. */
  readonly round: number
  /** Seconds since it left the line's start. */
  readonly inRound: number
  /** How much faster than usual it drives on this trip. */
  readonly pace: number
  readonly leftAt: number
  readonly reportedAt: number
}

interface RouteFile {
  readonly routes: readonly {
    readonly id: string
    readonly depot: string
    readonly lines: string[]
  }[]
}

type RouteWithoutBuses = Omit<BusRoute, 'vehicles'>

/** Routes never change: each file is read once, however many cities there are. */
const loaded = new Map<string, readonly RouteWithoutBuses[]>()

function loadRoutes(file: URL): readonly RouteWithoutBuses[] {
  const known = loaded.get(file.href)
  if (known !== undefined) return known
  const { routes } = JSON.parse(readFileSync(file, 'utf8')) as RouteFile
  const read = routes.map((route): RouteWithoutBuses => {
    const lines = route.lines.map((line) => new Track(line))
    // Express buses are faster than the 8 miles an hour of the others.
    const speedMps = /^(X|BM|QM|BXM|SIM)/.test(route.id) ? 8 : 3.9
    const roundS = lines.reduce((sum, line) => sum + halfRoundS(line, speedMps), 0)
    const stopIds = lines.map((line, direction) =>
      Array.from({ length: Math.ceil(line.lengthM / STOP_EVERY_M) + 1 }, (_, stop) =>
        String(400_000 + Math.floor(chance(7, route.id, direction, stop) * 99_999)),
      ),
    )
    return { ...route, lines, speedMps, roundS, stopIds }
  })
  loaded.set(file.href, read)
  return read
}

/**
 * The city's buses: each drives its route out and back, with stops and a rest at both ends, and goes out of
 * service at a terminal. A pure function of seed and time.
 */
export class BusFleet {
  readonly #routes: readonly BusRoute[]
  readonly #seed: number
  readonly #allOut: boolean

  /**
   * `busesMax`: how many are out at the weekday's peak, about; with `allOut` exactly so many, at every hour.
   */
  constructor(options: { file: URL; seed: number; busesMax: number; allOut?: boolean }) {
    this.#seed = options.seed
    this.#allOut = options.allOut ?? false
    const shells = loadRoutes(options.file)
    const total = shells.reduce((sum, shell) => sum + shell.roundS, 0)
    const seconds = total / Math.max(options.busesMax, 1)
    const counts = shells.map((shell) => Math.max(1, Math.round(shell.roundS / seconds)))
    if (this.#allOut) adjustSum(counts, options.busesMax)
    let number = 0
    this.#routes = shells.map((shell, i) => ({
      ...shell,
      vehicles: Array.from({ length: counts[i] ?? 0 }, () => {
        number++
        return `${shell.depot === 'busco' ? 'MTABC' : 'MTA NYCT'}_${1000 + ((number * 7919) % 8999)}`
      }),
    }))
  }

  /** The ids of all routes, whether a bus is out on them or not. */
  get routeIds(): readonly string[] {
    return this.#routes.map(({ id }) => id)
  }

  /** All routes with their stops. */
  get routes(): readonly BusRoute[] {
    return this.#routes
  }

  /** The last report of every bus that is out at `time` (Unix seconds), by route. */
  reportsAt(time: number): readonly BusReport[] {
    return this.busesAt(time).map((bus) => this.#place(bus))
  }

  /** Every bus that is out at `time` (Unix seconds), as of its last report, by route. */
  busesAt(time: number): readonly BusOnLine[] {
    const out: BusOnLine[] = []
    let ordinal = 0
    for (const route of this.#routes) {
      for (const index of route.vehicles.keys()) {
        const bus = this.#busAt(route, { index, ordinal }, time)
        ordinal++
        if (bus !== undefined) out.push(bus)
      }
    }
    return out
  }

  /** What the bus will drive, or rest, after this trip; undefined when it goes out of service before. */
  nextTrip(bus: BusOnLine): BusOnLine | undefined {
    const { route, index, direction, line, leftAt, round } = bus
    const isTurn = direction + 1 < route.lines.length
    const next = isTurn ? direction + 1 : 0
    const nextLine = route.lines[next]
    const startsAt = leftAt + halfRoundS(line, route.speedMps)
    if (nextLine === undefined || (!isTurn && !this.#isOut(route, index, startsAt)))
      return undefined
    const nextRound = isTurn ? round : round + 1
    return {
      ...bus,
      direction: next,
      line: nextLine,
      round: nextRound,
      inRound: 0,
      leftAt: startsAt,
      pace: this.#pace(bus.vehicleId, nextRound, next),
    }
  }

  #isOut(route: BusRoute, index: number, roundStart: number): boolean {
    const rank = (index + 0.5) / route.vehicles.length
    return this.#allOut || shareOut(roundStart) >= rank
  }

  #pace(vehicleId: string, round: number, direction: number): number {
    return between([0.9, 1.15], this.#seed, 'pace', vehicleId, round, direction)
  }

  #busAt(
    route: BusRoute,
    { index, ordinal }: { readonly index: number; readonly ordinal: number },
    time: number,
  ): BusOnLine | undefined {
    const vehicleId = route.vehicles[index] ?? ''
    const phase = Math.floor(chance(this.#seed, 'phase', vehicleId) * REPORT_EVERY_S)
    const reportedAt = Math.floor((time - phase) / REPORT_EVERY_S) * REPORT_EVERY_S + phase
    const spacing = route.roundS / route.vehicles.length
    const since = reportedAt + index * spacing
    const round = Math.floor(since / route.roundS)
    let inRound = since - round * route.roundS
    if (!this.#isOut(route, index, reportedAt - inRound)) return undefined
    for (const [direction, line] of route.lines.entries()) {
      const half = halfRoundS(line, route.speedMps)
      if (inRound < half) {
        const leftAt = reportedAt - inRound
        const pace = this.#pace(vehicleId, round, direction)
        const trip = { direction, line, round, inRound, leftAt, reportedAt, pace }
        return { route, ordinal, index, vehicleId, ...trip }
      }
      inRound -= half
    }
    return undefined
  }

  #place(bus: BusOnLine): BusReport {
    const { route, vehicleId, direction, line, round, inRound, reportedAt, pace } = bus
    const metres = Math.min(driven(inRound * pace, route.speedMps), line.lengthM)
    const turn = turning(route, bus)
    const place = turn ?? line.at(metres)
    const stop = Math.ceil(metres / STOP_EVERY_M)
    const error = (axis: string): number =>
      (between([-GPS_ERROR_M, GPS_ERROR_M], this.#seed, axis, vehicleId, reportedAt) * 9) / 1e6
    const capacity = chance(this.#seed, 'size', vehicleId) < 0.7 ? 80 : 100
    return {
      ...place,
      latitude: place.latitude + error('lat'),
      longitude: place.longitude + error('lon'),
      vehicleId,
      tripId: busTripId(bus),
      startDate: serviceDayOf(bus.leftAt).date,
      route: route.id,
      direction,
      reportedAt,
      stopId: route.stopIds[direction]?.[stop] ?? '',
      passengers: Math.round(
        capacity * 0.9 * chance(this.#seed, 'load', vehicleId, round, direction, stop) ** 1.5,
      ),
      capacity,
      metresToStop: Math.min(stop * STOP_EVERY_M, line.lengthM) - metres,
      isLayover: metres >= line.lengthM,
      bus,
    }
  }
}

/** `MV_D5-Sunday-088000_M11_630`: depot and timetable, hundredths of a minute after midnight, route, run. */
export function busTripId({ route, leftAt, vehicleId }: BusOnLine): string {
  const day = serviceDayOf(leftAt)
  const minute = Math.floor((leftAt - day.start) / 60)
  const week = { weekday: 'Weekday', saturday: 'Saturday', sunday: 'Sunday' }[day.kind]
  const origin = String(minute * 100).padStart(6, '0')
  return `${route.depot.toUpperCase()}_D6-${week}-${origin}_${route.id}_${vehicleId.slice(-4)}`
}

/** Unix seconds at which a bus that drives on as it does reaches a stop of its line, counted from 0. */
export function busArrival({ route, line, leftAt, pace }: BusOnLine, stop: number): number {
  if (stop === 0) return leftAt
  const legS = STOP_EVERY_M / route.speedMps
  const lastLegM = Math.min(stop * STOP_EVERY_M, line.lengthM) - (stop - 1) * STOP_EVERY_M
  const rollingS = (lastLegM / STOP_EVERY_M) * (legS - STOP_DWELL_S)
  return leftAt + ((stop - 1) * legS + rollingS) / pace
}

/** Adds to the largest and takes from the largest until the sum is right; no count falls below 1. */
function adjustSum(counts: number[], sum: number): void {
  const by = counts.map((_, i) => i).sort((a, b) => (counts[b] ?? 0) - (counts[a] ?? 0) || a - b)
  let missing = sum - counts.reduce((total, count) => total + count, 0)
  for (let turn = 0; missing !== 0 && turn < sum; turn++) {
    const i = by[turn % by.length] ?? 0
    const count = counts[i] ?? 0
    if (missing < 0 && count <= 1) continue
    counts[i] = count + Math.sign(missing)
    missing -= Math.sign(missing)
  }
}

/** Metres behind a bus after so many seconds: it drives on from stop to stop and rests at each. */
function driven(seconds: number, speedMps: number): number {
  const legS = STOP_EVERY_M / speedMps
  const rollingS = legS - STOP_DWELL_S
  const legs = Math.floor(seconds / legS)
  const rolled = Math.min((seconds - legs * legS) / rollingS, 1)
  return (legs + rolled) * STOP_EVERY_M
}

/** Where a bus is that drives from the end of its line to the start of the other one. */
function turning(route: BusRoute, { line, direction, inRound }: BusOnLine): Place | undefined {
  const next = route.lines[(direction + 1) % route.lines.length]
  const share = 1 - (halfRoundS(line, route.speedMps) - inRound) / TURN_S
  if (share <= 0 || next === undefined) return undefined
  const from = line.at(line.lengthM)
  const to = next.at(0)
  return {
    latitude: from.latitude + (to.latitude - from.latitude) * share,
    longitude: from.longitude + (to.longitude - from.longitude) * share,
    bearing: to.bearing,
  }
}

function halfRoundS(line: Track, speedMps: number): number {
  return (line.lengthM / speedMps) * 1.12 + LAYOVER_S
}

/** The share of the fleet that is out at an instant. */
function shareOut(time: number): number {
  const day = serviceDayOf(time)
  const hours = day.kind === 'weekday' ? WEEKDAY : WEEKEND
  const hour = Math.min(Math.max((time - day.start) / 3600, 0), 23.999)
  const before = hours[Math.floor(hour)] ?? 0
  const after = hours[(Math.floor(hour) + 1) % 24] ?? before
  return before + (after - before) * (hour % 1)
}
