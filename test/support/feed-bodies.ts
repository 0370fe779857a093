// GTFS-realtime bodies for tests, written by gtfs-realtime-bindings.
import { createRequire } from 'node:module'
import type { transit_realtime } from 'gtfs-realtime-bindings'

export const gtfs = (
  createRequire(import.meta.url)('gtfs-realtime-bindings') as {
    transit_realtime: typeof transit_realtime
  }
).transit_realtime

export const HEADER_S = 1_707_397_155

/** A feed message of these entities. */
export function feedBody(
  entities: readonly transit_realtime.IFeedEntity[],
  header: Partial<transit_realtime.IFeedHeader> = {},
): Uint8Array {
  return gtfs.FeedMessage.encode({
    header: { gtfsRealtimeVersion: '1.0', timestamp: HEADER_S, ...header },
    entity: [...entities],
  }).finish()
}

/** A bus at a place in Manhattan, changed by `vehicle`. */
export function bus(
  id: string,
  vehicle: transit_realtime.IVehiclePosition = {},
): transit_realtime.IFeedEntity {
  return {
    id: `entity of ${id}`,
    vehicle: {
      trip: { tripId: `trip of ${id}`, startDate: '20240208', routeId: 'M15' },
      position: { latitude: 40.75, longitude: -73.98, bearing: 12.5 },
      timestamp: HEADER_S - 10,
      vehicle: { id: `MTA NYCT_${id}` },
      stopId: '400001',
      ...vehicle,
    },
  }
}

/** A length-delimited field, for extensions that the bindings do not write; numbers below 2^25, payloads below 128 bytes. */
export function field(number: number, payload: Uint8Array | readonly number[]): Uint8Array {
  const tag = number * 8 + 2
  const tagBytes = tag < 128 ? [tag] : [(tag % 128) + 128, Math.floor(tag / 128)]
  return Uint8Array.from([...tagBytes, payload.length, ...payload])
}
