import { readFileSync } from 'node:fs'
import { between, chance } from './chance.ts'
import { type ServiceDay, serviceDayOf } from './service-day.ts'
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

interface BusRoute {
  readonly id: string
  readonly depot: string
  readonly lines: readonly Track[]
  readonly speedMps: number
  /** Seconds from one departure in the first direction to the same bus's next one. */
  readonly roundS: number
  /** Vehicle ids of the route's buses; the first are out the longest. */
  readonly vehicles: readonly string[]
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
}

/** A bus on one of its two lines. */
interface BusOnLine {
  readonly vehicleId: string
  readonly direction: number
  readonly line: Track
  /** Counts its trips out and back. */
  readonly round: number
  /** Seconds since it left the line's start. */
  readonly inRound: number
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

/**
 * The city's buses: each drives its route out and back, with stops and a rest at both ends, and goes out of
 * service at a terminal. A pure function of seed and time.
 */
export class BusFleet {
  readonly #routes: readonly BusRoute[]
  readonly #seed: number

  /** `busesMax`: how many are out at the weekday's peak, about. */
  constructor(options: { file: URL; seed: number; busesMax: number }) {
    this.#seed = options.seed
    const { routes } = JSON.parse(readFileSync(options.file, 'utf8')) as RouteFile
    const shells = routes.map((route) => {
      const lines = route.lines.map((line) => new Track(line))
      // Express buses are faster than the 8 miles an hour of the others.
      const speedMps = /^(X|BM|QM|BXM|SIM)/.test(route.id) ? 8 : 3.9
      const roundS = lines.reduce((sum, line) => sum + halfRoundS(line, speedMps), 0)
      return { ...route, lines, speedMps, roundS }
    })
    const total = shells.reduce((sum, shell) => sum + shell.roundS, 0)
    const seconds = total / Math.max(options.busesMax, 1)
    let number = 0
    this.#routes = shells.map((shell) => ({
      ...shell,
      vehicles: Array.from({ length: Math.max(1, Math.round(shell.roundS / seconds)) }, () => {
        number++
        return `${shell.depot === 'busco' ? 'MTABC' : 'MTA NYCT'}_${1000 + ((number * 7919) % 8999)}`
      }),
    }))
  }

  /** The last report of every bus that is out at `time` (Unix seconds), by route. */
  reportsAt(time: number): readonly BusReport[] {
    const out: BusReport[] = []
    const day = serviceDayOf(time)
    for (const route of this.#routes) {
      for (const index of route.vehicles.keys()) {
        const report = this.#report(route, index, time, day)
        if (report !== undefined) out.push(report)
      }
    }
    return out
  }

  #report(route: BusRoute, index: number, time: number, today: ServiceDay): BusReport | undefined {
    const vehicleId = route.vehicles[index] ?? ''
    const phase = Math.floor(chance(this.#seed, 'phase', vehicleId) * REPORT_EVERY_S)
    const reportedAt = Math.floor((time - phase) / REPORT_EVERY_S) * REPORT_EVERY_S + phase
    const spacing = route.roundS / route.vehicles.length
    const since = reportedAt + index * spacing
    const round = Math.floor(since / route.roundS)
    let inRound = since - round * route.roundS
    const roundStart = reportedAt - inRound
    const rank = (index + 0.5) / route.vehicles.length
    if (shareOut(roundStart, today) < rank) return undefined
    for (const [direction, line] of route.lines.entries()) {
      const half = halfRoundS(line, route.speedMps)
      if (inRound < half) {
        const leftAt = reportedAt - inRound
        return this.#place(route, {
          vehicleId,
          direction,
          line,
          round,
          inRound,
          leftAt,
          reportedAt,
        })
      }
      inRound -= half
    }
    return undefined
  }

  #place(route: BusRoute, bus: BusOnLine): BusReport {
    const { vehicleId, direction, line, round, inRound, leftAt, reportedAt } = bus
    const keys = [vehicleId, round, direction] as const
    const pace = between([0.9, 1.15], this.#seed, 'pace', ...keys)
    const metres = Math.min(driven(inRound * pace, route.speedMps), line.lengthM)
    const place = turning(route, bus) ?? line.at(metres)
    const stop = Math.ceil(metres / STOP_EVERY_M)
    const error = (axis: string): number =>
      (between([-GPS_ERROR_M, GPS_ERROR_M], this.#seed, axis, vehicleId, reportedAt) * 9) / 1e6
    const day = serviceDayOf(leftAt)
    const minute = Math.floor((leftAt - day.start) / 60)
    const week = { weekday: 'Weekday', saturday: 'Saturday', sunday: 'Sunday' }[day.kind]
    const depot = route.depot.toUpperCase()
    const capacity = chance(this.#seed, 'size', vehicleId) < 0.7 ? 80 : 100
    return {
      ...place,
      latitude: place.latitude + error('lat'),
      longitude: place.longitude + error('lon'),
      vehicleId,
      tripId: `${depot}_D6-${week}-${String(minute * 100).padStart(6, '0')}_${route.id}_${vehicleId.slice(-4)}`,
      startDate: day.date,
      route: route.id,
      direction,
      reportedAt,
      stopId: String(400_000 + Math.floor(chance(7, route.id, direction, stop) * 99_999)),
      passengers: Math.round(capacity * 0.9 * chance(this.#seed, 'load', ...keys, stop) ** 1.5),
      capacity,
    }
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

/** The share of the fleet that is out at an instant on or shortly before `today`. */
function shareOut(time: number, today: ServiceDay): number {
  const day = time >= today.start && time < today.start + 86_400 ? today : serviceDayOf(time)
  const hours = day.kind === 'weekday' ? WEEKDAY : WEEKEND
  const hour = Math.min(Math.max((time - day.start) / 3600, 0), 23.999)
  const before = hours[Math.floor(hour)] ?? 0
  const after = hours[(Math.floor(hour) + 1) % 24] ?? before
  return before + (after - before) * (hour % 1)
}
