// Elevators and escalators: an inventory of made-up equipment at the real stations, and what of it is out of service.
import { between, chance } from './chance.ts'
import type { Network } from './network.ts'
import { localDateTime } from './service-day.ts'

interface Equipment {
  readonly number: string
  readonly type: 'EL' | 'ES'
  readonly stationId: string
  readonly station: string
  readonly borough: string
  readonly routes: string
  readonly serving: string
  readonly isAda: boolean
}

const STATIONS_WITH_SHARE = 0.42
const EQUIPMENT_MAX = 6
/** Equipment is out of service for about this share of the time: 136 of 650 pieces. */
const OUT_SHARE: readonly [number, number] = [0.1, 0.32]
const CYCLE_S: readonly [number, number] = [86_400, 40 * 86_400]
const UPCOMING_S = 2 * 86_400
const EPOCH = 1_577_836_800
const REASONS = ['Repair', 'Maintenance', 'Capital Replacement', 'Safety Test'] as const
const SERVING = [
  'street to mezzanine',
  'mezzanine to uptown platform',
  'mezzanine to downtown platform',
  'street to platform',
] as const

/** The three lists of `nyct_ene*.json` at any instant; the same for the same seed and time. */
export class Elevators {
  readonly #equipment: readonly Equipment[]
  readonly #seed: number

  constructor(network: Network, seed: number) {
    this.#seed = seed
    this.#equipment = equipmentOf(network, seed)
  }

  /** Outages at `time`, Unix seconds. */
  outages(time: number): Uint8Array {
    return rowsJson(
      this.#equipment.flatMap((one) => {
        const { from, until } = this.#outageOf(one, time)
        return time >= from && time < until ? [this.#row(one, { from, until }, false)] : []
      }),
    )
  }

  /** Outages that begin within the two days after `time`. */
  upcoming(time: number): Uint8Array {
    return rowsJson(
      this.#equipment.flatMap((one) => {
        const { nextFrom, nextUntil } = this.#outageOf(one, time)
        return nextFrom > time && nextFrom <= time + UPCOMING_S
          ? [this.#row(one, { from: nextFrom, until: nextUntil }, true)]
          : []
      }),
    )
  }

  /** The inventory; it does not depend on the time. */
  equipments(): Uint8Array {
    return rowsJson(
      this.#equipment.map((one) => ({
        station: one.station,
        borough: one.borough,
        trainno: one.routes,
        equipmentno: one.number,
        equipmenttype: one.type,
        serving: one.serving,
        ADA: one.isAda ? 'Y' : 'N',
        isactive: 'Y',
        nonNYCT: 'N',
        shortdescription: `${one.station}: ${one.serving}`,
        linesservedbyelevator: one.routes,
        elevatorsgtfsstopid: one.stationId,
      })),
    )
  }

  #outageOf(
    { number }: Equipment,
    time: number,
  ): { from: number; until: number; nextFrom: number; nextUntil: number } {
    const cycleS = Math.round(between(CYCLE_S, this.#seed, 'cycle', number))
    const shift = Math.floor(chance(this.#seed, 'shift', number) * cycleS)
    const from = EPOCH + Math.floor((time - EPOCH + shift) / cycleS) * cycleS - shift
    const lastsS = Math.round(cycleS * between(OUT_SHARE, this.#seed, 'out', number))
    const nextFrom = from + cycleS
    return { from, until: from + lastsS, nextFrom, nextUntil: nextFrom + lastsS }
  }

  #row(
    one: Equipment,
    { from, until }: { from: number; until: number },
    isUpcoming: boolean,
  ): object {
    const index = Math.floor(chance(this.#seed, 'reason', one.number, from) * REASONS.length)
    const reason = REASONS[index] ?? REASONS[0]
    return {
      station: one.station,
      borough: one.borough,
      trainno: one.routes,
      equipment: one.number,
      equipmenttype: one.type,
      serving: one.serving,
      ADA: one.isAda ? 'Y' : 'N',
      outagedate: localDateTime(from),
      estimatedreturntoservice: localDateTime(until),
      reason,
      isupcomingoutage: isUpcoming ? 'Y' : 'N',
      ismaintenanceoutage: reason === 'Maintenance' ? 'Y' : 'N',
    }
  }
}

function equipmentOf(network: Network, seed: number): Equipment[] {
  const out: Equipment[] = []
  for (const [stationId, { name, latitude, longitude, routes }] of network.stations) {
    if (chance(seed, 'has elevators', stationId) >= STATIONS_WITH_SHARE) continue
    const count = 1 + Math.floor(chance(seed, 'elevators', stationId) * EQUIPMENT_MAX)
    for (let i = 0; i < count; i++) {
      const type = chance(seed, 'kind', stationId, i) < 0.6 ? 'EL' : 'ES'
      out.push({
        number: `${type}${100 + out.length}`,
        type,
        stationId,
        station: name,
        borough: boroughOf(latitude, longitude),
        routes: routes.join('/'),
        serving: SERVING[i % SERVING.length] ?? SERVING[0],
        isAda: type === 'EL',
      })
    }
  }
  return out
}

/** Near enough for made-up equipment: straight lines in place of rivers. */
function boroughOf(latitude: number, longitude: number): string {
  if (latitude > 40.8 && longitude > -73.93) return 'BX'
  if (longitude < -73.97 + (latitude - 40.7) * 0.45 && latitude > 40.7) return 'MN'
  return longitude > -73.92 && latitude > 40.69 ? 'QNS' : 'BKN'
}

const rowsJson = (rows: readonly object[]): Uint8Array => Buffer.from(JSON.stringify(rows), 'utf8')
